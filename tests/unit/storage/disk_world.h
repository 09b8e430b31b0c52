#pragma once
/*
 * Two slots with the same writes on the simulator: one with data files, whose columns come and go, and its twin in
 * memory only, which says what is right. Checkpoints in small steps, with writes between them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/core.h"
#include "reactor/io.h"
#include "reactor/io_sim.h"
#include "reactor/log.h"
#include "reactor/reactor.h"
#include "storage/dict.h"
#include "storage/scan.h"
#include "storage/slot_disk.h"

#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

enum { WORLD_STEPS = 10000000, WORLD_FILES = 64, WORLD_COLUMNS = 8 };

enum { C_TS, C_ID, C_NAME, C_STATE, C_TAGS, C_NUM, C_FLAG };

/* A data file of a checkpoint. */
struct world_file {
    struct store_file *file;
    struct chunk_ref directory;
    bool dicts;
};

struct world {
    uint64_t seed;
    struct sim *sim;
    struct sim_disk *disk;
    struct reactor_group *group;
    struct reactor *r;
    struct store *store;
    struct schema *schema;
    struct budget budget;
    struct slot *slot, *twin;
    struct segment_room room;
    struct task wake;
    bool woken, done;
    int rc;
    uint32_t ids; /* keys are below */
    struct arena arena;

    bool at_once;           /* writes read what they need, and wait for nothing else */
    unsigned waits_for_cut; /* writes that waited while a cut was at work */
    bool cutting, failing;  /* a checkpoint is at work; it will not be committed */
    struct slot_cut cut;
    uint32_t next; /* 0 = dictionaries, else segment next - 1 */
    bool opened;
    struct store_file *target;
    struct buffer extent;
    struct world_file root[WORLD_FILES], fresh[WORLD_FILES];
    uint32_t n_root, n_fresh;
    uint64_t *rows_at_cut;
    size_t n_rows_at_cut;
    uint32_t commits, given_up, scans, waits;
};

static inline uint64_t world_random(struct world *w)
{
    uint64_t z = w->seed += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint32_t below(struct world *w, uint32_t n)
{
    return (uint32_t)(world_random(w) % n);
}

static inline struct schema *world_schema(bool partitioned)
{
    char yaml[2048];
    struct error_info err = {0};
    struct schema *s = NULL;

    snprintf(yaml, sizeof yaml,
             "tableName: t\nprimaryKey: %s\n%s"
             "attributes:\n"
             "  - { fieldName: ts, type: DateTime, mappingStrategy: SysSecBSI }\n"
             "  - { fieldName: id, type: Integer, mappingStrategy: IntBSI }\n"
             "  - { fieldName: name, type: String, mappingStrategy: StringHashBSI }\n"
             "  - { fieldName: state, type: String, mappingStrategy: StringEnum }\n"
             "  - { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: "
             "true, configuration: { delim: \",\" } }\n"
             "  - { fieldName: num, type: Integer, mappingStrategy: IntBSI }\n"
             "  - { fieldName: flag, type: Integer, mappingStrategy: IntDirect }\n",
             partitioned ? "ts+id" : "id",
             partitioned ? "timeQuantumType: YMD\ntimeQuantumField: ts\n" : "");
    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err), 0, "%s",
                 err.text);
    s->table_id = 7;
    return s;
}

static inline int world_start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static inline void world_wake(struct task *t)
{
    container_of(t, struct world, wake)->woken = true;
}

static inline bool world_is_woken(void *ctx)
{
    return ((struct world *)ctx)->woken;
}

static inline bool world_is_done(void *ctx)
{
    return ((struct world *)ctx)->done;
}

static inline void world_wait(struct world *w)
{
    w->waits++;
    reactor_set_self(NULL);
    cr_assert_eq(reactor_sim_run(w->group, world_is_woken, w, WORLD_STEPS), 0, "nobody woke it");
    reactor_set_self(w->r);
    w->woken = false;
}

static inline void world_settle(struct world *w)
{
    w->done = false;
    reactor_set_self(NULL);
    (void)reactor_sim_run(w->group, world_is_done, w, WORLD_STEPS);
    reactor_set_self(w->r);
    w->woken = false;
}

static inline void world_make_room(void *ctx, size_t bytes)
{
    struct world *w = ctx;
    uint64_t room = budget_room(&w->budget);

    if (room < bytes)
        (void)slot_evict(w->slot, bytes - room, slot_tick(w->slot));
}

