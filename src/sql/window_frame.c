/* Which rows of a partition are in the frame of a row. */
#include "sql/value_compare.h"
#include "sql/window.h"

static const struct datum *key_of(const struct window_rows *r, const struct window_run *run,
                                  uint32_t row)
{
    const struct window_call *c = run->call;

    return &window_row(r, row)[run->cells[c->n_values + c->n_partition]];
}

/* The key of row i against the bound's: as they are ordered. */
static int compare_key(const struct window_rows *r, const struct window_run *run,
                       const struct window_bound *b, uint32_t i, const struct datum *bound)
{
    bool unknown = false;
    int c = datum_compare_as(b->class, key_of(r, run, i), bound, &unknown);

    return unknown ? 0 : run->call->descending[0] ? -c : c;
}

/*
 * Rows before the bound, from *at on, where the row before had its bound: the first row that is not
 * below the bound's key or, for the end of the frame, above it. False when the turn ends.
 */
static bool move_to_key(const struct window_rows *r, struct window_run *run,
                        const struct window_bound *b, bool is_end, uint32_t *at)
{
    const struct datum *bound = &window_row(r, run->at)[run->cells[b->key]];

    if (key_of(r, run, run->at)->kind == DATUM_NULL) { /* rows without a key are peers */
        *at = is_end ? window_end_of_peers(r, run->at) : window_first_peer(r, run->at);
        return true;
    }
    if (bound->kind == DATUM_NULL) { /* beyond all values of the type */
        *at = b->kind == SQL_BOUND_PRECEDING ? r->start : r->end;
        return true;
    }
    for (; *at < r->end; ++*at) {
        if (key_of(r, run, *at)->kind == DATUM_NULL) { /* first when ascending, else last */
            if (run->call->descending[0])
                break;
        } else {
            int c = compare_key(r, run, b, *at, bound);
            if (is_end ? c > 0 : c >= 0)
                break;
        }
        if (run->work == 0)
            return false;
        run->work--;
    }
    return true;
}

static bool find_bound(const struct window_rows *r, struct window_run *run, bool is_end,
                       uint32_t *out)
{
    const struct window_call *c = run->call;
    const struct window_bound *b = is_end ? &c->to : &c->from;
    uint32_t row = run->at + (is_end ? 1 : 0);

    switch (b->kind) {
    case SQL_BOUND_UNBOUNDED_PRECEDING:
        *out = r->start;
        return true;
    case SQL_BOUND_UNBOUNDED_FOLLOWING:
        *out = r->end;
        return true;
    case SQL_BOUND_PRECEDING:
        if (c->is_range)
            return move_to_key(r, run, b, is_end, out);
        *out = row - r->start > b->rows ? row - (uint32_t)b->rows : r->start;
        return true;
    case SQL_BOUND_FOLLOWING:
        if (c->is_range)
            return move_to_key(r, run, b, is_end, out);
        *out = r->end - row > b->rows ? row + (uint32_t)b->rows : r->end;
        return true;
    default:
        *out = !c->is_range ? row
               : is_end     ? window_end_of_peers(r, run->at)
                            : window_first_peer(r, run->at);
        return true;
    }
}

bool window_find_frame(const struct window_rows *r, struct window_run *run)
{
    return find_bound(r, run, false, &run->lo) && find_bound(r, run, true, &run->hi);
}
