/* Pieces of dictionaries: round trips in pieces of every size, and damage refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "reactor/buffer.h"
#include "storage/dict_image.h"

enum { HEAD = 16 };

static struct dict *make(enum dict_kind kind, uint32_t n, struct budget *budget)
{
    struct dict *d = dict_new(kind, 5, budget);

    for (uint32_t i = 0; i < n; i++) {
        static char text[80000];
        uint32_t code, list[300];
        int len = snprintf(text, sizeof text, "value %u", i * 7);

        for (uint32_t k = 0; k < 300; k++)
            list[k] = (i * 31 + k) % 1000;
        list[0] = i;
        if (kind == DICT_BYTES && i % 97 == 96)
            len = i % 2 ? 70000 : 300;
        if (kind == DICT_INT)
            cr_assert_eq(dict_put_int(d, (int64_t)(i * 0x9E3779B97F4A7C15u), &code), 0);
        else if (kind == DICT_BYTES)
            cr_assert_eq(dict_put_bytes(d, text, i ? (uint32_t)len : 0, &code), 0);
        else
            cr_assert_eq(dict_put_list(d, list, i % 97 == 96 ? 300 : i ? 1 + i % 5 : 0, &code), 0);
        cr_assert_eq(code, i);
    }
    return d;
}

static void compare(enum dict_kind kind, const struct dict *a, const struct dict *b)
{
    cr_assert_eq(dict_count(a), dict_count(b));
    for (uint32_t code = 0; code < dict_count(a); code++) {
        uint32_t n, m;

        if (kind == DICT_INT) {
            uint32_t found;

            cr_assert_eq(dict_int(a, code), dict_int(b, code));
            cr_assert(dict_find_int(b, dict_int(a, code), &found) && found == code);
        } else if (kind == DICT_BYTES) {
            const char *x = dict_bytes(a, code, &n), *y = dict_bytes(b, code, &m);

            uint32_t found;

            cr_assert(n == m && memcmp(x, y, n) == 0);
            cr_assert(dict_find_bytes(b, x, n, &found) && found == code);
        } else {
            const uint32_t *x = dict_list(a, code, &n), *y = dict_list(b, code, &m);

            cr_assert(n == m && memcmp(x, y, n * sizeof *x) == 0);
        }
    }
}

static void round_trip(enum dict_kind kind, uint32_t n, size_t max_bytes)
{
    struct budget budget;
    struct dict *from, *to;
    struct error_info err;
    struct buffer b;
    uint32_t entry;

    budget_init(&budget, "test", 0, NULL);
    from = make(kind, n, &budget);
    to = dict_new(kind, 99, &budget);
    buffer_init(&b, 1 << 24);
    for (uint32_t code = 0, end; code < n; code = end) {
        b.len = 0;
        cr_assert_eq(dict_image_encode(from, kind, code, n, max_bytes, &b, &end), 0);
        cr_assert(end > code && end <= n);
        cr_assert(end == code + 1 || b.len <= max_bytes + HEAD);
        cr_assert_eq(dict_image_decode(b.data, b.len, kind, 1000 + n, to, &err), 0, "%s", err.text);
        cr_assert_eq(dict_count(to), end);
    }
    cr_assert_eq(dict_image_end(to, &entry, &err), 0);
    compare(kind, from, to);
    buffer_fini(&b);
    dict_free(from);
    dict_free(to);
    cr_assert_eq(budget.used, 0);
}

Test(dict_image, round_trips)
{
    static const uint32_t counts[] = {1, 2, 90, 700, 5000};
    static const size_t sizes[] = {0, 100, 4096, 1 << 22};

    for (int kind = DICT_BYTES; kind <= DICT_LIST; kind++) {
        for (unsigned i = 0; i < 5; i++) {
            for (unsigned k = 0; k < 4; k++)
                round_trip(kind, counts[i] > 700 && k == 0 ? 700 : counts[i], sizes[k]);
        }
    }
}

Test(dict_image, up_to_a_code)
{
    struct dict *from = make(DICT_BYTES, 50, NULL), *to = dict_new(DICT_BYTES, 1, NULL);
    struct error_info err;
    struct buffer b;
    uint32_t end;

    buffer_init(&b, 1 << 20);
    cr_assert_eq(dict_image_encode(from, DICT_BYTES, 0, 20, 1 << 20, &b, &end), 0);
    cr_assert_eq(end, 20);
    cr_assert_eq(dict_image_decode(b.data, b.len, DICT_BYTES, 0, to, &err), 0);
    cr_assert_eq(dict_count(to), 20);
    /* Not its next entries. */
    cr_assert_eq(dict_image_decode(b.data, b.len, DICT_BYTES, 0, to, &err), -EBADMSG);
    cr_assert(strstr(err.text, "begins with code 0; expected was 20"), "%s", err.text);
    buffer_fini(&b);
    buffer_init(&b, 30);
    cr_assert_eq(dict_image_encode(from, DICT_BYTES, 0, 20, 1 << 20, &b, &end), -ENOBUFS);
    buffer_fini(&b);
    dict_free(from);
    dict_free(to);
}