static inline void world_init(struct world *w, uint64_t seed, bool partitioned)
{
    struct reactor_config config = {.cores = 1, .io = REACTOR_IO_SIM, .memory = 1 << 28};
    char err[200];

    memset(w, 0, sizeof *w);
    log_level = LOG_ERROR;
    w->seed = seed;
    w->ids = 3000;
    w->sim = sim_new(seed);
    w->disk = sim_disk_new(w->sim, 0);
    config.sim = w->sim;
    config.sim_disk = w->disk;
    cr_assert_eq(reactor_group_new(&config, &w->group, err, sizeof err), 0, "%s", err);
    cr_assert_eq(reactor_group_start(w->group, world_start_nothing, NULL), 0);
    w->r = reactor_group_get(w->group, 0);
    reactor_set_self(w->r);
    cr_assert_eq(file_mkdir(w->r, "d"), 0);
    cr_assert_eq(store_new(w->r, "d", "0123456789abcdef0123456789abcdef", &w->store), 0);
    w->schema = world_schema(partitioned);
    budget_init(&w->budget, "test", 0, NULL);
    cr_assert_eq(slot_new(w->schema, 3, 42, &w->budget, &w->slot), 0);
    cr_assert_eq(slot_new(w->schema, 3, 42, NULL, &w->twin), 0);
    w->room = (struct segment_room){world_make_room, w, 1 << 20, NULL, NULL};
    slot_set_store(w->slot, w->store);
    slot_set_room(w->slot, &w->room);
    w->wake.run = world_wake;
    buffer_init(&w->extent, 64 << 20);
    arena_init(&w->arena, 64 << 20, NULL);
}

static inline void world_fini(struct world *w)
{
    slot_free(w->slot);
    slot_free(w->twin);
    world_settle(w);
    cr_assert_eq(w->budget.used, 0, "memory is given back: %" PRIu64, w->budget.used);
    for (uint32_t i = 0; i < w->n_root; i++)
        store_file_put(w->root[i].file);
    store_free(w->store);
    reactor_set_self(NULL);
    schema_put(w->schema);
    buffer_fini(&w->extent);
    arena_fini(&w->arena);
    free(w->rows_at_cut);
    sim_kill(w->group);
    reactor_group_free(w->group);
    sim_disk_free(w->disk);
    sim_free(w->sim);
}

/* ---- what a slot holds ---- */

static inline uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

static inline uint64_t mix_text(uint64_t h, const struct dict *d, uint32_t code)
{
    uint32_t len;
    const char *s = dict_bytes(d, code, &len);

    h = mix(h, &len, sizeof len);
    return len ? mix(h, s, len) : h;
}

static inline uint64_t hash_cell(const struct slot *t, struct segment *g, uint32_t row, unsigned c,
                                 uint64_t h)
{
    const struct column *col = &slot_schema(t)->columns[c];
    int64_t v = 0;
    uint8_t present = segment_value(g, row, c, &v);

    h = mix(h, &present, 1);
    if (!present)
        return h;
    if (col->layout == LAYOUT_ORDERED)
        return mix(h, &v, sizeof v);
    if (col->layout == LAYOUT_LIST) {
        uint32_t n;
        const uint32_t *codes = dict_list(slot_list_dict(t, c), (uint32_t)v, &n);

        for (uint32_t i = 0; i < n; i++)
            h = mix_text(h, slot_dict(t, c), codes[i]);
        return h;
    }
    if (col->type == COLUMN_STRING)
        return mix_text(h, slot_dict(t, c), (uint32_t)v);
    v = dict_int(slot_dict(t, c), (uint32_t)v);
    return mix(h, &v, sizeof v);
}

static bool world_live_only; /* deleted rows do not count: they may be gone from one of the slots */

