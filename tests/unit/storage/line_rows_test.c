/* Rows of a block's lines: what is listed against the bits of the selection. */
#include "storage/line_rows.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t seed = 88172645463325252;

static uint32_t below(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed % n);
}

/* The i-th line with rows; the list has exactly the room that is asked for. */
static void check_line(const struct line_rows *r, uint32_t i)
{
    const uint64_t *sel = r->sel + r->lines[i] * LINE_WORDS;
    uint16_t *rows = malloc((r->counts[i] + LINE_ROWS_SPARE) * sizeof(*rows));
    uint32_t n = 0;

    line_rows_list(r, i, rows);
    for (uint32_t row = 0; row < LINE_ROWS_MAX; row++)
        if (sel[row / 64] >> row % 64 & 1)
            cr_assert_eq(rows[n++], row);
    cr_assert_eq(n, r->counts[i]);
    free(rows);
}

Test(line_rows, lists_what_is_selected)
{
    static const uint32_t parts[] = {1, 2, 16, 64, 512, 4000};
    static uint64_t sel[BLOCK_WORDS];
    struct line_rows r;

    for (unsigned round = 0; round < 60; round++) {
        uint32_t part = parts[round % 6], lines = round < 30 ? BLOCK_LINES : below(BLOCK_LINES + 1);
        uint32_t i = 0;

        selection_clear_all(sel);
        for (uint32_t row = 0; row < BLOCK_ROWS; row++)
            if (!below(part))
                selection_set(sel, row);
        line_rows_init(&r, sel, lines);
        for (uint32_t line = 0; line < lines; line++) {
            uint32_t n = kernel_table()->count_lines(sel + line * LINE_WORDS, 1);
            if (!n)
                continue;
            cr_assert_eq(r.lines[i], line);
            cr_assert_eq(r.counts[i], n);
            check_line(&r, i++);
        }
        cr_assert_eq(r.n, i);
        for (uint32_t k = 0; k < i; k++)
            cr_assert_eq(line_rows_ahead(&r, k),
                         r.lines[k + LINE_ROWS_AHEAD < i ? k + LINE_ROWS_AHEAD : i - 1]);
    }
}
