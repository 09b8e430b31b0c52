/* Containers: arrays and bitsets of rows in a block's arena. */
#include "storage/container.h"

#include <string.h>

#include "reactor/assert.h"
#include "storage/kernel.h"
#include "storage/presence.h"

static uint16_t *array_of(const struct container *c, const uint8_t *arena)
{
    return (uint16_t *)(void *)(arena + c->offset);
}

static uint64_t *bitset_of(const struct container *c, const uint8_t *arena)
{
    return (uint64_t *)(void *)(arena + c->offset);
}

/* Position of the first row >= `row` in an array. */
static uint32_t array_find(const struct container *c, const uint16_t *rows, uint32_t row)
{
    uint32_t from = 0, n = c->count;

    while (n > 0) {
        uint32_t half = n / 2;

        if (rows[from + half] < row) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

void container_view(const struct container *c, const uint8_t *arena, uint32_t words,
                    struct container_rows *rows)
{
    *rows = (struct container_rows){
        .n = c->count,
        .words = words,
        .array = c->cap ? array_of(c, arena) : NULL,
        .bits = c->cap ? NULL : bitset_of(c, arena),
    };
}

void container_or(const struct container *c, const uint8_t *arena, uint32_t words, uint64_t *acc)
{
    if (c->cap) {
        const uint16_t *rows = array_of(c, arena);

        for (uint32_t i = 0; i < c->count; i++)
            presence_set(acc, rows[i]);
    } else {
        kernel_table()->or_lines(acc, bitset_of(c, arena), words / LINE_WORDS);
    }
}

void container_and(const struct container *c, const uint8_t *arena, uint32_t words, bool negate,
                   uint64_t *sel)
{
    if (!c->cap) {
        const struct kernels *k = kernel_table();

        (negate ? k->and_not_lines : k->and_lines)(sel, bitset_of(c, arena), words / LINE_WORDS);
    } else if (negate) {
        const uint16_t *rows = array_of(c, arena);

        for (uint32_t i = 0; i < c->count; i++)
            presence_clear(sel, rows[i]);
    } else {
        uint64_t keep[65536 / 64];

        memset(keep, 0, words * sizeof *keep);
        container_or(c, arena, words, keep);
        kernel_table()->and_lines(sel, keep, words / LINE_WORDS);
    }
}

uint32_t container_count(const struct container *c, const uint8_t *arena, uint32_t words,
                         const uint64_t *sel)
{
    const uint16_t *rows = array_of(c, arena);
    uint32_t n = 0;

    if (!c->cap)
        return kernel_count_both(kernel_table(), sel, bitset_of(c, arena), words / LINE_WORDS);
    for (uint32_t i = 0; i < c->count; i++)
        n += presence_get(sel, rows[i]);
    return n;
}

bool container_has(const struct container *c, const uint8_t *arena, uint32_t row)
{
    const uint16_t *rows = array_of(c, arena);
    uint32_t at;

    if (!c->cap)
        return presence_get(bitset_of(c, arena), row);
    at = array_find(c, rows, row);
    return at < c->count && rows[at] == row;
}

void container_scatter(const struct container *c, const uint8_t *arena, uint32_t from, int64_t *out)
{
    if (c->cap) {
        const uint16_t *rows = array_of(c, arena);

        for (uint32_t i = array_find(c, rows, from); i < c->count && rows[i] < from + 512; i++)
            out[rows[i] - from] = c->code;
    } else {
        const uint64_t *bits = bitset_of(c, arena) + from / 64;

        for (uint32_t k = 0; k < 512 / 64; k++) {
            for (uint64_t w = bits[k]; w; w &= w - 1)
                out[k * 64 + (uint32_t)__builtin_ctzll(w)] = c->code;
        }
    }
}

void container_add(struct container *c, uint8_t *arena, uint32_t row)
{
    if (c->cap) {
        uint16_t *rows = array_of(c, arena);
        uint32_t at = array_find(c, rows, row);

        if (at < c->count && rows[at] == row)
            return;
        ASSERT(c->count < c->cap);
        memmove(rows + at + 1, rows + at, (c->count - at) * sizeof *rows);
        rows[at] = (uint16_t)row;
    } else {
        uint64_t *bits = bitset_of(c, arena);

        if (presence_get(bits, row))
            return;
        presence_set(bits, row);
    }
    c->count++;
}

void container_remove(struct container *c, uint8_t *arena, uint32_t row)
{
    if (c->cap) {
        uint16_t *rows = array_of(c, arena);
        uint32_t at = array_find(c, rows, row);

        if (at >= c->count || rows[at] != row)
            return;
        memmove(rows + at, rows + at + 1, (c->count - at - 1) * sizeof *rows);
    } else {
        uint64_t *bits = bitset_of(c, arena);

        if (!presence_get(bits, row))
            return;
        presence_clear(bits, row);
    }
    c->count--;
}

void container_move(struct container *c, uint8_t *arena, uint32_t words, uint32_t offset,
                    uint32_t cap)
{
    struct container moved = {.code = c->code, .count = c->count, .offset = offset, .cap = cap};

    if (c->cap && cap) {
        memcpy(arena + offset, arena + c->offset, c->count * sizeof(uint16_t));
    } else {
        ASSERT(!cap); /* a bitset never becomes an array in place */
        memset(arena + offset, 0, words * sizeof(uint64_t));
        container_or(c, arena, words, (uint64_t *)(void *)(arena + offset));
    }
    *c = moved;
}