/* A hash per row and the dictionaries' lengths; everything must be in memory. malloc'ed. */
static inline uint64_t *world_dump(const struct slot *t, size_t *n)
{
    size_t cap = 64 + 2u * slot_schema(t)->n_columns;
    uint64_t *out;

    for (uint32_t i = 0; i < slot_segments(t); i++)
        cap += segment_rows(slot_segment(t, i)) + 4;
    out = calloc(cap, sizeof *out);
    *n = 0;
    for (uint32_t i = 0; i < slot_segments(t); i++) {
        struct segment *g = slot_segment(t, i);

        if (world_live_only ? !segment_live(g) : !segment_rows(g))
            continue;
        out[(*n)++] = (uint64_t)segment_partition(g);
        out[(*n)++] = world_live_only ? 0 : segment_rows(g);
        out[(*n)++] = segment_live(g);
        for (uint32_t row = 0; row < segment_rows(g); row++) {
            if (world_live_only && !segment_is_live(g, row))
                continue;
            uint64_t h = 0xcbf29ce484222325u + segment_is_live(g, row);

            for (unsigned c = 0; c < slot_schema(t)->n_columns; c++)
                h = hash_cell(t, g, row, c, h);
            out[(*n)++] = h;
        }
    }
    for (unsigned c = 0; c < slot_schema(t)->n_columns; c++) {
        out[(*n)++] = slot_dict(t, c) ? dict_count(slot_dict(t, c)) : 0;
        out[(*n)++] = slot_list_dict(t, c) ? dict_count(slot_list_dict(t, c)) : 0;
    }
    CHECK(*n <= cap, "room");
    return out;
}

static inline void world_compare(const uint64_t *a, size_t n, const uint64_t *b, size_t m,
                                 const char *what)
{
    cr_assert_eq(n, m, "%s: %zu and %zu", what, n, m);
    for (size_t i = 0; i < n; i++)
        CHECK(a[i] == b[i], "%s: at %zu of %zu", what, i, n);
}

/* ---- writing ---- */

static const int64_t world_days[] = {1767225600, 1767312000, 1767398400};

static inline void put_text(struct batch_builder *b, int column, const char *fmt, uint32_t n)
{
    char text[32];

    snprintf(text, sizeof text, fmt, n);
    cr_assert_eq(batch_builder_put_bytes(b, (unsigned)column, text, (uint32_t)strlen(text)), 0);
}

static inline void world_row(struct world *w, struct batch_builder *b, uint32_t id, uint32_t day,
                             const int *at)
{
    if (at[C_TS] >= 0)
        batch_builder_put_i64(b, (unsigned)at[C_TS], world_days[day] + id % 100);
    batch_builder_put_i64(b, (unsigned)at[C_ID], id);
    if (at[C_NAME] >= 0 && below(w, 8))
        put_text(b, at[C_NAME], "name-%u", below(w, 5000));
    if (at[C_STATE] >= 0 && below(w, 8))
        put_text(b, at[C_STATE], "s%u", below(w, 30));
    for (uint32_t n = below(w, 4); at[C_TAGS] >= 0 && n > 0; n--) {
        char text[8];
        int len = snprintf(text, sizeof text, "t%u", below(w, 20));

        batch_builder_put_list_item(b, (unsigned)at[C_TAGS], text, (uint32_t)len);
    }
    if (at[C_NUM] >= 0 && below(w, 8))
        batch_builder_put_i64(b, (unsigned)at[C_NUM],
                              below(w, 50) ? below(w, 100000) : (int64_t)world_random(w));
    if (at[C_FLAG] >= 0 && below(w, 8))
        batch_builder_put_i64(b, (unsigned)at[C_FLAG], below(w, 5));
    cr_assert_eq(batch_builder_end_row(b), 0);
}

static inline bool world_cut_step(struct world *w);

/* Waits until the write can be applied; evicts now and then meanwhile. */
static inline enum block_state world_prepare(struct world *w, const struct batch *b,
                                             struct error_info *err)
{
    enum block_state state;
    unsigned tries = 0;

    if (below(w, 4) == 0 || w->at_once)
        return slot_prepare_now(w->slot, b, err) ? BLOCK_FAILED : BLOCK_READY;
    while ((state = slot_prepare(w->slot, b, &w->wake, err)) == BLOCK_PENDING) {
        if (w->cutting) { /* it may wait for the cut */
            w->waits_for_cut += tries == 0;
            (void)world_cut_step(w);
            world_settle(w);
        } else {
            world_wait(w);
        }
        CHECK(++tries < 20000, "a write never gets what it needs");
    }
    return state;
}

static inline void world_apply(struct world *w, const struct batch *b)
{
    struct write_result got, want;
    struct error_info err = {0};

    cr_assert_eq(world_prepare(w, b, &err), BLOCK_READY, "%s", err.text);
    int rc = slot_apply(w->slot, b, &got);
    size_t clean, changed, indexes;

    slot_residency(w->slot, &clean, &changed, &indexes);
    cr_assert_eq(rc, 0,
                 "%d with %" PRIu64 " of %" PRIu64 " bytes used: %zu clean, %zu changed, %zu index",
                 rc, w->budget.used, w->budget.limit, clean, changed, indexes);
    cr_assert_eq(slot_apply(w->twin, b, &want), 0);
    CHECK(got.inserted == want.inserted && got.updated == want.updated &&
              got.unchanged == want.unchanged && got.deleted == want.deleted &&
              got.rejected == want.rejected,
          "results differ: %" PRIu64 "/%" PRIu64 " inserted, %" PRIu64 "/%" PRIu64 " updated",
          got.inserted, want.inserted, got.updated, want.updated);
}

