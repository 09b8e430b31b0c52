/*
 * Column images: what is decoded answers as the original does, function by function, and takes the same changes;
 * every kind of damage is refused, and damage that is not seen leaves a block that is safe to read and to change.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/budget.h"
#include "reactor/buffer.h"
#include "storage/colblock_change.h"
#include "storage/colblock_sealed.h"
#include "storage/column_image.h"
#include "storage/column_image_format.h"
#include "storage/dict.h"
#include "storage/kernel.h"
#include "storage/selection.h"

/* Per row: an assertion of the framework for each would take most of the time. */
#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

enum { MAX_CODES = 70000, MAX_LIST = 5, IMAGE_LIMIT = 64 << 20 };

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

/* A block, its copy that went through an image, and how their values are drawn. */
struct pair {
    enum column_layout layout;
    struct budget budget;
    struct colblock *block, *copy;
    struct dict *lists;
    uint32_t codes, null_percent;
    unsigned width; /* bits of ordered values */
    int64_t base;
};

static void pair_init(struct pair *p, enum column_layout layout, uint32_t codes)
{
    *p = (struct pair){.layout = layout, .codes = codes, .width = 10};
    budget_init(&p->budget, "test", 0, NULL);
    if (layout == LAYOUT_LIST)
        p->lists = dict_new(DICT_LIST, 3, &p->budget);
    p->block = colblock_new(layout, p->lists, &p->budget);
}

static void pair_fini(struct pair *p)
{
    colblock_free(p->block);
    colblock_free(p->copy);
    dict_free(p->lists);
    cr_assert_eq(p->budget.used, 0, "memory is given back");
}

static int64_t draw(struct pair *p, struct random *r)
{
    uint32_t list[MAX_LIST], n, code;

    if (p->layout == LAYOUT_ORDERED) {
        uint64_t bits = p->width ? next(r) >> (64 - p->width) : 0;

        return (int64_t)((uint64_t)p->base + bits);
    }
    if (p->layout != LAYOUT_LIST)
        return below(r, below(r, 4) ? (p->codes + 3) / 4 : p->codes);
    n = 1 + below(r, MAX_LIST);
    for (uint32_t i = 0; i < n; i++)
        list[i] = (below(r, p->codes) + i) % (p->codes + MAX_LIST);
    CHECK(dict_put_list(p->lists, list, n, &code) == 0, "list");
    return code;
}

static uint32_t n_codes(const struct pair *p)
{
    return p->lists ? dict_count(p->lists) : p->codes;
}

/* The same rows at the end of both. */
static void append(struct pair *p, struct random *r, uint32_t n)
{
    static int64_t values[BLOCK_ROWS];
    static uint8_t present[BLOCK_ROWS];

    if (n > BLOCK_ROWS - colblock_rows(p->block))
        n = BLOCK_ROWS - colblock_rows(p->block);
    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        present[i] = below(r, 100) >= p->null_percent;
        values[i] = present[i] ? draw(p, r) : 0;
    }
    for (int k = 0; k < 2; k++) {
        struct colblock *c = k ? p->copy : p->block;

        if (!c)
            continue;
        cr_assert_eq(colblock_reserve(c, values, present, n), 0);
        colblock_append(c, values, present, n);
    }
}

static void set_some(struct pair *p, struct random *r, uint32_t n)
{
    while (colblock_rows(p->block) && n--) {
        uint32_t row = below(r, colblock_rows(p->block));
        bool present = below(r, 100) >= p->null_percent;
        int64_t value = present ? draw(p, r) : 0;

        for (int k = 0; k < 2; k++) {
            struct colblock *c = k ? p->copy : p->block;

            if (!c)
                continue;
            CHECK(colblock_reserve_set(c, row, value, present) == 0, "reserve");
            colblock_set(c, row, value, present);
        }
    }
}

