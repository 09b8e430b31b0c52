/*
 * Joins of scans: random parents for random rows (NULLs, keys without parents, deleted and replaced rows, sealed lines
 * and tails) through relations of every layout, beside a model, in all forms of the kernels. TEST_SEED changes what is
 * run.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/reactor.h"
#include "storage/dict.h"
#include "storage/kernel.h"
#include "storage/scan.h"

/* Relations: keys close together, keys far apart, texts, enumerated texts. */
enum { NEAR, FAR, TEXT, KIND, RELATIONS };
enum { ID, OWN = 1 + RELATIONS, VALUE, OTHER, COLUMNS };
enum {
    OWNS = 9,    /* values of the own group column; as many again is NULL */
    NUMBERS = 7, /* of a parent's first attribute, an integer; the last is NULL */
    NAMES = 5,   /* of its second, a text */
    GROUPS = (OWNS + 1) * NUMBERS * NAMES,
    WORLDS = 16,
    PROGRAMS = 40,
};

static uint64_t state;

static uint32_t below(uint32_t n)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ z >> 31) % n);
}

struct row {
    bool live, has_value;
    uint32_t own;
    int32_t key[RELATIONS]; /* number of a key; -1 = NULL */
    int64_t value, other;
};

struct world {
    struct schema *schema;
    struct slot *slot;
    struct row *rows;
    uint32_t n;
    uint32_t keys[RELATIONS];
    int64_t first, step;
    uint32_t even; /* rows before this one, and all parents, have even keys only */
    bool no_nulls;
};

struct parents {
    struct buffer bytes;
    struct batch batch;
    bool *has; /* by number of the key */
    uint32_t n;
};

static int64_t key_int(const struct world *w, unsigned relation, int32_t k)
{
    return relation == NEAR ? w->first + k : (k - 40) * w->step;
}

static const char *key_text(unsigned relation, int32_t k)
{
    static char text[24];

    snprintf(text, sizeof(text), "%c%" PRId32, relation == TEXT ? 't' : 'k', k);
    return text;
}

static void put_key(const struct world *w, struct batch_builder *b, unsigned column,
                    unsigned relation, int32_t k)
{
    if (k < 0)
        return;
    if (relation < TEXT) {
        batch_builder_put_i64(b, column, key_int(w, relation, k));
    } else {
        const char *text = key_text(relation, k);
        batch_builder_put_bytes(b, column, text, (uint32_t)strlen(text));
    }
}

static struct schema *make_schema(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "near", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "far", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "text", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "own", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "value", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "other", COLUMN_INT, MAPPING_INT_BSI);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    s->table_id = 1;
    return s;
}

static void random_row(const struct world *w, struct row *r)
{
    *r = (struct row){.live = true, .own = below(OWNS + !w->no_nulls)};
    for (unsigned i = 0; i < RELATIONS; i++)
        r->key[i] = w->no_nulls || below(12) ? (int32_t)below(w->keys[i]) : -1;
    for (unsigned i = 0; i < RELATIONS && r < w->rows + w->even; i++)
        r->key[i] = r->key[i] < 0 ? -1 : r->key[i] / 2 * 2;
    r->has_value = w->no_nulls || below(9);
    r->value = (int64_t)below(1000) - 300;
    r->other = below(90);
}

static void put_row(const struct world *w, struct batch_builder *b, uint32_t id)
{
    const struct row *r = &w->rows[id];

    batch_builder_put_i64(b, ID, id);
    for (unsigned i = 0; i < RELATIONS; i++)
        put_key(w, b, 1 + i, i, r->key[i]);
    if (r->own < OWNS)
        batch_builder_put_i64(b, OWN, r->own);
    if (r->has_value)
        batch_builder_put_i64(b, VALUE, r->value);
    batch_builder_put_i64(b, OTHER, r->other);
    cr_assert_eq(batch_builder_end_row(b), 0);
}

