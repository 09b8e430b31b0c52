#include "rpc/split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/batch_gather.h"
#include "storage/initial.h"
#include "storage/key.h"

enum { PIECE_SLACK = 64 /* bytes of a buffer behind the largest batch */ };

/* One cell from a batch to a builder; an absent one is left to batch_builder_end_row. */
static int copy_cell(struct batch_builder *to, unsigned col, const struct batch_column *c,
                     uint32_t row)
{
    uint32_t len;

    if (!batch_is_present(c, row))
        return 0;
    switch (c->kind) {
    case BATCH_I64:
        return batch_builder_put_i64(to, col, batch_i64(c, row));
    case BATCH_I128:
        return batch_builder_put_i128(to, col, batch_i128(c, row));
    case BATCH_F64:
        return batch_builder_put_f64(to, col, batch_f64(c, row));
    case BATCH_BYTES: {
        const char *s = batch_bytes(c, row, &len);
        return batch_builder_put_bytes(to, col, s, len);
    }
    default:
        for (uint32_t i = 0; i < batch_list_count(c, row); i++) {
            const char *s = batch_list_item(c, row, i, &len);
            int rc = batch_builder_put_list_item(to, col, s, len);
            if (rc)
                return rc;
        }
        return 0;
    }
}

static int add_columns(struct batch_builder *to, const struct batch *b)
{
    for (unsigned i = 0; i < b->columns; i++) {
        struct batch_column c;
        batch_column_at(b, i, &c);
        int rc = batch_builder_add_column(to, c.id, c.kind, c.scale);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int finish(struct batch_builder *from, const struct batch *like, uint32_t slot,
                  struct buffer *bytes, struct batch *out, struct error_info *err)
{
    buffer_init(bytes, BATCH_MAX_BYTES);
    int rc = batch_builder_finish(from, like->op, like->table_id, slot, bytes);
    return rc ? rc : batch_open(bytes->data, bytes->len, out, err);
}

/* The same rows with a generated key in a further column. */
static int add_hidden_key(const struct batch *b, split_key_fn *new_key, void *ctx,
                          struct buffer *bytes, struct batch *out, struct error_info *err)
{
    struct batch_builder *to = batch_builder_new(NULL);
    int rc = to ? add_columns(to, b) : -ENOMEM;
    int key = rc ? rc : batch_builder_add_column(to, SCHEMA_HIDDEN_KEY_ID, BATCH_I64, 0);

    if (key < 0)
        rc = key;
    for (uint32_t row = 0; row < b->rows && !rc; row++) {
        for (unsigned i = 0; i < b->columns && !rc; i++) {
            struct batch_column c;
            batch_column_at(b, i, &c);
            rc = copy_cell(to, i, &c, row);
        }
        if (!rc)
            rc = batch_builder_put_i64(to, (unsigned)key, new_key(ctx));
        if (!rc)
            rc = batch_builder_end_row(to);
    }
    if (!rc)
        rc = finish(to, b, BATCH_SLOT_ANY, bytes, out, err);
    if (to)
        batch_builder_free(to);
    return rc;
}

/* Rows in slot order, stable, so that two writes of one key keep their order. */
static int sort_rows(const struct key_hash *hashes, uint32_t n, unsigned slot_bits,
                     struct arena *arena, uint32_t **rows, uint32_t **starts)
{
    uint32_t slots = 1U << slot_bits;

    *rows = arena_alloc(arena, n * sizeof(**rows) + 4);
    *starts = arena_alloc(arena, (slots + 2) * sizeof(**starts));
    if (!*rows || !*starts)
        return -ENOMEM;
    uint32_t *at = *starts + 1; /* counts shifted by one become starts after the second pass */
    for (uint32_t i = 0; i < n; i++)
        at[key_slot(hashes[i].place, slot_bits) + 1]++;
    for (uint32_t s = 1; s <= slots; s++)
        at[s] += at[s - 1];
    for (uint32_t i = 0; i < n; i++)
        (*rows)[at[key_slot(hashes[i].place, slot_bits)]++] = i;
    return 0;
}

static int make_piece(struct split_piece *p, const struct batch *b, uint32_t slot, uint32_t *rows,
                      uint32_t n)
{
    p->slot = slot;
    p->rows = n;
    p->row_of = rows;
    buffer_init(&p->bytes, BATCH_MAX_BYTES + PIECE_SLACK);
    int rc = batch_gather(b, rows, n, slot, &p->bytes);
    if (!rc)
        batch_open_trusted(p->bytes.data, &p->batch);
    return rc;
}

static int make_pieces(const struct batch *b, const uint32_t *starts, uint32_t *rows,
                       uint32_t slots, struct split *out)
{
    int rc = 0;

    for (uint32_t s = 0; s < slots && !rc; s++)
        if (starts[s + 1] > starts[s])
            rc = make_piece(&out->pieces[out->n++], b, s, rows + starts[s],
                            starts[s + 1] - starts[s]);
    return rc;
}

static int split_rows(const struct batch *b, const struct key_hash *hashes, unsigned slot_bits,
                      struct arena *arena, struct split *out)
{
    uint32_t slots = 1U << slot_bits, *rows, *starts, used = 0, last = 0;
    int rc = sort_rows(hashes, b->rows, slot_bits, arena, &rows, &starts);

    if (rc)
        return rc;
    for (uint32_t s = 0; s < slots; s++)
        if (starts[s + 1] > starts[s]) {
            used++;
            last = s;
        }
    out->pieces = arena_alloc(arena, (used + 1) * sizeof(*out->pieces));
    if (!out->pieces)
        return -ENOMEM;
    if (used == 1) {
        out->pieces[0] = (struct split_piece){.slot = last, .rows = b->rows, .batch = *b};
        out->n = 1;
        return 0;
    }
    return make_pieces(b, starts, rows, slots, out);
}

int split_batch(const struct schema *s, const struct batch *b, uint64_t hash_seed,
                unsigned slot_bits, split_key_fn *new_key, void *ctx, struct arena *arena,
                struct split *out, struct error_info *err)
{
    struct batch whole = *b;
    struct buffer keyed = {0};

    *out = (struct split){0};
    err->text[0] = 0;
    int rc = 0;
    if (schema_has_hidden_key(s) && batch_find_column(b, SCHEMA_HIDDEN_KEY_ID) < 0)
        rc = add_hidden_key(b, new_key, ctx, &keyed, &whole, err);
    struct key_hash *hashes = arena_alloc(arena, whole.rows * sizeof(*hashes) + 16);
    if (!rc && !hashes)
        rc = -ENOMEM;
    if (!rc)
        rc = key_hash_rows(s, &whole, hash_seed, 0, whole.rows, hashes, err);
    if (!rc)
        rc = split_rows(&whole, hashes, slot_bits, arena, out);
    if (!rc && out->n == 1 && !out->pieces[0].bytes.data && keyed.data)
        out->pieces[0].bytes = keyed; /* the piece is the whole: it keeps the bytes */
    else
        buffer_fini(&keyed);
    if (rc)
        split_fini(out);
    if (rc && !err->text[0])
        error_set(err, rc, 0, "the rows cannot be split by slot: %s", strerror(-rc));
    return rc;
}

void split_fini(struct split *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        buffer_fini(&s->pieces[i].bytes);
    s->n = 0;
}

static bool is_inserting(const struct batch *b)
{
    return b->op != BATCH_UPDATE && b->op != BATCH_DELETE;
}

static bool is_missing(const struct schema *made, const struct column *c)
{
    return c->initial_value && schema_find_column_id(made, c->id) < 0;
}

static int add_missing(struct batch_builder *to, const struct schema *made,
                       const struct schema *now)
{
    for (unsigned i = 0; i < now->n_columns; i++) {
        const struct column *c = &now->columns[i];
        if (!is_missing(made, c))
            continue;
        int rc = batch_builder_add_column(to, c->id, (enum batch_kind)key_batch_kind(c), 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int copy_row(struct batch_builder *to, const struct batch *b, uint32_t row)
{
    int rc = 0;

    for (unsigned i = 0; i < b->columns && !rc; i++) {
        struct batch_column c;
        batch_column_at(b, i, &c);
        rc = copy_cell(to, i, &c, row);
    }
    return rc;
}

static int put_missing(struct batch_builder *to, unsigned column, const struct schema *made,
                       const struct schema *now)
{
    int rc = 0;

    for (unsigned i = 0; i < now->n_columns && !rc; i++)
        if (is_missing(made, &now->columns[i]))
            rc = initial_put(&now->columns[i], to, column++);
    return rc ? rc : batch_builder_end_row(to);
}

static int complete(struct split_piece *p, const struct schema *made, const struct schema *now,
                    struct buffer *bytes, struct batch *out, struct error_info *err)
{
    struct batch_builder *to = batch_builder_new(NULL);
    int rc = to ? add_columns(to, &p->batch) : -ENOMEM;

    if (!rc)
        rc = add_missing(to, made, now);
    for (uint32_t row = 0; row < p->batch.rows && !rc; row++) {
        rc = copy_row(to, &p->batch, row);
        if (!rc)
            rc = put_missing(to, p->batch.columns, made, now);
    }
    if (!rc)
        rc = finish(to, &p->batch, p->slot, bytes, out, err);
    if (to)
        batch_builder_free(to);
    return rc;
}

int split_complete(struct split_piece *p, const struct schema *made, const struct schema *now,
                   struct error_info *err)
{
    struct buffer bytes = {0};
    struct batch whole;
    unsigned i = 0;
    int rc;

    while (i < now->n_columns && !is_missing(made, &now->columns[i]))
        i++;
    if (i == now->n_columns || !is_inserting(&p->batch))
        return 0;
    rc = complete(p, made, now, &bytes, &whole, err);
    if (rc) {
        buffer_fini(&bytes);
        return error_set(err, rc, 1037, "out of memory for the new columns of table '%s'",
                         now->name);
    }
    buffer_fini(&p->bytes);
    p->bytes = bytes;
    p->batch = whole;
    return 0;
}

int split_first_rows(const struct batch *b, uint32_t slot, uint32_t rows, struct buffer *bytes,
                     struct batch *out, struct error_info *err)
{
    struct batch_builder *builder = batch_builder_new(NULL);
    int rc = builder ? add_columns(builder, b) : -ENOMEM;

    for (uint32_t row = 0; row < rows && !rc; row++)
        rc = batch_builder_copy_row(builder, b, row);
    if (!rc)
        rc = finish(builder, b, slot, bytes, out, err);
    if (builder)
        batch_builder_free(builder);
    return rc;
}
