#pragma once
/*
 * What of a core's slots is in memory: after the start everything is read in the background while there is room; under
 * pressure what was not used for longest leaves, and a checkpoint is asked for when only changed rows are left.
 * Owner: the core.
 */
#include "rpc/local.h"

/* Every second. */
void local_load_tick(struct local *l);

/*
 * Room for a write of so many bytes? Lets cold columns go when there is not. false: there is none now, but a
 * checkpoint under way will make some; ask again later.
 */
bool local_make_room(struct local *l, uint64_t bytes);
