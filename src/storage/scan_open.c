/* Scan: what it needs before its first step: the segments as they are now, the columns, the outputs. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "storage/scan_impl.h"
#include "storage/scan_join.h"
#include "storage/scan_key.h"
#include "storage/slot_disk.h"

enum { PUT_AHEAD = 8 }; /* segments fetched while one is given back */

static enum scan_mode choose_mode(const struct scan *x)
{
    const struct program *p = x->program;
    bool totals = !p->n_columns && !p->n_joins, counts = true;

    if (p->output == OUTPUT_ROWS)
        return p->n_order ? SCAN_MODE_TOPN : SCAN_MODE_ROWS;
    for (unsigned i = 0; i < p->n_aggregates; i++) {
        const struct aggregate *a = &p->aggregates[i];
        bool plain_count = a->kind == AGGREGATE_COUNT && a->column < x->schema->n_columns;
        totals &=
            a->kind == AGGREGATE_COUNT_ROWS || plain_count || scan_is_own_ordered(x, a->column);
        counts &= a->kind == AGGREGATE_COUNT_ROWS;
    }
    if (totals)
        return SCAN_MODE_TOTALS;
    if (counts && p->n_columns == 1 && !p->n_joins && p->columns[0] < x->schema->n_columns) {
        enum column_layout layout = x->schema->columns[p->columns[0]].layout;
        if (layout == LAYOUT_ENUM || layout == LAYOUT_LIST)
            return SCAN_MODE_CODES;
    }
    return SCAN_MODE_GROUPS;
}

static void pin_part(struct scan *x, uint32_t slot, struct segment *g, uint32_t from, uint32_t to)
{
    segment_touch(g, slot_tick(x->slots[slot]));
    x->parts[x->n_parts++] = (struct scan_part){slot, segment_get(g), from, to};
}

/* The one row that a whole key asks for, found by the slots' indexes. */
static int pin_row(struct scan *x, const struct scan_key *key)
{
    x->parts = calloc(1, sizeof(*x->parts));
    if (!x->parts)
        return -ENOMEM;
    for (uint32_t i = 0; i < x->n_slots; i++) {
        struct segment *g;
        uint32_t row;
        if (!slot_find(x->slots[i], &key->batch, 0, &g, &row))
            continue;
        pin_part(x, i, g, row, row + 1);
        x->stats.segments = 1;
        break;
    }
    return 0;
}

/* Partitions that rows of the condition lie in: where its conjuncts bound the time, [first, last] becomes narrower. */
static void find_partitions(const struct schema *s, const struct predicate *w, int64_t *first,
                            int64_t *last)
{
    for (uint32_t i = 0; w->kind == PREDICATE_AND && i < w->n; i++)
        find_partitions(s, w->children[i], first, last);
    bool range = w->kind == PREDICATE_RANGE, ints = w->kind == PREDICATE_INTS && w->n;
    if ((!range && !ints) || w->negate || w->column != s->time_column)
        return;
    int64_t from = slot_partition_of(s, range ? w->lo : w->ints[0]),
            to = slot_partition_of(s, range ? w->hi : w->ints[w->n - 1]);
    *first = from > *first ? from : *first;
    *last = to < *last ? to : *last;
}

/* No row of the segment matches, which its partition tells. */
static void skip_segment(struct scan *x, const struct segment *g)
{
    x->stats.blocks += segment_blocks(g);
    x->stats.blocks_skipped += segment_blocks(g);
    x->stats.segments_pruned++;
    x->stats.rows_total += segment_live(g);
}

/* Segments of all partitions that rows of the condition can lie in. */
static int pin_segments(struct scan *x)
{
    int64_t first = INT64_MIN, last = INT64_MAX;
    uint32_t n = 0;

    if (x->program->where && x->schema->time_column >= 0)
        find_partitions(x->schema, x->program->where, &first, &last);

    for (uint32_t i = 0; i < x->n_slots; i++)
        n += slot_segments(x->slots[i]);
    x->stats.segments = n;
    x->parts = calloc(n + 1, sizeof(*x->parts));
    if (!x->parts)
        return -ENOMEM;
    for (uint32_t i = 0; i < x->n_slots; i++)
        for (uint32_t k = 0; k < slot_segments(x->slots[i]); k++) {
            slot_prefetch_segments(x->slots[i], k);
            struct segment *g = slot_segment(x->slots[i], k);
            int64_t partition = segment_partition(g);
            if (partition && (partition < first || partition > last))
                skip_segment(x, g);
            else
                pin_part(x, i, g, 0, segment_rows(g));
        }
    return 0;
}

