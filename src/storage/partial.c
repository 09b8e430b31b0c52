#include "storage/partial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "reactor/budget.h"

enum { PARTIAL_FIRST_BUCKETS = 256 };

struct partial_entry {
    uint64_t hash;
    const uint8_t *key; /* per column: presence byte, then 8 bytes or length and bytes */
    uint32_t key_len;
};

struct partial {
    const struct program *program;
    const struct schema *schema;
    struct budget *budget;
    struct arena arena; /* keys and kept strings */
    struct partial_entry *entries;
    struct aggregate_state *states; /* n_aggregates per entry */
    uint32_t n, cap;
    uint32_t *buckets; /* entry + 1; power of two */
    uint32_t n_buckets;
    uint64_t limit;   /* bytes of the arrays and the arena */
    uint64_t charged; /* bytes of the three arrays */
    bool bytes_key[PROGRAM_MAX_GROUPS];
    struct buffer key, out;
    struct batch_builder *builder;
    uint32_t next; /* output position */
};

static int add_output_columns(struct partial *t)
{
    unsigned n = t->program->n_columns + t->program->n_aggregates;

    for (unsigned i = 0; i < n; i++) {
        int rc = batch_builder_add_column(t->builder, (uint16_t)i,
                                          program_output_kind(t->program, t->schema, i), 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int partial_new(const struct program *p, const struct schema *s, struct budget *budget,
                struct partial **out)
{
    struct partial *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->program = p;
    t->schema = s;
    t->budget = budget;
    t->limit = p->memory;
    arena_init(&t->arena, p->memory, budget);
    buffer_init(&t->key, BATCH_MAX_BYTES);
    buffer_init(&t->out, BATCH_MAX_BYTES);
    t->n_buckets = PARTIAL_FIRST_BUCKETS;
    t->buckets = calloc(t->n_buckets, sizeof(*t->buckets));
    t->builder = batch_builder_new(budget);
    for (unsigned i = 0; i < p->n_columns; i++)
        t->bytes_key[i] = program_output_kind(p, s, i) == BATCH_BYTES;
    if (!t->buckets || !t->builder || add_output_columns(t)) {
        partial_free(t);
        return -ENOMEM;
    }
    *out = t;
    return 0;
}

void partial_free(struct partial *t)
{
    if (!t)
        return;
    if (t->budget)
        budget_release(t->budget, t->charged);
    batch_builder_free(t->builder);
    buffer_fini(&t->key);
    buffer_fini(&t->out);
    arena_fini(&t->arena);
    free(t->entries);
    free(t->states);
    free(t->buckets);
    free(t);
}

static int encode_key(struct partial *t, const struct cell *cells)
{
    t->key.len = 0;
    for (unsigned i = 0; i < t->program->n_columns; i++) {
        const struct cell *c = &cells[i];
        uint8_t present = c->present;
        int rc = buffer_append(&t->key, &present, 1);
        if (!rc && present && t->bytes_key[i]) {
            rc = buffer_append(&t->key, &c->len, sizeof(c->len));
            if (!rc)
                rc = buffer_append(&t->key, c->bytes, c->len);
        } else if (!rc && present) {
            rc = buffer_append(&t->key, &c->i64, sizeof(c->i64));
        }
        if (rc)
            return rc;
    }
    return 0;
}

void partial_limit(struct partial *t, uint64_t bytes)
{
    t->limit = bytes;
    t->arena.limit = bytes;
}

uint64_t partial_memory(const struct partial *t)
{
    return t->charged + t->arena.used;
}

/* Charges and grows one array; within the limit together with the arena. */
static int grow(struct partial *t, void **array, size_t old_bytes, size_t new_bytes)
{
    if (t->charged + new_bytes - old_bytes + t->arena.used > t->limit)
        return -ENOMEM;
    if (t->budget && budget_charge(t->budget, new_bytes - old_bytes))
        return -ENOMEM;
    void *p = realloc(*array, new_bytes);
    if (!p) {
        if (t->budget)
            budget_release(t->budget, new_bytes - old_bytes);
        return -ENOMEM;
    }
    t->charged += new_bytes - old_bytes;
    *array = p;
    return 0;
}

static int grow_entries(struct partial *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 64;
    size_t state = t->program->n_aggregates * sizeof(*t->states);
    int rc = grow(t, (void **)&t->entries, t->cap * sizeof(*t->entries), cap * sizeof(*t->entries));

    if (!rc && state)
        rc = grow(t, (void **)&t->states, t->cap * state, cap * state);
    if (!rc)
        t->cap = cap;
    return rc;
}

static void link_entry(struct partial *t, uint32_t i)
{
    uint32_t at = (uint32_t)t->entries[i].hash & (t->n_buckets - 1);

    while (t->buckets[at])
        at = (at + 1) & (t->n_buckets - 1);
    t->buckets[at] = i + 1;
}

static int grow_buckets(struct partial *t)
{
    uint32_t n = t->n_buckets * 2;
    int rc =
        grow(t, (void **)&t->buckets, t->n_buckets * sizeof(*t->buckets), n * sizeof(*t->buckets));

    if (rc)
        return rc;
    t->n_buckets = n;
    memset(t->buckets, 0, n * sizeof(*t->buckets));
    for (uint32_t i = 0; i < t->n; i++)
        link_entry(t, i);
    return 0;
}

static int add_entry(struct partial *t, uint64_t hash, uint32_t *group)
{
    if (t->n == t->cap) {
        int rc = grow_entries(t);
        if (rc)
            return rc;
    }
    uint8_t *key = partial_memory(t) <= t->limit ? arena_alloc(&t->arena, t->key.len + 1) : NULL;
    if (!key)
        return -ENOMEM;
    memcpy(key, t->key.data, t->key.len);
    t->entries[t->n] = (struct partial_entry){hash, key, (uint32_t)t->key.len};
    if (t->program->n_aggregates)
        memset(&t->states[(size_t)t->n * t->program->n_aggregates], 0,
               t->program->n_aggregates * sizeof(*t->states));
    *group = t->n++;
    return 0;
}

int partial_hash(struct partial *t, const struct cell *cells, uint64_t *hash)
{
    int rc = encode_key(t, cells);

    if (!rc && !t->key.data) /* no group columns: the key is empty */
        rc = buffer_reserve(&t->key, 1);
    if (!rc)
        *hash = XXH3_64bits(t->key.data, t->key.len);
    return rc;
}

static void forget_entries(struct partial *t)
{
    t->n = t->next = 0;
    memset(t->buckets, 0, t->n_buckets * sizeof(*t->buckets));
}

void partial_reset(struct partial *t)
{
    forget_entries(t);
    arena_reset(&t->arena);
}

int partial_group(struct partial *t, const struct cell *cells, uint32_t *group)
{
    uint64_t hash;
    int rc = partial_hash(t, cells, &hash);

    if (!rc && t->n * 2 >= t->n_buckets)
        rc = grow_buckets(t);
    if (rc)
        return rc;
    uint32_t at = (uint32_t)hash & (t->n_buckets - 1);
    for (; t->buckets[at]; at = (at + 1) & (t->n_buckets - 1)) {
        const struct partial_entry *e = &t->entries[t->buckets[at] - 1];
        if (e->hash == hash && e->key_len == t->key.len &&
            !memcmp(e->key, t->key.data, t->key.len)) {
            *group = t->buckets[at] - 1;
            return 0;
        }
    }
    rc = add_entry(t, hash, group);
    if (!rc)
        t->buckets[at] = t->n;
    return rc;
}

static int compare_states(const struct aggregate_state *a, const struct aggregate_state *b)
{
    if (!a->bytes && !b->bytes)
        return (a->number > b->number) - (a->number < b->number);
    int c = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
    return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int keep_state(struct partial *t, struct aggregate_state *s,
                      const struct aggregate_state *add)
{
    *s = *add;
    if (!add->bytes)
        return 0;
    s->bytes = arena_strndup(&t->arena, add->bytes, add->len);
    return s->bytes ? 0 : -ENOMEM;
}

int partial_combine(struct partial *t, uint32_t group, unsigned i,
                    const struct aggregate_state *add)
{
    struct aggregate_state *s = &t->states[(size_t)group * t->program->n_aggregates + i];

    if (!add->present)
        return 0;
    switch (t->program->aggregates[i].kind) {
    case AGGREGATE_COUNT_ROWS:
    case AGGREGATE_COUNT:
    case AGGREGATE_SUM:
        s->number += add->number;
        s->present = true;
        return 0;
    case AGGREGATE_MIN:
        return !s->present || compare_states(add, s) < 0 ? keep_state(t, s, add) : 0;
    case AGGREGATE_MAX:
        return !s->present || compare_states(add, s) > 0 ? keep_state(t, s, add) : 0;
    }
    return 0;
}

static void read_cell(const struct batch_column *c, uint32_t row, struct cell *out)
{
    *out = (struct cell){.present = batch_is_present(c, row)};
    if (!out->present)
        return;
    if (c->kind == BATCH_BYTES)
        out->bytes = batch_bytes(c, row, &out->len);
    else
        out->i64 = batch_i64(c, row);
}

static void read_state(const struct batch_column *c, uint32_t row, struct aggregate_state *out)
{
    *out = (struct aggregate_state){.present = batch_is_present(c, row)};
    if (!out->present)
        return;
    if (c->kind == BATCH_BYTES)
        out->bytes = batch_bytes(c, row, &out->len);
    else if (c->kind == BATCH_I128)
        out->number = batch_i128(c, row);
    else
        out->number = batch_i64(c, row);
}

int partial_add_batch(struct partial *t, const struct batch *b)
{
    const struct program *p = t->program;
    struct batch_column columns[PROGRAM_MAX_GROUPS + PROGRAM_MAX_AGGREGATES];
    struct cell cells[PROGRAM_MAX_GROUPS];

    if (b->columns != p->n_columns + p->n_aggregates)
        return -EBADMSG;
    for (unsigned i = 0; i < b->columns; i++) {
        batch_column_at(b, i, &columns[i]);
        if (columns[i].kind != program_output_kind(p, t->schema, i))
            return -EBADMSG;
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        uint32_t group;
        for (unsigned i = 0; i < p->n_columns; i++)
            read_cell(&columns[i], row, &cells[i]);
        int rc = partial_group(t, cells, &group);
        for (unsigned i = 0; i < p->n_aggregates && !rc; i++) {
            struct aggregate_state add;
            read_state(&columns[p->n_columns + i], row, &add);
            rc = partial_combine(t, group, i, &add);
        }
        if (rc)
            return rc;
    }
    return 0;
}

uint32_t partial_groups(const struct partial *t)
{
    return t->n;
}

static int put_key(struct partial *t, const struct partial_entry *e)
{
    const uint8_t *at = e->key;
    int rc = 0;

    for (unsigned i = 0; i < t->program->n_columns && !rc; i++) {
        if (!*at++)
            continue;
        if (t->bytes_key[i]) {
            uint32_t len;
            memcpy(&len, at, sizeof(len));
            rc = batch_builder_put_bytes(t->builder, i, at + sizeof(len), len);
            at += sizeof(len) + len;
        } else {
            int64_t v;
            memcpy(&v, at, sizeof(v));
            rc = batch_builder_put_i64(t->builder, i, v);
            at += sizeof(v);
        }
    }
    return rc;
}

static int put_state(struct partial *t, unsigned col, enum aggregate_kind kind,
                     const struct aggregate_state *s)
{
    if (kind == AGGREGATE_COUNT || kind == AGGREGATE_COUNT_ROWS)
        return batch_builder_put_i64(t->builder, col, (int64_t)s->number);
    if (!s->present)
        return 0;
    if (kind == AGGREGATE_SUM)
        return batch_builder_put_i128(t->builder, col, s->number);
    if (s->bytes)
        return batch_builder_put_bytes(t->builder, col, s->bytes, s->len);
    return batch_builder_put_i64(t->builder, col, (int64_t)s->number);
}

static bool is_below(const struct partial_entry *e, uint64_t below)
{
    return below == PARTIAL_ALL || e->hash < below;
}

static int put_entry(struct partial *t, uint32_t i)
{
    const struct program *p = t->program;
    int rc = put_key(t, &t->entries[i]);

    for (unsigned a = 0; a < p->n_aggregates && !rc; a++)
        rc = put_state(t, p->n_columns + a, p->aggregates[a].kind,
                       &t->states[(size_t)i * p->n_aggregates + a]);
    return rc ? rc : batch_builder_end_row(t->builder);
}

uint64_t partial_count_below(const struct partial *t, uint64_t below)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < t->n; i++)
        n += is_below(&t->entries[i], below) && t->entries[i].key[0];
    return n;
}

static bool is_cut(const struct partial *t, uint32_t i, const struct partial_cut *cut)
{
    const struct program *p = t->program;
    const struct aggregate_state *s = &t->states[(size_t)i * p->n_aggregates];

    if (!cut)
        return false;
    for (unsigned h = 0; h < p->n_having; h++)
        if (partial_is_left_out(p, &p->having[h], &s[p->having[h].aggregate]))
            return true;
    return cut->has_bound && partial_is_cut(cut, &s[cut->aggregate]);
}

int partial_next_below(struct partial *t, uint64_t below, uint32_t max_rows,
                       const struct partial_cut *cut, struct batch *out)
{
    uint32_t rows = 0;

    batch_builder_reset(t->builder);
    for (; t->next < t->n && rows < max_rows; t->next++) {
        if (!is_below(&t->entries[t->next], below) || is_cut(t, t->next, cut))
            continue;
        if (batch_builder_bytes(t->builder) > BATCH_MAX_BYTES / 4)
            break;
        int rc = put_entry(t, t->next);
        if (rc)
            return rc;
        rows++;
    }
    if (!rows)
        return 0;
    t->out.len = 0;
    int rc =
        batch_builder_finish(t->builder, BATCH_DATA, t->program->table_id, BATCH_SLOT_ANY, &t->out);
    if (rc)
        return rc;
    struct error_info err;
    rc = batch_open(t->out.data, t->out.len, out, &err);
    return rc ? rc : 1;
}

int partial_next(struct partial *t, uint32_t max_rows, struct batch *out)
{
    return partial_next_below(t, PARTIAL_ALL, max_rows, NULL, out);
}

bool partial_is_done(const struct partial *t)
{
    return t->next == t->n;
}

/* Moves what an entry keeps outside of it to another arena. */
static int move_bytes(struct partial *t, uint32_t i, struct arena *to)
{
    struct partial_entry *e = &t->entries[i];
    uint8_t *key = arena_alloc(to, e->key_len + 1);

    if (!key)
        return -ENOMEM;
    e->key = memcpy(key, e->key, e->key_len);
    for (unsigned a = 0; a < t->program->n_aggregates; a++) {
        struct aggregate_state *s = &t->states[(size_t)i * t->program->n_aggregates + a];
        if (s->bytes && !(s->bytes = arena_strndup(to, s->bytes, s->len)))
            return -ENOMEM;
    }
    return 0;
}

int partial_drop_below(struct partial *t, uint64_t below)
{
    uint32_t n = t->n, n_aggregates = t->program->n_aggregates;
    struct arena kept;
    int rc = 0;

    arena_init(&kept, t->arena.limit, t->budget);
    forget_entries(t);
    for (uint32_t i = 0; i < n && !rc; i++) {
        if (is_below(&t->entries[i], below))
            continue;
        rc = move_bytes(t, i, &kept);
        t->entries[t->n] = t->entries[i];
        if (n_aggregates && t->n != i)
            memcpy(&t->states[(size_t)t->n * n_aggregates], &t->states[(size_t)i * n_aggregates],
                   n_aggregates * sizeof(*t->states));
        link_entry(t, t->n++);
    }
    if (rc) { /* of no use any more */
        arena_fini(&kept);
        partial_reset(t);
        return rc;
    }
    arena_fini(&t->arena);
    t->arena = kept;
    return 0;
}
