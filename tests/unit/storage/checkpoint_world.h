#pragma once
/*
 * A core with a shard of two tables, on the simulator's disk or in a real folder: random writes, checkpoints with a
 * root file as a server makes it, starts from that file. What a slot held when it was cut is kept as a digest of all
 * its rows, by round and slot, so that what a start finds can be compared.
 */
#include "store_world.h"

#include <xxhash.h>

#include "storage/batch.h"
#include "storage/checkpoint.h"
#include "storage/dict.h"
#include "storage/shard.h"
#include "storage/slot_disk.h"

enum {
    WORLD_SLOT_BITS = 2,
    WORLD_SLOTS = 1 << WORLD_SLOT_BITS,
    WORLD_ROUNDS = 16,
    WORLD_TABLES = 2,
    WORLD_IDS = 3000, /* keys of a slot in small worlds */
    WORLD_DAY = 86400,
};

#define WORLD_NOON 1767268800 /* 2026-01-01 12:00 */

/* Of the root at work: written aside, synced, renamed, the folder synced. */
enum root_stage { ROOT_IDLE, ROOT_WRITING, ROOT_SYNCING, ROOT_NAMING, ROOT_DURABLE };

struct checkpoint_world {
    struct store_world base;
    struct budget budget;
    struct catalog *catalog;
    struct shard *shard;
    struct checkpoint checkpoint;
    bool ended;      /* the checkpoint, by done */
    bool root_after; /* done with success goes on to the root and the commit */
    bool evicts;     /* what is clean leaves memory right after a slot's cut */
    const char *dir;
    uint64_t round;  /* of the checkpoint at work or the last one */
    uint64_t loaded; /* round of the root that the last start found, 0 = none */
    uint64_t digests[WORLD_ROUNDS][WORLD_SLOTS];
    uint64_t random, lsn;
    enum root_stage stage;
    struct io_op op;
    struct buffer root;
    int fd;
    struct root_file files[4096]; /* that the root names */
    uint32_t n_files;
};

static inline uint64_t world_random(struct checkpoint_world *w, uint64_t n)
{
    uint64_t z = w->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % n;
}

/* --- tables and rows --- */

enum { COL_ID, COL_TS, COL_NUM, COL_KIND, COL_NAME, COL_TAGS, WORLD_COLUMNS };

static inline struct schema *world_schema(const char *name, bool partitioned)
{
    char yaml[1500];
    struct error_info err = {0};
    struct schema *s = NULL;

    snprintf(
        yaml, sizeof yaml,
        "tableName: %s\nprimaryKey: %s\n%sattributes:\n"
        "  - { fieldName: id, type: Integer, mappingStrategy: IntBSI }\n"
        "  - { fieldName: ts, type: DateTime, mappingStrategy: SysSecBSI }\n"
        "  - { fieldName: num, type: Integer, mappingStrategy: IntBSI }\n"
        "  - { fieldName: kind, type: String, mappingStrategy: StringEnum }\n"
        "  - { fieldName: name, type: String, mappingStrategy: StringHashBSI }\n"
        "  - { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: true, "
        "configuration: { delim: \",\" } }\n",
        name, partitioned ? "ts+id" : "id",
        partitioned ? "timeQuantumType: YMD\ntimeQuantumField: ts\n" : "");
    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err), 0, "%s",
                 err.text);
    return s;
}

static inline struct catalog *world_catalog(unsigned tables)
{
    static const char *const names[] = {"plain", "parts", "third"};
    struct catalog *c = catalog_new();

    for (unsigned i = 0; i < tables; i++) {
        struct schema *s = world_schema(names[i], i == 1);
        struct catalog *next;

        cr_assert_eq(catalog_with_table(c, s, &next), 0);
        schema_put(s);
        catalog_put(c);
        c = next;
    }
    return c;
}

static inline void world_text(struct batch_builder *b, unsigned column, const char *letter,
                              uint64_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%llu", letter, (unsigned long long)n);
    cr_assert_eq(batch_builder_put_bytes(b, column, text, (uint32_t)strlen(text)), 0);
}

