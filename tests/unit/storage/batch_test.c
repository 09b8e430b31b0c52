/* Row batches: what is built is what is read, and no bytes from outside can hurt. */
#include "storage/batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/batch_format.h"
#include "storage/dict.h"

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void open_ok(const struct buffer *bytes, struct batch *out)
{
    struct error_info err;

    cr_assert_eq(batch_open(bytes->data, bytes->len, out, &err), 0, "%s", err.text);
}

Test(batch, empty_batch)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer out;
    struct batch view;

    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 7, BATCH_SLOT_ANY, &out), 0);
    cr_assert_eq(out.len, 32);
    open_ok(&out, &view);
    cr_assert(view.rows == 0 && view.columns == 0 && view.table_id == 7 && view.slot == 0xffffffff);
    cr_assert_eq(batch_find_column(&view, 0), -1);
    buffer_fini(&out);
    batch_builder_free(b);
}

Test(batch, no_rows_of_every_kind)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer out;
    struct batch view;

    for (int k = BATCH_I64; k <= BATCH_LIST; k++)
        cr_assert_eq(batch_builder_add_column(b, (uint16_t)(10 + k), (enum batch_kind)k, 0), k);
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 1, 3, &out), 0);
    open_ok(&out, &view);
    cr_assert(view.rows == 0 && view.columns == 5 && view.op == BATCH_UPSERT && view.slot == 3);
    cr_assert_eq(batch_find_column(&view, 13), 3);
    buffer_fini(&out);
    batch_builder_free(b);
}

/* Every width at its borders: the narrowest that holds the range is taken. */
Test(batch, integer_widths)
{
    static const struct {
        int64_t lo, hi;
        uint8_t width;
    } cases[] = {
        {5, 5, 1},
        {-1, 254, 1},
        {-1, 255, 2},
        {INT64_MIN, INT64_MIN + 65535, 2},
        {INT64_MAX - 65536, INT64_MAX, 4},
        {-7, -7 + (int64_t)UINT32_MAX, 4},
        {-7, -6 + (int64_t)UINT32_MAX, 8},
        {INT64_MIN, INT64_MAX, 8},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct batch_builder *b = batch_builder_new(NULL);
        struct buffer out;
        struct batch view;
        struct batch_column c;
        int64_t back[3];

        batch_builder_add_column(b, 1, BATCH_I64, 0);
        batch_builder_put_i64(b, 0, cases[i].hi);
        batch_builder_end_row(b);
        batch_builder_put_i64(b, 0, cases[i].lo);
        batch_builder_end_row(b);
        batch_builder_end_row(b);
        buffer_init(&out, BATCH_MAX_BYTES);
        cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 1, 0, &out), 0);
        open_ok(&out, &view);
        batch_column_at(&view, 0, &c);
        cr_assert_eq(c.width, cases[i].width, "case %zu", i);
        cr_assert(batch_i64(&c, 0) == cases[i].hi && batch_i64(&c, 1) == cases[i].lo);
        cr_assert(batch_is_present(&c, 1) && !batch_is_present(&c, 2));
        batch_read_i64(&c, 0, 3, back);
        cr_assert(back[0] == cases[i].hi && back[1] == cases[i].lo && back[2] == 0);
        buffer_fini(&out);
        batch_builder_free(b);
    }
}

/* A model of one random batch, kept beside the builder. */
enum { MODEL_COLUMNS = 6, MODEL_ROWS = 300, MODEL_ITEMS = 4 };

struct model_cell {
    bool present;
    int64_t i64;
    __int128 i128;
    double f64;
    uint32_t n, len[MODEL_ITEMS];
    char bytes[MODEL_ITEMS][12];
};

static const enum batch_kind model_kinds[MODEL_COLUMNS] = {BATCH_I64, BATCH_I64,   BATCH_I128,
                                                           BATCH_F64, BATCH_BYTES, BATCH_LIST};

static void model_fill(struct model_cell *m, bool nulls)
{
    *m = (struct model_cell){.present = !nulls || random_u64() % 4 != 0};
    m->i64 = (int64_t)(random_u64() >> (random_u64() % 64));
    m->i128 = (__int128)(((unsigned __int128)random_u64() << 64) | random_u64());
    m->f64 = (double)(int64_t)random_u64() / 3;
    m->n = 1 + random_u64() % MODEL_ITEMS;
    for (uint32_t i = 0; i < m->n; i++) {
        m->len[i] = random_u64() % sizeof m->bytes[i];
        for (uint32_t k = 0; k < m->len[i]; k++)
            m->bytes[i][k] = (char)random_u64();
    }
}

