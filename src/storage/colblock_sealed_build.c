/* Sealed part: building the arena from values. */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/block_heap.h"
#include "storage/colblock.h"
#include "storage/colblock_sealed.h"
#include "storage/dict.h"
#include "storage/presence.h"
#include "storage/slices.h"
#include "storage/slot_memory.h"

enum {
    CODE_SPAN_MAX =
        65536, /* codes counted by an array; a block whose codes lie wider gets no containers */
    CODE_BITS = 16, /* of the codes below CODE_SPAN_MAX */
    COUNT_WAYS = 4,
    COUNT_CODES = 256, /* up to these codes are counted COUNT_WAYS times */
    SPARE_BYTES = 1024,
};

/* What is known of the input before the arena is laid out. Lives during one build. */
struct plan {
    uint32_t present;
    bool has_values, has_slices, has_containers;
    int64_t min, max;            /* values, extra included */
    uint32_t code_min, code_max; /* single codes, extra included */
    uint32_t *counts;            /* per code - code_min: rows; later positions in the directory */
    uint32_t distinct;
    size_t counts_bytes;
    size_t slices_at, presence_at, directory_at, heap_at, bytes;
    uint32_t cap_containers, width;
    int64_t base;
};

static bool row_present(const struct sealed_input *in, uint32_t row)
{
    return !in->presence || presence_get(in->presence, row);
}

static void note_value(const struct sealed_input *in, struct plan *p, int64_t v)
{
    uint32_t one, n;
    const uint32_t *codes;

    p->min = p->has_values && p->min < v ? p->min : v;
    p->max = p->has_values && p->max > v ? p->max : v;
    if (in->layout == LAYOUT_LIST) {
        codes = sealed_codes(in->layout, in->lists, v, &one, &n);
        for (uint32_t i = 0; i < n; i++) {
            p->code_min = codes[i] < p->code_min ? codes[i] : p->code_min;
            p->code_max = codes[i] > p->code_max ? codes[i] : p->code_max;
        }
    }
    p->has_values = true;
}

/* One value per row: what can be a loop without a decision. */
static bool is_plain(const struct sealed_input *in, const struct plan *p)
{
    return in->layout != LAYOUT_LIST && p->present == in->rows;
}

static void note_all(const struct sealed_input *in, struct plan *p)
{
    int64_t min = in->values[0], max = min;

    for (uint32_t row = 1; row < in->rows; row++) {
        int64_t v = in->values[row];

        min = v < min ? v : min;
        max = v > max ? v : max;
    }
    note_value(in, p, min);
    note_value(in, p, max);
}

static void find_bounds(const struct sealed_input *in, struct plan *p)
{
    p->code_min = UINT32_MAX;
    p->present = in->presence ? presence_count(in->presence, sealed_words_of(in->rows)) : in->rows;
    if (is_plain(in, p))
        note_all(in, p);
    for (uint32_t row = 0; row < in->rows && !is_plain(in, p); row++) {
        if (row_present(in, row))
            note_value(in, p, in->values[row]);
    }
    if (in->extra)
        note_value(in, p, *in->extra);
    if (in->layout == LAYOUT_ENUM && p->has_values) {
        p->code_min = (uint32_t)p->min;
        p->code_max = (uint32_t)p->max;
    }
}

static void count_value(const struct sealed_input *in, struct plan *p, int64_t v, uint32_t rows)
{
    uint32_t one, n;
    const uint32_t *codes = sealed_codes(in->layout, in->lists, v, &one, &n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t *count = &p->counts[codes[i] - p->code_min];

        p->distinct += *count == 0;
        *count += rows;
    }
}

/* Neighbours are counted apart, so that equal ones need not wait for each other. */
static void count_all(const struct sealed_input *in, struct plan *p)
{
    uint32_t few[COUNT_WAYS][COUNT_CODES] = {{0}};
    size_t span = p->counts_bytes / sizeof *p->counts;

    if (span > COUNT_CODES) {
        for (uint32_t row = 0; row < in->rows; row++)
            p->counts[(uint32_t)in->values[row] - p->code_min]++;
    } else {
        for (uint32_t row = 0; row < in->rows; row++)
            few[row % COUNT_WAYS][(uint32_t)in->values[row] - p->code_min]++;
        for (uint32_t i = 0; i < span; i++)
            p->counts[i] = few[0][i] + few[1][i] + few[2][i] + few[3][i];
    }
    for (uint32_t i = 0; i < span; i++)
        p->distinct += p->counts[i] != 0;
}

