/*
 * Segment: the consistent cut. At its begin every changed column is marked; it is encoded when its turn comes, or
 * aside just before a change of its block. What the cut wrote takes the place of the old chunks at the commit only,
 * so that a cut that fails leaves nothing to be put right.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/colblock.h"
#include "storage/column_image.h"
#include "storage/presence.h"
#include "storage/segment_impl.h"

enum { EXTENT_ENOUGH = 1 << 20 }; /* bytes of an extent after which the rest goes into the next */

bool segment_is_changed(const struct segment *g)
{
    return g->changed || (g->cut && g->cut_changed);
}

void segment_column_bounds(const struct colblock *c, struct directory_column *out)
{
    out->min = out->max = 0;
    out->any = colblock_bounds(c, &out->min, &out->max);
    out->tight = colblock_bounds_tight(c);
    out->has_nulls = colblock_has_nulls(c);
}

/* ---- begin and end ---- */

static void mark_block(struct segment *g, struct segment_block *b)
{
    b->appended = false;
    for (unsigned c = 0; c <= g->schema->n_columns; c++) {
        struct segment_column *d = &b->disk[c];
        bool is_mask = c == g->schema->n_columns;

        if (!d->changed && !(g->cut_whole && (!is_mask || b->live || d->disk.ref.offset)))
            continue;
        d->in_cut = true;
        d->was_changed = d->changed;
        d->changed = d->encoded = d->raw = d->fetching = false;
        b->pending++;
        g->cut_left++;
    }
}

void segment_cut_begin(struct segment *g, bool whole)
{
    ASSERT(!g->cut);
    g->cut = true;
    g->cut_whole = whole;
    g->cut_changed = g->changed;
    g->changed = false;
    g->cut_rc = 0;
    g->cut_left = 0;
    g->has_cut_id = false;
    g->cut_directory = (struct chunk_ref){0};
    g->cut_blocks = g->n_blocks;
    if (g->n_blocks && !g->blocks[g->n_blocks - 1]->rows)
        g->cut_blocks--; /* its first rows found no memory */
    for (uint32_t i = 0; i < g->cut_blocks; i++) {
        struct segment_block *b = g->blocks[i];

        b->cut_rows = b->rows;
        b->cut_live = b->live_count;
        if (g->cut_changed || whole)
            mark_block(g, b);
    }
    /* The open block first: it is the likeliest to be changed while the cut is at work. */
    g->cut_at = g->cut_blocks ? g->cut_blocks - 1 : 0;
}

bool segment_cut_is_empty(const struct segment *g)
{
    ASSERT(g->cut);
    return !g->cut_changed && !g->cut_whole;
}

bool segment_cut_needs_file(const struct segment *g)
{
    ASSERT(g->cut);
    return g->cut_whole || !g->file;
}

void segment_cut_set_file(struct segment *g, const struct datafile_id *id)
{
    g->cut_id = *id;
    g->has_cut_id = true;
}

static void drop_aside(struct segment *g, struct segment_column *d)
{
    if (!d->aside)
        return;
    free(d->aside);
    d->aside = NULL;
    g->aside_bytes -= d->aside_len;
    if (d->raw)
        g->fetching_bytes -= d->aside_len;
    d->raw = false;
    if (g->budget)
        budget_release(g->budget, d->aside_len);
}

void segment_cut_forget(struct segment *g)
{
    for (uint32_t i = 0; i < g->cut_blocks && g->cut; i++) {
        struct segment_block *b = g->blocks[i];

        for (unsigned c = 0; c <= g->schema->n_columns; c++) {
            struct segment_column *d = &b->disk[c];

            if (!d->in_cut)
                continue;
            drop_aside(g, d);
            d->changed |= d->was_changed;
            d->in_cut = d->encoded = false;
        }
        b->pending = 0;
    }
    g->cut_left = 0;
    g->changed |= g->cut && g->cut_changed;
}

void segment_cut_give_up(struct segment *g, int rc)
{
    segment_cut_forget(g);
    g->cut_rc = rc;
    segment_cut_wake(g);
}

void segment_cut_take_aside(struct segment *g, struct segment_column *d, uint8_t *bytes,
                            uint32_t len)
{
    d->aside = bytes;
    d->aside_len = len;
    g->aside_bytes += len;
    if (g->budget)
        budget_charge_always(g->budget, len);
}