static inline void world_batch(struct world *w, enum batch_op op, const int *at, uint32_t n,
                               uint32_t first, bool in_order)
{
    static const enum batch_kind kinds[] = {BATCH_I64,  BATCH_I64, BATCH_BYTES, BATCH_BYTES,
                                            BATCH_LIST, BATCH_I64, BATCH_I64};
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer bytes;
    struct batch batch;
    struct error_info err;

    for (int c = 0; c < 7; c++) {
        if (at[c] >= 0)
            cr_assert_eq(batch_builder_add_column(b, w->schema->columns[c].id, kinds[c], 0), at[c]);
    }
    for (uint32_t i = 0; i < n; i++)
        world_row(w, b, in_order ? first + i : below(w, w->ids), in_order ? 0 : below(w, 3), at);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    world_apply(w, &batch);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

/* n new rows of the first day with ids from `first` on. */
static inline void world_fill(struct world *w, uint32_t first, uint32_t n)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6};

    for (uint32_t i = 0; i < n; i += 8000)
        world_batch(w, BATCH_INSERT, all, n - i < 8000 ? n - i : 8000, first + i, true);
    if (w->ids < first + n)
        w->ids = first + n;
}

static inline void world_write(struct world *w)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_UPSERT, BATCH_REPLACE,
                                        BATCH_UPDATE, BATCH_DELETE, BATCH_IGNORE};
    enum batch_op op = ops[below(w, 6)];
    bool timeless = w->schema->time_column >= 0 && below(w, 6) == 0 &&
                    (op == BATCH_UPDATE || op == BATCH_DELETE);
    int at[7], next = 0;

    for (int c = 0; c < 7; c++) {
        bool given = c == C_ID || (c == C_TS && !timeless) || (c != C_TS && below(w, 5) != 0);

        at[c] = given ? next++ : -1;
    }
    world_batch(w, op, at, timeless ? 1 + below(w, 4) : 1 + below(w, below(w, 3) ? 20 : 700), 0,
                false);
}

/* ---- checkpoints ---- */

static inline void world_append_done(struct store_append *a)
{
    struct world *w = a->ctx;

    w->rc = a->rc;
    w->done = true;
}

static inline void world_sync_done(struct store_sync *x)
{
    struct world *w = x->ctx;

    w->rc = x->rc;
    w->done = true;
}

static inline void world_until_done(struct world *w)
{
    reactor_set_self(NULL);
    cr_assert_eq(reactor_sim_run(w->group, world_is_done, w, WORLD_STEPS), 0);
    reactor_set_self(w->r);
    cr_assert_eq(w->rc, 0);
}

static inline void world_flush(struct world *w)
{
    struct store_append a = {.file = w->target,
                             .done = world_append_done,
                             .ctx = w,
                             .len = w->extent.len};

    if (!w->extent.len)
        return;
    cr_assert_eq(datafile_seal(&w->extent, store_file_bytes(w->target)), 0);
    a.len = w->extent.len;
    uint8_t *bytes = aligned_alloc(DATAFILE_UNIT, a.len);
    memcpy(bytes, w->extent.data, a.len);
    a.bytes = bytes;
    w->done = false;
    store_append(w->store, &a);
    world_until_done(w);
    free(bytes);
    w->extent.len = 0;
}

static inline void world_cut_begin(struct world *w, bool failing)
{
    cr_assert_eq(slot_cut_begin(w->slot, &w->cut), 0);
    w->cutting = true;
    w->failing = failing;
    w->next = w->n_fresh = 0;
    w->opened = false;
    free(w->rows_at_cut);
    w->rows_at_cut = world_dump(w->twin, &w->n_rows_at_cut);
}

static inline struct world_file *find_old(struct world *w, const struct store_file *f)
{
    for (uint32_t i = 0; i < w->n_root; i++) {
        if (w->root[i].file == f)
            return &w->root[i];
    }
    return NULL;
}

