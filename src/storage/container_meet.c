#include "storage/container_meet.h"

#include <string.h>

#include "reactor/assert.h"
#include "storage/presence.h"
#include "storage/selection.h"

enum {
    ROWS_STEP = 16, /* of an array, between lines fetched of what is read next */
    ROWS_MANY =
        24, /* looked up in a bitset: fetching all of it ahead costs less than waiting for their words */
    LINE_BYTES = 64,
};

/* What is read after these sets, fetched a few lines at a time: all at once would fill the places for lines on their
 * way. */
struct fetch {
    const struct container_meet *next; /* or NULL */
    uint32_t set, line;                /* the next one */
    uint32_t bitsets, lines;           /* of all */
};

static uint32_t array_lines(const struct container_meet *m, uint32_t i)
{
    return (m->counts[i] * (uint32_t)sizeof(*m->arrays[i]) + LINE_BYTES - 1) / LINE_BYTES;
}

/* Rows left of n that are looked up in a bitset, as far as its number of ones tells. */
static uint32_t expect_rows(const struct container_meet *m, uint32_t bitset, uint32_t n)
{
    uint32_t rows = m->words * 64;

    return m->ones[bitset] < rows ? (uint32_t)((uint64_t)n * m->ones[bitset] / rows) : n;
}

/* Of the bitsets, those that are read whole or nearly so. */
static uint32_t read_bitsets(const struct container_meet *m)
{
    uint32_t n = 0;

    if (m && !m->n_arrays)
        return m->n_bitsets;
    for (uint32_t rows = m ? m->counts[0] : 0; rows >= ROWS_MANY && n < m->n_bitsets; n++)
        rows = expect_rows(m, n, rows);
    return n;
}

static void fetch_arrays(const struct container_meet *m)
{
    __asm__ volatile(""); /* as in key_table_prefetch: else GCC drops the calls */
    for (uint32_t i = 0; m && i < m->n_arrays; i++)
        for (uint32_t line = 0; line < array_lines(m, i); line++)
            __builtin_prefetch((const char *)m->arrays[i] + (size_t)line * LINE_BYTES, 0, 2);
}

static struct fetch fetch_begin(const struct container_meet *next)
{
    struct fetch f = {.next = next, .lines = next ? next->words / LINE_WORDS : 0};

    if (f.lines)
        f.bitsets = read_bitsets(next);
    fetch_arrays(next);
    return f;
}

static void fetch_some(struct fetch *f, uint32_t lines)
{
    while (lines && f->set < f->bitsets) {
        const uint64_t *at = f->next->bitsets[f->set] + (size_t)f->line * LINE_WORDS;
        uint32_t left = f->lines - f->line, n = lines < left ? lines : left;

        for (uint32_t i = 0; i < n; i++, at += LINE_WORDS)
            __builtin_prefetch(at, 0, 2);
        lines -= n;
        f->line += n;
        if (f->line == f->lines) {
            f->line = 0;
            f->set++;
        }
    }
}

void container_meet_fetch(const struct container_meet *m)
{
    struct fetch f = fetch_begin(m);

    fetch_some(&f, UINT32_MAX);
}

void container_meet_init(struct container_meet *m)
{
    m->n_bitsets = m->n_arrays = 0;
    m->words = BLOCK_WORDS;
}

static void add_bitset(struct container_meet *m, const uint64_t *bits, uint32_t ones)
{
    uint32_t at = m->n_bitsets++;

    ASSERT(m->n_bitsets + m->n_arrays <= CONTAINER_MEET_MAX);
    for (; at && m->ones[at - 1] > ones; at--) {
        m->bitsets[at] = m->bitsets[at - 1];
        m->ones[at] = m->ones[at - 1];
    }
    m->bitsets[at] = bits;
    m->ones[at] = ones;
}

void container_meet_add_bitset(struct container_meet *m, const uint64_t *bits)
{
    add_bitset(m, bits, UINT32_MAX);
}

