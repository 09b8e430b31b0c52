/*
 * Slots against a plain model: every operation, keys of one and more parts, partitions, lists,
 * deletes, repeats.
 */
#include "storage/slot.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/budget.h"
#include "storage/dict.h"
#include "storage/slot_impl.h"

/* Per row and cell: an assertion of the framework for each would take most of the time. */
#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

enum { KEYS = 1500, TIMES = 7, MAX_ITEMS = 40, ROWS_MAX = 1600, SEED = 99 };

enum cell_kind { CELL_INT, CELL_TEXT, CELL_LIST };

enum { COL_TS, COL_ID, COL_NAME, COL_STATE, COL_TAGS, COL_NUM, COL_FLAG, COL_NEED, COLS };

static const char *const names[COLS] = {"ts", "id", "name", "state", "tags", "num", "flag", "need"};
static const enum cell_kind kinds[COLS] = {CELL_INT,  CELL_TEXT, CELL_TEXT, CELL_TEXT,
                                           CELL_LIST, CELL_INT,  CELL_INT,  CELL_INT};

struct random {
    uint64_t state;
};

static uint64_t next(struct random *r)
{
    uint64_t z = r->state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t below(struct random *r, uint32_t n)
{
    return (uint32_t)(next(r) % n);
}

struct cell_value {
    bool present;
    int64_t v; /* texts are made from it */
    int n, items[MAX_ITEMS];
};

struct row {
    bool exists;
    struct cell_value cells[COLS];
};

struct model {
    bool partitioned, text_id;
    struct schema *schema;
    struct slot *slot;
    struct budget budget;
    int times;
    int col[COLS]; /* position in the schema */
    struct row rows[KEYS][TIMES];
    struct row batch[ROWS_MAX];
    int batch_key[ROWS_MAX], batch_time[ROWS_MAX];
    bool given[COLS];
    uint32_t n;
    enum batch_op op;
};

static const int64_t time_values[TIMES] = {1767225600, 1767225601, 1767312000, 1767398400,
                                           -1,         -86401,     0};

static struct schema *make_schema(bool partitioned, bool text_id)
{
    char yaml[2048];
    struct error_info err = {0};
    struct schema *s = NULL;

    snprintf(yaml, sizeof yaml,
             "tableName: t\nprimaryKey: %s\n%s"
             "attributes:\n"
             "  - { fieldName: ts, type: DateTime, mappingStrategy: SysSecBSI }\n"
             "  - { fieldName: id, type: %s, mappingStrategy: %s }\n"
             "  - { fieldName: name, type: String, mappingStrategy: StringHashBSI }\n"
             "  - { fieldName: state, type: String, mappingStrategy: StringEnum }\n"
             "  - { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: "
             "true, configuration: { "
             "delim: \",\" } }\n"
             "  - { fieldName: num, type: Integer, mappingStrategy: IntBSI }\n"
             "  - { fieldName: flag, type: Integer, mappingStrategy: IntDirect }\n"
             "  - { fieldName: need, type: Integer, mappingStrategy: IntBSI, required: true }\n",
             partitioned ? "ts+id" : "id",
             partitioned ? "timeQuantumType: YMD\ntimeQuantumField: ts\n" : "",
             text_id ? "String" : "Integer", text_id ? "StringHashBSI" : "IntBSI");
    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err), 0, "%s",
                 err.text);
    return s;
}

static struct model *model_new(bool partitioned, bool text_id)
{
    struct model *m = calloc(1, sizeof *m);

    m->partitioned = partitioned;
    m->text_id = text_id;
    m->times = partitioned ? TIMES : 1;
    m->schema = make_schema(partitioned, text_id);
    budget_init(&m->budget, "test", 0, NULL);
    for (int c = 0; c < COLS; c++)
        m->col[c] = schema_find_column(m->schema, names[c], strlen(names[c]));
    cr_assert_eq(slot_new(m->schema, 3, SEED, &m->budget, &m->slot), 0);
    return m;
}

static void model_free(struct model *m)
{
    slot_free(m->slot);
    cr_assert_eq(m->budget.used, 0, "memory is given back");
    schema_put(m->schema);
    free(m);
}

static bool is_key(const struct model *m, int c)
{
    return c == COL_ID || (c == COL_TS && m->partitioned);
}

