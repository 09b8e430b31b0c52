/*
 * Scan: groups. What the slots found is handed out as value-keyed partial groups, a range of their hashes after the
 * other when they are many, so that who merges those of several cores never holds more than ranges of them. When
 * already the groups of the slots do not fit, the rows are read several times, each time for a range of hashes.
 */
#include <errno.h>

#include "reactor/assert.h"
#include "storage/scan_impl.h"
#include "storage/slot_numbers.h"

enum {
    FLUSH_GROUPS = 1 << 16,        /* looked at in a step */
    FOLD_POSITIONS = SLOT_NUMBERS, /* in a step */
    ENTRY_BYTES = 96,              /* of a partial group, about */
    STATE_BYTES = 64,              /* of an aggregate of it */
    PASS_PART = 4,                 /* a pass that does not fit is made so many times narrower */
    GROUPS_FEW = 64,               /* when these do not fit it is not for their number */
};
static const size_t ARRAYS_FOLDED =
    SIZE_MAX; /* as fold_at: the groups beside the arrays are next */

static uint64_t count_changes(const struct scan *x)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < x->n_parts; i++)
        n += segment_changes(x->parts[i].segment);
    return n;
}

static bool is_whole(const struct group_range *r)
{
    return r->from == 0 && r->to == GROUP_HASHES;
}

/* From the first block on, for the groups of x->pass. */
static void begin_pass(struct scan *x)
{
    /* What lies in arrays is not told apart by hashes. */
    x->allow_whole = x->folding = false;
    group_set_free(x->set);
    x->set = NULL;
    if (x->dense)
        group_dense_clear(x->dense);
    group_restrict(x->groups, is_whole(&x->pass) ? NULL : x->partial, x->pass);
    partial_reset(x->partial);
    x->part = x->block = x->first_row = 0;
    x->slot_open = false;
    x->stats = (struct scan_stats){.slots = x->stats.slots,
                                   .segments = x->stats.segments,
                                   .segments_pruned = x->stats.segments_pruned,
                                   .ns = x->stats.ns};
    x->stage = SCAN_STAGE_BLOCKS;
}

/* The first time without what is kept whole. */
static bool forgo_whole(struct scan *x)
{
    if (!x->allow_whole || !x->dense)
        return false;
    begin_pass(x);
    return true;
}

bool scan_groups_narrow(struct scan *x)
{
    uint32_t width = x->pass.to - x->pass.from;

    if (x->groups && x->program->n_columns && forgo_whole(x))
        return true;

    if (!x->groups || !x->program->n_columns || width == 1 || group_total(x->groups) < GROUPS_FEW)
        return false;
    if (is_whole(&x->pass))
        x->changes = count_changes(x);
    x->pass.to = x->pass.from + (width < PASS_PART ? 1 : width / PASS_PART);
    begin_pass(x);
    return true;
}

int scan_groups_fold(struct scan *x)
{
    bool set = x->allow_whole && group_dense_can_set(x->dense);

    if (!x->folding)
        x->fold_at = 0;
    if (x->allow_whole && group_dense_is_shared(x->dense))
        return 1; /* they stay for the next slot */
    if (!set) {
        int rc = x->dense_on ? group_dense_flush(x->dense, x->groups) : 0;
        return rc ? rc : 1;
    }
    unsigned words = group_dense_set_words(x->dense);
    if (!x->set) {
        x->set = group_set_new(words, x->budget, x->memory / 2);
        if (!x->set)
            return -ENOMEM;
        if (x->program->count_groups)
            group_set_count_only(x->set);
    }
    if (x->dense_on && x->fold_at != ARRAYS_FOLDED) {
        int rc = group_dense_fold(x->dense, x->slots[x->slot], &x->fold_at, FOLD_POSITIONS, x->set);
        if (rc != 1)
            return rc;
    }
    x->fold_at = ARRAYS_FOLDED;
    return group_fold(x->groups, !words, FOLD_POSITIONS, x->set);
}

bool scan_groups_whole(struct scan *x)
{
    bool arrays = x->allow_whole && x->dense && group_dense_is_shared(x->dense) &&
                  group_dense_is_open(x->dense);

    if (x->unfold || (!arrays && !x->set) || group_total(x->groups))
        return false;
    if (arrays)
        group_dense_settle(x->dense);
    else
        group_set_settle(x->set);
    x->found = (struct group_whole){.arrays = arrays ? x->dense : NULL, .set = x->set};
    return true;
}

void scan_allow_whole(struct scan *x)
{
    x->allow_whole = x->dense != NULL;
}

const struct group_whole *scan_whole(const struct scan *x)
{
    return &x->found;
}