/* Rows per code, unless there are too many codes for containers. -ENOMEM. */
static int count_codes(const struct sealed_input *in, struct plan *p)
{
    uint32_t span;

    p->has_containers = in->layout == LAYOUT_ENUM || in->layout == LAYOUT_LIST;
    if (p->code_min > p->code_max)
        return 0;
    span = p->code_max - p->code_min;
    if (!p->has_containers || span >= CODE_SPAN_MAX) {
        p->has_containers = false;
        return 0;
    }
    p->counts_bytes = ((size_t)span + 1) * sizeof *p->counts;
    p->counts = slot_memory_zeroed(in->budget, p->counts_bytes);
    if (!p->counts)
        return -ENOMEM;
    if (is_plain(in, p))
        count_all(in, p);
    for (uint32_t row = 0; row < in->rows && !is_plain(in, p); row++) {
        if (row_present(in, row))
            count_value(in, p, in->values[row], 1);
    }
    if (in->extra)
        count_value(in, p, *in->extra, 1);
    p->has_containers = p->distinct <= SEALED_MANY_CODES;
    return 0;
}

/* Room of the container of `count` rows; 0 = a bitset. */
static uint32_t container_cap(const struct sealed_input *in, uint32_t count)
{
    uint32_t cap = (count + (in->spare ? count / 8 + 8 : 2) + 3) & ~3u;

    return cap < container_array_max(sealed_words_of(in->rows)) ? cap : 0;
}

/* Bytes of a bitset. */
static uint32_t mask_bytes(const struct sealed_input *in)
{
    return sealed_words_of(in->rows) * (uint32_t)sizeof(uint64_t);
}

static size_t container_bytes(const struct sealed_input *in, uint32_t count)
{
    uint32_t cap = container_cap(in, count);

    return cap ? cap * sizeof(uint16_t) : mask_bytes(in);
}

static size_t align64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

static void lay_out(const struct sealed_input *in, struct plan *p)
{
    size_t heap = 0;

    p->has_slices =
        in->layout != LAYOUT_ENUM || !p->has_containers || p->distinct > SEALED_FEW_CODES;
    if (p->has_slices)
        slices_choose_frame(p->min, p->max, in->spare, &p->base, &p->width);
    p->slices_at = align64(sizeof(struct sealed));
    p->presence_at =
        p->slices_at +
        (p->has_slices ? slices_bytes(sealed_words_of(in->rows) / LINE_WORDS, p->width) : 0);
    p->directory_at = p->presence_at;
    if (p->present < in->rows || in->nulls)
        p->directory_at += mask_bytes(in);
    p->heap_at = p->bytes = p->directory_at;
    if (!p->has_containers)
        return;
    p->cap_containers = p->distinct + (in->spare ? p->distinct / 8 + 8 : 4);
    p->heap_at = align64(p->directory_at + p->cap_containers * sizeof(struct container));
    for (uint32_t i = 0; i < p->counts_bytes / sizeof *p->counts; i++) {
        if (p->counts[i])
            heap += container_bytes(in, p->counts[i]);
    }
    if (in->spare)
        heap += heap / 4 +
                mask_bytes(in); /* a quarter, and a bitset for an array that outgrows its form */
    p->bytes = p->heap_at + heap + SPARE_BYTES;
}

/*
 * Directory entries in code order, their space cut from the heap; bitsets first, for their
 * alignment.
 */
static void place_containers(const struct sealed_input *in, struct plan *p, struct sealed *s)
{
    uint32_t span = (uint32_t)(p->counts_bytes / sizeof *p->counts);

    for (uint32_t i = 0; i < span; i++) {
        uint32_t cap = container_cap(in, p->counts[i]);

        if (!p->counts[i])
            continue;
        s->directory[s->n_containers] = (struct container){.code = p->code_min + i, .cap = cap};
        if (!cap) {
            s->directory[s->n_containers].offset = s->heap_at;
            memset((uint8_t *)s + s->heap_at, 0, mask_bytes(in));
            s->heap_at += mask_bytes(in);
        }
        p->counts[i] = s->n_containers++;
    }
    for (uint32_t i = 0; i < s->n_containers; i++) {
        struct container *c = &s->directory[i];

        if (c->cap) {
            c->offset = s->heap_at;
            s->heap_at += c->cap * (uint32_t)sizeof(uint16_t);
        }
    }
}