static uint32_t text_of(int c, int64_t v, char out[64])
{
    /* Among the names are an empty one and long ones. */
    if (c == COL_NAME && v == 0)
        return 0;
    return (uint32_t)snprintf(out, 64,
                              c == COL_NAME && v % 7 == 0 ? "%s-a-rather-long-text-%" PRId64
                                                          : "%s%" PRId64,
                              names[c], v);
}

/* ---- batches ---- */

static struct cell_value draw_cell(struct model *m, struct random *r, int c)
{
    static const int64_t spans[COLS] = {0, 0, 400, 30, 0, 1 << 20, 5, 100};
    struct cell_value x = {.present = below(r, 100) < (c == COL_NEED ? 97u : 80u)};

    (void)m;
    x.v = below(r, (uint32_t)(spans[c] ? spans[c] : 1));
    if (c == COL_NUM && below(r, 100) == 0)
        x.v = (int64_t)next(r);
    if (c == COL_TAGS) {
        x.n = (int)below(r, 5);
        for (int i = 0; i < x.n; i++)
            x.items[i] = (int)below(r, 25);
    }
    return x;
}

static void draw_batch(struct model *m, struct random *r)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_UPSERT, BATCH_UPSERT, BATCH_REPLACE,
                                        BATCH_UPDATE, BATCH_DELETE, BATCH_IGNORE};
    uint32_t keys = below(r, 2) ? KEYS : 30;

    m->op = ops[below(r, 7)];
    m->n = below(r, 3) ? 1 + below(r, 6) : 1 + below(r, ROWS_MAX);
    for (int c = 0; c < COLS; c++)
        m->given[c] = is_key(m, c) || below(r, 8) != 0;
    if (m->partitioned && below(r, 6) == 0 && (m->op == BATCH_UPDATE || m->op == BATCH_DELETE)) {
        m->given[COL_TS] = false;
        m->n = 1 + below(r, 4);
    }
    if (below(r, 40) == 0)
        m->given[COL_ID] = false;
    for (uint32_t i = 0; i < m->n; i++) {
        struct row *row = &m->batch[i];

        m->batch_key[i] = (int)below(r, keys);
        m->batch_time[i] = (int)below(r, (uint32_t)m->times);
        for (int c = 0; c < COLS; c++)
            row->cells[c] = draw_cell(m, r, c);
        if (m->partitioned)
            row->cells[COL_TS] =
                (struct cell_value){.present = true, .v = time_values[m->batch_time[i]]};
        row->cells[COL_ID] = (struct cell_value){.present = true, .v = m->batch_key[i]};
        if (below(r, 100) == 0)
            row->cells[is_key(m, COL_TS) && below(r, 2) ? COL_TS : COL_ID].present = false;
    }
}

static void put_cell(const struct model *m, struct batch_builder *b, unsigned at, int c,
                     const struct cell_value *x)
{
    char text[64];

    if (!x->present)
        return;
    if (kinds[c] == CELL_LIST) {
        for (int i = 0; i < x->n; i++)
            CHECK(batch_builder_put_list_item(b, at, text, text_of(c, x->items[i], text)) == 0,
                  "item");
    } else if (kinds[c] == CELL_INT || (c == COL_ID && !m->text_id)) {
        CHECK(batch_builder_put_i64(b, at, x->v) == 0, "number");
    } else {
        CHECK(batch_builder_put_bytes(b, at, text, text_of(c, x->v, text)) == 0, "text");
    }
}

/* Texts that are no key come as codes in every other batch. */
static bool has_codes(const struct model *m, int c)
{
    return m->n % 2 && (c == COL_NAME || c == COL_STATE);
}

static void put_codes(const struct model *m, struct batch_builder *b, unsigned at, int c)
{
    enum { VALUES = 400 };
    static uint32_t offsets[VALUES + 1], codes[ROWS_MAX];
    static uint64_t presence[ROWS_MAX / 64 + 1];
    static char texts[VALUES * 64];

    for (uint32_t i = 0; i < VALUES; i++)
        offsets[i + 1] = offsets[i] + text_of(c, i, texts + offsets[i]);
    memset(presence, 0, sizeof presence);
    for (uint32_t i = 0; i < m->n; i++) {
        const struct cell_value *x = &m->batch[i].cells[c];

        codes[i] = (uint32_t)x->v;
        presence[i / 64] |= (uint64_t)x->present << (i % 64);
    }
    CHECK(batch_builder_put_codes(b, at, (const uint8_t *)texts, offsets, VALUES, codes, presence,
                                  m->n) == 0,
          "codes");
}

