/* Columns put as a whole, texts with codes, and rows picked from batches of every form. */
#include "storage/batch_gather.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/batch_format.h"

enum { MAX_ROWS = 700, MAX_VALUES = 400, TEXT_BYTES = 40 };

static uint64_t seed = 0x5eed;

static uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* Texts one behind the other, and where each begins. */
struct texts {
    uint8_t data[MAX_ROWS * TEXT_BYTES];
    uint32_t offsets[MAX_ROWS + 1];
};

/* NULL rows are empty, as whoever puts texts must have them. */
static void make_texts(struct texts *t, uint32_t n, const uint64_t *presence)
{
    t->offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = (uint32_t)(random_u64() % TEXT_BYTES);

        if (presence && !(presence[i / 64] >> (i % 64) & 1))
            len = 0;
        for (uint32_t k = 0; k < len; k++)
            t->data[t->offsets[i] + k] = (uint8_t)('a' + random_u64() % 26);
        t->offsets[i + 1] = t->offsets[i] + len;
    }
}

/* What the columns were made of. */
struct source {
    uint32_t rows, values;
    uint64_t presence[MAX_ROWS / 64 + 1];
    int64_t ints[4][MAX_ROWS];
    struct texts texts, dictionary;
    uint32_t codes[MAX_ROWS];
};

static void make_source(struct source *s, uint32_t rows, uint32_t values, bool nulls)
{
    s->rows = rows;
    s->values = values;
    for (unsigned i = 0; i < sizeof s->presence / 8; i++)
        s->presence[i] = nulls ? random_u64() : ~0ull;
    for (uint32_t r = 0; r < rows; r++) {
        for (unsigned i = 0; i < 4; i++)
            s->ints[i][r] = (int64_t)(random_u64() >> (64 - (8u << i)));
        s->codes[r] = (uint32_t)(random_u64() % values);
    }
    make_texts(&s->texts, rows, s->presence);
    make_texts(&s->dictionary, values, NULL);
}

static void put_source(struct batch_builder *b, const struct source *s, struct buffer *out)
{
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(batch_builder_put_i64s(b, i, s->ints[i], s->presence, s->rows), 0);
    cr_assert_eq(batch_builder_put_texts(b, 4, s->texts.data, s->texts.offsets, s->presence,
                                         s->rows),
                 0);
    if (s->rows)
        cr_assert_eq(batch_builder_put_codes(b, 5, s->dictionary.data, s->dictionary.offsets,
                                             s->values, s->codes, s->presence, s->rows),
                     0);
    cr_assert_eq(batch_builder_end_rows(b, s->rows), 0);
    out->len = 0;
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 3, BATCH_SLOT_ANY, out), 0);
    cr_assert_leq(out->len, batch_builder_bytes(b));
}

static struct batch_builder *source_builder(void)
{
    static const enum batch_kind kinds[] = {BATCH_I64, BATCH_I64,   BATCH_I64,
                                            BATCH_I64, BATCH_BYTES, BATCH_BYTES};
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(batch_builder_add_column(b, (uint16_t)(10 + i), kinds[i], 0), (int)i);
    return b;
}

static void check_text(const struct batch_column *c, uint32_t row, const struct texts *t,
                       uint32_t at)
{
    uint32_t len, want = t->offsets[at + 1] - t->offsets[at];
    const char *bytes = batch_bytes(c, row, &len);

    cr_assert(len == want && memcmp(bytes, t->data + t->offsets[at], len) == 0, "row %u", row);
}

/* Row r of the view is row rows[r] of the source. */
static void check_source(const struct batch *view, const struct source *s, const uint32_t *rows)
{
    struct batch_column c;

    for (unsigned i = 0; i < 6; i++) {
        batch_column_at(view, i, &c);
        cr_assert_eq(c.id, 10 + i);
        for (uint32_t r = 0; r < view->rows; r++) {
            uint32_t from = rows ? rows[r] : r;

            cr_assert_eq(batch_is_present(&c, r), s->presence[from / 64] >> (from % 64) & 1);
            if (!batch_is_present(&c, r))
                continue;
            if (i < 4)
                cr_assert_eq(batch_i64(&c, r), s->ints[i][from], "column %u row %u", i, r);
            else
                check_text(&c, r, i == 4 ? &s->texts : &s->dictionary,
                           i == 4 ? from : s->codes[from]);
        }
    }
}

static uint32_t some_rows(uint32_t of, uint32_t *rows)
{
    uint64_t step = 1 + random_u64() % 9;
    uint32_t n = 0;

    for (uint32_t r = 0; r < of; r++)
        if (random_u64() % step == 0)
            rows[n++] = r;
    return n;
}