static void append_row(struct sealed *s, struct container *c, uint32_t row)
{
    if (c->cap) {
        uint16_t *rows = (uint16_t *)(void *)((uint8_t *)s + c->offset);

        if (c->count && rows[c->count - 1] == row)
            return;
        rows[c->count++] = (uint16_t)row;
    } else {
        uint64_t *bits = (uint64_t *)(void *)((uint8_t *)s + c->offset);

        c->count += !presence_get(bits, row);
        presence_set(bits, row);
    }
}

/* Rows of arrays, which are no more than a sixteenth each. */
static void fill_arrays(const struct sealed_input *in, const struct plan *p, struct sealed *s)
{
    for (uint32_t row = 0; row < in->rows; row++) {
        struct container *c = &s->directory[p->counts[(uint32_t)in->values[row] - p->code_min]];

        if (c->cap)
            ((uint16_t *)(void *)((uint8_t *)s + c->offset))[c->count++] = (uint16_t)row;
    }
}

/* A line of the bitset of a code: rows whose code has just these bits. */
static void match_line(const struct slices *bits, uint32_t code, uint64_t *out)
{
    for (unsigned k = 0; k < LINE_WORDS; k++)
        out[k] = ~0ull;
    for (uint32_t i = 0; i < bits->width; i++) {
        const uint64_t *w = bits->words + (size_t)i * bits->stride;
        uint64_t flip = code >> i & 1 ? 0 : ~0ull;

        for (unsigned k = 0; k < LINE_WORDS; k++)
            out[k] &= w[k] ^ flip;
    }
}

/* What is beyond the rows of the last line has bits that mean nothing: they go. */
static void clear_beyond(const struct sealed_input *in, uint64_t *mask)
{
    uint32_t end = sealed_words_of(in->rows), word = in->rows / 64;

    if (in->rows % 64)
        mask[word++] &= (1ull << in->rows % 64) - 1;
    for (; word < end; word++)
        mask[word] = 0;
}

/* The bits of a line's codes, and from them its line of every bitset. */
static void fill_bitsets(const struct sealed_input *in, const struct plan *p, struct sealed *s)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint64_t words[CODE_BITS * LINE_WORDS];
    _Alignas(64) uint32_t codes[LINE_ROWS];
    uint32_t unused[SLICES_MAX] = {0}, top = p->code_max - p->code_min;
    struct slices bits = {.words = words,
                          .stride = LINE_WORDS,
                          .lines = 1,
                          .width = top ? 32 - (uint32_t)__builtin_clz(top) : 0};

    for (uint32_t line = 0; line * LINE_ROWS < in->rows; line++) {
        for (uint32_t i = 0; i < LINE_ROWS; i++)
            codes[i] = (uint32_t)in->values[line * LINE_ROWS + i] - p->code_min;
        k->encode_line32(&bits, 0, codes, unused);
        for (uint32_t i = 0; i < s->n_containers; i++) {
            struct container *c = &s->directory[i];

            if (!c->cap)
                match_line(&bits, c->code - p->code_min,
                           (uint64_t *)(void *)((uint8_t *)s + c->offset) + line * LINE_WORDS);
        }
    }
}

/* Values beyond the rows, up to the end of their line. */
static void fill_beyond(const struct sealed_input *in, int64_t value)
{
    for (uint32_t row = in->rows; row < sealed_words_of(in->rows) * 64; row++)
        in->values[row] = value;
}