static void seal(struct pair *p, bool all)
{
    uint32_t rows = colblock_rows(p->block);

    if (!all)
        rows = rows / LINE_ROWS * LINE_ROWS;

    cr_assert_eq(colblock_seal(p->block, rows), 0);
    if (p->copy)
        cr_assert_eq(colblock_seal(p->copy, rows), 0);
}

static void draw_selection(uint32_t rows, struct random *r, uint64_t *sel)
{
    unsigned kind = below(r, 4);

    memset(sel, 0, BLOCK_WORDS * sizeof *sel);
    for (uint32_t row = 0; row < rows; row++) {
        if (kind == 0 || (kind == 1 && below(r, 2)) || (kind == 2 && below(r, 300) == 0) ||
            (kind == 3 && row / 512 % 3 == 0))
            selection_set(sel, row);
    }
}

/* ---- every function of colblock.h on both ---- */

static void same_values(const struct colblock *a, const struct colblock *b, const uint64_t *sel)
{
    uint32_t n = selection_count(sel), at = 0;
    int64_t *x = malloc((n + 1) * sizeof *x), *y = malloc((n + 1) * sizeof *y), v;
    uint8_t *px = malloc(n + 1), *py = malloc(n + 1);

    cr_assert_eq(colblock_decode(a, sel, x, px), n);
    cr_assert_eq(colblock_decode(b, sel, y, py), n);
    cr_assert(n == 0 || memcmp(x, y, n * sizeof *x) == 0, "values");
    cr_assert(n == 0 || memcmp(px, py, n) == 0, "presence");
    for (uint32_t w = 0; w < BLOCK_WORDS; w++) {
        for (uint64_t bits = sel[w]; bits; bits &= bits - 1, at++) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);

            if (at % 13)
                continue;
            CHECK(colblock_get(b, row, &v) == px[at], "get: presence of row %" PRIu32, row);
            CHECK(!px[at] || v == x[at], "get: row %" PRIu32, row);
        }
    }
    free(x);
    free(y);
    free(px);
    free(py);
}

static void same_ordered(struct pair *p, const struct colblock *a, const struct colblock *b,
                         struct random *r, const uint64_t *sel)
{
    uint64_t sa[BLOCK_WORDS], sb[BLOCK_WORDS];
    int64_t x[2] = {0, 0}, y[2] = {0, 0};
    __int128 sum, other;

    cr_assert_eq(colblock_sum(a, sel, &sum), colblock_sum(b, sel, &other));
    cr_assert(sum == other, "sum");
    cr_assert_eq(colblock_min_max(a, sel, &x[0], &x[1]), colblock_min_max(b, sel, &y[0], &y[1]));
    cr_assert(memcmp(x, y, sizeof x) == 0, "min and max");
    for (int i = 0; i < 4; i++) {
        int64_t lo = draw(p, r), hi = i ? draw(p, r) : lo;

        memcpy(sa, sel, sizeof sa);
        memcpy(sb, sel, sizeof sb);
        colblock_filter_range(a, lo, hi, i % 2, sa);
        colblock_filter_range(b, lo, hi, i % 2, sb);
        cr_assert(memcmp(sa, sb, sizeof sa) == 0, "range");
    }
}

static void same_codes(struct pair *p, struct colblock *a, struct colblock *b, struct random *r,
                       const uint64_t *sel)
{
    uint64_t sa[BLOCK_WORDS], sb[BLOCK_WORDS];
    static uint64_t x[MAX_CODES], y[MAX_CODES], bits[MAX_CODES / 64 + 1];

    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    colblock_count_codes(a, sel, x, MAX_CODES);
    colblock_count_codes(b, sel, y, MAX_CODES);
    cr_assert(memcmp(x, y, sizeof x) == 0, "counts per code");
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t code = below(r, p->codes);
        struct code_set set = {bits, p->codes, 0, 0};

        memset(bits, 0, sizeof bits);
        for (uint32_t k = 0; k < (i < 2 ? i : below(r, p->codes)); k++) {
            uint32_t member = below(r, p->codes);

            set.count += !(bits[member / 64] >> member % 64 & 1);
            set.only = member;
            bits[member / 64] |= 1ull << member % 64;
        }
        memcpy(sa, sel, sizeof sa);
        memcpy(sb, sel, sizeof sb);
        colblock_filter_codes(a, &set, i % 2, sa);
        colblock_filter_codes(b, &set, i % 2, sb);
        cr_assert(memcmp(sa, sb, sizeof sa) == 0, "codes");
        if (p->layout == LAYOUT_LIST)
            continue;
        memcpy(sa, sel, sizeof sa);
        memcpy(sb, sel, sizeof sb);
        colblock_filter_code(a, code, i % 2, sa);
        colblock_filter_code(b, code, i % 2, sb);
        cr_assert(memcmp(sa, sb, sizeof sa) == 0, "code");
    }
}

