/*
 * Slots with data files: cuts while rows change, columns that come and go, damage. Seeds are printed with a failure
 * (QUANTA_SEED sets the first).
 */
#include "storage/slot_disk.h"

#include "storage/shard.h"
#include "unit/storage/disk_world.h"

static uint64_t first_seed(uint64_t other)
{
    const char *seed = getenv("QUANTA_SEED");

    return seed ? strtoull(seed, NULL, 0) : other;
}

/* ---- programs ---- */

struct question {
    struct program program;
    struct predicate leaves[3], all;
    const struct predicate *children[3];
    struct program_string strings[2];
    char texts[2][24];
    uint16_t columns[4];
    struct aggregate aggregates[4];
    struct program_order order;
};

static void ask_range(struct world *w, struct predicate *p)
{
    p->kind = PREDICATE_RANGE;
    p->column = C_NUM;
    p->lo = below(w, 100000);
    p->hi = p->lo + below(w, 30000);
    if (below(w, 3) == 0) {
        p->column = C_ID;
        p->lo = below(w, w->ids);
        p->hi = p->lo + below(w, 500);
    }
    p->negate = below(w, 4) == 0;
}

static void ask_text(struct world *w, struct question *q, struct predicate *p)
{
    static const uint16_t columns[] = {C_NAME, C_STATE, C_TAGS};
    static const char *const formats[] = {"name-%u", "s%u", "t%u"};
    uint32_t k = below(w, 3);

    p->kind = PREDICATE_STRINGS;
    p->column = columns[k];
    p->n = 1;
    p->strings = q->strings;
    p->negate = below(w, 4) == 0;
    snprintf(q->texts[0], sizeof q->texts[0], formats[k], below(w, k ? 25 : 5000));
    q->strings[0] = (struct program_string){q->texts[0], (uint32_t)strlen(q->texts[0])};
}

/* The whole key of a row: found by the index or, when that is on disk, by a scan. */
static void ask_key(struct world *w, struct question *q)
{
    uint32_t id = below(w, w->ids);

    q->leaves[0] = (struct predicate){.kind = PREDICATE_RANGE, .column = C_ID, .lo = id, .hi = id};
    q->leaves[1] = (struct predicate){.kind = PREDICATE_RANGE, .column = C_TS};
    q->leaves[1].lo = q->leaves[1].hi = world_days[below(w, 3)] + id % 100;
    q->children[0] = &q->leaves[0];
    q->children[1] = &q->leaves[1];
    q->all = (struct predicate){.kind = PREDICATE_AND,
                                .n = w->schema->time_column >= 0 ? 2 : 1,
                                .children = q->children};
}

static void ask_where(struct world *w, struct question *q)
{
    uint32_t n = 1 + below(w, 2);

    for (uint32_t i = 0; i < n; i++) {
        memset(&q->leaves[i], 0, sizeof q->leaves[i]);
        switch (below(w, 3)) {
        case 0:
            ask_text(w, q, &q->leaves[i]);
            break;
        case 1:
            q->leaves[i] = (struct predicate){.kind = PREDICATE_NULL,
                                              .column = (uint16_t)(C_NAME + below(w, 5)),
                                              .negate = below(w, 2)};
            break;
        default:
            ask_range(w, &q->leaves[i]);
        }
        q->children[i] = &q->leaves[i];
    }
    q->all = (struct predicate){.kind = below(w, 3) ? PREDICATE_AND : PREDICATE_OR,
                                .n = n,
                                .children = q->children};
}

