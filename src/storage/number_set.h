#pragma once
/*
 * Sets of short strings that are numbers, in decimal and behind at most one other byte ("4711", "u4711"): such names of
 * users or devices are dense, so a bit each takes far less memory and time than a hash table. Strings are equal when
 * their places are. In pages that are there once they have a bit; memory comes from an arena.
 * Owner: as the group_set that it is part of.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct arena;

enum {
    NUMBER_DIGITS = 7,      /* most of a number */
    NUMBER_PLACE_BITS = 24, /* of a number; above them its first byte */
    NUMBER_PAGE_BITS = 12,  /* places of a page */
    NUMBER_SHELF = 1 << (NUMBER_PLACE_BITS - NUMBER_PAGE_BITS), /* pages of a first byte */
    NUMBER_PAGES = 256 * NUMBER_SHELF,
    NUMBER_AHEAD = 32,
};

struct number_set {
    uint64_t **shelves[256];
    /* The last places are on their way from memory, and get their bits a little later. */
    uint64_t *words[NUMBER_AHEAD], bits[NUMBER_AHEAD];
    uint32_t last;
};

/* Decimal digits, the first one in the lowest byte, as a number. */
static inline uint32_t number_of_digits(uint64_t digits)
{
    const uint64_t pairs = 0x000000FF000000FF;

    digits = digits * 10 + (digits >> 8);
    return (uint32_t)(((digits & pairs) * (100 + (1000000ull << 32)) +
                       (digits >> 16 & pairs) * (1 + (10000ull << 32))) >>
                      32);
}

/*
 * Place of the string of 1 to 8 bytes, the first one in the lowest byte of `text`, above it zeros: false when it is no
 * such number, or not as it would be printed.
 */
static inline bool number_set_place(uint64_t text, uint32_t len, uint32_t *place)
{
    const uint64_t zeros = 0x3030303030303030;
    uint64_t first = text & 0xFF, shift, digits;
    bool bare = first - '0' < 10;

    len -= !bare;
    if (len - 1 >= NUMBER_DIGITS)
        return false;
    text >>= bare ? 0 : 8;
    if (len > 1 && (text & 0xFF) == '0')
        return false;
    shift = 64 - 8 * (uint64_t)len;
    digits = (text << shift | zeros >> 8 * len) ^ zeros;
    if ((digits | (digits + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0)
        return false;
    *place = (uint32_t)(bare ? '0' : first) << NUMBER_PLACE_BITS | number_of_digits(digits);
    return true;
}

/* 0, -ENOMEM. */
int number_set_add_page(struct number_set *s, struct arena *arena, uint32_t place);

static inline int number_set_add(struct number_set *s, struct arena *arena, uint32_t place)
{
    uint32_t number = place & ((1u << NUMBER_PLACE_BITS) - 1);
    uint64_t **shelf = s->shelves[place >> NUMBER_PLACE_BITS], *page;

    if (!shelf || !(page = shelf[number >> NUMBER_PAGE_BITS]))
        return number_set_add_page(s, arena, place);
    uint64_t *word = &page[number >> 6 & ((1 << (NUMBER_PAGE_BITS - 6)) - 1)];
    uint32_t at = s->last++ % NUMBER_AHEAD;
    __builtin_prefetch(word, 1);
    if (s->words[at])
        *s->words[at] |= s->bits[at];
    s->words[at] = word;
    s->bits[at] = 1ull << (number & 63);
    return 0;
}

/* After the last of them, before the following. */
void number_set_settle(struct number_set *s);

/* Next page from `page` on that any of n sets may have; NUMBER_PAGES = none. */
uint32_t number_sets_next(const struct number_set *const *sets, unsigned n, uint32_t page);
/* Strings of a page that any of n sets has. */
uint32_t number_sets_count(const struct number_set *const *sets, unsigned n, uint32_t page);
