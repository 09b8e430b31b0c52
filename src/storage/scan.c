#include "storage/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "storage/filter.h"
#include "storage/group.h"
#include "storage/input.h"
#include "storage/partial.h"
#include "storage/scan_key.h"
#include "storage/selection.h"
#include "storage/topn.h"

enum {
    SCAN_WORDS = SCAN_WINDOW / 64,
    SCAN_BATCH_BYTES = BATCH_MAX_BYTES / 8, /* a batch ends after the row that exceeds this */
};

enum scan_stage { SCAN_STAGE_BLOCKS, SCAN_STAGE_OUTPUT, SCAN_STAGE_END, SCAN_STAGE_FAILED };

/* How the matching rows of a block are used. */
enum scan_mode {
    SCAN_MODE_TOTALS, /* no groups, ordered columns only: straight from the slices */
    SCAN_MODE_CODES,  /* count(*) by one enumerated column: from the containers */
    SCAN_MODE_GROUPS, /* everything else that groups */
    SCAN_MODE_TOPN,
    SCAN_MODE_ROWS,
};

struct scan_part { /* a segment as it was when the scan began */
    uint32_t slot;
    struct segment *segment;
    uint32_t from, rows; /* [from, rows) */
};

struct scan {
    const struct program *program;
    const struct schema *schema;
    struct slot *const *slots;
    uint32_t n_slots;
    struct budget *budget;
    struct task *wake;
    enum scan_stage stage;
    enum scan_mode mode;
    struct error_info error;
    struct scan_stats stats;

    struct arena arena;      /* lives with the scan: inputs, join */
    struct arena slot_arena; /* filter and maps of the current slot */
    struct scan_part *parts;
    uint32_t n_parts, part, block;
    uint32_t window_rows; /* room in the inputs */
    uint32_t first_row;   /* of the current block in its segment */
    bool slot_open;

    struct filter *filter;
    struct join_map *join;
    uint32_t *parent_rows;
    struct input *inputs;
    unsigned n_inputs;

    uint64_t sel[BLOCK_WORDS], window[BLOCK_WORDS];
    bool block_open;    /* ROWS: sel holds candidates of the current block */
    uint32_t next_word; /* ROWS: first word of the next window */
    uint64_t emitted;

    struct group_table *groups;
    struct partial *partial;
    struct aggregate_state totals[PROGRAM_MAX_AGGREGATES];
    uint64_t *counts;
    uint32_t n_counts;
    struct topn *topn;
    struct batch_builder *builder;
    struct buffer out;
};

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static enum scan_state scan_fail(struct scan *x, int rc)
{
    x->stage = SCAN_STAGE_FAILED;
    if (x->error.text[0])
        return SCAN_ERROR;
    if (rc == -ENOMEM)
        error_set(&x->error, rc, 1038,
                  "the statement needs more than its memory of %llu MiB on a core; raise --memory "
                  "or select less",
                  (unsigned long long)(x->program->memory >> 20));
    else
        error_set(&x->error, rc, 0, "scan of table %s failed: %s", x->schema->name, strerror(-rc));
    return SCAN_ERROR;
}

static bool is_own_ordered(const struct scan *x, uint16_t ref)
{
    return ref < x->schema->n_columns && x->schema->columns[ref].layout == LAYOUT_ORDERED;
}

static enum scan_mode choose_mode(const struct scan *x)
{
    const struct program *p = x->program;
    bool totals = !p->n_columns && !p->join, counts = true;

    if (p->output == OUTPUT_ROWS)
        return p->n_order ? SCAN_MODE_TOPN : SCAN_MODE_ROWS;
    for (unsigned i = 0; i < p->n_aggregates; i++) {
        const struct aggregate *a = &p->aggregates[i];
        bool plain_count = a->kind == AGGREGATE_COUNT && a->column < x->schema->n_columns;
        totals &= a->kind == AGGREGATE_COUNT_ROWS || plain_count || is_own_ordered(x, a->column);
        counts &= a->kind == AGGREGATE_COUNT_ROWS;
    }
    if (totals)
        return SCAN_MODE_TOTALS;
    if (counts && p->n_columns == 1 && !p->join && p->columns[0] < x->schema->n_columns) {
        enum column_layout layout = x->schema->columns[p->columns[0]].layout;
        if (layout == LAYOUT_ENUM || layout == LAYOUT_LIST)
            return SCAN_MODE_CODES;
    }
    return SCAN_MODE_GROUPS;
}

