/*
 * Scans against a model: random rows, random predicates, every kind of output, compared with a row-by-row evaluation.
 * The seed is printed with a failure (QUANTA_SEED sets it).
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/reactor.h"
#include "storage/like.h"
#include "storage/merge.h"
#include "storage/scan.h"

enum { COL_ID, COL_NUM, COL_KIND, COL_NAME, COL_TAGS, COL_FLAG, COLUMNS, MAX_TAGS = 4 };

struct row {
    bool live, has_num, has_kind, has_name, has_flag;
    int64_t id, num;
    int kind, name, flag;
    int tags[MAX_TAGS], n_tags;
};

struct world {
    uint64_t seed;
    struct schema *schema;
    struct slot *slot;
    struct row *rows;
    uint32_t n;
    struct arena arena;
};

static uint64_t next_random(struct world *w)
{
    uint64_t z = w->seed += 0x9e3779b97f4a7c15ULL;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

static uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)(next_random(w) % n);
}

static const char *text_of(char prefix, int v)
{
    static char text[4][24];
    static unsigned at;

    at = (at + 1) % 4;
    snprintf(text[at], sizeof(text[at]), "%c%d", prefix, v);
    return text[at];
}

static void make_world(struct world *w, uint32_t n)
{
    const char *seed = getenv("QUANTA_SEED");
    struct error_info err;

    memset(w, 0, sizeof(*w));
    w->seed = seed ? strtoull(seed, NULL, 0) : 20260101;
    w->schema = schema_new("t");
    schema_add_column(w->schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(w->schema, "num", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(w->schema, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(w->schema, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    struct column *tags = schema_add_column(w->schema, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = true;
    tags->delim = ',';
    schema_add_column(w->schema, "flag", COLUMN_BOOL, MAPPING_BOOL_DIRECT);
    w->schema->primary_key = strdup("id");
    cr_assert_eq(schema_finish(w->schema, &err), 0, "%s", err.text);
    w->schema->table_id = 1;
    cr_assert_eq(slot_new(w->schema, 0, 42, NULL, &w->slot), 0);
    w->rows = calloc(n, sizeof(*w->rows));
    w->n = n;
    arena_init(&w->arena, 64 << 20, NULL);
}

static void free_world(struct world *w)
{
    slot_free(w->slot);
    schema_put(w->schema);
    arena_fini(&w->arena);
    free(w->rows);
}

static void random_row(struct world *w, uint32_t i, struct row *r)
{
    *r = (struct row){.live = true, .id = i};
    r->has_num = below(w, 10) != 0;
    r->num = (int64_t)below(w, 2000) - 1000;
    if (below(w, 50) == 0)
        r->num = below(w, 2) ? INT64_MAX : INT64_MIN;
    r->has_kind = below(w, 10) != 0;
    r->kind = (int)below(w, 30);
    r->has_name = below(w, 10) != 0;
    r->name = (int)below(w, 3000);
    r->has_flag = below(w, 10) != 0;
    r->flag = (int)below(w, 2);
    int wanted = (int)below(w, MAX_TAGS + 1);
    for (int k = 0; k < wanted; k++) {
        int tag = (int)below(w, 12);
        bool repeated = false;
        for (int j = 0; j < r->n_tags; j++)
            repeated |= r->tags[j] == tag;
        if (!repeated)
            r->tags[r->n_tags++] = tag;
    }
}

static void put_row(struct batch_builder *b, const struct row *r)
{
    batch_builder_put_i64(b, COL_ID, r->id);
    if (r->has_num)
        batch_builder_put_i64(b, COL_NUM, r->num);
    const char *s = text_of('k', r->kind);
    if (r->has_kind)
        batch_builder_put_bytes(b, COL_KIND, s, (uint32_t)strlen(s));
    s = text_of('n', r->name);
    if (r->has_name)
        batch_builder_put_bytes(b, COL_NAME, s, (uint32_t)strlen(s));
    for (int i = 0; i < r->n_tags; i++) {
        s = text_of('t', r->tags[i]);
        batch_builder_put_list_item(b, COL_TAGS, s, (uint32_t)strlen(s));
    }
    if (r->has_flag)
        batch_builder_put_i64(b, COL_FLAG, r->flag);
    cr_assert_eq(batch_builder_end_row(b), 0);
}

static void apply(struct world *w, struct batch_builder *b, enum batch_op op)
{
    struct buffer bytes;
    struct batch batch;
    struct error_info err;
    struct write_result result = {0};

    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 1, 0, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_apply(w->slot, &batch, &result), 0);
    cr_assert_eq(result.rejected, 0, "%s", result.n_errors ? result.errors[0].info.text : "");
    buffer_fini(&bytes);
    batch_builder_reset(b);
}

static struct batch_builder *row_builder(const struct world *w)
{
    static const enum batch_kind kinds[COLUMNS] = {BATCH_I64,   BATCH_I64,  BATCH_BYTES,
                                                   BATCH_BYTES, BATCH_LIST, BATCH_I64};
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < COLUMNS; i++)
        batch_builder_add_column(b, w->schema->columns[i].id, kinds[i], 0);
    return b;
}

static void fill(struct world *w)
{
    struct batch_builder *b = row_builder(w);

    for (uint32_t i = 0; i < w->n; i++) {
        random_row(w, i, &w->rows[i]);
        put_row(b, &w->rows[i]);
        if (i % 10000 == 9999 || i + 1 == w->n)
            apply(w, b, BATCH_INSERT);
    }
    for (uint32_t k = 0; k < w->n / 20; k++) { /* some rows replaced */
        uint32_t i = below(w, w->n);
        random_row(w, i, &w->rows[i]);
        put_row(b, &w->rows[i]);
        apply(w, b, BATCH_REPLACE);
    }
    batch_builder_free(b);
    b = batch_builder_new(NULL);
    batch_builder_add_column(b, w->schema->columns[COL_ID].id, BATCH_I64, 0);
    for (uint32_t k = 0; k < w->n / 20; k++) { /* some deleted */
        uint32_t i = below(w, w->n);
        w->rows[i].live = false;
        batch_builder_put_i64(b, 0, i);
        batch_builder_end_row(b);
        apply(w, b, BATCH_DELETE);
    }
    batch_builder_free(b);
}