static bool can_find(const struct scan *x, const struct scan_key *key)
{
    for (uint32_t i = 0; i < x->n_slots; i++)
        if (!slot_can_find(x->slots[i], &key->batch, 0))
            return false;
    return true;
}

static int pin_key(struct scan *x, const struct scan_key *key)
{
    if (can_find(x, key)) {
        x->window_rows = 64;
        return pin_row(x, key);
    }
    /* What the indexes need is on disk: the condition finds the row without them. */
    return pin_segments(x);
}

static int pin_parts(struct scan *x)
{
    struct scan_key key;

    x->window_rows = SCAN_WINDOW;
    if (!scan_key_init(&key, x->program->where, x->schema))
        return pin_segments(x);
    int rc = pin_key(x, &key);
    scan_key_fini(&key);
    return rc;
}

static int take_want(struct scan *x, const bool *used, struct column_want *out)
{
    uint16_t *columns = arena_alloc(&x->arena, x->schema->n_columns * sizeof(*columns) + 1);

    if (!columns)
        return -ENOMEM;
    out->columns = columns;
    for (unsigned c = 0; c < x->schema->n_columns; c++)
        if (used[c])
            columns[out->n++] = (uint16_t)c;
    return 0;
}

/* The columns that blocks must have in memory. */
static int make_wants(struct scan *x)
{
    const struct program *p = x->program;
    bool used[SCHEMA_MAX_COLUMNS] = {false};

    filter_columns(p->where, used);
    int rc = take_want(x, used, &x->where_want);
    for (unsigned i = 0; i < p->n_columns; i++)
        if (p->columns[i] < x->schema->n_columns)
            used[p->columns[i]] = true;
    for (unsigned i = 0; p->output == OUTPUT_GROUPS && i < p->n_aggregates; i++)
        if (p->aggregates[i].kind != AGGREGATE_COUNT_ROWS &&
            p->aggregates[i].column < x->schema->n_columns)
            used[p->aggregates[i].column] = true;
    for (unsigned i = 0; i < p->n_computed; i++)
        for (unsigned k = 0; k < 2; k++)
            if (p->computed[i].operands[k].column < x->schema->n_columns)
                used[p->computed[i].operands[k].column] = true;
    for (unsigned i = 0; i < p->n_joins; i++)
        used[p->joins[i].column] = true;
    return rc ? rc : take_want(x, used, &x->want);
}

static int make_inputs(struct scan *x)
{
    const struct program *p = x->program;
    unsigned n = p->n_columns + (p->output == OUTPUT_GROUPS ? p->n_aggregates : 0);
    int rc = 0;

    rc = scan_join_open(x);
    if (rc)
        return rc;
    x->inputs = arena_alloc(&x->arena, n * sizeof(*x->inputs) + 1);
    if (!x->inputs)
        return -ENOMEM;
    x->n_inputs = n;
    for (unsigned i = 0; i < n && !rc; i++) {
        bool group = i < p->n_columns;
        if (!group && p->aggregates[i - p->n_columns].kind == AGGREGATE_COUNT_ROWS) {
            x->inputs[i].ref = UINT16_MAX;
            continue;
        }
        rc = input_init(&x->inputs[i], p, x->schema, x->joins,
                        group ? p->columns[i] : p->aggregates[i - p->n_columns].column,
                        x->window_rows, &x->arena);
        if (!rc && group && p->output == OUTPUT_GROUPS && x->inputs[i].ref >= PROGRAM_PARENT)
            rc = input_code_parent(&x->inputs[i], x->joins, &x->arena, x->budget);
    }
    return rc;
}

