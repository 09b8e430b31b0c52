/* Segments that nobody has any more: their blocks go a few at a time, since a block is thousands of allocations. */
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

void segment_leave(struct segment **leaving, struct segment *g)
{
    if (g->refs > 1) { /* reads are on their way: the last of them frees it */
        segment_put(g);
        return;
    }
    segment_cut_forget(g);
    segment_cut_end_urgent(g);
    g->cut = false;
    g->leaving = *leaving;
    *leaving = g;
}

bool segment_leave_step(struct segment **leaving, uint32_t blocks)
{
    while (*leaving && blocks > 0) {
        struct segment *g = *leaving;

        for (; g->n_blocks > 0 && blocks > 0; blocks--)
            segment_pop_block(g);
        if (g->n_blocks == 0) {
            *leaving = g->leaving;
            segment_put(g);
        }
    }
    return *leaving != NULL;
}
