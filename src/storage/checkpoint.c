/*
 * Checkpoint of a core, a staged operation: slot after slot is cut in all tables at one moment, then its files are
 * written and synced. Nothing of a segment or slot becomes final before checkpoint_commit, so that an abort only
 * gives the cuts back and deletes the new files.
 */
#include "storage/checkpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/checkpoint_impl.h"

/* Syncs side by side, and files that may wait for one: an unsynced file keeps its descriptor. */
enum { SYNCS = 8, UNSYNCED_MAX = 64 };

enum { DICTS = UINT32_MAX /* in place of a segment's number */ };

enum stage { STAGE_SLOT, STAGE_FILE, STAGE_ENCODE, STAGE_DIRECTORY, STAGE_SYNC, STAGE_DONE };

/* A slot of a table. Owner: the work; until commit or abort. */
struct item {
    struct shard_pin pin;
    struct slot_cut cut;
    bool begun, dicts_begun;
};

/* A file of the part. */
struct part_file {
    struct store_file *file; /* a reference */
    struct item *item;
    uint32_t segment; /* or DICTS */
    bool is_written, is_new;
    struct chunk_ref directory;
    uint64_t bytes, rows; /* rows: of the archived */
};

struct sync {
    struct store_sync sync;
    struct checkpoint_work *work;
    bool running;
};

struct checkpoint_work { /* owner: the core, from start to commit, abort or error */
    struct checkpoint *c;
    struct reactor *reactor;
    struct task task;
    enum stage stage;
    int rc;       /* it failed: ends when nothing is in flight */
    bool running; /* its task is at work: no need to wake it */
    struct catalog *catalog;
    uint32_t n_slots, slot; /* of this core; the one at work */
    uint32_t n_tables, table;
    uint32_t segment;   /* next of the table; DICTS = its dictionaries */
    struct item *items; /* [slot][table] */
    struct part_file *files;
    uint32_t n_files, cap_files, n_synced; /* synced, or on the way */
    struct store_file **named;             /* room for all files, for store_set_named */
    struct checkpoint_writer writer;
    struct sync syncs[SYNCS];
    unsigned syncing;
};

static void fail(struct checkpoint_work *w, int rc, const struct error_info *why)
{
    if (w->rc != 0)
        return;
    w->rc = rc;
    if (why)
        w->c->error = *why;
    else if (rc == -ENOMEM)
        error_set(&w->c->error, rc, 1037, "checkpoint: out of memory");
    else
        error_set(&w->c->error, rc, 0, "checkpoint: %s", strerror(-rc));
}

static uint32_t slot_number_of(const struct checkpoint_work *w)
{
    return reactor_core(w->reactor) + w->slot * reactor_count(w->reactor);
}

static struct item *item_at(const struct checkpoint_work *w)
{
    return &w->items[(size_t)w->slot * w->n_tables + w->table];
}

static const char *table_name(const struct checkpoint_work *w)
{
    return w->catalog->tables[w->table]->name;
}

/* --- the cut of a slot --- */

static int cut_table(struct checkpoint_work *w, uint32_t table)
{
    struct item *x = &w->items[(size_t)w->slot * w->n_tables + table];
    uint32_t id = w->catalog->tables[table]->table_id;
    int rc = shard_pin(w->c->shard, id, &x->pin);

    if (rc != 0)
        return rc == -ENOENT ? -ESTALE : rc;
    struct slot *slot = shard_slot(w->c->shard, id, slot_number_of(w));
    ASSERT(slot);
    rc = slot_cut_begin(slot, &x->cut);
    x->begun = rc == 0;
    return rc;
}

/* One moment: no turn of the core ends in here. */
static enum step begin_slot(struct checkpoint_work *w)
{
    int rc = 0;

    if (w->slot == w->n_slots) {
        w->stage = STAGE_DONE;
        return STEP_READY;
    }
    for (uint32_t t = 0; t < w->n_tables && rc == 0; t++)
        rc = cut_table(w, t);
    if (rc == 0)
        rc = w->c->slot_head(w->c, slot_number_of(w), &w->c->part);
    if (rc != 0) {
        fail(w, rc, NULL);
        return STEP_READY;
    }
    w->c->stats.slots++;
    w->table = 0;
    w->segment = DICTS;
    w->stage = STAGE_FILE;
    return STEP_READY;
}

