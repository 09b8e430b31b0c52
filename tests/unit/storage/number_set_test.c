/* Strings that are numbers, as bits: which are, and how many there are. */
#include "storage/number_set.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "reactor/arena.h"
#include "reactor/budget.h"

enum { SETS = 3, NUMBERS = 50000 };

static bool place_of(const char *bytes, uint32_t len, uint32_t *place)
{
    uint64_t text = 0;

    memcpy(&text, bytes, len);
    return number_set_place(text, len, place);
}

static uint32_t must_place(const char *bytes)
{
    uint32_t place = 0;

    cr_assert(place_of(bytes, (uint32_t)strlen(bytes), &place), "%s", bytes);
    return place;
}

Test(number_set, numbers_as_they_are_printed_have_places)
{
    static const char *const firsts[] = {"", "u", " ", "/", ":", "-", "\xff"};
    char text[16];

    for (unsigned f = 0; f < sizeof(firsts) / sizeof(*firsts); f++) {
        uint32_t first = must_place(strcat(strcpy(text, firsts[f]), "0"));
        for (uint32_t n = 0; n < 10000000; n = n < 1200 ? n + 1 : n + 997 + n / 7) {
            snprintf(text, sizeof(text), "%s%u", firsts[f], n);
            cr_assert_eq(must_place(text), first + n, "%s", text);
        }
        snprintf(text, sizeof(text), "%s9999999", firsts[f]);
        cr_assert_eq(must_place(text), first + 9999999);
        for (unsigned k = 0; k < f; k++)
            cr_assert_neq(first, must_place(strcat(strcpy(text, firsts[k]), "0")));
    }
}

Test(number_set, other_strings_have_none)
{
    static const char *const texts[] = {"a",        "uu",       "00",       "007",    "u00",
                                        "u01",      "12a",      "1 ",       "u-1",    "u1.",
                                        "uu1",      "1u",       "u/",       "u:",     "12345678",
                                        "1234567a", "u123456a", "ua234567", "u1\xb1", "9999999 ",
                                        "--1",      "0x1"};
    uint32_t place;

    for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        cr_assert_not(place_of(texts[i], (uint32_t)strlen(texts[i]), &place), "%s", texts[i]);
    for (unsigned byte = 0; byte < 256; byte++) { /* within and behind a number */
        char text[4] = {'u', '1', (char)byte, '2'};
        bool digit = byte >= '0' && byte <= '9';
        cr_assert_eq(place_of(text, 4, &place), digit, "byte %u", byte);
        cr_assert_eq(place_of(text, 3, &place), digit, "byte %u", byte);
        cr_assert_eq(place_of(text + 2, 2, &place), byte != '0', "byte %u", byte);
    }
}

/* Of several sets, page by page: each string once. */
Test(number_set, strings_of_sets_are_counted)
{
    static const uint32_t firsts[] = {'0', 'u', 255};
    static bool there[3][NUMBERS];
    struct number_set *own[SETS];
    const struct number_set *sets[SETS];
    struct arena arenas[SETS];
    struct budget budget;
    uint64_t want = 0, n = 0, state = 5;

    budget_init(&budget, "test", 0, NULL);
    for (unsigned i = 0; i < SETS; i++) {
        arena_init(&arenas[i], 64 << 20, &budget);
        sets[i] = own[i] = calloc(1, sizeof(*own[i]));
    }
    for (unsigned i = 0; i < 30000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t number = (uint32_t)(state >> 33) % NUMBERS, f = (uint32_t)(state >> 60) % 3;
        there[f][number] = true;
        uint32_t place = firsts[f] << NUMBER_PLACE_BITS | number * 199;
        cr_assert_eq(number_set_add(own[i % SETS], &arenas[i % SETS], place), 0);
    }
    for (unsigned i = 0; i < SETS; i++)
        number_set_settle(own[i]);
    for (unsigned f = 0; f < 3; f++)
        for (unsigned i = 0; i < NUMBERS; i++)
            want += there[f][i];
    for (uint32_t page = 0; (page = number_sets_next(sets, SETS, page)) < NUMBER_PAGES; page++)
        n += number_sets_count(sets, SETS, page);
    cr_assert_eq(n, want);
    for (unsigned i = 0; i < SETS; i++) {
        arena_fini(&arenas[i]);
        free(own[i]);
    }
    cr_assert_eq(budget.used, 0);
}

Test(number_set, memory_that_ends_is_told)
{
    struct number_set *s = calloc(1, sizeof(*s));
    struct arena arena;
    int rc = 0;

    arena_init(&arena, 256 << 10, NULL);
    for (uint32_t i = 0; i < 256 && !rc; i++)
        rc = number_set_add(s, &arena, i << NUMBER_PLACE_BITS);
    cr_assert_lt(rc, 0);
    number_set_settle(s);
    arena_fini(&arena);
    free(s);
}
