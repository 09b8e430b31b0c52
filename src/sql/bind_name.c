/* Columns by name. */
#include <string.h>
#include <strings.h>

#include "sql/bind.h"

const char *bind_clause_name(enum bind_clause c)
{
    static const char *const names[] = {"field list",      "where clause",  "on clause",
                                        "group statement", "having clause", "order clause",
                                        "field list"};

    return names[c];
}

const char *bind_ref_text(struct bind *b, const struct sql_column_ref *ref)
{
    const char *s = ref->name;

    if (ref->db)
        s = arena_printf(b->arena, "%s.%s.%s", ref->db, ref->table, ref->name);
    else if (ref->table)
        s = arena_printf(b->arena, "%s.%s", ref->table, ref->name);
    return s ? s : ref->name;
}

static bool source_matches(const struct source *s, const struct sql_column_ref *ref)
{
    if (ref->db && (!s->db || strcasecmp(ref->db, s->db) != 0))
        return false;
    return !ref->table || (s->alias && strcmp(ref->table, s->alias) == 0);
}

static int find_in_source(const struct source *s, const char *name, bool qualified)
{
    for (uint16_t i = 0; i < s->n_columns; i++)
        if (!s->columns[i].hidden && (qualified || !s->columns[i].merged) &&
            strcasecmp(s->columns[i].name, name) == 0)
            return i;
    return -1;
}

unsigned bind_find_column(const struct bound_select *s, const struct sql_column_ref *ref,
                          uint16_t *source, uint16_t *column)
{
    unsigned found = 0;

    for (uint16_t i = 0; i < s->n_sources; i++) {
        if (!source_matches(&s->sources[i], ref))
            continue;
        int c = find_in_source(&s->sources[i], ref->name, ref->table != NULL);
        if (c >= 0 && found++ == 0) {
            *source = i;
            *column = (uint16_t)c;
        }
    }
    return found;
}

struct expr *bind_source_column(struct bind *b, struct bound_select *s, uint16_t source,
                                uint16_t column)
{
    struct source *src = &s->sources[source];
    struct expr *e = expr_new(b->arena, EXPR_COLUMN, 0);

    if (!e) {
        bind_alloc(b, SIZE_MAX / 2);
        return NULL;
    }
    if (!src->cell_of[column]) {
        src->used[src->n_used] = column;
        src->cell_of[column] = ++src->n_used;
    }
    e->u.column.source = source;
    e->u.column.column = column;
    e->state = src->nodes;
    src->nodes = e;
    e->delim = src->columns[column].delim;
    expr_prepare(e, b->arena);
    e->type = src->columns[column].type;
    if (src->nullable)
        e->type.not_null = false;
    return e;
}

/* An alias of the select list, for GROUP BY, HAVING and ORDER BY. */
static struct expr *find_alias(struct bind *b, const char *name, bool *ambiguous)
{
    const struct bound_select *s = b->scope->select;
    struct expr *found = NULL;

    *ambiguous = false;
    for (uint32_t i = 0; i < s->n_items && i < s->n_visible; i++) {
        if (!s->items[i].name || strcasecmp(s->items[i].name, name) != 0)
            continue;
        if (found && !expr_is_equal(found, s->items[i].expr))
            *ambiguous = true;
        else
            found = s->items[i].expr;
    }
    return found;
}

struct expr *bind_column(struct bind *b, const struct sql_column_ref *ref)
{
    struct bind_scope *scope = b->scope;
    uint16_t source, column;
    bool ambiguous;

    if (!scope || !scope->select)
        return bind_outer_column(b, ref);
    bool aliases = scope->items_bound && !ref->table && !scope->in_aggregate;
    if (aliases && scope->clause == BIND_HAVING) {
        struct expr *e = find_alias(b, ref->name, &ambiguous);
        if (ambiguous) {
            bind_fail(b, MYSQL_ER_NON_UNIQ_ERROR, ref->name, bind_clause_name(scope->clause));
            return NULL;
        }
        if (e)
            return e;
    }
    unsigned n = bind_find_column(scope->select, ref, &source, &column);
    if (n > 1) {
        bind_fail(b, MYSQL_ER_NON_UNIQ_ERROR, bind_ref_text(b, ref),
                  bind_clause_name(scope->clause));
        return NULL;
    }
    if (n == 1)
        return bind_source_column(b, scope->select, source, column);
    if (aliases) {
        struct expr *e = find_alias(b, ref->name, &ambiguous);
        if (e && !ambiguous)
            return e;
    }
    return bind_outer_column(b, ref);
}

static uint32_t place_source(struct source *src, uint32_t slot)
{
    src->first_slot = slot;
    for (struct expr *e = src->nodes; e; e = e->state)
        e->u.column.slot = slot + src->cell_of[e->u.column.column] - 1;
    return slot + src->n_used;
}

static uint32_t place_below(struct bound_select *s, const struct join_tree *t, uint32_t slot)
{
    if (!t->kind)
        return place_source(&s->sources[t->first_source], slot);
    return place_below(s, t->right, place_below(s, t->left, slot));
}

void bind_finish_slots(struct bound_select *s)
{
    uint32_t slot = 0;

    if (s->from && s->from->kind)
        place_below(s, s->from, 0);
    else
        for (uint16_t i = 0; i < s->n_sources; i++)
            slot = place_source(&s->sources[i], slot);
}
