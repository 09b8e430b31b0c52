/*
 * Slots that get columns while statements read them, reads are on their way and cuts are at work, against a twin in
 * memory; what the rows have that were there. Seeds are printed (QUANTA_SEED sets the first).
 */
#include "storage/slot_alter.h"

#include "storage/key.h"
#include "storage/mapping.h"
#include "unit/storage/disk_scan.h"

/* Columns of all storage kinds, as they may be added. */
static const struct kind {
    enum column_type type;
    enum mapping mapping;
    bool several;
    const char *value; /* default; NULL = none */
} kinds[] = {
    {COLUMN_INT, MAPPING_INT_BSI, false, "-77"},
    {COLUMN_INT, MAPPING_INT_BSI, false, NULL},
    {COLUMN_INT, MAPPING_INT_DIRECT, false, "5"},
    {COLUMN_INT, MAPPING_INT_DIRECT, false, NULL},
    {COLUMN_BOOL, MAPPING_BOOL_DIRECT, false, "true"},
    {COLUMN_DECIMAL, MAPPING_FLOAT_SCALE_BSI, false, "1.25"},
    {COLUMN_DATE, MAPPING_SYS_SEC_BSI, false, "1969-02-03"},
    {COLUMN_DATETIME, MAPPING_SYS_MILLIS_BSI, false, "2026-02-03 04:05:06.789"},
    {COLUMN_STRING, MAPPING_STRING_HASH_BSI, false, "some text"},
    {COLUMN_STRING, MAPPING_STRING_HASH_BSI, false, NULL},
    {COLUMN_STRING, MAPPING_STRING_ENUM, false, "on"},
    {COLUMN_STRING, MAPPING_STRING_ENUM, false, NULL},
    {COLUMN_STRING, MAPPING_STRING_ENUM, true, "b,a,b"},
    {COLUMN_STRING, MAPPING_STRING_ENUM, true, NULL},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static void add(struct schema *s, const struct kind *k)
{
    char name[24];

    snprintf(name, sizeof name, "added%u", s->n_columns);
    struct column *c = schema_add_column(s, name, k->type, k->mapping);
    c->multi_valued = k->several;
    c->scale = k->type == COLUMN_DECIMAL ? 2 : 0;
    cr_assert_eq(schema_set_text(&c->default_value, k->value), 0);
}

/* The definition with n columns of kinds from `first` on. */
static struct schema *with_columns(const struct schema *old, uint32_t first, uint32_t n)
{
    struct error_info err = {0};
    struct schema *next;

    cr_assert_eq(schema_copy(old, &next, &err), 0, "%s", err.text);
    schema_reopen(next);
    for (uint32_t i = 0; i < n; i++)
        add(next, &kinds[(first + i) % KINDS]);
    cr_assert_eq(schema_finish(next, &err), 0, "%s", err.text);
    cr_assert_eq(schema_succeed(old, next, 0, NULL, NULL, &err), 0, "%s", err.text);
    next->version = old->version + 1;
    return next;
}

/* Value of a row's column as text; false = NULL. */
static bool text_of(const struct slot *t, struct segment *g, uint32_t row, unsigned c, char *out,
                    size_t cap)
{
    const struct column *col = &slot_schema(t)->columns[c];
    struct cell cell = {.present = true};
    uint32_t n = 1, at = 0;
    int64_t v;

    if (!segment_value(g, row, c, &v))
        return false;
    cell.i64 = v;
    if (col->layout != LAYOUT_ORDERED && col->type != COLUMN_STRING)
        cell.i64 = dict_int(slot_dict(t, c), (uint32_t)v);
    const uint32_t one = (uint32_t)v, *codes = &one;
    if (col->layout == LAYOUT_LIST)
        codes = dict_list(slot_list_dict(t, c), (uint32_t)v, &n);
    for (uint32_t i = 0; i < n; i++) {
        if (col->type == COLUMN_STRING)
            cell.bytes = dict_bytes(slot_dict(t, c), codes[i], &cell.len);
        if (i)
            out[at++] = ',';
        at += (uint32_t)mapping_print(col, &cell, out + at, cap - at - 1);
    }
    out[at] = 0;
    return true;
}

/* What rows must have in a column made of a default. */
static const char *wanted(const struct column *c)
{
    return !c->default_value ? NULL : !strcmp(c->default_value, "b,a,b") ? "b,a" : c->default_value;
}

/* Every row of the slot has the defaults in the columns from `first` on. */
static void check_defaults(struct slot *t, unsigned first)
{
    const struct schema *s = slot_schema(t);
    char text[80];

    for (uint32_t i = 0; i < slot_segments(t); i++) {
        struct segment *g = slot_segment(t, i);
        for (unsigned c = first; c < s->n_columns; c++)
            for (uint32_t row = 0; row < segment_rows(g); row += 1 + row / 7) {
                bool present = text_of(t, g, row, c, text, sizeof text);
                const char *want = wanted(&s->columns[c]);
                CHECK(present == (want != NULL), "column %u, row %u", c, row);
                if (want)
                    cr_assert_str_eq(text, want, "column %u, row %u", c, row);
            }
    }
}

static void take_schema(struct world *w, struct schema *next)
{
    schema_put(w->schema);
    w->schema = next;
}

/* Both slots get the columns. */
static void alter(struct world *w, uint32_t first, uint32_t n)
{
    struct schema *next = with_columns(w->schema, first, n);
    struct slot_alter *a, *b;

    cr_assert_eq(slot_alter_new(w->slot, next, &a), 0);
    cr_assert_eq(slot_alter_new(w->twin, next, &b), 0);
    slot_alter_take(a);
    slot_alter_take(b);
    take_schema(w, next);
}

static void compare_slots(struct world *w)
{
    uint64_t *a, *b;
    size_t n, m;

    world_load(w, w->slot);
    a = world_dump(w->slot, &n);
    b = world_dump(w->twin, &m);
    world_compare(a, n, b, m, "slot and twin");
    free(a);
    free(b);
}

/* Whole blocks, a block in lines and a tail, of rows in memory; answers by value and by count. */
Test(slot_alter, rows_that_are_there_have_the_default)
{
    static const uint32_t sizes[] = {1, 511, 512, 5000, 65536, 70000};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world w;

        world_init(&w, i, i % 2);
        world_fill(&w, 0, sizes[i]);
        if (i % 2)
            for (uint32_t k = 0; k < slot_segments(w.slot); k++)
                cr_assert_eq(segment_seal(slot_segment(w.slot, k), k % 2), 0);
        alter(&w, 0, KINDS);
        check_defaults(w.slot, 7);
        check_defaults(w.twin, 7);
        world_fill(&w, sizes[i], 3000); /* columns that are not given are NULL */
        compare_slots(&w);
        alter(&w, 4, 3);
        check_defaults(w.slot, 7 + KINDS);
        world_fini(&w);
    }
}