/* One row of random values under the key. */
static inline void world_row(struct checkpoint_world *w, struct batch_builder *b, int64_t id,
                             bool key_only)
{
    batch_builder_put_i64(b, COL_ID, id);
    batch_builder_put_i64(b, COL_TS, WORLD_NOON + id % 5 * WORLD_DAY);
    if (key_only)
        return;
    if (world_random(w, 10))
        batch_builder_put_i64(b, COL_NUM, (int64_t)world_random(w, 100000) - 50000);
    if (world_random(w, 10))
        world_text(b, COL_KIND, "k", world_random(w, 20));
    world_text(b, COL_NAME, "name ", world_random(w, 100000));
    for (uint64_t k = world_random(w, 4); k-- > 0;) {
        char tag[24];

        snprintf(tag, sizeof(tag), "t%u", (unsigned)world_random(w, 30));
        batch_builder_put_list_item(b, COL_TAGS, tag, (uint32_t)strlen(tag));
    }
}

static inline void world_apply(struct slot *slot, struct batch_builder *b, enum batch_op op)
{
    static struct write_result result;
    struct error_info err;
    struct buffer bytes;
    struct batch batch;

    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, slot_schema(slot)->table_id, slot_number(slot),
                                      &bytes),
                 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_prepare_now(slot, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_apply(slot, &batch, &result), 0, "%s", result.errors[0].info.text);
    buffer_fini(&bytes);
}

static inline struct batch_builder *world_builder(const struct slot *slot, unsigned columns)
{
    static const enum batch_kind kinds[WORLD_COLUMNS] = {BATCH_I64,   BATCH_I64,   BATCH_I64,
                                                         BATCH_BYTES, BATCH_BYTES, BATCH_LIST};
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < columns; i++)
        cr_assert_eq(batch_builder_add_column(b, slot_schema(slot)->columns[i].id, kinds[i], 0),
                     (int)i);
    return b;
}

static inline struct slot *world_slot(struct checkpoint_world *w, unsigned table, uint32_t number)
{
    return shard_slot(w->shard, w->catalog->tables[table]->table_id, number);
}

/* Rows with ids [from, from + n) into a slot, in batches. */
static inline void world_fill(struct checkpoint_world *w, unsigned table, uint32_t number,
                              int64_t from, uint32_t n)
{
    struct slot *slot = world_slot(w, table, number);

    for (uint32_t i = 0; i < n;) {
        struct batch_builder *b = world_builder(slot, WORLD_COLUMNS);

        for (uint32_t k = 0; k < 20000 && i < n; k++, i++) {
            world_row(w, b, from + i, false);
            cr_assert_eq(batch_builder_end_row(b), 0);
        }
        world_apply(slot, b, BATCH_REPLACE);
        batch_builder_free(b);
    }
}

