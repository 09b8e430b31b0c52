/*
 * Dictionaries: exact, dense, stable pointers, many values at once, out of memory; and the table
 * under them.
 */
#include "storage/dict.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/key_table.h"

/* Per value: an assertion of the framework for each would take most of the time. */
#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

static uint32_t text_of(uint32_t i, char out[64])
{
    return (uint32_t)snprintf(out, 64, "value-%u", i * 7919u);
}

Test(dict, bytes_codes_are_dense_and_stable)
{
    enum { N = 200000 }; /* beyond the cut of the table and several pages */
    struct budget budget;
    struct dict *d;
    static const char *first[N];
    char text[64];
    uint32_t code, len;

    budget_init(&budget, "test", 0, NULL);
    d = dict_new(DICT_BYTES, 1, &budget);
    for (uint32_t i = 0; i < N; i++) {
        CHECK(dict_put_bytes(d, text, text_of(i, text), &code) == 0 && code == i, "new code %u", i);
        first[i] = dict_bytes(d, code, &len);
    }
    for (uint32_t i = 0; i < N; i++) {
        uint32_t n = text_of(i, text);
        const char *at = dict_bytes(d, i, &len);

        CHECK(len == n && memcmp(at, text, n) == 0 && memcmp(first[i], text, n) == 0,
              "value %u changed", i);
        CHECK(dict_put_bytes(d, text, n, &code) == 0 && code == i, "known code %u", i);
        CHECK(dict_find_bytes(d, text, n, &code) && code == i, "found %u", i);
        CHECK(!dict_find_bytes(d, text, n - 1, &code) || code != i, "a prefix is another value");
    }
    cr_assert_eq(dict_count(d), N);
    cr_assert(dict_memory(d) <= budget.used && dict_memory(d) > budget.used * 99 / 100);
    dict_free(d);
    cr_assert_eq(budget.used, 0);
}

Test(dict, empty_long_and_binary_values)
{
    static char big[300000];
    static const uint32_t lens[] = {0, 1, 2, 254, 255, 256, 70000, sizeof big};
    struct dict *d = dict_new(DICT_BYTES, 5, NULL);
    uint32_t code, len;

    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        cr_assert_eq(dict_put_bytes(d, big, lens[i], &code),
                     0); /* all zero bytes: only the length differs */
        cr_assert_eq(code, i);
    }
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        cr_assert(memcmp(dict_bytes(d, (uint32_t)i, &len), big, lens[i]) == 0 && len == lens[i]);
        cr_assert(dict_find_bytes(d, big, lens[i], &code) && code == i);
    }
    cr_assert_not(dict_find_bytes(d, big, 3, &code));
    dict_free(d);
}

Test(dict, many_at_once_equals_one_by_one)
{
    enum { N = 30000 };
    struct dict *one = dict_new(DICT_BYTES, 9, NULL), *many = dict_new(DICT_BYTES, 9, NULL);
    static char texts[N][64];
    static const char *at[N];
    static uint32_t lens[N], codes[N];
    uint32_t code, done;

    for (int pass = 0; pass < 3; pass++) {
        for (uint32_t i = 0; i < N; i++) {
            lens[i] = text_of((i * 31u + (uint32_t)pass * 5000u) % 41000u, texts[i]);
            at[i] = texts[i];
        }
        cr_assert_eq(dict_put_bytes_many(many, at, lens, N, codes, &done), 0);
        cr_assert_eq(done, N);
        for (uint32_t i = 0; i < N; i++)
            CHECK(dict_put_bytes(one, at[i], lens[i], &code) == 0 && code == codes[i], "row %u", i);
    }
    cr_assert_eq(dict_count(one), dict_count(many));
    dict_free(one);
    dict_free(many);
}

Test(dict, numbers)
{
    struct dict *d = dict_new(DICT_INT, 3, NULL);
    static const int64_t values[] = {0, 1, -1, INT64_MIN, INT64_MAX, 1ll << 32, -(1ll << 32)};
    uint32_t code;

    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        cr_assert_not(dict_find_int(d, values[i], &code));
        cr_assert(dict_put_int(d, values[i], &code) == 0 && code == i);
    }
    for (uint32_t i = 0; i < 100000; i++)
        CHECK(dict_put_int(d, (int64_t)i * 1000003, &code) == 0, "number");
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++)
        cr_assert(dict_int(d, i) == values[i] && dict_find_int(d, values[i], &code) && code == i);
    dict_free(d);
}