void container_meet_add(struct container_meet *m, const struct container_rows *rows)
{
    if (rows->words < m->words)
        m->words = rows->words;
    if (rows->bits) {
        add_bitset(m, rows->bits, rows->n);
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
    uint32_t kept = 0, i = 0, at = 0;

    while (i < n && at < n_other) { /* no branch depends on the rows */
        uint16_t row = rows[i], its = other[at];

        rows[kept] = row;
        kept += row == its;
        i += row <= its;
        at += its <= row;
    }
    return kept;
}

/* Those of the n rows that the bitset has, behind each other in rows[], which may be from[]: their number. */
static inline uint32_t meet_bitset(const uint16_t *from, uint32_t n, const uint64_t *bits,
                                   uint16_t *rows)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint16_t row = from[i];

        rows[kept] = row;
        kept += presence_get(bits, row);
    }
    return kept;
}

/* The same for few rows, whose words were not fetched before. */
static uint32_t meet_few(const uint16_t *from, uint32_t n, const uint64_t *bits, uint16_t *rows)
{
    for (uint32_t i = 0; i < n; i++)
        __builtin_prefetch(bits + from[i] / 64);
    return meet_bitset(from, n, bits, rows);
}

/* The same for many; what is read next is fetched on the way. */
static uint32_t meet_many(const uint16_t *from, uint32_t n, const uint64_t *bits,
                          struct fetch *fetch, uint16_t *rows)
{
    uint32_t lines = fetch->bitsets * fetch->lines / (n / ROWS_STEP), kept = 0, i = 0;

    for (; i + ROWS_STEP <= n; i += ROWS_STEP) {
        fetch_some(fetch, lines + 1);
        kept += meet_bitset(from + i, ROWS_STEP, bits, rows + kept);
    }
    return kept + meet_bitset(from + i, n - i, bits, rows + kept);
}

/* Rows of the smallest array that all bitsets have: their number. One after the other, so that each is asked for fewer. */
static uint32_t meet_bitsets(const struct container_meet *m, struct fetch *fetch, uint16_t *rows)
{
    uint32_t n = m->counts[0];

    if (!m->n_bitsets) {
        memcpy(rows, m->arrays[0], n * sizeof(*rows));
        return n;
    }
    n = n < ROWS_MANY ? meet_few(m->arrays[0], n, m->bitsets[0], rows)
                      : meet_many(m->arrays[0], n, m->bitsets[0], fetch, rows);
    for (uint32_t i = 1; i < m->n_bitsets; i++)
        n = meet_few(rows, n, m->bitsets[i], rows);
    return n;
}

static uint32_t meet_arrays(const struct container_meet *m, const struct container_meet *next,
                            uint64_t *sel)
{
    uint16_t rows[BLOCK_ROWS / 16]; /* longer ones are bitsets */
    struct fetch fetch = fetch_begin(next);

    ASSERT(m->counts[0] <= sizeof(rows) / sizeof(*rows));
    uint32_t n = meet_bitsets(m, &fetch, rows);
    for (uint32_t i = 1; i < m->n_arrays; i++)
        n = meet_array(rows, n, m->arrays[i], m->counts[i]);
    fetch_some(&fetch, UINT32_MAX);
    if (sel) {
        selection_clear_all(sel);
        for (uint32_t i = 0; i < n; i++)
            presence_set(sel, rows[i]);
    }
    return n;
}

uint32_t container_meet_rows(const struct container_meet *m, const struct container_meet *next,
                             uint64_t *sel)
{
    ASSERT(m->n_bitsets + m->n_arrays > 0);
    if (m->n_arrays)
        return meet_arrays(m, next, sel);
    if (sel)
        memset(sel + m->words, 0, (BLOCK_WORDS - m->words) * sizeof(*sel));
    fetch_arrays(next);
    return kernel_table()->meet_lines(m->bitsets, m->n_bitsets, m->words / LINE_WORDS, sel,
                                      next ? next->bitsets : NULL, read_bitsets(next));
}