/* A field of a piece of 40 entries becomes another value. */
static void refuse(enum dict_kind kind, size_t at, size_t width, uint32_t value, const char *word)
{
    struct dict *from = make(kind, 40, NULL), *to = dict_new(kind, 1, NULL);
    struct error_info err = {0};
    struct buffer b;
    uint32_t end;

    buffer_init(&b, 1 << 20);
    cr_assert_eq(dict_image_encode(from, kind, 0, 40, 1 << 20, &b, &end), 0);
    cr_assert_leq(at + width, b.len);
    memcpy(b.data + at, &value, width);
    cr_assert_eq(dict_image_decode(b.data, b.len, kind, 1000, to, &err), -EBADMSG, "kind %d at %zu",
                 kind, at);
    cr_assert(strstr(err.text, word), "kind %d at %zu: %s", kind, at, err.text);
    buffer_fini(&b);
    dict_free(from);
    dict_free(to);
}

Test(dict_image, damage_is_refused)
{
    for (int kind = DICT_BYTES; kind <= DICT_LIST; kind++) {
        refuse(kind, 0, 1, 2, "version 2; this program reads version 1");
        refuse(kind, 1, 1, (uint32_t)(kind + 1) % 3, "kind");
        refuse(kind, 1, 1, 77, "kind 77");
        refuse(kind, 2, 1, 3, "lengths of 3 bytes");
        refuse(kind, 3, 1, 3, "items of 3 bytes");
        refuse(kind, 4, 4, 1, "begins with code 1; expected was 0");
        refuse(kind, 8, 4, 0, "has 0 entries");
        refuse(kind, 8, 4, UINT32_MAX, "entries from code 0 on");
        refuse(kind, 8, 4, 41, "41 entries");
        refuse(kind, 12, 4, UINT32_MAX, "bytes of values have");
    }
    refuse(DICT_INT, 2, 1, 1, "lengths of 1 bytes");
    refuse(DICT_BYTES, 3, 1, 1, "items of 1 bytes");
    refuse(DICT_BYTES, HEAD + 39, 1, 255, "has length 255");
    refuse(DICT_BYTES, HEAD + 39, 1, 1, "bytes after the last value");
    refuse(DICT_LIST, HEAD + 39, 1, 255, "has length 255");
    refuse(DICT_LIST, HEAD + 40, 2, 1000, "names value 1000; the dictionary has 1000");
}

/* Entries of two pieces; one of the second becomes one of the first. */
Test(dict_image, equal_entries_are_refused)
{
    for (int kind = DICT_BYTES; kind <= DICT_LIST; kind++) {
        struct dict *from = make(kind, 40, NULL), *to = dict_new(kind, 1, NULL);
        struct error_info err = {0};
        struct buffer b;
        uint32_t end, entry;

        buffer_init(&b, 1 << 20);
        for (int piece = 0; piece < 2; piece++) {
            b.len = 0;
            cr_assert_eq(dict_image_encode(from, kind, 10, 40, 1 << 20, &b, &end), 0);
            memset(b.data + 4, piece ? 30 : 0, 1); /* its first code */
            cr_assert_eq(dict_image_decode(b.data, b.len, kind, 1000, to, &err), 0, "%s", err.text);
        }
        cr_assert_eq(dict_image_end(to, &entry, &err), -EBADMSG);
        cr_assert(entry >= 30 && strstr(err.text, "has the same value as entry"), "%s", err.text);
        buffer_fini(&b);
        dict_free(from);
        dict_free(to);
    }
}

Test(dict_image, cut_pieces_are_refused)
{
    for (int kind = DICT_BYTES; kind <= DICT_LIST; kind++) {
        struct dict *from = make(kind, 40, NULL);
        struct error_info err;
        struct buffer b;
        uint32_t end;

        buffer_init(&b, 1 << 20);
        cr_assert_eq(dict_image_encode(from, kind, 0, 40, 1 << 20, &b, &end), 0);
        for (size_t len = 0; len < b.len; len++) {
            uint8_t *exact = malloc(len + 1);
            struct dict *to = dict_new(kind, 1, NULL);

            memcpy(exact, b.data, len);
            cr_assert_eq(dict_image_decode(exact, len, kind, 1000, to, &err), -EBADMSG);
            cr_assert_eq(dict_count(to), 0);
            dict_free(to);
            free(exact);
        }
        buffer_fini(&b);
        dict_free(from);
    }
}

Test(dict_image, out_of_memory_is_told)
{
    struct dict *from = make(DICT_BYTES, 5000, NULL), *to;
    struct error_info err;
    struct budget budget;
    struct buffer b;
    uint32_t end;

    buffer_init(&b, 1 << 24);
    cr_assert_eq(dict_image_encode(from, DICT_BYTES, 0, 5000, 1 << 24, &b, &end), 0);
    budget_init(&budget, "test", 20000, NULL);
    to = dict_new(DICT_BYTES, 1, &budget);
    cr_assert_eq(dict_image_decode(b.data, b.len, DICT_BYTES, 0, to, &err), -ENOMEM);
    dict_free(to);
    cr_assert_eq(budget.used, 0);
    dict_free(from);
    buffer_fini(&b);
}
