/*
 * Partitions archived and restored at random among writes, checkpoints, crashes and starts: what a root says is archived
 * is there with the rows it had, what is not is seen, and nothing of it stays in memory. Seeds are printed.
 */
#include "checkpoint_world.h"

#include "storage/partition.h"
#include "storage/slot_archive.h"

enum { PARTS = 0 /* position of the table with partitions */, DAYS = 5 };

/* A partition of a slot as it was when it was archived. */
struct away {
    bool archived;
    uint64_t rows, digest;
};

struct model {
    struct checkpoint_world *w;
    struct away now[WORLD_SLOTS][DAYS];
    struct away at_cut[WORLD_ROUNDS][WORLD_SLOTS][DAYS];
};

static struct model *model_of; /* for slot_head, which has the world only */

static int64_t start_of(unsigned day)
{
    return WORLD_NOON - WORLD_DAY / 2 + (int64_t)day * WORLD_DAY;
}

static struct segment *find_segment(const struct slot *t, int64_t start)
{
    for (uint32_t i = 0; i < slot_segments(t); i++)
        if (segment_partition(slot_segment(t, i)) == start)
            return slot_segment(t, i);
    return NULL;
}

static uint64_t digest_of(const struct slot *t, struct segment *g)
{
    struct error_info err;
    uint64_t sum = 0;

    cr_assert_eq(segment_load_now(g, &err), 0, "%s", err.text);
    for (uint32_t row = 0; row < segment_rows(g); row++) {
        uint64_t hash = 7;

        if (!segment_is_live(g, row))
            continue;
        for (unsigned c = 0; c < WORLD_COLUMNS; c++)
            hash = world_cell(hash, t, g, row, c);
        sum = sum * 3 + hash;
    }
    return sum;
}

static void archive(struct model *m, uint32_t slot, unsigned day)
{
    struct slot *t = world_slot(m->w, PARTS, slot);
    struct segment *g = find_segment(t, start_of(day));
    struct away x = {.archived = true};
    bool changed;

    if (g && segment_live(g)) {
        x.rows = segment_live(g);
        x.digest = digest_of(t, g);
    }
    if (world_random(m->w, 2))
        (void)slot_evict(t, SIZE_MAX, 1000);
    cr_assert_eq(slot_archive_partition(t, start_of(day), &changed), 0);
    cr_assert_eq(changed, !m->now[slot][day].archived);
    cr_assert_null(find_segment(t, start_of(day)));
    if (changed)
        m->now[slot][day] = x;
}

static void restore(struct model *m, uint32_t slot, unsigned day)
{
    struct slot *t = world_slot(m->w, PARTS, slot);
    struct away *x = &m->now[slot][day];
    struct error_info err;

    cr_assert_eq(slot_is_archived(t, start_of(day)), x->archived);
    cr_assert_eq(slot_restore_now(t, start_of(day), &err), 0, "%s", err.text);
    cr_assert(!slot_is_archived(t, start_of(day)));
    struct segment *g = find_segment(t, start_of(day));
    if (x->archived) {
        cr_assert_eq(g ? segment_live(g) : 0, x->rows);
        cr_assert_eq(x->rows ? digest_of(t, g) : 0, x->digest);
    }
    x->archived = false;
}

static void drop(struct model *m, uint32_t slot, unsigned day)
{
    struct slot *t = world_slot(m->w, PARTS, slot);
    bool had = find_segment(t, start_of(day)) || m->now[slot][day].archived;

    cr_assert_eq(slot_drop_partition(t, start_of(day)), had);
    m->now[slot][day].archived = false;
}

static int note_cut(struct checkpoint *c, uint32_t slot, struct buffer *part)
{
    memcpy(model_of->at_cut[model_of->w->round][slot], model_of->now[slot],
           sizeof model_of->now[slot]);
    return world_slot_head(c, slot, part);
}

static void start_checkpoint(struct model *m)
{
    model_of = m;
    world_start_checkpoint(m->w);
    m->w->checkpoint.slot_head = note_cut;
}

/* After a start: the root's partitions are archived, and no others; their rows come back when asked for. */
static void check_start(struct model *m)
{
    struct checkpoint_world *w = m->w;
    struct slot_archived_info info;

    world_check_loaded(w);
    memcpy(m->now, m->at_cut[w->loaded], sizeof m->now);
    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++) {
        const struct slot *t = world_slot(w, PARTS, slot);
        uint32_t n = 0;

        for (unsigned day = 0; day < DAYS; day++) {
            cr_assert_eq(slot_is_archived(t, start_of(day)), m->now[slot][day].archived);
            if (!m->now[slot][day].archived)
                continue;
            slot_archived_peek(t, n++, &info);
            cr_assert_eq(info.partition, start_of(day));
            cr_assert_eq(info.rows, m->now[slot][day].rows);
            cr_assert_eq(info.rows != 0, slot_archived_file(t, start_of(day)) != NULL);
        }
        cr_assert_eq(slot_archived(t), n);
    }
    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++) {
        unsigned day = (unsigned)world_random(w, DAYS);
        bool archived = m->now[slot][day].archived;

        restore(m, slot, day);
        if (archived && world_random(w, 2))
            archive(m, slot, day);
    }
}