static void pin_part(struct scan *x, uint32_t slot, struct segment *g, uint32_t from, uint32_t to)
{
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
        break;
    }
    return 0;
}

static int pin_segments(struct scan *x)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->n_slots; i++)
        n += slot_segments(x->slots[i]);
    x->parts = calloc(n + 1, sizeof(*x->parts));
    if (!x->parts)
        return -ENOMEM;
    for (uint32_t i = 0; i < x->n_slots; i++)
        for (uint32_t k = 0; k < slot_segments(x->slots[i]); k++) {
            struct segment *g = slot_segment(x->slots[i], k);
            pin_part(x, i, g, 0, segment_rows(g));
        }
    return 0;
}

static int pin_parts(struct scan *x)
{
    struct scan_key key;

    x->window_rows = SCAN_WINDOW;
    if (!scan_key_init(&key, x->program->where, x->schema))
        return pin_segments(x);
    int rc = pin_row(x, &key);
    scan_key_fini(&key);
    x->window_rows = 64;
    return rc;
}

static int make_inputs(struct scan *x)
{
    const struct program *p = x->program;
    unsigned n = p->n_columns + (p->output == OUTPUT_GROUPS ? p->n_aggregates : 0);
    int rc = 0;

    if (p->join) {
        rc = join_map_new(p->join, &x->arena, x->budget, &x->join);
        x->parent_rows = arena_alloc(&x->arena, x->window_rows * sizeof(*x->parent_rows));
        if (rc || !x->parent_rows)
            return -ENOMEM;
    }
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
        rc = input_init(&x->inputs[i], x->schema, x->join,
                        group ? p->columns[i] : p->aggregates[i - p->n_columns].column,
                        x->window_rows, &x->arena);
    }
    return rc;
}

