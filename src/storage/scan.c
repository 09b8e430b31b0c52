/* Scan: the blocks one after the other, then the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/assert.h"
#include "storage/scan_columns.h"
#include "storage/scan_impl.h"
#include "storage/scan_join.h"
#include "storage/selection.h"

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static enum scan_state scan_fail(struct scan *x, int rc)
{
    if (rc == -ENOMEM && !x->error.text[0] && x->stage == SCAN_STAGE_BLOCKS &&
        scan_groups_narrow(x))
        return SCAN_AGAIN;
    x->stage = SCAN_STAGE_FAILED;
    if (x->error.text[0])
        return SCAN_ERROR;
    if (rc == -ENOMEM)
        error_set(&x->error, rc, 1038,
                  "the statement needs more than its memory of %llu MiB on a core; raise --memory "
                  "or select less",
                  (unsigned long long)(x->program->memory >> 20));
    else if (rc == -ERANGE)
        error_set(&x->error, rc, PROGRAM_OUT_OF_RANGE,
                  "a value computed from rows of table %s is beyond 64 bits", x->schema->name);
    else
        error_set(&x->error, rc, 0, "scan of table %s failed: %s", x->schema->name, strerror(-rc));
    return SCAN_ERROR;
}

/* The range of a column in the segments to come, of this slot or of all. */
static void widen(const struct scan *x, uint16_t column, bool all, struct dense_range *r)
{
    uint32_t slot = x->parts[x->part].slot;
    int64_t min, max;

    for (uint32_t i = x->part; i < x->n_parts && (all || x->parts[i].slot == slot); i++)
        for (uint32_t b = 0; b < segment_blocks(x->parts[i].segment); b++) {
            if (!segment_block_bounds(x->parts[i].segment, b, column, &min, &max))
                continue;
            r->min = r->any && r->min < min ? r->min : min;
            r->max = r->any && r->max > max ? r->max : max;
            r->any = true;
        }
}

/* The ranges of all columns that arrays are made for. */
static void widen_columns(const struct scan *x, bool all, struct dense_range *ranges)
{
    const struct program *p = x->program;

    memset(ranges, 0, x->schema->n_columns * sizeof(*ranges));
    for (unsigned i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].ref < x->schema->n_columns)
            widen(x, x->inputs[i].ref, all, &ranges[x->inputs[i].ref]);
    for (unsigned i = 0; i < 2u * p->n_computed; i++) {
        uint16_t column = p->computed[i / 2].operands[i % 2].column;
        if (column < x->schema->n_columns && !ranges[column].any)
            widen(x, column, all, &ranges[column]);
    }
    for (unsigned i = 0; i < p->n_joins; i++)
        if (!ranges[p->joins[i].column].any)
            widen(x, p->joins[i].column, all, &ranges[p->joins[i].column]);
}

static bool dense_begin_over(struct scan *x, bool all, struct dense_range *ranges)
{
    uint32_t slot = x->parts[x->part].slot;
    uint64_t rows = 0;

    for (uint32_t i = x->part; i < x->n_parts && (all || x->parts[i].slot == slot); i++)
        rows += x->parts[i].rows - x->parts[i].from;
    widen_columns(x, all, ranges);
    return group_dense_begin(x->dense, ranges, rows, scan_join_sieves(x), &x->slot_arena);
}

/* Arrays for the groups of all slots or of this one, when the ranges of their columns allow. */
static int dense_begin(struct scan *x)
{
    bool all = x->allow_whole && group_dense_is_shared(x->dense);

    x->dense_on = all && x->part && group_dense_is_open(x->dense);
    if (!x->dense_on) {
        struct dense_range *ranges =
            arena_alloc(&x->slot_arena, x->schema->n_columns * sizeof(*ranges));
        if (!ranges)
            return -ENOMEM;
        x->dense_on = dense_begin_over(x, all, ranges);
        if (!x->dense_on &&
            all) { /* not asked again for every slot: it would look at all that follow */
            x->allow_whole = false;
            x->dense_on = dense_begin_over(x, false, ranges);
        }
    }
    x->takes_whole = x->dense_on;
    return 0;
}

void scan_bind_inputs(struct scan *x, const struct slot *slot)
{
    for (unsigned i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX)
            input_bind(&x->inputs[i], slot);
}

static void reset_counts(struct scan *x)
{
    if (x->n_counts)
        memset(x->counts, 0, x->n_counts * sizeof(*x->counts));
    x->null_count = 0;
}

