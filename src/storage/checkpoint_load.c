/* Start of the program: files that a root names go into the slots, others are deleted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/log.h"
#include "storage/checkpoint.h"
#include "storage/directory.h"
#include "storage/slot_archive.h"
#include "storage/slot_disk.h"
#include "storage/slot_split.h"

enum { ER_BAD_FILE = 1033 };

/* Decoded, a directory is a few times as long as its bytes. */
enum { ARENA_FACTOR = 16, ARENA_MIN = 1 << 20 };

static bool same_id(const struct datafile_id *a, const struct datafile_id *b)
{
    return a->kind == b->kind && a->table_id == b->table_id && a->slot == b->slot &&
           a->partition == b->partition && a->generation == b->generation;
}

static struct segment *find_segment(const struct slot *t, int64_t partition)
{
    for (uint32_t i = 0; i < slot_segments(t); i++)
        if (segment_partition(slot_segment(t, i)) == partition)
            return slot_segment(t, i);
    return NULL;
}

/* What one call of checkpoint_load_file is about. */
struct load {
    struct slot *slot;
    unsigned slot_bits;
    struct store *store;
    struct store_file *file;
    const struct root_file *entry;
    struct arena arena;
};

static int load_dicts(struct load *l, const uint8_t *bytes, struct error_info *err)
{
    struct dict_directory dir;
    int rc = dict_directory_decode(bytes, l->entry->directory.len, l->entry->bytes, &l->arena, &dir,
                                   err);

    if (rc == 0 && !same_id(&dir.id, &l->entry->id))
        rc = error_set(err, -EBADMSG, ER_BAD_FILE, "the directory is of another file");
    if (rc == 0)
        rc = slot_open_dicts(l->slot, l->file, &dir, err);
    if (rc == 0)
        slot_set_dict_directory(l->slot, &l->entry->directory);
    return rc;
}

static int load_segment(struct load *l, const uint8_t *bytes, struct error_info *err)
{
    struct segment_directory dir;
    int rc = segment_directory_decode(bytes, l->entry->directory.len, l->entry->bytes, &l->arena,
                                      &dir, err);

    if (rc == 0 && !same_id(&dir.id, &l->entry->id))
        rc = error_set(err, -EBADMSG, ER_BAD_FILE, "the directory is of another file");
    if (rc == 0)
        rc = slot_open_segment(l->slot, l->store, l->file, &dir, err);
    if (rc == 0)
        segment_set_directory(find_segment(l->slot, l->entry->id.partition), &l->entry->directory);
    if (rc == 0 && l->entry->shared)
        rc = slot_split_partition(l->slot, l->entry->id.partition, l->slot_bits, err);
    return rc;
}

static int load_directory(struct load *l, struct error_info *err)
{
    const struct chunk_ref *ref = &l->entry->directory;
    struct error_info why = {0};
    uint8_t *bytes;
    int rc = store_read_now(l->store, l->file, ref, &bytes, err);

    if (rc != 0)
        return rc;
    arena_init(&l->arena, (size_t)ref->len * ARENA_FACTOR + ARENA_MIN, NULL);
    rc = l->entry->id.kind == DATAFILE_DICTS ? load_dicts(l, bytes, &why)
                                             : load_segment(l, bytes, &why);
    if (rc != 0)
        error_set(err, rc, why.code ? why.code : ER_BAD_FILE, "%s, directory at offset %llu: %s",
                  store_file_name(l->file), (unsigned long long)ref->offset,
                  why.text[0] ? why.text : strerror(-rc));
    arena_fini(&l->arena);
    free(bytes);
    return rc;
}

/* Its file is not looked at: it may be on its way from a slower place. */
static int load_archived(struct load *l, struct error_info *err)
{
    int rc = slot_open_archived(l->slot, l->store, l->entry, &l->file, err);

    if (rc == 0 && l->file)
        rc = store_add_named(l->store, l->file);
    store_file_put(l->file);
    return rc;
}

int checkpoint_load_file(struct shard *s, struct store *store, const struct root_file *f,
                         struct error_info *err)
{
    struct load l = {.store = store, .entry = f, .slot_bits = shard_slot_bits(s)};
    int rc;