/* Files from before the columns, read after a start with the definition that has them. */
Test(slot_alter, files_that_lack_the_columns)
{
    struct world w;

    world_init(&w, 3, false);
    world_fill(&w, 0, 140000);
    world_checkpoint(&w);
    take_schema(&w, with_columns(w.schema, 0, KINDS));
    struct slot *t = world_reopen(&w);
    world_load(&w, t);
    check_defaults(t, 7);
    slot_free(t);
    world_fini(&w);
}

static bool can_leave(struct slot *t)
{
    size_t clean, changed, indexes;

    (void)slot_evict(t, SIZE_MAX, slot_tick(t) + 100);
    slot_residency(t, &clean, &changed, &indexes);
    return clean + changed == 0;
}

/* After the next cut the columns leave memory like all others, also those that a start made. */
Test(slot_alter, columns_leave_memory)
{
    struct world w;
    char text[80];

    world_init(&w, 4, false);
    world_fill(&w, 0, 70000);
    world_checkpoint(&w);
    alter(&w, 0, KINDS);
    cr_assert(!can_leave(w.slot));
    world_checkpoint(&w);
    cr_assert(can_leave(w.slot));
    world_fill(&w, 70000, 100); /* the last block has rows with values of its own */
    world_checkpoint(&w);
    world_check_commit(&w);
    struct slot *t = world_reopen(&w);
    world_load(&w, t);
    cr_assert(text_of(t, slot_segment(t, 0), 69999, 7, text, sizeof text));
    cr_assert_str_eq(text, "-77");
    cr_assert(!text_of(t, slot_segment(t, 0), 70000, 7, text, sizeof text));
    slot_free(t);
    take_schema(&w, with_columns(w.schema, 3, 4));
    t = world_reopen(&w);
    cr_assert(!can_leave(t));
    slot_free(w.slot);
    w.slot = t;
    world_checkpoint(&w);
    cr_assert(can_leave(w.slot));
    world_load(&w, w.slot);
    check_defaults(w.slot, 7 + KINDS);
    world_fini(&w);
}

