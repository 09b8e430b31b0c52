/* Slot: does a batch change more blocks of the cut at work than may be put aside? Then it waits for the cut. */
#include "storage/slot_impl.h"

static bool changes_rows(const struct batch *b)
{
    return b->op != BATCH_INSERT && b->op != BATCH_IGNORE;
}

/* Blocks of the rows that may have the key of the batch row, and the one that a new row goes to. */
static void ask_row(struct slot_part *p, const struct slot *t, const struct key_columns *keys,
                    const struct batch *b, uint32_t row)
{
    struct key_hash hash;
    struct key_walk walk;
    uint32_t found;

    if (b->op != BATCH_UPDATE && b->op != BATCH_DELETE && segment_rows(p->segment) % BLOCK_ROWS)
        segment_cut_ask_block(p->segment, segment_blocks(p->segment) - 1);
    if (!changes_rows(b))
        return;
    key_hash_row(keys, t->seed, row, &hash);
    walk = key_table_walk(&p->index, (uint32_t)hash.full);
    while (key_walk_next(&walk, &found))
        segment_cut_ask_block(p->segment, found / BLOCK_ROWS);
}

static struct slot_part *part_of(const struct slot *t, const struct key_columns *k, uint32_t row)
{
    int64_t partition = 0;

    if (key_find_missing(k, row, false) >= 0)
        return NULL; /* is refused, or finds nothing */
    if (k->time >= 0)
        partition = slot_partition_of(t->schema, batch_i64(&k->in[k->time], row));
    return slot_part_find(t, partition);
}

static void ask_all(struct segment *g)
{
    for (uint32_t i = 0; i < segment_blocks(g); i++)
        segment_cut_ask_block(g, i);
}

static void ask(struct slot *t, const struct batch *b)
{
    struct key_columns keys;

    if (slot_key_columns(t->schema, b, &keys) != 0)
        return; /* is refused */
    if (keys.time >= 0 && !keys.given[keys.time]) {
        for (uint32_t i = 0; i < t->n_parts; i++)
            ask_all(t->parts[i]->segment);
        return;
    }
    for (uint32_t row = 0; row < b->rows; row++) {
        struct slot_part *p = part_of(t, &keys, row);

        if (p && segment_cut_is_at_work(p->segment))
            ask_row(p, t, &keys, b, row);
    }
}

bool slot_cut_must_wait(struct slot *t, const struct batch *b, struct task *wake)
{
    bool any = false, wait = false;

    if (!t->dict_file.cut || !wake)
        return false;
    for (uint32_t i = 0; i < t->n_parts; i++) {
        segment_cut_ask(t->parts[i]->segment);
        any |= segment_cut_is_at_work(t->parts[i]->segment);
    }
    if (!any)
        return false;
    ask(t, b);
    for (uint32_t i = 0; i < t->n_parts; i++)
        wait |= segment_cut_must_wait(t->parts[i]->segment, wake);
    return wait;
}
