/* Column block: append, set, seal. */
#include "storage/colblock_change.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock_impl.h"
#include "storage/presence.h"
#include "storage/slot_memory.h"

struct colblock *colblock_new(enum column_layout layout, const struct dict *lists,
                              struct budget *budget)
{
    struct colblock *c = slot_memory_zeroed(budget, sizeof *c);

    if (!c)
        return NULL;
    ASSERT(layout != LAYOUT_LIST || lists);
    c->budget = budget;
    c->lists = lists;
    c->layout = layout;
    return c;
}

void colblock_free(struct colblock *c)
{
    if (!c)
        return;
    sealed_free(c->sealed);
    code_filter_free(c->filter, c->budget);
    tail_fini(&c->tail, c->budget);
    slot_memory_free(c->budget, c, sizeof *c);
}

uint32_t colblock_rows(const struct colblock *c)
{
    return sealed_rows(c) + c->tail.rows;
}

uint32_t colblock_sealed_rows(const struct colblock *c)
{
    return sealed_rows(c);
}

/* Bounds of n values: false when none is present. nulls: some is absent. */
static bool find_bounds(const int64_t *values, const uint8_t *present, uint32_t n, int64_t *min,
                        int64_t *max, bool *nulls)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN;
    uint32_t some = 0;

    if (!present) {
        for (uint32_t i = 0; i < n; i++) {
            lo = values[i] < lo ? values[i] : lo;
            hi = values[i] > hi ? values[i] : hi;
        }
        some = n;
    } else {
        for (uint32_t i = 0; i < n; i++) {
            if (!present[i])
                continue;
            lo = values[i] < lo ? values[i] : lo;
            hi = values[i] > hi ? values[i] : hi;
            some++;
        }
    }
    *min = lo;
    *max = hi;
    *nulls = some < n;
    return some > 0;
}

/* A last line that was sealed with fewer rows becomes tail again: 0, or -ENOMEM with all as before. */
static int open_line(struct colblock *c)
{
    struct sealed *s = c->sealed;
    uint32_t rows = sealed_rows(c) / LINE_ROWS * LINE_ROWS, n = sealed_rows(c) - rows;
    _Alignas(64) int64_t values[LINE_ROWS];
    uint8_t present[LINE_ROWS];
    int64_t min, max;
    bool nulls;
    int rc;

    if (!n)
        return 0;
    sealed_decode_line(s, kernel_table(), rows / LINE_ROWS, values);
    for (uint32_t i = 0; i < n; i++)
        present[i] = sealed_is_present(s, rows + i);
    find_bounds(values, present, n, &min, &max, &nulls);
    rc = tail_reserve(&c->tail, c->budget, n, min, max, nulls, BLOCK_ROWS - rows);
    if (rc != 0)
        return rc;
    tail_append(&c->tail, values, nulls ? present : NULL, n);
    if (rows) {
        sealed_cut(s, rows);
    } else {
        sealed_free(s);
        c->sealed = NULL;
    }
    colblock_note_sealed(c);
    return 0;
}

int colblock_reserve(struct colblock *c, const int64_t *values, const uint8_t *present, uint32_t n)
{
    int64_t min, max;
    bool nulls;

    int rc = open_line(c);

    if (rc != 0)
        return rc;
    find_bounds(values, present, n, &min, &max, &nulls);
    return tail_reserve(&c->tail, c->budget, n, min, max, nulls, BLOCK_ROWS - sealed_rows(c));
}

static void widen_bounds(struct colblock *c, int64_t min, int64_t max)
{
    if (!c->any) {
        c->min = min;
        c->max = max;
        c->any = c->tight = true;
        return;
    }
    c->min = min < c->min ? min : c->min;
    c->max = max > c->max ? max : c->max;
}

void colblock_append(struct colblock *c, const int64_t *values, const uint8_t *present, uint32_t n)
{
    int64_t min, max;
    bool nulls;

    if (find_bounds(values, present, n, &min, &max, &nulls))
        widen_bounds(c, min, max);
    tail_append(&c->tail, values, nulls ? present : NULL, n);
}

