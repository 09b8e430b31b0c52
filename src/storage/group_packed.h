#pragma once
/*
 * Rows and one or two sums of a group in the fields of one word, so that a row is one addition in memory instead of
 * two or three; before a field could overflow all words go into tables of whole words. Owner: the scan, on the slots'
 * core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct group_packed {
    uint64_t *words; /* one per group */
    uint32_t size;   /* groups, a multiple of LINE_WORDS */
    unsigned second,
        third; /* first bits of the second sum and of the rows; the same without a second sum */
    uint32_t rows, max; /* added since the words were emptied; that can be */
};

/* For values of so many bits; width[1] only counts with two sums. False: not worth it for so many groups. */
bool group_packed_init(struct group_packed *p, uint32_t size, const unsigned width[2],
                       unsigned sums);

/*
 * Adds rows with their groups and values, b NULL with one sum. Tables have `size` words each, one after the other:
 * rows, first sum, second sum.
 */
void group_packed_add(struct group_packed *p, const uint32_t *groups, const uint32_t *a,
                      const uint32_t *b, uint32_t n, uint64_t *tables);

struct group_packed_ahead { /* memory that is fetched while rows are added: word `at` of n arrays */
    const uint64_t *const *words;
    uint32_t n;
    size_t at;
};

/*
 * The same of at most 512 rows whose values are in the fields of a word already, each with 1 in the field of rows.
 * Additions and the reading of slices take turns, and only in between the processor has places left to fetch into.
 */
void group_packed_add_words(struct group_packed *p, const uint16_t *groups, const uint64_t *values,
                            uint32_t n, uint64_t *tables, const struct group_packed_ahead *ahead);

/* What is still in the words goes into the tables. */
void group_packed_empty(struct group_packed *p, uint64_t *tables);