static int slot_begin(struct scan *x, uint32_t number)
{
    struct slot *slot = x->slots[number];

    x->slot = number;
    arena_reset(&x->slot_arena);
    int rc = filter_bind(x->program->where, slot, &x->slot_arena, &x->filter);
    scan_bind_inputs(x, slot);
    if (!rc)
        rc = scan_join_bind(x, slot);
    if (!rc && x->groups)
        rc = group_begin(x->groups, number);
    if (!rc && x->dense)
        rc = dense_begin(x);
    reset_counts(x);
    x->slot_open = true;
    return rc;
}

/* CODES: the counts of the slot become its groups. */
static int add_counts(struct scan *x)
{
    int rc = x->null_count ? group_add_count(x->groups, 0, false, x->null_count) : 0;

    for (uint32_t code = 0; code < x->n_counts && !rc; code++)
        if (x->counts[code])
            rc = group_add_count(x->groups, code, true, x->counts[code]);
    return rc;
}

static int slot_end(struct scan *x)
{
    x->slot_open = false;
    int rc = x->mode == SCAN_MODE_CODES ? add_counts(x) : scan_few_read(x);
    if (!rc && x->dense && (rc = scan_groups_fold(x)) == 0) {
        x->folding = true;
        return 0;
    }
    if (rc < 0)
        return rc;
    return x->groups ? group_end(x->groups) : 0;
}

/* The same for a few rows, which are looked up one by one. */
static void read_few(struct scan *x, const struct block *b, uint32_t n)
{
    uint16_t rows[SCAN_FEW_ROWS];

    selection_rows(x->window, n, rows);
    for (unsigned i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX)
            input_read_rows(&x->inputs[i], b, x->window, rows, n);
}

