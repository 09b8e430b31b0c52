/*
 * Directories as bytes. Segment: header, a word per column, then per block its own entry and one per column.
 * Dictionaries of a slot: header, then an entry per piece. Both have exactly the length that their header says.
 */
#include "storage/directory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/colblock.h"
#include "storage/presence.h"
#include "storage/schema.h"

enum {
    SEGMENT_MAGIC = 0x31445351, /* "QSD1" */
    DICTS_MAGIC = 0x31444451,   /* "QDD1" */
    DIRECTORY_VERSION = 1,
    MAX_COLUMNS = SCHEMA_MAX_COLUMNS + 1, /* with the hidden key */
    COLUMN_IDS = 65536,
};

enum { COLUMN_ANY = 1, COLUMN_TIGHT = 2, COLUMN_NULLS = 4, COLUMN_FLAGS = 7 };

/* On disk, little endian, as all below. */
struct disk_segment {
    uint32_t magic, version;
    uint64_t generation, schema_version;
    int64_t partition;
    uint32_t table_id, slot, rows, blocks, columns, reserved;
};

struct disk_column_head {
    uint16_t id;
    uint8_t layout, reserved;
    uint32_t reserved2;
};

struct disk_block {
    uint64_t offset, hash;
    uint32_t len, rows, live_count, reserved;
};

struct disk_column {
    uint64_t offset, hash;
    uint32_t len;
    uint8_t flags, reserved[3];
    int64_t min, max;
};

struct disk_dicts {
    uint32_t magic, version;
    uint64_t generation;
    uint32_t table_id, slot, pieces, reserved;
};

struct disk_piece {
    uint64_t offset, hash;
    uint32_t len, first, n;
    uint16_t column_id;
    uint8_t lists, reserved;
};

_Static_assert(sizeof(struct disk_segment) == 56, "segment directory");
_Static_assert(sizeof(struct disk_column_head) == 8, "column");
_Static_assert(sizeof(struct disk_block) == 32, "block");
_Static_assert(sizeof(struct disk_column) == 40, "column of a block");
_Static_assert(sizeof(struct disk_dicts) == 32, "directory of dictionaries");
_Static_assert(sizeof(struct disk_piece) == 32, "piece");

static size_t segment_bytes(uint64_t columns, uint64_t blocks)
{
    return sizeof(struct disk_segment) + columns * sizeof(struct disk_column_head) +
           blocks * (sizeof(struct disk_block) + columns * sizeof(struct disk_column));
}

/* ---- encoding ---- */

static void put(struct buffer *out, const void *bytes, size_t n)
{
    memcpy(out->data + out->len, bytes, n);
    out->len += n;
}

static void put_block(const struct segment_directory *d, uint32_t i, struct buffer *out)
{
    const struct directory_block *b = &d->blocks[i];
    struct disk_block h = {.offset = b->live.offset,
                           .hash = b->live.hash,
                           .len = b->live.len,
                           .rows = b->rows,
                           .live_count = b->live_count};

    put(out, &h, sizeof(h));
    for (uint32_t k = 0; k < d->n_columns; k++) {
        const struct directory_column *c = &d->columns[(size_t)i * d->n_columns + k];
        struct disk_column x = {.offset = c->ref.offset,
                                .hash = c->ref.hash,
                                .len = c->ref.len,
                                .flags = (uint8_t)((c->any ? COLUMN_ANY : 0) |
                                                   (c->tight ? COLUMN_TIGHT : 0) |
                                                   (c->has_nulls ? COLUMN_NULLS : 0)),
                                .min = c->any ? c->min : 0,
                                .max = c->any ? c->max : 0};

        put(out, &x, sizeof(x));
    }
}

int segment_directory_encode(const struct segment_directory *d, struct buffer *out)
{
    struct disk_segment h = {.magic = SEGMENT_MAGIC,
                             .version = DIRECTORY_VERSION,
                             .generation = d->id.generation,
                             .schema_version = d->schema_version,
                             .partition = d->id.partition,
                             .table_id = d->id.table_id,
                             .slot = d->id.slot,
                             .rows = d->rows,
                             .blocks = d->n_blocks,
                             .columns = d->n_columns};
    int rc = buffer_reserve(out, segment_bytes(d->n_columns, d->n_blocks));

    if (rc)
        return rc;
    put(out, &h, sizeof(h));
    for (uint32_t k = 0; k < d->n_columns; k++) {
        struct disk_column_head c = {.id = d->column_ids[k], .layout = d->layouts[k]};

        put(out, &c, sizeof(c));
    }
    for (uint32_t i = 0; i < d->n_blocks; i++)
        put_block(d, i, out);
    return 0;
}