static int model_put(struct batch_builder *b, unsigned col, const struct model_cell *m)
{
    int rc = 0;

    switch (model_kinds[col]) {
    case BATCH_I64:
        return batch_builder_put_i64(b, col, m->i64);
    case BATCH_I128:
        return batch_builder_put_i128(b, col, m->i128);
    case BATCH_F64:
        return batch_builder_put_f64(b, col, m->f64);
    case BATCH_BYTES:
        return batch_builder_put_bytes(b, col, m->bytes[0], m->len[0]);
    case BATCH_LIST:
        for (uint32_t i = 0; i < m->n && rc == 0; i++)
            rc = batch_builder_put_list_item(b, col, m->bytes[i], m->len[i]);
        return rc;
    }
    return -EINVAL;
}

static bool model_equal(const struct batch_column *c, uint32_t row, const struct model_cell *m)
{
    const char *bytes;
    uint32_t len;

    if (batch_is_present(c, row) != m->present)
        return false;
    if (!m->present)
        return true;
    switch (c->kind) {
    case BATCH_I64:
        return batch_i64(c, row) == m->i64;
    case BATCH_I128:
        return batch_i128(c, row) == m->i128;
    case BATCH_F64:
        return batch_f64(c, row) == m->f64;
    case BATCH_BYTES:
        bytes = batch_bytes(c, row, &len);
        return len == m->len[0] && memcmp(bytes, m->bytes[0], len) == 0;
    default:
        if (batch_list_count(c, row) != m->n)
            return false;
        for (uint32_t i = 0; i < m->n; i++) {
            bytes = batch_list_item(c, row, i, &len);
            if (len != m->len[i] || memcmp(bytes, m->bytes[i], len) != 0)
                return false;
        }
        return true;
    }
}

static struct model_cell model[MODEL_ROWS][MODEL_COLUMNS];

static void build_random(struct batch_builder *b, uint32_t rows, bool nulls)
{
    for (uint32_t r = 0; r < rows; r++) {
        if (random_u64() % 8 == 0) { /* a row begun and given up leaves no trace */
            struct model_cell wrong;

            model_fill(&wrong, false);
            for (unsigned c = 0; c < random_u64() % (MODEL_COLUMNS + 1); c++)
                cr_assert_eq(model_put(b, c, &wrong), 0);
            batch_builder_cancel_row(b);
        }
        for (unsigned c = MODEL_COLUMNS; c-- > 0;) {
            model_fill(&model[r][c], nulls);
            if (model[r][c].present)
                cr_assert_eq(model_put(b, c, &model[r][c]), 0);
        }
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
}

static void check_model(const struct batch *view, uint32_t rows)
{
    cr_assert_eq(view->rows, rows);
    for (unsigned i = 0; i < MODEL_COLUMNS; i++) {
        struct batch_column c;

        batch_column_at(view, i, &c);
        cr_assert(c.id == 100 + i && c.kind == model_kinds[i] && c.scale == i);
        for (uint32_t r = 0; r < rows; r++)
            cr_assert(model_equal(&c, r, &model[r][i]), "row %u column %u", r, i);
    }
}

Test(batch, built_is_read_and_copied)
{
    struct batch_builder *b = batch_builder_new(NULL), *copy = batch_builder_new(NULL);
    struct buffer out, out2;

    buffer_init(&out, BATCH_MAX_BYTES);
    buffer_init(&out2, BATCH_MAX_BYTES);
    for (unsigned i = 0; i < MODEL_COLUMNS; i++) {
        batch_builder_add_column(b, (uint16_t)(100 + i), model_kinds[i], (uint8_t)i);
        batch_builder_add_column(copy, (uint16_t)(100 + i), model_kinds[i], (uint8_t)i);
    }
    for (unsigned round = 0; round < 60; round++) {
        uint32_t rows = random_u64() % MODEL_ROWS;
        struct batch view, view2;

        build_random(b, rows, round % 2);
        out.len = out2.len = 0;
        cr_assert_eq(batch_builder_finish(b, BATCH_REPLACE, 5, round, &out), 0);
        cr_assert_leq(out.len, batch_builder_bytes(b));
        open_ok(&out, &view);
        check_model(&view, rows);
        for (uint32_t r = 0; r < rows; r++)
            cr_assert_eq(batch_builder_copy_row(copy, &view, r), 0);
        cr_assert_eq(batch_builder_rows(copy), rows);
        cr_assert_eq(batch_builder_finish(copy, BATCH_REPLACE, 5, round, &out2), 0);
        open_ok(&out2, &view2);
        check_model(&view2, rows);
        cr_assert(out.len == out2.len && memcmp(out.data, out2.data, out.len) == 0,
                  "copies have the same bytes");
        batch_builder_reset(b);
        batch_builder_reset(copy);
    }
    buffer_fini(&out);
    buffer_fini(&out2);
    batch_builder_free(b);
    batch_builder_free(copy);
}

Test(batch, whole_values_with_presence)
{
    struct batch_builder *b = batch_builder_new(NULL);
    int64_t v[1000], back[3000];
    uint64_t bits[16];
    bool expected[3000];
    uint32_t n, at = 0;
    struct buffer out;
    struct batch view;
    struct batch_column c;

    batch_builder_add_column(b, 1, BATCH_I64, 0);
    for (unsigned round = 0; round < 3; round++) {
        n = round == 0 ? 70 : round == 1 ? 999 : 321;
        for (uint32_t i = 0; i < n; i++)
            v[i] = (int64_t)i * 1000 - 5;
        for (unsigned i = 0; i < 16; i++)
            bits[i] = random_u64();
        cr_assert_eq(batch_builder_put_i64s(b, 0, v, round == 1 ? NULL : bits, n), 0);
        cr_assert_eq(batch_builder_end_rows(b, n), 0);
        for (uint32_t i = 0; i < n; i++)
            expected[at + i] = round == 1 || bits[i / 64] >> (i % 64) & 1;
        at += n;
    }
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, 0, &out), 0);
    open_ok(&out, &view);
    batch_column_at(&view, 0, &c);
    batch_read_i64(&c, 0, at, back);
    for (uint32_t i = 0; i < at; i++) {
        uint32_t k = i < 70 ? i : i < 1069 ? i - 70 : i - 1069;

        cr_assert_eq(batch_is_present(&c, i), expected[i], "row %u", i);
        cr_assert_eq(back[i], expected[i] ? (int64_t)k * 1000 - 5 : 0, "row %u", i);
    }
    buffer_fini(&out);
    batch_builder_free(b);
}