static struct batch_builder *new_builder(const struct world *w)
{
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < COLUMNS; i++)
        batch_builder_add_column(b, w->schema->columns[i].id,
                                 i == 1 + TEXT || i == 1 + KIND ? BATCH_BYTES : BATCH_I64, 0);
    return b;
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

static void replace(struct world *w, uint32_t id)
{
    struct batch_builder *b = new_builder(w);

    put_row(w, b, id);
    apply(w, b, BATCH_REPLACE);
    batch_builder_free(b);
}

static void fill(struct world *w, uint32_t from, uint32_t to)
{
    struct batch_builder *b = new_builder(w);

    for (uint32_t i = from; i < to; i++) {
        random_row(w, &w->rows[i]);
        put_row(w, b, i);
    }
    if (to > from)
        apply(w, b, BATCH_INSERT);
    batch_builder_free(b);
}

static void change(struct world *w)
{
    struct batch_builder *b = batch_builder_new(NULL);

    for (uint32_t i = 0; i < w->n / 50; i++) {
        uint32_t id = below(w->n);
        random_row(w, &w->rows[id]);
        replace(w, id);
    }
    batch_builder_add_column(b, w->schema->columns[ID].id, BATCH_I64, 0);
    for (uint32_t i = 0; i < w->n / 20; i++) {
        uint32_t id = below(w->n);
        if (!w->rows[id].live)
            continue;
        w->rows[id].live = false;
        batch_builder_put_i64(b, 0, id);
        batch_builder_end_row(b);
        apply(w, b, BATCH_DELETE);
    }
    batch_builder_free(b);
}

static void make_world(struct world *w, uint32_t rows, uint32_t sealed, uint32_t even)
{
    static const int64_t steps[] = {1, 1000, 3000000007, 1000000000000000};

    *w = (struct world){.n = rows,
                        .even = even,
                        .keys = {1 + below(4000), 1 + below(300), 1 + below(900), 1 + below(40)},
                        .first = below(2) ? 1 : -(int64_t)below(1u << 31) * 900,
                        .step = steps[below(4)],
                        .no_nulls = below(2) == 0};
    w->schema = make_schema();
    w->rows = calloc(rows, sizeof(*w->rows));
    cr_assert_eq(slot_new(w->schema, 0, 42, NULL, &w->slot), 0);
    fill(w, 0, sealed);
    if (sealed)
        cr_assert_eq(segment_seal(slot_segment(w->slot, 0), below(2)), 0);
    fill(w, sealed, rows);
    if (below(4) == 0)
        cr_assert_eq(segment_seal(slot_segment(w->slot, 0), true), 0);
}

static void free_world(struct world *w)
{
    slot_free(w->slot);
    schema_put(w->schema);
    free(w->rows);
}

/* ---- parents ---- */

static uint32_t number_of(int32_t k)
{
    return (uint32_t)k * 2654435761u % NUMBERS;
}

static uint32_t name_of(int32_t k)
{
    return (uint32_t)k * 40503u % NAMES;
}

/* The same parents column by column, some rows at a time, their texts as codes. */
static struct batch_builder *with_codes(const struct batch *from)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct dict *texts[3] = {NULL};
    uint32_t step = 64 * (1 + below(4));

    for (unsigned i = 0; i < 3; i++) {
        struct batch_column c;
        batch_column_at(from, i, &c);
        batch_builder_add_column(b, (uint16_t)i, c.kind, 0);
        texts[i] = c.kind == BATCH_BYTES ? dict_new(DICT_BYTES, 0, NULL) : NULL;
    }
    for (uint32_t at = 0; at < from->rows; at += step) {
        uint32_t n = from->rows - at < step ? from->rows - at : step;
        for (unsigned i = 0; i < 3; i++) {
            struct batch_column c;
            int64_t v[256];
            uint32_t codes[256] = {0}, len;
            batch_column_at(from, i, &c);
            const uint64_t *presence = c.presence ? c.presence + at / 64 : NULL;
            if (!texts[i]) {
                batch_read_i64(&c, at, n, v);
                cr_assert_eq(batch_builder_put_i64s(b, i, v, presence, n), 0);
                continue;
            }
            for (uint32_t k = 0; k < n; k++) {
                const char *s = batch_bytes(&c, at + k, &len);
                if (batch_is_present(&c, at + k))
                    cr_assert_eq(dict_put_bytes(texts[i], s, len, &codes[k]), 0);
            }
            cr_assert_eq(batch_builder_append_codes(b, i, codes, presence, n), 0);
        }
        cr_assert_eq(batch_builder_end_rows(b, n), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        if (texts[i]) {
            cr_assert_eq(batch_builder_set_values(b, i, texts[i]), 0);
            dict_free(texts[i]);
        }
    return b;
}

static void finish_parents(struct batch_builder *b, struct parents *p)
{
    struct error_info err;

    buffer_init(&p->bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, BATCH_SLOT_ANY, &p->bytes), 0);
    cr_assert_eq(batch_open(p->bytes.data, p->bytes.len, &p->batch, &err), 0, "%s", err.text);
    batch_builder_free(b);
}

