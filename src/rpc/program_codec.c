#include "rpc/program_codec.h"

#include <errno.h>
#include <string.h>

/* --- to the message --- */

struct encoder {
    struct arena *arena;
    Quanta__Predicate **at; /* next of the list */
    uint32_t left;
};

static int count_predicates(const struct predicate *w, unsigned depth, uint32_t *n)
{
    if (depth > PROGRAM_CODEC_MAX_DEPTH || ++*n > PROGRAM_CODEC_MAX_PREDICATES)
        return -E2BIG;
    if (w->kind != PREDICATE_AND && w->kind != PREDICATE_OR)
        return 0;
    for (uint32_t i = 0; i < w->n; i++) {
        int rc = count_predicates(w->children[i], depth + 1, n);
        if (rc)
            return rc;
    }
    return 0;
}

static int encode_strings(const struct predicate *w, struct arena *a, Quanta__Predicate *m)
{
    m->strings = arena_alloc(a, (w->n + 1) * sizeof(*m->strings));
    if (!m->strings)
        return -ENOMEM;
    m->n_strings = w->n;
    for (uint32_t i = 0; i < w->n; i++) {
        bool open = w->kind == PREDICATE_STRING_RANGE && w->strings[i].len == UINT32_MAX;
        m->strings[i] =
            (ProtobufCBinaryData){open ? 0 : w->strings[i].len, (uint8_t *)w->strings[i].bytes};
        if (open && i == 0)
            m->lo_unbounded = true;
        if (open && i == 1)
            m->hi_unbounded = true;
    }
    return 0;
}

static int encode_predicate(struct encoder *e, const struct predicate *w)
{
    Quanta__Predicate *m = arena_alloc(e->arena, sizeof(*m));
    int rc = 0;

    if (!m)
        return -ENOMEM;
    quanta__predicate__init(m);
    *e->at++ = m;
    m->kind = (Quanta__Predicate__Kind)w->kind;
    m->negate = w->negate;
    m->column = w->column;
    m->lo = w->lo;
    m->hi = w->hi;
    m->lo_excluded = w->lo_open;
    m->hi_excluded = w->hi_open;
    m->escape = (uint8_t)w->escape;
    switch (w->kind) {
    case PREDICATE_AND:
    case PREDICATE_OR:
        m->children = w->n;
        for (uint32_t i = 0; i < w->n && !rc; i++)
            rc = encode_predicate(e, w->children[i]);
        return rc;
    case PREDICATE_INTS:
        m->n_ints = w->n;
        m->ints = (int64_t *)w->ints;
        return 0;
    case PREDICATE_STRINGS:
    case PREDICATE_STRING_RANGE:
    case PREDICATE_LIKE:
    case PREDICATE_WORDS:
        return encode_strings(w, e->arena, m);
    default:
        return 0;
    }
}

static int encode_where(const struct predicate *w, struct arena *a, Quanta__ShardProgram *out)
{
    uint32_t n = 0;
    int rc = count_predicates(w, 0, &n);

    if (rc)
        return rc;
    out->where = arena_alloc(a, n * sizeof(*out->where));
    if (!out->where)
        return -ENOMEM;
    out->n_where = n;
    struct encoder e = {.arena = a, .at = out->where};
    return encode_predicate(&e, w);
}

static int encode_joins(const struct program *p, struct arena *a, Quanta__ShardProgram *out)
{
    Quanta__Join *m = arena_alloc(a, p->n_joins * sizeof(*m));

    out->joins = arena_alloc(a, p->n_joins * sizeof(*out->joins));
    if (!m || !out->joins)
        return -ENOMEM;
    out->n_joins = p->n_joins;
    for (unsigned i = 0; i < p->n_joins; i++) {
        const struct program_join *j = &p->joins[i];
        quanta__join__init(&m[i]);
        m[i].column = j->column;
        m[i].left = j->left;
        m[i].parents = (ProtobufCBinaryData){j->parents->len, (uint8_t *)j->parents->bytes};
        out->joins[i] = &m[i];
    }
    return 0;
}