static void same(struct pair *p, struct colblock *a, struct colblock *b, struct random *r)
{
    uint64_t sel[BLOCK_WORDS], sa[BLOCK_WORDS], sb[BLOCK_WORDS];
    int64_t x[2] = {0, 0}, y[2] = {0, 0};

    cr_assert_eq(colblock_rows(a), colblock_rows(b));
    cr_assert_eq(colblock_sealed_rows(a), colblock_sealed_rows(b));
    cr_assert_eq(colblock_has_nulls(a), colblock_has_nulls(b));
    cr_assert_eq(colblock_bounds(a, &x[0], &x[1]), colblock_bounds(b, &y[0], &y[1]));
    cr_assert(memcmp(x, y, sizeof x) == 0, "bounds");
    for (int i = 0; i < 3; i++) {
        draw_selection(colblock_rows(a), r, sel);
        cr_assert_eq(colblock_count(a, sel), colblock_count(b, sel));
        same_values(a, b, sel);
        for (int null = 0; null < 2; null++) {
            memcpy(sa, sel, sizeof sa);
            memcpy(sb, sel, sizeof sb);
            colblock_filter_null(a, null, sa);
            colblock_filter_null(b, null, sb);
            cr_assert(memcmp(sa, sb, sizeof sa) == 0, "null");
        }
        if (p->layout == LAYOUT_ORDERED)
            same_ordered(p, a, b, r, sel);
        else
            same_codes(p, a, b, r, sel);
    }
}

/* ---- round trips ---- */

/* Decodes from memory of just that length, so that the sanitizer sees a byte too many. */
static int decode(struct pair *p, const uint8_t *bytes, size_t len, uint32_t rows,
                  struct colblock **out, struct error_info *err)
{
    uint8_t *exact = malloc(len ? len : 1);
    int rc;

    memcpy(exact, bytes, len);
    memset(err, 0, sizeof *err);
    rc = column_image_decode(exact, len, p->layout, rows, n_codes(p), p->lists, &p->budget, out,
                             err);
    free(exact);
    return rc;
}

static void through_image(struct pair *p, struct random *r)
{
    struct error_info err;
    struct buffer b, again;

    colblock_free(p->copy);
    p->copy = NULL;
    buffer_init(&b, IMAGE_LIMIT);
    buffer_init(&again, IMAGE_LIMIT);
    cr_assert_eq(column_image_encode(p->block, colblock_rows(p->block), &b), 0);
    cr_assert_eq(decode(p, b.data, b.len, colblock_rows(p->block), &p->copy, &err), 0, "%s",
                 err.text);
    same(p, p->block, p->copy, r);
    cr_assert_eq(column_image_encode(p->copy, colblock_rows(p->copy), &again), 0);
    cr_assert(b.len == again.len && memcmp(b.data, again.data, b.len) == 0,
              "equal content, equal bytes");
    buffer_fini(&b);
    buffer_fini(&again);
}