/*
 * Parents of some keys: `part` in 1,000 of them and of all that no row has; 0: any part of them, or a range, and some
 * that no row has.
 */
static void make_parents(const struct world *w, unsigned relation, uint32_t part, struct parents *p)
{
    static const uint32_t parts[] = {1, 20, 300, 900, 1000};
    struct batch_builder *b = batch_builder_new(NULL);
    uint32_t from = 0, to, always = w->keys[relation];

    p->n = w->keys[relation] + 30;
    p->has = calloc(p->n, sizeof(*p->has));
    to = p->n;
    if (!part) {
        part = parts[below(5)];
        always = p->n;
        from = below(3) ? 0 : below(p->n);
        to = below(3) ? p->n : from + below(p->n - from);
    }
    batch_builder_add_column(b, 0, relation < TEXT ? BATCH_I64 : BATCH_BYTES, 0);
    batch_builder_add_column(b, 1, BATCH_I64, 0);
    batch_builder_add_column(b, 2, BATCH_BYTES, 0);
    for (uint32_t i = from; i < to; i++) {
        int32_t k = (int32_t)(from + to - 1 - i);
        if (((uint32_t)k < always && below(1000) >= part) || (w->even && k % 2))
            continue;
        p->has[k] = true;
        put_key(w, b, 0, relation, k);
        if (number_of(k) < NUMBERS - 1)
            batch_builder_put_i64(b, 1, (int64_t)number_of(k) * 1000000007);
        if (name_of(k) < NAMES - 1)
            batch_builder_put_bytes(b, 2, &"abcd"[name_of(k)], 1);
        batch_builder_end_row(b);
    }
    finish_parents(b, p);
    if (below(2))
        return;
    struct buffer texts = p->bytes;
    finish_parents(with_codes(&p->batch), p);
    buffer_fini(&texts);
}

static void free_parents(struct parents *p)
{
    buffer_fini(&p->bytes);
    free(p->has);
}

/* ---- programs and the model ---- */

struct query {
    struct parents parents[RELATIONS];
    struct program_join joins[RELATIONS];
    unsigned relation[RELATIONS]; /* of a join */
    unsigned n;
    int64_t lo, hi; /* of VALUE; lo > hi: no condition */
    struct predicate where;
    int by_number, by_name; /* joins whose attributes are grouped by; -1 = none */
    bool by_own, hashed;
    uint16_t columns[3];
    struct aggregate aggregates[5];
    struct program_computed computed;
    struct program_order order;
    struct program program;
};

struct group {
    int64_t rows, values, sum, difference, first;
};

static bool has_parent(const struct query *q, unsigned join, const struct row *r)
{
    int32_t k = r->key[q->relation[join]];

    return k >= 0 && q->parents[join].has[k];
}

static bool is_wanted(const struct query *q, const struct row *r)
{
    bool is =
        r->live && (q->lo > q->hi || (r->has_value && r->value >= q->lo && r->value <= q->hi));

    for (unsigned i = 0; i < q->n && is; i++)
        is = q->joins[i].left || has_parent(q, i, r);
    return is;
}