static int encode_computed(const struct program *p, struct arena *a, Quanta__ShardProgram *out)
{
    Quanta__Computed *m = arena_alloc(a, (p->n_computed + 1U) * sizeof(*m));

    out->computed = arena_alloc(a, (p->n_computed + 1U) * sizeof(*out->computed));
    if (!m || !out->computed)
        return -ENOMEM;
    out->n_computed = p->n_computed;
    for (unsigned i = 0; i < p->n_computed; i++) {
        const struct program_computed *c = &p->computed[i];
        quanta__computed__init(&m[i]);
        m[i].kind = (Quanta__Computed__Kind)c->kind;
        m[i].left = c->operands[0].column;
        m[i].left_factor = c->operands[0].factor;
        m[i].right = c->operands[1].column;
        m[i].right_factor = c->operands[1].factor;
        out->computed[i] = &m[i];
    }
    return 0;
}

static int encode_output(const struct program *p, struct arena *a, Quanta__ShardProgram *out)
{
    out->columns = arena_alloc(a, (p->n_columns + 1U) * sizeof(*out->columns));
    out->aggregates = arena_alloc(a, (p->n_aggregates + 1U) * sizeof(*out->aggregates));
    out->order = arena_alloc(a, (p->n_order + 1U) * sizeof(*out->order));
    Quanta__Aggregate *g = arena_alloc(a, (p->n_aggregates + 1U) * sizeof(*g));
    Quanta__Order *o = arena_alloc(a, (p->n_order + 1U) * sizeof(*o));
    if (!out->columns || !out->aggregates || !out->order || !g || !o)
        return -ENOMEM;
    out->n_columns = p->n_columns;
    for (unsigned i = 0; i < p->n_columns; i++)
        out->columns[i] = p->columns[i];
    if (p->output == OUTPUT_GROUPS)
        out->n_aggregates = p->n_aggregates;
    for (unsigned i = 0; i < out->n_aggregates; i++) {
        quanta__aggregate__init(&g[i]);
        g[i].kind = (Quanta__Aggregate__Kind)p->aggregates[i].kind;
        g[i].column = p->aggregates[i].column;
        out->aggregates[i] = &g[i];
    }
    out->n_order = p->n_order;
    for (unsigned i = 0; i < p->n_order; i++) {
        quanta__order__init(&o[i]);
        o[i].output = p->order[i].output;
        o[i].descending = p->order[i].descending;
        out->order[i] = &o[i];
    }
    return 0;
}

int program_encode(const struct program *p, struct arena *a, Quanta__ShardProgram *out)
{
    int rc = 0;

    quanta__shard_program__init(out);
    out->table_id = p->table_id;
    out->catalog_version = p->catalog_version;
    out->output = (Quanta__ShardProgram__Output)p->output;
    out->limit = p->limit;
    out->memory = p->memory;
    out->shares = p->shares;
    out->count_groups = p->count_groups;
    out->analyze = p->analyze;
    out->counted = p->counted;
    if (p->where)
        rc = encode_where(p->where, a, out);
    if (!rc && p->n_joins)
        rc = encode_joins(p, a, out);
    if (!rc && p->n_computed)
        rc = encode_computed(p, a, out);
    return rc ? rc : encode_output(p, a, out);
}

/* --- from the message --- */

struct decoder {
    struct arena *arena;
    const Quanta__ShardProgram *message;
    size_t next; /* of the predicates */
    struct error_info *err;
};

static int out_of_memory(struct error_info *err)
{
    return error_set(err, -ENOMEM, 1037, "out of memory: the program is too large");
}

static int decode_column(uint32_t column, uint16_t *out, struct error_info *err)
{
    if (column > UINT16_MAX)
        return error_set(err, -EINVAL, 0, "program: column %u; allowed are 0 to 65535", column);
    *out = (uint16_t)column;
    return 0;
}

static int decode_strings(struct decoder *d, const Quanta__Predicate *m, struct predicate *w)
{
    struct program_string *s = arena_alloc(d->arena, (m->n_strings + 1) * sizeof(*s));

    if (!s)
        return out_of_memory(d->err);
    for (size_t i = 0; i < m->n_strings; i++)
        s[i] =
            (struct program_string){(const char *)m->strings[i].data, (uint32_t)m->strings[i].len};
    /* An empty string views a text that exists: executors hand it on without asking. */
    for (size_t i = 0; i < m->n_strings; i++)
        if (!s[i].len)
            s[i].bytes = "";
    if (w->kind == PREDICATE_STRING_RANGE && m->n_strings == 2) {
        if (m->lo_unbounded)
            s[0] = (struct program_string){"", UINT32_MAX};
        if (m->hi_unbounded)
            s[1] = (struct program_string){"", UINT32_MAX};
    }
    w->n = (uint32_t)m->n_strings;
    w->strings = s;
    return 0;
}

