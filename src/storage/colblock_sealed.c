/* Sealed part: reading rows and changing them in place. */
#include "storage/colblock_sealed.h"

#include <string.h>

#include "reactor/assert.h"
#include "storage/block_heap.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/slices.h"

enum { ARRAY_FIRST = 8 }; /* rows a new container has room for */

void sealed_free(struct sealed *s)
{
    if (s)
        block_heap_free(s->budget, s, s->bytes);
}

const uint32_t *sealed_codes(enum column_layout layout, const struct dict *lists, int64_t value,
                             uint32_t *one, uint32_t *n)
{
    if (layout == LAYOUT_LIST)
        return dict_list(lists, (uint32_t)value, n);
    *one = (uint32_t)value;
    *n = 1;
    return one;
}

/* Position of the first directory entry with a code >= `code`. */
static uint32_t find_entry(const struct sealed *s, uint32_t code)
{
    uint32_t from = 0, n = s->n_containers;

    while (n > 0) {
        uint32_t half = n / 2;

        if (s->directory[from + half].code < code) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

/* Codes of a small dictionary are mostly all there: the entry of that number is looked at first. */
struct container *sealed_container(const struct sealed *s, uint32_t code)
{
    if (code < s->n_containers && s->directory[code].code == code)
        return &s->directory[code];
    uint32_t at = find_entry(s, code);

    return at < s->n_containers && s->directory[at].code == code ? &s->directory[at] : NULL;
}

int64_t sealed_get(const struct sealed *s, uint32_t row)
{
    if (s->has_slices)
        return slices_get(&s->slices, row);
    for (uint32_t i = 0; i < s->n_containers; i++) {
        if (container_has(&s->directory[i], sealed_arena(s), row))
            return s->directory[i].code;
    }
    return 0;
}

void sealed_decode_line(const struct sealed *s, const struct kernels *k, uint32_t line,
                        int64_t *out)
{
    if (s->has_slices) {
        k->decode_line(&s->slices, line, out);
        return;
    }
    memset(out, 0, 512 * sizeof *out);
    for (uint32_t i = 0; i < s->n_containers; i++)
        container_scatter(&s->directory[i], sealed_arena(s), line * 512, out);
}

void sealed_read(const struct sealed *s, int64_t *values, uint64_t *presence)
{
    const struct kernels *k = kernel_table();

    for (uint32_t line = 0; line < s->words / LINE_WORDS; line++)
        sealed_decode_line(s, k, line, values + line * 512);
    if (s->presence) {
        memcpy(presence, s->presence, s->words * sizeof *presence);
        return;
    }
    memset(presence, 0, s->words * sizeof *presence);
    presence_fill(presence, 0, s->rows);
}

/* Words [from, from + LINE_WORDS) become zero: the ones they had. */
static uint32_t clear_line(uint64_t *words, uint32_t from)
{
    uint32_t n = presence_count(words + from, LINE_WORDS);

    memset(words + from, 0, LINE_WORDS * sizeof *words);
    return n;
}

static void cut_container(struct container *c, uint8_t *arena, uint32_t rows)
{
    if (c->cap) {
        const uint16_t *array = (const uint16_t *)(const void *)(arena + c->offset);

        while (c->count && array[c->count - 1] >= rows)
            c->count--;
    } else {
        c->count -= clear_line((uint64_t *)(void *)(arena + c->offset), rows / 64);
    }
}

void sealed_cut(struct sealed *s, uint32_t rows)
{
    ASSERT(rows % (64 * LINE_WORDS) == 0 && sealed_words_of(s->rows) == rows / 64 + LINE_WORDS);
    for (uint32_t i = 0; s->has_slices && i < s->slices.width; i++)
        s->slice_counts[i] -= clear_line(s->slices.words + (size_t)i * s->slices.stride, rows / 64);
    for (uint32_t i = 0; i < s->n_containers; i++)
        cut_container(&s->directory[i], (uint8_t *)s, rows);
    s->present -= s->presence ? clear_line(s->presence, rows / 64) : s->rows - rows;
    s->rows = rows;
    s->words = rows / 64;
    s->slices.lines = s->words / LINE_WORDS;
}

/* Takes `size` bytes of the free part: their offset, or 0 when it has no more. */
static uint32_t heap_take(struct sealed *s, uint32_t size, uint32_t align)
{
    uint32_t at = (s->heap_at + align - 1) & ~(align - 1);

    if (at > s->heap_end || size > s->heap_end - at)
        return 0;
    s->heap_at = at + size;
    return at;
}

static bool grow_container(struct sealed *s, struct container *c)
{
    uint32_t cap = c->cap * 2, offset;

    if (cap >= container_array_max(s->words))
        cap = 0;
    if (cap)
        offset = heap_take(s, cap * (uint32_t)sizeof(uint16_t), 8);
    else
        offset = heap_take(s, s->words * (uint32_t)sizeof(uint64_t), 64);
    if (!offset)
        return false;
    container_move(c, (uint8_t *)s, s->words, offset, cap);
    return true;
}

/* Empty entries leave the directory; their space comes back with the next build. */
static void drop_empty(struct sealed *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_containers; i++) {
        if (s->directory[i].count)
            s->directory[n++] = s->directory[i];
    }
    s->n_containers = n;
}

static bool add_container(struct sealed *s, uint32_t code)
{
    uint32_t limit = s->has_slices ? s->cap_containers : SEALED_FEW_CODES, at, offset;

    if (s->n_containers >= s->cap_containers || s->n_containers >= limit) {
        drop_empty(s);
        if (s->n_containers >= s->cap_containers || s->n_containers >= limit)
            return false;
    }
    offset = heap_take(s, ARRAY_FIRST * sizeof(uint16_t), 8);
    if (!offset)
        return false;
    at = find_entry(s, code);
    memmove(s->directory + at + 1, s->directory + at,
            (s->n_containers - at) * sizeof *s->directory);
    s->directory[at] = (struct container){.code = code, .offset = offset, .cap = ARRAY_FIRST};
    s->n_containers++;
    return true;
}

static bool reserve_code(struct sealed *s, uint32_t code)
{
    struct container *c = sealed_container(s, code);

    if (!c)
        return add_container(s, code);
    return !c->cap || c->count < c->cap || grow_container(s, c);
}

/*
 * Entries added for earlier codes of a list are empty, so that a later one could drop them: room
 * first.
 */
static bool reserve_codes(struct sealed *s, const uint32_t *codes, uint32_t n)
{
    uint32_t fresh = 0;

    for (uint32_t i = 0; i < n; i++)
        fresh += !sealed_container(s, codes[i]);
    if (fresh > s->cap_containers - s->n_containers) {
        drop_empty(s);
        fresh = 0;
        for (uint32_t i = 0; i < n; i++)
            fresh += !sealed_container(s, codes[i]);
        if (fresh > s->cap_containers - s->n_containers)
            return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!reserve_code(s, codes[i]))
            return false;
    }
    return true;
}

