#include "storage/slot_archive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "storage/batch.h"
#include "storage/mapping.h"
#include "storage/partition.h"
#include "storage/root.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"

enum { ER_BAD_FILE = 1033, ER_NO_PARTITION = 1526 };

/* Decoded, a directory is a few times as long as its bytes. */
enum { ARENA_FACTOR = 16, ARENA_MIN = 1 << 20 };

static struct slot_archived *find(const struct slot *t, int64_t partition)
{
    struct slot_archived *a = t->archived;

    while (a && a->partition != partition)
        a = a->next;
    return a;
}

static struct slot_archived *add(struct slot *t, int64_t partition)
{
    struct slot_archived *a = slot_memory_zeroed(t->budget, sizeof *a), **at = &t->archived;

    if (!a)
        return NULL;
    while (*at && (*at)->partition < partition)
        at = &(*at)->next;
    a->partition = partition;
    a->next = *at;
    *at = a;
    t->n_archived++;
    return a;
}

/* Its part, if any, is somebody else's or goes. */
static void forget(struct slot *t, struct slot_archived *a)
{
    struct slot_archived **at = &t->archived;

    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    t->n_archived--;
    store_file_put(a->file);
    slot_memory_free(t->budget, a, sizeof *a);
}

/* ---- telling ---- */

bool slot_is_archived(const struct slot *t, int64_t partition)
{
    return find(t, partition) != NULL;
}

uint32_t slot_archived(const struct slot *t)
{
    return t->n_archived;
}

static uint64_t bytes_of(const struct slot_archived *a)
{
    uint64_t memory, file;

    if (!a->part)
        return a->file ? store_file_bytes(a->file) : 0;
    memory = segment_memory(a->part->segment);
    file = segment_file_live(a->part->segment);
    return memory > file ? memory : file;
}

void slot_archived_peek(const struct slot *t, uint32_t i, struct slot_archived_info *out)
{
    const struct slot_archived *a = t->archived;

    while (i--)
        a = a->next;
    *out = (struct slot_archived_info){a->partition, slot_archived_rows(a), bytes_of(a)};
}

uint64_t slot_archived_rows(const struct slot_archived *a)
{
    return a->part ? segment_live(a->part->segment) : a->rows;
}

void slot_archive_refusal(const struct schema *s, const struct key_columns *k, uint32_t row,
                          int64_t partition, struct error_info *out)
{
    struct cell cell = {.present = true, .i64 = batch_i64(&k->in[k->time], row)};
    char name[PARTITION_NAME_BYTES], value[64];
    size_t n = mapping_print(&s->columns[k->column[k->time]], &cell, value, sizeof(value) - 1);

    value[n] = 0;
    partition_name(s, partition, name);
    error_set(out, 0, ER_NO_PARTITION,
              "Table has no partition for value %s: partition %s of table %s is archived", value,
              name, s->name);
}

/* ---- away ---- */

int slot_archive_partition(struct slot *t, int64_t partition, bool *changed)
{
    struct slot_part *p = slot_part_find(t, partition);
    struct slot_archived *a;

    *changed = false;
    if (find(t, partition))
        return 0;
    a = add(t, partition);
    if (!a)
        return -ENOMEM;
    *changed = true;
    if (p && segment_live(p->segment)) {
        slot_part_take_out(t, p);
        segment_wake_all(p->segment); /* writes that wait for it have nothing to wait for */
        a->part = p;
    } else if (p) {
        (void)slot_drop_live_partition(t, partition);
    }
    return 0;
}

bool slot_archive_drop(struct slot *t, int64_t partition)
{
    struct slot_archived *a = find(t, partition);

    if (!a)
        return false;
    if (a->part)
        slot_part_leave(t, a->part);
    forget(t, a);
    return true;
}

bool slot_file_is_archived(const struct segment *g)
{
    return segment_file(g) && store_file_id(segment_file(g))->archived;
}

void slot_archive_settle(struct slot *t)
{
    for (struct slot_archived *a = t->archived; a; a = a->next) {
        struct segment *g = a->part ? a->part->segment : NULL;

        if (!g || !slot_file_is_archived(g) || segment_is_changed(g))
            continue;
        a->rows = segment_live(g);
        a->file = store_file_get(segment_file(g));
        slot_part_leave(t, a->part);
        a->part = NULL;
    }
}

size_t slot_archive_evict(struct slot *t, size_t bytes)
{
    size_t freed = 0;

    for (struct slot_archived *a = t->archived; a && freed < bytes; a = a->next)
        freed += a->part ? segment_evict(a->part->segment, bytes - freed, true) : 0;
    return freed;
}

size_t slot_archive_memory(const struct slot *t)
{
    size_t n = t->n_archived * sizeof(struct slot_archived);

    for (const struct slot_archived *a = t->archived; a; a = a->next)
        n += a->part ? sizeof *a->part + segment_memory(a->part->segment) : 0;
    return n;
}

void slot_archive_residency(const struct slot *t, size_t *clean, size_t *changed)
{
    for (const struct slot_archived *a = t->archived; a; a = a->next) {
        size_t some, other;

        if (!a->part)
            continue;
        segment_residency(a->part->segment, &some, &other);
        *clean += some;
        *changed += other;
    }
}

void slot_archive_unwait(struct slot *t, const struct task *wake)
{
    for (struct slot_archived *a = t->archived; a; a = a->next)
        if (a->part)
            segment_unwait(a->part->segment, wake);
}