static void ask(struct world *w, struct question *q)
{
    struct program *p = &q->program;

    memset(q, 0, sizeof *q);
    p->table_id = 7;
    p->memory = 64 << 20;
    p->limit = UINT64_MAX;
    p->columns = q->columns;
    p->aggregates = q->aggregates;
    if (below(w, 4) == 0) {
        ask_key(w, q);
        p->where = &q->all;
    } else if (below(w, 5)) {
        ask_where(w, q);
        p->where = &q->all;
    }
    if (below(w, 2)) {
        p->output = OUTPUT_ROWS;
        p->n_columns = 3;
        for (unsigned i = 0; i < 3; i++)
            q->columns[i] = (uint16_t)below(w, 7);
        if (below(w, 3) == 0) {
            q->columns[0] = C_ID;
            q->columns[1] = C_TS;
            q->order = (struct program_order){0, below(w, 2)};
            p->order = &q->order;
            p->n_order = 1;
            p->limit = 1;
        }
        return;
    }
    p->output = OUTPUT_GROUPS;
    p->n_columns = (uint16_t)below(w, 2);
    q->columns[0] = (uint16_t)(below(w, 2) ? C_STATE : C_FLAG);
    q->aggregates[p->n_aggregates++].kind = AGGREGATE_COUNT_ROWS;
    if (below(w, 2)) {
        q->aggregates[p->n_aggregates++] = (struct aggregate){AGGREGATE_SUM, C_NUM};
        q->aggregates[p->n_aggregates++] = (struct aggregate){AGGREGATE_MIN, C_ID};
        q->aggregates[p->n_aggregates++] = (struct aggregate){AGGREGATE_MAX, C_NUM};
    }
}

static void compare_scan(struct world *w)
{
    struct question q;
    struct buffer got, want;
    struct error_info err = {0};

    ask(w, &q);
    world_answer(w, &q.program, w->slot, &got, &err);
    cr_assert_eq(err.text[0], 0, "%s", err.text);
    world_answer(w, &q.program, w->twin, &want, &err);
    CHECK(got.len == want.len && (!got.len || !memcmp(got.data, want.data, got.len)),
          "answers differ: %zu and %zu bytes", got.len, want.len);
    buffer_fini(&got);
    buffer_fini(&want);
    w->scans++;
}

/* The slot goes on from its last commit, as after a restart; what was written since is written again by both. */
static void restart(struct world *w)
{
    struct slot *t;

    if (w->cutting) {
        while (!world_cut_step(w))
            ;
    }
    world_checkpoint(w);
    t = world_reopen(w);
    slot_set_room(t, &w->room);
    slot_free(w->slot);
    w->slot = t;
}

static void random_steps(struct world *w, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        switch (below(w, 12)) {
        case 0:
        case 1:
        case 2:
        case 3:
            world_write(w);
            break;
        case 4:
        case 5:
        case 6:
            if (!w->cutting)
                world_cut_begin(w, below(w, 4) == 0);
            else if (world_cut_step(w) && w->n_root && !w->failing)
                world_check_commit(w);
            break;
        case 7:
            (void)slot_evict(w->slot, 1u << (10 + below(w, 16)), slot_tick(w->slot));
            break;
        case 8:
            slot_set_tick(w->slot, slot_tick(w->slot) + below(w, 40));
            break;
        case 9:
            if (below(w, 20) == 0)
                restart(w);
            for (uint32_t k = 0; k < slot_segments(w->slot); k++)
                (void)segment_seal_quiet(slot_segment(w->slot, k), i);
            break;
        default:
            compare_scan(w);
        }
    }
}

static void end_random(struct world *w)
{
    uint64_t *got, *want;
    size_t n, m;

    while (w->cutting && !world_cut_step(w))
        ;
    world_load(w, w->slot);
    got = world_dump(w->slot, &n);
    want = world_dump(w->twin, &m);
    world_compare(got, n, want, m, "the end");
    free(got);
    free(want);
}

static void run_random(uint64_t seed, bool partitioned, uint32_t fill, unsigned steps)
{
    struct world w;

    fprintf(stderr, "seed %" PRIu64 "\n", seed);
    world_init(&w, seed, partitioned);
    if (fill)
        world_fill(&w, 0, fill);
    random_steps(&w, steps);
    end_random(&w);
    cr_assert(!steps || (w.commits && w.scans));
    if (getenv("QUANTA_VERBOSE"))
        fprintf(stderr,
                "seed %" PRIu64 ": %" PRIu32 " commits, %" PRIu32 " scans, %" PRIu32 " waits\n",
                seed, w.commits, w.scans, w.waits);
    world_fini(&w);
}

Test(slot_disk, random_partitioned)
{
    uint64_t seed = first_seed(1);

    for (uint64_t i = 0; i < 4; i++)
        run_random(seed + i, true, 0, 700);
}

Test(slot_disk, random_one_partition)
{
    uint64_t seed = first_seed(101);

    for (uint64_t i = 0; i < 4; i++)
        run_random(seed + i, false, 0, 700);
}