/* Builds the sealed part anew, with room for the value. */
static int rebuild(struct colblock *c, int64_t value, bool present)
{
    struct sealed *old = c->sealed, *built;
    size_t bytes = old->words * 64 * sizeof(int64_t);
    uint64_t presence[BLOCK_WORDS];
    int64_t *values = slot_memory_new(c->budget, bytes);
    struct sealed_input in = {
        .layout = c->layout,
        .lists = c->lists,
        .budget = c->budget,
        .rows = old->rows,
        .values = values,
        .presence = presence,
        .spare = true,
        .nulls = old->presence || !present,
        .extra = present ? &value : NULL,
    };
    int rc;

    if (!values)
        return -ENOMEM;
    sealed_read(old, values, presence);
    rc = sealed_build(&in, &built);
    slot_memory_free(c->budget, values, bytes);
    if (rc != 0)
        return rc;
    sealed_free(old);
    c->sealed = built;
    colblock_note_sealed(c);
    ASSERT(sealed_reserve(built, value, present));
    return 0;
}

int colblock_reserve_set(struct colblock *c, uint32_t row, int64_t value, bool present)
{
    int64_t min = present ? value : INT64_MAX, max = present ? value : INT64_MIN;

    ASSERT(row < colblock_rows(c));
    if (row >= sealed_rows(c))
        return tail_reserve(&c->tail, c->budget, 0, min, max, !present,
                            BLOCK_ROWS - sealed_rows(c));
    return sealed_reserve(c->sealed, value, present) ? 0 : rebuild(c, value, present);
}

void colblock_set(struct colblock *c, uint32_t row, int64_t value, bool present)
{
    int64_t old;

    ASSERT(row < colblock_rows(c));
    /* The smallest or largest value goes: the bounds stay as an outer frame. */
    if (c->tight && colblock_get(c, row, &old) && (old == c->min || old == c->max) &&
        !(present && value == old))
        c->tight = false;
    if (present && (!c->any || value < c->min || value > c->max)) {
        bool tight = c->tight || !c->any;

        widen_bounds(c, value, value);
        c->tight = tight;
    }
    if (row >= sealed_rows(c)) {
        tail_put(&c->tail, row - sealed_rows(c), value, present);
        return;
    }
    if (present && c->filter)
        code_filter_add(c->filter, (uint32_t)value);
    c->summed = false;
    sealed_put(c->sealed, row, value, present);
}

int colblock_seal(struct colblock *c, uint32_t rows)
{
    uint32_t have = sealed_rows(c);
    uint64_t presence[BLOCK_WORDS];
    size_t bytes = sealed_words_of(rows) * 64 * sizeof(int64_t);
    struct sealed *built;
    struct sealed_input in = {
        .layout = c->layout,
        .lists = c->lists,
        .budget = c->budget,
        .rows = rows,
        .presence = presence,
    };
    int rc;

    ASSERT(rows == colblock_rows(c) || (rows % LINE_ROWS == 0 && rows < colblock_rows(c)));
    if (rows <= have)
        return 0;
    ASSERT(have % LINE_ROWS == 0 && !c->filter); /* which only full blocks have */
    memset(presence, 0, sizeof presence);
    in.values = slot_memory_new(c->budget, bytes);
    if (!in.values)
        return -ENOMEM;
    if (have)
        sealed_read(c->sealed, in.values, presence);
    tail_read(&c->tail, 0, rows - have, in.values + have);
    if (c->tail.presence)
        memcpy(presence + have / 64, c->tail.presence,
               presence_words(rows - have) * sizeof *presence);
    else if (have)
        presence_fill(presence, have, rows - have);
    else
        in.presence = NULL;
    rc = sealed_build(&in, &built);
    slot_memory_free(c->budget, in.values, bytes);
    if (rc != 0)
        return rc;
    sealed_free(c->sealed);
    c->sealed = built;
    colblock_note_sealed(c);
    tail_drop(&c->tail, c->budget, rows - have);
    return 0;
}
