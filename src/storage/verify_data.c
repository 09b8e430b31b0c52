/* Verification of data files: header, directory, then every chunk that the directory names. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reactor/arena.h"
#include "storage/catalog.h"
#include "storage/colblock_change.h"
#include "storage/column_image.h"
#include "storage/dict_image.h"
#include "storage/directory.h"
#include "storage/presence.h"
#include "storage/selection.h"
#include "storage/verify_impl.h"

enum { COLUMN_IDS = 65536, DIRECTORY_MEMORY = 256 << 20 /* at most, of a decoded one */ };

/* Dictionaries of a column: NULL = none yet. */
struct column_dicts {
    struct dict *values, *lists;
};

/* Owner: the verification. At most the dictionaries of one table and slot are in memory. */
struct verify_data {
    struct verify *v;
    struct column_dicts *dicts; /* by column id */
    uint32_t table_id, slot;    /* whose they are */
    bool has_dicts;             /* all pieces were right: codes can be checked against them */
    struct dict *no_lists;      /* stands in for what is damaged */
    /* the file at hand */
    struct root_file file;
    const struct schema *schema; /* NULL = not known */
    char name[DATAFILE_PATH_MAX];
    int fd;
    uint8_t *bytes; /* of the chunk at hand */
    size_t cap;
    struct datafile_id *shared; /* segments of several slots, which were looked at */
    uint32_t n_shared;
};

struct verify_data *verify_data_new(struct verify *v)
{
    struct verify_data *d = calloc(1, sizeof(*d));

    if (!d)
        return NULL;
    d->v = v;
    d->dicts = calloc(COLUMN_IDS, sizeof(*d->dicts));
    d->no_lists = dict_new(DICT_LIST, 0, NULL);
    if (!d->dicts || !d->no_lists) {
        verify_data_free(d);
        return NULL;
    }
    return d;
}

static void drop_dicts(struct verify_data *d)
{
    for (uint32_t i = 0; i < COLUMN_IDS && d->dicts; i++) {
        dict_free(d->dicts[i].values);
        dict_free(d->dicts[i].lists);
        d->dicts[i] = (struct column_dicts){0};
    }
}

void verify_data_free(struct verify_data *d)
{
    if (!d)
        return;
    drop_dicts(d);
    dict_free(d->no_lists);
    free(d->dicts);
    free(d->bytes);
    free(d->shared);
    free(d);
}

#define FOUND(d, offset, ...) verify_found((d)->v, (d)->name, offset, __VA_ARGS__)

/* Reads a chunk and compares its checksum: its bytes until the next one, or NULL after a finding. */
static const uint8_t *read_chunk(struct verify_data *d, const struct chunk_ref *ref,
                                 const char *what)
{
    size_t padded = ((size_t)ref->len + DATAFILE_ALIGN - 1) & ~(size_t)(DATAFILE_ALIGN - 1);

    if (padded > d->cap) {
        free(d->bytes);
        d->bytes = aligned_alloc(DATAFILE_ALIGN, padded);
        d->cap = d->bytes ? padded : 0;
        if (!d->bytes) {
            d->v->rc = -ENOMEM;
            return NULL;
        }
    }
    if (!verify_read(d->v, d->fd, d->name, d->bytes, ref->len, ref->offset))
        return NULL;
    d->v->counts->chunks++;
    d->v->counts->bytes += ref->len;
    if (datafile_check_chunk(ref, d->bytes))
        return d->bytes;
    FOUND(d, ref->offset, "the checksum of %s, %" PRIu32 " bytes, does not match", what, ref->len);
    return NULL;
}

static void bad_chunk(struct verify_data *d, const struct chunk_ref *ref, int rc,
                      const struct error_info *err)
{
    if (rc == -ENOMEM)
        d->v->rc = rc;
    else if (rc)
        FOUND(d, ref->offset, "%s", err->text);
}

/* ---- dictionaries ---- */

