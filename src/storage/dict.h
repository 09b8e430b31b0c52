#pragma once
/*
 * Dictionary of a column in a slot: value <-> dense 32-bit code, codes never reused. Exact: equal hashes are
 * compared as values. Owner: the slot's core. Rebuilt from the rows at replay, so it needs no record of its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct budget;
struct dict;

enum dict_kind {
    DICT_BYTES,
    DICT_INT,
    DICT_LIST /* ordered lists of codes of another dictionary */
};

struct dict *dict_new(enum dict_kind kind, uint64_t seed, struct budget *budget);
void dict_free(struct dict *d);
uint32_t dict_count(const struct dict *d);

/* Code of the value, given a new one when unknown: 0, -ENOMEM, -ENOSPC at 2^32 - 2 values. */
int dict_put_bytes(struct dict *d, const void *bytes, uint32_t len, uint32_t *code);
int dict_put_int(struct dict *d, int64_t v, uint32_t *code);
int dict_put_list(struct dict *d, const uint32_t *codes, uint32_t n, uint32_t *code);

/* Codes of n values at once, in order; memory is touched ahead, so large dictionaries cost less per value than one
 * by one. As n calls of dict_put_bytes; on an error the values before *done have their codes. */
int dict_put_bytes_many(struct dict *d, const char *const *bytes, const uint32_t *lens, uint32_t n,
                        uint32_t *codes, uint32_t *done);

/*
 * The next codes for values that are known to be new, as when a dictionary is read back: nothing is looked up and the
 * table is left behind. Finding a value then takes a part of them into the table and walks over the rest, dict_put_*
 * first takes in all. 0, -ENOMEM, -ENOSPC.
 */
int dict_append_bytes(struct dict *d, const void *bytes, uint32_t len);
int dict_append_int(struct dict *d, int64_t v);
int dict_append_list(struct dict *d, const uint32_t *codes, uint32_t n);
/* Takes what was appended into the table, and its memory. 0; -ENOMEM: some other time; -EEXIST: codes *a and *b have the
 * same value; told once, from then on the value has the first of its codes. */
int dict_index(struct dict *d, uint32_t *a, uint32_t *b);
/* Are there values that are not in the table? */
bool dict_is_unindexed(const struct dict *d);
/* The same in steps of well below a millisecond: 1 = more are left. */
int dict_index_step(struct dict *d, uint32_t *a, uint32_t *b);

bool dict_find_bytes(const struct dict *d, const void *bytes, uint32_t len, uint32_t *code);
bool dict_find_int(const struct dict *d, int64_t v, uint32_t *code);

/* Value of a code < dict_count; pointers stay valid until dict_free. */
const char *dict_bytes(const struct dict *d, uint32_t code, uint32_t *len);
int64_t dict_int(const struct dict *d, uint32_t code);
/* Asks for the memory of n values of bytes, those with present[i] == 0 left out. */
void dict_prefetch_bytes(const struct dict *d, const int64_t *codes, const uint8_t *present,
                         uint32_t n);
const uint32_t *dict_list(const struct dict *d, uint32_t code, uint32_t *n);
size_t dict_memory(const struct dict *d); /* bytes */