static uint32_t group_of(const struct query *q, const struct row *r)
{
    uint32_t own = q->by_own ? r->own : 0, number = NUMBERS - 1, name = NAMES - 1;

    if (q->by_number < 0)
        number = 0;
    else if (has_parent(q, (unsigned)q->by_number, r))
        number = number_of(r->key[q->relation[q->by_number]]);
    if (q->by_name < 0)
        name = 0;
    else if (has_parent(q, (unsigned)q->by_name, r))
        name = name_of(r->key[q->relation[q->by_name]]);
    return (own * NUMBERS + number) * NAMES + name;
}

static void expect(const struct world *w, const struct query *q, struct group *groups)
{
    memset(groups, 0, GROUPS * sizeof(*groups));
    for (uint32_t id = 0; id < w->n; id++) {
        const struct row *r = &w->rows[id];
        struct group *g = &groups[group_of(q, r)];
        if (!is_wanted(q, r))
            continue;
        g->first = g->rows ? g->first : id;
        g->rows++;
        g->values += r->has_value;
        g->sum += r->has_value ? r->value : 0;
        g->difference += r->has_value ? r->value - 3 * r->other : 0;
    }
}

static void random_query(const struct world *w, struct query *q)
{
    *q = (struct query){.n = 1 + below(RELATIONS), .by_number = -1, .by_name = -1, .lo = 1};
    unsigned at = below(RELATIONS);

    for (unsigned i = 0; i < q->n; i++) {
        q->relation[i] = (at + i) % RELATIONS;
        make_parents(w, q->relation[i], 0, &q->parents[i]);
        q->joins[i] = (struct program_join){.column = (uint16_t)(1 + q->relation[i]),
                                            .left = below(6) == 0,
                                            .parents = &q->parents[i].batch};
    }
    if (below(2)) {
        q->lo = (int64_t)below(1000) - 300;
        q->hi = q->lo + below(below(2) ? 20 : 700);
        q->where =
            (struct predicate){.kind = PREDICATE_RANGE, .column = VALUE, .lo = q->lo, .hi = q->hi};
    }
    struct program *p = &q->program;
    *p = (struct program){.table_id = 1,
                          .where = q->lo > q->hi ? NULL : &q->where,
                          .n_joins = (uint16_t)q->n,
                          .joins = q->joins,
                          .columns = q->columns,
                          .limit = UINT64_MAX,
                          .memory = 256 << 20};
}

static void random_groups(struct query *q)
{
    struct program *p = &q->program;

    q->by_own = below(2);
    q->by_number = below(2) ? (int)below(q->n) : -1;
    q->by_name = below(2) ? (int)below(q->n) : -1;
    q->hashed = below(4) == 0;
    p->output = OUTPUT_GROUPS;
    if (q->by_own)
        q->columns[p->n_columns++] = OWN;
    if (q->by_number >= 0)
        q->columns[p->n_columns++] = program_parent_ref((unsigned)q->by_number, 1);
    if (q->by_name >= 0)
        q->columns[p->n_columns++] = program_parent_ref((unsigned)q->by_name, 2);
    q->computed = (struct program_computed){COMPUTED_SUBTRACT, {{VALUE, 1}, {OTHER, 3}}};
    p->n_computed = 1;
    p->computed = &q->computed;
    q->aggregates[0] = (struct aggregate){AGGREGATE_COUNT_ROWS, 0};
    q->aggregates[1] = (struct aggregate){AGGREGATE_COUNT, VALUE};
    q->aggregates[2] = (struct aggregate){AGGREGATE_SUM, VALUE};
    q->aggregates[3] = (struct aggregate){AGGREGATE_SUM, PROGRAM_COMPUTED};
    q->aggregates[4] = (struct aggregate){AGGREGATE_MIN, ID}; /* not added in arrays */
    p->aggregates = q->aggregates;
    p->n_aggregates = q->hashed ? 5 : 4;
}