/* --- predicates --- */

static struct predicate *new_predicate(struct world *w, enum predicate_kind kind, uint16_t column)
{
    struct predicate *p = arena_alloc(&w->arena, sizeof(*p));

    p->kind = kind;
    p->column = column;
    p->negate = below(w, 3) == 0;
    return p;
}

static void set_strings(struct world *w, struct predicate *p, char prefix, uint32_t range,
                        uint32_t n)
{
    struct program_string *s = arena_alloc(&w->arena, n * sizeof(*s));

    for (uint32_t i = 0; i < n; i++) {
        const char *t = text_of(prefix, (int)below(w, range));
        s[i].bytes = arena_strndup(&w->arena, t, strlen(t));
        s[i].len = (uint32_t)strlen(t);
    }
    p->strings = s;
    p->n = n;
}

static int compare_ints(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static struct predicate *random_leaf(struct world *w)
{
    static const uint16_t string_columns[] = {COL_KIND, COL_NAME, COL_TAGS};
    static const char prefixes[] = "knt";
    static const uint32_t ranges[] = {35, 3300, 14};
    uint32_t s = below(w, 3);
    struct predicate *p;

    switch (below(w, 7)) {
    case 0:
        p = new_predicate(w, PREDICATE_RANGE, COL_NUM);
        p->lo = (int64_t)below(w, 2400) - 1200;
        p->hi = p->lo + below(w, 800);
        return p;
    case 1: {
        p = new_predicate(w, PREDICATE_INTS, below(w, 2) ? COL_NUM : COL_ID);
        p->n = 1 + below(w, 20);
        int64_t *v = arena_alloc(&w->arena, p->n * sizeof(*v));
        for (uint32_t i = 0; i < p->n; i++)
            v[i] = (int64_t)below(w, 2000) - 1000 + i * 4000; /* unique */
        qsort(v, p->n, sizeof(*v), compare_ints);
        p->ints = v;
        return p;
    }
    case 2:
        p = new_predicate(w, PREDICATE_STRINGS, string_columns[s]);
        set_strings(w, p, prefixes[s], ranges[s], 1 + below(w, 4));
        return p;
    case 3:
        p = new_predicate(w, PREDICATE_STRING_RANGE, string_columns[s]);
        set_strings(w, p, prefixes[s], ranges[s], 2);
        p->lo_open = below(w, 2);
        p->hi_open = below(w, 2);
        if (below(w, 3) == 0)
            ((struct program_string *)p->strings)[below(w, 2)].len = UINT32_MAX;
        return p;
    case 4: {
        static const char *const patterns[] = {"%1%", "_2%", "%3", "n1_", "%", "k%"};
        const char *t = patterns[below(w, 6)];
        p = new_predicate(w, PREDICATE_LIKE, string_columns[s]);
        struct program_string *one = arena_alloc(&w->arena, sizeof(*one));
        *one = (struct program_string){t, (uint32_t)strlen(t)};
        p->strings = one;
        p->n = 1;
        return p;
    }
    case 5:
        return new_predicate(w, PREDICATE_NULL, (uint16_t)(1 + below(w, COLUMNS - 1)));
    default:
        p = new_predicate(w, PREDICATE_RANGE, COL_FLAG);
        p->lo = p->hi = below(w, 2);
        return p;
    }
}

static struct predicate *random_predicate(struct world *w, unsigned depth)
{
    if (depth == 0 || below(w, 3) == 0)
        return random_leaf(w);
    struct predicate *p = arena_alloc(&w->arena, sizeof(*p));
    p->kind = below(w, 2) ? PREDICATE_AND : PREDICATE_OR;
    p->n = 1 + below(w, 3);
    const struct predicate **children = arena_alloc(&w->arena, p->n * sizeof(*children));
    for (uint32_t i = 0; i < p->n; i++)
        children[i] = random_predicate(w, depth - 1);
    p->children = children;
    return p;
}

static bool string_matches(const struct predicate *p, const char *s)
{
    size_t len = strlen(s);

    if (p->kind == PREDICATE_LIKE)
        return like_match(s, (uint32_t)len, p->strings[0].bytes, p->strings[0].len, 0);
    if (p->kind == PREDICATE_STRINGS) {
        for (uint32_t i = 0; i < p->n; i++)
            if (p->strings[i].len == len && !memcmp(p->strings[i].bytes, s, len))
                return true;
        return false;
    }
    char bound[64];
    for (unsigned i = 0; i < 2; i++) {
        if (p->strings[i].len == UINT32_MAX)
            continue;
        snprintf(bound, sizeof(bound), "%.*s", (int)p->strings[i].len, p->strings[i].bytes);
        int c = i ? strcmp(bound, s) : strcmp(s, bound);
        if (c < 0 || (c == 0 && (i ? p->hi_open : p->lo_open)))
            return false;
    }
    return true;
}

static bool is_present(const struct row *r, uint16_t column)
{
    const bool present[COLUMNS] = {true,        r->has_num,    r->has_kind,
                                   r->has_name, r->n_tags > 0, r->has_flag};

    return present[column];
}

static int64_t int_value(const struct row *r, uint16_t column)
{
    return column == COL_ID ? r->id : column == COL_NUM ? r->num : r->flag;
}

static bool leaf_matches(const struct predicate *p, const struct row *r)
{
    bool hit = false;

    if (p->kind == PREDICATE_NULL)
        return is_present(r, p->column) == p->negate;
    if (!is_present(r, p->column))
        return false;
    if (p->kind == PREDICATE_RANGE) {
        hit = int_value(r, p->column) >= p->lo && int_value(r, p->column) <= p->hi;
    } else if (p->kind == PREDICATE_INTS) {
        for (uint32_t i = 0; i < p->n; i++)
            hit |= p->ints[i] == int_value(r, p->column);
    } else if (p->column == COL_TAGS) {
        for (int i = 0; i < r->n_tags; i++)
            hit |= string_matches(p, text_of('t', r->tags[i]));
    } else {
        hit = string_matches(p,
                             p->column == COL_KIND ? text_of('k', r->kind) : text_of('n', r->name));
    }
    return hit != p->negate;
}

static bool matches(const struct predicate *p, const struct row *r)
{
    if (!p)
        return true;
    if (p->kind != PREDICATE_AND && p->kind != PREDICATE_OR)
        return leaf_matches(p, r);
    for (uint32_t i = 0; i < p->n; i++)
        if (matches(p->children[i], r) != (p->kind == PREDICATE_AND))
            return p->kind == PREDICATE_OR;
    return p->kind == PREDICATE_AND;
}

/* --- running --- */

typedef void row_fn(struct world *w, const struct batch *b, uint32_t row, void *ctx);

static uint64_t run(struct world *w, const struct program *p, row_fn *fn, void *ctx)
{
    struct task wake = {0};
    struct error_info err;
    struct scan *x;
    uint64_t rows = 0;
    bool done = false;

    cr_assert_eq(program_validate(p, w->schema, &err), 0, "%s", err.text);
    cr_assert_eq(scan_new(p, w->schema, &w->slot, 1, NULL, &wake, &x, &err), 0, "%s", err.text);
    for (;;) {
        struct batch b;
        enum scan_state state = scan_run(x, 100, 1000, &b);
        cr_assert_neq(state, SCAN_ERROR, "%s", scan_error(x)->text);
        cr_assert_neq(state, SCAN_WAIT);
        if (state == SCAN_END)
            break;
        if (state != SCAN_BATCH)
            continue;
        cr_assert(!done, "a batch came after the last one");
        done = scan_is_done(x);
        for (uint32_t i = 0; i < b.rows; i++)
            fn(w, &b, i, ctx);
        rows += b.rows;
    }
    cr_assert(done || !rows || (p->output == OUTPUT_ROWS && !p->n_order),
              "the last batch was not known to be it");
    scan_free(x);
    return rows;
}

static void check_totals_row(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    const struct predicate *where = ctx;
    int64_t rows = 0, nums = 0, kinds = 0, min = INT64_MAX, max = INT64_MIN;
    __int128 sum = 0;
    struct batch_column c[6];

    for (uint32_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        if (!r->live || !matches(where, r))
            continue;
        rows++;
        kinds += r->has_kind;
        if (!r->has_num)
            continue;
        nums++;
        sum += r->num;
        min = r->num < min ? r->num : min;
        max = r->num > max ? r->num : max;
    }
    for (unsigned i = 0; i < 6; i++)
        batch_column_at(b, i, &c[i]);
    cr_assert_eq(batch_i64(&c[0], row), rows, "count(*) %ld, expected %ld",
                 (long)batch_i64(&c[0], row), (long)rows);
    cr_assert_eq(batch_i64(&c[1], row), nums);
    cr_assert_eq(batch_i64(&c[2], row), kinds);
    for (unsigned i = 3; i < 6; i++)
        cr_assert_eq(batch_is_present(&c[i], row), nums > 0);
    if (!nums)
        return;
    cr_assert(batch_i128(&c[3], row) == sum);
    cr_assert_eq(batch_i64(&c[4], row), min);
    cr_assert_eq(batch_i64(&c[5], row), max);
}

static const struct aggregate all_aggregates[] = {
    {AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_COUNT, COL_NUM}, {AGGREGATE_COUNT, COL_KIND},
    {AGGREGATE_SUM, COL_NUM},  {AGGREGATE_MIN, COL_NUM},   {AGGREGATE_MAX, COL_NUM},
};

static void check_totals(struct world *w, const struct predicate *where)
{
    struct program p = {.table_id = 1,
                        .where = where,
                        .output = OUTPUT_GROUPS,
                        .n_aggregates = 6,
                        .aggregates = all_aggregates,
                        .memory = 256 << 20};

    cr_assert_eq(run(w, &p, check_totals_row, (void *)where), 1);
}

/* Every row of a group result is recomputed from the model. */
struct group_check {
    const struct predicate *where;
    const uint16_t *columns;
    unsigned n;
    uint64_t counted; /* rows over all groups */
};

static bool cell_equals(const struct batch_column *c, uint32_t row, bool present, const char *text,
                        int64_t v)
{
    uint32_t len;

    if (batch_is_present(c, row) != present)
        return false;
    if (!present)
        return true;
    if (c->kind == BATCH_I64)
        return batch_i64(c, row) == v;
    const char *s = batch_bytes(c, row, &len);
    return len == strlen(text) && !memcmp(s, text, len);
}

/* How many times the model row counts in the group of this output row. */
static unsigned in_group(const struct group_check *g, const struct batch *b, uint32_t row,
                         const struct row *r)
{
    unsigned times = 1;

    for (unsigned i = 0; i < g->n; i++) {
        struct batch_column c;
        bool hit = false;
        batch_column_at(b, i, &c);
        uint16_t column = g->columns[i];
        if (column == COL_TAGS && r->n_tags) {
            for (int k = 0; k < r->n_tags; k++)
                hit |= cell_equals(&c, row, true, text_of('t', r->tags[k]), 0);
        } else {
            const char *text = column == COL_KIND ? text_of('k', r->kind) : text_of('n', r->name);
            hit = cell_equals(&c, row, is_present(r, column), text, int_value(r, column));
        }
        times *= hit;
    }
    return times;
}

static void check_group_row(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct group_check *g = ctx;
    struct batch_column count, sum, min;
    int64_t n = 0, nums = 0, least = INT64_MAX;
    __int128 total = 0;

    batch_column_at(b, g->n, &count);
    if (w->n > 10000 &&
        below(w, 32)) { /* the model looks at every row: only some groups of a large table */
        g->counted += (uint64_t)batch_i64(&count, row);
        return;
    }
    batch_column_at(b, g->n + 1, &sum);
    batch_column_at(b, g->n + 2, &min);
    for (uint32_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        if (!r->live || !matches(g->where, r) || !in_group(g, b, row, r))
            continue;
        n++;
        if (!r->has_num)
            continue;
        nums++;
        total += r->num;
        least = r->num < least ? r->num : least;
    }
    cr_assert_eq(batch_i64(&count, row), n);
    cr_assert_eq(batch_is_present(&sum, row), nums > 0);
    if (nums) {
        cr_assert(batch_i128(&sum, row) == total);
        cr_assert_eq(batch_i64(&min, row), least);
    }
    g->counted += (uint64_t)n;
}

static uint64_t expected_entries(struct world *w, const struct group_check *g)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        unsigned times = 1;
        if (!r->live || !matches(g->where, r))
            continue;
        for (unsigned k = 0; k < g->n; k++)
            if (g->columns[k] == COL_TAGS && r->n_tags)
                times *= (unsigned)r->n_tags;
        n += times;
    }
    return n;
}

