#include "storage/slot_split.h"

#include <errno.h>

#include "reactor/assert.h"
#include "storage/selection.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

enum { WINDOW_ROWS = 1024 /* decoded at a time */ };

/* Key values of some rows of a block, and what stays of the block. Owner: one call. */
struct split_window {
    uint64_t sel[BLOCK_WORDS], keep[BLOCK_WORDS];
    int64_t values[SCHEMA_MAX_KEY_COLUMNS][WINDOW_ROWS];
    uint8_t present[WINDOW_ROWS];
};

/* Columns that choose the slot, ascending. */
static void place_want(const struct schema *s, uint16_t columns[SCHEMA_MAX_KEY_COLUMNS],
                       struct column_want *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n_place; i++) { /* few: sorted as they are taken */
        uint16_t column = s->key[s->place[i]];
        unsigned at = n++;

        for (; at > 0 && columns[at - 1] > column; at--)
            columns[at] = columns[at - 1];
        columns[at] = column;
    }
    *out = (struct column_want){columns, n};
}

/* Rows [from, to) of a block. */
static void choose_rows(const struct slot *t, const struct block *b, uint32_t from, uint32_t to,
                        unsigned slot_bits, struct split_window *w)
{
    const struct schema *s = t->schema;
    int64_t *keys[SCHEMA_MAX_KEY_COLUMNS] = {0};
    uint32_t n = 0;

    selection_fill(w->sel, from, to);
    for (unsigned i = 0; i < s->n_place; i++) {
        unsigned part = s->place[i];

        keys[part] = w->values[part];
        (void)colblock_decode(b->columns[s->key[part]], w->sel, keys[part], w->present);
    }
    for (uint32_t row = from; row < to; row++, n++)
        if (key_slot(slot_place_hash(t, keys, n), slot_bits) == t->number)
            selection_set(w->keep, row);
}

static int split_block(struct slot *t, struct segment *g, uint32_t index, unsigned slot_bits,
                       struct split_window *w, struct error_info *err)
{
    uint16_t columns[SCHEMA_MAX_KEY_COLUMNS];
    struct column_want want;
    struct block b;
    int rc;

    place_want(t->schema, columns, &want);
    rc = segment_block_now(g, index, &want, err);
    if (rc != 0)
        return rc;
    (void)segment_block_want(g, index, &want, NULL, &b);
    selection_clear_all(w->keep);
    for (uint32_t from = 0; from < b.rows; from += WINDOW_ROWS)
        choose_rows(t, &b, from, from + WINDOW_ROWS < b.rows ? from + WINDOW_ROWS : b.rows,
                    slot_bits, w);
    return segment_keep_rows(g, index, w->keep);
}

int slot_split_partition(struct slot *t, int64_t partition, unsigned slot_bits,
                         struct error_info *err)
{
    struct slot_part *p = slot_part_find(t, partition);
    struct split_window *w = slot_memory_new(t->budget, sizeof *w);
    int rc = w ? 0 : -ENOMEM;

    ASSERT(p && segment_is_shared(p->segment));
    for (uint32_t i = 0; i < segment_blocks(p->segment) && rc == 0; i++)
        rc = split_block(t, p->segment, i, slot_bits, w, err);
    slot_memory_free(t->budget, w, sizeof *w);
    if (rc == -ENOMEM)
        error_set(err, rc, 1038, "table %s: no memory to split its slots", t->schema->name);
    if (rc == 0 && segment_live(p->segment) == 0) {
        slot_part_take_out(t, p);
        slot_part_free(t, p);
    }
    return rc;
}
