/*
 * Dense groups whose rows are read straight from the slices: those of all group columns side by side are the position,
 * those of all sums the word that is added to it, so that two transpositions read a line of any number of columns.
 */
#include "storage/colblock.h"
#include "storage/group_dense_impl.h"

enum {
    DIRECT_BITS = 16, /* of a position */
    DIRECT_AHEAD = 4, /* lines fetched while rows are added */
};

uint64_t group_direct_align(struct group_dense *d, uint64_t plain, uint64_t most)
{
    uint32_t dims[PROGRAM_MAX_GROUPS], steps[PROGRAM_MAX_GROUPS];
    uint64_t size = 1;

    d->aligned = false;
    if (!d->n_keys || d->n_sources != d->n_keys)
        return plain;
    for (unsigned i = d->n_keys; i-- > 0;) {
        if (d->sources[i].join)
            return plain;
        dims[i] = d->keys[i].dim;
        if (i && dims[i] > 2)
            dims[i] = 1u << (32 - __builtin_clz(dims[i] - 1));
        steps[i] = (uint32_t)size;
        size *= dims[i];
        if (size > most || size > 1u << DIRECT_BITS || size > plain * 2)
            return plain;
    }
    for (unsigned i = 0; i < d->n_keys; i++) {
        d->keys[i].dim = dims[i];
        d->keys[i].step = steps[i];
    }
    d->aligned = true;
    return size;
}

/* A column's values go to bits of a row: false when they cannot, or when some are NULL. */
static bool put(struct group_dense *d, struct row_bits *to, const struct colblock_lines *x,
                unsigned at, unsigned end, bool fetched)
{
    if (!x->c || colblock_has_nulls(x->c) || x->sealed < d->direct_lines ||
        !row_bits_put(to, x, at, end))
        return false;
    for (uint32_t i = 0; i < x->slices.width && fetched && d->n_ahead < SLICES_MAX; i++)
        d->ahead[d->n_ahead++] = x->slices.words + (size_t)i * x->slices.stride;
    return true;
}

static bool put_places(struct group_dense *d)
{
    unsigned end, at = 0;

    row_bits_init(&d->places, 0);
    for (unsigned i = d->n_sources; i-- > 0; at = end) {
        const struct dense_source *x = &d->sources[i];
        end = i ? (unsigned)__builtin_ctz(d->keys[i - 1].step) : DIRECT_BITS;
        if (!put(d, &d->places, &x->lines, at, end, x->lines.slices.words != x->scratch))
            return false;
    }
    return true;
}

/* What rows of the block add to the words of their groups. */
static bool put_fields(struct group_dense *d)
{
    const struct group_packed *p = &d->packed;
    const unsigned at[] = {0, p->second, p->third};

    row_bits_init(&d->fields, 1ull << p->third);
    for (unsigned word = 1; word < d->stride; word++) {
        unsigned i = 0;
        while (d->columns[i].word != word)
            i++;
        const struct group_value *v = &d->columns[i].value;
        if (v->n > 1 || !put(d, &d->fields, &v->steps[0].lines, at[word - 1], at[word], true))
            return false;
    }
    return true;
}

void group_direct_open(struct group_dense *d)
{
    bool can = d->aligned && (d->stride == 1 || d->packed.words);

    for (unsigned i = 0; i < d->n_columns; i++)
        can &= !d->columns[i].nulls || !group_value_has_nulls(&d->columns[i].value);
    d->n_ahead = 0;
    d->direct_lines = can ? d->sources[0].lines.sealed : 0;
    if (can && (!put_places(d) || (d->packed.words && !put_fields(d))))
        d->direct_lines = 0;
}

/* The selected ones of a line move to its begin. */
static void compress_places(const uint64_t *sel, uint16_t *pos)
{
    for (unsigned w = 0, n = 0; w < LINE_WORDS; w++)
        for (uint64_t bits = sel[w]; bits; bits &= bits - 1)
            pos[n++] = pos[w * 64 + (unsigned)__builtin_ctzll(bits)];
}

static void compress_fields(const uint64_t *sel, uint64_t *words)
{
    for (unsigned w = 0, n = 0; w < LINE_WORDS; w++)
        for (uint64_t bits = sel[w]; bits; bits &= bits - 1)
            words[n++] = words[w * 64 + (unsigned)__builtin_ctzll(bits)];
}

void group_direct_add(struct group_dense *d, uint32_t line, const uint64_t *sel, uint32_t n)
{
    const struct kernels *k = kernel_table();
    _Alignas(64) uint64_t words[LINE_ROWS];
    _Alignas(64) uint16_t pos[LINE_ROWS];
    size_t at = (size_t)line * LINE_WORDS;
    struct group_packed_ahead ahead = {d->ahead, d->n_ahead, at + DIRECT_AHEAD * LINE_WORDS};

    k->transpose_line16(d->places.bits, d->places.n, at, (uint16_t)d->places.add, pos);
    if (n < LINE_ROWS)
        compress_places(sel, pos);
    if (d->packed.words) {
        k->transpose_line64(d->fields.bits, d->fields.n, at, d->fields.add, words);
        if (n < LINE_ROWS)
            compress_fields(sel, words);
        group_packed_add_words(&d->packed, pos, words, n, d->cells, &ahead);
    } else if (d->only_keys) {
        for (uint32_t i = 0; i < n; i++)
            d->seen[pos[i] >> 6] |= 1ull << (pos[i] & 63);
    } else {
        for (uint32_t i = 0; i < n; i++)
            d->counts[pos[i]]++;
    }
}