static void build_batch(const struct model *m, struct buffer *out, struct batch *view)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err;
    int at[COLS];

    for (int c = 0; c < COLS; c++) {
        enum batch_kind kind = kinds[c] == CELL_LIST                                  ? BATCH_LIST
                               : kinds[c] == CELL_INT || (c == COL_ID && !m->text_id) ? BATCH_I64
                                                                                      : BATCH_BYTES;

        if (m->given[c])
            at[c] = batch_builder_add_column(b, m->schema->columns[m->col[c]].id, kind, 0);
    }
    for (int c = 0; c < COLS; c++) {
        if (m->given[c] && has_codes(m, c))
            put_codes(m, b, (unsigned)at[c], c);
    }
    for (uint32_t i = 0; i < m->n; i++) {
        for (int c = 0; c < COLS; c++) {
            if (m->given[c] && !has_codes(m, c))
                put_cell(m, b, (unsigned)at[c], c, &m->batch[i].cells[c]);
        }
        CHECK(batch_builder_end_row(b) == 0, "row");
    }
    buffer_init(out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, m->op, 1, 3, out), 0);
    cr_assert_eq(batch_open(out->data, out->len, view, &err), 0, "%s", err.text);
    batch_builder_free(b);
}

/* ---- what must come out ---- */

static void reject(struct write_result *want, uint32_t row, int code)
{
    if (want->n_errors < WRITE_MAX_ERRORS) {
        want->errors[want->n_errors].row = row;
        want->errors[want->n_errors++].info.code = code;
    }
    want->rejected++;
}

static void dedupe(struct cell_value *x, const int *items, int n)
{
    for (int i = 0; i < n; i++) {
        int k = 0;

        while (k < x->n && x->items[k] != items[i])
            k++;
        if (k == x->n)
            x->items[x->n++] = items[i];
    }
    x->present = x->n > 0;
}

static struct cell_value stored(int c, const struct cell_value *x)
{
    struct cell_value y = {.present = x->present};

    if (c == COL_TAGS) {
        y.present = false;
        if (x->present)
            dedupe(&y, x->items, x->n);
    } else if (x->present) {
        y.v = x->v;
    }
    return y;
}

static int missing_key(const struct model *m, uint32_t i, bool timeless)
{
    for (int c = 0; c < COLS; c++) { /* ts comes first in the key, too */
        if (!is_key(m, c) || (c == COL_TS && timeless))
            continue;
        if (!m->given[c])
            return 1364;
        if (!m->batch[i].cells[c].present)
            return 1048;
    }
    return 0;
}

static int missing_need(const struct model *m, uint32_t i, bool all)
{
    if (!m->given[COL_NEED])
        return all ? 1364 : 0;
    return m->batch[i].cells[COL_NEED].present ? 0 : 1048;
}

static void change_model(struct model *m, uint32_t i, struct row *row, struct write_result *want)
{
    bool changed = false;
    int code = m->op == BATCH_UPSERT ? 0 : missing_need(m, i, m->op == BATCH_REPLACE);

    if (code) {
        reject(want, i, code);
        return;
    }
    for (int c = 0; c < COLS; c++) {
        struct cell_value x = stored(c, &m->batch[i].cells[c]), old = row->cells[c];

        if (is_key(m, c) || (!m->given[c] && m->op != BATCH_REPLACE))
            continue;
        if (!m->given[c])
            x = (struct cell_value){0};
        if (m->op == BATCH_UPSERT) {
            if (!x.present)
                continue;
            if (c == COL_TAGS) {
                struct cell_value both = old;

                dedupe(&both, x.items, x.n);
                x = both;
            }
        }
        changed |= memcmp(&x, &old, sizeof x) != 0;
        row->cells[c] = x;
    }
    if (changed || m->op == BATCH_UPSERT)
        want->updated++;
    else
        want->unchanged++;
}