static void check_groups(struct world *w, const struct predicate *where, const uint16_t *columns,
                         unsigned n)
{
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                                  {AGGREGATE_SUM, COL_NUM},
                                                  {AGGREGATE_MIN, COL_NUM}};
    struct group_check g = {where, columns, n, 0};
    struct program p = {.table_id = 1,
                        .where = where,
                        .output = OUTPUT_GROUPS,
                        .n_columns = (uint16_t)n,
                        .columns = columns,
                        .n_aggregates = 3,
                        .aggregates = aggregates,
                        .memory = 256 << 20};

    run(w, &p, check_group_row, &g);
    cr_assert_eq(g.counted, expected_entries(w, &g));
}

/* count(*) alone by one enumerated column takes another way through the scan. */
static void count_entries(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct batch_column c;

    (void)w;
    batch_column_at(b, 1, &c);
    *(uint64_t *)ctx += (uint64_t)batch_i64(&c, row);
}

static void check_codes(struct world *w, const struct predicate *where, uint16_t column)
{
    struct program p = {.table_id = 1,
                        .where = where,
                        .output = OUTPUT_GROUPS,
                        .n_columns = 1,
                        .columns = &column,
                        .n_aggregates = 1,
                        .aggregates = all_aggregates,
                        .memory = 256 << 20};
    struct group_check g = {where, &column, 1, 0};
    uint64_t n = 0;

    run(w, &p, count_entries, &n);
    cr_assert_eq(n, expected_entries(w, &g), "groups of column %u count %lu rows, expected %lu",
                 column, (unsigned long)n, (unsigned long)expected_entries(w, &g));
}