/* --- the files of a slot --- */

static int add_file(struct checkpoint_work *w, const struct part_file *f)
{
    if (w->n_files == w->cap_files) {
        uint32_t cap = w->cap_files ? w->cap_files * 2 : 16;
        struct part_file *files = realloc(w->files, cap * sizeof(*files));

        if (!files)
            return -ENOMEM;
        w->files = files;
        struct store_file **named = realloc(w->named, cap * sizeof(struct store_file *));
        if (!named)
            return -ENOMEM;
        w->named = named;
        w->cap_files = cap;
    }
    w->files[w->n_files++] = *f;
    return 0;
}

static int put_file(struct checkpoint_work *w, const struct part_file *f)
{
    struct root_file entry = {.id = *store_file_id(f->file),
                              .bytes = f->bytes,
                              .directory = f->directory,
                              .rows = f->rows,
                              .shared = store_file_is_shared(f->file)};

    return root_put_file(&w->c->part, &entry);
}

/* A file that stays as the last root has it. */
static int keep_file(struct checkpoint_work *w, struct store_file *file, uint64_t rows)
{
    struct part_file f = {.file = file, .item = item_at(w), .segment = w->segment, .rows = rows};
    int rc;

    if (!file)
        return 0; /* never had anything */
    store_file_directory(file, &f.directory, &f.bytes);
    ASSERT(f.directory.offset);
    rc = add_file(w, &f);
    if (rc != 0)
        return rc;
    store_file_get(file);
    return put_file(w, &f);
}

/* File to be written: a new one with this id, or an old one. */
static int start_file(struct checkpoint_work *w, bool is_new, const struct datafile_id *id,
                      struct store_file *old, uint64_t rows)
{
    struct part_file f = {.item = item_at(w),
                          .segment = w->segment,
                          .rows = rows,
                          .is_written = true,
                          .is_new = is_new};
    struct error_info why;
    int rc = 0;

    if (is_new)
        rc = store_file_create(w->c->store, id, &f.file, &why);
    else
        f.file = store_file_get(old);
    if (rc != 0) {
        fail(w, rc == -ENOSPC || rc == -ENOMEM ? rc : -EIO, &why);
        return rc;
    }
    rc = add_file(w, &f);
    if (rc != 0) {
        if (is_new)
            store_file_drop(f.file);
        store_file_put(f.file);
        return rc;
    }
    w->writer.file = f.file;
    w->stage = STAGE_ENCODE;
    return 0;
}

static int next_dicts(struct checkpoint_work *w)
{
    struct item *x = item_at(w);
    struct datafile_id id;

    if (!slot_cut_has_dicts(&x->cut)) {
        int rc = keep_file(w, slot_dict_file(x->cut.slot), 0);

        w->segment = 0;
        return rc;
    }
    x->dicts_begun = true;
    bool is_new = slot_cut_dict_file(&x->cut, &id);
    return start_file(w, is_new, &id, slot_dict_file(x->cut.slot), 0);
}

static int next_segment(struct checkpoint_work *w)
{
    struct item *x = item_at(w);
    struct segment *g = x->cut.segments[w->segment];
    struct datafile_id id;

    if (segment_cut_is_empty(g)) {
        int rc = keep_file(w, segment_file(g), x->cut.parts[w->segment].rows);

        w->segment++;
        return rc;
    }
    bool is_new = slot_cut_file(&x->cut, w->segment, &id);
    w->c->stats.segments++;
    return start_file(w, is_new, &id, segment_file(g), x->cut.parts[w->segment].rows);
}

static int next_archived(struct checkpoint_work *w)
{
    struct item *x = item_at(w);
    const struct slot_cut_archived *a = &x->cut.archived[w->segment++ - x->cut.n_segments];

    if (a->file)
        return keep_file(w, a->file, a->rows);
    struct root_file entry = {.id = {.kind = DATAFILE_SEGMENT,
                                     .table_id = w->catalog->tables[w->table]->table_id,
                                     .slot = slot_number_of(w),
                                     .partition = a->partition,
                                     .archived = true}};
    return root_put_file(&w->c->part, &entry);
}

