#include "storage/segment_alter.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock_change.h"
#include "storage/colblock_constant.h"
#include "storage/initial.h"
#include "storage/segment_impl.h"
#include "storage/slot_memory.h"

/* ---- constants ---- */

void segment_constants_fini(struct segment_constants *k)
{
    for (unsigned c = 0; c < k->schema->n_columns; c++)
        colblock_free(k->whole[c]);
}

static int make_constant(const struct segment_constants *k, unsigned column, uint32_t rows,
                         struct colblock **out)
{
    const struct column *c = &k->schema->columns[column];
    struct dict *values = k->dicts->dicts ? k->dicts->dicts[column] : NULL;
    struct dict *lists = k->dicts->lists ? k->dicts->lists[column] : NULL;
    int64_t value;
    bool present;
    int rc = initial_value(c, values, lists, &value, &present);

    if (rc != 0)
        return rc;
    *out = colblock_new_constant(c->layout, lists, k->segment->budget, rows, value, present);
    return *out ? 0 : -ENOMEM;
}

int segment_constant(struct segment_constants *k, unsigned column, uint32_t rows,
                     struct colblock **out)
{
    int rc = 0;

    if (rows < BLOCK_ROWS)
        return make_constant(k, column, rows, out);
    if (!k->whole[column])
        rc = make_constant(k, column, BLOCK_ROWS, &k->whole[column]);
    if (rc != 0)
        return rc;
    *out = colblock_copy_sealed(k->whole[column]);
    return *out ? 0 : -ENOMEM;
}

/* ---- new structures ---- */

static void block_free(struct segment *g, struct segment_block *b, unsigned columns)
{
    slot_memory_free(g->budget, b->disk, segment_disk_bytes(columns));
    slot_memory_free(g->budget, b, segment_block_bytes(columns));
}

static struct segment_block *block_new(struct segment *g, unsigned columns)
{
    struct segment_block *b = slot_memory_zeroed(g->budget, segment_block_bytes(columns));

    if (!b)
        return NULL;
    b->disk = slot_memory_zeroed(g->budget, segment_disk_bytes(columns));
    if (b->disk)
        return b;
    slot_memory_free(g->budget, b, segment_block_bytes(columns));
    return NULL;
}

/* An open block that never got a row has columns, too. */
static int new_column(struct segment_constants *k, unsigned column, uint32_t rows,
                      struct colblock **out)
{
    struct dict *lists = k->dicts->lists ? k->dicts->lists[column] : NULL;

    if (rows)
        return segment_constant(k, column, rows, out);
    *out = colblock_new(k->schema->columns[column].layout, lists, k->segment->budget);
    return *out ? 0 : -ENOMEM;
}

static int prepare_block(struct segment_alter *a, struct segment_constants *k, uint32_t index)
{
    const struct segment *g = a->segment;
    struct segment_block *b = block_new(a->segment, a->next->n_columns);
    int rc = 0;

    if (!b)
        return -ENOMEM;
    a->blocks[a->n_blocks++] = b;
    for (unsigned c = g->schema->n_columns; c < a->next->n_columns && rc == 0; c++)
        rc = new_column(k, c, g->blocks[index]->rows, &b->columns[c]);
    return rc;
}

int segment_alter_init(struct segment_alter *a, struct segment *g, struct schema *next,
                       const struct segment_dicts *dicts)
{
    struct segment_constants constants = {.segment = g, .schema = next, .dicts = dicts};
    int rc = 0;

    ASSERT(next->n_columns >= g->schema->n_columns);
    *a = (struct segment_alter){.segment = segment_get(g), .next = next};
    if (next->n_columns == g->schema->n_columns)
        return 0; /* its blocks stay as they are */
    a->cap_blocks = g->n_blocks + 1;
    a->blocks = slot_memory_new(g->budget, a->cap_blocks * sizeof *a->blocks);
    if (!a->blocks)
        rc = -ENOMEM;
    for (uint32_t i = 0; i < g->n_blocks && rc == 0; i++)
        rc = prepare_block(a, &constants, i);
    segment_constants_fini(&constants);
    if (rc != 0)
        segment_alter_fini(a);
    return rc;
}

static void free_blocks(struct segment_alter *a)
{
    struct segment *g = a->segment;

    for (uint32_t i = 0; i < a->n_blocks; i++) {
        /* Those of the old columns are the old block's still. */
        for (unsigned c = g->schema->n_columns; c < a->next->n_columns; c++)
            colblock_free(a->blocks[i]->columns[c]);
        block_free(g, a->blocks[i], a->next->n_columns);
    }
}

void segment_alter_fini(struct segment_alter *a)
{
    struct segment *g = a->segment;

    if (!g)
        return;
    if (a->blocks) {
        free_blocks(a);
        slot_memory_free(g->budget, a->blocks, a->cap_blocks * sizeof *a->blocks);
    }
    segment_put(g);
    *a = (struct segment_alter){0};
}

/* ---- the step ---- */

static void take_block(struct segment *g, uint32_t index, struct segment_block *fresh,
                       unsigned columns)
{
    struct segment_block *old = g->blocks[index];
    struct segment_column *disk = fresh->disk;
    unsigned had = g->schema->n_columns;

    memcpy(fresh, old,
           offsetof(struct segment_block, columns)); /* an assignment takes some columns, too */
    fresh->disk = disk;
    memcpy(fresh->columns, old->columns, had * sizeof *old->columns);
    memcpy(disk, old->disk, had * sizeof *disk);
    disk[columns] = old->disk[had]; /* the row mask */
    for (unsigned c = had; c < columns; c++)
        disk[c].changed = true; /* once it is in the file it can leave memory */
    g->changed |= columns > had;
    g->blocks[index] = fresh;
    block_free(g, old, had);
}

void segment_set_dicts(struct segment *g, const struct segment_dicts *dicts)
{
    g->dicts = *dicts;
}

/*
 * The round of a cut at work has another catalog and is given up: there is no use in going on. One that is complete
 * may be in a root already that is being written, with the definition before, and then it holds.
 */
static void end_cut(struct segment *g)
{
    struct task *wake = g->cut_wake;

    if (!g->cut || !g->cut_left)
        return;
    segment_cut_give_up(g, -ESTALE);
    segment_cut_end_fetches(g);
    if (wake)
        reactor_task(store_reactor(g->store), wake, TASK_BULK);
}

void segment_alter_take(struct segment_alter *a, const struct segment_dicts *dicts)
{
    struct segment *g = a->segment;
    struct schema *old = g->schema;

    ASSERT(!a->blocks || a->n_blocks == g->n_blocks);
    end_cut(g);
    for (uint32_t i = 0; a->blocks && i < g->n_blocks; i++)
        take_block(g, i, a->blocks[i], a->next->n_columns);
    if (a->blocks)
        slot_memory_free(g->budget, a->blocks, a->cap_blocks * sizeof *a->blocks);
    a->blocks = NULL;
    g->schema = schema_get(a->next);
    g->dicts = *dicts;
    schema_put(old);
}
