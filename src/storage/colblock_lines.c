#include "storage/colblock_lines.h"

#include <string.h>

#include "storage/colblock_impl.h"
#include "storage/presence.h"
#include "storage/slices.h"

enum {
    UNITE_SETS = 64, /* bitsets that a slice is made of at once */
};

static uint32_t width_of(uint32_t code)
{
    return code ? 32 - (uint32_t)__builtin_clz(code) : 0;
}

size_t colblock_lines_scratch(uint32_t codes)
{
    return slices_bytes(BLOCK_ROWS / LINE_ROWS, width_of(codes ? codes - 1 : 0));
}

/* Slice i is the union of the containers whose code has bit i. */
static void unite_slice(const struct sealed *s, uint32_t i, uint32_t lines, uint64_t *slice)
{
    const uint64_t *sets[UNITE_SETS];
    uint32_t n = 0;

    for (uint32_t k = 0; k < s->n_containers && n < UNITE_SETS; k++)
        if (s->directory[k].code >> i & 1 && !s->directory[k].cap)
            sets[n++] = (const uint64_t *)(const void *)(sealed_arena(s) + s->directory[k].offset);
    kernel_table()->unite_lines(sets, n, lines, slice);
    for (uint32_t k = 0; k < s->n_containers; k++)
        if (s->directory[k].code >> i & 1 && (s->directory[k].cap || n == UNITE_SETS))
            container_or(&s->directory[k], sealed_arena(s), s->words, slice);
}

static bool build_slices(struct colblock_lines *x, const struct sealed *s, uint64_t *scratch,
                         size_t bytes)
{
    uint32_t lines = s->words / LINE_WORDS;
    uint32_t top = s->n_containers ? s->directory[s->n_containers - 1].code : 0;

    x->slices = (struct slices){.words = scratch,
                                .stride = (lines + 1) * LINE_WORDS,
                                .lines = lines,
                                .width = width_of(top)};
    if (slices_bytes(lines, x->slices.width) > bytes)
        return false;
    for (uint32_t i = 0; i < x->slices.width; i++)
        unite_slice(s, i, lines, scratch + (size_t)i * x->slices.stride);
    return true;
}

void colblock_lines_view(struct colblock_lines *x, const struct colblock *c)
{
    *x = (struct colblock_lines){.c = c,
                                 .sealed = c && c->sealed ? c->sealed->words / LINE_WORDS : 0};
}

bool colblock_lines_open(struct colblock_lines *x, const struct colblock *c, int64_t base,
                         uint64_t *scratch, size_t bytes)
{
    colblock_lines_view(x, c);
    x->base = base;
    if (!c)
        return true;
    if (c->layout == LAYOUT_LIST ||
        (c->any && (c->min < base || (uint64_t)c->max - (uint64_t)base > UINT32_MAX)))
        return false;
    if (!c->sealed)
        return true;
    if (c->sealed->has_slices)
        x->slices = c->sealed->slices;
    else if (!build_slices(x, c->sealed, scratch, bytes))
        return false;
    x->add = (uint32_t)((uint64_t)x->slices.base - (uint64_t)base);
    return x->slices.width <= 32;
}

void colblock_lines_read(const struct colblock_lines *x, uint32_t line, uint32_t *out)
{
    int64_t values[LINE_ROWS];

    if (x->c && line < x->sealed) {
        uint32_t rows = x->c->sealed->rows - line * LINE_ROWS;

        kernel_table()->decode_line32(&x->slices, line, x->add, out);
        if (rows < LINE_ROWS) /* as codes these may be beyond all that there are */
            memset(out + rows, 0, (LINE_ROWS - rows) * sizeof *out);
        return;
    }
    memset(out, 0, LINE_ROWS * sizeof *out);
    uint32_t from = (line - x->sealed) * LINE_ROWS;
    if (!x->c || from >= x->c->tail.rows)
        return;
    uint32_t n = x->c->tail.rows - from < LINE_ROWS ? x->c->tail.rows - from : LINE_ROWS;
    tail_read(&x->c->tail, from, n, values);
    for (uint32_t i = 0; i < n; i++)
        out[i] = (uint32_t)((uint64_t)values[i] - (uint64_t)x->base);
}

void colblock_lines_pick(const struct colblock_lines *x, const struct line_rows *r, uint32_t i,
                         const uint16_t *rows, uint32_t *out)
{
    _Alignas(64) uint32_t values[LINE_ROWS];
    const struct kernels *k = kernel_table();
    uint32_t line = r->lines[i], n = r->counts[i];
    const uint64_t *sel = r->sel + line * LINE_WORDS;

    if (n <= k->pick_rows && x->c && line < x->sealed) {
        uint32_t ahead = line_rows_ahead(r, i);
        k->pick_rows32(&x->slices, line, ahead < x->sealed ? ahead : line, x->add, rows, n, out);
        return;
    }
    if (n < LINE_ROWS && x->c && line < x->sealed) {
        k->pick_line32(&x->slices, line, x->add, sel, out);
        return;
    }
    colblock_lines_read(x, line, values);
    if (n == LINE_ROWS)
        memcpy(out, values, sizeof(values));
    else
        k->compress_line32(values, sel, out);
}

void colblock_lines_pick_all(const struct colblock_lines *x, const struct line_rows *r,
                             uint32_t from, uint32_t to, const uint16_t *rows, uint32_t *out)
{
    for (uint32_t i = from; i < to; i++) {
        colblock_lines_pick(x, r, i, rows, out);
        rows += r->counts[i];
        out += r->counts[i];
    }
}

void colblock_lines_rebase(struct colblock_lines *x, int64_t base)
{
    x->add += (uint32_t)((uint64_t)x->base - (uint64_t)base);
    x->base = base;
}

bool colblock_lines_nulls(const struct colblock_lines *x, uint32_t line, const uint64_t *sel,
                          uint64_t *nulls)
{
    const uint64_t *presence = NULL;
    uint32_t words = LINE_WORDS;

    memcpy(nulls, sel, LINE_WORDS * sizeof *nulls);
    if (x->c && line < x->sealed) {
        presence = x->c->sealed->presence;
        if (!presence)
            return false;
        presence += line * LINE_WORDS;
    } else if (x->c) {
        uint32_t from = (line - x->sealed) * LINE_WORDS, all = presence_words(x->c->tail.rows);

        presence = x->c->tail.presence;
        if (!presence)
            return false;
        words = all < from ? 0 : all - from < LINE_WORDS ? all - from : LINE_WORDS;
        presence += from;
    }
    for (uint32_t i = 0; presence && i < words; i++)
        nulls[i] &= ~presence[i];
    return !presence_is_empty(nulls, LINE_WORDS);
}