static void check_gathered(const struct batch *view, const struct source *s)
{
    uint32_t rows[MAX_ROWS], n = some_rows(view->rows, rows);
    struct error_info err;
    struct batch picked, trusted;
    struct buffer out;

    buffer_init(&out, BATCH_MAX_BYTES);
    cr_assert_eq(batch_gather(view, rows, n, 17, &out), 0);
    cr_assert_eq(batch_open(out.data, out.len, &picked, &err), 0, "%s", err.text);
    batch_open_trusted(out.data, &trusted);
    cr_assert(trusted.len == picked.len && trusted.rows == n && trusted.columns == picked.columns);
    cr_assert(picked.rows == n && picked.slot == 17 && picked.op == view->op &&
              picked.table_id == view->table_id);
    check_source(&picked, s, rows);
    buffer_fini(&out);
}

Test(batch_gather, columns_and_codes_are_read_and_picked)
{
    static const uint32_t values[] = {1, 2, 7, 255, 256, 257, MAX_VALUES};
    struct source *s = malloc(sizeof *s);
    struct batch_builder *b = source_builder();
    struct error_info err;
    struct buffer out;
    struct batch view;

    buffer_init(&out, BATCH_MAX_BYTES);
    for (unsigned round = 0; round < 140; round++) {
        struct batch_column c;

        make_source(s, (uint32_t)(1 + random_u64() % MAX_ROWS), values[round % 7], round % 2);
        put_source(b, s, &out);
        cr_assert_eq(batch_open(out.data, out.len, &view, &err), 0, "%s", err.text);
        cr_assert(batch_has_codes(&view));
        batch_column_at(&view, 5, &c);
        cr_assert_eq(c.width, s->values <= 256 ? 1 : 2);
        check_source(&view, s, NULL);
        for (unsigned k = 0; k < 4; k++)
            check_gathered(&view, s);
        batch_builder_reset(b);
    }
    free(s);
    buffer_fini(&out);
    batch_builder_free(b);
}

/* After a reset the column takes texts again. */
Test(batch_gather, codes_leave_with_the_rows)
{
    struct source *s = malloc(sizeof *s);
    struct batch_builder *b = source_builder();
    struct error_info err;
    struct batch_column c;
    struct buffer out;
    struct batch view;
    uint32_t len;

    buffer_init(&out, BATCH_MAX_BYTES);
    make_source(s, 100, 5, false);
    put_source(b, s, &out);
    batch_builder_reset(b);
    cr_assert_eq(batch_builder_put_bytes(b, 5, "later", 5), 0);
    cr_assert_eq(batch_builder_end_row(b), 0);
    out.len = 0;
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 3, 0, &out), 0);
    cr_assert_eq(batch_open(out.data, out.len, &view, &err), 0, "%s", err.text);
    cr_assert(!batch_has_codes(&view));
    batch_column_at(&view, 5, &c);
    cr_assert(!memcmp(batch_bytes(&c, 0, &len), "later", 5) && len == 5);
    free(s);
    buffer_fini(&out);
    batch_builder_free(b);
}

/* A builder's rows and a list column: the same cells as a copy row by row. */
/* A long value that few rows have must not go to every slot. */
Test(batch_gather, long_values_go_where_their_rows_go)
{
    enum { ROWS = 512, LONG = 1 << 20 };
    static uint8_t texts[LONG + 2];
    uint32_t offsets[] = {0, 1, 2, LONG + 2}, codes[ROWS], rows[ROWS], len;
    uint64_t presence[ROWS / 64];
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer whole, some;
    struct batch src, out;
    struct batch_column c;
    struct error_info err;

    memset(texts, 'x', sizeof texts);
    memset(presence, 0xff, sizeof presence);
    for (uint32_t i = 0; i < ROWS; i++) {
        codes[i] = i == ROWS - 1 ? 2 : i % 2;
        rows[i] = i;
    }
    buffer_init(&whole, BATCH_MAX_BYTES);
    buffer_init(&some, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_add_column(b, 10, BATCH_BYTES, 0), 0);
    cr_assert_eq(batch_builder_put_codes(b, 0, texts, offsets, 3, codes, presence, ROWS), 0);
    cr_assert_eq(batch_builder_end_rows(b, ROWS), 0);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 3, BATCH_SLOT_ANY, &whole), 0);
    cr_assert_eq(batch_open(whole.data, whole.len, &src, &err), 0, "%s", err.text);
    cr_assert_eq(batch_gather(&src, rows, ROWS - 1, 1, &some), 0);
    cr_assert_lt(some.len, 16384);
    cr_assert_eq(batch_open(some.data, some.len, &out, &err), 0, "%s", err.text);
    batch_column_at(&out, 0, &c);
    for (uint32_t i = 0; i + 1 < ROWS; i++)
        cr_assert(batch_bytes(&c, i, &len) && len == 1);
    some.len = 0;
    cr_assert_eq(batch_gather(&src, rows + ROWS - 8, 8, 1, &some), 0);
    cr_assert_gt(some.len, LONG);
    buffer_fini(&whole);
    buffer_fini(&some);
    batch_builder_free(b);
}