Test(slot_disk, random_several_blocks)
{
    run_random(first_seed(201), true, 70000, 80);
    run_random(first_seed(202), false, 140000, 80);
}

/* ---- one thing at a time ---- */

static void world_with_file(struct world *w, bool partitioned, uint32_t rows)
{
    world_init(w, 1, partitioned);
    world_fill(w, 0, rows);
    world_checkpoint(w);
}

static void replace_slot(struct world *w)
{
    struct slot *t = world_reopen(w);

    slot_set_room(t, &w->room);
    slot_free(w->slot);
    w->slot = t;
}

/* count(*) of rows whose column is not NULL. */
static void ask_count(struct question *q, uint16_t column)
{
    memset(q, 0, sizeof *q);
    q->program = (struct program){.table_id = 7,
                                  .output = OUTPUT_GROUPS,
                                  .n_aggregates = 1,
                                  .aggregates = q->aggregates,
                                  .columns = q->columns,
                                  .memory = 1 << 20,
                                  .limit = UINT64_MAX};
    q->aggregates[0].kind = AGGREGATE_COUNT_ROWS;
    q->all = (struct predicate){.kind = PREDICATE_NULL, .column = column, .negate = true};
    q->program.where = &q->all;
}

static bool same_answer(struct world *w, struct question *q, struct error_info *err)
{
    struct buffer got, want;
    struct error_info none = {0};
    bool same;

    world_answer(w, &q->program, w->slot, &got, err);
    world_answer(w, &q->program, w->twin, &want, &none);
    same = got.len == want.len && !memcmp(got.data, want.data, got.len);
    buffer_fini(&got);
    buffer_fini(&want);
    return same;
}

Test(slot_disk, a_damaged_chunk_is_named_and_the_rest_answers)
{
    static const int all[] = {0, 1, 2, 3, 4, 5, 6};
    struct world w;
    struct question q;
    struct error_info err = {0};
    uint8_t *bytes;
    struct segment_directory dir;
    char text[64];

    world_with_file(&w, false, 70000);
    const struct world_file *f = w.root[0].dicts ? &w.root[1] : &w.root[0];
    cr_assert_eq(store_read_now(w.store, f->file, &f->directory, &bytes, &err), 0);
    cr_assert_eq(segment_directory_decode(bytes, f->directory.len, store_file_bytes(f->file),
                                          &w.arena, &dir, &err),
                 0);
    free(bytes);
    const struct chunk_ref num = dir.columns[7 + C_NUM].ref; /* of the second block */
    cr_assert_eq(sim_disk_flip(w.disk, store_file_name(f->file), num.offset + 100, 4), 0);
    replace_slot(&w);
    ask_count(&q, C_NUM);
    same_answer(&w, &q, &err);
    cr_assert_eq(err.code, 1030, "%d %s", err.code, err.text);
    cr_assert(strstr(err.text, store_file_name(f->file)), "%s", err.text);
    snprintf(text, sizeof text, "%" PRIu64, num.offset);
    cr_assert(strstr(err.text, text), "%s lacks %s", err.text, text);
    /* Again: it is read anew and found anew. */
    err.text[0] = 0;
    same_answer(&w, &q, &err);
    cr_assert_neq(err.text[0], 0);
    /* Other columns, and the first block of this one. */
    err.text[0] = 0;
    ask_count(&q, C_STATE);
    cr_assert(same_answer(&w, &q, &err), "%s", err.text);
    ask_count(&q, C_NUM);
    q.leaves[0] = q.all;
    q.leaves[1] = (struct predicate){.kind = PREDICATE_RANGE, .column = C_ID, .lo = 5, .hi = 900};
    q.children[0] = &q.leaves[0];
    q.children[1] = &q.leaves[1];
    q.all = (struct predicate){.kind = PREDICATE_AND, .n = 2, .children = q.children};
    cr_assert(same_answer(&w, &q, &err), "%s", err.text);

    /* A write that needs the block is told. */
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer out;
    struct batch batch;
    for (int c = 0; c < 7; c++) {
        static const enum batch_kind kinds[] = {BATCH_I64,  BATCH_I64, BATCH_BYTES, BATCH_BYTES,
                                                BATCH_LIST, BATCH_I64, BATCH_I64};
        batch_builder_add_column(b, w.schema->columns[c].id, kinds[c], 0);
    }
    world_row(&w, b, 69999, 0, all);
    buffer_init(&out, 1 << 20);
    cr_assert_eq(batch_builder_finish(b, BATCH_UPSERT, 7, 3, &out), 0);
    cr_assert_eq(batch_open(out.data, out.len, &batch, &err), 0);
    cr_assert_eq(world_prepare(&w, &batch, &err), BLOCK_FAILED);
    cr_assert(strstr(err.text, text), "%s", err.text);
    cr_assert_lt(slot_prepare_now(w.slot, &batch, &err), 0);
    buffer_fini(&out);
    batch_builder_free(b);
    world_settle(&w);
    world_fini(&w);
}