static void act(struct model *m)
{
    struct checkpoint_world *w = m->w;
    uint32_t slot = (uint32_t)world_random(w, WORLD_SLOTS);
    unsigned day = (unsigned)world_random(w, DAYS);

    switch (world_random(w, 8)) {
    case 0:
    case 1:
        archive(m, slot, day);
        break;
    case 2:
        restore(m, slot, day);
        break;
    case 3:
        if (world_random(w, 4) == 0)
            drop(m, slot, day);
        break;
    case 4:
        world_evict_slot(w, slot);
        break;
    default:
        world_write(w);
    }
}

static void run_random(uint64_t seed)
{
    struct model *m = calloc(1, sizeof(*m));
    struct checkpoint_world *w = world_new(seed, 0);

    m->w = w;
    for (uint32_t slot = 0; slot < WORLD_SLOTS; slot++)
        world_fill(w, PARTS, slot, 0, 200);
    while (w->round + 1 < WORLD_ROUNDS) {
        w->evicts = world_random(w, 2);
        for (uint64_t n = world_random(w, 12); n-- > 0;)
            act(m);
        start_checkpoint(m);
        for (uint64_t n = world_random(w, 6); n-- > 0;) {
            store_world_steps(&w->base, world_random(w, 60));
            act(m);
        }
        if (world_random(w, 3) == 0) {
            cr_assert_eq(world_crash(w), 0, "%s", w->base.err.text);
            check_start(m);
            continue;
        }
        world_wait(w);
        cr_assert_eq(w->checkpoint.rc, 0, "%s", w->checkpoint.error.text);
        if (world_random(w, 4) == 0) {
            cr_assert_eq(world_restart(w), 0, "%s", w->base.err.text);
            check_start(m);
        }
    }
    world_free(w);
    free(m);
}

Test(slot_archive, random_among_checkpoints_and_crashes)
{
    const char *seed = getenv("QUANTA_SEED");

    for (uint64_t i = 0; i < 60; i++) {
        uint64_t s = (seed ? strtoull(seed, NULL, 0) : 900) + i;

        fprintf(stderr, "seed %llu\n", (unsigned long long)s);
        run_random(s);
    }
}

/* Segments with files, by place. */
struct place_count {
    unsigned data, archive;
};

static bool count_place(void *ctx, const struct datafile_id *id)
{
    struct place_count *c = ctx;

    if (id->kind == DATAFILE_SEGMENT)
        (*(id->archived ? &c->archive : &c->data))++;
    return true;
}

static struct place_count places(struct checkpoint_world *w)
{
    struct place_count c = {0};

    store_world_steps(&w->base, 2000); /* what goes has gone */
    cr_assert_eq(checkpoint_sweep(w->base.r, w->dir, count_place, &c), 0);
    return c;
}

static void expect_places(struct checkpoint_world *w, unsigned data, unsigned archive)
{
    struct place_count c = places(w);

    cr_assert_eq(c.data, data, "%u data files, not %u", c.data, data);
    cr_assert_eq(c.archive, archive, "%u archives, not %u", c.archive, archive);
}

Test(slot_archive, the_file_moves_with_the_checkpoint_and_memory_goes)
{
    struct checkpoint_world *w = world_new(5, 0);
    struct model *m = calloc(1, sizeof(*m));

    m->w = w;
    world_fill(w, PARTS, 1, 0, 100);
    world_fill(w, PARTS, 1, 100000, 70000); /* two blocks over five days */
    cr_assert_eq(world_checkpoint(w), 0);
    expect_places(w, 5, 0);
    struct slot *t = world_slot(w, PARTS, 1);
    size_t clean, changed, indexes;
    slot_residency(t, &clean, &changed, &indexes);
    uint64_t before = w->budget.used, rows = clean + changed + indexes;
    for (unsigned day = 0; day < DAYS; day++)
        archive(m, 1, day);
    expect_places(w, 5, 0); /* the root on disk still names them */
    cr_assert_eq(world_checkpoint(w), 0);
    expect_places(w, 0, 5);
    cr_assert_leq(w->budget.used, before - rows);
    slot_residency(t, &clean, &changed, &indexes);
    cr_assert_eq(clean + changed + indexes, 0);
    restore(m, 1, 3);
    cr_assert_eq(world_checkpoint(w), 0);
    expect_places(w, 1, 4);
    drop(m, 1, 0);
    drop(m, 1, 3);
    expect_places(w, 1, 4);
    cr_assert_eq(world_checkpoint(w), 0);
    expect_places(w, 0, 3);
    cr_assert_eq(world_restart(w), 0);
    expect_places(w, 0, 3);
    cr_assert_eq(shard_truncate(w->shard, w->catalog->tables[PARTS]->table_id), 0);
    cr_assert_eq(world_checkpoint(w), 0);
    expect_places(w, 0, 0);
    free(m);
    world_free(w);
}