Test(dict, lists_keep_their_order)
{
    struct dict *d = dict_new(DICT_LIST, 3, NULL);
    static const uint32_t a[] = {1, 2, 3}, b[] = {3, 2, 1}, c[] = {1, 2};
    uint32_t code, n;

    cr_assert(dict_put_list(d, a, 3, &code) == 0 && code == 0);
    cr_assert(dict_put_list(d, b, 3, &code) == 0 && code == 1);
    cr_assert(dict_put_list(d, c, 2, &code) == 0 && code == 2);
    cr_assert(dict_put_list(d, NULL, 0, &code) == 0 && code == 3);
    cr_assert(dict_put_list(d, b, 3, &code) == 0 && code == 1);
    cr_assert(memcmp(dict_list(d, 1, &n), b, sizeof b) == 0 && n == 3);
    dict_list(d, 3, &n);
    cr_assert_eq(n, 0);
    dict_free(d);
}

Test(dict, out_of_memory_changes_nothing)
{
    struct budget budget;
    struct dict *d;
    char text[64];
    uint32_t code, known = 0, failures = 0;

    budget_init(&budget, "test", 0, NULL);
    d = dict_new(DICT_BYTES, 1, &budget);
    budget.limit = budget.used;
    while (known < 60000) {
        uint32_t n = text_of(known, text);
        int rc = dict_put_bytes(d, text, n, &code);

        if (rc == 0) {
            CHECK(code == known, "code");
            known++;
            continue;
        }
        CHECK(rc == -ENOMEM && dict_count(d) == known && !dict_find_bytes(d, text, n, &code),
              "unchanged");
        failures++;
        budget.limit += 997;
    }
    cr_assert_gt(failures, 10);
    for (uint32_t i = 0; i < known; i++)
        CHECK(dict_find_bytes(d, text, text_of(i, text), &code) && code == i, "value %u", i);
    dict_free(d);
    cr_assert_eq(budget.used, 0);
}

/* ---- read back: the table comes after the values ---- */

static uint32_t append(struct dict *d, enum dict_kind kind, uint32_t i)
{
    char text[64];
    uint32_t list[3] = {i, i / 7, 5};
    int rc = kind == DICT_INT    ? dict_append_int(d, (int64_t)i * 1000003 - 500)
             : kind == DICT_LIST ? dict_append_list(d, list, i ? 3 : 0)
                                 : dict_append_bytes(d, text, text_of(i, text));

    CHECK(rc == 0, "appended %u", i);
    return dict_count(d);
}

/* Code of value i: found, and given when it is put. */
static bool has(struct dict *d, enum dict_kind kind, uint32_t i, uint32_t *code)
{
    char text[64];

    return kind == DICT_INT ? dict_find_int(d, (int64_t)i * 1000003 - 500, code)
                            : dict_find_bytes(d, text, text_of(i, text), code);
}

static int put(struct dict *d, enum dict_kind kind, uint32_t i, uint32_t *code)
{
    char text[64];
    uint32_t list[3] = {i, i / 7, 5};

    return kind == DICT_INT    ? dict_put_int(d, (int64_t)i * 1000003 - 500, code)
           : kind == DICT_LIST ? dict_put_list(d, list, i ? 3 : 0, code)
                               : dict_put_bytes(d, text, text_of(i, text), code);
}

