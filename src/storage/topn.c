#include "storage/topn.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"

enum { TOPN_SLACK = 64 };

struct topn_row {
    const uint8_t *key;
    uint32_t key_len;
    uint32_t row;       /* in the builder, later in the sorted batch */
    bool first_present; /* first order column, for topn_bound */
    __int128 first;
};

struct topn {
    const struct program *program;
    const struct schema *schema;
    struct budget *budget;
    struct arena keys, other_keys; /* keys move to the other arena when rows are dropped */
    struct topn_row *rows;
    size_t n, cap;
    struct batch_builder *builder, *output;
    struct buffer kept, out, key;
    struct batch kept_batch;
    bool first_is_int, first_is_number, full, sorted;
    struct topn_row bound; /* the limit-th row at the last pruning */
    size_t next;
};

static int add_columns(struct topn *t, struct batch_builder *b)
{
    for (unsigned i = 0; i < program_outputs(t->program); i++) {
        int rc = batch_builder_add_column(b, (uint16_t)i,
                                          program_output_kind(t->program, t->schema, i), 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int topn_new(const struct program *p, const struct schema *s, struct budget *budget,
             struct topn **out)
{
    struct topn *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->program = p;
    t->schema = s;
    t->budget = budget;
    arena_init(&t->keys, p->memory, budget);
    arena_init(&t->other_keys, p->memory, budget);
    buffer_init(&t->kept, BATCH_MAX_BYTES);
    buffer_init(&t->out, BATCH_MAX_BYTES);
    buffer_init(&t->key, BATCH_MAX_BYTES);
    enum batch_kind first = program_output_kind(p, s, p->order[0].output);
    t->first_is_int = first == BATCH_I64;
    t->first_is_number = t->first_is_int || first == BATCH_I128;
    t->builder = batch_builder_new(budget);
    t->output = batch_builder_new(budget);
    if (!t->builder || !t->output || add_columns(t, t->builder) || add_columns(t, t->output)) {
        topn_free(t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

void topn_free(struct topn *t)
{
    if (!t)
        return;
    batch_builder_free(t->builder);
    batch_builder_free(t->output);
    buffer_fini(&t->kept);
    buffer_fini(&t->out);
    buffer_fini(&t->key);
    arena_fini(&t->keys);
    arena_fini(&t->other_keys);
    free(t->rows);
    free(t);
}

static int append_byte(struct buffer *b, uint8_t byte)
{
    return buffer_append(b, &byte, 1);
}

/* Bytes so that memcmp orders as the strings do: 0x00 becomes 0x00 0xff, the end is 0x00 0x00. */
static int append_escaped(struct buffer *b, const char *s, uint32_t len)
{
    int rc = buffer_reserve(b, 2 * (size_t)len + 2);

    if (rc)
        return rc;
    for (uint32_t i = 0; i < len; i++) {
        b->data[b->len++] = (uint8_t)s[i];
        if (!s[i])
            b->data[b->len++] = 0xff;
    }
    b->data[b->len++] = 0;
    b->data[b->len++] = 0;
    return 0;
}

static int append_key_part(struct buffer *b, const struct batch_column *c, uint32_t row,
                           bool descending)
{
    size_t from = b->len;
    bool present = batch_is_present(c, row);
    int rc = append_byte(b, present);

    if (!rc && present && c->kind == BATCH_BYTES) {
        uint32_t len;
        const char *s = batch_bytes(c, row, &len);
        rc = append_escaped(b, s, len);
    } else if (!rc && present && c->kind == BATCH_I128) {
        unsigned __int128 wide = (unsigned __int128)batch_i128(c, row) ^ (unsigned __int128)1
                                                                             << 127;
        uint64_t v[2] = {htobe64((uint64_t)(wide >> 64)), htobe64((uint64_t)wide)};
        rc = buffer_append(b, v, sizeof(v));
    } else if (!rc && present) {
        uint64_t v = htobe64((uint64_t)batch_i64(c, row) ^ 1ULL << 63);
        rc = buffer_append(b, &v, sizeof(v));
    }
    for (size_t i = from; descending && !rc && i < b->len; i++)
        b->data[i] = (uint8_t)~b->data[i];
    return rc;
}

static int compare_rows(const void *x, const void *y)
{
    const struct topn_row *a = x, *b = y;
    int c = memcmp(a->key, b->key, a->key_len < b->key_len ? a->key_len : b->key_len);

    return c ? c : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int finish_rows(struct topn *t)
{
    struct error_info err;

    t->kept.len = 0;
    int rc = batch_builder_finish(t->builder, BATCH_DATA, t->program->table_id, BATCH_SLOT_ANY,
                                  &t->kept);
    return rc ? rc : batch_open(t->kept.data, t->kept.len, &t->kept_batch, &err);
}

/* At the limit there is a first bound, by which blocks are skipped; later prunings halve the rows, so that a row is
 * sorted a few times only. */
static bool is_prune_due(const struct topn *t)
{
    uint64_t limit = t->program->limit;

    return t->full ? t->n >= TOPN_SLACK && (t->n - TOPN_SLACK) / 2 >= limit : t->n >= limit;
}

/* Sorts, drops what cannot be in the result, and packs rows and keys. */
static int prune(struct topn *t)
{
    if (t->n)
        qsort(t->rows, t->n, sizeof(*t->rows), compare_rows);
    size_t keep = t->n < t->program->limit ? t->n : t->program->limit;
    int rc = finish_rows(t);
    if (rc)
        return rc;
    batch_builder_reset(t->builder);
    arena_reset(&t->other_keys);
    for (size_t i = 0; i < keep; i++) {
        struct topn_row *r = &t->rows[i];
        if ((rc = batch_builder_copy_row(t->builder, &t->kept_batch, r->row)))
            return rc;
        const void *key = arena_strndup(&t->other_keys, (const char *)r->key, r->key_len);
        if (!key)
            return -ENOMEM;
        r->key = key;
        r->row = (uint32_t)i;
    }
    struct arena a = t->keys;
    t->keys = t->other_keys;
    t->other_keys = a;
    arena_reset(&t->other_keys);
    t->n = keep;
    t->full = keep == t->program->limit;
    if (t->full && keep)
        t->bound = t->rows[keep - 1];
    return 0;
}

static int reserve_row(struct topn *t)
{
    if (t->n < t->cap)
        return 0;
    size_t cap = t->cap ? t->cap * 2 : 256;
    if (cap * sizeof(*t->rows) > t->program->memory)
        return -ENOMEM;
    struct topn_row *rows = realloc(t->rows, cap * sizeof(*rows));
    if (!rows)
        return -ENOMEM;
    t->rows = rows;
    t->cap = cap;
    return 0;
}

static int add_row(struct topn *t, const struct batch *b, const struct batch_column *order,
                   uint32_t row)
{
    const struct program *p = t->program;
    uint64_t most = p->memory < BATCH_MAX_BYTES / 2 ? p->memory : BATCH_MAX_BYTES / 2;
    int rc = 0;

    t->key.len = 0;
    for (unsigned i = 0; i < p->n_order && !rc; i++)
        rc = append_key_part(&t->key, &order[i], row, p->order[i].descending);
    if (rc)
        return rc;
    struct topn_row r = {.key = t->key.data,
                         .key_len = (uint32_t)t->key.len,
                         .row = batch_builder_rows(t->builder)};
    if (t->full && compare_rows(&r, &t->bound) >= 0)
        return 0;
    if ((rc = reserve_row(t)) || (rc = batch_builder_copy_row(t->builder, b, row)))
        return rc;
    r.key = (const uint8_t *)arena_strndup(&t->keys, (const char *)t->key.data, t->key.len);
    if (!r.key)
        return -ENOMEM;
    r.first_present = batch_is_present(&order[0], row);
    if (t->first_is_number && r.first_present)
        r.first = t->first_is_int ? batch_i64(&order[0], row) : batch_i128(&order[0], row);
    t->rows[t->n++] = r;
    if (is_prune_due(t) || batch_builder_bytes(t->builder) > most)
        rc = prune(t);
    if (!rc && batch_builder_bytes(t->builder) > most)
        rc = -ENOMEM;
    return rc;
}

int topn_add(struct topn *t, const struct batch *b)
{
    struct batch_column order[PROGRAM_MAX_ORDER];

    if (b->columns != program_outputs(t->program))
        return -EBADMSG;
    for (unsigned i = 0; i < b->columns; i++) {
        batch_column_at(b, i, &order[0]);
        if (order[0].kind != program_output_kind(t->program, t->schema, i))
            return -EBADMSG;
    }
    for (unsigned i = 0; i < t->program->n_order; i++)
        batch_column_at(b, t->program->order[i].output, &order[i]);
    for (uint32_t row = 0; row < b->rows && t->program->limit; row++) {
        int rc = add_row(t, b, order, row);
        if (rc)
            return rc;
    }
    return 0;
}

bool topn_bound(const struct topn *t, int64_t *bound)
{
    if (!t->full || !t->first_is_int || !t->bound.first_present)
        return false;
    *bound = (int64_t)t->bound.first;
    return true;
}

bool topn_bound_number(const struct topn *t, __int128 *bound)
{
    if (!t->full || !t->first_is_number || !t->bound.first_present)
        return false;
    *bound = t->bound.first;
    return true;
}

int topn_next(struct topn *t, uint32_t max_rows, struct batch *out)
{
    if (!t->sorted) {
        int rc = prune(t);
        if (!rc)
            rc = finish_rows(t);
        if (rc)
            return rc;
        t->sorted = true;
    }
    if (t->next == t->n)
        return 0;
    batch_builder_reset(t->output);
    for (uint32_t i = 0; i < max_rows && t->next < t->n; i++, t->next++) {
        int rc = batch_builder_copy_row(t->output, &t->kept_batch, t->rows[t->next].row);
        if (rc)
            return rc;
        if (batch_builder_bytes(t->output) > BATCH_MAX_BYTES / 4) {
            t->next++;
            break;
        }
    }
    t->out.len = 0;
    int rc =
        batch_builder_finish(t->output, BATCH_DATA, t->program->table_id, BATCH_SLOT_ANY, &t->out);
    if (rc)
        return rc;
    struct error_info err;
    rc = batch_open(t->out.data, t->out.len, out, &err);
    return rc ? rc : 1;
}

bool topn_is_done(const struct topn *t)
{
    return t->sorted && t->next == t->n;
}