Test(slot_disk, memory_goes_back_to_the_budget)
{
    struct world w;
    size_t clean, changed, indexes;
    uint64_t before;

    world_with_file(&w, true, 70000);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_gt(clean, 1000000);
    cr_assert_eq(changed, 0);
    before = w.budget.used;
    cr_assert_geq(slot_evict(w.slot, SIZE_MAX, 0), clean);
    cr_assert_leq(w.budget.used, before - clean);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_eq(clean, 0);
    cr_assert_gt(indexes, 0, "used a moment ago");
    slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 1000);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_lt(indexes, 4096);
    end_random(&w);
    world_fini(&w);
}

/* An index that no write or look-up wanted for long leaves though statements read the rows; one that a write made
 * stays while something is only to be spared. */
Test(slot_disk, unused_indexes_leave)
{
    enum { LATER = 1000 };
    struct world w;
    size_t clean, changed, indexes, before;

    world_with_file(&w, true, 70000);
    slot_residency(w.slot, &clean, &changed, &before);
    (void)slot_evict_many(&w.slot, 1, SIZE_MAX, slot_tick(w.slot), true);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_eq(indexes, before, "written a moment ago");
    slot_set_tick(w.slot, LATER);
    for (uint32_t i = 0; i < slot_segments(w.slot); i++)
        segment_touch(slot_segment(w.slot, i), LATER);
    (void)slot_evict_many(&w.slot, 1, SIZE_MAX, LATER, true);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_lt(indexes, 4096);
    for (int i = 0; i < 10; i++)
        world_write(&w);
    world_checkpoint(&w);
    (void)slot_evict_many(&w.slot, 1, SIZE_MAX, LATER + 1, true);
    slot_residency(w.slot, &clean, &changed, &indexes);
    cr_assert_gt(indexes, before / 4);
    end_random(&w);
    world_fini(&w);
}

/* A budget below what the rows need: they all come and go. */
static void run_tight(bool partitioned)
{
    struct world w;
    size_t clean, changed, indexes;
    uint64_t peak;

    world_with_file(&w, partitioned, 200000);
    replace_slot(&w);
    world_load(&w, w.slot);
    slot_residency(w.slot, &clean, &changed, &indexes);
    (void)slot_evict(w.slot, SIZE_MAX, 0);
    w.room.reserve = 2 << 20; /* a write that builds a sealed column anew */
    w.budget.limit = w.budget.used + clean / 2 + w.room.reserve;
    w.budget.peak = 0;
    w.ids = 30000; /* changes are in the first block: those in all blocks at once would not fit */
    for (int i = 0; i < 60; i++)
        compare_scan(&w);
    for (int i = 0; i < 40; i++) {
        world_write(&w);
        if (i % 8 == 0) { /* what changed leaves memory after a checkpoint only */
            world_checkpoint(&w);
            (void)slot_evict(w.slot, clean / 4, slot_tick(w.slot));
        }
        compare_scan(&w);
    }
    peak = w.budget.peak;
    cr_assert_leq(peak, w.budget.limit);
    w.budget.limit = 0;
    end_random(&w);
    world_fini(&w);
}

Test(slot_disk, half_the_memory_the_rows_need)
{
    run_tight(false);
    run_tight(true);
}