Test(dict, appended_values_are_found_while_the_table_fills)
{
    enum { N = 300000 };

    for (int kind = DICT_BYTES; kind <= DICT_LIST; kind++) {
        struct dict *d = dict_new(kind, 5, NULL), *at_once = dict_new(kind, 5, NULL);
        uint32_t code, a, b, steps = 0;
        int rc = 1;

        for (uint32_t i = 0; i < N; i++) {
            append(d, kind, i);
            append(at_once, kind, i);
        }
        for (uint32_t i = 0; rc > 0; i = (i + 104729) % N, steps++) {
            if (kind != DICT_LIST && steps % 16 == 0) {
                CHECK(has(d, kind, i, &code) && code == i, "value %u", i);
                CHECK(!has(d, kind, N + i, &code), "no value %u", N + i);
            }
            rc = dict_index_step(d, &a, &b);
        }
        cr_assert_eq(rc, 0);
        cr_assert_gt(steps, 10);
        CHECK(put(at_once, kind, N, &code) == 0 && code == N, "a new one");
        for (uint32_t i = 0; i < N; i += kind == DICT_LIST ? 1 : 7) {
            CHECK(put(d, kind, i, &code) == 0 && code == i, "known %u", i);
            CHECK(put(at_once, kind, i, &code) == 0 && code == i, "known %u", i);
        }
        CHECK(put(d, kind, N + 3, &code) == 0 && code == N, "the next code");
        cr_assert_eq(dict_index_step(d, &a, &b), 0);
        dict_free(d);
        dict_free(at_once);
    }
}

Test(dict, without_memory_for_the_table_values_are_found)
{
    enum { N = 200000 };
    struct budget budget;
    struct dict *d;
    uint32_t code, a, b;

    budget_init(&budget, "test", 0, NULL);
    d = dict_new(DICT_BYTES, 1, &budget);
    for (uint32_t i = 0; i < N; i++)
        append(d, DICT_BYTES, i);
    uint64_t values = budget.used;
    for (uint64_t more = 0; more < 4 << 20; more += 300001) {
        budget.limit = values + more;
        for (uint32_t i = 0; i < N; i += N / 5)
            CHECK(has(d, DICT_BYTES, i, &code) && code == i, "value %u", i);
        CHECK(!has(d, DICT_BYTES, N, &code), "not there");
        int rc = put(d, DICT_BYTES, 77, &code);
        CHECK(rc == -ENOMEM || (rc == 0 && code == 77), "known or no memory: %d", rc);
        CHECK(more || rc == -ENOMEM, "no memory");
    }
    cr_assert_eq(dict_index(d, &a, &b), 0);
    budget.limit = 0;
    for (uint32_t i = 0; i < N; i++)
        CHECK(has(d, DICT_BYTES, i, &code) && code == i, "value %u", i);
    cr_assert(dict_memory(d) <= budget.used && dict_memory(d) > budget.used * 99 / 100);
    dict_free(d);
    cr_assert_eq(budget.used, 0);
}

Test(dict, equal_values_are_told_once)
{
    enum { N = 100000, TWIN = 60000 };

    for (int k = 0; k <= 2 * DICT_LIST + 1; k++) {
        enum dict_kind kind = k / 2;
        struct dict *d = dict_new(kind, 1, NULL);
        uint32_t code, a, b;

        for (uint32_t i = 0; i < N; i++)
            append(d, kind, i == TWIN ? 100 : i);
        if (k % 2) /* whoever fills the table finds them */
            cr_assert(put(d, kind, 7, &code) == 0 && code == 7);
        cr_assert_eq(dict_index(d, &a, &b), -EEXIST);
        cr_assert(a == 100 && b == TWIN);
        cr_assert_eq(dict_index(d, &a, &b), 0);
        cr_assert(put(d, kind, 100, &code) == 0 && code == 100);
        cr_assert(put(d, kind, TWIN, &code) == 0 && code == N, "it was missing");
        dict_free(d);
    }
}

/* A hash of i. */
static uint32_t mixed(uint64_t i)
{
    i = (i ^ i >> 30) * 0xBF58476D1CE4E5B9u;
    i = (i ^ i >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)(i ^ i >> 31);
}

/* Entries of few hashes, so that chains wrap and deletions shift; compared with a plain array. */
Test(key_table, equals_model)
{
    enum { N = 3000 };
    static bool there[N];
    struct key_table t;
    uint64_t state = 11;

    key_table_init(&t, NULL);
    for (int step = 0; step < 200000; step++) {
        uint32_t number, hash, count = 0;
        struct key_walk w;

        state = state * 6364136223846793005u + 1442695040888963407u;
        number = (uint32_t)(state >> 33) % N;
        hash = number % 97 * 0x01000193u;
        if (there[number])
            key_table_remove(&t, hash, number);
        else
            CHECK(key_table_insert(&t, hash, number) == 0, "insert");
        there[number] = !there[number];
        if (step % 1000)
            continue;
        for (uint32_t h = 0; h < 97; h++) {
            uint32_t found;

            w = key_table_walk(&t, h * 0x01000193u);
            while (key_walk_next(&w, &found)) {
                CHECK(there[found] && found % 97 == h, "entry %u", found);
                count++;
            }
        }
        for (uint32_t i = 0; i < N; i++)
            count -= there[i];
        CHECK(count == 0, "as many entries as there should be");
    }
    key_table_fini(&t);
}

