/* Write batch: changes to a row that exists. */
#include <string.h>

#include "storage/slot_rewrite.h"
#include "storage/slot_write.h"

/* MySQL's number and text for a required column left empty. */
static bool is_missing(struct slot_write *w, uint32_t i, unsigned column, bool all)
{
    const struct column *c = &w->schema->columns[column];
    const struct write_column *x = &w->columns[column];

    if (!c->required || (x->given ? x->present[i] != 0 : !all))
        return false;
    if (x->given)
        slot_write_reject(w, i, 1048, "Column '%s' cannot be null", c->name);
    else
        slot_write_reject(w, i, 1364, "Field '%s' doesn't have a default value", c->name);
    return true;
}

bool slot_write_check_required(struct slot_write *w, uint32_t i, bool all)
{
    for (unsigned column = 0; column < w->schema->n_columns; column++) {
        if (is_missing(w, i, column, all))
            return false;
    }
    return true;
}

/*
 * The old list with the new values it lacks after it, in order. *too_many: then nothing was made.
 */
static int merge_lists(struct slot_write *w, unsigned column, int64_t old, int64_t add,
                       int64_t *merged, bool *too_many)
{
    struct dict *lists = w->slot->lists[column];
    uint32_t n, more, code;
    const uint32_t *codes = dict_list(lists, (uint32_t)old, &n), *added;
    int rc;

    memcpy(w->list, codes, n * sizeof *codes);
    added = dict_list(lists, (uint32_t)add, &more);
    for (uint32_t k = 0; k < more; k++) {
        uint32_t at = 0;

        while (at < n && w->list[at] != added[k])
            at++;
        if (at < n)
            continue;
        if (n == WRITE_MAX_LIST) {
            *too_many = true;
            return 0;
        }
        w->list[n++] = added[k];
    }
    rc = dict_put_list(lists, w->list, n, &code);
    *merged = code;
    return rc;
}

/* What the batch says of a column: false = it stays as it is. */
static bool wanted(const struct slot_write *w, uint32_t i, unsigned column,
                   struct write_change *out)
{
    const struct write_column *x = &w->columns[column];

    *out = (struct write_change){.column = (uint16_t)column};
    if (x->given) {
        out->present = x->present[i];
        out->value = out->present ? x->values[i] : 0;
    }
    switch (w->batch->op) {
    case BATCH_REPLACE:
        return true;
    case BATCH_UPDATE:
        return x->given;
    default:
        return x->given && out->present;
    }
}

/* Changes of the row into w->changes: 0 with their number, or -ENOMEM. */
static int find_changes(struct slot_write *w, uint32_t i, struct segment *g, uint32_t row,
                        uint32_t *count, bool *too_many)
{
    *count = 0;
    for (unsigned column = 0; column < w->schema->n_columns; column++) {
        struct write_change change;
        int64_t old = 0;
        bool had;

        if (w->schema->columns[column].in_key || !wanted(w, i, column, &change))
            continue;
        had = segment_value(g, row, column, &old);
        if (had && w->batch->op == BATCH_UPSERT &&
            w->schema->columns[column].layout == LAYOUT_LIST) {
            int rc = merge_lists(w, column, old, change.value, &change.value, too_many);

            if (rc != 0)
                return rc;
            if (*too_many) {
                slot_write_reject(w, i, 1105, "column '%s' would have more than %d values",
                                  w->schema->columns[column].name, WRITE_MAX_LIST);
                return 0;
            }
        }
        if (had != change.present || (had && old != change.value))
            w->changes[(*count)++] = change;
    }
    return 0;
}

int slot_write_change(struct slot_write *w, uint32_t i, struct slot_part *p, uint32_t row)
{
    struct segment *g = p->segment;
    uint32_t n;
    bool too_many = false;
    int rc;

    if (w->batch->op != BATCH_UPSERT &&
        !slot_write_check_required(w, i, w->batch->op == BATCH_REPLACE))
        return 0;
    rc = find_changes(w, i, g, row, &n, &too_many);
    if (rc != 0 || too_many)
        return rc;
    for (uint32_t k = 0; k < n; k++) {
        rc = segment_reserve_set(g, row, w->changes[k].column, w->changes[k].value,
                                 w->changes[k].present);
        if (rc != 0)
            return rc;
    }
    for (uint32_t k = 0; k < n; k++)
        segment_put_value(g, row, w->changes[k].column, w->changes[k].value, w->changes[k].present);
    slot_rewrite_change(p, row, w->changes, n);
    if (n > 0 || w->batch->op == BATCH_UPSERT)
        w->result->updated++;
    else
        w->result->unchanged++;
    return 0;
}
