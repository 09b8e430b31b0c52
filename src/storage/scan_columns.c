#include "storage/scan_columns.h"

enum {
    COLUMNS_ROWS = 256,    /* fewer are put one by one */
    COLUMNS_PER_VALUE = 2, /* rows for each text of a dictionary, which goes into the batch whole */
    COLUMNS_TEXTS = 65536, /* bytes of a dictionary */
    COLUMNS_CELLS = 262144, /* of a batch: 2 MiB of integers */
};

static bool is_short(const struct dict *d, uint32_t n)
{
    uint32_t values = dict_count(d), len;
    uint64_t bytes = 0;

    if (values > n / COLUMNS_PER_VALUE)
        return false;
    for (uint32_t i = 0; i < values; i++) {
        (void)dict_bytes(d, i, &len);
        bytes += len;
    }
    return bytes <= COLUMNS_TEXTS;
}

bool scan_columns_fit(const struct scan *x, uint32_t n)
{
    if (n < COLUMNS_ROWS || (uint64_t)n * x->n_inputs > COLUMNS_CELLS || x->program->counted)
        return false;
    for (unsigned i = 0; i < x->n_inputs; i++) {
        const struct input *in = &x->inputs[i];
        if (in->list || (in->kind == BATCH_BYTES ? !is_short(in->dict, n) : in->kind != BATCH_I64))
            return false;
    }
    return true;
}

/* Presence as bits; NULL when no value lacks. */
static const uint64_t *presence_bits(const uint8_t *present, uint32_t n, uint64_t *bits)
{
    bool all = true;

    memset(bits, 0, (n + 63) / 64 * sizeof(*bits));
    for (uint32_t i = 0; i < n; i++) {
        bits[i / 64] |= (uint64_t)(present[i] != 0) << i % 64;
        all &= present[i] != 0;
    }
    return all ? NULL : bits;
}

static int put_texts(struct batch_builder *b, unsigned i, const struct input *in,
                     const uint64_t *presence, uint32_t n)
{
    uint32_t codes[SCAN_WINDOW];

    for (uint32_t row = 0; row < n; row++)
        codes[row] = (uint32_t)in->values[row];
    return batch_builder_append_codes(b, i, codes, presence, n);
}

static int put_integers(struct batch_builder *b, unsigned i, const struct input *in,
                        const uint64_t *presence, uint32_t n)
{
    int64_t values[SCAN_WINDOW];

    if (!in->coded)
        return batch_builder_put_i64s(b, i, in->values, presence, n);
    for (uint32_t row = 0; row < n; row++)
        values[row] = in->present[row] ? dict_int(in->dict, (uint32_t)in->values[row]) : 0;
    return batch_builder_put_i64s(b, i, values, presence, n);
}

int scan_columns_put(struct scan *x, uint32_t n)
{
    uint64_t bits[SCAN_WINDOW / 64];
    int rc = 0;

    for (unsigned i = 0; i < x->n_inputs && !rc; i++) {
        const struct input *in = &x->inputs[i];
        const uint64_t *presence = presence_bits(in->present, n, bits);
        rc = in->kind == BATCH_BYTES ? put_texts(x->builder, i, in, presence, n)
                                     : put_integers(x->builder, i, in, presence, n);
    }
    if (!rc)
        rc = batch_builder_end_rows(x->builder, n);
    for (unsigned i = 0; i < x->n_inputs && !rc; i++)
        if (x->inputs[i].kind == BATCH_BYTES)
            rc = batch_builder_set_values(x->builder, i, x->inputs[i].dict);
    return rc;
}
