/* Slot: the cut of all its segments and dictionaries at one moment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/dict_image.h"
#include "storage/slot_impl.h"

enum {
    DICT_PIECES_MAX = 256,      /* of a file; above, the next cut puts all into one of few */
    DICT_PIECE_BYTES = 1 << 20, /* about */
    DEAD_BYTES_MIN = 1 << 20,   /* of a segment's file before it is written anew */
};

static uint32_t entries(const struct dict *d)
{
    return d ? dict_count(d) : 0;
}

/* More of the file is dead than alive: worth the writing. */
static bool wants_new_file(const struct segment *g)
{
    const struct store_file *f = segment_file(g);
    uint64_t bytes = f ? store_file_bytes(f) : 0, live = segment_file_live(g);

    return segment_is_changed(g) && bytes > live && bytes - live > DEAD_BYTES_MIN &&
           bytes - live > live;
}

/* One segment of the cut. Its file is where it belongs, data/ or archive/, or it is written whole there. */
static void begin_segment(struct slot_cut *c, struct segment *g, bool archived)
{
    bool stays = archived ? slot_file_is_archived(g) && !segment_is_changed(g)
                          : !slot_file_is_archived(g) && !wants_new_file(g);

    if (segment_is_shared(g) && segment_is_changed(g)) /* others have the file, too */
        stays = false;

    segment_cut_begin(segment_get(g), !stays);
    c->parts[c->n_segments] = (struct slot_cut_part){archived, segment_live(g)};
    c->segments[c->n_segments++] = g;
}

static void begin_archived(struct slot_cut *c, const struct slot_archived *a)
{
    if (a->part) {
        begin_segment(c, a->part->segment, true);
        return;
    }
    c->archived[c->n_archived++] =
        (struct slot_cut_archived){a->partition, a->file ? store_file_get(a->file) : NULL, a->rows};
}

static bool has_shared_segment(const struct slot_cut *c)
{
    for (uint32_t i = 0; i < c->n_segments; i++)
        if (segment_is_shared(c->segments[i]))
            return true;
    return false;
}

int slot_cut_begin(struct slot *t, struct slot_cut *out)
{
    unsigned n = t->schema->n_columns;
    uint32_t segments = t->n_parts + t->n_archived;

    ASSERT(!t->dict_file.cut);
    *out = (struct slot_cut){.slot = t, .n_columns = n};
    out->segments = calloc(segments + 1u, sizeof(struct segment *));
    out->parts = calloc(segments + 1u, sizeof *out->parts);
    out->archived = calloc(t->n_archived + 1u, sizeof *out->archived);
    out->dict_counts = calloc(n + 1u, sizeof *out->dict_counts);
    out->list_counts = calloc(n + 1u, sizeof *out->list_counts);
    if (!out->segments || !out->parts || !out->archived || !out->dict_counts || !out->list_counts) {
        slot_cut_fini(out);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < t->n_parts; i++)
        begin_segment(out, t->parts[i]->segment, false);
    for (const struct slot_archived *a = t->archived; a; a = a->next)
        begin_archived(out, a);
    for (unsigned c = 0; c < n; c++) {
        out->dict_counts[c] = entries(t->dicts[c]);
        out->list_counts[c] = entries(t->lists[c]);
    }
    t->dict_file.cut = true;
    t->dict_file.whole = t->dict_file.n_written > DICT_PIECES_MAX;
    t->dict_file.has_cut_id = false;
    if (t->dict_file.file && store_file_is_shared(t->dict_file.file))
        t->dict_file.whole = slot_cut_has_dicts(out) || !has_shared_segment(out);
    return 0;
}

void slot_cut_fini(struct slot_cut *c)
{
    for (uint32_t i = 0; i < c->n_segments; i++)
        segment_put(c->segments[i]);
    for (uint32_t i = 0; i < c->n_archived; i++)
        store_file_put(c->archived[i].file);
    if (c->slot && c->list_counts)
        c->slot->dict_file.cut = false;
    free(c->segments);
    free(c->parts);
    free(c->archived);
    free(c->dict_counts);
    free(c->list_counts);
    *c = (struct slot_cut){0};
}

static void next_file(struct slot *t, enum datafile_kind kind, int64_t partition,
                      struct datafile_id *id)
{
    *id = (struct datafile_id){.kind = (uint8_t)kind,
                               .table_id = t->schema->table_id,
                               .slot = t->number,
                               .partition = partition,
                               .generation = ++t->generation};
}

bool slot_cut_file(struct slot_cut *c, uint32_t i, struct datafile_id *id)
{
    struct segment *g = c->segments[i];

    ASSERT(i < c->n_segments);
    if (!segment_cut_needs_file(g))
        return false;
    next_file(c->slot, DATAFILE_SEGMENT, segment_partition(g), id);
    id->archived = c->parts[i].archived;
    segment_cut_set_file(g, id);
    return true;
}

bool slot_cut_dict_file(struct slot_cut *c, struct datafile_id *id)
{
    struct slot_dict_file *f = &c->slot->dict_file;

    if (f->file && !f->whole)
        return false;
    next_file(c->slot, DATAFILE_DICTS, 0, id);
    f->cut_id = *id;
    f->has_cut_id = true;
    return true;
}

