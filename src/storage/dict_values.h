#pragma once
/*
 * Values of a dictionary by code: numbers, or bytes and lists of 32-bit items, in lines of 64 bytes, so that a value is
 * found by one line of memory before its own. A line holds 8 numbers; or where the bytes of 28 codes begin and how far
 * behind each lies, 2.3 bytes a code instead of a pointer's 8. Owner: a dictionary.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "reactor/assert.h"

struct budget;

enum {
    DICT_LINE_VALUES = 28,
    DICT_LINE_NUMBERS = 8,
    DICT_PAGE_BITS = 11,         /* lines of a page; only the first page grows by copying */
    DICT_LEN_LONG = UINT8_MAX,   /* length byte: the value lies elsewhere, its address follows */
    DICT_ITEMS_LONG = INT32_MAX, /* number of items: likewise */
};

/* Owner: the values. Bytes and lists: their length before them, those of a line without gaps. */
union dict_line {
    int64_t numbers[DICT_LINE_NUMBERS];
    struct {
        uint8_t *base;
        uint16_t at[DICT_LINE_VALUES];
    };
};

_Static_assert(sizeof(union dict_line) == 64, "a line of memory");

/* Bytes that never move, in chunks. Owner: the values. */
struct dict_heap {
    struct dict_chunk *chunks;
    uint8_t *at, *end; /* free part of the newest chunk */
};

struct dict_values {
    struct budget *budget;
    union dict_line **pages;
    uint32_t lines; /* there is memory for */
    uint32_t pages_cap;
    struct dict_heap heap, elsewhere; /* values up to 255 bytes or 63 items; longer ones */
    size_t size, size_elsewhere;      /* of the value that was written last */
    size_t memory;                    /* bytes of all of this */
};

void dict_values_init(struct dict_values *v, struct budget *budget);
void dict_values_fini(struct dict_values *v);

/*
 * Write the value of a code, which is the number of those committed; all values of one dictionary by the same function.
 * It stays after dict_values_commit; otherwise the next one takes its place. 0, -ENOMEM, -ENOSPC at 2^32 - 2 values.
 */
int dict_values_write_number(struct dict_values *v, uint32_t code, int64_t number);
int dict_values_write_bytes(struct dict_values *v, uint32_t code, const void *bytes, uint32_t len);
int dict_values_write_items(struct dict_values *v, uint32_t code, const uint32_t *items,
                            uint32_t n);
void dict_values_commit(struct dict_values *v);

static inline union dict_line *dict_values_line(const struct dict_values *v, uint32_t line)
{
    return &v->pages[line >> DICT_PAGE_BITS][line & ((1u << DICT_PAGE_BITS) - 1)];
}

static inline const uint8_t *dict_values_at(const struct dict_values *v, uint32_t code)
{
    const union dict_line *line = dict_values_line(v, code / DICT_LINE_VALUES);

    return line->base + line->at[code % DICT_LINE_VALUES];
}

/* Address that stands at a place of any alignment. */
static inline const uint8_t *dict_values_elsewhere(const uint8_t *at)
{
    const uint8_t *address;

    memcpy(&address, at, sizeof address);
    return address;
}

/* Of a committed code, in a dictionary of their kind; pointers stay valid until dict_values_fini. */
static inline int64_t *dict_values_number(const struct dict_values *v, uint32_t code)
{
    return &dict_values_line(v, code / DICT_LINE_NUMBERS)->numbers[code % DICT_LINE_NUMBERS];
}

static inline const char *dict_values_bytes(const struct dict_values *v, uint32_t code,
                                            uint32_t *len)
{
    const uint8_t *at = dict_values_at(v, code);

    if (*at != DICT_LEN_LONG) {
        *len = *at;
        return (const char *)at + 1;
    }
    at = dict_values_elsewhere(at + 1);
    memcpy(len, at, sizeof *len);
    return (const char *)at + sizeof *len;
}

static inline const uint32_t *dict_values_items(const struct dict_values *v, uint32_t code,
                                                uint32_t *n)
{
    const uint8_t *at = dict_values_at(v, code);

    memcpy(n, at, sizeof *n);
    if (*n == DICT_ITEMS_LONG) {
        at = dict_values_elsewhere(at + sizeof *n);
        memcpy(n, at, sizeof *n);
    }
    return (const uint32_t *)(const void *)(at + sizeof *n);
}
