#pragma once
/*
 * Inverted index over a dictionary of texts: word -> codes of the texts that have it, and beginning of words -> the
 * words. Made in steps and caught up with as the dictionary grows; not on disk, since it is made again from the
 * dictionary, which is. Lists of codes are differences of 7 bits a byte: smaller than bitmaps for rare words, which are
 * most, and at most a byte per text for the frequent ones. Memory is charged to the budget. Owner: the slot's core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct dict;
struct word_index;

/* The dictionary is borrowed. NULL = -ENOMEM. */
struct word_index *word_index_new(const struct dict *texts, uint64_t seed, struct budget *budget);
void word_index_free(struct word_index *x);

/* Takes in further texts, for *work units at most (some a byte), which are used up: 0 = all there are now; 1 = more; -ENOMEM,
 * what is in stays right. */
int word_index_step(struct word_index *x, uint64_t *work);
/* Codes below this are in the index. */
uint32_t word_index_limit(const struct word_index *x);
const struct dict *word_index_texts(const struct word_index *x);
size_t word_index_memory(const struct word_index *x); /* bytes */

/* Words have numbers from 0, which do not change. */
uint32_t word_index_words(const struct word_index *x);
bool word_index_find(const struct word_index *x, const char *word, uint32_t len, uint32_t *number);
const char *word_index_word(const struct word_index *x, uint32_t number, uint32_t *len);

/* Where reading the codes of a word is; all zero = at the first. */
struct word_codes {
    uint32_t done; /* codes read */
    uint32_t at;   /* bytes read */
    uint32_t last; /* code */
};
/* Sets the bits of the next codes of the word that are below limit, using up *work: true when all are. */
bool word_index_mark(const struct word_index *x, uint32_t number, struct word_codes *at,
                     uint32_t limit, uint64_t *bits, uint64_t *work);
