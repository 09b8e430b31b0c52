/* Scan: blocks that come next, from disk into memory and from memory into the caches. */
#include "storage/scan_impl.h"

enum block_state scan_want_block(struct scan *x, const struct column_want *want, struct block *b)
{
    const struct scan_part *part = &x->parts[x->part];
    enum block_state state = segment_block_want(part->segment, x->block, want, x->wake, b);

    if (state == BLOCK_FAILED)
        x->error = *segment_error(part->segment);
    if (state != BLOCK_PENDING)
        return state;
    x->waited = true;
    uint32_t most = segment_has_room(part->segment) ? SCAN_AHEAD_MANY : SCAN_AHEAD;
    for (uint32_t i = 1; i <= most && !part->from; i++)
        if (x->block + i < segment_blocks(part->segment) &&
            filter_may_match(x->filter, part->segment, x->block + i))
            segment_block_ask(part->segment, x->block + i, want);
    return state;
}

enum { SEGMENTS_AHEAD = 4 }; /* of the place farthest ahead */

/* A block on. */
static void place_advance(const struct scan *x, struct scan_place *at)
{
    if (at->part == x->n_parts || ++at->block < segment_blocks(x->parts[at->part].segment))
        return;
    at->block = 0;
    do
        at->part++;
    while (at->part < x->n_parts && !segment_blocks(x->parts[at->part].segment));
}

/* Blocks ahead: each step reads what the one before it, farther ahead, asked for. */
static const uint8_t distances[SCAN_PLACES] = {1, SCAN_AHEAD_CODES, 4, 8, 12, 16};

/* The places ahead of the block at hand, which are those of the one before moved on. */
static void find_places(struct scan *x)
{
    struct scan_place at = {x->part, x->block};

    if (at.part != x->ahead_of.part || at.block != x->ahead_of.block || (!at.part && !at.block)) {
        for (unsigned i = 0, n = 0; i < SCAN_PLACES; i++) {
            for (; n < distances[i]; n++)
                place_advance(x, &at);
            x->ahead[i] = at;
        }
        x->ahead_of = (struct scan_place){x->part, x->block};
    } else {
        for (unsigned i = 0; i < SCAN_PLACES; i++)
            place_advance(x, &x->ahead[i]);
    }
    place_advance(x, &x->ahead_of); /* the next call's, if all goes on like that */
}

/* What the condition and the counts ask of a block of the same slot. */
static void look_into(struct scan *x, struct segment *g, uint32_t block, uint32_t distance)
{
    const struct colblock *c;
    struct block b;

    (void)segment_block(g, block, NULL, &b);
    if (distance == SCAN_AHEAD_CODES && x->mode == SCAN_MODE_CODES && !x->filter &&
        (c = b.columns[x->program->columns[0]]))
        colblock_prefetch_counts(c);
    if (x->skipping)
        return;
    if (distance == SCAN_AHEAD_CODES)
        filter_prefetch(x->filter, &b);
    else
        x->foreseen = filter_foresee(x->filter, &b, &x->next_meet);
}

void scan_look_ahead(struct scan *x)
{
    static const uint8_t steps[SCAN_PLACES] = {0, 0, 3, 2, 1, 0};
    bool bounds = x->skipping && x->mode != SCAN_MODE_TOPN;
    const struct column_want *want = bounds ? &x->where_want : &x->want;

    x->foreseen = false;
    find_places(x);
    if (x->ahead[SCAN_PLACES - 1].part + SEGMENTS_AHEAD < x->n_parts)
        segment_prefetch_blocks(x->parts[x->ahead[SCAN_PLACES - 1].part + SEGMENTS_AHEAD].segment);
    for (unsigned i = 0; i < SCAN_PLACES; i++) {
        const struct scan_place *at = &x->ahead[i];
        if (at->part == x->n_parts)
            return;
        struct segment *g = x->parts[at->part].segment;
        if (!segment_is_loaded(g) || at->block >= segment_blocks(g))
            continue;
        if (distances[i] > SCAN_AHEAD_CODES)
            segment_prefetch(g, at->block, want, x->skipping && steps[i] == 3 ? 2 : steps[i],
                             x->mode == SCAN_MODE_TOTALS && !x->filter);
        else if (x->parts[at->part].slot == x->parts[x->part].slot)
            look_into(x, g, at->block, distances[i]);
    }
}