static void write_model_row(struct model *m, uint32_t i, struct row *row, struct write_result *want)
{
    int code;

    if (row->exists) {
        if (m->op == BATCH_INSERT) {
            reject(want, i, 1062);
        } else if (m->op == BATCH_IGNORE) {
            want->unchanged++;
        } else if (m->op == BATCH_DELETE) {
            row->exists = false;
            want->deleted++;
        } else {
            change_model(m, i, row, want);
        }
        return;
    }
    if (m->op == BATCH_UPDATE || m->op == BATCH_DELETE)
        return;
    code = missing_need(m, i, true);
    if (code) {
        reject(want, i, code);
        return;
    }
    memset(row, 0, sizeof *row);
    row->exists = true;
    want->inserted++;
    for (int c = 0; c < COLS; c++) {
        if (m->given[c])
            row->cells[c] = stored(c, &m->batch[i].cells[c]);
    }
}

static int compare_partitions(const void *a, const void *b)
{
    int64_t x = time_values[*(const int *)a], y = time_values[*(const int *)b];

    return (x > y) - (x < y);
}

/*
 * Applies the first n rows. Rows without a key are told before the other rows of their chunk of
 * 512.
 */
static void write_model(struct model *m, uint32_t n, struct write_result *want)
{
    bool timeless =
        m->partitioned && !m->given[COL_TS] && (m->op == BATCH_UPDATE || m->op == BATCH_DELETE);
    int order[TIMES];

    memset(want, 0, sizeof *want);
    for (int t = 0; t < TIMES; t++)
        order[t] = t;
    qsort(order, TIMES, sizeof *order, compare_partitions);
    for (uint32_t from = 0; from < n; from += 512) {
        uint32_t to = n - from < 512 ? n : from + 512;

        for (uint32_t i = from; i < to; i++) {
            int code = missing_key(m, i, timeless);

            if (code)
                reject(want, i, code);
        }
        for (uint32_t i = from; i < to; i++) {
            if (missing_key(m, i, timeless))
                continue;
            if (!timeless) {
                write_model_row(m, i, &m->rows[m->batch_key[i]][m->batch_time[i]], want);
                continue;
            }
            for (int t = 0; t < m->times; t++) {
                uint64_t rejected = want->rejected;

                if (m->rows[m->batch_key[i]][order[t]].exists)
                    write_model_row(m, i, &m->rows[m->batch_key[i]][order[t]], want);
                if (want->rejected > rejected)
                    break;
            }
        }
    }
}

static void compare_results(const struct write_result *got, const struct write_result *want)
{
    cr_assert_eq(got->inserted, want->inserted);
    cr_assert_eq(got->updated, want->updated);
    cr_assert_eq(got->unchanged, want->unchanged);
    cr_assert_eq(got->deleted, want->deleted);
    cr_assert_eq(got->rejected, want->rejected);
    cr_assert_eq(got->n_errors, want->n_errors);
    for (uint32_t i = 0; i < got->n_errors; i++) {
        CHECK(got->errors[i].row == want->errors[i].row, "row of error %" PRIu32, i);
        CHECK(got->errors[i].info.code == want->errors[i].info.code, "error %" PRIu32 ": %d %s", i,
              got->errors[i].info.code, got->errors[i].info.text);
    }
}

/* ---- what is stored ---- */

static void compare_cell(const struct model *m, int c, struct segment *g, uint32_t row,
                         const struct cell_value *want)
{
    const struct column *col = &m->schema->columns[m->col[c]];
    struct dict *d = slot_dict(m->slot, (unsigned)m->col[c]);
    int64_t v = 0;
    bool present = segment_value(g, row, (unsigned)m->col[c], &v);
    char text[64];
    uint32_t len, n;

    CHECK(present == want->present, "presence of %s", names[c]);
    if (!present)
        return;
    if (col->layout == LAYOUT_ORDERED) {
        CHECK(v == want->v, "%s is %" PRId64 " instead of %" PRId64, names[c], v, want->v);
    } else if (col->layout == LAYOUT_LIST) {
        const uint32_t *codes =
            dict_list(slot_list_dict(m->slot, (unsigned)m->col[c]), (uint32_t)v, &n);

        CHECK((int)n == want->n, "%s has %" PRIu32 " values", names[c], n);
        for (uint32_t i = 0; i < n; i++) {
            const char *have = dict_bytes(d, codes[i], &len);
            uint32_t want_len = text_of(c, want->items[i], text);

            CHECK(len == want_len && memcmp(have, text, len) == 0, "value %" PRIu32 " of %s", i,
                  names[c]);
        }
    } else if (col->type != COLUMN_STRING) {
        CHECK(dict_int(d, (uint32_t)v) == want->v, "%s", names[c]);
    } else {
        const char *have = dict_bytes(d, (uint32_t)v, &len);
        uint32_t want_len = text_of(c, want->v, text);

        CHECK(len == want_len && memcmp(have, text, len) == 0, "%s is %.*s", names[c], (int)len,
              have);
    }
}