static void free_query(struct query *q)
{
    for (unsigned i = 0; i < q->n; i++)
        free_parents(&q->parents[i]);
}

/* ---- runs ---- */

static struct scan *open_scan(struct world *w, const struct program *p)
{
    static struct task wake;
    struct error_info err;
    struct scan *x;

    cr_assert_eq(program_validate(p, w->schema, &err), 0, "%s", err.text);
    cr_assert_eq(scan_new(p, w->schema, &w->slot, 1, NULL, &wake, &x, &err), 0, "%s", err.text);
    return x;
}

static uint32_t group_at(const struct query *q, const struct batch *b, uint32_t row)
{
    uint32_t own = 0, number = 0, name = 0, len;
    struct batch_column c;
    unsigned at = 0;

    if (q->by_own) {
        batch_column_at(b, at++, &c);
        own = batch_is_present(&c, row) ? (uint32_t)batch_i64(&c, row) : OWNS;
    }
    if (q->by_number >= 0) {
        batch_column_at(b, at++, &c);
        number =
            batch_is_present(&c, row) ? (uint32_t)(batch_i64(&c, row) / 1000000007) : NUMBERS - 1;
    }
    if (q->by_name >= 0) {
        batch_column_at(b, at++, &c);
        name =
            batch_is_present(&c, row) ? (uint32_t)(*batch_bytes(&c, row, &len) - 'a') : NAMES - 1;
    }
    return (own * NUMBERS + number) * NAMES + name;
}

static void check_group(const struct query *q, const struct batch *b, uint32_t row,
                        const struct group *g)
{
    struct batch_column c;
    unsigned at = q->program.n_columns;

    batch_column_at(b, at, &c);
    cr_assert_eq(batch_i64(&c, row), g->rows, "rows %" PRId64 ", not %" PRId64, batch_i64(&c, row),
                 g->rows);
    batch_column_at(b, at + 1, &c);
    cr_assert_eq(batch_i64(&c, row), g->values);
    batch_column_at(b, at + 2, &c);
    cr_assert(g->values ? batch_i128(&c, row) == g->sum : !batch_is_present(&c, row));
    batch_column_at(b, at + 3, &c);
    cr_assert(g->values ? batch_i128(&c, row) == g->difference : !batch_is_present(&c, row));
    if (!q->hashed)
        return;
    batch_column_at(b, at + 4, &c);
    cr_assert(g->rows ? batch_i64(&c, row) == g->first : !batch_is_present(&c, row));
}

/* `groups` must be all there is; those that were seen are emptied. */
static void run_groups(struct scan *x, const struct query *q, struct group *groups)
{
    enum scan_state s;
    struct batch b;

    while ((s = scan_step(x, 100, &b)) == SCAN_AGAIN || s == SCAN_BATCH)
        for (uint32_t row = 0; s == SCAN_BATCH && row < b.rows; row++) {
            struct group *g = &groups[group_at(q, &b, row)];
            check_group(q, &b, row, g);
            memset(g, 0, sizeof(*g));
        }
    cr_assert_eq(s, SCAN_END, "%s", scan_error(x)->text);
    for (unsigned i = 0; i < GROUPS; i++)
        cr_assert_eq(groups[i].rows, 0, "group %u is missing", i);
    scan_free(x);
}

static void check_groups(struct world *w)
{
    const struct kernels *forms[4];
    unsigned n = kernel_forms(forms);
    struct group groups[GROUPS];
    struct query q;

    random_query(w, &q);
    random_groups(&q);
    for (unsigned i = 0; i < n; i++) {
        kernel_use(forms[i]);
        expect(w, &q, groups);
        run_groups(open_scan(w, &q.program), &q, groups);
    }
    kernel_choose("auto");
    free_query(&q);
}

