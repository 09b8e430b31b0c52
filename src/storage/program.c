#include "storage/program.h"

#include <errno.h>

#include "reactor/budget.h"
#include "storage/words_query.h"

enum {
    PREDICATE_MAX_DEPTH = 64,
    ROOM_SHARE = 4,               /* of a core's memory */
    WORDS_PARSE_MEMORY = 1 << 20, /* more than any text that is allowed needs */
};

static const struct column *own_column(const struct schema *s, uint16_t column)
{
    return column < s->n_columns ? &s->columns[column] : NULL;
}

static bool is_list(const struct schema *s, uint16_t column)
{
    return column < s->n_columns && s->columns[column].layout == LAYOUT_LIST;
}

/* The text is parsed where it is used, and parsing is cheap: once more for the answer to be an error in time. */
static int words_validate(const struct predicate *w, const struct column *c, struct error_info *err)
{
    const struct words_query *q;
    struct arena a;
    int rc = 0;

    if (!column_is_searchable(c))
        return error_set(err, -EINVAL, 0, "program: column %s is not searchable", c->name);
    if (w->n != 1)
        return error_set(err, -EINVAL, 0, "program: a search has 1 text, found %u", w->n);
    arena_init(&a, WORDS_PARSE_MEMORY, NULL);
    rc = words_query_parse(w->strings[0].bytes, w->strings[0].len, true, &a, &q);
    arena_fini(&a);
    return rc ? error_set(err, rc == -ENOMEM ? rc : -EINVAL, 0,
                          "program: the text searched in column %s is no query of words", c->name)
              : 0;
}

static int leaf_validate(const struct predicate *w, const struct schema *s, struct error_info *err)
{
    const struct column *c = own_column(s, w->column);

    if (!c)
        return error_set(err, -EINVAL, 0,
                         "program: predicate on column %u; table %s has %u columns", w->column,
                         s->name, s->n_columns);
    bool string = c->type == COLUMN_STRING;
    bool wants_string = w->kind == PREDICATE_STRINGS || w->kind == PREDICATE_STRING_RANGE ||
                        w->kind == PREDICATE_LIKE || w->kind == PREDICATE_WORDS;
    if (w->kind != PREDICATE_NULL && string != wants_string)
        return error_set(err, -EINVAL, 0, "program: predicate kind %d does not fit column %s",
                         w->kind, c->name);
    if (w->kind == PREDICATE_STRING_RANGE && w->n != 2)
        return error_set(err, -EINVAL, 0, "program: a string range has 2 bounds, found %u", w->n);
    if (w->kind == PREDICATE_LIKE && w->n != 1)
        return error_set(err, -EINVAL, 0, "program: LIKE has 1 pattern, found %u", w->n);
    return w->kind == PREDICATE_WORDS ? words_validate(w, c, err) : 0;
}

static int predicate_validate(const struct predicate *w, const struct schema *s, unsigned depth,
                              struct error_info *err)
{
    if (depth > PREDICATE_MAX_DEPTH)
        return error_set(err, -EINVAL, 0, "program: predicates nested deeper than %d",
                         PREDICATE_MAX_DEPTH);
    switch (w->kind) {
    case PREDICATE_TRUE:
    case PREDICATE_FALSE:
        return 0;
    case PREDICATE_AND:
    case PREDICATE_OR:
        for (uint32_t i = 0; i < w->n; i++) {
            int rc = predicate_validate(w->children[i], s, depth + 1, err);
            if (rc)
                return rc;
        }
        return 0;
    case PREDICATE_RANGE:
    case PREDICATE_INTS:
    case PREDICATE_STRINGS:
    case PREDICATE_STRING_RANGE:
    case PREDICATE_LIKE:
    case PREDICATE_NULL:
    case PREDICATE_WORDS:
        return leaf_validate(w, s, err);
    }
    return error_set(err, -EINVAL, 0, "program: unknown predicate kind %d", w->kind);
}

static int join_validate(const struct program_join *j, const struct schema *s,
                         struct error_info *err)
{
    const struct column *c = own_column(s, j->column);

