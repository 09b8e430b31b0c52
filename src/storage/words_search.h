#pragma once
/*
 * Search of one condition in one slot: which codes of a column's dictionary have texts that a query of words holds for.
 * By the column's word index, which it makes first, or text by text where the dictionary is small or memory does not
 * suffice for an index. In steps; what the dictionary gets later is looked at text by text. Owner: the filter; memory:
 * the arena given.
 */
#include "storage/slot.h"
#include "storage/words_query.h"

struct words_search;

/* 0 or -ENOMEM; -EINVAL when the text is none that words_query_parse takes. The text is one of boolean mode. */
int words_search_new(struct slot *t, unsigned column, const char *text, uint32_t len,
                     struct arena *a, struct words_search **out);

/*
 * Goes on until all texts of the dictionary have been decided or *work is used up: 0 = decided, 1 = call again, -ENOMEM.
 * Bits of the codes that match are set in bits[]; codes from *limit on are not decided yet. Bits must have room for the
 * dictionary as it is now, and be clear from *limit on.
 */
int words_search_step(struct words_search *x, uint64_t *bits, uint32_t *limit, uint64_t *work);