Test(batch_gather, picks_what_copies_of_rows_have)
{
    static const enum batch_kind kinds[] = {BATCH_I128, BATCH_F64, BATCH_BYTES, BATCH_LIST};
    struct batch_builder *b = batch_builder_new(NULL), *copy = batch_builder_new(NULL);
    struct buffer out, picked, copied;
    struct error_info err;
    struct batch view, x;

    buffer_init(&out, BATCH_MAX_BYTES);
    buffer_init(&picked, BATCH_MAX_BYTES);
    buffer_init(&copied, BATCH_MAX_BYTES);
    for (unsigned i = 0; i < 4; i++) {
        batch_builder_add_column(b, (uint16_t)i, kinds[i], 0);
        batch_builder_add_column(copy, (uint16_t)i, kinds[i], 0);
    }
    for (unsigned round = 0; round < 40; round++) {
        uint32_t rows[MAX_ROWS], n;

        batch_builder_reset(b);
        batch_builder_reset(copy);
        for (uint32_t r = 0; r < random_u64() % MAX_ROWS; r++) {
            if (random_u64() % 4)
                batch_builder_put_i128(b, 0, (__int128)random_u64() << 31);
            if (random_u64() % 4 || round % 2)
                batch_builder_put_f64(b, 1, (double)random_u64());
            if (random_u64() % 4)
                batch_builder_put_bytes(b, 2, "0123456789012345678901234567890",
                                        (uint32_t)(random_u64() % 32));
            for (uint64_t k = random_u64() % 4; k; k--)
                batch_builder_put_list_item(b, 3, "abcdefgh", (uint32_t)(random_u64() % 9));
            cr_assert_eq(batch_builder_end_row(b), 0);
        }
        out.len = picked.len = copied.len = 0;
        cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 3, 4, &out), 0);
        cr_assert_eq(batch_open(out.data, out.len, &view, &err), 0, "%s", err.text);
        n = some_rows(view.rows, rows);
        for (uint32_t i = 0; i < n; i++)
            cr_assert_eq(batch_builder_copy_row(copy, &view, rows[i]), 0);
        cr_assert_eq(batch_builder_finish(copy, BATCH_UPSERT, 3, 4, &copied), 0);
        cr_assert_eq(batch_gather(&view, rows, n, 4, &picked), 0);
        cr_assert_eq(batch_open(picked.data, picked.len, &x, &err), 0, "%s", err.text);
        cr_assert(picked.len == copied.len && !memcmp(picked.data, copied.data, copied.len));
    }
    buffer_fini(&out);
    buffer_fini(&picked);
    buffer_fini(&copied);
    batch_builder_free(b);
    batch_builder_free(copy);
}

/* Sanitizers watch. */
Test(batch_gather, damaged_codes_are_refused_or_harmless)
{
    struct source *s = malloc(sizeof *s);
    struct batch_builder *b = source_builder();
    unsigned accepted = 0, refused = 0;
    struct error_info err;
    struct buffer out;

    buffer_init(&out, BATCH_MAX_BYTES);
    make_source(s, 60, 9, true);
    put_source(b, s, &out);
    for (unsigned round = 0; round < 30000; round++) {
        uint8_t *copy = malloc(out.len);
        uint32_t rows[60];
        struct batch view;

        memcpy(copy, out.data, out.len);
        for (unsigned k = 0; k < 1 + random_u64() % 3; k++) {
            const struct batch_descriptor *d =
                (const void *)(out.data + sizeof(struct batch_header) + 5 * sizeof *d);
            size_t at = random_u64() % 2
                            ? d->offset + random_u64() % d->length
                            : (size_t)((const uint8_t *)d - out.data) + random_u64() % sizeof *d;

            copy[at] ^= (uint8_t)(1u << random_u64() % 8);
        }
        if (batch_open(copy, out.len, &view, &err) == 0) {
            struct buffer picked;
            struct batch again;

            accepted++;
            buffer_init(&picked, BATCH_MAX_BYTES);
            cr_assert_eq(batch_gather(&view, rows, some_rows(view.rows, rows), 0, &picked), 0);
            cr_assert_eq(batch_open(picked.data, picked.len, &again, &err), 0, "%s", err.text);
            buffer_fini(&picked);
        } else {
            refused++;
        }
        free(copy);
    }
    cr_assert(accepted > 100 && refused > 100, "%u and %u", accepted, refused);
    free(s);
    buffer_fini(&out);
    batch_builder_free(b);
}