static int make_builder(struct scan *x)
{
    x->builder = batch_builder_new(x->budget);
    if (!x->builder)
        return -ENOMEM;
    for (unsigned i = 0; i < program_outputs(x->program); i++) {
        int rc = batch_builder_add_column(x->builder, (uint16_t)i,
                                          program_output_kind(x->program, x->schema, i), 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Counters for the values of the rows, when their range allows. */
static int make_counts(struct scan *x)
{
    const struct program *p = x->program;
    uint64_t rows = 0;
    int64_t min = INT64_MAX, max = INT64_MIN, lo, hi;

    if (!p->counted || p->n_joins || x->window_rows < SCAN_WINDOW ||
        !scan_is_own_ordered(x, p->columns[0]))
        return 0;
    for (uint32_t i = 0; i < x->n_parts; i++) {
        rows += x->parts[i].rows;
        for (uint32_t b = 0; b < segment_blocks(x->parts[i].segment); b++) {
            if (!segment_block_bounds(x->parts[i].segment, b, p->columns[0], &lo, &hi))
                continue;
            min = lo < min ? lo : min;
            max = hi > max ? hi : max;
        }
    }
    return min > max ? 0 : value_counts_new(min, max, rows, x->memory, x->budget, &x->values);
}

static int make_outputs(struct scan *x)
{
    int rc = 0;

    if (x->mode == SCAN_MODE_ROWS || x->mode == SCAN_MODE_TOPN)
        rc = make_builder(x);
    if (!rc)
        rc = make_counts(x);
    if (!rc && x->mode == SCAN_MODE_TOPN)
        rc = topn_new(x->program, x->schema, x->budget, &x->topn);
    if (!rc && x->mode == SCAN_MODE_TOPN)
        rc = scan_few_open(x);
    if (!rc && x->program->output == OUTPUT_GROUPS)
        rc = partial_new(x->program, x->schema, x->budget, &x->partial);
    if (!rc && (x->mode == SCAN_MODE_GROUPS || x->mode == SCAN_MODE_CODES))
        rc = group_new(x->program, x->inputs, x->budget, &x->groups);
    if (!rc && x->groups)
        group_limit(x->groups, x->memory - x->memory / SCAN_PIECES);
    if (!rc && x->mode == SCAN_MODE_GROUPS)
        rc = group_dense_new(x->program, x->schema, x->inputs, x->joins, x->budget, x->memory / 4,
                             &x->dense);
    return rc;
}

int scan_new(const struct program *p, const struct schema *s, struct slot *const *slots,
             uint32_t n_slots, struct budget *budget, struct task *wake, struct scan **out,
             struct error_info *err)
{
    struct scan *x = malloc(sizeof(*x));

    if (!x)
        return error_set(err, -ENOMEM, 1037, "out of memory at the start of a scan");
    memset(x, 0, offsetof(struct scan, sel));
    x->program = p;
    x->schema = s;
    x->slots = slots;
    x->n_slots = n_slots;
    x->budget = budget;
    x->wake = wake;
    arena_init(&x->arena, p->memory, budget);
    arena_init(&x->slot_arena, p->memory, budget);
    buffer_init(&x->out, BATCH_MAX_BYTES);
    x->mode = choose_mode(x);
    x->memory = program_room(p, budget);
    x->pass = (struct group_range){0, GROUP_HASHES};
    scan_share(x, 1);
    x->takes_whole = x->mode == SCAN_MODE_TOTALS || x->mode == SCAN_MODE_CODES;
    x->only_counts = x->mode == SCAN_MODE_TOTALS;
    for (unsigned i = 0; i < p->n_aggregates; i++)
        x->only_counts &= p->aggregates[i].kind == AGGREGATE_COUNT_ROWS;
    x->stats.slots = n_slots;
    int rc = pin_parts(x);
    if (!rc)
        rc = make_wants(x);
    if (!rc)
        rc = make_inputs(x);
    if (!rc)
        rc = make_outputs(x);
    if (rc) {
        scan_free(x);
        return error_set(err, rc, 1038, "out of memory at the start of a scan of table %s",
                         s->name);
    }
    *out = x;
    return 0;
}

void scan_free(struct scan *x)
{
    if (!x)
        return;
    for (uint32_t i = 0; x->parts && i < x->n_parts; i++) {
        if (i + PUT_AHEAD < x->n_parts)
            segment_prefetch_blocks(x->parts[i + PUT_AHEAD].segment);
        if (x->waited)
            segment_unwait(x->parts[i].segment, x->wake);
        segment_put(x->parts[i].segment);
    }
    free(x->parts);
    free(x->counts);
    for (unsigned i = 0; i < PROGRAM_MAX_JOINS; i++)
        join_map_free(x->joins[i]);
    group_free(x->groups);
    group_dense_free(x->dense);
    group_set_free(x->set);
    partial_free(x->partial);
    topn_free(x->topn);
    value_counts_free(x->values);
    batch_builder_free(x->builder);
    buffer_fini(&x->out);
    arena_fini(&x->slot_arena);
    arena_fini(&x->arena);
    free(x);
}

const struct error_info *scan_error(const struct scan *x)
{
    return &x->error;
}

const struct scan_stats *scan_stats(const struct scan *x)
{
    return &x->stats;
}

uint64_t scan_work(const struct scan *x)
{
    return x->work;
}
