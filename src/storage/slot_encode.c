/* Write batch: columns of a chunk into canonical values and dictionary codes, column by column. */
#include <errno.h>
#include <string.h>

#include "storage/slot_write.h"

static void read_presence(struct slot_write *w, struct write_column *c)
{
    c->nulls = false;
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

static int encode_numbers(struct slot_write *w, struct dict *d, struct write_column *c)
{
    int64_t last = 0;
    uint32_t code = 0;
    bool any = false;

    batch_read_i64(&c->in, w->from, w->n, c->values);
    for (uint32_t i = 0; d && i < w->n; i++) {
        if (!c->present[i])
            continue;
        if (!any || c->values[i] != last) { /* flags and small integers often repeat */
            int rc = dict_put_int(d, c->values[i], &code);

            if (rc != 0)
                return rc;
            last = c->values[i];
            any = true;
        }
        c->values[i] = code;
    }
    return 0;
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
    for (uint32_t i = 0; i < w->n; i++) {
        int missing = key_find_missing(&w->keys, w->from + i, w->timeless);
        const char *name;

        w->state[i] = WRITE_ROW_OPEN;
        if (missing < 0) {
            key_hash_row(&w->keys, w->slot->seed, w->from + i, &w->hashes[i]);
            continue;
        }
        name = w->schema->columns[w->keys.column[missing]].name;
        if (w->keys.given[missing])
            slot_write_reject(w, i, 1048, "Column '%s' cannot be null", name);
        else
            slot_write_reject(w, i, 1364, "Field '%s' doesn't have a default value", name);
    }
}

static int encode_column(struct slot_write *w, unsigned column, struct write_column *c)
{
    struct dict *d = w->slot->dicts[column];

    if (w->schema->columns[column].layout == LAYOUT_LIST)
        return encode_lists(w, column, c);
    return c->in.kind == BATCH_BYTES ? encode_texts(w, d, c) : encode_numbers(w, d, c);
}

int slot_write_encode(struct slot_write *w)
{
    bool find_only = w->batch->op == BATCH_UPDATE || w->batch->op == BATCH_DELETE;

    check_keys(w);
    for (unsigned column = 0; column < w->schema->n_columns; column++) {
        struct write_column *c = &w->columns[column];
        int rc;

        if (!c->used)
            continue;
        read_presence(w, c);
        if (find_only && w->schema->columns[column].in_key)
            continue;
        rc = encode_column(w, column, c);
        if (rc != 0)
            return rc;
    }
    for (unsigned part = 0; find_only && part < w->keys.n; part++) {
        if (w->keys.given[part])
            find_key_codes(w, part);
    }
    return 0;
}