Test(batch, budget_is_charged_and_released)
{
    struct budget budget;
    struct batch_builder *b;
    int rc = 0;

    budget_init(&budget, "test", 4096, NULL);
    b = batch_builder_new(&budget);
    batch_builder_add_column(b, 1, BATCH_I64, 0);
    for (unsigned i = 0; i < 10000 && rc == 0; i++) {
        rc = batch_builder_put_i64(b, 0, i);
        if (rc == 0)
            rc = batch_builder_end_row(b);
    }
    cr_assert_eq(rc, -ENOMEM);
    cr_assert_eq(batch_builder_rows(b), 512);
    batch_builder_free(b);
    cr_assert_eq(budget.used, 0);
}

Test(batch, limits)
{
    struct batch_builder *b = batch_builder_new(NULL);
    char *big = calloc(1, 1 << 20);
    struct buffer out;
    int rc = 0;

    batch_builder_add_column(b, 1, BATCH_BYTES, 0);
    for (unsigned i = 0; i < 65 && rc == 0; i++) {
        rc = batch_builder_put_bytes(b, 0, big, 1 << 20);
        if (rc == 0)
            rc = batch_builder_end_row(b);
    }
    cr_assert_eq(rc, -ENOBUFS);
    buffer_init(&out, 256u << 20);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, 0, &out), -ENOBUFS);
    batch_builder_reset(b);
    for (unsigned i = 0; i < BATCH_MAX_ROWS; i++)
        cr_assert_eq(batch_builder_end_row(b), 0);
    cr_assert_eq(batch_builder_end_row(b), -ENOBUFS);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, 0, &out), 0);
    free(big);
    buffer_fini(&out);
    batch_builder_free(b);
}

/* Reads all of a batch that batch_open accepted; sanitizers watch. */
static uint64_t read_all(const struct batch *view)
{
    uint64_t sum = 0;
    uint32_t len;

    for (unsigned i = 0; i < view->columns; i++) {
        struct batch_column c;

        batch_column_at(view, i, &c);
        for (uint32_t r = 0; r < view->rows; r++) {
            if (c.kind == BATCH_I64)
                sum += (uint64_t)batch_i64(&c, r);
            else if (c.kind == BATCH_I128)
                sum += (uint64_t)batch_i128(&c, r);
            else if (c.kind == BATCH_F64)
                sum += batch_f64(&c, r) > 0;
            else if (c.kind == BATCH_BYTES) {
                const char *s = batch_bytes(&c, r, &len);

                while (len)
                    sum += (uint8_t)s[--len];
            } else {
                for (uint32_t k = 0; k < batch_list_count(&c, r); k++) {
                    const char *s = batch_list_item(&c, r, k, &len);

                    while (len)
                        sum += (uint8_t)s[--len];
                }
            }
        }
    }
    return sum;
}