static void run(enum column_layout layout)
{
    static const uint32_t codes[] = {1, 2, 9, 16, 17, 40, 300, 5000, MAX_CODES - MAX_LIST};
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) ^ 0x77ull << layout;
    const struct kernels *forms[4];
    unsigned n_forms = kernel_forms(forms);

    for (int round = 0; round < (given ? 1 : 10); round++, seed++) {
        struct random r = {seed};
        struct pair p;

        pair_init(&p, layout, codes[below(&r, layout == LAYOUT_LIST ? 8 : 9)]);
        p.width = below(&r, 65);
        p.base = below(&r, 3) ? (int64_t)next(&r) >> below(&r, 64) : 0;
        kernel_use(forms[below(&r, n_forms)]);
        fprintf(stderr, "column_image layout %d kernels %s TEST_SEED=%" PRIu64 "\n", layout,
                kernel_table()->name, seed);
        through_image(&p, &r);
        for (int step = 0; step < 6; step++) {
            p.null_percent = below(&r, 2) ? 0 : below(&r, 3) ? below(&r, 60) : 100;
            append(&p, &r, below(&r, 3) == 0 ? 1 + below(&r, 3) : below(&r, 9000));
            set_some(&p, &r, below(&r, 300));
            if (below(&r, 2))
                seal(&p, below(&r, 2));
            same(&p, p.block, p.copy, &r);
            if (below(&r, 3))
                through_image(&p, &r);
        }
        if (round % 3 == 0) {
            append(&p, &r, BLOCK_ROWS);
            seal(&p, false);
            through_image(&p, &r);
            set_some(&p, &r, 2000);
            same(&p, p.block, p.copy, &r);
            through_image(&p, &r);
        }
        pair_fini(&p);
    }
}

Test(column_image, ordered_round_trips)
{
    run(LAYOUT_ORDERED);
}

Test(column_image, enumerated_round_trips)
{
    run(LAYOUT_ENUM);
}

Test(column_image, coded_round_trips)
{
    run(LAYOUT_CODED);
}

Test(column_image, lists_round_trip)
{
    run(LAYOUT_LIST);
}

Test(column_image, slices_of_every_width)
{
    struct random r = {7};
    struct pair p;

    for (unsigned width = 0; width <= 64; width++) {
        pair_init(&p, LAYOUT_ORDERED, 0);
        p.width = width;
        p.base = width < 60 ? -12345 : INT64_MIN;
        p.null_percent = width % 3 ? 0 : 30;
        append(&p, &r, 1024 + width);
        seal(&p, width % 2);
        through_image(&p, &r);
        set_some(&p, &r, 50);
        through_image(&p, &r);
        pair_fini(&p);
    }
}

Test(column_image, tails_of_every_width)
{
    static const unsigned widths[] = {0, 5, 12, 28, 50, 64};
    struct random r = {8};

    for (unsigned i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (uint32_t nulls = 0; nulls <= 100; nulls += 50) {
            struct pair p;

            pair_init(&p, LAYOUT_ORDERED, 0);
            p.width = widths[i];
            p.null_percent = nulls;
            for (uint32_t n = 0; n < 700; n += 1 + n / 3) {
                append(&p, &r, n);
                through_image(&p, &r);
                append(&p, &r, 1);
                same(&p, p.block, p.copy, &r);
            }
            pair_fini(&p);
        }
    }
}

/* A cut may leave rows of the tail out: those before them are a column of their own. */
Test(column_image, a_part_of_the_tail)
{
    struct random r = {9};

    for (uint32_t nulls = 0; nulls <= 30; nulls += 30) {
        for (uint32_t rows = 1024; rows <= 1500; rows += 17) {
            struct pair p;
            struct error_info err;
            struct buffer b;
            int64_t values[512], v;
            uint8_t present[512];

            pair_init(&p, LAYOUT_ORDERED, 0);
            p.null_percent = nulls;
            append(&p, &r, 1024);
            seal(&p, false);
            append(&p, &r, 476);
            buffer_init(&b, IMAGE_LIMIT);
            cr_assert_eq(column_image_encode(p.block, rows, &b), 0);
            cr_assert_eq(decode(&p, b.data, b.len, rows, &p.copy, &err), 0, "%s", err.text);
            cr_assert_eq(colblock_rows(p.copy), rows);
            /* The rest comes again from the log. */
            for (uint32_t row = rows; row < 1500; row++) {
                present[row - rows] = colblock_get(p.block, row, &v);
                values[row - rows] = present[row - rows] ? v : 0;
            }
            if (rows < 1500) {
                cr_assert_eq(colblock_reserve(p.copy, values, present, 1500 - rows), 0);
                colblock_append(p.copy, values, present, 1500 - rows);
            }
            same(&p, p.block, p.copy, &r);
            buffer_fini(&b);
            pair_fini(&p);
        }
    }
}