int dict_directory_encode(const struct dict_directory *d, struct buffer *out)
{
    struct disk_dicts h = {.magic = DICTS_MAGIC,
                           .version = DIRECTORY_VERSION,
                           .generation = d->id.generation,
                           .table_id = d->id.table_id,
                           .slot = d->id.slot,
                           .pieces = d->n_pieces};
    int rc = buffer_reserve(out, sizeof(h) + (size_t)d->n_pieces * sizeof(struct disk_piece));

    if (rc)
        return rc;
    put(out, &h, sizeof(h));
    for (uint32_t i = 0; i < d->n_pieces; i++) {
        const struct dict_piece *p = &d->pieces[i];
        struct disk_piece x = {.offset = p->ref.offset,
                               .hash = p->ref.hash,
                               .len = p->ref.len,
                               .first = p->first,
                               .n = p->n,
                               .column_id = p->column_id,
                               .lists = p->lists};

        put(out, &x, sizeof(x));
    }
    return 0;
}

/* ---- decoding ---- */

/* Bytes being read; what is wrong is told with the offset of the entry it is in. */
struct reading {
    const uint8_t *bytes;
    size_t at, begin; /* begin: of the newest entry */
    uint64_t file_bytes;
    struct error_info *err;
};

static void get(struct reading *r, void *out, size_t n)
{
    memcpy(out, r->bytes + r->at, n);
    r->begin = r->at;
    r->at += n;
}

#define BAD(r, fmt, ...) \
    error_set((r)->err, -EBADMSG, 0, "directory, offset %zu: " fmt, (r)->begin, __VA_ARGS__)

/* A reference to a chunk, or (optional) none. */
static int check_ref(struct reading *r, const struct chunk_ref *ref, bool optional)
{
    if (optional && ref->offset == 0 && ref->len == 0 && ref->hash == 0)
        return 0;
    if (ref->offset < DATAFILE_UNIT || ref->offset % DATAFILE_ALIGN)
        return BAD(r, "a chunk at %" PRIu64 "; allowed are multiples of %d from %d on", ref->offset,
                   DATAFILE_ALIGN, DATAFILE_UNIT);
    if (ref->len == 0 || ref->len > DATAFILE_MAX_CHUNK)
        return BAD(r, "a chunk of %" PRIu32 " bytes; allowed are 1 to %d", ref->len,
                   DATAFILE_MAX_CHUNK);
    if (ref->offset > r->file_bytes || ref->len > r->file_bytes - ref->offset)
        return BAD(r,
                   "a chunk of %" PRIu32 " bytes at %" PRIu64 " goes beyond the file's %" PRIu64
                   " bytes",
                   ref->len, ref->offset, r->file_bytes);
    return 0;
}

static int check_start(struct reading *r, size_t len, size_t header, uint32_t magic,
                       const char *what)
{
    uint32_t found[2] = {0, 0};

    if (len < header)
        return BAD(r, "%zu bytes; the header of %s has %zu", len, what, header);
    memcpy(found, r->bytes, sizeof(found));
    if (found[0] != magic)
        return BAD(r, "begins with %08" PRIx32 "; %s begins with %08" PRIx32, found[0], what,
                   magic);
    if (found[1] != DIRECTORY_VERSION)
        return BAD(r, "%s has version %" PRIu32 "; this program reads version %d", what, found[1],
                   DIRECTORY_VERSION);
    return 0;
}

