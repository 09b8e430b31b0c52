/*
 * Random programs over random rows (NULLs, deleted and replaced rows, multi-valued columns, sealed lines and tails):
 * all forms of the kernels give the same bytes, and groups in arrays are the groups that hashing finds. TEST_SEED and
 * TEST_PROGRAMS change what is run.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "reactor/arena.h"
#include "reactor/reactor.h"
#include "storage/kernel.h"
#include "storage/merge.h"
#include "storage/scan.h"

enum { ID, NUM, WIDE, KIND, PLACE, NAME, TAGS, FLAG, COLUMNS, PROGRAMS = 2000, WORLDS = 20 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % n);
}

struct world {
    struct schema *schema;
    struct slot *slot;
    struct arena arena;
    uint32_t rows, kinds, places;
    bool no_nulls;
};

static struct schema *make_schema(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "num", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "wide", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "place", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    struct column *tags = schema_add_column(s, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = true;
    tags->delim = ',';
    schema_add_column(s, "flag", COLUMN_BOOL, MAPPING_BOOL_DIRECT);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    s->table_id = 1;
    return s;
}

static void put_text(struct batch_builder *b, unsigned column, uint32_t v, bool item)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%c%" PRIu32, 'a' + (char)column, v);

    if (item)
        batch_builder_put_list_item(b, column, text, (uint32_t)n);
    else
        batch_builder_put_bytes(b, column, text, (uint32_t)n);
}

static bool has(const struct world *w)
{
    return w->no_nulls || below(10);
}

static void put_row(const struct world *w, struct batch_builder *b, uint32_t id)
{
    batch_builder_put_i64(b, ID, id);
    if (has(w))
        batch_builder_put_i64(b, NUM, (int64_t)below(700) - 350);
    if (has(w))
        batch_builder_put_i64(b, WIDE,
                              below(40)  ? (int64_t)below(1u << 30) * 7 - (1 << 30)
                              : below(2) ? INT64_MAX - below(9)
                                         : INT64_MIN + below(9));
    if (has(w))
        put_text(b, KIND, below(w->kinds), false);
    if (has(w))
        put_text(b, PLACE, below(below(w->places) + 1), false);
    if (has(w))
        put_text(b, NAME, below(2000), false);
    for (uint32_t i = 0, n = below(4), first = below(9); i < n; i++)
        put_text(b, TAGS, first + i, true);
    if (has(w))
        batch_builder_put_i64(b, FLAG, below(5) == 0);
    cr_assert_eq(batch_builder_end_row(b), 0);
}

static void apply(struct world *w, struct batch_builder *b, enum batch_op op)
{
    struct write_result result = {0};
    struct error_info err;
    struct buffer bytes;
    struct batch batch;

    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 1, 0, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_apply(w->slot, &batch, &result), 0);
    cr_assert_eq(result.rejected, 0);
    buffer_fini(&bytes);
    batch_builder_reset(b);
}

/* Rows [from, to), a part of them replaced and deleted. */
static void fill(struct world *w, uint32_t from, uint32_t to, bool changes)
{
    static const enum batch_kind kinds[COLUMNS] = {BATCH_I64,   BATCH_I64,   BATCH_I64,
                                                   BATCH_BYTES, BATCH_BYTES, BATCH_BYTES,
                                                   BATCH_LIST,  BATCH_I64};
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < COLUMNS; i++)
        batch_builder_add_column(b, w->schema->columns[i].id, kinds[i], 0);
    for (uint32_t i = from; i < to; i++)
        put_row(w, b, i);
    apply(w, b, BATCH_INSERT);
    for (uint32_t i = 0; changes && i < (to - from) / 30; i++) {
        put_row(w, b, from + below(to - from));
        apply(w, b, BATCH_REPLACE);
    }
    batch_builder_free(b);
    b = batch_builder_new(NULL);
    batch_builder_add_column(b, w->schema->columns[ID].id, BATCH_I64, 0);
    for (uint32_t i = 0; changes && i < (to - from) / 20; i++) {
        batch_builder_put_i64(b, 0, from + below(to - from));
        batch_builder_end_row(b);
        apply(w, b, BATCH_DELETE);
    }
    batch_builder_free(b);
}

static void make_world(struct world *w)
{
    bool changes = below(3) != 0;

    *w = (struct world){.rows = 1000 + below(3000),
                        .kinds = 2 + below(14),
                        .places = 20 + below(60),
                        .no_nulls = below(3) == 0};
    if (below(8) == 0)
        w->rows += 66000;
    w->schema = make_schema();
    arena_init(&w->arena, 256 << 20, NULL);
    cr_assert_eq(slot_new(w->schema, 0, 42, NULL, &w->slot), 0);
    uint32_t sealed = below(4) ? w->rows - below(900) : 0;
    if (sealed) {
        fill(w, 0, sealed, changes);
        cr_assert_eq(segment_seal(slot_segment(w->slot, 0), below(2)), 0);
    }
    if (sealed < w->rows)
        fill(w, sealed, w->rows, changes);
    if (below(4) == 0)
        cr_assert_eq(segment_seal(slot_segment(w->slot, 0), true), 0);
}

