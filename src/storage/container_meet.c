#include "storage/container_meet.h"

#include <string.h>

#include "reactor/assert.h"
#include "storage/presence.h"
#include "storage/selection.h"

enum {
    LINES_AHEAD = 12, /* of a bitset */
    ROWS_AHEAD = 32,
};

static void prefetch(const void *set, size_t bytes)
{
    for (size_t at = 0; at < bytes && at < LINES_AHEAD * 64; at += 64)
        __builtin_prefetch((const char *)set + at);
}

void container_meet_prefetch(const struct container_meet *m)
{
    for (uint32_t i = 0; i < m->n_arrays; i++)
        prefetch(m->arrays[i], m->counts[i] * sizeof(*m->arrays[i]));
    for (uint32_t i = 0; i < m->n_bitsets; i++)
        prefetch(m->bitsets[i], m->words * sizeof(*m->bitsets[i]));
}

void container_meet_init(struct container_meet *m)
{
    m->n_bitsets = m->n_arrays = 0;
    m->words = BLOCK_WORDS;
}

void container_meet_add_bitset(struct container_meet *m, const uint64_t *bits)
{
    ASSERT(!container_meet_is_full(m));
    m->bitsets[m->n_bitsets++] = bits;
}

void container_meet_add(struct container_meet *m, const struct container_rows *rows)
{
    if (rows->words < m->words)
        m->words = rows->words;
    if (rows->bits) {
        container_meet_add_bitset(m, rows->bits);
        return;
    }
    ASSERT(!container_meet_is_full(m));
    uint32_t at = m->n_arrays++;
    if (at && rows->n < m->counts[0]) {
        m->arrays[at] = m->arrays[0];
        m->counts[at] = m->counts[0];
        at = 0;
    }
    m->arrays[at] = rows->array;
    m->counts[at] = rows->n;
}

/* Rows of both sorted arrays, into rows[]: their number. */
static uint32_t meet_array(uint16_t *rows, uint32_t n, const uint16_t *other, uint32_t n_other)
{
    uint32_t kept = 0, at = 0;

    for (uint32_t i = 0; i < n; i++) {
        while (at < n_other && other[at] < rows[i])
            at++;
        if (at == n_other)
            break;
        rows[kept] = rows[i];
        kept += other[at] == rows[i];
    }
    return kept;
}

/* Rows of the smallest array that all bitsets have: their number. */
static uint32_t meet_bitsets(const struct container_meet *m, uint16_t *rows)
{
    const uint16_t *from = m->arrays[0];
    uint32_t n = m->counts[0], kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint16_t row = from[i], ahead = from[i + ROWS_AHEAD < n ? i + ROWS_AHEAD : n - 1];
        uint32_t in = 1;

        for (uint32_t k = 0; k < m->n_bitsets; k++) {
            __builtin_prefetch(m->bitsets[k] + ahead / 64);
            in &= presence_get(m->bitsets[k], row);
        }
        rows[kept] = row;
        kept += in;
    }
    return kept;
}

static uint32_t meet_arrays(const struct container_meet *m, uint64_t *sel)
{
    uint16_t rows[BLOCK_ROWS / 16]; /* longer ones are bitsets */

    ASSERT(m->counts[0] <= sizeof(rows) / sizeof(*rows));
    uint32_t n = meet_bitsets(m, rows);
    for (uint32_t i = 1; i < m->n_arrays; i++)
        n = meet_array(rows, n, m->arrays[i], m->counts[i]);
    if (sel) {
        selection_clear_all(sel);
        for (uint32_t i = 0; i < n; i++)
            presence_set(sel, rows[i]);
    }
    return n;
}

uint32_t container_meet_rows(const struct container_meet *m, uint64_t *sel)
{
    ASSERT(m->n_bitsets + m->n_arrays > 0);
    if (m->n_arrays)
        return meet_arrays(m, sel);
    if (sel)
        memset(sel + m->words, 0, (BLOCK_WORDS - m->words) * sizeof(*sel));
    return kernel_table()->meet_lines(m->bitsets, m->n_bitsets, m->words / LINE_WORDS, sel);
}
