#pragma once
/*
 * What of a core's slots is in memory: after the start everything is read in the background while there is room; under
 * pressure what was not used for longest leaves, and a checkpoint is asked for when only changed rows are left.
 * Owner: the core.
 */
#include "reactor/leg.h"
#include "rpc/local.h"

/* Every second. */
void local_load_tick(struct local *l);

/*
 * Room for a write of so many bytes, with some left for those who read? Lets cold columns go when there is not. SOON:
 * a checkpoint under way will make some, ask again later. SCARCE: hardly, and nothing will make more; NONE: no.
 */
enum local_room { LOCAL_ROOM, LOCAL_ROOM_SOON, LOCAL_ROOM_SCARCE, LOCAL_ROOM_NONE };
enum local_room local_make_room(struct local *l, uint64_t bytes);

/* Between the steps of a statement on this core: columns and indexes that nothing wanted of late leave when it takes memory. */
void local_spare_statements(struct local *l);

/* Stop of the node, after every request has ended: no more reading ahead; replies when nothing is on its way. */
struct load_stop {
    struct leg leg; /* to the core; run = local_load_stop */
    struct timer timer;
};
void local_load_stop(struct leg *leg);
