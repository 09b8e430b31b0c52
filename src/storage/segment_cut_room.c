/*
 * Segment: changes that come while a cut is at work. What they would overwrite goes aside first, into bounded memory;
 * when that is used up they wait, and the cut encodes first what they wait for, then what lies aside. So a cut ends
 * however fast rows change.
 */
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/colblock.h"
#include "storage/segment_impl.h"

/* Of what is left of the memory for rows, images aside may take one part of so many. */
enum { BUDGET_SHARE = 4 };

static uint64_t room_aside(const struct segment *g)
{
    uint64_t room = g->aside_bytes < SEGMENT_ASIDE_BYTES ? SEGMENT_ASIDE_BYTES - g->aside_bytes : 0;
    uint64_t memory = g->budget ? budget_room(g->budget) / BUDGET_SHARE : room;

    return room < memory ? room : memory;
}

/* Bytes of images, about, that a change of the block would put aside. */
static uint64_t image_bytes(const struct segment *g, const struct segment_block *b)
{
    uint64_t bytes = 0;

    for (unsigned c = 0; c < g->schema->n_columns && b->pending; c++) {
        const struct segment_column *d = &b->disk[c];

        if (d->in_cut && !d->encoded && !d->aside && b->columns[c])
            bytes += colblock_memory(b->columns[c]);
    }
    return bytes;
}

void segment_cut_urge(struct segment *g, uint32_t block)
{
    struct segment_block *b = g->blocks[block];

    if (b->urgent)
        return;
    if (g->n_urgent == g->cap_urgent) {
        uint32_t cap = g->cap_urgent ? g->cap_urgent * 2 : 16;
        uint32_t *grown = realloc(g->urgent, cap * sizeof(*grown));

        if (!grown)
            return; /* its turn comes */
        g->urgent = grown;
        g->cap_urgent = cap;
    }
    b->urgent = true;
    g->urgent[g->n_urgent++] = block;
}

/* Something of the block is left to encode, and no column must be read for it. */
static bool is_at_hand(const struct segment *g, const struct segment_block *b)
{
    bool any = false;

    for (unsigned c = 0; c <= g->schema->n_columns; c++) {
        const struct segment_column *d = &b->disk[c];

        if (!d->in_cut || d->encoded)
            continue;
        if (!d->aside && segment_column_absent(g, b, c))
            return false;
        any = true;
    }
    return any;
}

uint32_t segment_cut_next_block(struct segment *g)
{
    while (g->n_urgent) {
        uint32_t block = g->urgent[g->n_urgent - 1];

        if (is_at_hand(g, g->blocks[block]))
            return block;
        g->blocks[block]->urgent = false;
        g->n_urgent--;
    }
    return g->cut_at;
}

void segment_cut_end_urgent(struct segment *g)
{
    while (g->n_urgent)
        g->blocks[g->urgent[--g->n_urgent]]->urgent = false;
    free(g->urgent);
    g->urgent = NULL;
    g->cap_urgent = 0;
}

void segment_cut_wake(struct segment *g)
{
    if (!g->cut_waits || (g->cut_left && g->n_urgent && room_aside(g) < SEGMENT_ASIDE_BYTES / 4))
        return;
    g->cut_waits = false;
    segment_wake_all(g);
}

void segment_cut_ask(struct segment *g)
{
    g->ask++;
    g->asked_bytes = 0;
}

void segment_cut_ask_block(struct segment *g, uint32_t block)
{
    struct segment_block *b = g->blocks[block];

    if (!b->pending || b->asked == g->ask)
        return;
    b->asked = g->ask;
    g->asked_bytes += image_bytes(g, b);
}

bool segment_cut_must_wait(struct segment *g, struct task *wake)
{
    if (!g->cut || !g->asked_bytes || g->asked_bytes <= room_aside(g))
        return false;
    if (segment_cut_add_waiter(g, wake) != 0)
        return false;
    for (uint32_t i = 0; i < g->cut_blocks; i++) {
        if (g->blocks[i]->asked == g->ask && g->blocks[i]->pending)
            segment_cut_urge(g, i);
    }
    g->cut_waits = true;
    return true;
}

bool segment_cut_is_at_work(const struct segment *g)
{
    return g->cut && g->cut_left;
}