/* Decodes all inputs for the rows of the window; returns their number. */
static uint32_t read_window(struct scan *x, const struct block *b, uint32_t first_word)
{
    uint32_t n = selection_count(x->window);

    if (n && x->program->n_joins)
        n = scan_join_window(x, b, first_word, n);
    else if (n && n <= SCAN_FEW_ROWS) {
        read_few(x, b, n);
        return n;
    }
    for (unsigned i = 0; n && i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX)
            input_read(&x->inputs[i], b, x->window, x->parent_rows, n);
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
    if (!from && scan_columns_fit(x, n)) {
        *to = n;
        return scan_columns_put(x, n);
    }
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
    const uint64_t *sel = x->whole ? NULL : x->sel;
    __int128 sum = 0;
    int64_t min, max;

    if (a->kind == AGGREGATE_COUNT_ROWS || a->kind == AGGREGATE_COUNT)
        s->present = true;
    if (a->kind == AGGREGATE_COUNT_ROWS)
        s->number += matched;
    if (a->kind == AGGREGATE_COUNT_ROWS || !c)
        return;
    if (a->kind == AGGREGATE_COUNT) {
        s->number += colblock_count(c, sel);
    } else if (a->kind == AGGREGATE_SUM) {
        s->present |= colblock_sum(c, sel, &sum) > 0;
        s->number += sum;
    } else if (colblock_min_max(c, sel, &min, &max)) {
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

static int reserve_counts(struct scan *x, uint32_t n)
{
    if (n <= x->n_counts)
        return 0;
    uint64_t *counts = realloc(x->counts, n * sizeof(*counts));
    if (!counts)
        return -ENOMEM;
    memset(counts + x->n_counts, 0, (n - x->n_counts) * sizeof(*counts));
    x->counts = counts;
    x->n_counts = n;
    return 0;
}

static int block_codes(struct scan *x, const struct block *b, uint64_t matched)
{
    const struct colblock *c = b->columns[x->program->columns[0]];
    const uint64_t *sel = x->whole ? NULL : x->sel;
    int rc = reserve_counts(x, dict_count(x->inputs[0].dict));

    if (rc)
        return rc;
    x->null_count += matched - (c ? colblock_count(c, sel) : 0);
    if (c && x->n_counts)
        colblock_count_codes(c, sel, x->counts, x->n_counts);
    return 0;
}

static bool is_out_of_range(const struct scan *x)
{
    for (unsigned i = x->program->n_columns; x->program->n_computed && i < x->n_inputs; i++)
        if (x->inputs[i].ref != UINT16_MAX && x->inputs[i].out_of_range)
            return true;
    return false;
}

static int block_groups(struct scan *x, const struct block *b)
{
    if (x->dense_on && group_dense_add(x->dense, b, x->whole ? NULL : x->sel, x->sieved))
        return 0;
    int rc = scan_join_prepare(x);
    if (x->whole)
        selection_fill(x->sel, 0, b->rows);
    for (uint32_t w = 0; w < BLOCK_WORDS && !rc; w += SCAN_WORDS) {
        take_window(x, w);
        uint32_t n = read_window(x, b, w);
        rc = is_out_of_range(x) ? -ERANGE : n ? group_add(x->groups, n) : 0;
    }
    return rc;
}

int scan_put_topn(struct scan *x, uint32_t n)
{
    struct batch batch;

    for (uint32_t from = 0; from < n;) {
        int rc = put_rows(x, from, n, &from);
        if (!rc)
            rc = finish_batch(x, &batch);
        if (!rc)
            rc = topn_add(x->topn, &batch);
        if (rc)
            return rc;
    }
    return 0;
}

static int window_topn(struct scan *x, const struct block *b, uint32_t first_word)
{
    return scan_put_topn(x, read_window(x, b, first_word));
}

static int block_topn(struct scan *x, const struct block *b, uint32_t matched)
{
    int rc = scan_few_add(x, b, matched);

    if (rc)
        return rc < 0 ? rc : 0;
    rc = scan_join_prepare(x);
    scan_narrow_to_bound(x, b);
    if (matched <= SCAN_WINDOW && !x->program->n_joins) { /* one window has them all */
        memcpy(x->window, x->sel, sizeof(x->window));
        return window_topn(x, b, 0);
    }
    for (uint32_t w = 0; w < BLOCK_WORDS && !rc; w += SCAN_WORDS) {
        take_window(x, w);
        rc = window_topn(x, b, w);
    }
    return rc;
}

/* Rows of the block that the scan may see and the predicate selects. True when its bounds alone decided. */
static bool match_rows(const struct scan *x, const struct block *b, uint32_t pinned, uint64_t *sel)
{
    uint32_t from = x->parts[x->part].from;

    from = from > x->first_row ? from - x->first_row : 0;
    return filter_rows(x->filter, b, from, b->rows < pinned ? b->rows : pinned,
                       x->foreseen ? &x->next_meet : NULL, sel);
}

/* Does the scan see every row of the block that is not deleted? */
static bool sees_all(const struct scan *x, const struct block *b, uint32_t pinned)
{
    return b->rows <= pinned && x->parts[x->part].from <= x->first_row;
}

/*
 * The same, counted; into sel, unless headers tell that it would be all rows (then `whole`) or the number is all that
 * is asked for.
 */
static uint32_t select_rows(struct scan *x, const struct block *b, uint32_t pinned)
{
    uint64_t skipped = x->stats.blocks_skipped;
    uint32_t n;
    enum filter_counted counted =
        sees_all(x, b, pinned)
            ? filter_count(x->filter, b, x->only_counts, x->foreseen ? &x->next_meet : NULL, &n)
            : FILTER_UNCOUNTED;

    x->stats.blocks++;
    x->stats.rows_total += x->window_rows < SCAN_WINDOW ? 1 : b->live_count;
    x->whole = counted && !b->live && n == b->rows && x->takes_whole;
    if (counted && (!n || x->whole || x->only_counts)) {
        x->stats.blocks_skipped += !n && counted == FILTER_BY_HEADERS;
        x->work += counted == FILTER_MET ? SCAN_WORK_MEET : 0;
        if (counted == FILTER_BY_HEADERS && x->foreseen)
            container_meet_fetch(&x->next_meet);
    } else {
        bool by_bounds = match_rows(x, b, pinned, x->sel);
        n = selection_count(x->sel);
        x->stats.blocks_skipped += by_bounds && !n;
        x->work += SCAN_WORK_FILTER;
    }
    x->skipping = x->stats.blocks_skipped != skipped;
    x->stats.rows_matched += n;
    if (!n || !x->program->n_joins)
        return n;
    if (x->whole)
        selection_fill(x->sel, 0, b->rows);
    x->whole = false;
    return scan_join_sieve(x, b, n);
}

static void next_block(struct scan *x, const struct block *b)
{
    x->block++;
    x->first_row += b->rows;
}

/* A window of an earlier step: the block may have lost rows or been cut by sealing since. */
static int select_again(struct scan *x, const struct block *b)
{
    uint64_t rows[BLOCK_WORDS];

    selection_fill(rows, 0, b->rows);
    selection_and(x->window, rows);
    if (b->live)
        selection_and(x->window, b->live);
    filter_block(x->filter, b, x->window);
    return scan_join_again(x, b);
}

/* The first word of the block's selection that can have rows of the part: a row found by its key is one word. */
static uint32_t first_word(const struct scan *x)
{
    uint32_t from = x->parts[x->part].from, windows = x->program->n_joins ? SCAN_WORDS : 1;

    return from > x->first_row ? (from - x->first_row) / 64 / windows * windows : 0;
}

/* Streams rows: one window a step. Between steps rows may have changed, so a later window is looked at again. */
static enum scan_state step_rows(struct scan *x, const struct block *b, uint32_t pinned,
                                 uint32_t batch_rows, struct batch *out)
{
    bool again = x->block_open;
    uint32_t words = ((b->rows < pinned ? b->rows : pinned) + 63) / 64;

    if (!again)
        x->next_word = select_rows(x, b, pinned) ? first_word(x) : BLOCK_WORDS;
    int rc = x->next_word < BLOCK_WORDS ? scan_join_prepare(x) : 0;
    if (rc)
        return scan_fail(x, rc);
    x->block_open = true;
    while (x->next_word < words) {
        uint64_t left = x->program->limit - x->emitted;
        uint32_t end = x->next_word + SCAN_WORDS;
        if (x->program->n_joins)
            take_window(x, x->next_word);
        else
            end = scan_take_rows(x, x->next_word, words,
                                 batch_rows < SCAN_WINDOW ? batch_rows : SCAN_WINDOW);
        scan_limit_window(x, x->next_word, end,
                          x->program->n_joins ? batch_rows
                          : left < batch_rows ? left
                                              : batch_rows);
        if (selection_is_empty(x->window)) {
            x->next_word = end;
            continue;
        }
        if (again && (rc = select_again(x, b)))
            return scan_fail(x, rc);
        uint32_t n = read_window(x, b, x->next_word);
        if (n > left)
            n = (uint32_t)left;
        if (!n)
            continue;
        rc = put_rows(x, 0, n, &n);
        if (!rc)
            rc = finish_batch(x, out);
        if (rc)
            return scan_fail(x, rc);
        scan_give_back(x, x->next_word, end, n);
        x->emitted += n;
        x->stats.rows_out += n;
        return SCAN_BATCH;
    }
    x->block_open = false;
    next_block(x, b);
    return SCAN_AGAIN;
}

/* Rows that come counted. False when the block has values without a counter. */
static bool count_values(struct scan *x, const struct block *b, uint32_t pinned)
{
    if (!x->values || x->block_open ||
        !value_counts_open(x->values, b->columns[x->program->columns[0]]))
        return false;
    uint32_t matched = select_rows(x, b, pinned);
    if (matched)
        value_counts_add(x->values, x->sel, b->rows);
    x->work += matched / 64;
    next_block(x, b);
    return true;
}

/* The next of the counted rows: 1, 0, -errno. */
static int next_values(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    batch_builder_reset(x->builder);
    int rc = value_counts_next(x->values, batch_rows, x->builder);
    int failed = rc > 0 ? finish_batch(x, out) : 0;
    return failed ? failed : rc;
}

/* The block has nothing for the scan, which its directory or its bounds alone tell. */
static void skip_block(struct scan *x, const struct block *b)
{
    x->skipping = true;
    x->stats.blocks++;
    x->stats.blocks_skipped++;
    x->stats.rows_total += b->live_count;
    next_block(x, b);
}

static enum scan_state step_block(struct scan *x, const struct block *b, uint32_t pinned,
                                  uint32_t batch_rows, struct batch *out)
{
    int rc = 0;

    if (count_values(x, b, pinned))
        return SCAN_AGAIN;
    if (x->mode == SCAN_MODE_ROWS)
        return step_rows(x, b, pinned, batch_rows, out);
    if (x->mode == SCAN_MODE_TOPN && scan_is_beyond_bound(x, b)) {
        skip_block(x, b);
        return SCAN_AGAIN;
    }
    uint32_t matched = select_rows(x, b, pinned);
    next_block(x, b);
    if (!matched)
        return SCAN_AGAIN;
    if (!x->only_counts && !(x->whole && x->mode != SCAN_MODE_GROUPS))
        x->work +=
            x->mode == SCAN_MODE_TOTALS ? SCAN_WORK_FILTER : matched / 64 * (x->n_inputs + 1);
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
        rc = block_topn(x, b, matched);
        break;
    case SCAN_MODE_ROWS:
        break;
    }
    return rc ? scan_fail(x, rc) : SCAN_AGAIN;
}

/* After the last block: without group columns there is one group, also over no rows. */
int scan_finish_groups(struct scan *x)
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
    int rc = x->groups    ? scan_groups_next(x, batch_rows, out)
             : x->partial ? partial_next(x->partial, batch_rows, out)
             : x->topn    ? topn_next(x->topn, batch_rows, out)
             : x->values  ? next_values(x, batch_rows, out)
                          : 0;

    if (rc == -EAGAIN)
        return SCAN_AGAIN;
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

    if (!rc && x->folding)
        return SCAN_AGAIN;
    if (!rc && x->groups && scan_groups_whole(x)) {
        x->stage = SCAN_STAGE_WHOLE;
        return SCAN_AGAIN;
    }
    if (!rc)
        rc = x->groups ? scan_groups_end(x) : scan_finish_groups(x);
    if (rc)
        return scan_fail(x, rc);
    x->stage = SCAN_STAGE_OUTPUT;
    return SCAN_AGAIN;
}

