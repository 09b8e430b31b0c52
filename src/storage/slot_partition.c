/*
 * Slot: a time partition goes. Its rows are gone for whoever comes later; who has the segment keeps it. The slot stays
 * with the segment until then, because what is read into it needs the slot's dictionaries.
 */
#include <string.h>

#include "storage/slot_impl.h"
#include "storage/slot_rewrite.h"

void slot_part_take_out(struct slot *t, struct slot_part *p)
{
    uint32_t at = 0;

    slot_rewrite_stop(p);
    while (t->parts[at] != p)
        at++;
    t->n_parts--;
    memmove(t->parts + at, t->parts + at + 1, (t->n_parts - at) * sizeof p);
    t->unindexed -= p->unindexed;
    key_table_fini(&p->index);
    key_table_init(&p->index, t->budget);
    segment_attach(p->segment, NULL, &t->tick, t->room); /* what it lacks no longer counts */
}

void slot_part_leave(struct slot *t, struct slot_part *p)
{
    p->next = t->leaving;
    t->leaving = p;
    slot_reap(t, false);
}

bool slot_drop_live_partition(struct slot *t, int64_t partition)
{
    struct slot_part *p = slot_part_find(t, partition);

    if (!p)
        return false;
    slot_part_take_out(t, p);
    slot_part_leave(t, p);
    return true;
}

bool slot_drop_partition(struct slot *t, int64_t partition)
{
    return slot_drop_live_partition(t, partition) || slot_archive_drop(t, partition);
}

void slot_reap(struct slot *t, bool all)
{
    struct slot_part **at = &t->leaving;

    while (*at) {
        struct slot_part *p = *at;

        if (!all && segment_is_pinned(p->segment)) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        slot_part_free(t, p);
    }
}