/* Finds the next file of the slot that must be written. */
static enum step next_file(struct checkpoint_work *w)
{
    int rc = 0;

    if (w->table == w->n_tables || w->n_files - w->n_synced >= UNSYNCED_MAX) {
        w->stage = STAGE_SYNC;
        return STEP_READY;
    }
    if (w->segment == DICTS) {
        rc = next_dicts(w);
    } else if (w->segment < item_at(w)->cut.n_segments) {
        rc = next_segment(w);
    } else if (w->segment < item_at(w)->cut.n_segments + item_at(w)->cut.n_archived) {
        rc = next_archived(w);
    } else {
        w->table++;
        w->segment = DICTS;
    }
    if (rc != 0)
        fail(w, rc, NULL);
    return STEP_READY;
}

static void cut_failed(struct checkpoint_work *w, int rc)
{
    struct error_info why;

    if (rc == -EIO && w->segment != DICTS) { /* of a chunk that was to be copied */
        fail(w, rc, segment_error(item_at(w)->cut.segments[w->segment]));
        return;
    }
    if (rc == -ENOBUFS)
        error_set(&why, rc, 0, "checkpoint: table %s, slot %u: changes outran it", table_name(w),
                  slot_number_of(w));
    fail(w, rc, rc == -ENOBUFS ? &why : NULL);
}

static void write_failed(struct checkpoint_work *w, int rc)
{
    fail(w, rc, w->writer.rc ? &w->writer.append.error : NULL);
}

/* One block into the extent, or the extent to the device. */
static enum step encode(struct checkpoint_work *w)
{
    struct item *x = item_at(w);
    struct buffer *extent;
    int rc = checkpoint_writer_extent(&w->writer, &extent), more;
    uint64_t at = checkpoint_writer_at(&w->writer);
    size_t before;

    if (rc != 0) {
        fail(w, rc, NULL);
        return STEP_READY;
    }
    if (extent->len >= CHECKPOINT_EXTENT_BYTES / 2) {
        enum step step = checkpoint_writer_push(&w->writer, &rc);

        if (rc != 0)
            write_failed(w, rc);
        return step;
    }
    before = extent->len;
    more = w->segment == DICTS ? slot_cut_dicts(&x->cut, extent, at)
                               : segment_cut_next(x->cut.segments[w->segment], extent, at);
    if (more < 0) {
        cut_failed(w, more);
        return STEP_READY;
    }
    w->c->stats.blocks += extent->len > before;
    if (more == SEGMENT_CUT_FETCH) {
        segment_cut_fetch(x->cut.segments[w->segment], &w->task);
        return STEP_PENDING;
    }
    if (!more) {
        w->stage = STAGE_DIRECTORY;
    } else if (extent->len == before && before > 0) { /* the next needs an extent of its own */
        enum step step = checkpoint_writer_push(&w->writer, &rc);

        if (rc != 0)
            write_failed(w, rc);
        return step;
    }
    return STEP_READY;
}

static int put_directory(struct checkpoint_work *w, struct buffer *extent, uint64_t at,
                         struct chunk_ref *ref)
{
    struct item *x = item_at(w);

    if (w->segment == DICTS)
        return slot_cut_dict_directory(&x->cut, extent, at, ref);
    return segment_cut_directory(x->cut.segments[w->segment], extent, at, ref);
}

/* The last chunk, and with it the last extent. */
static enum step end_file(struct checkpoint_work *w)
{
    struct part_file *f = &w->files[w->n_files - 1];
    struct buffer *extent;
    int rc = checkpoint_writer_extent(&w->writer, &extent);
    uint64_t at = checkpoint_writer_at(&w->writer);