/* First entry of a dictionary that no piece has: pieces of the file that goes do not count. */
static uint32_t pieces_end(const struct slot_dict_file *f, uint16_t column_id, bool lists)
{
    uint32_t end = 0;

    for (uint32_t i = f->whole ? f->n_written : 0; i < f->n_pieces; i++) {
        const struct dict_piece *p = &f->pieces[i];

        if (p->column_id == column_id && p->lists == lists)
            end = p->first + p->n;
    }
    return end;
}

/* A dictionary with entries that are in no piece: false = none is left. */
static bool find_rest(const struct slot_cut *c, unsigned *column, bool *lists, uint32_t *from,
                      uint32_t *to)
{
    const struct schema *s = c->slot->schema;

    for (unsigned k = 0; k < 2u * c->n_columns; k++) {
        *column = k / 2;
        *lists = k % 2;
        *to = *lists ? c->list_counts[*column] : c->dict_counts[*column];
        *from = *to ? pieces_end(&c->slot->dict_file, s->columns[*column].id, *lists) : 0;
        if (*from < *to)
            return true;
    }
    return false;
}

bool slot_cut_has_dicts(const struct slot_cut *c)
{
    unsigned column;
    uint32_t from, to;
    bool lists;

    return find_rest(c, &column, &lists, &from, &to);
}

static int reserve_piece(struct slot_dict_file *f)
{
    if (f->n_pieces == f->cap_pieces) {
        uint32_t cap = f->cap_pieces ? f->cap_pieces * 2 : 8;
        struct dict_piece *grown = realloc(f->pieces, cap * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        f->pieces = grown;
        f->cap_pieces = cap;
    }
    return 0;
}

int slot_cut_dicts(struct slot_cut *c, struct buffer *extent, uint64_t at)
{
    struct slot_dict_file *f = &c->slot->dict_file;
    size_t before = extent->len, start;
    unsigned column;
    uint32_t from, to, end;
    bool lists;
    int rc;

    if (!find_rest(c, &column, &lists, &from, &to))
        return 0;
    if (extent->len >= DICT_PIECE_BYTES)
        return 1;
    rc = reserve_piece(f);
    if (rc == 0)
        rc = datafile_begin(extent, &start);
    if (rc == 0)
        rc = dict_image_encode(lists ? c->slot->lists[column] : c->slot->dicts[column],
                               slot_dict_kind(c->slot, column, lists), from, to, DICT_PIECE_BYTES,
                               extent, &end);
    if (rc == 0)
        rc = datafile_end(extent, at, start, &f->pieces[f->n_pieces].ref);
    if (rc != 0) {
        extent->len = before;
        return rc == -ENOBUFS && before > 0 ? 1 : rc;
    }
    f->pieces[f->n_pieces].column_id = c->slot->schema->columns[column].id;
    f->pieces[f->n_pieces].lists = lists;
    f->pieces[f->n_pieces].first = from;
    f->pieces[f->n_pieces].n = end - from;
    f->n_pieces++;
    return find_rest(c, &column, &lists, &from, &to);
}

/* Single values of a column before its lists, by column; codes ascend. */
static int compare_pieces(const void *a, const void *b)
{
    const struct dict_piece *p = a, *q = b;

    if (p->column_id != q->column_id)
        return p->column_id < q->column_id ? -1 : 1;
    if (p->lists != q->lists)
        return p->lists ? 1 : -1;
    return (p->first > q->first) - (p->first < q->first);
}

int slot_cut_dict_directory(struct slot_cut *c, struct buffer *extent, uint64_t at,
                            struct chunk_ref *ref)
{
    struct slot_dict_file *f = &c->slot->dict_file;
    uint32_t skip = f->whole ? f->n_written : 0;
    struct dict_directory d = {.n_pieces = f->n_pieces - skip};
    size_t before = extent->len, start;
    int rc;

    ASSERT(f->has_cut_id || f->file);
    d.id = f->has_cut_id ? f->cut_id : *store_file_id(f->file);
    d.pieces = malloc((d.n_pieces + 1u) * sizeof *d.pieces);
    if (!d.pieces)
        return -ENOMEM;
    if (d.n_pieces)
        memcpy(d.pieces, f->pieces + skip, d.n_pieces * sizeof *d.pieces);
    qsort(d.pieces, d.n_pieces, sizeof *d.pieces, compare_pieces);
    rc = datafile_begin(extent, &start);
    if (rc == 0)
        rc = dict_directory_encode(&d, extent);
    if (rc == 0)
        rc = datafile_end(extent, at, start, ref);
    if (rc == 0)
        f->cut_directory = *ref;
    else
        extent->len = before;
    free(d.pieces);
    return rc;
}

void slot_cut_dicts_written(struct slot_cut *c, struct store_file *file)
{
    struct slot_dict_file *f = &c->slot->dict_file;
    struct store_file *old = f->file;

    if (f->whole) { /* the pieces of the old file go with it */
        f->n_pieces -= f->n_written;
        memmove(f->pieces, f->pieces + f->n_written, f->n_pieces * sizeof *f->pieces);
        f->whole = false;
    }
    f->n_written = f->n_pieces;
    f->directory = f->cut_directory;
    f->file = store_file_get(file);
    store_file_put(old);
}

void slot_cut_dicts_failed(struct slot_cut *c)
{
    c->slot->dict_file.n_pieces = c->slot->dict_file.n_written;
}