static int decode_ints(struct decoder *d, const Quanta__Predicate *m, struct predicate *w)
{
    for (size_t i = 1; i < m->n_ints; i++)
        if (m->ints[i] <= m->ints[i - 1])
            return error_set(d->err, -EINVAL, 0,
                             "program: the integers of a predicate are not ascending");
    w->n = (uint32_t)m->n_ints;
    w->ints = m->ints;
    return 0;
}

static int decode_predicate(struct decoder *d, unsigned depth, const struct predicate **out);

static int decode_children(struct decoder *d, const Quanta__Predicate *m, unsigned depth,
                           struct predicate *w)
{
    size_t left = d->message->n_where - d->next;

    if (m->children > left)
        return error_set(d->err, -EINVAL, 0,
                         "program: a predicate has %u children, the list only %zu", m->children,
                         left);
    w->n = m->children;
    w->children = arena_alloc(d->arena, (w->n + 1UL) * sizeof(*w->children));
    if (!w->children)
        return out_of_memory(d->err);
    for (uint32_t i = 0; i < w->n; i++) {
        int rc = decode_predicate(d, depth + 1, &w->children[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int decode_predicate(struct decoder *d, unsigned depth, const struct predicate **out)
{
    if (depth > PROGRAM_CODEC_MAX_DEPTH || d->next >= d->message->n_where)
        return error_set(d->err, -EINVAL, 0,
                         "program: predicates nested deeper than %d, or the list is cut",
                         PROGRAM_CODEC_MAX_DEPTH);
    const Quanta__Predicate *m = d->message->where[d->next++];
    struct predicate *w = arena_alloc(d->arena, sizeof(*w));
    if (!w)
        return out_of_memory(d->err);
    if ((unsigned)m->kind > PREDICATE_WORDS || m->escape > 255)
        return error_set(d->err, -EINVAL, 0, "program: unknown predicate kind %d or escape %u",
                         (int)m->kind, m->escape);
    w->kind = (enum predicate_kind)m->kind;
    w->negate = m->negate;
    w->lo = m->lo;
    w->hi = m->hi;
    w->lo_open = m->lo_excluded;
    w->hi_open = m->hi_excluded;
    w->escape = (char)m->escape;
    *out = w;
    int rc = decode_column(m->column, &w->column, d->err);
    if (rc)
        return rc;
    switch (w->kind) {
    case PREDICATE_AND:
    case PREDICATE_OR:
        return decode_children(d, m, depth, w);
    case PREDICATE_INTS:
        return decode_ints(d, m, w);
    case PREDICATE_STRINGS:
    case PREDICATE_STRING_RANGE:
    case PREDICATE_LIKE:
    case PREDICATE_WORDS:
        return decode_strings(d, m, w);
    default:
        return 0;
    }
}

static int decode_where(struct decoder *d, struct program *out)
{
    if (!d->message->n_where)
        return 0;
    if (d->message->n_where > PROGRAM_CODEC_MAX_PREDICATES)
        return error_set(d->err, -EINVAL, 0, "program: %zu predicates; at most %d are allowed",
                         d->message->n_where, PROGRAM_CODEC_MAX_PREDICATES);
    int rc = decode_predicate(d, 0, &out->where);
    if (!rc && d->next != d->message->n_where)
        rc = error_set(d->err, -EINVAL, 0, "program: %zu predicates do not belong to the tree",
                       d->message->n_where - d->next);
    return rc;
}

static int decode_join(struct decoder *d, const Quanta__Join *m, struct program_join *j)
{
    struct batch *parents = arena_alloc(d->arena, sizeof(*parents));
    uint8_t *aligned =
        arena_alloc(d->arena, m->parents.len + 8); /* batches want 8-byte alignment */

    if (!parents || !aligned)
        return out_of_memory(d->err);
    if (m->parents.len)
        memcpy(aligned, m->parents.data, m->parents.len);
    int rc = batch_open(aligned, m->parents.len, parents, d->err);
    if (!rc)
        rc = decode_column(m->column, &j->column, d->err);
    j->left = m->left;
    j->parents = parents;
    return rc;
}

static int decode_joins(struct decoder *d, struct program *out)
{
    size_t n = d->message->n_joins;
    int rc = 0;

    if (!n)
        return 0;
    if (n > PROGRAM_MAX_JOINS)
        return error_set(d->err, -EINVAL, 0, "program: %zu joins; at most %d are allowed", n,
                         PROGRAM_MAX_JOINS);
    struct program_join *joins = arena_alloc(d->arena, n * sizeof(*joins));
    if (!joins)
        return out_of_memory(d->err);
    for (size_t i = 0; i < n && !rc; i++)
        rc = decode_join(d, d->message->joins[i], &joins[i]);
    out->n_joins = (uint16_t)n;
    out->joins = joins;
    return rc;
}

static int decode_columns(struct decoder *d, struct program *out)
{
    const Quanta__ShardProgram *m = d->message;
    uint16_t *columns = arena_alloc(d->arena, (m->n_columns + 1) * sizeof(*columns));

    if (!columns)
        return out_of_memory(d->err);
    for (size_t i = 0; i < m->n_columns; i++) {
        int rc = decode_column(m->columns[i], &columns[i], d->err);
        if (rc)
            return rc;
    }
    out->n_columns = (uint16_t)m->n_columns;
    out->columns = columns;
    return 0;
}

static int decode_computed(struct decoder *d, struct program *out)
{
    const Quanta__ShardProgram *m = d->message;
    struct program_computed *c = arena_alloc(d->arena, (m->n_computed + 1) * sizeof(*c));
    int rc = 0;

    if (!c)
        return out_of_memory(d->err);
    if (m->n_computed > PROGRAM_MAX_COMPUTED)
        return error_set(d->err, -EINVAL, 0, "program: %zu computed values; allowed are %d",
                         m->n_computed, PROGRAM_MAX_COMPUTED);
    for (size_t i = 0; i < m->n_computed && !rc; i++) {
        const Quanta__Computed *x = m->computed[i];
        c[i].kind = (enum computed_kind)x->kind;
        c[i].operands[0].factor = x->left_factor;
        c[i].operands[1].factor = x->right_factor;
        rc = decode_column(x->left, &c[i].operands[0].column, d->err);
        if (!rc)
            rc = decode_column(x->right, &c[i].operands[1].column, d->err);
    }
    out->n_computed = (uint16_t)m->n_computed;
    out->computed = c;
    return rc;
}

static int decode_output(struct decoder *d, struct program *out)
{
    const Quanta__ShardProgram *m = d->message;

    if (m->n_columns > SCHEMA_MAX_COLUMNS || m->n_aggregates > PROGRAM_MAX_AGGREGATES ||
        m->n_order > PROGRAM_MAX_ORDER || (unsigned)m->output > OUTPUT_ROWS)
        return error_set(d->err, -EINVAL, 0,
                         "program: %zu columns, %zu aggregates, %zu order keys are too many",
                         m->n_columns, m->n_aggregates, m->n_order);
    struct aggregate *g = arena_alloc(d->arena, (m->n_aggregates + 1) * sizeof(*g));
    struct program_order *o = arena_alloc(d->arena, (m->n_order + 1) * sizeof(*o));
    int rc = g && o ? decode_columns(d, out) : out_of_memory(d->err);
    for (size_t i = 0; i < m->n_aggregates && !rc; i++) {
        g[i].kind = (enum aggregate_kind)m->aggregates[i]->kind;
        rc = decode_column(m->aggregates[i]->column, &g[i].column, d->err);
        if (!rc && (unsigned)m->aggregates[i]->kind > AGGREGATE_MAX)
            rc = error_set(d->err, -EINVAL, 0, "program: unknown aggregate %d",
                           (int)m->aggregates[i]->kind);
    }
    for (size_t i = 0; i < m->n_order && !rc; i++) {
        o[i].descending = m->order[i]->descending;
        rc = decode_column(m->order[i]->output, &o[i].output, d->err);
    }
    out->output = (enum program_output)m->output;
    out->n_aggregates = (uint16_t)m->n_aggregates;
    out->aggregates = g;
    out->n_order = (uint16_t)m->n_order;
    out->order = o;
    return rc;
}

int program_decode(const Quanta__ShardProgram *m, const struct schema *s, struct arena *a,
                   struct program *out, struct error_info *err)
{
    struct decoder d = {.arena = a, .message = m, .err = err};

    *out = (struct program){.table_id = m->table_id,
                            .catalog_version = m->catalog_version,
                            .limit = m->limit,
                            .memory = m->memory,
                            .shares = m->shares,
                            .count_groups = m->count_groups,
                            .analyze = m->analyze,
                            .counted = m->counted};
    int rc = decode_where(&d, out);
    if (!rc)
        rc = decode_joins(&d, out);
    if (!rc)
        rc = decode_computed(&d, out);
    if (!rc)
        rc = decode_output(&d, out);
    return rc ? rc : program_validate(out, s, err);
}
