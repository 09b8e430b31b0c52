#include "storage/line_rows.h"

void line_rows_init(struct line_rows *r, const uint64_t *sel, uint32_t lines)
{
    const struct kernels *k = kernel_table();

    r->sel = sel;
    r->n = 0;
    for (uint32_t line = 0; line < lines; line++) {
        uint32_t count = k->count_lines(sel + line * LINE_WORDS, 1);

        r->lines[r->n] = (uint16_t)line;
        r->counts[r->n] = (uint16_t)count;
        r->n += count > 0;
    }
    for (unsigned i = 0; i < LINE_ROWS_AHEAD; i++)
        r->lines[r->n + i] = r->n ? r->lines[r->n - 1] : 0;
}

void line_rows_list(const struct line_rows *r, uint32_t i, uint16_t *rows)
{
    kernel_table()->list_rows(r->sel + r->lines[i] * LINE_WORDS, r->counts[i], rows);
}
