/* Segment: from the directory of its file, everything absent. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/segment_impl.h"

void segment_set_store(struct segment *g, struct store *store)
{
    g->store = store;
}

void segment_attach(struct segment *g, uint64_t *absent, const uint64_t *now,
                    const struct segment_room *room)
{
    if (g->owner_absent)
        *g->owner_absent -= g->absent;
    g->owner_absent = absent;
    g->room = room;
    g->now = now;
    if (absent)
        *absent += g->absent;
}

void segment_detach(struct segment *g)
{
    segment_attach(g, NULL, NULL, NULL);
    g->detached = true;
    segment_wake_all(g); /* what they wait for will not come: they look for the slot anew */
}

bool segment_is_pinned(const struct segment *g)
{
    return g->refs > 1 + g->reads;
}

void segment_count_absent(struct segment *g, struct segment_block *b, int change)
{
    b->absent += (uint32_t)change;
    g->absent += (uint32_t)change;
    if (g->owner_absent)
        *g->owner_absent += (uint64_t)(int64_t)change;
}

struct store_file *segment_file(const struct segment *g)
{
    return g->file;
}

uint64_t segment_file_live(const struct segment *g)
{
    return g->file_live;
}

const struct chunk_ref *segment_directory(const struct segment *g)
{
    return g->directory.offset ? &g->directory : NULL;
}

void segment_set_directory(struct segment *g, const struct chunk_ref *ref)
{
    g->directory = *ref;
}

/* ---- opening ---- */

/* Positions of the schema's columns in the directory, UINT16_MAX = it lacks one. -EBADMSG: another layout. */
static int map_columns(const struct schema *s, const struct segment_directory *dir, uint16_t *at,
                       struct error_info *err)
{
    for (unsigned c = 0; c < s->n_columns; c++) {
        at[c] = UINT16_MAX;
        for (unsigned k = 0; k < dir->n_columns; k++) {
            if (dir->column_ids[k] == s->columns[c].id)
                at[c] = (uint16_t)k;
        }
        if (at[c] != UINT16_MAX && dir->layouts[at[c]] != s->columns[c].layout)
            return error_set(err, -EBADMSG, 1030,
                             "table %s, column '%s': its data file holds layout %u, the table's "
                             "definition asks for %u",
                             s->name, s->columns[c].name, dir->layouts[at[c]],
                             s->columns[c].layout);
    }
    return 0;
}

/* It was not there yet. The next checkpoint writes it, so that it can leave memory. */
static int lacking_column(struct segment *g, struct segment_block *b, unsigned column,
                          struct segment_constants *constants)
{
    b->disk[column].changed = g->changed = true;
    return segment_constant(constants, column, b->rows, &b->columns[column]);
}

static int open_columns(struct segment *g, struct segment_block *b,
                        const struct segment_directory *dir, uint32_t index, const uint16_t *at,
                        struct segment_constants *constants)
{
    const struct directory_block *in = &dir->blocks[index];
    struct segment_column *mask = &b->disk[g->schema->n_columns];

    for (unsigned c = 0; c < g->schema->n_columns; c++) {
        int rc = 0;

        if (at[c] != UINT16_MAX)
            b->disk[c].disk = dir->columns[(size_t)index * dir->n_columns + at[c]];
        if (b->disk[c].disk.ref.offset)
            segment_count_absent(g, b, 1);
        else
            rc = lacking_column(g, b, c, constants);
        if (rc != 0)
            return rc;
        g->file_live += b->disk[c].disk.ref.len;
    }
    mask->disk.ref = in->live;
    g->file_live += in->live.len;
    if (in->live.offset)
        segment_count_absent(g, b, 1);
    return 0;
}

static int open_block(struct segment *g, const struct segment_directory *dir, uint32_t index,
                      const uint16_t *at, struct segment_constants *constants,
                      struct error_info *err)
{
    const struct directory_block *in = &dir->blocks[index];
    struct segment_block *b;
    int rc;

    if (in->rows == 0 || in->rows > BLOCK_ROWS || in->live_count > in->rows ||
        (index + 1 < dir->n_blocks && in->rows != BLOCK_ROWS) ||
        (!in->live.offset && in->live_count != in->rows))
        return error_set(err, -EBADMSG, 1030,
                         "table %s: a data file's directory has a block of %" PRIu32
                         " rows, %" PRIu32 " of them live, which cannot be",
                         g->schema->name, in->rows, in->live_count);
    b = segment_block_new(g);
    rc = b ? segment_block_add(g, b) : -ENOMEM;
    if (rc != 0)
        return rc;
    b->rows = in->rows;
    b->live_count = in->live_count;
    g->rows += in->rows;
    g->live += in->live_count;
    return open_columns(g, b, dir, index, at, constants);
}

int segment_open(const struct schema *s, const struct segment_dicts *d, struct store *store,
                 struct store_file *file, const struct segment_directory *dir,
                 struct budget *budget, struct segment **out, struct error_info *err)
{
    uint16_t at[SCHEMA_MAX_COLUMNS];
    struct segment *g;
    int rc = map_columns(s, dir, at, err);

    if (rc != 0)
        return rc;
    if (dir->n_blocks > 1u << (32 - BLOCK_BITS))
        return error_set(err, -EBADMSG, 1030,
                         "table %s: a data file's directory has %" PRIu32
                         " blocks, at most %u are allowed",
                         s->name, dir->n_blocks, 1u << (32 - BLOCK_BITS));
    rc = segment_new(s, d, dir->id.partition, budget, &g);
    if (rc == 0) {
        struct segment_constants constants = {.segment = g, .schema = s, .dicts = d};

        g->store = store;
        g->file = store_file_get(file);
        for (uint32_t i = 0; i < dir->n_blocks && rc == 0; i++)
            rc = open_block(g, dir, i, at, &constants, err);
        segment_constants_fini(&constants);
        if (rc != 0)
            segment_put(g);
    }
    if (rc == -ENOMEM)
        return error_set(err, rc, 1038, "table %s: no memory to open a segment", s->name);
    if (rc != 0)
        return rc;
    *out = g;
    return 0;
}
