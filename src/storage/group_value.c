#include "storage/group_value.h"

#include <string.h>

/* Adds the steps of a reference, its own last: false when they are too many or it is none that can be read here. */
static bool add_steps(struct group_value *v, const struct program *p, const struct schema *s,
                      uint16_t ref, bool counted)
{
    struct value_step step = {.kind = VALUE_COLUMN, .column = ref};

    if (ref >= PROGRAM_COMPUTED) {
        const struct program_computed *c = &p->computed[ref - PROGRAM_COMPUTED];
        step.kind = VALUE_OPERATION;
        step.operation = c->kind;
        for (unsigned i = 0; i < 2; i++) {
            const struct program_operand *o = &c->operands[i];
            step.factors[i] = o->factor;
            if (o->column == PROGRAM_CONSTANT) {
                if (v->n == GROUP_VALUE_STEPS)
                    return false;
                v->steps[v->n++] =
                    (struct value_step){.kind = VALUE_CONSTANT, .min = o->factor, .max = o->factor};
                step.factors[i] = 1;
            } else if (!add_steps(v, p, s, o->column, false)) {
                return false;
            }
            step.operands[i] = (uint8_t)(v->n - 1);
        }
    } else if (ref >= s->n_columns || s->columns[ref].layout == LAYOUT_LIST ||
               (s->columns[ref].layout != LAYOUT_ORDERED && !counted)) {
        return false;
    }
    if (v->n == GROUP_VALUE_STEPS)
        return false;
    v->steps[v->n++] = step;
    return true;
}

bool group_value_init(struct group_value *v, const struct program *p, const struct schema *s,
                      uint16_t ref, bool counted)
{
    v->n = 0;
    return add_steps(v, p, s, ref, counted);
}

static bool is_wide(__int128 x)
{
    return x < INT64_MIN || x > INT64_MAX;
}

/* The bounds of an operation, from those of its operands. */
static bool bound_operation(struct group_value *v, struct value_step *s)
{
    const struct value_step *x = &v->steps[s->operands[0]], *y = &v->steps[s->operands[1]];
    __int128 a[2] = {(__int128)x->min * s->factors[0], (__int128)x->max * s->factors[0]},
             b[2] = {(__int128)y->min * s->factors[1], (__int128)y->max * s->factors[1]};
    __int128 min = 0, max = 0;

    for (unsigned i = 0; i < 4; i++) {
        __int128 l = a[i & 1], r = b[i >> 1];
        if (is_wide(l) || is_wide(r))
            return false;
        __int128 value = s->operation == COMPUTED_ADD        ? l + r
                         : s->operation == COMPUTED_SUBTRACT ? l - r
                                                             : l * r;
        min = !i || value < min ? value : min;
        max = !i || value > max ? value : max;
    }
    s->min = (int64_t)min;
    s->max = (int64_t)max;
    return !is_wide(min) && !is_wide(max);
}

bool group_value_bound(struct group_value *v, const struct dense_range *ranges)
{
    for (unsigned i = 0; i < v->n; i++) {
        struct value_step *s = &v->steps[i];
        if (s->kind == VALUE_COLUMN) {
            s->min = ranges[s->column].any ? ranges[s->column].min : 0;
            s->max = ranges[s->column].any ? ranges[s->column].max : 0;
        } else if (s->kind == VALUE_OPERATION && !bound_operation(v, s)) {
            return false;
        }
    }
    const struct value_step *last = &v->steps[v->n - 1];
    uint64_t span = (uint64_t)last->max - (uint64_t)last->min;
    v->base = last->min;
    v->span = (uint32_t)span;
    return span <= UINT32_MAX;
}

bool group_value_open(struct group_value *v, const struct block *b)
{
    int64_t min, max;

    for (unsigned i = 0; i < v->n; i++) {
        struct value_step *s = &v->steps[i];
        if (s->kind != VALUE_COLUMN)
            continue;
        const struct colblock *c = b->columns[s->column];
        if (!colblock_lines_open(&s->lines, c, s->min, NULL, 0) ||
            (c && colblock_bounds(c, &min, &max) && (min < s->min || max > s->max)))
            return false;
    }
    return true;
}

void group_value_view(struct group_value *v, const struct block *b)
{
    for (unsigned i = 0; i < v->n; i++)
        if (v->steps[i].kind == VALUE_COLUMN)
            colblock_lines_view(&v->steps[i].lines, b->columns[v->steps[i].column]);
}