Test(column_image, encoding_is_bounded)
{
    struct random r = {10};
    struct buffer b;
    struct pair p;

    pair_init(&p, LAYOUT_ENUM, 10);
    append(&p, &r, 5000);
    seal(&p, false);
    buffer_init(&b, 1000);
    cr_assert_eq(column_image_encode(p.block, 5000, &b), -ENOBUFS);
    buffer_fini(&b);
    pair_fini(&p);
}

Test(column_image, out_of_memory_gives_everything_back)
{
    struct random r = {11};
    struct error_info err;
    struct buffer b;
    struct pair p;

    pair_init(&p, LAYOUT_ORDERED, 10);
    p.null_percent = 10;
    append(&p, &r, 5000);
    seal(&p, false);
    buffer_init(&b, IMAGE_LIMIT);
    cr_assert_eq(column_image_encode(p.block, 5000, &b), 0);
    for (uint64_t used = p.budget.used, more = 0;; more += 64) {
        int rc;

        p.budget.limit = used + more + 1;
        rc = decode(&p, b.data, b.len, 5000, &p.copy, &err);
        if (rc == 0)
            break;
        cr_assert_eq(rc, -ENOMEM);
        cr_assert_eq(p.budget.used, used);
    }
    buffer_fini(&b);
    pair_fini(&p);
}

/* ---- damage ---- */

/* A block with a tail and, where the layout has them, slices, containers of both forms and NULLs. */
static void make_sample(struct pair *p, enum column_layout layout, uint32_t codes, struct buffer *b)
{
    struct random r = {12};

    pair_init(p, layout, codes);
    p->null_percent = 20;
    append(p, &r, 4096);
    seal(p, false);
    append(p, &r, 100);
    if (codes > 100)
        seal(p, true);
    buffer_init(b, IMAGE_LIMIT);
    cr_assert_eq(column_image_encode(p->block, 4196, b), 0);
}

static struct image_head *head_of(struct buffer *b)
{
    return (struct image_head *)(void *)b->data;
}

static struct image_body body_of(struct buffer *b)
{
    const struct image_head *h = head_of(b);
    struct image_body x = {.rows = h->sealed_rows,
                           .words = sealed_words_of(h->sealed_rows),
                           .width = h->width,
                           .n_containers = h->containers,
                           .nulls = h->flags & IMAGE_SEALED_NULLS,
                           .has_slices = h->flags & IMAGE_SLICES,
                           .has_containers = h->flags & IMAGE_CONTAINERS};

    image_body_place(&x, 0);
    return x;
}

static struct container *entry_of(struct buffer *b, uint32_t i)
{
    return (struct container *)(void *)(b->data + sizeof(struct image_head) +
                                        body_of(b).directory_at) +
           i;
}

static void must_refuse(struct pair *p, const struct buffer *b, const char *word)
{
    struct colblock *c = NULL;
    struct error_info err;
    uint64_t used = p->budget.used;

    cr_assert_eq(decode(p, b->data, b->len, 4196, &c, &err), -EBADMSG, "%s", word);
    cr_assert(strstr(err.text, word), "%s: %s", word, err.text);
    cr_assert_eq(p->budget.used, used);
}

#define REFUSE_HEAD(layout, codes, field, value, word) \
    do {                                               \
        struct pair p_;                                \
        struct buffer b_;                              \
                                                       \
        make_sample(&p_, layout, codes, &b_);          \
        head_of(&b_)->field = value;                   \
        must_refuse(&p_, &b_, word);                   \
        buffer_fini(&b_);                              \
        pair_fini(&p_);                                \
    } while (0)