Test(key_table, large)
{
    enum { N = 300000 };
    struct budget budget;
    struct key_table t;

    budget_init(&budget, "test", 0, NULL);
    key_table_init(&t, &budget);
    for (uint32_t i = 0; i < N; i++)
        CHECK(key_table_insert(&t, i * 2654435761u, i) == 0, "insert");
    for (uint32_t i = 0; i < N; i += 2)
        key_table_remove(&t, i * 2654435761u, i);
    for (uint32_t i = 0; i < N; i++) {
        struct key_walk w = key_table_walk(&t, i * 2654435761u);
        uint32_t found;
        bool any = key_walk_next(&w, &found);

        CHECK(any == (i % 2 == 1) && (!any || found == i), "entry %u", i);
    }
    cr_assert_eq(t.memory + 256 * sizeof(struct key_part), budget.used);
    key_table_fini(&t);
    cr_assert_eq(budget.used, 0);
}

/* Numbers come with gaps, ever larger ones, so that entries are made anew for them; 5 or 6 bytes each all the same. */
Test(key_table, sparse_numbers)
{
    enum { N = 200000, GAP = 20000 };
    struct budget budget;
    struct key_table t;
    uint32_t found;

    budget_init(&budget, "test", 0, NULL);
    key_table_init(&t, &budget);
    for (uint32_t i = 0; i < N; i++)
        CHECK(key_table_insert(&t, i * 2654435761u, i * GAP) == 0, "insert");
    for (uint32_t i = 0; i < N; i++) {
        struct key_walk w = key_table_walk(&t, i * 2654435761u);

        CHECK(key_walk_next(&w, &found) && found == i * GAP, "entry %u", i);
    }
    cr_assert_lt(t.memory, N * 10u, "%zu bytes", t.memory);
    CHECK(key_table_insert(&t, 7, KEY_TABLE_EMPTY - 1) == 0, "the largest number");
    struct key_walk w = key_table_walk(&t, 7);
    while (key_walk_next(&w, &found) && found != KEY_TABLE_EMPTY - 1)
        continue;
    cr_assert_eq(found, KEY_TABLE_EMPTY - 1);
    for (uint32_t i = 0; i < N; i++)
        key_table_remove(&t, i * 2654435761u, i * GAP);
    cr_assert_eq(t.used, 1);
    key_table_fini(&t);
    cr_assert_eq(budget.used, 0);
}

/* What a code or a row costs: dense numbers, hashes as of keys, a table that grew and one that was planned. */
Test(key_table, bytes_per_entry)
{
    struct budget budget;
    struct key_table t;

    budget_init(&budget, "test", 0, NULL);
    for (uint32_t n = 300000; n < 1500000; n += 333333) {
        for (int planned = 0; planned < 2; planned++) {
            key_table_init(&t, &budget);
            cr_assert_eq(planned ? key_table_reserve(&t, n) : 0, 0);
            for (uint32_t i = 0; i < n; i++)
                CHECK(key_table_insert(&t, mixed(i), i) == 0, "insert");
            cr_assert_lt(budget.used, n * 7u, "%" PRIu64 " bytes for %u", budget.used, n);
            key_table_fini(&t);
        }
    }
    cr_assert_eq(budget.used, 0);
}

/* Equal hashes are equal keys when the numbers are the same modulo `ctx`. */
static bool is_same(void *ctx, uint32_t a, uint32_t b)
{
    return a % *(uint32_t *)ctx == b % *(uint32_t *)ctx;
}