static void commit(struct segment *g)
{
    ASSERT(!g->cut_left && !g->cut_rc);
    if (segment_cut_is_empty(g))
        return;
    g->file_live = 0;
    for (uint32_t i = 0; i < g->cut_blocks; i++) {
        for (unsigned c = 0; c <= g->schema->n_columns; c++) {
            struct segment_column *d = &g->blocks[i]->disk[c];

            if (d->in_cut)
                d->disk = d->cut;
            d->in_cut = d->encoded = false;
            g->file_live += d->disk.ref.len;
        }
    }
    if (g->cut_file) {
        store_file_put(g->file);
        g->file = g->cut_file;
        g->cut_file = NULL;
    }
    if (g->cut_directory.offset)
        g->directory = g->cut_directory;
    g->file_live += g->directory.len;
}

void segment_cut_end(struct segment *g, bool committed)
{
    ASSERT(g->cut);
    if (committed)
        commit(g);
    else
        segment_cut_forget(g);
    segment_cut_end_fetches(g);
    segment_cut_end_urgent(g);
    segment_cut_wake(g);
    store_file_put(g->cut_file);
    g->cut_file = NULL;
    g->cut = false;
    g->cut_rc = 0;
}

void segment_cut_written(struct segment *g, struct store_file *file)
{
    struct store_file *old = g->cut_file;

    ASSERT(g->cut);
    g->cut_file = store_file_get(file);
    store_file_put(old);
}

/* ---- encoding ---- */

/* The row mask at the cut: rows that came later are not in it. */
static int encode_mask(const struct segment_block *b, struct buffer *out)
{
    uint32_t words = presence_words(b->cut_rows);
    size_t at = out->len;
    int rc = buffer_append(out, b->live, words * sizeof *b->live);

    if (rc == 0 && b->cut_rows % 64) {
        uint64_t last = b->live[words - 1] & ((1ull << b->cut_rows % 64) - 1);

        memcpy(out->data + at + (words - 1) * sizeof last, &last, sizeof last);
    }
    return rc;
}

static int encode_image(const struct segment *g, struct segment_block *b, unsigned c,
                        struct buffer *out)
{
    if (c == g->schema->n_columns)
        return encode_mask(b, out);
    segment_column_bounds(b->columns[c], &b->disk[c].cut);
    return column_image_encode(b->columns[c], b->cut_rows, out);
}

/* A mask that was to be made when memory ended: there is none. */
static bool has_image(const struct segment *g, const struct segment_block *b, unsigned c)
{
    return c < g->schema->n_columns || b->live;
}

static int encode_aside(struct segment *g, struct segment_block *b, unsigned c)
{
    struct segment_column *d = &b->disk[c];
    struct buffer bytes;
    int rc;

    buffer_init(&bytes, DATAFILE_MAX_CHUNK);
    rc = encode_image(g, b, c, &bytes);
    if (rc == 0 && g->budget)
        rc = budget_charge(g->budget, bytes.len);
    if (rc != 0) {
        buffer_fini(&bytes);
        return rc;
    }
    d->aside = bytes.data;
    d->aside_len = (uint32_t)bytes.len;
    g->aside_bytes += bytes.len;
    return 0;
}

void segment_set_aside(struct segment *g, struct segment_block *b)
{
    segment_cut_urge(g, b->number);
    for (unsigned c = 0; c <= g->schema->n_columns && b->pending; c++) {
        struct segment_column *d = &b->disk[c];
        int rc = 0;

        if (!d->in_cut || d->encoded || d->aside || segment_column_absent(g, b, c))
            continue; /* what is absent does not change: it has to come first */
        if (has_image(g, b, c)) {
            rc = encode_aside(g, b, c);
        } else {
            d->cut = (struct directory_column){0};
            d->encoded = true;
            g->cut_left--;
        }
        if (rc != 0) {
            segment_cut_give_up(g, rc); /* the write goes on */
            return;
        }
        b->pending--;
    }
}

static int put_image(struct segment *g, struct segment_block *b, unsigned c, struct buffer *extent,
                     uint64_t at)
{
    struct segment_column *d = &b->disk[c];
    size_t start;
    int rc = datafile_begin(extent, &start);

    if (rc == 0)
        rc = d->aside ? buffer_append(extent, d->aside, d->aside_len)
                      : encode_image(g, b, c, extent);
    rc = rc ? rc : datafile_end(extent, at, start, &d->cut.ref);
    if (rc == 0 && d->raw)
        d->cut.ref.hash = d->disk.ref.hash;
    return rc;
}