    if (!c || c->layout == LAYOUT_LIST)
        return error_set(err, -EINVAL, 0, "program: column %u cannot be joined", j->column);
    if (!j->parents || !j->parents->columns || j->parents->columns > PROGRAM_JOIN_STEP)
        return error_set(err, -EINVAL, 0,
                         "program: a join needs parent keys and %d columns at most",
                         PROGRAM_JOIN_STEP);
    struct batch_column key;
    batch_column_at(j->parents, 0, &key);
    if (key.kind != (c->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64))
        return error_set(err, -EINVAL, 0, "program: parent keys of kind %u do not fit column %s",
                         key.kind, c->name);
    for (unsigned i = 1; i < j->parents->columns; i++) {
        struct batch_column a;
        batch_column_at(j->parents, i, &a);
        if (a.kind != BATCH_I64 && a.kind != BATCH_BYTES)
            return error_set(
                err, -EINVAL, 0,
                "program: parent attribute %u has kind %u; allowed are integers and bytes", i,
                a.kind);
    }
    return 0;
}

static int column_validate(const struct program *p, const struct schema *s, uint16_t column,
                           struct error_info *err)
{
    if (column < s->n_columns)
        return 0;
    if (column >= PROGRAM_PARENT && column < PROGRAM_COMPUTED &&
        program_ref_join(column) < p->n_joins && program_ref_attribute(column) > 0 &&
        program_ref_attribute(column) < p->joins[program_ref_join(column)].parents->columns)
        return 0;
    return error_set(err, -EINVAL, 0, "program: no column %u in table %s", column, s->name);
}

static int operand_validate(const struct program *p, const struct schema *s, unsigned at,
                            const struct program_operand *o, unsigned *operations,
                            struct error_info *err);

/* Computed value `at`; *operations: how many it takes. Operands are earlier ones, so this ends. */
static int computed_validate(const struct program *p, const struct schema *s, unsigned at,
                             unsigned *operations, struct error_info *err)
{
    const struct program_computed *c = &p->computed[at];
    int rc = 0;

    if (c->kind > COMPUTED_MULTIPLY)
        return error_set(err, -EINVAL, 0, "program: unknown computation %d", c->kind);
    if (++*operations > PROGRAM_MAX_OPERATIONS)
        return error_set(err, -EINVAL, 0, "program: a computed value takes more than %d operations",
                         PROGRAM_MAX_OPERATIONS);
    for (unsigned i = 0; i < 2 && !rc; i++)
        rc = operand_validate(p, s, at, &c->operands[i], operations, err);
    return rc;
}

static enum batch_kind parent_kind(const struct program *p, uint16_t column)
{
    struct batch_column a;

    batch_column_at(p->joins[program_ref_join(column)].parents, program_ref_attribute(column), &a);
    return a.kind;
}

static int operand_validate(const struct program *p, const struct schema *s, unsigned at,
                            const struct program_operand *o, unsigned *operations,
                            struct error_info *err)
{
    if (o->column == PROGRAM_CONSTANT)
        return 0;
    if (o->column >= PROGRAM_COMPUTED && o->column < PROGRAM_COMPUTED + at)
        return computed_validate(p, s, o->column - PROGRAM_COMPUTED, operations, err);
    int rc = column_validate(p, s, o->column, err);
    if (rc)
        return rc;
    const struct column *c = own_column(s, o->column);
    bool fits =
        c ? c->layout == LAYOUT_ORDERED && (c->type == COLUMN_INT || c->type == COLUMN_DECIMAL)
          : parent_kind(p, o->column) == BATCH_I64;
    return fits ? 0
                : error_set(err, -EINVAL, 0, "program: nothing is computed from column %u",
                            o->column);
}

/* What an aggregate looks at: a column, or a computed value. */
static int input_validate(const struct program *p, const struct schema *s, uint16_t column,
                          struct error_info *err)
{
    unsigned operations = 0;

    if (column >= PROGRAM_COMPUTED && column < PROGRAM_COMPUTED + p->n_computed)
        return computed_validate(p, s, column - PROGRAM_COMPUTED, &operations, err);
    return column_validate(p, s, column, err);
}

static enum batch_kind column_kind(const struct program *p, const struct schema *s, uint16_t column)
{
    if (column >= PROGRAM_COMPUTED)
        return BATCH_I64;
    if (column >= PROGRAM_PARENT)
        return parent_kind(p, column);
    if (p->output == OUTPUT_ROWS && s->columns[column].layout == LAYOUT_LIST)
        return BATCH_LIST;
    return s->columns[column].type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
}