static inline void world_put_fresh(struct world *w, struct store_file *f,
                                   const struct chunk_ref *directory, bool dicts)
{
    cr_assert_lt(w->n_fresh, WORLD_FILES);
    w->fresh[w->n_fresh++] = (struct world_file){store_file_get(f), *directory, dicts};
}

/* The next file of the cut: false = it stays as it is. */
static inline bool world_open_target(struct world *w)
{
    bool dicts = w->next == 0, fresh;
    struct segment *g = dicts ? NULL : w->cut.segments[w->next - 1];
    struct store_file *old = dicts ? slot_dict_file(w->slot) : segment_file(g);
    struct datafile_id id;
    struct error_info err;

    if (dicts ? !slot_cut_has_dicts(&w->cut) : segment_cut_is_empty(g)) {
        const struct chunk_ref *ref = dicts ? slot_dict_directory(w->slot) : segment_directory(g);

        if (old)
            world_put_fresh(w, old, ref, dicts);
        return false;
    }
    fresh = dicts ? slot_cut_dict_file(&w->cut, &id) : slot_cut_file(&w->cut, w->next - 1, &id);
    if (fresh)
        cr_assert_eq(store_file_create(w->store, &id, &w->target, &err), 0, "%s", err.text);
    else
        w->target = store_file_get(old);
    w->opened = true;
    return true;
}

static inline void world_end_target(struct world *w)
{
    struct store_sync sync = {.file = w->target, .done = world_sync_done, .ctx = w};
    struct chunk_ref ref;
    int rc = w->next == 0
                 ? slot_cut_dict_directory(&w->cut, &w->extent, store_file_bytes(w->target), &ref)
                 : segment_cut_directory(w->cut.segments[w->next - 1], &w->extent,
                                         store_file_bytes(w->target), &ref);

    cr_assert_eq(rc, 0);
    world_flush(w);
    w->done = false;
    store_sync(w->store, &sync);
    world_until_done(w);
    world_put_fresh(w, w->target, &ref, w->next == 0);
    store_file_put(w->target);
    w->opened = false;
    w->next++;
}

static inline void world_cut_end(struct world *w)
{
    bool commit = !w->failing;
    struct world_file *files = commit ? w->root : w->fresh;
    uint32_t n = commit ? w->n_root : w->n_fresh;

    for (uint32_t i = 0; commit && i < w->n_fresh; i++) {
        struct world_file *f = &w->fresh[i];
        const struct datafile_id *id = store_file_id(f->file);

        if (f->dicts && slot_cut_has_dicts(&w->cut))
            CHECK(false, "dictionaries are left");
        if (f->dicts && (!slot_dict_directory(w->slot) ||
                         slot_dict_directory(w->slot)->offset != f->directory.offset ||
                         slot_dict_file(w->slot) != f->file))
            slot_cut_dicts_written(&w->cut, f->file);
        for (uint32_t k = 0; !f->dicts && k < w->cut.n_segments; k++) {
            struct segment *g = w->cut.segments[k];

            if (segment_partition(g) == id->partition && !segment_cut_is_empty(g))
                segment_cut_written(g, f->file);
        }
    }
    if (!commit)
        slot_cut_dicts_failed(&w->cut);
    for (uint32_t k = 0; k < w->cut.n_segments; k++)
        segment_cut_end(w->cut.segments[k], commit);
    slot_cut_fini(&w->cut);
    for (uint32_t i = 0; i < n; i++) {
        bool stays = false;

        for (uint32_t k = 0; k < (commit ? w->n_fresh : w->n_root); k++)
            stays |= (commit ? w->fresh : w->root)[k].file == files[i].file;
        if (!stays)
            store_file_drop(files[i].file);
        store_file_put(files[i].file);
    }
    if (commit) {
        memcpy(w->root, w->fresh, sizeof w->root);
        w->n_root = w->n_fresh;
        w->commits++;
    }
    w->n_fresh = 0;
    w->cutting = false;
}

/* A step of the checkpoint: about a block. True when it ended. */
static inline bool world_cut_step(struct world *w)
{
    int more;

    if (w->next > w->cut.n_segments) {
        world_cut_end(w);
        return true;
    }
    if (!w->opened && !world_open_target(w)) {
        w->next++;
        return false;
    }
    more = w->next == 0 ? slot_cut_dicts(&w->cut, &w->extent, store_file_bytes(w->target))
                        : segment_cut_next(w->cut.segments[w->next - 1], &w->extent,
                                           store_file_bytes(w->target));
    cr_assert_geq(more, 0, "the cut was given up: %d", more);
    if (more == SEGMENT_CUT_FETCH) {
        w->woken = false;
        segment_cut_fetch(w->cut.segments[w->next - 1], &w->wake);
        world_wait(w);
    }
    if (more == 0)
        world_end_target(w);
    else if (w->extent.len > (1 << 20))
        world_flush(w);
    return false;
}

