/*
 * Segment: chunks on their way into memory. Chunks that lie near each other in the file come in one read; each is
 * compared with its checksum and decoded when it arrives. A read of several that fails is made again chunk by chunk,
 * so that the others come in and the error names the right one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/colblock_change.h"
#include "storage/column_image.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

/* ---- arrival ---- */

static int take_mask(struct segment *g, struct segment_block *b, const uint8_t *bytes, uint32_t len,
                     struct error_info *err)
{
    uint32_t words = presence_words(b->rows);
    uint64_t *live;

    if (len != words * sizeof *live)
        return error_set(err, -EBADMSG, 1030,
                         "a row mask has %" PRIu32 " bytes, %" PRIu32 " rows need %zu", len,
                         b->rows, words * sizeof *live);
    live = slot_memory_zeroed(g->budget, BLOCK_WORDS * sizeof *live);
    if (!live)
        return -ENOMEM;
    memcpy(live, bytes, len);
    if ((b->rows % 64 && live[words - 1] >> b->rows % 64) ||
        presence_count(live, words) != b->live_count) {
        slot_memory_free(g->budget, live, BLOCK_WORDS * sizeof *live);
        return error_set(err, -EBADMSG, 1030,
                         "a row mask does not have the %" PRIu32 " live rows its directory says",
                         b->live_count);
    }
    b->live = live;
    return 0;
}

static int take_column(struct segment *g, struct segment_block *b, unsigned c, const uint8_t *bytes,
                       uint32_t len, struct error_info *err)
{
    struct dict *lists = g->dicts.lists ? g->dicts.lists[c] : NULL;
    enum column_layout layout = g->schema->columns[c].layout;
    uint32_t codes = 0;

    if (layout != LAYOUT_ORDERED)
        codes = dict_count(layout == LAYOUT_LIST ? lists : g->dicts.dicts[c]);
    b->sealed = false;
    return column_image_decode(bytes, len, layout, b->rows, codes, lists, g->budget, &b->columns[c],
                               err);
}

static int take(struct segment *g, struct segment_block *b, unsigned c, const uint8_t *bytes,
                struct error_info *err)
{
    uint32_t len = b->disk[c].disk.ref.len;

    return c == g->schema->n_columns ? take_mask(g, b, bytes, len, err)
                                     : take_column(g, b, c, bytes, len, err);
}

/* Room before it is needed: what statements want to allocate next should not be refused for a cache. */
static void make_room(struct segment *g, size_t bytes, bool always)
{
    size_t keep = bytes + (g->room ? g->room->reserve : 0);

    if (g->room && g->budget && (always || budget_room(g->budget) < keep))
        g->room->make(g->room->ctx, keep);
}

static void count_read(const struct segment *g, uint32_t bytes)
{
    if (!g->room || !g->room->traffic)
        return;
    g->room->traffic->read++;
    g->room->traffic->read_bytes += bytes;
}

/* A chunk's bytes into their place; the error names file and offset. */
static int take_chunk(struct segment *g, uint32_t index, unsigned c, const uint8_t *bytes,
                      const struct store_file *file, struct error_info *err)
{
    struct segment_block *b = g->blocks[index];
    const struct chunk_ref *ref = &b->disk[c].disk.ref;
    struct error_info why = {0};
    int rc;

    make_room(g, ref->len, false);
    rc = take(g, b, c, bytes, &why);
    if (rc == -ENOMEM && g->room) {
        make_room(g, ref->len, true);
        rc = take(g, b, c, bytes, &why);
    }
    if (rc == 0) {
        segment_count_absent(g, b, -1);
        count_read(g, ref->len);
        return 0;
    }
    if (rc == -ENOMEM)
        return error_set(err, rc, 1038,
                         "no memory for %" PRIu32 " bytes of table %s from %s; raise --memory",
                         ref->len, g->schema->name, store_file_name(file));
    return error_set(err, rc, 1030, "%s, offset %" PRIu64 ": damaged: %s", store_file_name(file),
                     ref->offset, why.text);
}

static unsigned position_of(const struct segment *g, const struct segment_chunk *k)
{
    return k->column == SEGMENT_MASK ? g->schema->n_columns : k->column;
}

/* Is this still what the block lacks? Meanwhile it may have come another way, and gone again. */
static bool is_wanted(const struct segment *g, const struct segment_read *l,
                      const struct segment_chunk *k)
{
    const struct segment_block *b = g->blocks[k->block];
    unsigned column = position_of(g, k);
    const struct chunk_ref *ref = &b->disk[column].disk.ref;

    return segment_column_absent(g, b, column) && l->read.file == g->file &&
           ref->offset == k->ref.offset && ref->len == k->ref.len;
}