static int aggregate_validate(const struct program *p, const struct schema *s,
                              const struct aggregate *a, struct error_info *err)
{
    if (a->kind == AGGREGATE_COUNT_ROWS)
        return 0;
    int rc = input_validate(p, s, a->column, err);
    if (rc)
        return rc;
    bool min_max = a->kind == AGGREGATE_MIN || a->kind == AGGREGATE_MAX;
    if (min_max && is_list(s, a->column))
        return error_set(err, -EINVAL, 0,
                         "program: no minimum or maximum of the multi-valued column %s",
                         s->columns[a->column].name);
    if (a->kind == AGGREGATE_SUM && column_kind(p, s, a->column) != BATCH_I64)
        return error_set(err, -EINVAL, 0, "program: no sum of column %u", a->column);
    if (a->kind > AGGREGATE_MAX)
        return error_set(err, -EINVAL, 0, "program: unknown aggregate %d", a->kind);
    return 0;
}

static int order_validate(const struct program *p, const struct schema *s, struct error_info *err)
{
    if (p->n_order && p->limit == UINT64_MAX)
        return error_set(err, -EINVAL, 0, "program: ordered rows need a limit");
    for (unsigned i = 0; i < p->n_order; i++) {
        if (p->order[i].output >= program_outputs(p))
            return error_set(err, -EINVAL, 0, "program: order by output %u of %u",
                             p->order[i].output, program_outputs(p));
        if (p->output == OUTPUT_ROWS && is_list(s, p->columns[p->order[i].output]))
            return error_set(err, -EINVAL, 0,
                             "program: rows cannot be ordered by a multi-valued column");
    }
    return 0;
}

int program_validate(const struct program *p, const struct schema *s, struct error_info *err)
{
    int rc;

    if (p->n_columns > (p->output == OUTPUT_GROUPS ? PROGRAM_MAX_GROUPS : SCHEMA_MAX_COLUMNS) ||
        p->n_aggregates > PROGRAM_MAX_AGGREGATES || p->n_order > PROGRAM_MAX_ORDER ||
        p->n_joins > PROGRAM_MAX_JOINS || p->n_computed > PROGRAM_MAX_COMPUTED)
        return error_set(err, -EINVAL, 0,
                         "program: %u columns, %u aggregates, %u order keys, %u joins, %u computed "
                         "values are too many",
                         p->n_columns, p->n_aggregates, p->n_order, p->n_joins, p->n_computed);
    if (p->where && (rc = predicate_validate(p->where, s, 0, err)))
        return rc;
    for (unsigned i = 0; i < p->n_joins; i++)
        if ((rc = join_validate(&p->joins[i], s, err)))
            return rc;
    for (unsigned i = 0; i < p->n_columns; i++)
        if ((rc = column_validate(p, s, p->columns[i], err)))
            return rc;
    if (p->counted && (p->output != OUTPUT_ROWS || p->n_columns != 1 || p->n_order ||
                       p->limit != UINT64_MAX || program_output_kind(p, s, 0) != BATCH_I64))
        return error_set(err, -EINVAL, 0,
                         "program: counted rows are all the rows of one integer column");
    if (p->output == OUTPUT_ROWS)
        return order_validate(p, s, err);
    for (unsigned i = 0; i < p->n_aggregates; i++)
        if ((rc = aggregate_validate(p, s, &p->aggregates[i], err)))
            return rc;
    if (p->count_groups && (p->n_columns != 1 || p->n_aggregates != 1 ||
                            p->aggregates[0].kind != AGGREGATE_COUNT_ROWS || p->n_order))
        return error_set(err, -EINVAL, 0, "program: only groups by one column can be counted");
    return order_validate(p, s, err);
}

unsigned program_outputs(const struct program *p)
{
    return p->n_columns + (p->output == OUTPUT_GROUPS ? p->n_aggregates : (unsigned)p->counted);
}

enum batch_kind program_output_kind(const struct program *p, const struct schema *s, unsigned i)
{
    if (i < p->n_columns)
        return column_kind(p, s, p->columns[i]);
    if (p->counted)
        return BATCH_BYTES;
    const struct aggregate *a = &p->aggregates[i - p->n_columns];
    switch (a->kind) {
    case AGGREGATE_COUNT_ROWS:
    case AGGREGATE_COUNT:
        return BATCH_I64;
    case AGGREGATE_SUM:
        return BATCH_I128;
    default:
        return column_kind(p, s, a->column);
    }
}

uint64_t program_room(const struct program *p, const struct budget *budget)
{
    uint64_t core = budget && budget->limit ? budget->limit / ROOM_SHARE : UINT64_MAX;

    return p->memory < core ? p->memory : core;
}
