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

/* CODES: the counts of the block after the next one. */
static void look_ahead_counts(const struct scan *x, struct segment *g)
{
    const struct colblock *c;
    struct block b;

    if (x->filter || x->block + 2 >= segment_blocks(g))
        return;
    (void)segment_block(g, x->block + 2, NULL, &b);
    c = b.columns[x->program->columns[0]];
    if (c)
        colblock_prefetch_counts(c);
}

void scan_look_ahead(const struct scan *x, struct segment *g)
{
    bool bounds = x->skipping && x->mode != SCAN_MODE_TOPN;

    segment_prefetch(g, x->block, bounds ? &x->where_want : &x->want, !x->skipping);
    if (x->mode == SCAN_MODE_CODES)
        look_ahead_counts(x, g);
    if (!x->skipping)
        filter_prefetch(x->filter, g, x->block);
}
