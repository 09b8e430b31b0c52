#include "storage/figures.h"

#include "storage/segment_impl.h"
#include "storage/shard.h"
#include "storage/slot_impl.h"
#include "storage/slot_numbers.h"
#include "storage/slot_words.h"

void figures_add(struct figures *to, const struct figures *from)
{
    to->rows += from->rows;
    to->deleted += from->deleted;
    to->segments += from->segments;
    to->blocks += from->blocks;
    to->absent += from->absent;
    to->absent_bytes += from->absent_bytes;
    to->clean += from->clean;
    to->changed += from->changed;
    to->indexes += from->indexes;
    to->dicts += from->dicts;
    to->rest += from->rest;
    to->disk += from->disk;
    to->dead += from->dead;
    to->data += from->data;
}

uint64_t figures_memory(const struct figures *f)
{
    return f->clean + f->changed + f->indexes + f->dicts + f->rest;
}

/* A file's bytes, and how many of them nothing refers to; its header counts as neither. */
static void add_file(const struct store_file *file, uint64_t live, struct figures *to)
{
    uint64_t bytes = file ? store_file_bytes(file) : 0;

    to->disk += bytes;
    if (bytes > DATAFILE_UNIT + live)
        to->dead += bytes - DATAFILE_UNIT - live;
}

static uint64_t absent_bytes(const struct segment *g)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < g->n_blocks && g->absent; i++) {
        const struct segment_block *b = g->blocks[i];

        for (unsigned c = 0; b->absent && c <= g->schema->n_columns; c++)
            n += segment_column_absent(g, b, c) ? b->disk[c].disk.ref.len : 0;
    }
    return n;
}

void segment_add_figures(const struct segment *g, struct figures *to)
{
    uint64_t memory = segment_memory(g), live = segment_file_live(g);
    size_t clean, changed;

    segment_residency(g, &clean, &changed);
    to->rows += g->live;
    to->deleted += g->rows - g->live;
    to->segments++;
    to->blocks += g->n_blocks;
    to->absent += g->absent;
    to->absent_bytes += absent_bytes(g);
    to->clean += clean;
    to->changed += changed;
    to->rest += memory - clean - changed;
    to->data += memory > live ? memory : live;
    add_file(g->file, live, to);
}

void slot_add_part_figures(const struct slot *t, uint32_t part, struct figures *to)
{
    segment_add_figures(t->parts[part]->segment, to);
    to->indexes += t->parts[part]->index.memory;
}

void slot_add_head_figures(const struct slot *t, struct figures *to)
{
    const struct slot_dict_file *f = &t->dict_file;
    uint64_t dicts = 0, pieces = 0;

    for (unsigned i = 0; i < t->schema->n_columns; i++) {
        dicts += t->dicts[i] ? dict_memory(t->dicts[i]) : 0;
        dicts += t->lists[i] ? dict_memory(t->lists[i]) : 0;
    }
    for (uint32_t i = 0; i < f->n_written; i++)
        pieces += f->pieces[i].ref.len;
    to->indexes += slot_words_memory(t) + slot_numbers_memory(t);
    to->dicts += dicts;
    to->data += dicts;
    to->rest += sizeof *t + t->cap_parts * sizeof(struct slot_part *);
    add_file(f->file, pieces + f->directory.len, to);
}

bool figures_walk_step(struct figures_walk *w, uint32_t blocks, struct figures *to)
{
    struct figures found = {0};
    struct shard_pin pin;
    uint64_t left;

    if (shard_pin(w->shard, w->table_id, &pin) != 0)
        return true;
    while (w->slot < pin.n_slots && found.blocks + found.segments < blocks) {
        const struct slot *t = pin.slots[w->slot];

        if (w->part < slot_segments(t)) {
            slot_add_part_figures(t, w->part++, &found);
        } else {
            slot_add_head_figures(t, &found);
            w->slot++;
            w->part = 0;
        }
    }
    left = pin.n_slots - w->slot;
    shard_unpin(w->shard, &pin);
    figures_add(to, &found);
    return left == 0;
}

uint64_t shard_absent_bytes(struct shard *s)
{
    const struct catalog *c = shard_catalog(s);
    uint64_t n = 0;

    for (uint32_t i = 0; i < c->n_tables; i++) {
        struct shard_pin pin;

        if (shard_pin(s, c->tables[i]->table_id, &pin) != 0)
            continue;
        for (uint32_t k = 0; k < pin.n_slots; k++) {
            for (uint32_t p = 0; p < slot_segments(pin.slots[k]); p++)
                n += absent_bytes(slot_segment(pin.slots[k], p));
        }
        shard_unpin(s, &pin);
    }
    return n;
}