Test(column_image, damaged_heads)
{
    for (int layout = LAYOUT_ORDERED; layout <= LAYOUT_LIST; layout++) {
        REFUSE_HEAD(layout, 40, version, 2, "version 2; this program reads version 1");
        REFUSE_HEAD(layout, 40, layout, (uint8_t)(layout + 1), "layout");
        REFUSE_HEAD(layout, 40, flags, 0x80, "flags 80");
        REFUSE_HEAD(layout, 40, reserved[6], 1, "reserved");
        REFUSE_HEAD(layout, 40, rows, 4195, "4195 rows; expected were 4196");
        REFUSE_HEAD(layout, 40, sealed_rows, 4097, "4097 sealed rows");
        REFUSE_HEAD(layout, 40, sealed_rows, 8192, "8192 sealed rows");
        REFUSE_HEAD(layout, 40, sealed_rows, 0, "no sealed rows");
        REFUSE_HEAD(layout, 40, sealed_rows, 3584, "");
        REFUSE_HEAD(layout, 40, present, 4096, "4096 of 4096 sealed rows have a value, with a");
        REFUSE_HEAD(layout, 40, present, 1, "the presence mask has");
        REFUSE_HEAD(layout, 40, flags, head_of(&b_)->flags & ~IMAGE_SEALED_NULLS, "with no");
        REFUSE_HEAD(layout, 40, flags, head_of(&b_)->flags & ~IMAGE_ANY, "of no values");
        REFUSE_HEAD(layout, 40, flags, head_of(&b_)->flags & ~IMAGE_TAIL_NULLS, "bytes");
        REFUSE_HEAD(layout, 40, body, 0, "bytes; its head gives");
        REFUSE_HEAD(layout, 40, body, UINT32_MAX, "bytes; its head gives");
        REFUSE_HEAD(layout, 40, tail_width, 3, "codes of 3 bytes");
        REFUSE_HEAD(layout, 40, tail_width, 0, "codes of 0 bytes");
        REFUSE_HEAD(layout, 40, min, INT64_MAX, "bounds");
        REFUSE_HEAD(layout, 40, width, 65, "65 slices");
        REFUSE_HEAD(layout, 40, width, head_of(&b_)->width + 1, "");
        REFUSE_HEAD(layout, 40, base, head_of(&b_)->base - 100000, "");
        REFUSE_HEAD(layout, 40, base, head_of(&b_)->base + 100000, "outside of the bounds");
    }
    REFUSE_HEAD(LAYOUT_ORDERED, 0, flags, head_of(&b_)->flags | IMAGE_CONTAINERS, "layout 0");
    REFUSE_HEAD(LAYOUT_ORDERED, 0, flags, head_of(&b_)->flags & ~IMAGE_SLICES, "layout 0");
    REFUSE_HEAD(LAYOUT_CODED, 40, flags, head_of(&b_)->flags | IMAGE_CONTAINERS, "layout 2");
    REFUSE_HEAD(LAYOUT_LIST, 40, flags, head_of(&b_)->flags & ~IMAGE_SLICES, "layout 3");
    REFUSE_HEAD(LAYOUT_ORDERED, 0, containers, 1, "1 containers");
    REFUSE_HEAD(LAYOUT_ENUM, 9, containers, UINT32_MAX, "containers do not fit");
    REFUSE_HEAD(LAYOUT_ENUM, 9, containers, head_of(&b_)->containers - 1, "");
    REFUSE_HEAD(LAYOUT_ENUM, 9, width, 1, "1 slices");
    REFUSE_HEAD(LAYOUT_ENUM, 9, max, 9, "the dictionary has 9");
    REFUSE_HEAD(LAYOUT_CODED, 40, max, 40, "the dictionary has 40");
    REFUSE_HEAD(LAYOUT_CODED, 40, min, -1, "codes from -1");
    REFUSE_HEAD(LAYOUT_CODED, 40, max, 20, "outside of the bounds 0 to 20");
    REFUSE_HEAD(LAYOUT_ORDERED, 0, min, 500, "outside of the bounds 500");
    REFUSE_HEAD(LAYOUT_ORDERED, 0, max, 500, "outside of the bounds 0 to 500");
}

