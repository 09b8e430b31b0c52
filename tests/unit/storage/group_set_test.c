/* Sets of strings with counts: every string is found again, in one part, with equal keys. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/group_set.h"

enum { STRINGS = 20000, LONGEST = 40, TWICE = 2 };

static char texts[STRINGS][LONGEST + 8];
static uint32_t lens[STRINGS];

/* Of all lengths around that of a short key, many with a common beginning, some with zero bytes. */
static void make_texts(void)
{
    for (uint32_t i = 0; i < STRINGS; i++) {
        lens[i] = i ? 5 + i % (LONGEST - 4) : 0;
        memset(texts[i], 'x', lens[i]);
        for (uint32_t k = 0, n = i; k < 5 && i; k++, n /= 16)
            texts[i][lens[i] - 1 - k] = (char)(n % 16);
    }
}

Test(group_set, finds_all_again)
{
    static uint64_t sum[STRINGS];
    static unsigned part_of[STRINGS];
    struct budget budget;
    uint64_t n, all = 0;

    make_texts();
    budget_init(&budget, "test", 0, NULL);
    struct group_set *s = group_set_new(2, &budget, 64 << 20);
    for (uint32_t k = 0; k < TWICE; k++)
        for (uint32_t i = 0; i < STRINGS; i++) {
            uint64_t counts[2] = {i, k + 1};
            cr_assert_eq(group_set_add(s, texts[i], lens[i], counts), 0);
        }
    cr_assert_null(group_set_null(s));
    group_set_add_null(s, (uint64_t[2]){3, 4});
    group_set_add_null(s, (uint64_t[2]){5, 6});
    group_set_settle(s);
    for (unsigned part = 0; part < GROUP_SET_PARTS; part++) {
        uint64_t found = 0;
        for (const struct group_set_block *b = group_set_part(s, part, &n); b; b = b->next)
            for (uint32_t k = 0; k < b->n; k++, found++) {
                const uint64_t *g = &b->data[(size_t)k * 4];
                const struct group_key *key = (const struct group_key *)g;
                uint32_t len, i = (uint32_t)g[2];
                const char *bytes = group_key_bytes(key, &len);
                cr_assert_eq(len, lens[i]);
                cr_assert_eq(memcmp(bytes, texts[i], len), 0, "string %u", i);
                cr_assert(group_key_equal(key, key));
                cr_assert(!sum[i] || part_of[i] == part);
                part_of[i] = part;
                sum[i] += g[3];
            }
        cr_assert_eq(found, n);
        all += n;
    }
    cr_assert_eq(all, STRINGS * TWICE);
    for (uint32_t i = 0; i < STRINGS; i++)
        cr_assert_eq(sum[i], 3, "string %u", i);
    cr_assert_eq(group_set_null(s)[0], 8);
    cr_assert_eq(group_set_null(s)[1], 10);
    group_set_free(s);
    cr_assert_eq(budget.used, 0);
}

/* Without counts, the small ones lie apart: each as often as it was added, in one part. */
Test(group_set, small_ones_are_words)
{
    static unsigned found[STRINGS], part_of[STRINGS];
    uint64_t n;

    make_texts();
    struct group_set *s = group_set_new(0, NULL, 64 << 20);
    for (uint32_t k = 0; k < TWICE; k++)
        for (uint32_t i = 0; i < STRINGS; i++)
            cr_assert_eq(group_set_add(s, texts[i], lens[i], NULL), 0);
    group_set_settle(s);
    for (unsigned part = 0; part < GROUP_SET_PARTS; part++)
        for (const struct group_set_block *b = group_set_small(s, part, &n); b; b = b->next)
            for (uint32_t k = 0; k < b->n; k++) {
                struct group_key key = group_small_key(b->data[k]);
                uint32_t len, i = 0;
                const char *bytes = group_key_bytes(&key, &len);
                cr_assert(len && len <= 8 && bytes[len - 1]);
                for (unsigned c = 5; c-- > 0;)
                    i = i * 16 + (uint32_t)(uint8_t)bytes[len - 1 - c];
                cr_assert(i < STRINGS && len == lens[i] && !memcmp(bytes, texts[i], len));
                cr_assert(!found[i] || part_of[i] == part);
                part_of[i] = part;
                found[i]++;
            }
    for (uint32_t i = 0; i < STRINGS; i++) {
        bool small = lens[i] && lens[i] <= 8 && texts[i][lens[i] - 1];
        cr_assert_eq(found[i], small ? TWICE : 0, "string %u", i);
    }
    group_set_free(s);
}

Test(group_set, keys_are_equal_when_strings_are)
{
    static const char *const strings[] = {
        "", "a", "seven.7", "eight..8", "fifteen bytes.5", "a string that is longer than a key",
        "b"};
    char copy[64];
    uint64_t n;

    for (unsigned i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        for (unsigned k = 0; k < sizeof(strings) / sizeof(strings[0]); k++) {
            struct group_set *x = group_set_new(1, NULL, 1 << 20),
                             *y = group_set_new(1, NULL, 1 << 20);
            uint64_t one = 1;
            const struct group_set_block *p = NULL, *q = NULL;
            snprintf(copy, sizeof(copy), "%s", strings[k]);
            cr_assert_eq(group_set_add(x, strings[i], (uint32_t)strlen(strings[i]), &one), 0);
            cr_assert_eq(group_set_add(y, copy, (uint32_t)strlen(copy), &one), 0);
            group_set_settle(x);
            group_set_settle(y);
            for (unsigned part = 0; part < GROUP_SET_PARTS; part++) {
                p = p ? p : group_set_part(x, part, &n);
                q = q ? q : group_set_part(y, part, &n);
            }
            cr_assert_eq(group_key_equal((const struct group_key *)p->data,
                                         (const struct group_key *)q->data),
                         i == k, "%s and %s", strings[i], strings[k]);
            group_set_free(x);
            group_set_free(y);
        }
}

Test(group_set, no_more_than_its_limit)
{
    struct group_set *s = group_set_new(1, NULL, 64 << 10);
    uint64_t count = 1;
    uint32_t i = 0;
    char text[16];

    for (; i < STRINGS; i++) {
        int len = snprintf(text, sizeof(text), "%u", i);
        if (group_set_add(s, text, (uint32_t)len, &count))
            break;
    }
    cr_assert_gt(i, 500);
    cr_assert_lt(i, 64 << 10 >> 4);
    group_set_free(s);
}