/* One batch of all keys, so that slot_find can be asked for each. */
static void compare_slot(struct model *m)
{
    struct buffer bytes;
    struct batch view;
    uint64_t live = 0, in_segments = 0;

    memset(m->given, 0, sizeof m->given);
    m->given[COL_ID] = true;
    m->given[COL_TS] = m->partitioned;
    for (int t = 0; t < m->times; t++) {
        m->n = KEYS;
        m->op = BATCH_UPDATE;
        for (int k = 0; k < KEYS; k++) {
            m->batch[k].cells[COL_ID] = (struct cell_value){.present = true, .v = k};
            m->batch[k].cells[COL_TS] = (struct cell_value){.present = true, .v = time_values[t]};
        }
        build_batch(m, &bytes, &view);
        for (int k = 0; k < KEYS; k++) {
            struct segment *g;
            uint32_t row;
            bool found = slot_find(m->slot, &view, (uint32_t)k, &g, &row);

            CHECK(found == m->rows[k][t].exists, "key %d time %d is %s", k, t,
                  found ? "there" : "not there");
            if (!found)
                continue;
            live++;
            CHECK(segment_is_live(g, row), "row is live");
            for (int c = 0; c < COLS; c++)
                compare_cell(m, c, g, row, &m->rows[k][t].cells[c]);
        }
        buffer_fini(&bytes);
    }
    cr_assert_eq(slot_live_rows(m->slot), live);
    for (uint32_t i = 0; i < slot_segments(m->slot); i++) {
        struct segment *g = slot_segment(m->slot, i);

        in_segments += segment_live(g);
        if (i)
            cr_assert_lt(segment_partition(slot_segment(m->slot, i - 1)), segment_partition(g));
        for (uint32_t k = 0; k < segment_blocks(g); k++) {
            struct block b;
            uint32_t set = 0;

            cr_assert_eq(segment_block(g, k, NULL, &b), BLOCK_READY);
            for (uint32_t w = 0; b.live && w < BLOCK_WORDS; w++)
                set += (uint32_t)__builtin_popcountll(b.live[w]);
            cr_assert_eq(b.live_count, b.live ? set : b.rows);
        }
    }
    cr_assert_eq(in_segments, live);
    cr_assert_leq(slot_memory(m->slot), m->budget.used);
}

/* First row that INSERT would refuse as a duplicate, or -1. */
static int64_t expected_duplicate(struct model *m)
{
    static bool seen[KEYS][TIMES];
    int64_t found = -1;

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < m->n && found < 0; i++) {
        int k = m->batch_key[i], t = m->batch_time[i];

        if (missing_key(m, i, false))
            continue;
        if (m->rows[k][t].exists || seen[k][t])
            found = i;
        seen[k][t] = true;
    }
    return found;
}

static void check_before_insert(struct model *m, const struct batch *view)
{
    static struct write_result got;
    int64_t want = m->op == BATCH_INSERT ? expected_duplicate(m) : -1;

    cr_assert_eq(slot_check(m->slot, view, &got), 0);
    cr_assert_eq(got.rejected, want >= 0);
    if (want >= 0)
        CHECK(got.errors[0].row == want && got.errors[0].info.code == 1062, "slot_check");
}