Test(slot_disk, a_file_with_much_that_is_dead_is_written_anew)
{
    static const int nums[] = {0, 1, -1, -1, -1, 2, -1};
    struct world w;
    uint64_t generation = 0;

    world_with_file(&w, true, 40000);
    for (uint32_t i = 0; i < w.n_root; i++)
        if (!w.root[i].dicts)
            generation = store_file_id(w.root[i].file)->generation;
    for (int round = 0; round < 12; round++) {
        for (uint32_t i = 0; i < 40000; i += 8000)
            world_batch(&w, BATCH_UPSERT, nums, 8000, i, true);
        world_checkpoint(&w);
        world_check_commit(&w);
    }
    for (uint32_t i = 0; i < w.n_root; i++) {
        if (w.root[i].dicts)
            continue;
        cr_assert_gt(store_file_id(w.root[i].file)->generation, generation);
        cr_assert_lt(store_file_bytes(w.root[i].file),
                     3 * segment_file_live(slot_segment(w.slot, 0)) + (3 << 20));
    }
    end_random(&w);
    world_fini(&w);
}

Test(slot_disk, dictionaries_of_many_pieces_are_written_anew)
{
    static const int names[] = {0, 1, 2, -1, -1, -1, -1};
    struct world w;
    uint64_t first = 0, last = 0;

    world_init(&w, 5, true);
    for (int i = 0; i < 300; i++) {
        world_batch(&w, BATCH_UPSERT, names, 3, 0, false);
        world_checkpoint(&w);
        for (uint32_t k = 0; k < w.n_root; k++)
            if (w.root[k].dicts)
                last = store_file_id(w.root[k].file)->generation;
        first = i ? first : last;
    }
    cr_assert_gt(last, first);
    world_check_commit(&w);
    end_random(&w);
    world_fini(&w);
}

/* What a change would put aside finds no memory: the change waits, and its block is the next to be encoded. */
Test(slot_disk, changes_wait_for_a_cut_that_they_would_outrun)
{
    static const int nums[] = {0, 1, -1, -1, -1, 2, -1};
    struct world w;
    struct segment *g;

    world_init(&w, 9, false);
    world_fill(&w, 0, 200000);
    world_cut_begin(&w, false);
    g = w.cut.segments[0];
    w.budget.limit = w.budget.used + (900 << 10); /* a quarter of it is too little for a block */
    w.room.reserve = 0;
    while (w.next == 0)
        (void)world_cut_step(&w);
    for (uint32_t row = 100; row < 150000; row += 65536) {
        world_batch(&w, BATCH_UPSERT, nums, 1, row, true);
        cr_assert(w.cutting && segment_cut_is_at_work(g), "other blocks are left");
    }
    cr_assert_eq(w.waits_for_cut, 3);
    w.budget.limit = 0;
    while (!world_cut_step(&w))
        ;
    world_check_commit(&w);
    world_fini(&w);
}

/* A change that did not ask. */
Test(slot_disk, changes_that_outrun_a_cut_end_it)
{
    static const int nums[] = {0, 1, -1, -1, -1, 2, -1};
    struct world w;
    struct segment *g;
    int rc;

    world_init(&w, 9, false);
    world_fill(&w, 0, 70000);
    world_cut_begin(&w, true);
    g = w.cut.segments[0];
    cr_assert(segment_is_changed(g));
    w.budget.limit = w.budget.used + (300 << 10); /* too little for a block put aside */
    w.room.reserve = 0;
    w.at_once = true;
    world_batch(&w, BATCH_UPSERT, nums, 1, 100, true);
    w.budget.limit = 0;
    rc = segment_cut_next(g, &w.extent, DATAFILE_UNIT);
    cr_assert_eq(rc, -ENOMEM, "%d", rc);
    cr_assert(segment_is_changed(g));
    w.extent.len = 0;
    world_cut_end(&w);
    world_checkpoint(&w);
    world_check_commit(&w);
    world_fini(&w);
}

