/* Write batch: columns of a chunk into canonical values and dictionary codes, column by column. */
#include <errno.h>
#include <string.h>

#include "storage/slot_write.h"

enum { SMALL_NUMBERS = 64 };

static void read_presence(struct slot_write *w, struct write_column *c)
{
    c->nulls = false;
    if (!c->in.presence) {
        memset(c->present, 1, w->n);
        return;
    }
    for (uint32_t i = 0; i < w->n; i++) {
        c->present[i] = batch_is_present(&c->in, w->from + i);
        c->nulls |= !c->present[i];
    }
}

static int encode_texts(struct slot_write *w, struct dict *d, struct write_column *c)
{
    uint32_t n = 0, done;
    int rc;

    for (uint32_t i = 0; i < w->n; i++) {
        if (c->present[i]) {
            w->texts[n] = batch_bytes(&c->in, w->from + i, &w->lens[n]);
            n++;
        }
    }
    rc = dict_put_bytes_many(d, w->texts, w->lens, n, w->codes, &done);
    if (rc != 0)
        return rc;
    n = 0;
    for (uint32_t i = 0; i < w->n; i++)
        c->values[i] = c->present[i] ? w->codes[n++] : 0;
    return 0;
}

/* Each value of the batch is looked up once, when the first row has it. */
static int encode_codes(struct slot_write *w, struct dict *d, struct write_column *c)
{
    batch_read_codes(&c->in, w->from, w->n, w->codes);
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t *code = &c->codes[w->codes[i]];

        if (*code == WRITE_NO_CODE && c->present[i]) {
            uint32_t len;
            const char *text = batch_value(&c->in, w->codes[i], &len);
            int rc = dict_put_bytes(d, text, len, code);

            if (rc != 0) {
                *code = WRITE_NO_CODE;
                return rc;
            }
        }
        c->values[i] = c->present[i] ? *code : 0;
    }
    return 0;
}

/* Flags and small integers repeat: the codes of these are kept while a chunk is encoded. */
static int encode_coded_numbers(struct slot_write *w, struct dict *d, struct write_column *c)
{
    uint32_t small[SMALL_NUMBERS], code;

    memset(small, 0xff, sizeof small);
    for (uint32_t i = 0; i < w->n; i++) {
        uint64_t v = (uint64_t)c->values[i];

        if (!c->present[i])
            continue;
        if (v >= SMALL_NUMBERS || small[v] == WRITE_NO_CODE) {
            int rc = dict_put_int(d, c->values[i], &code);

            if (rc != 0)
                return rc;
            if (v < SMALL_NUMBERS)
                small[v] = code;
        } else {
            code = small[v];
        }
        c->values[i] = code;
    }
    return 0;
}

static int encode_numbers(struct slot_write *w, struct dict *d, struct write_column *c)
{
    batch_read_i64(&c->in, w->from, w->n, c->values);
    return d ? encode_coded_numbers(w, d, c) : 0;
}

/*
 * Codes of the row's values, repeats dropped: their number, or UINT32_MAX when there are too many.
 */
static int encode_items(struct slot_write *w, struct dict *d, const struct batch_column *in,
                        uint32_t row, uint32_t *count)
{
    uint32_t items = batch_list_count(in, row), n = 0;

    *count = UINT32_MAX;
    if (items > WRITE_MAX_LIST)
        return 0;
    for (uint32_t k = 0; k < items; k++) {
        uint32_t len, code, at = 0;
        const char *text = batch_list_item(in, row, k, &len);
        int rc = dict_put_bytes(d, text, len, &code);

        if (rc != 0)
            return rc;
        while (at < n && w->list[at] != code)
            at++;
        w->list[n] = code;
        n += at == n;
    }
    *count = n;
    return 0;
}