static const struct column *find_column(const struct verify_data *d, uint16_t id)
{
    int i = d->schema ? schema_find_column_id(d->schema, id) : -1;

    return i < 0 ? NULL : &d->schema->columns[i];
}

/* What the piece must be of by the schema; without one, what it says. */
static int kind_of(const struct verify_data *d, const struct dict_piece *p, const uint8_t *bytes)
{
    const struct column *c = find_column(d, p->column_id);

    if (p->lists)
        return DICT_LIST;
    if (c)
        return c->type == COLUMN_STRING ? DICT_BYTES : DICT_INT;
    return dict_image_kind(bytes, p->ref.len) == DICT_INT ? DICT_INT : DICT_BYTES;
}

/* decode: the pieces before it were right, else only its checksum says something. */
static bool check_piece(struct verify_data *d, const struct dict_piece *p, bool decode)
{
    struct column_dicts *of = &d->dicts[p->column_id];
    struct dict **dict = p->lists ? &of->lists : &of->values;
    const uint8_t *bytes = read_chunk(d, &p->ref, "a piece of a dictionary");
    struct error_info err;
    uint32_t entry;

    if (!bytes || !decode)
        return false;
    int kind = kind_of(d, p, bytes);
    if (!*dict)
        *dict = dict_new((enum dict_kind)kind, 0, NULL);
    int rc = -ENOMEM;
    if (*dict)
        rc = dict_image_decode(bytes, p->ref.len, (enum dict_kind)kind,
                               of->values ? dict_count(of->values) : 0, *dict, &err);
    if (!rc)
        rc = dict_image_end(*dict, &entry, &err);
    bad_chunk(d, &p->ref, rc, &err);
    if (!rc && dict_count(*dict) != p->first + p->n) {
        FOUND(d, p->ref.offset, "a piece with %" PRIu32 " entries; its directory says %" PRIu32,
              dict_count(*dict) - p->first, p->n);
        return false;
    }
    d->v->counts->dict_entries += rc ? 0 : p->n;
    return rc == 0;
}

static void check_dicts(struct verify_data *d, const uint8_t *bytes)
{
    struct dict_directory dir;
    struct error_info err;
    struct arena arena;
    bool all = true;

    arena_init(&arena, DIRECTORY_MEMORY, NULL);
    int rc = dict_directory_decode(bytes, d->file.directory.len, d->file.bytes, &arena, &dir, &err);
    bad_chunk(d, &d->file.directory, rc, &err);
    if (!rc && (dir.id.table_id != d->file.id.table_id || dir.id.slot != d->file.id.slot ||
                dir.id.generation != d->file.id.generation)) {
        FOUND(d, d->file.directory.offset, "the directory is that of another file");
        rc = -EBADMSG;
    }
    for (uint32_t i = 0; !rc && i < dir.n_pieces && !d->v->rc; i++)
        all = check_piece(d, &dir.pieces[i], all);
    d->has_dicts = !rc && all;
    arena_fini(&arena);
}

/* ---- segments ---- */

/* Codes that a column may name. Where a dictionary is damaged that was told already. */
static uint32_t codes_of(const struct verify_data *d, uint16_t id, uint8_t layout)
{
    const struct dict *dict = layout == LAYOUT_LIST ? d->dicts[id].lists : d->dicts[id].values;

    if (!d->has_dicts)
        return UINT32_MAX;
    return dict ? dict_count(dict) : 0;
}

/* Do the answers that a directory gives without its column agree with the column? */
static void check_answers(struct verify_data *d, const struct directory_column *x,
                          const struct colblock *c, uint8_t layout, uint32_t rows)
{
    uint64_t all[BLOCK_WORDS];
    int64_t min, max;

    if (colblock_has_nulls(c) && !x->has_nulls)
        FOUND(d, x->ref.offset, "the column has NULLs; its directory says that it has none");
    if (layout != LAYOUT_ORDERED)
        return;
    selection_fill(all, 0, rows);
    if (colblock_min_max(c, all, &min, &max) && (!x->any || min < x->min || max > x->max))
        FOUND(d, x->ref.offset,
              "values from %" PRId64 " to %" PRId64 "; the directory's bounds are %" PRId64
              " to %" PRId64,
              min, max, x->min, x->max);
}