Test(batch, damaged_bytes_are_refused_or_harmless)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer out;
    struct error_info err;
    struct batch view;
    uint64_t accepted = 0, refused = 0, sum = 0;

    for (unsigned i = 0; i < MODEL_COLUMNS; i++)
        batch_builder_add_column(b, (uint16_t)(100 + i), model_kinds[i], (uint8_t)i);
    buffer_init(&out, BATCH_MAX_BYTES);
    build_random(b, 40, true);
    cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, 5, 6, &out), 0);
    for (unsigned round = 0; round < 30000; round++) {
        size_t len = random_u64() % 8 ? out.len : random_u64() % (out.len + 1);
        uint8_t *copy =
            malloc(len ? len : 1); /* exact size, so that a sanitizer sees one byte too far */

        memcpy(copy, out.data, len);
        for (unsigned k = 0; len && k < random_u64() % 4; k++) {
            /* Mostly the first bytes, where header and descriptors are. */
            size_t at = random_u64() % (random_u64() % 2 ? len : len < 160 ? len : 160);

            copy[at] = random_u64() % 2 ? (uint8_t)random_u64()
                                        : (uint8_t)(copy[at] ^ 1 << random_u64() % 8);
        }
        if (batch_open(copy, len, &view, &err) == 0) {
            accepted++;
            sum += read_all(&view);
        } else {
            refused++;
            cr_assert(err.text[0]);
        }
        free(copy);
    }
    cr_log_info("accepted %llu, refused %llu, sum %llu", (unsigned long long)accepted,
                (unsigned long long)refused, (unsigned long long)sum);
    cr_assert(accepted > 100 && refused > 100);
    buffer_fini(&out);
    batch_builder_free(b);
}

static int open_patched(const struct buffer *good, size_t at, const void *bytes, size_t n,
                        struct error_info *err)
{
    uint8_t *copy = malloc(good->len);
    struct batch view;
    int rc;

    memcpy(copy, good->data, good->len);
    memcpy(copy + at, bytes, n);
    rc = batch_open(copy, good->len, &view, err);
    free(copy);
    return rc;
}

/* Each rule of the format broken once, by name. */
Test(batch, each_rule_is_checked)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer out;
    struct error_info err;
    struct batch view;
    size_t first = 32, second = 48; /* descriptors */
    uint32_t data, u32;
    uint16_t u16;

    batch_builder_add_column(b, 1, BATCH_BYTES, 0);
    batch_builder_add_column(b, 2, BATCH_I64, 0);
    for (unsigned i = 0; i < 3; i++) {
        batch_builder_put_bytes(b, 0, "abcdef", i * 2);
        if (i != 1)
            batch_builder_put_i64(b, 1, i);
        batch_builder_end_row(b);
    }
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, 5, 6, &out), 0);
    open_ok(&out, &view);

    cr_assert_eq(open_patched(&out, 0, "X", 1, &err), -EBADMSG, "magic");
    u32 = (uint32_t)out.len + 8;
    cr_assert_eq(open_patched(&out, 4, &u32, 4, &err), -EBADMSG, "total");
    u32 = BATCH_MAX_ROWS + 1;
    cr_assert_eq(open_patched(&out, 8, &u32, 4, &err), -EBADMSG, "rows");
    u16 = BATCH_MAX_COLUMNS + 1;
    cr_assert_eq(open_patched(&out, 12, &u16, 2, &err), -EBADMSG, "columns");
    u16 = 1000;
    cr_assert_eq(open_patched(&out, 12, &u16, 2, &err), -EBADMSG, "descriptors outside");
    cr_assert_eq(open_patched(&out, 14, "\x07", 1, &err), -EBADMSG, "operation");
    cr_assert_eq(open_patched(&out, 15, "\x01", 1, &err), -EBADMSG, "flags");
    cr_assert_eq(open_patched(&out, 24, "\x01", 1, &err), -EBADMSG, "reserved");

    u16 = 1;
    cr_assert_eq(open_patched(&out, second, &u16, 2, &err), -EBADMSG, "same id twice");
    cr_assert_eq(open_patched(&out, first + 2, "\x05", 1, &err), -EBADMSG, "kind");
    cr_assert_eq(open_patched(&out, first + 3, "\x02", 1, &err), -EBADMSG, "column flags");
    memcpy(&data, out.data + first + 4, 4);
    u32 = data + 4;
    cr_assert_eq(open_patched(&out, first + 4, &u32, 4, &err), -EBADMSG, "not aligned");
    u32 = data + 8;
    cr_assert_eq(open_patched(&out, first + 4, &u32, 4, &err), -EBADMSG, "hole");
    cr_assert_eq(open_patched(&out, second + 4, &data, 4, &err), -EBADMSG, "overlap");
    u32 = 0xfffffff8;
    cr_assert_eq(open_patched(&out, first + 8, &u32, 4, &err), -EBADMSG, "length");
    cr_assert_eq(open_patched(&out, first + 12, "\x01", 1, &err), -EBADMSG, "width of bytes");
    cr_assert_eq(open_patched(&out, second + 12, "\x03", 1, &err), -EBADMSG, "width of integers");
    cr_assert_eq(open_patched(&out, second + 13, "\x40", 1, &err), -EBADMSG, "scale");
    cr_assert_eq(open_patched(&out, second + 14, "\x01", 1, &err), -EBADMSG, "reserved");

    cr_assert_eq(open_patched(&out, data, "\x01", 1, &err), -EBADMSG, "first offset");
    cr_assert_eq(open_patched(&out, data + 4, "\x03", 1, &err), -EBADMSG, "falling offsets");
    cr_assert_eq(open_patched(&out, data + 12, "\x07", 1, &err), -EBADMSG, "last offset");
    memcpy(&data, out.data + second + 4, 4);
    cr_assert_eq(open_patched(&out, data, "\x0f", 1, &err), -EBADMSG,
                 "presence of rows that are not there");

    cr_assert_eq(batch_open(out.data, out.len - 8, &view, &err), -EBADMSG, "cut");
    cr_assert_eq(batch_open(out.data, 16, &view, &err), -EBADMSG, "no header");
    buffer_fini(&out);
    batch_builder_free(b);
}

