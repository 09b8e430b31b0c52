/* Segment: rows of a file that several slots share, of which this one has some. */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/presence.h"
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

bool segment_is_shared(const struct segment *g)
{
    return g->file && store_file_is_shared(g->file);
}

int segment_keep_rows(struct segment *g, uint32_t index, const uint64_t keep[BLOCK_WORDS])
{
    struct segment_block *b = g->blocks[index];
    struct segment_column *mask = &b->disk[g->schema->n_columns];
    uint32_t words = presence_words(b->rows);

    ASSERT(!g->cut && !mask->changed && !segment_column_absent(g, b, g->schema->n_columns));
    if (!b->live) {
        b->live = slot_memory_zeroed(g->budget, BLOCK_WORDS * sizeof *b->live);
        if (!b->live)
            return -ENOMEM;
        presence_fill(b->live, 0, b->rows);
    }
    presence_and(b->live, keep, words);
    g->live -= b->live_count;
    b->live_count = presence_count(b->live, words);
    g->live += b->live_count;
    g->file_live -= mask->disk.ref.len;
    mask->disk = (struct directory_column){0}; /* the file has another */
    return 0;
}