    if (rc == 0 && !f->directory.offset) {
        rc = put_directory(w, extent, at, &f->directory);
        if (rc == -ENOBUFS && extent->len > 0) {
            f->directory.offset = 0;
            enum step step = checkpoint_writer_push(&w->writer, &rc);

            if (rc != 0)
                write_failed(w, rc);
            return step;
        }
        if (rc != 0) {
            cut_failed(w, rc);
            return STEP_READY;
        }
        rc = checkpoint_writer_seal(&w->writer);
        f->bytes = at + extent->len;
        if (rc == 0)
            rc = put_file(w, f);
    }
    if (rc != 0) {
        fail(w, rc, NULL);
        return STEP_READY;
    }
    enum step step = checkpoint_writer_push(&w->writer, &rc);
    if (rc != 0)
        write_failed(w, rc);
    else if (step == STEP_READY) {
        w->segment = w->segment == DICTS ? 0 : w->segment + 1;
        w->c->stats.files++;
        w->stage = STAGE_FILE;
    }
    return step;
}

/* --- syncing --- */

static void synced(struct store_sync *sync)
{
    struct sync *x = container_of(sync, struct sync, sync);
    struct checkpoint_work *w = x->work;

    x->running = false;
    w->syncing--;
    if (sync->rc != 0)
        fail(w, sync->rc, &sync->error);
    reactor_task(w->reactor, &w->task, TASK_BULK);
}

static struct sync *free_sync(struct checkpoint_work *w)
{
    struct sync *x = w->syncs;

    while (x->running)
        x++;
    return x;
}

static enum step sync_files(struct checkpoint_work *w)
{
    if (w->writer.writing)
        return STEP_PENDING;
    if (w->writer.rc != 0) {
        write_failed(w, w->writer.rc);
        return STEP_READY;
    }
    while (w->n_synced < w->n_files && w->syncing < SYNCS) {
        struct part_file *f = &w->files[w->n_synced++];

        if (!f->is_written)
            continue;
        struct sync *x = free_sync(w);
        *x = (struct sync){.work = w, .running = true};
        x->sync.file = f->file;
        x->sync.done = synced;
        w->syncing++;
        store_sync(w->c->store, &x->sync);
    }
    if (w->syncing > 0)
        return STEP_PENDING;
    if (w->table < w->n_tables) {
        w->stage = STAGE_FILE;
    } else {
        w->slot++;
        w->stage = STAGE_SLOT;
    }
    return STEP_READY;
}

/* --- the end --- */

static void end_cuts(struct checkpoint_work *w, bool committed)
{
    for (size_t i = 0; i < (size_t)w->n_slots * w->n_tables; i++) {
        struct item *x = &w->items[i];

        for (uint32_t k = 0; x->begun && k < x->cut.n_segments; k++)
            segment_cut_end(x->cut.segments[k], committed);
        if (x->dicts_begun && !committed)
            slot_cut_dicts_failed(&x->cut);
        struct slot *slot = x->cut.slot;
        if (x->begun)
            slot_cut_fini(&x->cut);
        if (x->begun && committed)
            slot_archive_settle(slot);
        if (x->pin.table)
            shard_unpin(w->c->shard, &x->pin);
    }
}

static void work_free(struct checkpoint_work *w)
{
    checkpoint_writer_fini(&w->writer);
    catalog_put(w->catalog);
    buffer_fini(&w->c->part);
    w->c->work = NULL;
    free(w->items);
    free(w->files);
    free(w->named);
    free(w);
}

static void give_up(struct checkpoint_work *w)
{
    end_cuts(w, false);
    for (uint32_t i = 0; i < w->n_files; i++) {
        if (w->files[i].is_new)
            store_file_drop(w->files[i].file);
        else if (w->files[i].is_written)
            store_file_shrink(w->files[i].file);
        store_file_put(w->files[i].file);
    }
    work_free(w);
}

void checkpoint_abort(struct checkpoint *c)
{
    struct checkpoint_work *w = c->work;

    if (!w)
        return;
    ASSERT(w->stage == STAGE_DONE || store_is_abandoned(c->store));
    give_up(w);
}