/*
 * A block of which something is on disk only: first the columns of the condition, and when they leave rows the others.
 * BLOCK_READY with *skip: no row can match.
 */
static enum block_state fetch_block(struct scan *x, uint32_t pinned, struct block *b, bool *skip)
{
    struct segment *g = x->parts[x->part].segment;
    uint64_t sel[BLOCK_WORDS];

    *skip = !x->block_open && !filter_may_match(x->filter, g, x->block);
    if (*skip) {
        segment_block_peek(g, x->block, b);
        return BLOCK_READY;
    }
    if (x->block_open || x->want.n == x->where_want.n || segment_block_has(g, x->block, &x->want))
        return scan_want_block(x, &x->want, b);
    enum block_state state = scan_want_block(x, &x->where_want, b);
    if (state != BLOCK_READY)
        return state;
    match_rows(x, b, pinned, sel);
    return selection_is_empty(sel) ? BLOCK_READY : scan_want_block(x, &x->want, b);
}

static enum scan_state step_blocks(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    struct block b;

    if (x->folding) {
        int rc = scan_groups_fold(x);
        x->work += SCAN_WORK_FOLD;
        x->folding = !rc;
        if (rc > 0)
            rc = group_end(x->groups);
        return rc < 0 ? scan_fail(x, rc) : SCAN_AGAIN;
    }
    if (x->part == x->n_parts || (x->mode == SCAN_MODE_ROWS && x->emitted >= x->program->limit))
        return end_blocks(x);
    const struct scan_part *part = &x->parts[x->part];
    if (!x->slot_open) {
        int rc = slot_begin(x, part->slot);
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
    int rc = filter_grow(x->filter, &x->slot_arena, &x->error);
    if (rc > 0) {
        x->work += SCAN_WORK_GROW;
        return SCAN_AGAIN;
    }
    if (rc)
        return scan_fail(x, rc);
    if (segment_is_loaded(part->segment)) {
        (void)segment_block(part->segment, x->block, NULL, &b);
        scan_look_ahead(x);
    } else {
        if ((rc = scan_few_read(x)))
            return scan_fail(x, rc);
        bool skip;
        x->foreseen = false;
        enum block_state state = fetch_block(x, part->rows - x->first_row, &b, &skip);
        if (state != BLOCK_READY)
            return state == BLOCK_PENDING ? SCAN_WAIT : scan_fail(x, -EIO);
        if (skip) {
            skip_block(x, &b);
            return SCAN_AGAIN;
        }
    }
    return step_block(x, &b, part->rows - x->first_row, batch_rows, out);
}

static enum scan_state step_stage(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    x->work++;
    switch (x->stage) {
    case SCAN_STAGE_BLOCKS:
        return step_blocks(x, batch_rows, out);
    case SCAN_STAGE_WHOLE:
        return SCAN_WHOLE;
    case SCAN_STAGE_OUTPUT:
        return step_output(x, batch_rows, out);
    case SCAN_STAGE_END:
        return SCAN_END;
    case SCAN_STAGE_FAILED:
        break;
    }
    return SCAN_ERROR;
}

/* The clock is read once a run: blocks that their headers answer take less time than that. */
enum scan_state scan_run(struct scan *x, uint64_t work, uint32_t batch_rows, struct batch *out)
{
    uint64_t start = now_ns(), until = x->work + work;
    enum scan_state state;

    ASSERT(batch_rows > 0);
    do
        state = step_stage(x, batch_rows, out);
    while (state == SCAN_AGAIN && x->work < until);
    int rc = scan_few_read(x);
    if (rc && state != SCAN_ERROR)
        state = scan_fail(x, rc);
    x->stats.ns += now_ns() - start;
    return state;
}

enum scan_state scan_step(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    return scan_run(x, 1, batch_rows, out);
}

bool scan_is_done(const struct scan *x)
{
    bool one_row = x->window_rows < SCAN_WINDOW;

    if (x->stage != SCAN_STAGE_OUTPUT)
        return x->mode == SCAN_MODE_ROWS && (one_row || x->emitted == x->program->limit);
    if (x->groups)
        return scan_groups_done(x);
    return x->partial ? partial_is_done(x->partial) : x->topn && topn_is_done(x->topn);
}