static void run(bool partitioned, bool text_id)
{
    static struct write_result got, want;
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0)
                          : (uint64_t)time(NULL) + (partitioned ? 7777 : 0) + text_id;

    for (int round = 0; round < (given ? 1 : 4); round++, seed++) {
        struct random r = {seed};
        struct model *m = model_new(partitioned, text_id);

        fprintf(stderr, "slot partitioned %d text %d TEST_SEED=%" PRIu64 "\n", partitioned, text_id,
                seed);
        for (int step = 0; step < 120; step++) {
            struct buffer bytes;
            struct batch view;

            draw_batch(m, &r);
            build_batch(m, &bytes, &view);
            check_before_insert(m, &view);
            cr_assert_eq(slot_apply(m->slot, &view, &got), 0);
            write_model(m, m->n, &want);
            compare_results(&got, &want);
            buffer_fini(&bytes);
            if (step % 20 == 19) {
                for (uint32_t i = 0; i < slot_segments(m->slot); i++) {
                    if (below(&r, 2))
                        cr_assert_eq(segment_seal(slot_segment(m->slot, i), below(&r, 2)), 0);
                }
                compare_slot(m);
            }
        }
        model_free(m);
    }
}

Test(slot, equals_model)
{
    run(false, false);
}

Test(slot, text_keys_equal_model)
{
    run(false, true);
}

Test(slot, partitions_equal_model)
{
    run(true, false);
}

Test(slot, partitions_with_text_keys_equal_model)
{
    run(true, true);
}

static void apply_and_compare(struct model *m)
{
    static struct write_result got, want;
    struct buffer bytes;
    struct batch view;

    build_batch(m, &bytes, &view);
    cr_assert_eq(slot_apply(m->slot, &view, &got), 0);
    write_model(m, m->n, &want);
    compare_results(&got, &want);
    buffer_fini(&bytes);
}

/*
 * Applies a batch of new and known rows under a tight budget: false when memory ended, *some when
 * not at once.
 */
static bool apply_tight(struct model *m, struct random *r, bool *some)
{
    static struct write_result got, want;
    struct buffer bytes;
    struct batch view;
    int rc;

    static const enum batch_op ops[] = {BATCH_UPSERT, BATCH_UPSERT, BATCH_INSERT, BATCH_REPLACE,
                                        BATCH_IGNORE};
    m->op = ops[below(r, 5)];
    m->given[COL_ID] = true;
    m->given[COL_TS] |= m->partitioned;
    for (uint32_t i = 0; i < m->n; i++)
        m->batch[i].cells[COL_ID].present = m->batch[i].cells[COL_TS].present = true;
    build_batch(m, &bytes, &view);
    /* Most of what a write needs is its buffers; a little more makes it fail among the rows. */
    m->budget.limit = m->budget.used + 35000 + below(r, 1u << (8 + below(r, 11)));
    rc = slot_apply(m->slot, &view, &got);
    m->budget.limit = 0;
    cr_assert(rc == 0 || rc == -ENOMEM);
    memset(&want, 0, sizeof want);
    cr_assert_leq(got.taken, m->n);
    cr_assert(rc != 0 || got.taken == m->n);
    for (uint32_t i = 0; i < got.taken; i++)
        write_model_row(m, i, &m->rows[m->batch_key[i]][m->batch_time[i]], &want);
    cr_assert_eq(got.inserted, want.inserted);
    cr_assert_eq(got.updated, want.updated);
    cr_assert_eq(got.rejected, want.rejected);
    cr_assert_eq(got.n_errors, want.n_errors);
    buffer_fini(&bytes);
    *some = rc != 0 && got.inserted > 0;
    return rc == 0;
}

static void run_out_of_memory(bool partitioned)
{
    struct random r = {5};
    struct model *m = model_new(partitioned, true);
    int failures = 0, partial = 0;

    for (int step = 0; step < 1400; step++) {
        bool some;

        draw_batch(m, &r);
        if (!apply_tight(m, &r, &some)) {
            failures++;
            partial += some;
            apply_and_compare(m); /* as a client does: the same again */
        }
        draw_batch(m, &r);
        m->op = BATCH_DELETE;
        apply_and_compare(m);
        if (step % 30 != 29)
            continue;
        compare_slot(m);
        slot_free(m->slot); /* from the start again: an old slot hardly grows */
        memset(m->rows, 0, sizeof m->rows);
        cr_assert_eq(slot_new(m->schema, 3, SEED, &m->budget, &m->slot), 0);
    }
    cr_assert_gt(failures, 50);
    cr_assert_gt(partial, 10, "%d failures, %d of them among the rows", failures, partial);
    model_free(m);
}