struct rows_check {
    uint8_t *seen;
    const struct predicate *where;
    int64_t last;
    bool any, last_null;
};

static void check_row(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct rows_check *k = ctx;
    struct batch_column c[COLUMNS];

    for (unsigned i = 0; i < COLUMNS; i++)
        batch_column_at(b, i, &c[i]);
    uint32_t id = (uint32_t)batch_i64(&c[COL_ID], row);
    const struct row *r = &w->rows[id];
    cr_assert(id < w->n && r->live && matches(k->where, r), "row %u should not be there", id);
    cr_assert(!k->seen[id]++, "row %u came twice", id);
    cr_assert(cell_equals(&c[COL_NUM], row, r->has_num, NULL, r->num));
    cr_assert(cell_equals(&c[COL_KIND], row, r->has_kind, text_of('k', r->kind), 0));
    cr_assert(cell_equals(&c[COL_NAME], row, r->has_name, text_of('n', r->name), 0));
    cr_assert(cell_equals(&c[COL_FLAG], row, r->has_flag, NULL, r->flag));
    cr_assert_eq(batch_is_present(&c[COL_TAGS], row) ? batch_list_count(&c[COL_TAGS], row) : 0,
                 (uint32_t)r->n_tags);
    for (int i = 0; i < r->n_tags; i++) {
        uint32_t len;
        const char *s = batch_list_item(&c[COL_TAGS], row, (uint32_t)i, &len),
                   *t = text_of('t', r->tags[i]);
        cr_assert(len == strlen(t) && !memcmp(s, t, len), "values keep their order of insertion");
    }
}