void scan_unfold(struct scan *x)
{
    ASSERT(x->stage == SCAN_STAGE_WHOLE);
    x->unfold = true;
    x->stage = SCAN_STAGE_BLOCKS;
    if (x->set)
        begin_pass(x);
}

/* Arrays that cannot be handed out as they are become the groups of one slot: no dictionary belongs to them. */
static int unfold_arrays(struct scan *x)
{
    if (!x->allow_whole || !x->dense || !group_dense_is_shared(x->dense) ||
        !group_dense_is_open(x->dense))
        return 0;
    int rc = group_begin(x->groups, x->parts[0].slot);
    if (!rc)
        rc = group_dense_flush(x->dense, x->groups);
    return rc ? rc : group_end(x->groups);
}

/* The next range of the pass, at most so wide. */
static void begin_range(struct scan *x, uint32_t from, uint32_t width)
{
    x->range.from = from;
    x->range.to = x->pass.to - from > width ? from + width : x->pass.to;
    x->flush_part = x->flush_at = 0;
    x->filled = false;
    partial_reset(x->partial);
    partial_limit(x->partial, width > 1 ? x->piece : x->memory);
}

int scan_groups_end(struct scan *x)
{
    int rc = unfold_arrays(x);

    if (rc)
        return rc;
    uint64_t bytes = group_total(x->groups) *
                     (ENTRY_BYTES + STATE_BYTES * (uint64_t)x->program->n_aggregates),
             pieces = bytes / x->piece + 1;
    uint32_t width = x->pass.to - x->pass.from;

    if (!is_whole(&x->pass) && count_changes(x) != x->changes)
        return error_set(&x->error, -EAGAIN, 1020,
                         "Record has changed since last read in table '%s': the groups of the "
                         "statement are too many for its memory, and rows changed between the "
                         "times they were read; please retry",
                         x->schema->name);
    x->width = pieces > width ? 1 : (uint32_t)(width / pieces);
    begin_range(x, x->pass.from, x->program->n_columns ? x->width : GROUP_HASHES);
    return 0;
}

/* The range did not fit; a narrower one may. */
static bool narrow_range(struct scan *x)
{
    uint32_t width = x->range.to - x->range.from;

    if (width == 1)
        return false;
    if (x->width > width / 2)
        x->width = width / 2;
    begin_range(x, x->range.from, width / 2);
    return true;
}

/* More groups of the range into the partial: 1 when all are there, 0, -errno. */
static int fill(struct scan *x)
{
    for (uint32_t left = FLUSH_GROUPS; left && x->flush_part < group_parts(x->groups);) {
        uint32_t from = x->flush_at;
        scan_bind_inputs(x, x->slots[group_part_slot(x->groups, x->flush_part)]);
        int rc = group_flush(x->groups, x->flush_part, &x->flush_at, x->range, left, x->partial);
        if (rc == -ENOMEM && narrow_range(x))
            return 0;
        if (rc < 0)
            return rc;
        uint32_t done = x->flush_at - from;
        left = rc && done < left ? left - done : 0;
        if (rc) {
            x->flush_part++;
            x->flush_at = 0;
        }
    }
    if (x->flush_part < group_parts(x->groups))
        return 0;
    int rc = scan_finish_groups(x);
    x->filled = !rc;
    return rc ? rc : 1;
}

/* All of the range was handed out: the next one, or the next pass. False at the end. */
static bool next_range(struct scan *x)
{
    if (x->range.to < x->pass.to) {
        begin_range(x, x->range.to, x->width);
        return true;
    }
    if (x->pass.to == GROUP_HASHES)
        return false;
    uint32_t width = x->pass.to - x->pass.from, from = x->pass.to;
    x->pass = (struct group_range){from, GROUP_HASHES - from > width ? from + width : GROUP_HASHES};
    x->range = (struct group_range){from, from};
    begin_pass(x);
    return true;
}

int scan_groups_next(struct scan *x, uint32_t batch_rows, struct batch *out)
{
    int rc = x->filled ? 1 : fill(x);

    if (!rc)
        x->work += SCAN_WORK_FLUSH;
    if (rc <= 0)
        return rc ? rc : -EAGAIN;
    rc = partial_next(x->partial, batch_rows, out);
    if (rc)
        return rc;
    return next_range(x) ? -EAGAIN : 0;
}

bool scan_groups_done(const struct scan *x)
{
    return x->filled && x->range.to == GROUP_HASHES && partial_is_done(x->partial);
}

uint64_t scan_below(const struct scan *x)
{
    return (uint64_t)x->range.from << GROUP_HASH_SHIFT;
}

void scan_share(struct scan *x, uint32_t n)
{
    uint64_t piece = x->memory / SCAN_PIECES / (n ? n : 1);

    x->piece = piece < SCAN_PIECE_MIN ? SCAN_PIECE_MIN : piece;
}
