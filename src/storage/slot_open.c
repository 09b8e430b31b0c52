/* Slot: put together from the files of a checkpoint. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "storage/dict_image.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

struct store_file *slot_dict_file(const struct slot *t)
{
    return t->dict_file.file;
}

const struct chunk_ref *slot_dict_directory(const struct slot *t)
{
    return t->dict_file.directory.offset ? &t->dict_file.directory : NULL;
}

void slot_set_dict_directory(struct slot *t, const struct chunk_ref *ref)
{
    t->dict_file.directory = *ref;
}

static int open_piece(struct slot *t, struct store_ahead *ahead, const struct dict_directory *dir,
                      uint32_t at, struct error_info *err)
{
    const struct store_file *file = ahead->file;
    const struct dict_piece *p = &dir->pieces[at];
    int column = schema_find_column_id(t->schema, p->column_id);
    struct dict *d, *items;
    struct error_info why = {0};
    uint8_t *bytes;
    int rc;

    if (column < 0)
        return 0; /* of a column that is gone */
    items = t->dicts[column];
    d = p->lists ? t->lists[column] : items;
    if (!d)
        return error_set(err, -EBADMSG, 1030,
                         "%s: holds a dictionary of column '%s' of table %s, which has none",
                         store_file_name(file), t->schema->columns[column].name, t->schema->name);
    rc = store_ahead_read(ahead, &p->ref, &bytes, err);
    if (rc != 0)
        return rc;
    rc = dict_image_decode(bytes, p->ref.len, slot_dict_kind(t, (unsigned)column, p->lists),
                           dict_count(items), d, &why);
    free(bytes);
    if (rc == -ENOMEM)
        return error_set(err, rc, 1038, "table %s: no memory for its dictionaries",
                         t->schema->name);
    if (rc == 0 && dict_count(d) != p->first + p->n)
        rc = error_set(&why, -EBADMSG, 1030, "%" PRIu32 " entries instead of %" PRIu32,
                       dict_count(d), p->first + p->n);
    if (rc != 0)
        return error_set(err, rc, 1030, "%s, offset %" PRIu64 ": damaged: %s",
                         store_file_name(file), p->ref.offset, why.text);
    return 0;
}

void slot_raise_generation(struct slot *t, uint64_t generation)
{
    if (t->generation < generation)
        t->generation = generation;
}

static int open_pieces(struct slot *t, struct store_file *file, const struct dict_directory *dir,
                       struct error_info *err)
{
    struct store_ahead ahead;
    int rc = store_ahead_begin(&ahead, file, err);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < dir->n_pieces && rc == 0; i++)
        rc = open_piece(t, &ahead, dir, i, err);
    store_ahead_end(&ahead);
    return rc;
}

int slot_open_dicts(struct slot *t, struct store_file *file, const struct dict_directory *dir,
                    struct error_info *err)
{
    struct slot_dict_file *f = &t->dict_file;
    struct dict_piece *pieces = malloc((dir->n_pieces + 1u) * sizeof *pieces);
    int rc;

    if (!pieces)
        return error_set(err, -ENOMEM, 1037, "table %s: out of memory", t->schema->name);
    rc = open_pieces(t, file, dir, err);
    if (rc != 0) {
        free(pieces);
        return rc;
    }
    memcpy(pieces, dir->pieces, dir->n_pieces * sizeof *pieces);
    free(f->pieces);
    f->pieces = pieces;
    f->n_pieces = f->n_written = dir->n_pieces;
    f->cap_pieces = dir->n_pieces + 1;
    store_file_put(f->file);
    f->file = store_file_get(file);
    slot_raise_generation(t, dir->id.generation);
    t->unfilled = true;
    return 0;
}

/* A step of one dictionary: true when it is done. */
static bool fill_dict(struct slot *t, unsigned column, struct dict *d, int *rc,
                      struct error_info *err)
{
    uint32_t first, second;

    *rc = d ? dict_index_step(d, &first, &second) : 0;
    if (*rc == -ENOMEM)
        error_set(err, *rc, 1038, "table %s: no memory for its dictionaries", t->schema->name);
    if (*rc == -EEXIST)
        error_set(err, *rc, 1030,
                  "table %s: the dictionary of column '%s' in slot %" PRIu32 " is damaged: entries "
                  "%" PRIu32 " and %" PRIu32 " have the same value",
                  t->schema->name, t->schema->columns[column].name, t->number, first, second);
    return *rc == 0;
}

enum block_state slot_fill_dicts(struct slot *t, struct error_info *err)
{
    int rc;

    for (unsigned c = 0; c < t->schema->n_columns && t->unfilled; c++)
        if (!fill_dict(t, c, t->dicts[c], &rc, err) || !fill_dict(t, c, t->lists[c], &rc, err))
            return rc > 0 ? BLOCK_PENDING : BLOCK_FAILED;
    t->unfilled = false;
    return BLOCK_READY;
}

int slot_open_segment(struct slot *t, struct store *store, struct store_file *file,
                      const struct segment_directory *dir, struct error_info *err)
{
    struct segment_dicts dicts = {t->dicts, t->lists};
    struct slot_part *p = slot_part_find(t, dir->id.partition);
    struct segment *g;
    int rc;

    if (p)
        return error_set(err, -EBADMSG, 1030, "%s: table %s has this partition already",
                         store_file_name(file), t->schema->name);
    rc = segment_open(t->schema, &dicts, store, file, dir, t->budget, &g, err);
    if (rc != 0)
        return rc;
    rc = slot_part_add(t, dir->id.partition, g, &p);
    if (rc != 0) {
        segment_put(g);
        return error_set(err, rc, 1038, "table %s: no memory to open a segment", t->schema->name);
    }
    p->unindexed = true;
    t->unindexed++;
    t->store = store;
    slot_raise_generation(t, dir->id.generation);
    return 0;
}
