#include "storage/value_counts.h"

#include <errno.h>
#include <stdlib.h>

#include "reactor/budget.h"
#include "storage/colblock_lines.h"
#include "storage/program.h"

enum {
    COUNTS_BYTES = 64 << 20, /* of the counters of a core */
    COUNTS_SPARSE = 8,       /* counters per row from which single rows are cheaper */
    COUNTS_SINGLE = 4096,    /* rows of a piece that go as they are */
};

struct value_counts {
    struct budget *budget;
    int64_t base; /* multiple of PROGRAM_COUNTED */
    uint64_t size;
    uint32_t *counts;
    uint64_t next; /* piece to be handed out */
    struct colblock_lines lines;
    bool has_values; /* the block at hand */
};

int value_counts_new(int64_t min, int64_t max, uint64_t rows, uint64_t limit, struct budget *budget,
                     struct value_counts **out)
{
    int64_t base = (int64_t)((uint64_t)min & ~(uint64_t)(PROGRAM_COUNTED - 1));
    uint64_t pieces = ((uint64_t)max - (uint64_t)base) / PROGRAM_COUNTED + 1,
             bytes = pieces * PROGRAM_COUNTED * sizeof(uint32_t);

    *out = NULL;
    if (pieces > COUNTS_BYTES / (PROGRAM_COUNTED * sizeof(uint32_t)) || bytes > limit ||
        pieces > 1 + rows * COUNTS_SPARSE / PROGRAM_COUNTED || rows > UINT32_MAX)
        return 0;
    if (budget && budget_charge(budget, bytes))
        return 0; /* single rows need no memory */
    struct value_counts *v = calloc(1, sizeof(*v));
    if (v)
        v->counts = calloc(pieces * PROGRAM_COUNTED, sizeof(*v->counts));
    if (!v || !v->counts) {
        if (budget)
            budget_release(budget, bytes);
        free(v);
        return -ENOMEM;
    }
    v->budget = budget;
    v->base = base;
    v->size = pieces * PROGRAM_COUNTED;
    *out = v;
    return 0;
}

void value_counts_free(struct value_counts *v)
{
    if (!v)
        return;
    if (v->budget)
        budget_release(v->budget, v->size * sizeof(*v->counts));
    free(v->counts);
    free(v);
}

bool value_counts_open(struct value_counts *v, const struct colblock *c)
{
    int64_t min, max;

    v->has_values = c && colblock_bounds(c, &min, &max);
    if (!v->has_values)
        return true;
    return min >= v->base && (uint64_t)max - (uint64_t)v->base < v->size &&
           colblock_lines_open(&v->lines, c, v->base, NULL, 0);
}

static void count_line(struct value_counts *v, uint32_t line, const uint64_t *sel)
{
    _Alignas(64) uint32_t all[LINE_ROWS], some[LINE_ROWS];
    uint64_t nulls[LINE_WORDS], rows[LINE_WORDS];
    const struct kernels *k = kernel_table();
    bool has_nulls = colblock_lines_nulls(&v->lines, line, sel, nulls);

    for (unsigned w = 0; w < LINE_WORDS; w++)
        rows[w] = has_nulls ? sel[w] & ~nulls[w] : sel[w];
    uint32_t n = k->count_lines(rows, 1);
    if (!n)
        return;
    colblock_lines_read(&v->lines, line, all);
    if (n < LINE_ROWS)
        k->compress_line32(all, rows, some);
    const uint32_t *at = n < LINE_ROWS ? some : all;
    for (uint32_t i = 0; i < n; i++)
        v->counts[at[i]]++;
}

void value_counts_add(struct value_counts *v, const uint64_t *sel, uint32_t rows)
{
    for (uint32_t line = 0; v->has_values && line * LINE_ROWS < rows; line++)
        count_line(v, line, sel + line * LINE_WORDS);
}

static int put(struct batch_builder *to, int64_t value, const uint32_t *counts)
{
    int rc = batch_builder_put_i64(to, 0, value);

    if (!rc && counts)
        rc = batch_builder_put_bytes(to, 1, counts, PROGRAM_COUNTED * sizeof(*counts));
    return rc ? rc : batch_builder_end_row(to);
}

/* Rows of a piece one by one, at most `most`: what was put is no longer counted. */
static int put_singles(struct batch_builder *to, int64_t first, uint32_t *counts, uint32_t most)
{
    int rc = 0;

    for (uint32_t i = 0; i < PROGRAM_COUNTED && most && !rc; i++)
        for (; counts[i] && most && !rc; counts[i]--, most--)
            rc = put(to, first + i, NULL);
    return rc;
}

static uint64_t sum_counts(const uint32_t *counts)
{
    uint64_t rows = 0;

    for (uint32_t i = 0; i < PROGRAM_COUNTED; i++)
        rows += counts[i];
    return rows;
}

int value_counts_next(struct value_counts *v, uint32_t batch_rows, struct batch_builder *to)
{
    for (; v->next < v->size; v->next += PROGRAM_COUNTED) {
        uint32_t *counts = v->counts + v->next;
        int64_t first = v->base + (int64_t)v->next;
        uint64_t rows = sum_counts(counts);
        int rc;
        if (!rows)
            continue;
        if (rows <= COUNTS_SINGLE) {
            rc = put_singles(to, first, counts, batch_rows);
        } else {
            rc = put(to, first, counts);
            v->next += PROGRAM_COUNTED;
        }
        return rc ? rc : 1;
    }
    return 0;
}