static int make_builder(struct scan *x)
{
    x->builder = batch_builder_new(x->budget);
    if (!x->builder)
        return -ENOMEM;
    for (unsigned i = 0; i < x->program->n_columns; i++) {
        int rc = batch_builder_add_column(x->builder, (uint16_t)i,
                                          program_output_kind(x->program, x->schema, i), 0);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int make_outputs(struct scan *x)
{
    int rc = 0;

    if (x->mode == SCAN_MODE_ROWS || x->mode == SCAN_MODE_TOPN)
        rc = make_builder(x);
    if (!rc && x->mode == SCAN_MODE_TOPN)
        rc = topn_new(x->program, x->schema, x->budget, &x->topn);
    if (!rc && x->program->output == OUTPUT_GROUPS)
        rc = partial_new(x->program, x->schema, x->budget, &x->partial);
    if (!rc && (x->mode == SCAN_MODE_GROUPS || x->mode == SCAN_MODE_CODES))
        rc = group_new(x->program, x->inputs, x->budget, &x->groups);
    return rc;
}

int scan_new(const struct program *p, const struct schema *s, struct slot *const *slots,
             uint32_t n_slots, struct budget *budget, struct task *wake, struct scan **out,
             struct error_info *err)
{
    struct scan *x = calloc(1, sizeof(*x));

    if (!x)
        return error_set(err, -ENOMEM, 1037, "out of memory at the start of a scan");
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
    x->stats.slots = n_slots;
    int rc = pin_parts(x);
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
    for (uint32_t i = 0; x->parts && i < x->n_parts; i++)
        segment_put(x->parts[i].segment);
    free(x->parts);
    free(x->counts);
    join_map_free(x->join);
    group_free(x->groups);
    partial_free(x->partial);
    topn_free(x->topn);
    batch_builder_free(x->builder);
    buffer_fini(&x->out);
    arena_fini(&x->slot_arena);
    arena_fini(&x->arena);
    free(x);
}

static int slot_begin(struct scan *x, const struct slot *slot)
{
    arena_reset(&x->slot_arena);
    int rc = filter_bind(x->program->where, slot, &x->slot_arena, &x->filter);
    for (unsigned i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX)
            input_bind(&x->inputs[i], slot);
    if (!rc && x->join)
        rc = join_map_bind(x->join, slot, &x->slot_arena);
    if (!rc && x->groups)
        rc = group_begin(x->groups);
    x->slot_open = true;
    return rc;
}

static int slot_end(struct scan *x)
{
    x->slot_open = false;
    return x->groups ? group_flush(x->groups, x->partial) : 0;
}

/* Inner join: drops rows without a parent from the window and closes the gaps in parent_rows. */
static uint32_t drop_orphans(struct scan *x, uint32_t first_word)
{
    uint32_t i = 0, n = 0;

    for (uint32_t w = first_word; w < first_word + SCAN_WORDS; w++)
        for (uint64_t bits = x->window[w]; bits; bits &= bits - 1, i++) {
            if (x->parent_rows[i])
                x->parent_rows[n++] = x->parent_rows[i];
            else
                x->window[w] &= ~(bits & -bits);
        }
    return n;
}

/* Decodes all inputs for the rows of the window; returns their number. */
static uint32_t read_window(struct scan *x, const struct block *b, uint32_t first_word)
{
    uint32_t n = selection_count(x->window);

    if (n && x->join) {
        n = join_map_rows(x->join, b, x->window, x->parent_rows);
        if (!x->program->join->left)
            n = drop_orphans(x, first_word);
    }
    for (unsigned i = 0; n && i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX)
            input_read(&x->inputs[i], b, x->window, x->join, x->parent_rows, n);
    return n;
}

/* The words of one window of the block's selection. */
static void take_window(struct scan *x, uint32_t first_word)
{
    selection_clear_all(x->window);
    memcpy(x->window + first_word, x->sel + first_word, SCAN_WORDS * sizeof(uint64_t));
}

static int put_list(struct scan *x, unsigned col, const struct input *in, int64_t list)
{
    uint32_t n, len;
    const uint32_t *codes = dict_list(in->lists, (uint32_t)list, &n);

    for (uint32_t i = 0; i < n; i++) {
        const char *s = dict_bytes(in->dict, codes[i], &len);
        int rc = batch_builder_put_list_item(x->builder, col, s, len);
        if (rc)
            return rc;
    }
    return 0;
}

/* Rows [from, n) of the window into the builder, until it has its bytes: 0 with the row after the last one in *to. */
static int put_rows(struct scan *x, uint32_t from, uint32_t n, uint32_t *to)
{
    batch_builder_reset(x->builder);
    for (*to = from; *to < n && batch_builder_bytes(x->builder) < SCAN_BATCH_BYTES; ++*to) {
        uint32_t row = *to;
        int rc = 0;
        for (unsigned i = 0; i < x->n_inputs && !rc; i++) {
            const struct input *in = &x->inputs[i];
            if (!in->present[row])
                continue;
            if (in->list) {
                rc = put_list(x, i, in, in->values[row]);
                continue;
            }
            struct cell c = input_cell(in, row);
            rc = in->kind == BATCH_BYTES ? batch_builder_put_bytes(x->builder, i, c.bytes, c.len)
                                         : batch_builder_put_i64(x->builder, i, c.i64);
        }
        if (!rc)
            rc = batch_builder_end_row(x->builder);
        if (rc)
            return rc;
    }
    return 0;
}

static int finish_batch(struct scan *x, struct batch *out)
{
    x->out.len = 0;
    int rc =
        batch_builder_finish(x->builder, BATCH_DATA, x->program->table_id, BATCH_SLOT_ANY, &x->out);
    return rc ? rc : batch_open(x->out.data, x->out.len, out, &x->error);
}

static void add_total(struct scan *x, unsigned i, const struct colblock *c, uint64_t matched)
{
    const struct aggregate *a = &x->program->aggregates[i];
    struct aggregate_state *s = &x->totals[i];
    __int128 sum = 0;
    int64_t min, max;

    if (a->kind == AGGREGATE_COUNT_ROWS || a->kind == AGGREGATE_COUNT)
        s->present = true;
    if (a->kind == AGGREGATE_COUNT_ROWS)
        s->number += matched;
    if (a->kind == AGGREGATE_COUNT_ROWS || !c)
        return;
    if (a->kind == AGGREGATE_COUNT) {
        s->number += colblock_count(c, x->sel);
    } else if (a->kind == AGGREGATE_SUM) {
        s->present |= colblock_sum(c, x->sel, &sum) > 0;
        s->number += sum;
    } else if (colblock_min_max(c, x->sel, &min, &max)) {
        int64_t v = a->kind == AGGREGATE_MIN ? min : max;
        if (!s->present || (a->kind == AGGREGATE_MIN ? v < s->number : v > s->number))
            s->number = v;
        s->present = true;
    }
}

static int block_totals(struct scan *x, const struct block *b, uint64_t matched)
{
    for (unsigned i = 0; i < x->program->n_aggregates; i++) {
        const struct aggregate *a = &x->program->aggregates[i];
        add_total(x, i, a->kind == AGGREGATE_COUNT_ROWS ? NULL : b->columns[a->column], matched);
    }
    return 0;
}

static int block_codes(struct scan *x, const struct block *b, uint64_t matched)
{
    const struct colblock *c = b->columns[x->program->columns[0]];
    uint32_t n = dict_count(x->inputs[0].dict);
    int rc = 0;

    if (!c)
        return group_add_count(x->groups, 0, false, matched);
    if (n > x->n_counts) {
        uint64_t *counts = realloc(x->counts, n * sizeof(*counts));
        if (!counts)
            return -ENOMEM;
        x->counts = counts;
        x->n_counts = n;
    }
    if (n)
        memset(x->counts, 0, n * sizeof(*x->counts));
    colblock_count_codes(c, x->sel, x->counts, n);
    for (uint32_t code = 0; code < n && !rc; code++)
        if (x->counts[code])
            rc = group_add_count(x->groups, code, true, x->counts[code]);
    colblock_filter_null(c, true, x->sel);
    uint32_t nulls = selection_count(x->sel);
    return nulls && !rc ? group_add_count(x->groups, 0, false, nulls) : rc;
}

static int block_groups(struct scan *x, const struct block *b)
{
    for (uint32_t w = 0; w < BLOCK_WORDS; w += SCAN_WORDS) {
        take_window(x, w);
        uint32_t n = read_window(x, b, w);
        int rc = n ? group_add(x->groups, n) : 0;
        if (rc)
            return rc;
    }
    return 0;
}

/* Once enough rows are there, the first order column's slices tell which rows cannot be among the first. */
static void narrow_to_bound(struct scan *x, const struct block *b)
{
    const struct program_order *o = &x->program->order[0];
    uint16_t ref = x->program->columns[o->output];
    int64_t bound;

    if (!is_own_ordered(x, ref) || !topn_bound(x->topn, &bound) || !b->columns[ref])
        return;
    if (o->descending) {
        colblock_filter_range(b->columns[ref], bound, INT64_MAX, false, x->sel);
    } else {
        memcpy(x->window, x->sel, sizeof(x->window));
        colblock_filter_null(b->columns[ref], true, x->window);
        colblock_filter_range(b->columns[ref], INT64_MIN, bound, false, x->sel);
        selection_or(x->sel, x->window);
    }
}

static int block_topn(struct scan *x, const struct block *b)
{
    narrow_to_bound(x, b);
    for (uint32_t w = 0; w < BLOCK_WORDS; w += SCAN_WORDS) {
        struct batch batch;
        take_window(x, w);
        uint32_t n = read_window(x, b, w);
        for (uint32_t from = 0; from < n;) {
            int rc = put_rows(x, from, n, &from);
            if (!rc)
                rc = finish_batch(x, &batch);
            if (!rc)
                rc = topn_add(x->topn, &batch);
            if (rc)
                return rc;
        }
    }
    return 0;
}

/* Rows of the block that the scan may see and the predicate selects, into sel. */
static void select_rows(struct scan *x, const struct block *b, uint32_t pinned)
{
    uint32_t from = x->parts[x->part].from;

    from = from > x->first_row ? from - x->first_row : 0;
    selection_fill(x->sel, from, b->rows < pinned ? b->rows : pinned);
    if (b->live)
        selection_and(x->sel, b->live);
    x->stats.blocks++;
    bool by_bounds = filter_block(x->filter, b, x->sel);
    uint32_t n = selection_count(x->sel);
    x->stats.rows_total += x->window_rows < SCAN_WINDOW ? 1 : b->live_count;
    x->stats.rows_matched += n;
    x->stats.blocks_skipped += by_bounds && !n;
}

/* Keeps at most n rows of the window; what is left stays in sel for the next batch. */
static void limit_window(struct scan *x, uint32_t first_word, uint64_t n)
{
    for (uint32_t w = first_word; w < first_word + SCAN_WORDS; w++) {
        uint64_t taken = 0;
        for (uint64_t bits = x->window[w]; bits && n; bits &= bits - 1, n--)
            taken |= bits & -bits;
        x->window[w] = taken;
        x->sel[w] &= ~taken;
    }
}

/* Rows of the window from number n on go back into sel. */
static void give_back(struct scan *x, uint32_t first_word, uint32_t n)
{
    for (uint32_t w = first_word; w < first_word + SCAN_WORDS; w++)
        for (uint64_t bits = x->window[w]; bits; bits &= bits - 1) {
            if (n)
                n--;
            else
                x->sel[w] |= bits & -bits;
        }
}

static void next_block(struct scan *x, const struct block *b)
{
    x->block++;
    x->first_row += b->rows;
}

/* A window of an earlier step: the block may have lost rows or been cut by sealing since. */
static void select_again(struct scan *x, const struct block *b)
{
    uint64_t rows[BLOCK_WORDS];

    selection_fill(rows, 0, b->rows);
    selection_and(x->window, rows);
    if (b->live)
        selection_and(x->window, b->live);
    filter_block(x->filter, b, x->window);
}

/* Streams rows: one window a step. Between steps rows may have changed, so a later window is looked at again. */
static enum scan_state step_rows(struct scan *x, const struct block *b, uint32_t pinned,
                                 uint32_t batch_rows, struct batch *out)
{
    bool again = x->block_open;

    if (!again)
        select_rows(x, b, pinned);
    x->block_open = true;
    if (!again)
        x->next_word = 0;
    while (x->next_word < BLOCK_WORDS) {
        uint64_t left = x->program->limit - x->emitted;
        take_window(x, x->next_word);
        limit_window(x, x->next_word, x->join ? batch_rows : left < batch_rows ? left : batch_rows);
        if (selection_is_empty(x->window)) {
            x->next_word += SCAN_WORDS;
            continue;
        }
        if (again)
            select_again(x, b);
        uint32_t n = read_window(x, b, x->next_word);
        if (n > left)
            n = (uint32_t)left;
        if (!n)
            continue;
        int rc = put_rows(x, 0, n, &n);
        if (!rc)
            rc = finish_batch(x, out);
        if (rc)
            return scan_fail(x, rc);
        give_back(x, x->next_word, n);
        x->emitted += n;
        x->stats.rows_out += n;
        return SCAN_BATCH;
    }
    x->block_open = false;
    next_block(x, b);
    return SCAN_AGAIN;
}

static enum scan_state step_block(struct scan *x, const struct block *b, uint32_t pinned,
                                  uint32_t batch_rows, struct batch *out)
{
    int rc = 0;

    if (x->mode == SCAN_MODE_ROWS)
        return step_rows(x, b, pinned, batch_rows, out);
    uint64_t before = x->stats.rows_matched;
    select_rows(x, b, pinned);
    uint64_t matched = x->stats.rows_matched - before;
    next_block(x, b);
    if (!matched)
        return SCAN_AGAIN;
    switch (x->mode) {
    case SCAN_MODE_TOTALS:
        rc = block_totals(x, b, matched);
        break;
    case SCAN_MODE_CODES:
        rc = block_codes(x, b, matched);
        break;
    case SCAN_MODE_GROUPS:
        rc = block_groups(x, b);
        break;
    case SCAN_MODE_TOPN:
        rc = block_topn(x, b);
        break;
    case SCAN_MODE_ROWS:
        break;
    }
    return rc ? scan_fail(x, rc) : SCAN_AGAIN;
}

/* After the last block: without group columns there is one group, also over no rows. */
static int finish_groups(struct scan *x)
{
    uint32_t group;

    if (x->program->output != OUTPUT_GROUPS || x->program->n_columns)
        return 0;
    int rc = partial_group(x->partial, NULL, &group);
    for (unsigned i = 0; i < x->program->n_aggregates && !rc && x->mode == SCAN_MODE_TOTALS; i++)
        rc = partial_combine(x->partial, group, i, &x->totals[i]);
    return rc;
}

static enum scan_state step_output(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    int rc = x->partial ? partial_next(x->partial, batch_rows, out)
             : x->topn  ? topn_next(x->topn, batch_rows, out)
                        : 0;

    if (rc < 0)
        return scan_fail(x, rc);
    if (!rc) {
        x->stage = SCAN_STAGE_END;
        return SCAN_END;
    }
    x->stats.rows_out += out->rows;
    return SCAN_BATCH;
}

static enum scan_state end_blocks(struct scan *x)
{
    int rc = x->slot_open ? slot_end(x) : 0;

    if (!rc)
        rc = finish_groups(x);
    if (rc)
        return scan_fail(x, rc);
    x->stage = SCAN_STAGE_OUTPUT;
    return SCAN_AGAIN;
}

static enum scan_state step_blocks(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    struct block b;

    if (x->part == x->n_parts || (x->mode == SCAN_MODE_ROWS && x->emitted >= x->program->limit))
        return end_blocks(x);
    const struct scan_part *part = &x->parts[x->part];
    if (!x->slot_open) {
        int rc = slot_begin(x, x->slots[part->slot]);
        if (rc)
            return scan_fail(x, rc);
    }
    if (x->first_row + BLOCK_ROWS <=
        part->from) { /* every block before the last has all its rows */
        x->block = part->from / BLOCK_ROWS;
        x->first_row = x->block * BLOCK_ROWS;
    }
    if (x->first_row >= part->rows || x->block >= segment_blocks(part->segment)) {
        x->block = x->first_row = 0;
        x->part++;
        if (x->part == x->n_parts || x->parts[x->part].slot != part->slot) {
            int rc = slot_end(x);
            if (rc)
                return scan_fail(x, rc);
        }
        return SCAN_AGAIN;
    }
    if (segment_block(part->segment, x->block, x->wake, &b) == BLOCK_PENDING)
        return SCAN_WAIT;
    int rc = filter_grow(x->filter, &x->slot_arena);
    if (rc)
        return scan_fail(x, rc);
    return step_block(x, &b, part->rows - x->first_row, batch_rows, out);
}

enum scan_state scan_step(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    uint64_t start = now_ns();
    enum scan_state state = SCAN_ERROR;

    ASSERT(batch_rows > 0);
    if (x->stage == SCAN_STAGE_BLOCKS)
        state = step_blocks(x, batch_rows, out);
    else if (x->stage == SCAN_STAGE_OUTPUT)
        state = step_output(x, batch_rows, out);
    else if (x->stage == SCAN_STAGE_END)
        state = SCAN_END;
    x->stats.ns += now_ns() - start;
    return state;
}

const struct error_info *scan_error(const struct scan *x)
{
    return &x->error;
}

const struct scan_stats *scan_stats(const struct scan *x)
{
    return &x->stats;
}