/* Appended codes: texts read as put, coded only where that is shorter; NULLs and columns without any value. */
Test(batch, appended_codes_become_codes_or_texts)
{
    enum { ROWS = 300, FEW = 7 };
    struct batch_builder *b = batch_builder_new(NULL);
    struct dict *dicts[3];
    struct buffer out;
    struct batch batch;
    struct error_info err;
    char text[32];

    for (unsigned i = 0; i < 3; i++) {
        dicts[i] = dict_new(DICT_BYTES, 0, NULL);
        cr_assert_eq(batch_builder_add_column(b, (uint16_t)i, BATCH_BYTES, 0), (int)i);
    }
    for (uint32_t from = 0; from < ROWS; from += 100) {
        uint32_t codes[3][100] = {0};
        uint64_t some[2] = {0}, none[2] = {0};
        for (uint32_t k = 0; k < 100; k++) {
            int len = snprintf(text, sizeof text, "value %u", (from + k) % FEW);
            if ((from + k) % 3) {
                some[k / 64] |= 1ull << k % 64;
                cr_assert_eq(dict_put_bytes(dicts[0], text, (uint32_t)len, &codes[0][k]), 0);
            }
            len = snprintf(text, sizeof text, "%u", from + k);
            cr_assert_eq(dict_put_bytes(dicts[1], text, (uint32_t)len, &codes[1][k]), 0);
        }
        cr_assert_eq(batch_builder_append_codes(b, 0, codes[0], some, 100), 0);
        cr_assert_eq(batch_builder_append_codes(b, 1, codes[1], NULL, 100), 0);
        cr_assert_eq(batch_builder_append_codes(b, 2, codes[2], none, 100), 0);
        cr_assert_eq(batch_builder_end_rows(b, 100), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(batch_builder_set_values(b, i, dicts[i]), 0);
    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 0, 0, &out), 0);
    cr_assert_eq(batch_open(out.data, out.len, &batch, &err), 0, "%s", err.text);
    for (unsigned i = 0; i < 3; i++) {
        struct batch_column c;
        batch_column_at(&batch, i, &c);
        cr_assert_eq(c.codes != NULL, i == 0);
        for (uint32_t row = 0; row < ROWS; row++) {
            uint32_t len;
            bool there = i == 0 ? row % 3 != 0 : i == 1;
            cr_assert_eq(batch_is_present(&c, row), there);
            const char *s = batch_bytes(&c, row, &len);
            int want = i == 0 ? snprintf(text, sizeof text, "value %u", row % FEW)
                              : snprintf(text, sizeof text, "%u", row);
            cr_assert(!there || (len == (uint32_t)want && !memcmp(s, text, len)), "row %u", row);
        }
        dict_free(dicts[i]);
    }
    batch_builder_free(b);
    buffer_fini(&out);
}