static inline void world_checkpoint(struct world *w)
{
    world_cut_begin(w, false);
    while (!world_cut_step(w))
        ;
}

/* A new slot from the files of the last commit, all absent. */
static inline struct slot *world_reopen(struct world *w)
{
    struct slot *t;
    struct error_info err = {0};

    cr_assert_eq(slot_new(w->schema, 3, 42, &w->budget, &t), 0);
    slot_set_store(t, w->store);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < w->n_root; i++) {
            struct world_file *f = &w->root[i];
            uint8_t *bytes;
            struct segment_directory segment;
            struct dict_directory dicts;

            if (f->dicts != (pass == 0))
                continue;
            cr_assert_eq(store_read_now(w->store, f->file, &f->directory, &bytes, &err), 0, "%s",
                         err.text);
            if (f->dicts) {
                cr_assert_eq(dict_directory_decode(bytes, f->directory.len,
                                                   store_file_bytes(f->file), &w->arena, &dicts,
                                                   &err),
                             0, "%s", err.text);
                cr_assert_eq(slot_open_dicts(t, f->file, &dicts, &err), 0, "%s", err.text);
                slot_set_dict_directory(t, &f->directory);
            } else {
                cr_assert_eq(segment_directory_decode(bytes, f->directory.len,
                                                      store_file_bytes(f->file), &w->arena,
                                                      &segment, &err),
                             0, "%s", err.text);
                cr_assert_eq(slot_open_segment(t, w->store, f->file, &segment, &err), 0, "%s",
                             err.text);
                for (uint32_t k = 0; k < slot_segments(t); k++)
                    if (segment_partition(slot_segment(t, k)) == segment.id.partition)
                        segment_set_directory(slot_segment(t, k), &f->directory);
            }
            free(bytes);
        }
    }
    arena_reset(&w->arena);
    return t;
}

static inline void world_load(struct world *w, struct slot *t)
{
    struct error_info err = {0};
    enum block_state state;

    while ((state = slot_load(t, 64 << 10, &w->wake, &err)) == BLOCK_PENDING)
        world_wait(w);
    cr_assert_eq(state, BLOCK_READY, "%s", err.text);
    while ((state = slot_load_index(t, &err)) == BLOCK_PENDING)
        ;
    cr_assert_eq(state, BLOCK_READY, "%s", err.text);
    cr_assert(slot_is_loaded(t));
}

/* What the last commit holds is what there was at its cut. */
static inline void world_check_commit(struct world *w)
{
    struct slot *t = world_reopen(w);
    struct error_info err = {0};
    uint64_t *rows;
    size_t n;

    if (below(w, 2)) {
        world_load(w, t);
    } else {
        for (uint32_t i = 0; i < slot_segments(t); i++)
            cr_assert_eq(segment_load_now(slot_segment(t, i), &err), 0, "%s", err.text);
    }
    rows = world_dump(t, &n);
    world_compare(rows, n, w->rows_at_cut, w->n_rows_at_cut, "the last commit");
    free(rows);
    slot_free(t);
}

/* ---- reading ---- */

/* The answer of a scan as bytes; -1 in *rc when it failed. */
static inline void world_answer(struct world *w, const struct program *p, struct slot *t,
                                struct buffer *out, struct error_info *err)
{
    struct scan *x;
    struct batch b;
    enum scan_state state;

    buffer_init(out, 256 << 20);
    cr_assert_eq(scan_new(p, w->schema, &t, 1, NULL, &w->wake, &x, err), 0, "%s", err->text);
    while ((state = scan_step(x, 4096, &b)) != SCAN_END) {
        if (state == SCAN_ERROR) {
            *err = *scan_error(x);
            break;
        }
        if (state == SCAN_BATCH)
            cr_assert_eq(buffer_append(out, b.bytes, b.len), 0);
        if (state == SCAN_WAIT)
            world_wait(w);
        if (t == w->slot && below(w, 40) == 0)
            (void)slot_evict(t, 1 << 20, slot_tick(t));
    }
    scan_free(x);
}