/* Batches small and large, into tables with and without parts: what one by one would give. */
Test(key_table, many_at_once)
{
    static const uint32_t steps[] = {1, 100, 5000, 120000, 70000};
    enum { ALL = 1 + 100 + 5000 + 120000 + 70000 };
    static struct key_entry entries[ALL];
    uint32_t modulo = ALL, at = 0;
    struct key_equals equals = {is_same, &modulo, 0, 0};
    struct budget budget;
    struct key_table t;

    budget_init(&budget, "test", 0, NULL);
    for (int reserved = 0; reserved < 2; reserved++) {
        key_table_init(&t, &budget);
        cr_assert_eq(reserved ? key_table_reserve(&t, ALL) : 0, 0);
        for (uint32_t i = 0; i < ALL; i++) /* some hashes twice */
            entries[i] = (struct key_entry){(i - i % 3 % 2) * 2654435761u, i};
        at = 0;
        for (unsigned k = 0; k < sizeof steps / sizeof *steps; at += steps[k++])
            cr_assert_eq(key_table_insert_many(&t, entries + at, steps[k], &equals), 0);
        cr_assert_eq(t.used, ALL);
        for (uint32_t i = 0; i < ALL; i++) {
            struct key_walk w = key_table_walk(&t, entries[i].hash);
            uint32_t found;
            bool any;

            while ((any = key_walk_next(&w, &found)) && found != i)
                continue;
            CHECK(any, "entry %u", i);
        }
        for (uint32_t n = 1; n < 10000; n += 9000) {
            entries[n - 1] = (struct key_entry){entries[17].hash, ALL + 17};
            cr_assert_eq(key_table_insert_many(&t, entries + n - 1, 1, NULL), 0);
            cr_assert_eq(key_table_insert_many(&t, entries, n, &equals), -EEXIST);
            cr_assert_eq(equals.a % ALL, equals.b % ALL);
        }
        key_table_fini(&t);
        cr_assert_eq(budget.used, 0);
    }
}

/* A plan takes its memory in steps and gives the same table; what runs out is told. */
Test(key_table, planned)
{
    enum { N = 100000 };
    struct budget budget;
    struct key_table t;
    int steps = 0, rc;

    budget_init(&budget, "test", 0, NULL);
    key_table_init(&t, &budget);
    cr_assert_eq(key_table_plan(&t, N), 0);
    for (uint32_t i = 0; i < N / 2; i++)
        CHECK(key_table_insert(&t, i * 2654435761u, i) == 0, "insert");
    while ((rc = key_table_plan_step(&t)) > 0)
        steps++;
    cr_assert(rc == 0 && steps == 0, "every part was wanted: %d, %d", rc, steps);
    key_table_fini(&t);
    cr_assert_eq(key_table_plan(&t, N), 0);
    budget.limit = budget.used + 10000;
    while ((rc = key_table_plan_step(&t)) > 0)
        steps++;
    cr_assert(rc == -ENOMEM && steps > 0 && steps < 256);
    key_table_fini(&t);
    cr_assert_eq(budget.used, 0);
}

Test(key_table, reserved_it_does_not_grow)
{
    enum { N = 300000 };
    struct budget budget;
    struct key_table t;
    uint64_t bytes;

    budget_init(&budget, "test", 1 << 20, NULL);
    key_table_init(&t, &budget);
    cr_assert_eq(key_table_reserve(&t, 1000), 0, "few: nothing to gain");
    cr_assert_eq(key_table_reserve(&t, N), -ENOMEM);
    cr_assert(!budget.used && !t.memory);
    budget.limit = 0;
    cr_assert_eq(key_table_reserve(&t, N), 0);
    bytes = budget.used;
    for (uint32_t i = 0; i < N; i++)
        CHECK(key_table_insert(&t, i * 2654435761u, i) == 0, "insert");
    cr_assert_eq(budget.used, bytes);
    cr_assert_lt(bytes, (uint64_t)N * sizeof(struct key_entry) * 3 / 2, "%" PRIu64 " bytes", bytes);
    cr_assert_eq(key_table_reserve(&t, 10 * N), 0, "only an empty one");
    cr_assert_eq(budget.used, bytes);
    for (uint32_t i = 0; i < N; i++) {
        struct key_walk w = key_table_walk(&t, i * 2654435761u);
        uint32_t found;

        CHECK(key_walk_next(&w, &found) && found == i, "entry %u", i);
    }
    key_table_fini(&t);
    cr_assert_eq(budget.used, 0);
}