static const uint16_t all_columns[] = {COL_ID, COL_NUM, COL_KIND, COL_NAME, COL_TAGS, COL_FLAG};

static uint64_t count_matching(const struct world *w, const struct predicate *where)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < w->n; i++)
        n += w->rows[i].live && matches(where, &w->rows[i]);
    return n;
}

static void check_rows(struct world *w, const struct predicate *where, uint64_t limit)
{
    struct program p = {.table_id = 1,
                        .where = where,
                        .output = OUTPUT_ROWS,
                        .n_columns = COLUMNS,
                        .columns = all_columns,
                        .limit = limit,
                        .memory = 256 << 20};
    struct rows_check k = {calloc(w->n, 1), where, 0, false, false};
    uint64_t n = run(w, &p, check_row, &k), all = count_matching(w, where);

    cr_assert_eq(n, all < limit ? all : limit);
    free(k.seen);
}

static void check_ordered_row(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct rows_check *k = ctx;
    struct batch_column c;

    batch_column_at(b, COL_NUM, &c);
    bool null = !batch_is_present(&c, row);
    if (k->any)
        cr_assert(k->last_null ? null : null || batch_i64(&c, row) <= k->last,
                  "descending, NULLs last");
    k->any = true;
    k->last_null = null;
    k->last = null ? 0 : batch_i64(&c, row);
    check_row(w, b, row, ctx);
}