/* Encodes a column of the cut: 0, or with the extent as it was -errno. */
static int encode_column(struct segment *g, struct segment_block *b, unsigned c,
                         struct buffer *extent, uint64_t at)
{
    struct segment_column *d = &b->disk[c];
    size_t before = extent->len;

    if (!d->aside && !has_image(g, b, c)) {
        d->cut = (struct directory_column){0};
    } else {
        int rc = put_image(g, b, c, extent, at);

        if (rc != 0) {
            extent->len = before;
            return rc;
        }
    }
    b->pending -= !d->aside;
    drop_aside(g, d);
    d->encoded = true;
    g->cut_left--;
    return 0;
}

static int encode_block(struct segment *g, struct segment_block *b, struct buffer *extent,
                        uint64_t at)
{
    for (unsigned c = 0; c <= g->schema->n_columns; c++) {
        struct segment_column *d = &b->disk[c];
        int rc;

        if (!d->in_cut || d->encoded)
            continue;
        if (extent->len >= EXTENT_ENOUGH)
            return 1;
        if (!d->aside && segment_column_absent(g, b, c))
            return SEGMENT_CUT_FETCH;
        rc = encode_column(g, b, c, extent, at);
        if (rc == -ENOBUFS && extent->len > 0)
            return 1; /* it fits into an extent of its own */
        if (rc != 0)
            return rc;
    }
    return 0;
}

int segment_cut_next(struct segment *g, struct buffer *extent, uint64_t at)
{
    ASSERT(g->cut);
    while (g->cut_left) {
        uint32_t left = g->cut_left, block = segment_cut_next_block(g);
        int rc = encode_block(g, g->blocks[block], extent, at);

        if (rc < 0)
            segment_cut_give_up(g, rc);
        segment_cut_wake(g);
        if (rc == 0 && block == g->cut_at) /* from the last block to the first, to the end */
            g->cut_at = g->cut_at + 1 < g->cut_blocks ? g->cut_at + 1 : 0;
        if (rc != 0)
            return rc;
        if (g->cut_left && g->cut_left < left)
            return 1;
    }
    return g->cut_rc;
}

static int fill_directory(const struct segment *g, struct segment_directory *d)
{
    unsigned n = g->schema->n_columns;

    d->column_ids = calloc(n + 1u, sizeof *d->column_ids);
    d->layouts = calloc(n + 1u, sizeof *d->layouts);
    d->blocks = calloc(g->cut_blocks + 1u, sizeof *d->blocks);
    d->columns = calloc((size_t)g->cut_blocks * n + 1u, sizeof *d->columns);
    if (!d->column_ids || !d->layouts || !d->blocks || !d->columns)
        return -ENOMEM;
    for (unsigned c = 0; c < n; c++) {
        d->column_ids[c] = g->schema->columns[c].id;
        d->layouts[c] = (uint8_t)g->schema->columns[c].layout;
    }
    for (uint32_t i = 0; i < g->cut_blocks; i++) {
        const struct segment_block *b = g->blocks[i];

        for (unsigned c = 0; c < n; c++)
            d->columns[(size_t)i * n + c] = b->disk[c].in_cut ? b->disk[c].cut : b->disk[c].disk;
        d->blocks[i] =
            (struct directory_block){b->cut_rows, b->cut_live,
                                     b->disk[n].in_cut ? b->disk[n].cut.ref : b->disk[n].disk.ref};
        d->rows += b->cut_rows;
    }
    return 0;
}

int segment_cut_directory(struct segment *g, struct buffer *extent, uint64_t at,
                          struct chunk_ref *ref)
{
    struct segment_directory d = {
        .schema_version = g->schema->version,
        .n_blocks = g->cut_blocks,
        .n_columns = g->schema->n_columns,
    };
    size_t start, before = extent->len;
    int rc;

    ASSERT(g->cut && !g->cut_left && (g->has_cut_id || g->file));
    if (g->cut_rc)
        return g->cut_rc;
    d.id = g->has_cut_id ? g->cut_id : *store_file_id(g->file);
    rc = fill_directory(g, &d);
    if (rc == 0)
        rc = datafile_begin(extent, &start);
    if (rc == 0)
        rc = segment_directory_encode(&d, extent);
    if (rc == 0)
        rc = datafile_end(extent, at, start, ref);
    if (rc == 0)
        g->cut_directory = *ref;
    else
        extent->len = before;
    free(d.column_ids);
    free(d.layouts);
    free(d.blocks);
    free(d.columns);
    return rc;
}