/* The root of a cut was on its way to the disk when the columns came, and holds. */
Test(slot_alter, a_cut_that_was_complete_holds)
{
    static const int key[] = {-1, 0, -1, -1, -1, -1, -1};
    struct world w;

    world_init(&w, 5, false);
    world_fill(&w, 0, 70000);
    world_batch(&w, BATCH_DELETE, key, 300, 500, true);
    world_cut_begin(&w, false);
    while (w.next <= w.cut.n_segments)
        cr_assert(!world_cut_step(&w));
    alter(&w, 2, KINDS);
    cr_assert(world_cut_step(&w)); /* commits */
    cr_assert_eq(w.commits, 1);
    world_fill(&w, 70000, 100);
    world_batch(&w, BATCH_DELETE, key, 300, 900, true);
    (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
    compare_slots(&w);
    world_checkpoint(&w);
    world_check_commit(&w);
    world_fini(&w);
}

static void ask(const struct world *w, struct program *p)
{
    static const struct aggregate aggregates[] = {{.kind = AGGREGATE_COUNT_ROWS},
                                                  {AGGREGATE_SUM, C_NUM},
                                                  {AGGREGATE_MAX, C_ID},
                                                  {AGGREGATE_COUNT, C_STATE}};

    (void)w;
    *p = (struct program){.table_id = 7,
                          .memory = 64 << 20,
                          .limit = UINT64_MAX,
                          .output = OUTPUT_GROUPS,
                          .n_aggregates = 4,
                          .aggregates = aggregates};
}

static struct scan *open_scan(struct world *w, struct slot **slot, const struct schema *s,
                              struct program *p)
{
    struct error_info err = {0};
    struct scan *x;

    ask(w, p);
    cr_assert_eq(scan_new(p, s, slot, 1, NULL, &w->wake, &x, &err), 0, "%s", err.text);
    return x;
}

/* A scan of the definition before goes on over the change, with columns and a row mask on their way from the disk. */
Test(slot_alter, a_scan_goes_on)
{
    for (unsigned steps = 0; steps < 6; steps++) {
        struct world w;
        struct program p, q;
        struct buffer want, got;
        struct batch b;
        static const int key[] = {-1, 0, -1, -1, -1, -1, -1};

        world_init(&w, steps, false);
        world_fill(&w, 0, 150000);
        world_batch(&w, BATCH_DELETE, key, 500, 66000, true);
        world_checkpoint(&w);
        struct schema *old = schema_get(w.schema);
        struct scan *x = open_scan(&w, &w.twin, old, &p);
        run_scan(&w, x, &want);
        scan_free(x);
        (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        x = open_scan(&w, &w.slot, old, &q);
        for (unsigned i = 0; i < steps; i++)
            if (scan_step(x, 4096, &b) == SCAN_WAIT && i + 1 < steps)
                world_wait(&w);
        alter(&w, steps, 5);
        run_scan(&w, x, &got);
        scan_free(x);
        cr_assert(want.len == got.len && !memcmp(want.data, got.data, got.len));
        buffer_fini(&want);
        buffer_fini(&got);
        schema_put(old);
        world_load(&w, w.slot);
        check_defaults(w.slot, 7);
        compare_slots(&w);
        world_fini(&w);
    }
}

/* A start from the same slot files: chunks and masks that were read before the change are read after it, too. */
Test(slot_alter, row_masks_on_their_way)
{
    static const int key[] = {-1, 0, -1, -1, -1, -1, -1};
    struct world w;
    struct block b;
    struct column_want want = {NULL, 0}; /* the row mask alone */

    world_init(&w, 8, false);
    world_fill(&w, 0, 66000);
    world_batch(&w, BATCH_DELETE, key, 400, 100, true);
    world_checkpoint(&w);
    struct slot *t = world_reopen(&w);
    slot_free(w.slot);
    w.slot = t;
    cr_assert_eq(segment_block_want(slot_segment(t, 0), 0, &want, &w.wake, &b), BLOCK_PENDING);
    alter(&w, 3, 9);
    world_wait(&w);
    cr_assert_eq(segment_block_want(slot_segment(t, 0), 0, &want, &w.wake, &b), BLOCK_READY);
    cr_assert_eq(b.live_count, BLOCK_ROWS - 400);
    compare_slots(&w);
    world_fini(&w);
}

/* A cut that is complete, its root on the way to the disk with the definition before. */
Test(slot_alter, a_complete_cut_holds)
{
    struct world w;

    world_init(&w, 9, false);
    world_fill(&w, 0, 5000);
    world_cut_begin(&w, false);
    while (w.next <= w.cut.n_segments)
        cr_assert(!world_cut_step(&w));
    alter(&w, 0, KINDS);
    cr_assert(world_cut_step(&w) && w.commits == 1);
    compare_slots(&w);
    struct slot *t = world_reopen(&w);
    world_load(&w, t);
    check_defaults(t, 7);
    slot_free(t);
    world_fini(&w);
}

/* Without the memory nothing changes; a prepared change that is given up leaves no trace. */
Test(slot_alter, given_up)
{
    struct world w;
    struct slot_alter *a;

    world_init(&w, 6, true);
    world_fill(&w, 0, 70000);
    for (int i = 0; i < 20; i++)
        world_write(&w);
    struct schema *next = with_columns(w.schema, 0, KINDS);
    uint64_t used = w.budget.used;
    cr_assert_eq(slot_alter_new(w.slot, next, &a), 0);
    cr_assert_gt(w.budget.used, used);
    slot_alter_free(a);
    cr_assert_eq(w.budget.used, used);
    unsigned refused = 0;
    for (uint64_t more = 0; more < 1 << 20; more += 4096) {
        w.budget.limit = used + more;
        int rc = slot_alter_new(w.slot, next, &a);
        if (rc == 0)
            slot_alter_free(a);
        refused += rc == -ENOMEM;
        cr_assert(rc == 0 || rc == -ENOMEM);
        cr_assert_eq(w.budget.used, used, "%d", rc);
    }
    cr_assert_gt(refused, 20);
    w.budget.limit = 0;
    cr_assert_eq(slot_schema(w.slot)->n_columns, 7);
    schema_put(next);
    compare_slots(&w);
    world_fini(&w);
}

/* Rows with values of the new columns, by key. */
static void write_new(struct world *w)
{
    static const enum batch_op ops[] = {BATCH_UPSERT, BATCH_UPDATE, BATCH_REPLACE, BATCH_INSERT};
    struct batch_builder *b = batch_builder_new(NULL);
    const struct schema *s = w->schema;
    struct error_info err;
    struct buffer bytes;
    struct batch batch;
    unsigned columns[64], n = 0;

    batch_builder_add_column(b, s->columns[C_TS].id, BATCH_I64, 0);
    batch_builder_add_column(b, s->columns[C_ID].id, BATCH_I64, 0);
    for (unsigned c = 7; c < s->n_columns && n < 60; c++)
        if (below(w, 3)) {
            columns[n++] = c;
            batch_builder_add_column(b, s->columns[c].id,
                                     (enum batch_kind)key_batch_kind(&s->columns[c]), 0);
        }
    for (uint32_t i = 1 + below(w, 60); i > 0; i--) {
        uint32_t id = below(w, w->ids), day = below(w, 3);
        batch_builder_put_i64(b, 0, world_days[day] + id % 100);
        batch_builder_put_i64(b, 1, id);
        for (unsigned k = 0; k < n; k++) {
            const struct column *c = &s->columns[columns[k]];
            if (!below(w, 4))
                continue;
            if (c->layout == LAYOUT_LIST)
                for (uint32_t items = 1 + below(w, 3); items > 0; items--) {
                    char text[8];
                    int len = snprintf(text, sizeof text, "i%u", below(w, 9));
                    batch_builder_put_list_item(b, k + 2, text, (uint32_t)len);
                }
            else if (c->type == COLUMN_STRING)
                put_text(b, (int)k + 2, "v%u", below(w, 40));
            else
                batch_builder_put_i64(b, k + 2,
                                      c->type == COLUMN_BOOL ? below(w, 2) : below(w, 3000) - 1000);
        }
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, ops[below(w, 4)], 7, 3, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0, "%s", err.text);
    world_apply(w, &batch);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

/* What does not write, between the preparation and the step; the round of a cut at work is given up. */
static void disturb(struct world *w)
{
    for (uint32_t n = below(w, 4); n > 0; n--) {
        uint32_t what = below(w, 4);

        if (what == 0) {
            (void)slot_evict(w->slot, SIZE_MAX, slot_tick(w->slot) + 100);
        } else if (what == 1) {
            uint32_t day = below(w, 3);
            (void)slot_drop_partition(w->slot, world_days[day]);
            (void)slot_drop_partition(w->twin, world_days[day]);
        } else if (what == 2) {
            slot_set_tick(w->slot, slot_tick(w->slot) + 1);
        } else if (w->cutting) {
            (void)world_cut_step(w);
        }
    }
}

/* The cut cannot go on: its round ends. */
static void end_cut(struct world *w)
{
    w->failing = true;
    w->extent.len = 0;
    if (w->opened) {
        world_put_fresh(w, w->target, &(struct chunk_ref){0}, w->next == 0);
        store_file_put(w->target);
        w->opened = false;
    }
    world_cut_end(w);
}

static void alter_at_random(struct world *w)
{
    struct schema *next;
    struct slot_alter *a, *b;

    if (w->schema->n_columns > 40)
        return;
    next = with_columns(w->schema, below(w, KINDS), 1 + below(w, 3));
    cr_assert_eq(slot_alter_new(w->slot, next, &a), 0);
    cr_assert_eq(slot_alter_new(w->twin, next, &b), 0);
    disturb(w);
    if (below(w, 4) == 0) {
        slot_alter_free(a);
        slot_alter_free(b);
        schema_put(next);
        return;
    }
    slot_alter_take(a);
    slot_alter_take(b);
    take_schema(w, next);
    if (w->cutting && below(w, 2))
        world_write(w);
    if (w->cutting)
        end_cut(w);
}

static void restart(struct world *w)
{
    struct slot *t;

    if (w->cutting)
        return;
    world_checkpoint(w);
    t = world_reopen(w);
    slot_set_room(t, &w->room);
    slot_free(w->slot);
    w->slot = t;
}

static void run_random(uint64_t seed)
{
    struct world w;

    world_init(&w, seed, true);
    if (below(&w, 2))
        world_fill(&w, 0, 66000);
    for (int i = 0; i < 300; i++) {
        uint32_t what = below(&w, 100);

        if (what < 35)
            world_write(&w);
        else if (what < 60)
            write_new(&w);
        else if (what < 66)
            alter_at_random(&w);
        else if (what < 72)
            (void)slot_evict(w.slot, SIZE_MAX, slot_tick(w.slot) + 100);
        else if (what < 75)
            slot_set_tick(w.slot, slot_tick(w.slot) + 1);
        else if (what < 77)
            restart(&w);
        else if (!w.cutting)
            world_cut_begin(&w, below(&w, 4) == 0);
        else if (world_cut_step(&w) && !w.failing)
            world_check_commit(&w);
    }
    while (w.cutting && !world_cut_step(&w))
        ;
    compare_slots(&w);
    world_checkpoint(&w);
    world_check_commit(&w);
    world_fini(&w);
}

Test(slot_alter, random_columns_writes_and_cuts)
{
    const char *seed = getenv("QUANTA_SEED");

    for (uint64_t i = 0; i < 12; i++) {
        uint64_t s = (seed ? strtoull(seed, NULL, 0) : 700) + i;

        fprintf(stderr, "seed %" PRIu64 "\n", s);
        run_random(s);
    }
}