Test(slot_disk, a_column_that_came_later_is_null)
{
    struct world w;
    struct error_info err = {0};
    struct schema *old, *more;
    struct slot *t;
    int64_t v;

    world_with_file(&w, true, 3000);
    old = w.schema;
    more = world_schema(true);
    more->columns[C_FLAG].id = 99; /* as if it had been dropped and another made */
    w.schema = more;
    t = world_reopen(&w);
    cr_assert_eq(segment_load_now(slot_segment(t, 0), &err), 0, "%s", err.text);
    for (uint32_t row = 0; row < 3000; row++) {
        cr_assert(!segment_value(slot_segment(t, 0), row, C_FLAG, &v));
        cr_assert(segment_value(slot_segment(t, 0), row, C_ID, &v) && v == row);
    }
    slot_free(t);
    /* Another layout under the same id is refused. */
    more->columns[C_FLAG].id = old->columns[C_FLAG].id;
    more->columns[C_NUM].layout = LAYOUT_CODED;
    cr_assert_eq(slot_new(more, 3, 42, NULL, &t), 0);
    struct segment_directory dir;
    uint8_t *bytes;
    const struct world_file *f = w.root[0].dicts ? &w.root[1] : &w.root[0];
    cr_assert_eq(store_read_now(w.store, f->file, &f->directory, &bytes, &err), 0);
    cr_assert_eq(segment_directory_decode(bytes, f->directory.len, store_file_bytes(f->file),
                                          &w.arena, &dir, &err),
                 0);
    free(bytes);
    cr_assert_eq(slot_open_segment(t, w.store, f->file, &dir, &err), -EBADMSG);
    cr_assert(strstr(err.text, "'num'"), "%s", err.text);
    slot_free(t);
    w.schema = old;
    world_fini(&w);
    schema_put(more);
}

/* The slot of a shard with data files: evicted, read back in the background, and truncated. */
Test(slot_disk, shards_evict_and_load)
{
    struct shard_config config = {.cores = 1, .slot_bits = 2, .hash_seed = 42};
    struct shard_memory before, after;
    struct catalog *empty = catalog_new(), *c;
    struct error_info err = {0};
    struct datafile_id first, second;
    struct slot_cut cut;
    struct shard *s;
    struct slot *t;
    struct world w;

    world_init(&w, 3, true);
    w.schema->table_id = 0;
    cr_assert_eq(catalog_with_table(empty, w.schema, &c), 0);
    config.budget = &w.budget;
    cr_assert_eq(shard_new(&config, &s), 0);
    cr_assert_eq(shard_set_catalog(s, c), 0);
    shard_set_store(s, w.store, 1 << 20);
    /* The world's steps work on a slot of the shard. */
    slot_free(w.slot);
    t = w.slot = shard_slot(s, w.schema->table_id, 3);
    world_fill(&w, 0, 20000);
    world_checkpoint(&w);
    shard_get_memory(s, &before);
    cr_assert_eq(before.changed, 0);
    cr_assert_geq(shard_evict(s, SIZE_MAX, 1000), before.clean);
    cr_assert(!shard_is_loaded(s));
    shard_get_memory(s, &after);
    cr_assert_eq(after.clean, 0);
    cr_assert_lt(after.total, before.total);
    while (shard_load(s, 64 << 10, 0, &w.wake, &err) == BLOCK_PENDING)
        world_wait(&w);
    while (shard_load_index(s, 0, &err) == BLOCK_PENDING)
        continue;
    cr_assert(shard_is_loaded(s), "%s", err.text);
    shard_get_memory(s, &after);
    cr_assert_gt(after.indexes, 0);
    compare_scan(&w);

    /* A truncated slot never gives a new file an old one's name. */
    first = *store_file_id(segment_file(slot_segment(t, 0)));
    cr_assert_eq(shard_truncate(s, w.schema->table_id), 0);
    slot_free(w.twin);
    cr_assert_eq(slot_new(w.schema, 3, 42, NULL, &w.twin), 0);
    w.slot = shard_slot(s, w.schema->table_id, 3);
    world_fill(&w, 0, 10);
    cr_assert_eq(slot_cut_begin(w.slot, &cut), 0);
    cr_assert(slot_cut_file(&cut, 0, &second));
    cr_assert_gt(second.generation, first.generation);
    segment_cut_end(cut.segments[0], false);
    slot_cut_fini(&cut);

    world_settle(&w); /* what it frees in steps */
    shard_free(s);
    catalog_put(c);
    catalog_put(empty);
    cr_assert_eq(slot_new(w.schema, 3, 42, &w.budget, &w.slot), 0);
    world_fini(&w);
}
