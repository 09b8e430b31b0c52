#pragma once
/*
 * Groups by one string, each with its counts, of all slots of a core: in parts by a hash of the string, so that those
 * of several cores are joined a part at a time, in a near cache. A string of up to 15 bytes is its own key; of longer
 * ones the key is a hash and the place of the bytes, which stay in their dictionary. Without counts, small strings, of
 * 1 to 8 bytes whose last is not 0, lie apart as one word each: half as much memory is written and read; where only the
 * number of groups is asked for, those of them that are numbers are bits (number_set.h). Slots add
 * theirs one after the other, so a string may stand in a set more than once, except as a bit. Owner: the scan; constant once it is
 * handed out, and then read in place by the home core until the scan is freed.
 */
#include <stdbool.h>
#include <stdint.h>

struct budget;
struct group_set;
struct number_set;

enum { GROUP_SET_PART_BITS = 7, GROUP_SET_PARTS = 1 << GROUP_SET_PART_BITS };

/* Equal strings have equal keys; equal keys of long ones are compared (group_key_equal). */
struct group_key {
    uint64_t low; /* bytes 0 to 7; of a long string its hash */
    uint64_t
        high; /* bytes 8 to 14 and length + 1; of a long string its place, and GROUP_KEY_LONG */
};

#define GROUP_KEY_LONG 0xFF
#define GROUP_KEY_SHIFT 56

struct group_key_place { /* of a long string; lives with the set */
    const char *bytes;
    uint32_t len;
};

/* Groups of a part, `words` counts after each key; or small ones. */
struct group_set_block {
    struct group_set_block *next;
    uint32_t n, cap;
    uint64_t data[]; /* n of 2 + words; of one */
};

/* words: counts of a group. At most `limit` bytes. NULL on -ENOMEM. */
struct group_set *group_set_new(unsigned words, struct budget *budget, uint64_t limit);
/* Of one without counts that is empty: only the number of its groups will be asked for. */
void group_set_count_only(struct group_set *s);
void group_set_free(struct group_set *s);

/* A group, or more counts of it. The bytes stay where they are as long as the set. -ENOMEM over the limit. */
int group_set_add(struct group_set *s, const char *bytes, uint32_t len, const uint64_t *counts);
/* More strings of one of which only the number of groups is asked for, by their places (number_set.h): 0, -ENOMEM. */
int group_set_add_numbers(struct group_set *s, const uint32_t *places, uint32_t n);
/* May they be added so? */
bool group_set_takes_numbers(const struct group_set *s);
/* The same of the group of NULL. */
void group_set_add_null(struct group_set *s, const uint64_t *counts);

/* After the last of them, before the following. */
void group_set_settle(struct group_set *s);
unsigned group_set_words(const struct group_set *s);
/* First block of a part; *n = groups of all its blocks. */
const struct group_set_block *group_set_part(const struct group_set *s, unsigned part, uint64_t *n);
/* The same of its small ones, which are never 0 and the first word of the key that they would have. */
const struct group_set_block *group_set_small(const struct group_set *s, unsigned part,
                                              uint64_t *n);
/* Those that are numbers, and in no part. */
const struct number_set *group_set_numbers(const struct group_set *s);
/* Counts of the group of NULL; NULL = there is none. */
const uint64_t *group_set_null(const struct group_set *s);

bool group_key_equal_long(const struct group_key *a, const struct group_key *b);

static inline bool group_key_equal(const struct group_key *a, const struct group_key *b)
{
    if (a->low != b->low)
        return false;
    return a->high == b->high ||
           (a->high >> GROUP_KEY_SHIFT == GROUP_KEY_LONG &&
            b->high >> GROUP_KEY_SHIFT == GROUP_KEY_LONG && group_key_equal_long(a, b));
}

static inline uint64_t group_key_hash(const struct group_key *k)
{
    if (k->high >> GROUP_KEY_SHIFT == GROUP_KEY_LONG)
        return k->low;
    unsigned __int128 m =
        (unsigned __int128)(k->low ^ 0x9E3779B97F4A7C15u) * (k->high ^ 0xE7037ED1A0B428DBu);
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t group_small_hash(uint64_t small)
{
    unsigned __int128 m = (unsigned __int128)(small ^ 0x9E3779B97F4A7C15u) * 0xE7037ED1A0B428DBu;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* The key of a small one. */
static inline struct group_key group_small_key(uint64_t small)
{
    uint64_t len = 8 - (uint64_t)__builtin_clzll(small) / 8;

    return (struct group_key){small, (len + 1) << GROUP_KEY_SHIFT};
}

/* The string; valid as long as the key. */
const char *group_key_bytes(const struct group_key *k, uint32_t *len);