    l.slot = shard_slot(s, f->id.table_id, f->slot);
    if (!l.slot && f->shared)
        store_shared_close(f->sharing);
    if (!l.slot)
        return error_set(err, -EBADMSG, ER_BAD_FILE,
                         "the checkpoint has a file of table id %u, slot %u, which its catalog "
                         "does not know",
                         f->id.table_id, f->slot);
    if (f->id.archived)
        return load_archived(&l, err);
    rc = store_file_open(store, &f->id, f->bytes, &l.file, err);
    if (rc != 0 && f->shared)
        store_shared_close(f->sharing);
    if (rc != 0)
        return rc;
    if (f->shared)
        store_file_share(l.file, f->sharing);
    rc = load_directory(&l, err);
    if (rc == 0 && f->shared && f->id.kind == DATAFILE_SEGMENT &&
        !find_segment(l.slot, f->id.partition)) {
        store_file_unshare(l.file);
    } else if (rc == 0) {
        store_file_set_directory(l.file, &f->directory, f->bytes);
        rc = store_add_named(store, l.file);
    }
    store_file_put(l.file);
    return rc;
}

/* --- what no root names --- */

/* Walk over the folders of the data files; level 0 is the data directory. */
struct sweep {
    struct reactor *reactor;
    bool (*keeps)(void *ctx, const struct datafile_id *id);
    void *ctx;
    const char *dir;
    char path[DATAFILE_PATH_MAX]; /* below dir */
    unsigned level;
    int rc;
};

enum { LEVEL_FILE = 3, NAMES_MAX = 64 << 20 /* bytes, of one folder */ };

static void sweep_name(struct sweep *s)
{
    char full[4096];
    struct datafile_id id;

    if (!datafile_parse_path(s->path, &id) || s->keeps(s->ctx, &id))
        return;
    snprintf(full, sizeof(full), "%s/%s", s->dir, s->path);
    int rc = file_unlink(s->reactor, full);
    if (rc == 0)
        log_info("storage: deleted %s, which the checkpoint does not name", full);
    else
        log_warn("storage: deleting %s, which the checkpoint does not name: %s", full,
                 strerror(-rc));
    if (s->rc == 0)
        s->rc = rc;
}

/* Names first: deleting while a folder is read may hide others of its names. */
static int add_name(void *ctx, const char *name)
{
    return buffer_append(ctx, name, strlen(name) + 1);
}

static void sweep_folder(struct sweep *s);

static void sweep_entry(struct sweep *s, const char *name)
{
    size_t len = strlen(s->path), more = strlen(name);

    if (len + 1 + more >= sizeof(s->path))
        return; /* none of ours */
    s->path[len] = '/';
    memcpy(s->path + len + 1, name, more + 1);
    s->level++;
    if (s->level == LEVEL_FILE)
        sweep_name(s);
    else
        sweep_folder(s);
    s->level--;
    s->path[len] = 0;
}

static void sweep_folder(struct sweep *s)
{
    struct buffer names;
    char full[4096];

    snprintf(full, sizeof(full), "%s/%s", s->dir, s->path);
    buffer_init(&names, NAMES_MAX);
    int rc = file_list_dir(s->reactor, full, add_name, &names);
    /* Not there, or not a folder: nothing of ours. */
    if (rc != 0 && rc != -ENOENT && rc != -ENOTDIR && s->rc == 0)
        s->rc = rc;
    for (size_t at = 0; at < names.len; at += strlen((char *)names.data + at) + 1)
        sweep_entry(s, (char *)names.data + at);
    buffer_fini(&names);
}

int checkpoint_sweep(struct reactor *r, const char *data_dir,
                     bool (*keeps)(void *ctx, const struct datafile_id *id), void *ctx)
{
    struct sweep s = {.reactor = r, .keeps = keeps, .ctx = ctx, .dir = data_dir, .path = "data"};

    sweep_folder(&s);
    snprintf(s.path, sizeof(s.path), "archive");
    sweep_folder(&s);
    return s.rc;
}