bool sealed_reserve(struct sealed *s, int64_t value, bool present)
{
    uint32_t one, n;
    const uint32_t *codes;

    if (!present)
        return s->presence != NULL;
    if (s->has_slices && !slices_can_hold(&s->slices, value))
        return false;
    if (!s->has_containers)
        return true;
    codes = sealed_codes(s->layout, s->lists, value, &one, &n);
    return reserve_codes(s, codes, n);
}

static void remove_codes(struct sealed *s, uint32_t row)
{
    uint32_t one, n;
    const uint32_t *codes = sealed_codes(s->layout, s->lists, sealed_get(s, row), &one, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct container *c = sealed_container(s, codes[i]);

        if (c)
            container_remove(c, (uint8_t *)s, row);
    }
}

static void add_codes(struct sealed *s, uint32_t row, int64_t value)
{
    uint32_t one, n;
    const uint32_t *codes = sealed_codes(s->layout, s->lists, value, &one, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct container *c = sealed_container(s, codes[i]);

        ASSERT(c);
        container_add(c, (uint8_t *)s, row);
    }
}

void sealed_put(struct sealed *s, uint32_t row, int64_t value, bool present)
{
    bool was = sealed_is_present(s, row);

    ASSERT(row < s->rows && (present || s->presence));
    if (s->has_containers && was)
        remove_codes(s, row);
    if (s->has_containers && present)
        add_codes(s, row, value);
    if (s->has_slices)
        slices_put(&s->slices, row, present ? value : s->slices.base, s->slice_counts);
    if (s->presence) {
        if (present)
            presence_set(s->presence, row);
        else
            presence_clear(s->presence, row);
    }
    s->present = s->present + present - was;
}