static void chunk_done(struct segment_read *l, const struct segment_chunk *k)
{
    struct segment *g = l->segment;
    struct segment_block *b = g->blocks[k->block];
    unsigned column = position_of(g, k);
    struct segment_column *d = &b->disk[column];
    struct error_info err = l->read.error;
    int rc = l->read.rc;

    d->loading = false;
    b->loading--;
    g->loading--;
    if (g->detached || g->refs == 1)
        return;
    if (rc == 0 && is_wanted(g, l, k)) {
        const uint8_t *bytes = l->read.bytes + (k->ref.offset - l->read.ref.offset);

        rc = l->n > 1 ? store_check_chunk(l->read.file, &k->ref, bytes, &err) : 0;
        if (rc == 0)
            rc = take_chunk(g, k->block, column, bytes, l->read.file, &err);
    }
    if (rc != 0) {
        d->failed = b->failing = true;
        g->error = err;
        if (rc != -ENOMEM)
            g->error.code = 1030; /* what a statement that meets it ends with */
    }
    segment_wake_block(g, k->block, b->loading == 0);
}

static void send_read(struct segment_read *l);

static struct segment_read *read_new(struct segment *g, struct store_file *file)
{
    struct segment_read *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    l->segment = segment_get(g);
    l->read.file = store_file_get(file);
    g->reads++;
    return l;
}

static void read_free(struct segment_read *l)
{
    l->segment->reads--;
    store_file_put(l->read.file);
    segment_put(l->segment);
    free(l);
}

/* Each chunk by itself, as if it had been asked for so. False without memory. */
static bool read_again(struct segment_read *l, const struct segment_chunk *k)
{
    struct segment_read *one = read_new(l->segment, l->read.file);

    if (!one)
        return false;
    one->chunks[one->n++] = *k;
    send_read(one);
    return true;
}

static void read_done(struct store_read *x)
{
    struct segment_read *l = x->ctx;

    for (uint32_t i = 0; i < l->n; i++) {
        if (x->rc == 0 || l->n == 1 || l->segment->detached || !read_again(l, &l->chunks[i]))
            chunk_done(l, &l->chunks[i]);
    }
    read_free(l);
}

/* ---- asking ---- */

static void send_read(struct segment_read *l)
{
    const struct chunk_ref *first = &l->chunks[0].ref, *last = &l->chunks[l->n - 1].ref;

    l->read.ref = *first;
    l->read.ref.len = (uint32_t)(last->offset + last->len - first->offset);
    l->read.unchecked = l->n > 1;
    l->read.done = read_done;
    l->read.ctx = l;
    store_read(l->segment->store, &l->read);
}

static bool fits(const struct segment_read *l, const struct chunk_ref *ref, uint32_t gap)
{
    const struct chunk_ref *first = &l->chunks[0].ref, *last = &l->chunks[l->n - 1].ref;
    uint64_t end = last->offset + last->len;

    return l->n < SEGMENT_READ_CHUNKS && ref->offset >= end && ref->offset - end <= gap &&
           ref->offset + ref->len - first->offset <= SEGMENT_READ_BYTES;
}

int segment_read_add(struct segment_reading *x, uint32_t index, unsigned column)
{
    struct segment *g = x->segment;
    struct segment_block *b = g->blocks[index];
    const struct chunk_ref *ref = &b->disk[column].disk.ref;

    if (x->open && !fits(x->open, ref, x->gap))
        segment_read_send(x);
    if (!x->open)
        x->open = read_new(g, g->file);
    if (!x->open)
        return error_set(&g->error, -ENOMEM, 1037, "out of memory while reading table %s",
                         g->schema->name);
    x->open->read.ahead = x->ahead;
    x->open->chunks[x->open->n++] =
        (struct segment_chunk){index,
                               column == g->schema->n_columns ? SEGMENT_MASK : (uint16_t)column,
                               *ref};
    b->disk[column].loading = true;
    b->loading++;
    g->loading++;
    return 0;
}

void segment_read_send(struct segment_reading *x)
{
    if (x->open)
        send_read(x->open);
    x->open = NULL;
}

/* ---- at once ---- */

int segment_read_now(struct segment *g, uint32_t index, unsigned column, struct error_info *err)
{
    const struct chunk_ref *ref = &g->blocks[index]->disk[column].disk.ref;
    uint8_t *bytes;
    int rc = store_read_now(g->store, g->file, ref, &bytes, err);

    if (rc != 0)
        return rc;
    rc = take_chunk(g, index, column, bytes, g->file, err);
    free(bytes);
    return rc;
}