static void fill_plain(const struct sealed_input *in, const struct plan *p, struct sealed *s)
{
    uint32_t bitsets = 0;

    for (uint32_t i = 0; i < s->n_containers; i++)
        bitsets += !s->directory[i].cap;
    fill_beyond(in, p->code_min);
    if (bitsets)
        fill_bitsets(in, p, s);
    if (bitsets < s->n_containers)
        fill_arrays(in, p, s);
    for (uint32_t i = 0; i < s->n_containers; i++) {
        struct container *c = &s->directory[i];

        if (!c->cap) {
            uint64_t *bits = (uint64_t *)(void *)((uint8_t *)s + c->offset);

            clear_beyond(in, bits);
            c->count = presence_count(bits, s->words);
        }
    }
}

static void fill_containers(const struct sealed_input *in, const struct plan *p, struct sealed *s)
{
    if (is_plain(in, p)) {
        fill_plain(in, p, s);
        return;
    }
    for (uint32_t row = 0; row < in->rows; row++) {
        uint32_t one, n;
        const uint32_t *codes;

        if (!row_present(in, row))
            continue;
        codes = sealed_codes(in->layout, in->lists, in->values[row], &one, &n);
        for (uint32_t i = 0; i < n; i++)
            append_row(s, &s->directory[p->counts[codes[i] - p->code_min]], row);
    }
}

static void fill_slices(const struct sealed_input *in, const struct plan *p, struct sealed *s)
{
    s->slices = (struct slices){
        .words = (uint64_t *)(void *)((uint8_t *)s + p->slices_at),
        .stride = s->words + LINE_WORDS,
        .lines = s->words / LINE_WORDS,
        .width = p->width,
        .base = p->base,
    };
    for (uint32_t row = 0; row < in->rows && s->present < in->rows; row++) {
        if (!row_present(in, row))
            in->values[row] = p->base;
    }
    fill_beyond(in, p->base);
    slices_encode(&s->slices, in->values, s->slice_counts);
}

static void fill(const struct sealed_input *in, struct plan *p, struct sealed *s)
{
    *s = (struct sealed){
        .budget = in->budget,
        .bytes = p->bytes,
        .layout = in->layout,
        .lists = in->lists,
        .rows = in->rows,
        .words = sealed_words_of(in->rows),
        .present = p->present,
        .has_slices = p->has_slices,
        .has_containers = p->has_containers,
        .directory = (struct container *)(void *)((uint8_t *)s + p->directory_at),
        .cap_containers = p->cap_containers,
        .heap_at = (uint32_t)p->heap_at,
        .heap_end = (uint32_t)p->bytes,
    };
    if (p->directory_at > p->presence_at) {
        s->presence = (uint64_t *)(void *)((uint8_t *)s + p->presence_at);
        if (in->presence)
            memcpy(s->presence, in->presence, mask_bytes(in));
        else
            memset(s->presence, 0xff, mask_bytes(in));
        clear_beyond(in, s->presence);
    }
    if (p->has_containers) {
        place_containers(in, p, s);
        fill_containers(in, p, s);
    }
    if (p->has_slices)
        fill_slices(in, p, s);
}

int sealed_copy(const struct sealed *s, struct sealed **out)
{
    struct sealed *c = block_heap_new(s->budget, s->bytes);
    const uint8_t *from = sealed_arena(s);
    uint8_t *to = (uint8_t *)c;

    *out = c;
    if (!c)
        return -ENOMEM;
    memcpy(to, from, s->bytes);
    /* What pointed into the arena points into the new one. */
    if (s->slices.words)
        c->slices.words = (uint64_t *)(void *)(to + ((const uint8_t *)s->slices.words - from));
    if (s->presence)
        c->presence = (uint64_t *)(void *)(to + ((const uint8_t *)s->presence - from));
    if (s->directory)
        c->directory = (struct container *)(void *)(to + ((const uint8_t *)s->directory - from));
    return 0;
}

int sealed_build(const struct sealed_input *in, struct sealed **out)
{
    struct plan p = {0};
    int rc;

    ASSERT(in->rows && in->rows <= 65536);
    find_bounds(in, &p);
    rc = count_codes(in, &p);
    if (rc != 0)
        return rc;
    lay_out(in, &p);
    *out = block_heap_new(in->budget, p.bytes);
    if (*out)
        fill(in, &p, *out);
    slot_memory_free(in->budget, p.counts, p.counts_bytes);
    return *out ? 0 : -ENOMEM;
}