/* Some rows of some slot are inserted, changed or deleted. */
static inline void world_write(struct checkpoint_world *w)
{
    static const enum batch_op ops[] = {BATCH_REPLACE, BATCH_UPSERT, BATCH_DELETE};
    struct slot *slot = world_slot(w, (unsigned)world_random(w, w->catalog->n_tables),
                                   (uint32_t)world_random(w, WORLD_SLOTS));
    enum batch_op op = ops[world_random(w, 3)];
    bool key_only = op == BATCH_DELETE;
    struct batch_builder *b = world_builder(slot, key_only ? 2 : WORLD_COLUMNS);

    for (uint64_t n = 1 + world_random(w, key_only ? 10 : 40); n-- > 0;) {
        world_row(w, b, (int64_t)world_random(w, WORLD_IDS), key_only);
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    world_apply(slot, b, op);
    batch_builder_free(b);
    w->lsn++;
}

/* --- digests --- */

static inline uint64_t world_mix(uint64_t hash, const void *bytes, size_t n)
{
    return XXH3_64bits_withSeed(bytes, n, hash);
}

static inline uint64_t world_mix_text(uint64_t hash, const struct dict *d, uint32_t code)
{
    uint32_t len;
    const char *text = dict_bytes(d, code, &len);

    return world_mix(hash ^ len, text, len);
}

static inline uint64_t world_cell(uint64_t hash, const struct slot *slot, struct segment *g,
                                  uint32_t row, unsigned c)
{
    int64_t v;

    if (!segment_value(g, row, c, &v))
        return world_mix(hash, "null", 4);
    switch (slot_schema(slot)->columns[c].layout) {
    case LAYOUT_ORDERED:
        return world_mix(hash, &v, sizeof v);
    case LAYOUT_LIST: {
        uint32_t n;
        const uint32_t *codes = dict_list(slot_list_dict(slot, c), (uint32_t)v, &n);

        for (uint32_t i = 0; i < n; i++)
            hash = world_mix_text(hash + 1, slot_dict(slot, c), codes[i]);
        return hash;
    }
    default:
        return world_mix_text(hash, slot_dict(slot, c), (uint32_t)v);
    }
}

/* Of all live rows of a slot in all tables. Everything must be in memory. */
static inline uint64_t world_digest(struct checkpoint_world *w, uint32_t number)
{
    uint64_t sum = 0;

    for (unsigned t = 0; t < w->catalog->n_tables; t++) {
        struct slot *slot = world_slot(w, t, number);

        for (uint32_t i = 0; i < slot_segments(slot); i++) {
            struct segment *g = slot_segment(slot, i);

            for (uint32_t row = 0; row < segment_rows(g); row++) {
                uint64_t hash = t + 1;

                if (!segment_is_live(g, row))
                    continue;
                for (unsigned c = 0; c < WORLD_COLUMNS; c++)
                    hash = world_cell(hash, slot, g, row, c);
                sum = sum * 3 + hash;
            }
        }
    }
    return sum;
}

/* --- checkpoints --- */

/* A slot of all tables into memory: 0 or the error of the first chunk that cannot be read. */
static inline int world_load_slot(struct checkpoint_world *w, uint32_t number)
{
    for (unsigned t = 0; t < w->catalog->n_tables; t++) {
        struct slot *slot = world_slot(w, t, number);

        for (uint32_t i = 0; i < slot_segments(slot); i++) {
            int rc = segment_load_now(slot_segment(slot, i), &w->base.err);

            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static inline int world_load_all(struct checkpoint_world *w)
{
    int rc = 0;

    for (uint32_t number = 0; number < WORLD_SLOTS && rc == 0; number++)
        rc = world_load_slot(w, number);
    return rc;
}

static inline void world_evict_slot(struct checkpoint_world *w, uint32_t number)
{
    for (unsigned t = 0; t < w->catalog->n_tables; t++)
        (void)slot_evict(world_slot(w, t, number), SIZE_MAX, 1000);
}

static inline int world_slot_head(struct checkpoint *c, uint32_t slot, struct buffer *part)
{
    struct checkpoint_world *w = c->ctx;
    struct root_batch batches[2] = {{.client = slot, .sequence = 1}, {.client = 9, .sequence = 2}};
    struct root_slot head = {.slot = slot, .lsn = w->lsn, .batches = batches, .n_batches = 2};

    cr_assert_eq(world_load_slot(w, slot), 0, "%s", w->base.err.text);
    w->digests[w->round][slot] = world_digest(w, slot);
    if (w->evicts)
        world_evict_slot(w, slot);
    return root_put_slot(part, &head);
}

static inline void world_name(struct checkpoint_world *w, char *out, size_t cap, const char *name)
{
    snprintf(out, cap, "%s/%s", w->dir, name);
}

/* The next stage of the root after the operation before has ended. */
static inline void world_root_step(struct io_op *op)
{
    struct checkpoint_world *w = container_of(op, struct checkpoint_world, op);
    struct reactor *r = w->base.r;
    char path[200], path_new[200];

    world_name(w, path, sizeof(path), ROOT_FILE);
    world_name(w, path_new, sizeof(path_new), ROOT_NEW_FILE);
    cr_assert_geq(op->res, 0);
    switch (w->stage++) {
    case ROOT_IDLE:
        io_write(r, op, w->fd, w->root.data, (uint32_t)w->root.len, 0);
        return;
    case ROOT_WRITING:
        cr_assert_eq((size_t)op->res, w->root.len);
        io_fdatasync(r, op, w->fd);
        return;
    case ROOT_SYNCING:
        file_close(r, w->fd);
        cr_assert_eq(file_rename(r, path_new, path), 0);
        w->fd = file_open(r, w->dir, O_RDONLY | O_DIRECTORY, 0);
        cr_assert_geq(w->fd, 0);
        io_fsync(r, op, w->fd);
        return;
    default:
        file_close(r, w->fd);
        buffer_fini(&w->root);
        checkpoint_commit(&w->checkpoint);
        w->ended = true;
    }
}

static inline void world_write_root(struct checkpoint_world *w)
{
    struct root_head head = {.round = w->round};
    struct buffer *part = &w->checkpoint.part;
    uint8_t *bytes;
    size_t len;
    char path[200];

    cr_assert_eq(catalog_encode(w->catalog, &bytes, &len), 0);
    head.catalog = bytes;
    head.catalog_len = (uint32_t)len;
    buffer_init(&w->root, ROOT_MAX_BYTES);
    cr_assert_eq(root_encode(&head, STORE_WORLD_ID, &part, 1, &w->root), 0);
    free(bytes);
    world_name(w, path, sizeof(path), ROOT_NEW_FILE);
    w->fd = file_open(w->base.r, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(w->fd, 0);
    w->op = (struct io_op){.done = world_root_step};
    w->stage = ROOT_IDLE;
    world_root_step(&w->op);
}

static inline void world_checkpoint_done(struct checkpoint *c)
{
    struct checkpoint_world *w = c->ctx;

    cr_assert(!w->ended);
    if (c->rc == 0 && w->root_after)
        world_write_root(w);
    else
        w->ended = true;
}

/* On the core. */
static inline void world_start_checkpoint_here(struct checkpoint_world *w)
{
    w->round++;
    cr_assert_lt(w->round, WORLD_ROUNDS);
    w->ended = false;
    w->stage = ROOT_IDLE;
    w->checkpoint = (struct checkpoint){.shard = w->shard,
                                        .store = w->base.store,
                                        .slot_bits = WORLD_SLOT_BITS,
                                        .slot_head = world_slot_head,
                                        .done = world_checkpoint_done,
                                        .ctx = w};
    checkpoint_start(&w->checkpoint);
}

static inline void world_start_checkpoint(struct checkpoint_world *w)
{
    reactor_set_self(w->base.r);
    world_start_checkpoint_here(w);
    reactor_set_self(NULL);
}

static inline bool world_has_ended(void *ctx)
{
    return ((struct checkpoint_world *)ctx)->ended;
}

static inline void world_wait(struct checkpoint_world *w)
{
    cr_assert_eq(reactor_sim_run(w->base.group, world_has_ended, w, STORE_STEPS), 0);
}

static inline int world_checkpoint(struct checkpoint_world *w)
{
    world_start_checkpoint(w);
    world_wait(w);
    return w->checkpoint.rc;
}

/* --- starts --- */

static inline int world_load_head(void *ctx, const struct root_head *head)
{
    struct checkpoint_world *w = ctx;
    struct catalog *c;
    struct error_info err;

    cr_assert_eq(catalog_decode(head->catalog, head->catalog_len, &c, &err), 0, "%s", err.text);
    cr_assert_eq(shard_set_catalog(w->shard, c), 0);
    catalog_put(w->catalog);
    w->catalog = c;
    w->loaded = head->round;
    return 0;
}

static inline int world_load_file(void *ctx, const struct root_file *f)
{
    struct checkpoint_world *w = ctx;

    cr_assert_lt(w->n_files, 4096);
    w->files[w->n_files++] = *f;
    return checkpoint_load_file(w->shard, w->base.store, f, &w->base.err);
}

static inline bool world_same_file(const struct datafile_id *a, const struct datafile_id *b)
{
    return a->kind == b->kind && a->table_id == b->table_id && a->slot == b->slot &&
           a->partition == b->partition && a->generation == b->generation;
}

static inline bool world_keeps(void *ctx, const struct datafile_id *id)
{
    struct checkpoint_world *w = ctx;

    for (uint32_t i = 0; i < w->n_files; i++)
        if (world_same_file(&w->files[i].id, id))
            return true;
    return false;
}

/* A shard from what the disk has: 0, or what checkpoint_load_file or root_decode answers. */
static inline int world_load(struct checkpoint_world *w)
{
    struct shard_config config = {
        .core = 0, .cores = 1, .slot_bits = WORLD_SLOT_BITS, .hash_seed = 42, .budget = &w->budget};
    struct root_visitor visitor = {world_load_head, NULL, world_load_file, w};
    char path[200];
    int rc = 0;

    cr_assert_eq(shard_new(&config, &w->shard), 0);
    shard_set_store(w->shard, w->base.store, 0);
    w->loaded = 0;
    w->n_files = 0;
    world_name(w, path, sizeof(path), ROOT_FILE);
    int fd = file_open(w->base.r, path, O_RDONLY, 0);
    if (fd >= 0) {
        int64_t size = file_size(w->base.r, fd);
        uint8_t *bytes = malloc((size_t)size + 1);

        cr_assert_eq(file_read_at(w->base.r, fd, bytes, (size_t)size, 0), size);
        file_close(w->base.r, fd);
        rc = root_decode(bytes, (size_t)size, STORE_WORLD_ID, &visitor, &w->base.err);
        free(bytes);
    } else {
        cr_assert_eq(shard_set_catalog(w->shard, w->catalog), 0);
    }
    return rc ? rc : checkpoint_sweep(w->base.r, w->dir, world_keeps, w);
}

/* What was loaded is what the slots held at their cuts of that round. */
static inline void world_check_loaded(struct checkpoint_world *w)
{
    cr_assert_eq(world_load_all(w), 0, "%s", w->base.err.text);
    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
        cr_assert_eq(world_digest(w, slot), w->digests[w->loaded][slot], "round %llu, slot %u",
                     (unsigned long long)w->loaded, slot);
}

static inline void world_setup(struct checkpoint_world *w, uint64_t seed)
{
    budget_init(&w->budget, "test", 0, NULL);
    w->random = seed;
    w->root_after = true;
    w->dir = "d";
}

static inline struct checkpoint_world *world_new(uint64_t seed, uint64_t disk_bytes)
{
    struct checkpoint_world *w = calloc(1, sizeof(*w));

    store_world_init(&w->base, seed, disk_bytes);
    world_setup(w, seed);
    w->catalog = world_catalog(WORLD_TABLES);
    cr_assert_eq(world_load(w), 0);
    return w;
}

static inline void world_drop_shard(struct checkpoint_world *w)
{
    shard_free(w->shard);
    cr_assert_eq(w->budget.used, 0, "all memory was given back");
}

static inline void world_free(struct checkpoint_world *w)
{
    world_drop_shard(w);
    catalog_put(w->catalog);
    store_world_fini(&w->base);
    free(w);
}

/* An orderly end and a new start. */
static inline int world_restart(struct checkpoint_world *w)
{
    world_drop_shard(w);
    store_free(w->base.store);
    sim_kill(w->base.group);
    reactor_group_free(w->base.group);
    store_world_start(&w->base);
    return world_load(w);
}

/* The power fails, at whatever stage the checkpoint is. */
static inline int world_crash(struct checkpoint_world *w)
{
    sim_crash(w->base.group);
    store_abandon(w->base.store);
    if (!w->ended)
        checkpoint_abort(&w->checkpoint);
    buffer_fini(&w->root);
    world_drop_shard(w);
    store_free(w->base.store);
    reactor_group_free(w->base.group);
    store_world_start(&w->base);
    w->ended = true;
    return world_load(w);
}