static void check_column(struct verify_data *d, const struct segment_directory *dir, uint32_t block,
                         uint32_t k)
{
    const struct directory_column *x = &dir->columns[(size_t)block * dir->n_columns + k];
    uint16_t id = dir->column_ids[k];
    uint32_t rows = dir->blocks[block].rows;
    const struct dict *lists = d->dicts[id].lists ? d->dicts[id].lists : d->no_lists;
    struct error_info err;
    struct colblock *c;
    const uint8_t *bytes;

    if (x->ref.offset == 0)
        return;
    bytes = read_chunk(d, &x->ref, "a column");
    if (!bytes)
        return;
    int rc = column_image_decode(bytes, x->ref.len, dir->layouts[k], rows,
                                 codes_of(d, id, dir->layouts[k]), lists, NULL, &c, &err);
    bad_chunk(d, &x->ref, rc, &err);
    if (rc)
        return;
    check_answers(d, x, c, dir->layouts[k], rows);
    colblock_free(c);
}

static void check_live(struct verify_data *d, const struct directory_block *b)
{
    const uint8_t *bytes;
    const uint64_t *mask;
    uint32_t words = presence_words(b->rows), n;

    if (b->live.offset == 0)
        return;
    bytes = read_chunk(d, &b->live, "a row mask");
    if (!bytes)
        return;
    mask = (const uint64_t *)(const void *)bytes;
    n = presence_count(mask, words);
    if (n != b->live_count)
        FOUND(d, b->live.offset, "a row mask with %" PRIu32 " rows; its directory says %" PRIu32, n,
              b->live_count);
    if (b->rows % 64 && mask[words - 1] >> b->rows % 64)
        FOUND(d, b->live.offset, "the row mask goes beyond its %" PRIu32 " rows", b->rows);
}

static void check_layouts(struct verify_data *d, const struct segment_directory *dir)
{
    for (uint32_t k = 0; k < dir->n_columns && d->schema; k++) {
        const struct column *c = find_column(d, dir->column_ids[k]);

        if (c && c->layout != dir->layouts[k])
            FOUND(d, d->file.directory.offset, "column %s has layout %d; by the schema it is %d",
                  c->name, dir->layouts[k], c->layout);
    }
}

static void check_segment(struct verify_data *d, const uint8_t *bytes)
{
    struct segment_directory dir;
    struct error_info err;
    struct arena arena;

    arena_init(&arena, DIRECTORY_MEMORY, NULL);
    int rc =
        segment_directory_decode(bytes, d->file.directory.len, d->file.bytes, &arena, &dir, &err);
    bad_chunk(d, &d->file.directory, rc, &err);
    if (!rc &&
        (dir.id.table_id != d->file.id.table_id || dir.id.slot != d->file.id.slot ||
         dir.id.partition != d->file.id.partition || dir.id.generation != d->file.id.generation)) {
        FOUND(d, d->file.directory.offset, "the directory is that of another file");
        rc = -EBADMSG;
    }
    if (!rc)
        check_layouts(d, &dir);
    for (uint32_t i = 0; !rc && i < dir.n_blocks && !d->v->rc; i++) {
        check_live(d, &dir.blocks[i]);
        for (uint32_t k = 0; k < dir.n_columns && !d->v->rc; k++)
            check_column(d, &dir, i, k);
        d->v->counts->rows += dir.blocks[i].live_count;
    }
    d->v->counts->segments += rc == 0;
    arena_fini(&arena);
}

/* ---- files ---- */