static void apply_row(struct slot *t, enum batch_op op, unsigned day, struct write_result *result)
{
    struct batch_builder *b = world_builder(t, 2);
    struct error_info err;
    struct buffer bytes;
    struct batch batch;

    batch_builder_put_i64(b, COL_ID, 4711);
    batch_builder_put_i64(b, COL_TS, WORLD_NOON + day * WORLD_DAY);
    cr_assert_eq(batch_builder_end_row(b), 0);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, slot_schema(t)->table_id, slot_number(t), &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_prepare_now(t, &batch, &err), 0);
    if (op == BATCH_INSERT)
        cr_assert_eq(slot_check(t, &batch, result), 0);
    if (op != BATCH_INSERT || !result->rejected)
        cr_assert_eq(slot_apply(t, &batch, result), 0);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

Test(slot_archive, rows_of_its_time_are_refused_in_every_slot)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_UPSERT, BATCH_REPLACE, BATCH_IGNORE};
    struct checkpoint_world *w = world_new(6, 0);
    struct slot *t = world_slot(w, PARTS, 2); /* has none */
    struct write_result r;
    bool changed;

    cr_assert_eq(slot_archive_partition(t, start_of(1), &changed), 0);
    cr_assert(changed);
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
            apply_row(t, ops[k], 1, &r);
            cr_assert_eq(r.rejected, 1);
            cr_assert_eq(r.errors[0].info.code, 1526);
            cr_assert(strstr(r.errors[0].info.text, "2026-01-02 12:00:00") &&
                          strstr(r.errors[0].info.text, "p20260102"),
                      "%s", r.errors[0].info.text);
        }
        apply_row(t, BATCH_DELETE, 1, &r);
        cr_assert_eq(r.rejected + r.deleted, 0);
        apply_row(t, BATCH_REPLACE, 2, &r);
        cr_assert_eq(r.rejected, 0);
        cr_assert_eq(world_checkpoint(w), 0);
        cr_assert_eq(world_restart(w), 0); /* it says so in the root, without a file */
        t = world_slot(w, PARTS, 2);
    }
    cr_assert_eq(slot_restore_partition(t, start_of(1), NULL, &changed), 0);
    cr_assert(changed);
    apply_row(t, BATCH_INSERT, 1, &r);
    cr_assert_eq(r.inserted, 1);
    world_free(w);
}

Test(slot_archive, a_file_that_is_not_there_is_named)
{
    struct checkpoint_world *w = world_new(8, 0);
    struct model *m = calloc(1, sizeof(*m));
    struct error_info err;
    char path[200];

    m->w = w;
    world_fill(w, PARTS, 1, 0, 100);
    archive(m, 1, 2);
    cr_assert_eq(world_checkpoint(w), 0);
    struct slot *t = world_slot(w, PARTS, 1);
    snprintf(path, sizeof path, "%s", store_file_name(slot_archived_file(t, start_of(2))));
    cr_assert_eq(file_rename(w->base.r, path, "away"), 0);
    cr_assert_eq(slot_restore_now(t, start_of(2), &err), -ENOENT);
    cr_assert(strstr(err.text, path), "%s", err.text);
    cr_assert_eq(world_restart(w), 0);
    t = world_slot(w, PARTS, 1);
    cr_assert_eq(slot_restore_now(t, start_of(2), &err), -ENOENT);
    cr_assert_eq(file_rename(w->base.r, "away", path), 0);
    uint64_t at = 0, bytes;
    struct chunk_ref ref;
    store_file_directory(slot_archived_file(t, start_of(2)), &ref, &bytes);
    for (unsigned i = 0; i < 2; i++, at = ref.offset) {
        cr_assert_eq(sim_disk_flip(w->base.disk, path, at + 9, 1), 0);
        cr_assert_eq(slot_restore_now(t, start_of(2), &err), -EBADMSG);
        cr_assert(strstr(err.text, path) && strstr(err.text, "offset"), "%s", err.text);
        cr_assert_eq(sim_disk_flip(w->base.disk, path, at + 9, 1), 0);
    }
    restore(m, 1, 2);
    free(m);
    world_free(w);
}