static int encode_lists(struct slot_write *w, unsigned column, struct write_column *c)
{
    for (uint32_t i = 0; i < w->n; i++) {
        uint32_t n, code;
        int rc;

        c->values[i] = 0;
        if (!c->present[i] || w->state[i] != WRITE_ROW_OPEN)
            continue;
        rc = encode_items(w, w->slot->dicts[column], &c->in, w->from + i, &n);
        if (rc != 0)
            return rc;
        if (n == UINT32_MAX) {
            slot_write_reject(w, i, 1105, "column '%s' has %u values, at most %d are allowed",
                              w->schema->columns[column].name,
                              batch_list_count(&c->in, w->from + i), WRITE_MAX_LIST);
            continue;
        }
        c->present[i] = n > 0; /* an empty list is NULL */
        c->nulls |= n == 0;
        if (n == 0)
            continue;
        rc = dict_put_list(w->slot->lists[column], w->list, n, &code);
        if (rc != 0)
            return rc;
        c->values[i] = code;
    }
    return 0;
}

/* Key columns of rows that are only looked for: a value without a code has no row. */
static void find_key_codes(struct slot_write *w, unsigned part)
{
    struct write_column *c = &w->columns[w->keys.column[part]];

    for (uint32_t i = 0; i < w->n; i++) {
        c->values[i] = 0;
        if (c->present[i] && !slot_key_code(w->slot, &w->keys, part, w->from + i, &c->values[i]) &&
            w->state[i] == WRITE_ROW_OPEN)
            w->state[i] = WRITE_ROW_UNKNOWN;
    }
}

static void check_keys(struct slot_write *w)
{
    if (!w->ascending)
        key_hash_many(&w->keys, w->slot->seed, w->from, w->n, w->hashes);
    if (!key_can_miss(&w->keys)) {
        memset(w->state, WRITE_ROW_OPEN, w->n);
        return;
    }
    for (uint32_t i = 0; i < w->n; i++) {
        int missing = key_find_missing(&w->keys, w->from + i, w->timeless);
        const char *name;

        w->state[i] = WRITE_ROW_OPEN;
        if (missing < 0)
            continue;
        name = w->schema->columns[w->keys.column[missing]].name;
        if (w->keys.given[missing])
            slot_write_reject(w, i, 1048, "Column '%s' cannot be null", name);
        else
            slot_write_reject(w, i, 1364, "Field '%s' doesn't have a default value", name);
    }
}

/*
 * The index entries of all keys are on their way while the columns are encoded: a line of memory may take longer than
 * some dozens of rows do afterwards.
 */
static void prefetch_keys(struct slot_write *w)
{
    const struct slot_part *p = w->keys.time < 0 ? slot_part_find(w->slot, 0) : w->last;

    for (uint32_t i = 0; p && !w->ascending && i < w->n; i++)
        key_table_prefetch(&p->index, (uint32_t)w->hashes[i].full);
}

static int encode_column(struct slot_write *w, unsigned column, struct write_column *c)
{
    struct dict *d = w->slot->dicts[column];

    if (w->schema->columns[column].layout == LAYOUT_LIST)
        return encode_lists(w, column, c);
    if (c->in.kind != BATCH_BYTES)
        return encode_numbers(w, d, c);
    return c->in.codes ? encode_codes(w, d, c) : encode_texts(w, d, c);
}

int slot_write_encode(struct slot_write *w)
{
    bool find_only = w->batch->op == BATCH_UPDATE || w->batch->op == BATCH_DELETE;

    check_keys(w);
    prefetch_keys(w);
    w->complete = true;
    for (unsigned column = 0; column < w->schema->n_columns; column++) {
        struct write_column *c = &w->columns[column];
        int rc;

        if (!c->used) {
            w->complete &= !w->schema->columns[column].required;
            continue;
        }
        read_presence(w, c);
        if (find_only && w->schema->columns[column].in_key)
            continue;
        rc = encode_column(w, column, c);
        if (rc != 0)
            return rc;
        w->complete &= !c->nulls || !w->schema->columns[column].required;
    }
    for (unsigned part = 0; find_only && part < w->keys.n; part++) {
        if (w->keys.given[part])
            find_key_codes(w, part);
    }
    return 0;
}