Test(column_image, a_smaller_dictionary_is_refused)
{
    for (int layout = LAYOUT_ENUM; layout <= LAYOUT_LIST; layout++) {
        struct colblock *c;
        struct error_info err;
        struct buffer b;
        struct pair p;

        make_sample(&p, layout, 40, &b);
        cr_assert_eq(column_image_decode(b.data, b.len, p.layout, 4196, (uint32_t)head_of(&b)->max,
                                         p.lists, &p.budget, &c, &err),
                     -EBADMSG);
        buffer_fini(&b);
        pair_fini(&p);
    }
}

#define REFUSE_ENTRY(layout, codes, i, field, value, word) \
    do {                                                   \
        struct pair p_;                                    \
        struct buffer b_;                                  \
        struct container *e_;                              \
                                                           \
        make_sample(&p_, layout, codes, &b_);              \
        e_ = entry_of(&b_, i);                             \
        e_->field = value;                                 \
        must_refuse(&p_, &b_, word);                       \
        buffer_fini(&b_);                                  \
        pair_fini(&p_);                                    \
    } while (0)

Test(column_image, damaged_containers)
{
    static const struct {
        enum column_layout layout;
        uint32_t codes;
    } kinds[] = {{LAYOUT_ENUM, 9}, {LAYOUT_ENUM, 40}, {LAYOUT_LIST, 9}};

    for (unsigned k = 0; k < 3; k++) {
        enum column_layout layout = kinds[k].layout;
        uint32_t codes = kinds[k].codes;

        REFUSE_ENTRY(layout, codes, 1, code, 0, "code 0 after code 0");
        REFUSE_ENTRY(layout, codes, 1, code, UINT32_MAX, "");
        for (uint32_t i = 0; i < 8; i++) {
            REFUSE_ENTRY(layout, codes, i, offset, e_->offset + 64, "allowed are up to");
            REFUSE_ENTRY(layout, codes, i, offset, 0, "allowed are up to");
            REFUSE_ENTRY(layout, codes, i, offset, UINT32_MAX, "allowed are up to");
            REFUSE_ENTRY(layout, codes, i, count, 0, "0 rows in room");
            REFUSE_ENTRY(layout, codes, i, count, e_->count - 1, "");
            REFUSE_ENTRY(layout, codes, i, count, e_->count + 1, "");
            REFUSE_ENTRY(layout, codes, i, count, UINT32_MAX, "rows in room");
            REFUSE_ENTRY(layout, codes, i, cap, e_->cap ? 0 : 100, "");
            REFUSE_ENTRY(layout, codes, i, cap, 1u << 31, "");
        }
    }
    REFUSE_ENTRY(LAYOUT_ENUM, 9, 8, code, 9, "the bounds are 0 to 8");
}

/* The rows of an array container of a sample; *c is its entry. */
static uint16_t *array_of(struct buffer *b, struct container **c)
{
    for (uint32_t i = 0; i < head_of(b)->containers; i++) {
        *c = entry_of(b, i);
        if ((*c)->cap && (*c)->count > 2)
            return (uint16_t *)(void *)(b->data + sizeof(struct image_head) + (*c)->offset);
    }
    cr_assert_fail("no array");
    return NULL;
}