void slot_archive_wake_all(struct slot *t)
{
    for (struct slot_archived *a = t->archived; a; a = a->next)
        if (a->part)
            segment_wake_all(a->part->segment);
}

void slot_archive_free(struct slot *t)
{
    while (t->archived) {
        struct slot_archived *a = t->archived;

        if (a->part)
            slot_part_free(t, a->part);
        forget(t, a);
    }
}

/* ---- back ---- */

struct store_file *slot_archived_file(const struct slot *t, int64_t partition)
{
    const struct slot_archived *a = find(t, partition);

    return a ? a->file : NULL;
}

static int open_directory(struct slot *t, struct store_file *file, const uint8_t *bytes,
                          const struct chunk_ref *ref, uint64_t file_bytes, struct arena *arena,
                          struct segment **out, struct error_info *err)
{
    const struct datafile_id *id = store_file_id(file);
    struct segment_dicts dicts = {t->dicts, t->lists};
    struct segment_directory dir;
    int rc = segment_directory_decode(bytes, ref->len, file_bytes, arena, &dir, err);

    if (rc == 0 && (dir.id.table_id != id->table_id || dir.id.slot != id->slot ||
                    dir.id.partition != id->partition || dir.id.generation != id->generation))
        rc = error_set(err, -EBADMSG, ER_BAD_FILE, "the directory is of another file");
    if (rc == 0)
        rc = segment_open(t->schema, &dicts, t->store, file, &dir, t->budget, out, err);
    if (rc == 0)
        segment_set_directory(*out, ref);
    return rc;
}

int slot_archive_open(struct slot *t, struct store_file *file, const uint8_t *directory,
                      struct segment **out, struct error_info *err)
{
    struct error_info why = {0};
    struct chunk_ref ref;
    struct arena arena;
    uint64_t bytes;

    store_file_directory(file, &ref, &bytes);
    arena_init(&arena, (size_t)ref.len * ARENA_FACTOR + ARENA_MIN, NULL);
    int rc = open_directory(t, file, directory, &ref, bytes, &arena, out, &why);
    arena_fini(&arena);
    if (rc != 0)
        error_set(err, rc, why.code ? why.code : ER_BAD_FILE, "%s, directory at offset %llu: %s",
                  store_file_name(file), (unsigned long long)ref.offset,
                  why.text[0] ? why.text : strerror(-rc));
    return rc;
}

/* Has the table the definition with which it was opened? */
static bool is_current(const struct slot *t, const struct segment *opened)
{
    return segment_schema(opened) == t->schema;
}

int slot_restore_partition(struct slot *t, int64_t partition, struct segment *opened, bool *changed)
{
    struct slot_archived *a = find(t, partition);
    struct slot_part *p = a ? a->part : NULL;
    int rc = 0;

    *changed = false;
    if (a && a->file &&
        (!opened || segment_file(opened) != a->file || t->altering || !is_current(t, opened)))
        return -EAGAIN;
    if (!a || !a->file) { /* of no use, whyever it was opened */
        if (opened)
            segment_put(opened);
        opened = NULL;
    }
    if (!a)
        return 0;
    if (opened)
        rc = slot_part_add(t, partition, opened, &p);
    else if (p)
        rc = slot_part_insert(t, p);
    if (rc != 0)
        return rc;
    if (p) {
        p->unindexed = true;
        p->index_at = p->index_row = 0;
        t->unindexed++;
    }
    forget(t, a);
    *changed = true;
    return 0;
}

int slot_restore_now(struct slot *t, int64_t partition, struct error_info *err)
{
    struct store_file *file = slot_archived_file(t, partition);
    struct segment *g = NULL;
    struct chunk_ref ref;
    uint8_t *directory;
    uint64_t bytes;
    bool changed;
    int rc = 0;

    if (file) {
        store_file_directory(file, &ref, &bytes);
        rc = store_file_check(file, err);
        if (rc == 0)
            rc = store_read_now(t->store, file, &ref, &directory, err);
        if (rc != 0)
            return rc;
        rc = slot_archive_open(t, file, directory, &g, err);
        free(directory);
        if (rc != 0)
            return rc;
    }
    rc = slot_restore_partition(t, partition, g, &changed);
    if (rc != 0 && g)
        segment_put(g);
    if (rc != 0)
        return error_set(err, rc, 1038, "table %s: no memory to restore a partition",
                         t->schema->name);
    return 0;
}

/* ---- start ---- */

int slot_open_archived(struct slot *t, struct store *store, const struct root_file *f,
                       struct store_file **out, struct error_info *err)
{
    struct slot_archived *a = NULL;

    *out = NULL;
    if (slot_part_find(t, f->id.partition) || find(t, f->id.partition))
        return error_set(err, -EBADMSG, ER_BAD_FILE,
                         "table %s has a partition twice, once archived", t->schema->name);
    if (!f->bytes || store_file_refer(store, &f->id, f->bytes, out) == 0)
        a = add(t, f->id.partition);
    if (!a) {
        store_file_put(*out);
        return error_set(err, -ENOMEM, 1038, "table %s: no memory for its archived partitions",
                         t->schema->name);
    }
    if (*out) {
        store_file_set_directory(*out, &f->directory, f->bytes);
        a->file = store_file_get(*out);
        a->rows = f->rows;
    }
    t->store = store;
    if (t->generation < f->id.generation)
        t->generation = f->id.generation;
    return 0;
}