bool group_value_has_nulls(const struct group_value *v)
{
    for (unsigned i = 0; i < v->n; i++) {
        const struct value_step *s = &v->steps[i];
        if (s->kind == VALUE_COLUMN && (!s->lines.c || colblock_has_nulls(s->lines.c)))
            return true;
    }
    return false;
}

bool group_value_nulls(const struct group_value *v, uint32_t line, const uint64_t *sel,
                       uint64_t *nulls)
{
    uint64_t some[LINE_WORDS];
    bool any = false;

    for (unsigned i = 0; i < v->n; i++) {
        const struct value_step *s = &v->steps[i];
        if (s->kind != VALUE_COLUMN ||
            !colblock_lines_nulls(&s->lines, line, sel, any ? some : nulls))
            continue;
        for (unsigned w = 0; any && w < LINE_WORDS; w++)
            nulls[w] |= some[w];
        any = true;
    }
    return any;
}

/* A step's values by its factor in an operation, modulo 2^32. */
static void read_operand(const struct group_value *v, const struct value_step *at, unsigned operand,
                         const uint32_t (*values)[LINE_ROWS], uint32_t n, uint32_t *out)
{
    const struct value_step *s = &v->steps[at->operands[operand]];
    uint32_t factor = (uint32_t)at->factors[operand],
             add = s->kind == VALUE_COLUMN ? (uint32_t)s->min : 0;

    for (unsigned r = 0; r < n; r++)
        out[r] = (values[at->operands[operand]][r] + add) * factor;
}

static void operate(enum computed_kind kind, const uint32_t *a, const uint32_t *b, uint32_t n,
                    uint32_t *out)
{
    if (kind == COMPUTED_ADD)
        for (unsigned r = 0; r < n; r++)
            out[r] = a[r] + b[r];
    else if (kind == COMPUTED_SUBTRACT)
        for (unsigned r = 0; r < n; r++)
            out[r] = a[r] - b[r];
    else
        for (unsigned r = 0; r < n; r++)
            out[r] = a[r] * b[r];
}

/* The steps of n rows, after the columns' values were read. */
static void compute(const struct group_value *v, uint32_t (*values)[LINE_ROWS], uint32_t n,
                    uint32_t *out)
{
    _Alignas(64) uint32_t a[LINE_ROWS], b[LINE_ROWS];

    for (unsigned i = 0; i < v->n; i++) {
        const struct value_step *s = &v->steps[i];
        if (s->kind == VALUE_CONSTANT) {
            for (unsigned r = 0; r < n; r++)
                values[i][r] = (uint32_t)s->min;
        } else if (s->kind == VALUE_OPERATION) {
            read_operand(v, s, 0, (const uint32_t(*)[LINE_ROWS])values, n, a);
            read_operand(v, s, 1, (const uint32_t(*)[LINE_ROWS])values, n, b);
            operate(s->operation, a, b, n, values[i]);
        }
    }
    for (unsigned r = 0; r < n; r++)
        out[r] = values[v->n - 1][r] - (uint32_t)v->base;
}

void group_value_read(const struct group_value *v, uint32_t line, uint32_t *out)
{
    _Alignas(64) uint32_t values[GROUP_VALUE_STEPS][LINE_ROWS];

    if (v->n == 1) {
        colblock_lines_read(&v->steps[0].lines, line, out);
        return;
    }
    for (unsigned i = 0; i < v->n; i++)
        if (v->steps[i].kind == VALUE_COLUMN)
            colblock_lines_read(&v->steps[i].lines, line, values[i]);
    compute(v, values, LINE_ROWS, out);
}

void group_value_pick(const struct group_value *v, const struct line_rows *r, uint32_t from,
                      uint32_t to, const uint16_t *rows, uint32_t n, uint32_t *out)
{
    _Alignas(64) uint32_t values[GROUP_VALUE_STEPS][LINE_ROWS];

    if (v->n == 1) {
        colblock_lines_pick_all(&v->steps[0].lines, r, from, to, rows, out);
        return;
    }
    for (unsigned i = 0; i < v->n; i++)
        if (v->steps[i].kind == VALUE_COLUMN)
            colblock_lines_pick_all(&v->steps[i].lines, r, from, to, rows, values[i]);
    compute(v, values, n, out);
}