Test(column_image, damaged_rows_of_containers)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        struct container *c;
        struct buffer b;
        struct pair p;
        uint16_t *rows;

        make_sample(&p, LAYOUT_ENUM, 9, &b);
        rows = array_of(&b, &c);
        if (kind == 0)
            rows[c->count - 1] = 4096;
        else if (kind == 1)
            rows[1] = rows[0];
        else if (kind == 2)
            rows[0] = 65535;
        else
            rows[c->count - 1]--; /* a row of another code, or of none */
        must_refuse(&p, &b, kind < 3 ? "ascending ones below 4096" : "");
        buffer_fini(&b);
        pair_fini(&p);
    }
    for (int layout = LAYOUT_ENUM; layout <= LAYOUT_LIST; layout += LAYOUT_LIST - LAYOUT_ENUM) {
        struct buffer b;
        struct pair p;
        uint64_t *mask;

        make_sample(&p, layout, 9, &b);
        mask = (uint64_t *)(void *)(b.data + sizeof(struct image_head) + body_of(&b).presence_at);
        mask[0] ^= 1ull << __builtin_ctzll(mask[0]); /* one less, and one more somewhere else */
        for (unsigned k = 1;; k++) {
            if (~mask[k]) {
                mask[k] |= 1ull << __builtin_ctzll(~mask[k]);
                break;
            }
        }
        must_refuse(&p, &b, "have no value");
        buffer_fini(&b);
        pair_fini(&p);
    }
}

Test(column_image, damaged_tails)
{
    struct buffer b;
    struct pair p;

    make_sample(&p, LAYOUT_CODED, 40, &b);
    b.data[b.len - 1] = 255;
    b.data[b.len - 2] = 255;
    b.data[b.len - 3] = 255;
    must_refuse(&p, &b, "the bounds are 0 to 39");
    buffer_fini(&b);
    pair_fini(&p);
    make_sample(&p, LAYOUT_CODED, 40, &b);
    b.data[b.len - 100 - 1] = 255; /* the mask of 100 rows */
    must_refuse(&p, &b, "beyond its 100 rows");
    buffer_fini(&b);
    pair_fini(&p);
}

Test(column_image, cut_images)
{
    for (int layout = LAYOUT_ORDERED; layout <= LAYOUT_LIST; layout++) {
        struct buffer b;
        struct pair p;
        size_t whole;

        make_sample(&p, layout, 40, &b);
        whole = b.len;
        for (b.len = 0; b.len < whole; b.len += b.len < 200 ? 1 : 97)
            must_refuse(&p, &b, "bytes");
        b.len = whole;
        cr_assert_eq(buffer_append(&b, "", 1), 0);
        must_refuse(&p, &b, "bytes");
        buffer_fini(&b);
        pair_fini(&p);
    }
}

/* Bytes changed at random: what is not refused must be safe to read and to change. */
Test(column_image, random_damage_is_refused_or_harmless)
{
    const char *given = getenv("TEST_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    struct random r = {seed};
    uint32_t refused = 0, taken = 0;

    fprintf(stderr, "column_image damage TEST_SEED=%" PRIu64 "\n", seed);
    for (int layout = LAYOUT_ORDERED; layout <= LAYOUT_LIST; layout++) {
        for (uint32_t codes = 9; codes <= 300; codes += 291) {
            struct error_info err;
            struct buffer b;
            struct pair p;

            make_sample(&p, layout, codes, &b);
            for (int i = 0; i < 150; i++) {
                size_t span = below(&r, 3) ? b.len : below(&r, 2) ? 64 : body_of(&b).heap_at + 64;
                size_t at = below(&r, (uint32_t)(span < b.len ? span : b.len));
                uint8_t was = b.data[at];
                struct pair q = p;

                b.data[at] ^= (uint8_t)(1 + below(&r, 255));
                q.block = NULL;
                if (decode(&p, b.data, b.len, 4196, &q.block, &err) != 0) {
                    refused++;
                } else {
                    same(&q, q.block, q.block, &r);
                    q.copy = NULL;
                    set_some(&q, &r, 100);
                    append(&q, &r, 600);
                    seal(&q, i % 2);
                    same(&q, q.block, q.block, &r);
                    colblock_free(q.block);
                    taken++;
                }
                b.data[at] = was;
            }
            buffer_fini(&b);
            pair_fini(&p);
        }
    }
    cr_assert_gt(refused, taken / 8);
}