/* When memory ends in a batch, the rows before are there and counted, the others are not. */
Test(slot, out_of_memory_keeps_whole_rows)
{
    run_out_of_memory(false);
}

Test(slot, out_of_memory_keeps_whole_rows_of_partitions)
{
    run_out_of_memory(true);
}

/* More rows than a block: sealing, whole blocks, and looking rows up in sealed blocks. */
Test(slot, rows_beyond_a_block)
{
    static struct write_result got;
    struct model *m = model_new(false, false);
    struct batch_builder *b = batch_builder_new(NULL);
    uint16_t id = m->schema->columns[m->col[COL_ID]].id,
             need = m->schema->columns[m->col[COL_NEED]].id;
    enum { ROWS = 150000 };

    for (int pass = 0; pass < 2; pass++) {
        struct buffer bytes;
        struct batch view;
        struct error_info err;

        batch_builder_free(b);
        b = batch_builder_new(NULL);
        batch_builder_add_column(b, id, BATCH_I64, 0);
        batch_builder_add_column(b, need, BATCH_I64, 0);
        for (int64_t i = 0; i < ROWS; i++) {
            CHECK(batch_builder_put_i64(b, 0, i * 3) == 0 &&
                      batch_builder_put_i64(b, 1, i % 1000 + pass) == 0,
                  "put");
            CHECK(batch_builder_end_row(b) == 0, "row");
        }
        buffer_init(&bytes, BATCH_MAX_BYTES);
        cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 1, 3, &bytes), 0);
        cr_assert_eq(batch_open(bytes.data, bytes.len, &view, &err), 0);
        cr_assert_eq(slot_apply(m->slot, &view, &got), 0);
        cr_assert_eq(pass ? got.updated : got.inserted, ROWS);
        for (uint32_t i = 0; i < ROWS; i += 97) {
            struct segment *g;
            uint32_t row;
            int64_t v;

            CHECK(slot_find(m->slot, &view, i, &g, &row) && row == i, "row %" PRIu32, i);
            CHECK(segment_value(g, row, (unsigned)m->col[COL_NEED], &v) && v == i % 1000 + pass,
                  "value");
        }
        buffer_fini(&bytes);
    }
    cr_assert_eq(segment_blocks(slot_segment(m->slot, 0)), 3);
    cr_assert_eq(segment_rows(slot_segment(m->slot, 0)), ROWS);
    batch_builder_free(b);
    model_free(m);
}

/* Ids from, from + step, ...: an upsert of n rows. */
static void upsert_ids(struct model *m, int64_t from, int64_t step, uint32_t n, uint64_t inserted,
                       uint64_t updated)
{
    static struct write_result got;
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err;
    struct buffer bytes;
    struct batch view;

    batch_builder_add_column(b, m->schema->columns[m->col[COL_ID]].id, BATCH_I64, 0);
    batch_builder_add_column(b, m->schema->columns[m->col[COL_NEED]].id, BATCH_I64, 0);
    for (uint32_t i = 0; i < n; i++) {
        CHECK(batch_builder_put_i64(b, 0, from + step * (int64_t)i) == 0 &&
                  batch_builder_put_i64(b, 1, from % 1000) == 0,
              "put");
        CHECK(batch_builder_end_row(b) == 0, "row");
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 1, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &view, &err), 0);
    cr_assert_eq(slot_apply(m->slot, &view, &got), 0);
    cr_assert_eq(got.inserted, inserted);
    cr_assert_eq(got.updated, updated);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

Test(slot, ascending_keys_wait_for_their_index)
{
    struct model *m = model_new(false, false);
    struct slot_part *p;

    upsert_ids(m, -5000, 2, 100, 100, 0);
    p = slot_part_find(m->slot, 0);
    cr_assert(p->unindexed && !slot_is_loaded(m->slot));
    cr_assert_eq(slot_index_step(m->slot, p, 2048), 0);
    cr_assert(!p->unindexed && slot_is_loaded(m->slot));
    upsert_ids(m, -4800, 2, 5000, 5000, 0);
    cr_assert(!p->unindexed, "once whole, it stays so");
    upsert_ids(m, 5198, -2, 5100, 0, 5100);
    model_free(m);
}