void checkpoint_commit(struct checkpoint *c)
{
    struct checkpoint_work *w = c->work;

    ASSERT(w && w->stage == STAGE_DONE && w->rc == 0);
    for (uint32_t i = 0; i < w->n_files; i++) {
        struct part_file *f = &w->files[i];

        w->named[i] = f->file;
        if (!f->is_written)
            continue;
        store_file_set_directory(f->file, &f->directory, f->bytes);
        if (f->segment == DICTS) {
            slot_cut_dicts_written(&f->item->cut, f->file);
            slot_set_dict_directory(f->item->cut.slot, &f->directory);
        } else {
            segment_cut_written(f->item->cut.segments[f->segment], f->file);
        }
    }
    end_cuts(w, true);
    store_set_named(c->store, w->named, w->n_files);
    w->named = NULL;
    work_free(w);
}

static void finish(struct checkpoint_work *w)
{
    struct checkpoint *c = w->c;

    c->rc = w->rc;
    c->stats.bytes = w->writer.bytes;
    if (w->rc != 0)
        give_up(w);
    c->done(c); /* c may be gone */
}

static enum step step(struct checkpoint_work *w)
{
    switch (w->stage) {
    case STAGE_SLOT:
        return begin_slot(w);
    case STAGE_FILE:
        return next_file(w);
    case STAGE_ENCODE:
        return encode(w);
    case STAGE_DIRECTORY:
        return end_file(w);
    case STAGE_SYNC:
        return sync_files(w);
    case STAGE_DONE:
        break;
    }
    return STEP_READY;
}

static void run(struct task *t)
{
    struct checkpoint_work *w = container_of(t, struct checkpoint_work, task);
    enum step next;

    if (w->rc == 0 && shard_catalog(w->c->shard) != w->catalog) {
        struct error_info why;

        fail(w, error_set(&why, -ESTALE, 0, "checkpoint: tables were made or dropped meanwhile"),
             &why);
    }
    w->running = true;
    next = w->rc == 0 ? step(w) : STEP_READY;
    w->running = false;
    if (w->rc == 0 && next == STEP_PENDING)
        return; /* what it waits for runs the task again */
    if (w->rc != 0 && (w->writer.writing || w->syncing > 0))
        return;
    if (w->rc != 0 || w->stage == STAGE_DONE) {
        w->stage = STAGE_DONE;
        finish(w);
        return;
    }
    reactor_task(w->reactor, t, TASK_BULK);
}

void checkpoint_cancel(struct checkpoint *c)
{
    struct checkpoint_work *w = c->work;
    struct error_info why;

    if (!w || w->stage == STAGE_DONE)
        return;
    fail(w, error_set(&why, -ECANCELED, 0, "checkpoint: cancelled"), &why);
    if (!w->running)
        reactor_task(w->reactor, &w->task, TASK_BULK);
}

/* Slots of this core. */
static uint32_t count_slots(const struct checkpoint *c, const struct reactor *r)
{
    uint32_t all = 1u << c->slot_bits, core = reactor_core(r), cores = reactor_count(r);

    return core < all ? (all - core - 1) / cores + 1 : 0;
}

static void start_failed(struct task *t)
{
    struct checkpoint *c = container_of(t, struct checkpoint, failed);

    c->rc = error_set(&c->error, -ENOMEM, 1037, "checkpoint: out of memory");
    c->done(c);
}

void checkpoint_start(struct checkpoint *c)
{
    struct reactor *r = store_reactor(c->store);
    struct checkpoint_work *w = calloc(1, sizeof(*w));

    c->rc = 0;
    c->work = w;
    c->stats = (struct checkpoint_stats){0};
    buffer_init(&c->part, ROOT_MAX_BYTES);
    if (!w) {
        c->failed = (struct task){.run = start_failed};
        reactor_task(r, &c->failed, TASK_BULK);
        return;
    }
    w->c = c;
    w->reactor = r;
    w->task.run = run;
    w->catalog = catalog_get(shard_catalog(c->shard));
    w->n_tables = w->catalog->n_tables;
    w->n_slots = count_slots(c, r);
    checkpoint_writer_init(&w->writer, c->store, &w->task);
    w->items = calloc((size_t)w->n_slots * w->n_tables + 1, sizeof(*w->items));
    if (!w->items) {
        w->n_slots = 0;
        fail(w, -ENOMEM, NULL);
    }
    reactor_task(r, &w->task, TASK_BULK);
}