static void free_world(struct world *w)
{
    slot_free(w->slot);
    schema_put(w->schema);
    arena_fini(&w->arena);
}

/* ---- programs ---- */

static const struct predicate *random_where(struct world *w, unsigned depth);

static int compare_ints(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void set_strings(struct world *w, struct predicate *p, uint32_t n)
{
    static const uint32_t ranges[COLUMNS] = {[KIND] = 16, [PLACE] = 70, [NAME] = 2100, [TAGS] = 13};
    struct program_string *s = arena_alloc(&w->arena, n * sizeof(*s));

    for (uint32_t i = 0; i < n; i++) {
        const char *text =
            arena_printf(&w->arena, "%c%" PRIu32, 'a' + p->column, below(ranges[p->column]));
        s[i] = (struct program_string){text, (uint32_t)strlen(text)};
    }
    p->strings = s;
    p->n = n;
}

static void set_ints(struct world *w, struct predicate *p)
{
    int64_t *v = arena_alloc(&w->arena, 24 * sizeof(*v));
    uint32_t n = 1 + below(24);

    for (uint32_t i = 0; i < n; i++)
        v[i] = p->column == FLAG ? (int64_t)i : (int64_t)(below(60) + i * 60) - 400;
    qsort(v, n, sizeof(*v), compare_ints);
    p->ints = v;
    p->n = p->column == FLAG && n > 2 ? 2 : n;
}

static const struct predicate *random_leaf(struct world *w)
{
    struct predicate *p = arena_alloc(&w->arena, sizeof(*p));

    p->negate = below(4) == 0;
    p->column = (uint16_t)below(COLUMNS);
    if (below(12) == 0) {
        p->kind = PREDICATE_NULL;
    } else if (p->column == KIND || p->column == PLACE || p->column == NAME || p->column == TAGS) {
        p->kind = below(4) ? PREDICATE_STRINGS : PREDICATE_STRING_RANGE;
        set_strings(w, p, p->kind == PREDICATE_STRINGS ? 1 + below(6) : 2);
        p->lo_open = below(2);
    } else if (below(3) == 0) {
        p->kind = PREDICATE_INTS;
        set_ints(w, p);
    } else {
        p->kind = PREDICATE_RANGE;
        int64_t unit = p->column == WIDE ? 1 << 23 : p->column == ID ? 40 : 7;
        p->lo = p->column == FLAG ? below(2) : ((int64_t)below(110) - 55) * unit;
        p->hi = p->lo + below(60) * (p->column == FLAG ? 0 : unit);
    }
    return p;
}

static const struct predicate *random_where(struct world *w, unsigned depth)
{
    if (!depth || below(3) == 0)
        return random_leaf(w);
    struct predicate *p = arena_alloc(&w->arena, sizeof(*p));
    p->kind = below(3) ? PREDICATE_AND : PREDICATE_OR;
    p->n = 1 + below(3);
    const struct predicate **children = arena_alloc(&w->arena, p->n * sizeof(*children));
    for (uint32_t i = 0; i < p->n; i++)
        children[i] = random_where(w, depth - 1);
    p->children = children;
    return p;
}

static const struct aggregate *random_aggregates(struct world *w, uint16_t *n)
{
    static const uint16_t ints[] = {ID, NUM, WIDE};
    struct aggregate *a = arena_alloc(&w->arena, 5 * sizeof(*a));

    *n = (uint16_t)below(5);
    for (unsigned i = 0; i < *n; i++) {
        a[i].kind = (enum aggregate_kind)below(below(3) ? AGGREGATE_SUM + 1 : AGGREGATE_MAX + 1);
        a[i].column = a[i].kind == AGGREGATE_COUNT ? (uint16_t)below(COLUMNS) : ints[below(3)];
    }
    return a;
}

static void random_program(struct world *w, struct program *p)
{
    uint16_t *columns = arena_alloc(&w->arena, COLUMNS * sizeof(*columns));
    struct program_order *order = arena_alloc(&w->arena, sizeof(*order));

    *p = (struct program){.table_id = 1,
                          .where = below(6) ? random_where(w, 2) : NULL,
                          .output = below(4) ? OUTPUT_GROUPS : OUTPUT_ROWS,
                          .columns = columns,
                          .limit = UINT64_MAX,
                          .memory = 256 << 20};
    if (p->output == OUTPUT_GROUPS) {
        p->n_columns = (uint16_t)below(4);
        for (unsigned i = 0; i < p->n_columns; i++)
            columns[i] = (uint16_t)below(COLUMNS);
        p->aggregates = random_aggregates(w, &p->n_aggregates);
        return;
    }
    p->n_columns = (uint16_t)(1 + below(COLUMNS));
    for (unsigned i = 0; i < p->n_columns; i++)
        columns[i] = (uint16_t)((i + w->rows) % COLUMNS);
    p->limit = below(2) ? UINT64_MAX : below(200);
    if (p->limit < UINT64_MAX && below(2) && columns[0] != TAGS) {
        *order = (struct program_order){.output = 0, .descending = below(2)};
        p->order = order;
        p->n_order = 1;
    }
}

/* ---- results ---- */

static uint64_t hash_cell(const struct batch_column *c, uint32_t row)
{
    uint32_t len;

    if (!batch_is_present(c, row))
        return 1;
    if (c->kind == BATCH_BYTES) {
        const char *s = batch_bytes(c, row, &len);
        return XXH3_64bits(s, len);
    }
    __int128 v = c->kind == BATCH_I128 ? batch_i128(c, row) : batch_i64(c, row);
    return XXH3_64bits(&v, sizeof(v));
}

/* Groups in any order; of the aggregates the first n. */
static uint64_t hash_groups(const struct batch *b, unsigned n)
{
    struct batch_column c;
    uint64_t sum = 0;

    for (uint32_t row = 0; row < b->rows; row++) {
        uint64_t h = 0;
        for (unsigned i = 0; i < n; i++) {
            batch_column_at(b, i, &c);
            h = (h ^ hash_cell(&c, row)) * 0x9e3779b97f4a7c15u + i;
        }
        sum += h ^ h >> 29;
    }
    return sum;
}

struct digest {
    uint64_t bytes, groups, rows;
};

static struct digest run(struct world *w, const struct program *p, unsigned n)
{
    struct digest d = {0};
    struct task wake = {0};
    struct error_info err;
    struct scan *x;

    cr_assert_eq(program_validate(p, w->schema, &err), 0, "%s", err.text);
    cr_assert_eq(scan_new(p, w->schema, &w->slot, 1, NULL, &wake, &x, &err), 0, "%s", err.text);
    for (;;) {
        struct batch b;
        enum scan_state s = scan_step(x, 500, &b);
        cr_assert(s != SCAN_ERROR && s != SCAN_WAIT, "%s", scan_error(x)->text);
        if (s == SCAN_END)
            break;
        if (s != SCAN_BATCH)
            continue;
        d.bytes = d.bytes * 31 + XXH3_64bits(b.bytes, b.len);
        d.rows += b.rows;
        if (p->output == OUTPUT_GROUPS)
            d.groups += hash_groups(&b, n);
    }
    scan_free(x);
    return d;
}

/* What a merge of one of two shares of the groups gives that lie there. */
static void add_share(struct world *w, const struct program *p, const struct group_whole *whole,
                      unsigned share, unsigned n, struct digest *d)
{
    struct merge *m;
    struct batch b;
    int rc;

    cr_assert_eq(merge_new(p, w->schema, NULL, &m), 0);
    cr_assert_eq(merge_add_whole(m, whole), 0);
    merge_share(m, share, 2);
    while ((rc = merge_next(m, 500, MERGE_ALL, &b)) == 1 || rc == -EAGAIN) {
        if (rc != 1)
            continue;
        d->rows += b.rows;
        d->groups += hash_groups(&b, n);
    }
    cr_assert_eq(rc, 0);
    merge_free(m);
}

/* The same groups, where they lie when they do. */
static struct digest run_whole(struct world *w, const struct program *p, unsigned n)
{
    struct digest d = {0};
    struct task wake = {0};
    struct error_info err;
    enum scan_state s;
    struct scan *x;
    struct batch b;

    cr_assert_eq(scan_new(p, w->schema, &w->slot, 1, NULL, &wake, &x, &err), 0, "%s", err.text);
    scan_allow_whole(x);
    while ((s = scan_step(x, 500, &b)) == SCAN_AGAIN || s == SCAN_BATCH) {
        if (s != SCAN_BATCH)
            continue;
        d.rows += b.rows;
        d.groups += hash_groups(&b, n);
    }
    cr_assert(s == SCAN_END || s == SCAN_WHOLE, "%s", scan_error(x)->text);
    for (unsigned i = 0; i < 2 && s == SCAN_WHOLE; i++)
        add_share(w, p, scan_whole(x), i, n, &d);
    scan_free(x);
    return d;
}

/* The same groups with one aggregate more, which arrays do not take. */
static struct digest run_hashed(struct world *w, const struct program *p, unsigned n)
{
    struct aggregate aggregates[PROGRAM_MAX_AGGREGATES];
    struct program q = *p;

    if (p->n_aggregates)
        memcpy(aggregates, p->aggregates, p->n_aggregates * sizeof(*aggregates));
    aggregates[q.n_aggregates++] = (struct aggregate){AGGREGATE_MIN, ID};
    q.aggregates = aggregates;
    return run(w, &q, n);
}

/* Values and how often they come, whatever the rows are. */
static uint64_t hash_counted(const struct batch *b)
{
    struct batch_column values, counts;
    uint32_t len, n;
    uint64_t sum = 0;

    batch_column_at(b, 0, &values);
    batch_column_at(b, 1, &counts);
    for (uint32_t row = 0; row < b->rows; row++) {
        bool many = counts.kind == BATCH_BYTES && batch_is_present(&counts, row);
        if (!batch_is_present(&values, row))
            continue;
        int64_t v = batch_i64(&values, row);
        const char *bytes = many ? batch_bytes(&counts, row, &len) : NULL;
        cr_assert(!many || len == PROGRAM_COUNTED * sizeof(n));
        for (uint32_t i = 0; i < (many ? PROGRAM_COUNTED : 1u); i++) {
            int64_t value = v + i;
            n = 1;
            if (many)
                memcpy(&n, bytes + i * sizeof(n), sizeof(n));
            sum += n * XXH3_64bits(&value, sizeof(value));
        }
    }
    return sum;
}

static uint64_t run_values(struct world *w, const struct program *p)
{
    struct task wake = {0};
    struct error_info err;
    struct scan *x;
    struct batch b;
    uint64_t sum = 0;
    enum scan_state s;

    cr_assert_eq(program_validate(p, w->schema, &err), 0, "%s", err.text);
    cr_assert_eq(scan_new(p, w->schema, &w->slot, 1, NULL, &wake, &x, &err), 0, "%s", err.text);
    while ((s = scan_step(x, 500, &b)) == SCAN_AGAIN || s == SCAN_BATCH) {
        if (s == SCAN_BATCH) {
            cr_assert_leq(b.rows, 500);
            sum += hash_counted(&b);
        }
    }
    cr_assert_eq(s, SCAN_END);
    scan_free(x);
    return sum;
}

static void check_counted(struct world *w, uint64_t seed)
{
    static const uint16_t of[] = {ID, NUM, WIDE, FLAG};
    uint16_t columns[2] = {of[below(4)], FLAG};
    struct program p = {.table_id = 1,
                        .where = below(3) ? random_where(w, 2) : NULL,
                        .output = OUTPUT_ROWS,
                        .n_columns = 2,
                        .columns = columns,
                        .limit = UINT64_MAX,
                        .memory = 256 << 20},
                   counted = p;

    counted.n_columns = 1;
    counted.counted = true;
    cr_assert_eq(run_values(w, &counted), run_values(w, &p), "TEST_SEED=%" PRIu64, seed);
}

static void check_program(struct world *w, uint64_t seed)
{
    const struct kernels *forms[4];
    unsigned n_forms = kernel_forms(forms);
    struct digest first = {0};
    struct program p;

    random_program(w, &p);
    unsigned n = (unsigned)p.n_columns + p.n_aggregates;
    for (unsigned i = 0; i < n_forms; i++) {
        kernel_use(forms[i]);
        struct digest d = run(w, &p, n);
        if (!i)
            first = d;
        cr_assert(d.bytes == first.bytes && d.rows == first.rows,
                  "TEST_SEED=%" PRIu64 ": %s and %s differ", seed, forms[i]->name, forms[0]->name);
    }
    if (p.output != OUTPUT_GROUPS)
        return;
    struct digest d = run_whole(w, &p, n);
    cr_assert(d.groups == first.groups && d.rows == first.rows,
              "TEST_SEED=%" PRIu64 ": %" PRIu64 " groups, where they lie %" PRIu64, seed,
              first.rows, d.rows);
    d = run_hashed(w, &p, n);
    cr_assert(d.groups == first.groups && d.rows == first.rows,
              "TEST_SEED=%" PRIu64 ": %" PRIu64 " groups, hashed %" PRIu64, seed, first.rows,
              d.rows);
}

Test(scan_forms, random_programs_give_the_same)
{
    const char *given = getenv("TEST_SEED"), *number = getenv("TEST_PROGRAMS");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    uint32_t programs = number ? (uint32_t)strtoul(number, NULL, 0) : PROGRAMS;
    struct world w;

    fprintf(stderr, "scan_forms TEST_SEED=%" PRIu64 "\n", seed);
    state = seed;
    for (uint32_t i = 0; i < WORLDS; i++) {
        make_world(&w);
        for (uint32_t k = 0; k < programs / WORLDS; k++)
            check_program(&w, seed);
        for (uint32_t k = 0; k < programs / WORLDS / 4; k++)
            check_counted(&w, seed);
        free_world(&w);
    }
    kernel_choose("auto");
}