/* num descending: what is left out must not be larger than what is there. */
static void check_top(struct world *w, const struct predicate *where, uint64_t limit)
{
    static const struct program_order order[] = {{COL_NUM, true}, {COL_ID, false}};
    struct program p = {.table_id = 1,
                        .where = where,
                        .output = OUTPUT_ROWS,
                        .n_columns = COLUMNS,
                        .columns = all_columns,
                        .n_order = 2,
                        .order = order,
                        .limit = limit,
                        .memory = 256 << 20};
    struct rows_check k = {calloc(w->n, 1), where, 0, false, false};
    uint64_t n = run(w, &p, check_ordered_row, &k), all = count_matching(w, where);

    cr_assert_eq(n, all < limit ? all : limit);
    for (uint32_t i = 0; i < w->n && n == limit; i++) {
        const struct row *r = &w->rows[i];
        if (r->live && !k.seen[i] && matches(where, r) && r->has_num)
            cr_assert(!k.last_null && r->num <= k.last, "row %u is missing", i);
    }
    free(k.seen);
}

static void check_all(struct world *w, unsigned rounds)
{
    static const uint16_t groups[][2] = {{COL_KIND, COL_FLAG},
                                         {COL_TAGS, COL_KIND},
                                         {COL_FLAG, COL_TAGS}};

    for (unsigned i = 0; i < rounds; i++) {
        const struct predicate *where = i ? random_predicate(w, 2) : NULL;
        check_totals(w, where);
        check_codes(w, where, COL_KIND);
        check_codes(w, where, COL_TAGS);
        check_codes(w, where, COL_FLAG);
        check_groups(w, where, groups[i % 3], 1 + i % 2);
        check_rows(w, where, UINT64_MAX);
        check_rows(w, where, 1 + below(w, 3000));
        check_top(w, where, 1 + below(w, 100));
        arena_reset(&w->arena);
    }
}

Test(scan, agrees_with_a_model_in_the_tail)
{
    struct world w;

    make_world(&w, 3000);
    fill(&w);
    check_all(&w, 30);
    free_world(&w);
}

Test(scan, agrees_with_a_model_in_sealed_blocks)
{
    struct world w;

    make_world(&w, 70000);
    fill(&w);
    cr_assert_eq(segment_seal(slot_segment(w.slot, 0), false), 0);
    check_all(&w, 6);
    free_world(&w);
}

/* A predicate on the whole key goes by the index; it must find what a scan finds, and nothing for other keys. */
Test(scan, finds_rows_by_their_key)
{
    struct world w;

    make_world(&w, 70000);
    fill(&w);
    for (int i = 0; i < 300; i++) {
        struct predicate *key = new_predicate(&w, PREDICATE_RANGE, COL_ID),
                         *both = new_predicate(&w, PREDICATE_AND, 0);
        const struct predicate **children = arena_alloc(&w.arena, 2 * sizeof(*children));
        key->negate = false;
        key->lo = key->hi = (int64_t)below(&w, w.n + 1000);
        children[0] = key;
        children[1] = random_leaf(&w);
        *both = (struct predicate){.kind = PREDICATE_AND, .n = 2, .children = children};
        check_rows(&w, key, UINT64_MAX);
        check_rows(&w, both, 1);
        check_totals(&w, both);
        arena_reset(&w.arena);
    }
    free_world(&w);
}

