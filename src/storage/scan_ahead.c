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

/* A block to come, of this segment or one after it. */
struct place {
    uint32_t part, block;
};

/* n blocks on: false when there are not as many. */
static bool place_advance(const struct scan *x, struct place *at, uint32_t n)
{
    for (;;) {
        uint32_t left = segment_blocks(x->parts[at->part].segment) - at->block;

        if (n < left) {
            at->block += n;
            return true;
        }
        if (++at->part == x->n_parts)
            return false;
        at->block = 0;
        n -= left;
    }
}

/* What the condition and the counts ask of a block of the same slot. */
static void look_into(const struct scan *x, struct segment *g, uint32_t block, uint32_t distance)
{
    const struct colblock *c;
    struct block b;

    (void)segment_block(g, block, NULL, &b);
    if (distance == SCAN_AHEAD_CODES && x->mode == SCAN_MODE_CODES && !x->filter &&
        (c = b.columns[x->program->columns[0]]))
        colblock_prefetch_counts(c);
    if (!x->skipping)
        filter_prefetch(x->filter, &b, distance < SCAN_AHEAD_CODES);
}

void scan_look_ahead(const struct scan *x)
{
    /* Blocks ahead: each step reads what the one before it, farther ahead, asked for. */
    static const uint8_t distances[] = {1, SCAN_AHEAD_CODES, 4, 8, 12, 16};
    static const uint8_t steps[] = {0, 0, 3, 2, 1, 0};
    bool bounds = x->skipping && x->mode != SCAN_MODE_TOPN;
    const struct column_want *want = bounds ? &x->where_want : &x->want;
    struct place at = {x->part, x->block};

    for (unsigned i = 0; i < sizeof(distances); i++) {
        if (!place_advance(x, &at, distances[i] - (i ? distances[i - 1] : 0)))
            return;
        struct segment *g = x->parts[at.part].segment;
        if (i == sizeof(distances) - 1 && at.part + 1 < x->n_parts)
            segment_prefetch_blocks(x->parts[at.part + 1].segment);
        if (!segment_is_loaded(g))
            continue;
        if (distances[i] > SCAN_AHEAD_CODES)
            segment_prefetch(g, at.block, want, x->skipping && steps[i] == 3 ? 2 : steps[i]);
        else if (x->parts[at.part].slot == x->parts[x->part].slot)
            look_into(x, g, at.block, distances[i]);
    }
}
