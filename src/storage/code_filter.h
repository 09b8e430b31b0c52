#pragma once
/*
 * Code filter: which codes the rows of a full sealed block may have, as a Bloom filter of a word of 64 bits per 8 rows, so that
 * looking for a code that a block does not have reads one word of it and no slice. Of 100 absent codes about 5
 * pass. It only grows: a code that no row has any more may pass, one that a row has always does. In memory only, made when a
 * block was searched several times for nothing. Owner: the column block.
 */
#include <stdbool.h>
#include <stdint.h>

struct budget;
struct slices;

enum { CODE_FILTER_WORDS = 8192 };

struct code_filter {
    uint64_t words[CODE_FILTER_WORDS];
};

/* With the codes of all rows, which are below 2^32. NULL: there is too little memory. */
struct code_filter *code_filter_new(const struct slices *s, struct budget *budget);
void code_filter_free(struct code_filter *f, struct budget *budget);

/* 13 bits choose the word, three times 6 the bits in it. */
static inline uint32_t code_filter_hash(uint32_t code)
{
    code = (code ^ code >> 15) * 0x2C1B3C6Du;
    return (code ^ code >> 12) * 0x297A2D39u;
}

static inline uint64_t code_filter_bits(uint32_t hash)
{
    return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63) | 1ull << (hash >> 12 & 63);
}

/* The word that tells of a code. */
static inline const uint64_t *code_filter_word(const struct code_filter *f, uint32_t code)
{
    return &f->words[code_filter_hash(code) >> 19];
}

static inline void code_filter_add(struct code_filter *f, uint32_t code)
{
    uint32_t hash = code_filter_hash(code);

    f->words[hash >> 19] |= code_filter_bits(hash);
}

/* Can a row have it? */
static inline bool code_filter_may_have(const struct code_filter *f, uint32_t code)
{
    uint32_t hash = code_filter_hash(code);
    uint64_t bits = code_filter_bits(hash);

    return (f->words[hash >> 19] & bits) == bits;
}