/* --- join: parents are the names n0, n3, n6 ... with the attributes number % 5 (as text, some NULL) and number --- */

enum { PARENTS = 1000 };

static void make_parents(struct buffer *bytes, struct batch *out)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err;

    batch_builder_add_column(b, 0, BATCH_BYTES, 0);
    batch_builder_add_column(b, 1, BATCH_BYTES, 0);
    batch_builder_add_column(b, 2, BATCH_I64, 0);
    for (int i = 0; i < PARENTS; i++) {
        const char *s = text_of('n', 3 * i);
        batch_builder_put_bytes(b, 0, s, (uint32_t)strlen(s));
        s = text_of('a', i % 5);
        if (i % 7)
            batch_builder_put_bytes(b, 1, s, (uint32_t)strlen(s));
        batch_builder_put_i64(b, 2, i);
        batch_builder_end_row(b);
    }
    buffer_init(bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, BATCH_SLOT_ANY, bytes), 0);
    cr_assert_eq(batch_open(bytes->data, bytes->len, out, &err), 0);
    batch_builder_free(b);
}

static int parent_of(const struct row *r)
{
    return r->has_name && r->name % 3 == 0 && r->name / 3 < PARENTS ? r->name / 3 : -1;
}

struct join_check {
    const struct predicate *where;
    bool left;
    uint64_t counted;
};

static void check_join_row(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct join_check *k = ctx;
    struct batch_column attribute, count, max;
    int64_t n = 0, most = -1;

    batch_column_at(b, 0, &attribute);
    batch_column_at(b, 1, &count);
    batch_column_at(b, 2, &max);
    for (uint32_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        int parent = parent_of(r);
        if (!r->live || !matches(k->where, r) || (parent < 0 && !k->left))
            continue;
        if (!cell_equals(&attribute, row, parent >= 0 && parent % 7,
                         text_of('a', parent < 0 ? 0 : parent % 5), 0))
            continue;
        n++;
        most = parent > most ? parent : most;
    }
    cr_assert_eq(batch_i64(&count, row), n);
    cr_assert_eq(batch_is_present(&max, row), most >= 0);
    if (most >= 0)
        cr_assert_eq(batch_i64(&max, row), most);
    k->counted += (uint64_t)n;
}

Test(scan, joins_children_to_their_parents)
{
    static const uint16_t columns[] = {PROGRAM_PARENT + 1};
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                                  {AGGREGATE_MAX, PROGRAM_PARENT + 2}};
    struct world w;
    struct buffer bytes;
    struct batch parents;

    make_world(&w, 6000);
    fill(&w);
    make_parents(&bytes, &parents);
    for (int round = 0; round < 12; round++) {
        struct program_join join = {.column = COL_NAME, .left = round & 1, .parents = &parents};
        struct join_check k = {round ? random_predicate(&w, 1) : NULL, join.left, 0};
        struct program p = {.table_id = 1,
                            .where = k.where,
                            .n_joins = 1,
                            .joins = &join,
                            .output = OUTPUT_GROUPS,
                            .n_columns = 1,
                            .columns = columns,
                            .n_aggregates = 2,
                            .aggregates = aggregates,
                            .memory = 256 << 20};
        uint64_t expected = 0;
        run(&w, &p, check_join_row, &k);
        for (uint32_t i = 0; i < w.n; i++)
            expected += w.rows[i].live && matches(k.where, &w.rows[i]) &&
                        (k.left || parent_of(&w.rows[i]) >= 0);
        cr_assert_eq(k.counted, expected);
        arena_reset(&w.arena);
    }
    buffer_fini(&bytes);
    free_world(&w);
}

/* Parents of every third row by its id; `far` adds a key so large that keys are hashed. */
static void make_id_parents(const struct world *w, bool far, struct buffer *bytes,
                            struct batch *out)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err;

    batch_builder_add_column(b, 0, BATCH_I64, 0);
    batch_builder_add_column(b, 1, BATCH_I64, 0);
    for (uint32_t i = 0; i < w->n; i += 3) {
        batch_builder_put_i64(b, 0, w->rows[i].id);
        if (i % 2)
            batch_builder_put_i64(b, 1, i);
        batch_builder_end_row(b);
    }
    if (far) {
        batch_builder_put_i64(b, 0, INT64_MAX - 1);
        batch_builder_end_row(b);
    }
    buffer_init(bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, BATCH_SLOT_ANY, bytes), 0);
    cr_assert_eq(batch_open(bytes->data, bytes->len, out, &err), 0);
    batch_builder_free(b);
}