/* All rows, or the last ones by their id: the ids that come. */
static void check_rows(struct world *w)
{
    struct query q;
    struct batch b;
    enum scan_state s;
    uint64_t n = 0, sum = 0, wanted = 0, wanted_sum = 0;

    random_query(w, &q);
    q.columns[0] = ID;
    q.columns[1] = program_parent_ref(0, 1);
    q.program.output = OUTPUT_ROWS;
    q.program.n_columns = 2;
    if (below(2)) {
        q.order = (struct program_order){.output = 0, .descending = true};
        q.program.n_order = 1;
        q.program.order = &q.order;
        q.program.limit = 1 + below(40);
    }
    for (uint32_t id = w->n; id-- > 0;)
        if (is_wanted(&q, &w->rows[id]) && wanted < q.program.limit) {
            wanted++;
            wanted_sum += id;
        }
    struct scan *x = open_scan(w, &q.program);
    while ((s = scan_step(x, 700, &b)) == SCAN_AGAIN || s == SCAN_BATCH) {
        struct batch_column c;
        if (s == SCAN_AGAIN)
            continue;
        batch_column_at(&b, 0, &c);
        for (uint32_t row = 0; row < b.rows; row++, n++)
            sum += (uint64_t)batch_i64(&c, row);
    }
    cr_assert_eq(s, SCAN_END);
    cr_assert(n == wanted && sum == wanted_sum, "%" PRIu64 " rows, not %" PRIu64, n, wanted);
    scan_free(x);
    free_query(&q);
}

static uint64_t seed_state(void)
{
    const char *given = getenv("TEST_SEED");

    state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    fprintf(stderr, "scan_joins TEST_SEED=%" PRIu64 "\n", state);
    return state;
}

Test(scan_joins, finds_what_the_model_finds)
{
    struct world w;

    seed_state();
    for (unsigned i = 0; i < WORLDS; i++) {
        uint32_t rows = 600 + below(5000) + (i == 3 ? 66000 : 0);
        make_world(&w, rows, below(4) ? rows - below(600) : 0, 0);
        if (below(3))
            change(&w);
        for (unsigned k = 0; k < (rows > 60000 ? 8 : PROGRAMS); k++) {
            check_groups(&w);
            check_rows(&w);
        }
        free_world(&w);
    }
}

/* What the first block tells, that a join drops no rows or that its range is enough, does not hold for the others. */
Test(scan_joins, drop_what_earlier_blocks_did_not_have)
{
    struct world w;

    seed_state();
    for (unsigned i = 0; i < 2; i++) {
        make_world(&w, 140000, 139000 + below(1000), 65536);
        for (unsigned k = 0; k < 12; k++) {
            check_groups(&w);
            check_rows(&w);
        }
        free_world(&w);
    }
}

/* A row gets a relation value that its slot did not have when the scan began: its parent is found. */
Test(scan_joins, find_values_that_come_while_they_run)
{
    struct group groups[GROUPS];
    struct world w;
    struct query q;

    seed_state();
    for (unsigned relation = NEAR; relation <= KIND; relation++) {
        make_world(&w, 70000, 69000, 0);
        random_query(&w, &q);
        free_query(&q);
        q.n = q.program.n_joins = 1;
        q.relation[0] = relation;
        make_parents(&w, relation, 300, &q.parents[0]);
        q.joins[0].column = (uint16_t)(1 + relation);
        q.joins[0].left = false;
        q.program.where = NULL;
        q.lo = 1;
        q.hi = 0;
        random_groups(&q);
        q.by_name = q.by_number = 0;
        q.by_own = false;
        q.program.n_columns = 2;
        q.columns[0] = program_parent_ref(0, 1);
        q.columns[1] = program_parent_ref(0, 2);
        struct scan *x = open_scan(&w, &q.program);
        struct batch b;
        cr_assert_eq(scan_step(x, 100, &b), SCAN_AGAIN);
        for (uint32_t id = 66000; id < 66100; id++) {
            w.rows[id].key[relation] = (int32_t)(w.keys[relation] + id % 30);
            replace(&w, id);
        }
        expect(&w, &q, groups);
        run_groups(x, &q, groups);
        free_query(&q);
        free_world(&w);
    }
}