static bool open_file(struct verify_data *d)
{
    char path[PATH_MAX];
    struct stat st;

    verify_path(d->v, path, sizeof(path), d->name);
    d->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (d->fd < 0 && errno == ENOENT && d->file.id.archived) {
        verify_notice(d->v, d->name, 0,
                      "the archive of %" PRIu64 " rows is not here; to restore them it is needed",
                      d->file.rows);
        return false;
    }
    if (d->fd < 0 || fstat(d->fd, &st)) {
        FOUND(d, 0, "the checkpoint needs the file, but it cannot be opened: %s", strerror(errno));
        return false;
    }
    if (st.st_size >= 0 && (uint64_t)st.st_size >= d->file.bytes)
        return true;
    FOUND(d, (uint64_t)st.st_size, "the file ends; the checkpoint needs %" PRIu64 " bytes of it",
          d->file.bytes);
    return false;
}

static bool check_header(struct verify_data *d)
{
    uint8_t unit[DATAFILE_UNIT];
    struct error_info err;

    if (!verify_read(d->v, d->fd, d->name, unit, sizeof(unit), 0))
        return false;
    if (datafile_check_header(unit, &d->file.id, d->v->dir.id, &err) == 0)
        return true;
    FOUND(d, 0, "%s", err.text);
    return false;
}

/* The dictionaries at hand must be those of the file's table and slot. */
static void turn_to(struct verify_data *d)
{
    if (d->table_id != d->file.id.table_id || d->slot != d->file.slot) {
        drop_dicts(d);
        d->has_dicts = true; /* none: no codes are allowed */
        d->table_id = d->file.id.table_id;
        d->slot = d->file.slot;
    }
    d->schema = d->v->catalog ? catalog_find_id(d->v->catalog, d->table_id) : NULL;
    if (d->v->catalog && !d->schema)
        FOUND(d, 0, "table %" PRIu32 " is not in the catalog", d->table_id);
}

/* A segment that several slots name is looked at once, with the dictionaries of the first: all have its codes. */
static bool was_checked(struct verify_data *d, const struct root_file *f)
{
    const struct datafile_id *id = &f->id;

    if (!f->shared || id->kind != DATAFILE_SEGMENT)
        return false;
    for (uint32_t i = 0; i < d->n_shared; i++)
        if (d->shared[i].table_id == id->table_id && d->shared[i].slot == id->slot &&
            d->shared[i].partition == id->partition && d->shared[i].generation == id->generation)
            return true;
    struct datafile_id *grown = realloc(d->shared, (d->n_shared + 1) * sizeof(*grown));
    if (grown) {
        d->shared = grown;
        d->shared[d->n_shared++] = *id;
    } else {
        d->v->rc = -ENOMEM;
    }
    return false;
}

void verify_data_file(struct verify_data *d, const struct root_file *f)
{
    const uint8_t *bytes;

    if (d->v->rc || !f->bytes) /* an archived partition without rows in the slot */
        return;
    if (was_checked(d, f)) {
        verify_progress(d->v, 2 * f->bytes);
        return;
    }
    d->file = *f;
    datafile_path(d->name, sizeof(d->name), &f->id);
    d->v->counts->files++;
    uint64_t before = d->v->done;
    turn_to(d);
    if (open_file(d) && check_header(d)) {
        struct verify_extents extents;

        verify_extents_begin(d->v, &extents, d->fd, d->name, f->bytes);
        bytes = read_chunk(d, &f->directory, "the directory");
        if (bytes && f->id.kind == DATAFILE_SEGMENT)
            check_segment(d, bytes);
        else if (bytes)
            check_dicts(d, bytes);
        else if (f->id.kind == DATAFILE_DICTS)
            d->has_dicts = false;
        verify_extents_end(d->v, &extents, d->name);
    } else if (f->id.kind == DATAFILE_DICTS) {
        d->has_dicts = false;
    }
    if (d->fd >= 0)
        close(d->fd);
    /* What the newest directory no longer names was not read. */
    uint64_t read = d->v->done - before;
    if (read < 2 * f->bytes)
        verify_progress(d->v, 2 * f->bytes - read);
}