/* Sums of (rows, attribute by name, attribute by id, values of it) over the joined rows. */
struct joins_check {
    const struct predicate *where;
    bool left; /* the second join */
};

static void check_joins(struct world *w, const struct batch *b, uint32_t row, void *ctx)
{
    struct joins_check *k = ctx;
    int64_t n = 0, by_name = 0, by_id = 0, values = 0;
    struct batch_column c;

    for (uint32_t i = 0; i < w->n; i++) {
        const struct row *r = &w->rows[i];
        int parent = parent_of(r);
        if (!r->live || !matches(k->where, r) || parent < 0 || (i % 3 && !k->left))
            continue;
        n++;
        by_name += parent;
        by_id += i % 3 == 0 && i % 2 ? i : 0;
        values += i % 3 == 0 && i % 2;
    }
    batch_column_at(b, 0, &c);
    cr_assert_eq(batch_i64(&c, row), n);
    batch_column_at(b, 1, &c);
    cr_assert(n ? batch_i128(&c, row) == by_name : !batch_is_present(&c, row));
    batch_column_at(b, 2, &c);
    cr_assert(values ? batch_i128(&c, row) == by_id : !batch_is_present(&c, row));
    batch_column_at(b, 3, &c);
    cr_assert_eq(batch_i64(&c, row), values);
}

Test(scan, joins_children_to_several_parents)
{
    struct world w;
    struct buffer bytes, id_bytes;
    struct batch parents, id_parents;
    const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                           {AGGREGATE_SUM, program_parent_ref(0, 2)},
                                           {AGGREGATE_SUM, program_parent_ref(1, 1)},
                                           {AGGREGATE_COUNT, program_parent_ref(1, 1)}};

    make_world(&w, 6000);
    fill(&w);
    make_parents(&bytes, &parents);
    for (int round = 0; round < 12; round++) {
        make_id_parents(&w, round & 2, &id_bytes, &id_parents);
        struct program_join joins[] = {{.column = COL_NAME, .parents = &parents},
                                       {.column = COL_ID,
                                        .left = round & 1,
                                        .parents = &id_parents}};
        struct joins_check k = {round ? random_predicate(&w, 1) : NULL, round & 1};
        struct program p = {.table_id = 1,
                            .where = k.where,
                            .n_joins = 2,
                            .joins = joins,
                            .output = OUTPUT_GROUPS,
                            .n_aggregates = 4,
                            .aggregates = aggregates,
                            .memory = 256 << 20};
        cr_assert_eq(run(&w, &p, check_joins, &k), 1);
        arena_reset(&w.arena);
        buffer_fini(&id_bytes);
    }
    buffer_fini(&bytes);
    free_world(&w);
}

Test(scan, goes_on_with_what_a_quiet_segment_sealed)
{
    struct world w;

    make_world(&w, 5000);
    fill(&w);
    struct segment *g = slot_segment(w.slot, 0);
    cr_assert_not(segment_seal_quiet(g, 1), "rows came since the last tick");
    cr_assert_not(segment_seal_quiet(g, 1), "once a tick");
    cr_assert(segment_seal_quiet(g, 2));
    cr_assert_not(segment_seal_quiet(g, 3), "nothing left to seal");
    check_all(&w, 10);
    free_world(&w);
}

Test(scan, of_an_empty_slot_has_one_group)
{
    struct world w;

    make_world(&w, 1);
    check_totals(&w, NULL);
    free_world(&w);
}

Test(like, follows_mysql)
{
    static const struct {
        const char *text, *pattern;
        bool match;
    } cases[] = {{"abc", "abc", true},     {"abc", "a%", true},
                 {"abc", "%c", true},      {"abc", "a_c", true},
                 {"abc", "a_", false},     {"", "%", true},
                 {"", "_", false},         {"a%c", "a\\%c", true},
                 {"abc", "a\\%c", false},  {"ab\xc3\xa9", "ab_", true},
                 {"aXbXc", "%X%X%", true}, {"abc", "ABC", false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_eq(like_match(cases[i].text, (uint32_t)strlen(cases[i].text), cases[i].pattern,
                                (uint32_t)strlen(cases[i].pattern), '\\'),
                     cases[i].match, "%s LIKE %s", cases[i].text, cases[i].pattern);
}