static int check_segment(struct reading *r, const struct disk_segment *h, size_t len)
{
    uint64_t blocks = ((uint64_t)h->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;

    if (h->columns > MAX_COLUMNS)
        return BAD(r, "%" PRIu32 " columns; allowed are up to %d", h->columns, MAX_COLUMNS);
    if (h->blocks != blocks)
        return BAD(r, "%" PRIu32 " blocks; %" PRIu32 " rows have %" PRIu64, h->blocks, h->rows,
                   blocks);
    if (len != segment_bytes(h->columns, h->blocks))
        return BAD(r, "%zu bytes; %" PRIu32 " blocks of %" PRIu32 " columns have %zu", len,
                   h->blocks, h->columns, segment_bytes(h->columns, h->blocks));
    if (h->reserved)
        return BAD(r, "reserved field is %" PRIu32 "; allowed is 0", h->reserved);
    return 0;
}

static int read_heads(struct reading *r, const struct disk_segment *h, struct segment_directory *d)
{
    uint64_t seen[COLUMN_IDS / 64] = {0};

    for (uint32_t k = 0; k < h->columns; k++) {
        struct disk_column_head c;

        get(r, &c, sizeof(c));
        if (c.layout > LAYOUT_LIST)
            return BAD(r, "column %" PRIu32 " has layout %d; allowed are 0 to %d", k, c.layout,
                       LAYOUT_LIST);
        if (presence_get(seen, c.id))
            return BAD(r, "two columns have the id %d", c.id);
        if (c.reserved || c.reserved2)
            return BAD(r, "reserved fields of column %" PRIu32 " are not 0", k);
        presence_set(seen, c.id);
        d->column_ids[k] = c.id;
        d->layouts[k] = c.layout;
    }
    return 0;
}

static int read_column(struct reading *r, uint8_t layout, struct directory_column *c)
{
    struct disk_column x;

    get(r, &x, sizeof(x));
    *c = (struct directory_column){.ref = {x.offset, x.len, x.hash},
                                   .min = x.min,
                                   .max = x.max,
                                   .any = x.flags & COLUMN_ANY,
                                   .tight = x.flags & COLUMN_TIGHT,
                                   .has_nulls = x.flags & COLUMN_NULLS};
    if (x.flags & ~COLUMN_FLAGS || x.reserved[0] || x.reserved[1] || x.reserved[2])
        return BAD(r, "flags %02x; allowed are 0 to %02x", x.flags, COLUMN_FLAGS);
    if (c->any ? c->min > c->max : c->min || c->max)
        return BAD(r, "bounds %" PRId64 " to %" PRId64 " of %s values", c->min, c->max,
                   c->any ? "some" : "no");
    if (layout != LAYOUT_ORDERED && (c->min < 0 || c->max > UINT32_MAX))
        return BAD(r, "codes from %" PRId64 " to %" PRId64 "; allowed are 0 to %" PRIu32, c->min,
                   c->max, UINT32_MAX);
    return check_ref(r, &c->ref, true);
}

static int read_block(struct reading *r, const struct disk_segment *h, uint32_t i,
                      struct segment_directory *d)
{
    uint32_t rows = i + 1 < h->blocks ? BLOCK_ROWS : h->rows - i * BLOCK_ROWS;
    uint32_t mask = presence_words(rows) * (uint32_t)sizeof(uint64_t);
    struct disk_block x;
    int rc;

    get(r, &x, sizeof(x));
    d->blocks[i] = (struct directory_block){x.rows, x.live_count, {x.offset, x.len, x.hash}};
    if (x.rows != rows)
        return BAD(r, "block %" PRIu32 " has %" PRIu32 " rows; expected were %" PRIu32, i, x.rows,
                   rows);
    if (x.live_count > rows || (x.offset == 0 && x.live_count != rows))
        return BAD(r, "block %" PRIu32 " of %" PRIu32 " rows and %s row mask has %" PRIu32 " live",
                   i, rows, x.offset ? "a" : "no", x.live_count);
    if (x.reserved)
        return BAD(r, "reserved field is %" PRIu32 "; allowed is 0", x.reserved);
    rc = check_ref(r, &d->blocks[i].live, true);
    if (!rc && x.offset && x.len != mask)
        return BAD(r, "the row mask has %" PRIu32 " bytes; expected were %" PRIu32, x.len, mask);
    for (uint32_t k = 0; k < h->columns && !rc; k++)
        rc = read_column(r, d->layouts[k], &d->columns[(size_t)i * h->columns + k]);
    return rc;
}

static int no_memory(struct error_info *err)
{
    return error_set(err, -ENOMEM, 1037, "directory: out of memory");
}

int segment_directory_decode(const uint8_t *bytes, size_t len, uint64_t file_bytes,
                             struct arena *arena, struct segment_directory *out,
                             struct error_info *err)
{
    struct reading r = {.bytes = bytes, .file_bytes = file_bytes, .err = err};
    struct disk_segment h;
    int rc = check_start(&r, len, sizeof(h), SEGMENT_MAGIC, "a segment's directory");

    if (rc)
        return rc;
    get(&r, &h, sizeof(h));
    rc = check_segment(&r, &h, len);
    if (rc)
        return rc;
    *out = (struct segment_directory){
        .id = {DATAFILE_SEGMENT, h.table_id, h.slot, h.partition, h.generation, false},
        .schema_version = h.schema_version,
        .rows = h.rows,
        .n_blocks = h.blocks,
        .n_columns = (uint16_t)h.columns,
        .column_ids = arena_alloc(arena, h.columns * sizeof(uint16_t) + 1),
        .layouts = arena_alloc(arena, h.columns + 1),
        .blocks = arena_alloc(arena, h.blocks * sizeof(struct directory_block) + 1),
        .columns =
            arena_alloc(arena, (size_t)h.blocks * h.columns * sizeof(struct directory_column) + 1)};
    if (!out->column_ids || !out->layouts || !out->blocks || !out->columns)
        return no_memory(err);
    rc = read_heads(&r, &h, out);
    for (uint32_t i = 0; i < h.blocks && !rc; i++)
        rc = read_block(&r, &h, i, out);
    ASSERT(rc || r.at == len);
    return rc;
}

/* next[]: by column id and kind, the code that the next piece must begin with. */
static int read_piece(struct reading *r, uint32_t (*next)[2], struct dict_piece *p)
{
    struct disk_piece x;

    get(r, &x, sizeof(x));
    *p = (struct dict_piece){x.column_id, x.lists, x.first, x.n, {x.offset, x.len, x.hash}};
    if (x.lists > 1 || x.reserved)
        return BAD(r, "flags %02x %02x; allowed are 0 and 1, 0", x.lists, x.reserved);
    if (x.first != next[x.column_id][x.lists])
        return BAD(r, "a piece of column id %d begins with code %" PRIu32 "; expected was %" PRIu32,
                   x.column_id, x.first, next[x.column_id][x.lists]);
    if (x.n == 0 || x.n >= UINT32_MAX - x.first)
        return BAD(r, "a piece has %" PRIu32 " entries from code %" PRIu32 " on", x.n, x.first);
    next[x.column_id][x.lists] += x.n;
    return check_ref(r, &p->ref, false);
}

int dict_directory_decode(const uint8_t *bytes, size_t len, uint64_t file_bytes,
                          struct arena *arena, struct dict_directory *out, struct error_info *err)
{
    struct reading r = {.bytes = bytes, .file_bytes = file_bytes, .err = err};
    struct disk_dicts h;
    int rc = check_start(&r, len, sizeof(h), DICTS_MAGIC, "a directory of dictionaries");

    if (rc)
        return rc;
    get(&r, &h, sizeof(h));
    if (len != sizeof(h) + (uint64_t)h.pieces * sizeof(struct disk_piece))
        return BAD(&r, "%zu bytes; %" PRIu32 " pieces have %zu", len, h.pieces,
                   sizeof(h) + (size_t)h.pieces * sizeof(struct disk_piece));
    if (h.reserved)
        return BAD(&r, "reserved field is %" PRIu32 "; allowed is 0", h.reserved);
    *out = (struct dict_directory){
        .id = {DATAFILE_DICTS, h.table_id, h.slot, 0, h.generation, false},
        .n_pieces = h.pieces,
        .pieces = arena_alloc(arena, (size_t)h.pieces * sizeof(struct dict_piece) + 1)};
    uint32_t(*next)[2] = calloc(COLUMN_IDS, sizeof(*next)); /* 512 KiB, touched where used */
    if (!out->pieces || !next)
        rc = no_memory(err);
    for (uint32_t i = 0; i < h.pieces && !rc; i++)
        rc = read_piece(&r, next, &out->pieces[i]);
    free(next);
    return rc;
}
