#pragma once
/*
 * Groups of several cores that are read where they lie: arrays over a range of integers are added up position by
 * position, sets of strings are joined a part at a time. Owner: the merge, on the home core; what was added must stay
 * until the union is freed.
 */
#include "storage/group_dense.h"
#include "storage/group_set.h"

struct group_union;

/* All groups that a scan found: one of the two. */
struct group_whole {
    const struct group_dense *arrays; /* group_dense_is_shared */
    const struct group_set *set;
};

int group_union_new(const struct program *p, const struct schema *s, struct budget *budget,
                    struct group_union **out);
void group_union_free(struct group_union *u);
/* One more core's; all give arrays, or all sets. -ENOMEM. */
int group_union_add(struct group_union *u, const struct group_whole *w);
/* Only the part-th of `parts` parts of the groups is looked at: together these are all groups, each once. */
void group_union_share(struct group_union *u, unsigned part, unsigned parts);

/* Next batch of about max_rows groups in program output form, without those cut off (cut may be NULL): 1 with *out
 * valid until the next call, -EAGAIN when none were found yet, 0 at the end, -errno. */
int group_union_next(struct group_union *u, uint32_t max_rows, const struct partial_cut *cut,
                     struct batch *out);
/* Instead: *n = their number without that of NULL: 0, -EAGAIN when there is more to do, -errno. */
int group_union_count(struct group_union *u, uint64_t *n);