/* Steps end within blocks that grow afterwards; in the end the index has every row, once. */
Test(slot, ascending_keys_are_found_when_others_come)
{
    struct model *m = model_new(false, false);
    int64_t id = 1;
    uint32_t rows = 0;

    for (uint32_t n = 3000; rows < 140000; n += 777, rows += n) {
        struct slot_part *p;

        upsert_ids(m, id, 2, n, n, 0);
        if (rows == 0)
            rows = n;
        id += 2 * (int64_t)n;
        p = slot_part_find(m->slot, 0);
        cr_assert(p->unindexed);
        cr_assert_eq(slot_index_step(m->slot, p, 1024), 0);
        cr_assert(p->unindexed);
    }
    rows = segment_rows(slot_segment(m->slot, 0));
    cr_assert_eq(id, 1 + 2 * (int64_t)rows);
    upsert_ids(m, 1, 1, 1000, 500, 500); /* every other one is there */
    cr_assert(slot_is_loaded(m->slot));
    upsert_ids(m, id - 2, -2, rows, 0, rows);
    cr_assert_eq(segment_live(slot_segment(m->slot, 0)), rows + 500);
    model_free(m);
}

/*
 * The router's hashes: place leaves the time out, and rows of unequal parts differ although their
 * texts join alike.
 */
Test(slot, key_hashes)
{
    struct model *m = model_new(true, true);
    struct buffer bytes;
    struct batch view;
    struct key_hash h[3];
    struct error_info err;

    m->op = BATCH_INSERT;
    m->n = 3;
    m->given[COL_ID] = m->given[COL_TS] = true;
    for (int i = 0; i < 3; i++) {
        m->batch[i].cells[COL_ID] = (struct cell_value){.present = true, .v = i == 2 ? 8 : 7};
        m->batch[i].cells[COL_TS] = (struct cell_value){.present = true, .v = time_values[i == 1]};
    }
    build_batch(m, &bytes, &view);
    cr_assert_eq(key_hash_rows(m->schema, &view, SEED, 0, 3, h, &err), 0);
    cr_assert_eq(h[0].place, h[1].place);
    cr_assert_neq(h[0].full, h[1].full);
    cr_assert_neq(h[0].place, h[2].place);
    buffer_fini(&bytes);
    m->given[COL_TS] = false;
    build_batch(m, &bytes, &view);
    cr_assert_eq(key_hash_rows(m->schema, &view, SEED, 0, 3, h, &err), -EINVAL);
    cr_assert_eq(err.code, 1364);
    buffer_fini(&bytes);
    m->op = BATCH_DELETE;
    build_batch(m, &bytes, &view);
    cr_assert_eq(key_hash_rows(m->schema, &view, SEED, 0, 3, h, &err), 0);
    cr_assert_eq(h[0].place, h[1].place);
    buffer_fini(&bytes);
    model_free(m);
}

/* What no table takes is refused as a whole, with a reason. */
Test(slot, foreign_batches)
{
    static struct write_result got;
    struct model *m = model_new(false, false);
    struct batch_builder *b;
    struct buffer bytes;
    struct batch view;
    struct error_info err;

    for (int pass = 0; pass < 3; pass++) {
        b = batch_builder_new(NULL);
        if (pass == 0)
            batch_builder_add_column(b, 4321, BATCH_I64, 0);
        else
            batch_builder_add_column(b, m->schema->columns[m->col[COL_ID]].id,
                                     pass == 1 ? BATCH_F64 : BATCH_I64, 0);
        cr_assert_eq(batch_builder_end_row(b), 0);
        buffer_init(&bytes, BATCH_MAX_BYTES);
        cr_assert_eq(batch_builder_finish(b, pass == 2 ? BATCH_DATA : BATCH_INSERT, 1, 3, &bytes),
                     0);
        cr_assert_eq(batch_open(bytes.data, bytes.len, &view, &err), 0);
        cr_assert_eq(slot_apply(m->slot, &view, &got), -EINVAL);
        cr_assert(got.n_errors == 1 && got.errors[0].info.text[0]);
        batch_builder_free(b);
        buffer_fini(&bytes);
    }
    cr_assert_eq(slot_live_rows(m->slot), 0);
    model_free(m);
}
