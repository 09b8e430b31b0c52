/*
 * What may differ between a table and the definition that is to take its place. Refused is what stored rows depend
 * on; the original's list (node.md 1.8) and what the original does not compare though its rows depend on it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/schema_check.h"

/* Owner and lifetime: one call of schema_check_alter. */
struct alter {
    const struct schema *old, *next;
    void (*warn)(void *ctx, const char *line);
    void *ctx;
    struct error_info *err;
    unsigned differences;
};

static bool is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Next name of "a + b,c" without the blanks around it; returns the sign after it. */
static char next_name(const char **at, const char **name, size_t *len)
{
    size_t n = strcspn(*at, "+,");
    char sign = (*at)[n];

    *name = *at + strspn(*at, " \t");
    *len = *name < *at + n ? (size_t)(*at + n - *name) : 0;
    while (*len && ((*name)[*len - 1] == ' ' || (*name)[*len - 1] == '\t'))
        --*len;
    *at += n + (sign != 0);
    return sign;
}

/* Keys may be written with blanks around their parts. */
static bool is_same_key(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    for (;;) {
        const char *name_a, *name_b;
        size_t len_a, len_b;
        char sign = next_name(&a, &name_a, &len_a);

        if (sign != next_name(&b, &name_b, &len_b) || len_a != len_b ||
            memcmp(name_a, name_b, len_a) != 0)
            return false;
        if (!sign)
            return true;
    }
}

static int refuse(struct alter *a, const char *column, const char *key, const char *found,
                  const char *allowed)
{
    return error_set(a->err, -EINVAL, 1846,
                     "table '%.64s'%s%.64s%s, %s: found %.100s; allowed: %.100s, as the table has "
                     "it; create a new table and copy the rows",
                     a->old->name, column ? ", column '" : "", column ? column : "",
                     column ? "'" : "", key, found && *found ? found : "nothing",
                     allowed && *allowed ? allowed : "nothing");
}

static void note(struct alter *a, const char *column, const char *key, const char *what)
{
    char line[400];

    a->differences++;
    if (!a->warn)
        return;
    snprintf(line, sizeof line, "table '%.64s'%s%.64s%s: %s %s", a->old->name,
             column ? ", column '" : "", column ? column : "", column ? "'" : "", key, what);
    a->warn(a->ctx, line);
}

static void note_text(struct alter *a, const char *column, const char *key, const char *old,
                      const char *next)
{
    char what[200];

    if (is_same(old, next))
        return;
    snprintf(what, sizeof what, "changes from '%.80s' to '%.80s'", old ? old : "",
             next ? next : "");
    note(a, column, key, what);
}

static int same_number(struct alter *a, const struct column *c, const char *key, int64_t old,
                       int64_t next)
{
    char found[24], allowed[24];

    if (old == next)
        return 0;
    snprintf(found, sizeof found, "%" PRId64, next);
    snprintf(allowed, sizeof allowed, "%" PRId64, old);
    return refuse(a, c->name, key, found, allowed);
}

static int same_flag(struct alter *a, const struct column *c, const char *key, bool old, bool next)
{
    return old == next ? 0
                       : refuse(a, c->name, key, next ? "true" : "false", old ? "true" : "false");
}

static int check_table(struct alter *a)
{
    const struct schema *o = a->old, *n = a->next;

    if (!is_same(o->name, n->name))
        return refuse(a, NULL, "tableName", n->name, o->name);
    if (!is_same_key(o->primary_key, n->primary_key))
        return refuse(a, NULL, "primaryKey", n->primary_key, o->primary_key);
    if (!is_same_key(o->secondary_keys, n->secondary_keys))
        return refuse(a, NULL, "secondaryKeys", n->secondary_keys, o->secondary_keys);
    if (!is_same(o->time_type, n->time_type))
        return refuse(a, NULL, "timeQuantumType", n->time_type, o->time_type);
    if (!is_same(o->time_field, n->time_field))
        return refuse(a, NULL, "timeQuantumField", n->time_field, o->time_field);
    if (!is_same_key(o->shard_key, n->shard_key))
        return refuse(a, NULL, "shardKey", n->shard_key, o->shard_key);
    if (o->replicated != n->replicated)
        return refuse(a, NULL, "replicated", n->replicated ? "true" : "false",
                      o->replicated ? "true" : "false");
    note_text(a, NULL, "retention", o->retention, n->retention);
    note_text(a, NULL, "selector", o->selector, n->selector);
    note_text(a, NULL, "isViewOf", o->view_of, n->view_of);
    note_text(a, NULL, "defaultPredicate", o->default_predicate, n->default_predicate);
    note_text(a, NULL, "desc", o->comment, n->comment);
    return 0;
}

static int check_relation(struct alter *a, const struct column *o, const struct column *n)
{
    char found[140], allowed[140];

    if (is_same(o->parent_table, n->parent_table) && is_same(o->parent_key, n->parent_key))
        return 0;
    snprintf(found, sizeof found, "%.64s%s%.64s", n->parent_table ? n->parent_table : "nothing",
             n->parent_key ? "." : "", n->parent_key ? n->parent_key : "");
    snprintf(allowed, sizeof allowed, "%.64s%s%.64s", o->parent_table ? o->parent_table : "nothing",
             o->parent_key ? "." : "", o->parent_key ? o->parent_key : "");
    return refuse(a, o->name, "foreignKey", found, allowed);
}

/* Bounds, expressions and their like count for rows written from then on. */
static void note_settings(struct alter *a, const struct column *o, const struct column *n)
{
    bool differ = o->n_config != n->n_config;

    for (uint32_t i = 0; i < n->n_config && !differ; i++)
        differ = !is_same(schema_config(o, n->config[i].key), n->config[i].value);
    if (differ)
        note(a, o->name, "configuration", "changes; rows already stored keep their values");
    if (o->multi_valued && o->delim != n->delim)
        note(a, o->name, "delim", "changes");
}

static void note_values(struct alter *a, const struct column *o, const struct column *n)
{
    bool differ = o->n_values != n->n_values;
    char what[80];

    for (uint32_t i = 0; i < n->n_values && !differ; i++)
        differ = !is_same(o->values[i].value, n->values[i].value) ||
                 !is_same(o->values[i].desc, n->values[i].desc) ||
                 o->values[i].row_id != n->values[i].row_id;
    if (!differ)
        return;
    snprintf(what, sizeof what, "change from %u to %u", o->n_values, n->n_values);
    note(a, o->name, "values", what);
}

/* Rows are stored the same way; they must be among those that the new type takes. */
static int check_declared(struct alter *a, const struct column *o, const struct column *n)
{
    char found[DECLARED_TEXT_BYTES], had[DECLARED_TEXT_BYTES];

    declared_print(&n->declared, found);
    declared_print(&o->declared, had);
    if (!declared_holds(o, n))
        return refuse(a, o->name, "sqlType", found, *had ? had : column_type_name(o->type));
    note_text(a, o->name, "sqlType", had, found);
    return 0;
}

static void note_column(struct alter *a, const struct column *o, const struct column *n)
{
    note_text(a, o->name, "sourceName", o->source, n->source);
    note_text(a, o->name, "desc", o->comment, n->comment);
    note_text(a, o->name, "defaultValue", o->default_value, n->default_value);
    note_settings(a, o, n);
    note_values(a, o, n);
    if (o->max_length != n->max_length)
        note(a, o->name, "maxLen", "changes");
    if (o->searchable != n->searchable) /* the index is made of what is there */
        note(a, o->name, "searchable", "changes");
    if (o->column_id != n->column_id)
        note(a, o->name, "columnID", "changes");
    if (o->call_transform != n->call_transform)
        note(a, o->name, "callTransform", "changes");
    if (o->high_card != n->high_card)
        note(a, o->name, "highCard", "changes");
    if (o->source_ordinal != n->source_ordinal)
        note(a, o->name, "sourceOrdinal", "changes");
}

static int check_column(struct alter *a, const struct column *o, const struct column *n)
{
    int rc = 0;

    if (o->type != n->type)
        return refuse(a, o->name, "type", column_type_name(n->type), column_type_name(o->type));
    if (o->mapping != n->mapping)
        return refuse(a, o->name, "mappingStrategy", mapping_name(n->mapping),
                      mapping_name(o->mapping));
    rc = check_relation(a, o, n);
    if (rc == 0)
        rc = same_number(a, o, "scale", o->scale, n->scale);
    if (rc == 0)
        rc = same_number(a, o, "minValue", o->min_value, n->min_value);
    if (rc == 0)
        rc = same_number(a, o, "maxValue", o->max_value, n->max_value);
    if (rc == 0)
        rc = same_flag(a, o, "required", o->required, n->required);
    if (rc == 0)
        rc = same_flag(a, o, "nonExclusive", o->multi_valued, n->multi_valued);
    if (rc == 0)
        rc = check_declared(a, o, n);
    if (rc == 0)
        note_column(a, o, n);
    return rc;
}

static int check_new(struct alter *a, const struct column *n)
{
    const char *text = n->default_value;
    bool given = n->initial_value || (text && (schema_is_now(text) || !schema_is_call(text)));

    /* The rows there are would have no value for it. */
    if (n->required && !given)
        return error_set(a->err, -EINVAL, 1846,
                         "table '%.64s', column '%.64s', required: found true; allowed: false in a "
                         "new column without a default, which is NULL in the rows there are",
                         a->old->name, n->name);
    note(a, n->name, "is new,",
         given ? "addition is allowable; the rows there are get its default"
               : "addition is allowable; it is NULL in the rows there are");
    return 0;
}

int schema_refuse_drop(const struct schema *s, const char *column, struct error_info *err)
{
    return error_set(err, -EINVAL, 1846,
                     "table '%.64s': attribute cannot be dropped: %.64s; found no such attribute, "
                     "allowed: all that the table has",
                     s->name, column);
}

static void note_inputs(struct alter *a)
{
    const struct schema *o = a->old, *n = a->next;
    bool differ = o->n_inputs != n->n_inputs;

    for (unsigned i = 0; i < n->n_inputs && !differ; i++)
        differ = o->inputs[i].mapping != n->inputs[i].mapping ||
                 !is_same(o->inputs[i].name, n->inputs[i].name) ||
                 !is_same(o->inputs[i].source, n->inputs[i].source) ||
                 !is_same(o->inputs[i].target, n->inputs[i].target) ||
                 !is_same(o->inputs[i].comment, n->inputs[i].comment);
    if (differ)
        note(a, NULL, "attributes with ChildRelation or Delegated", "change");
}

int schema_check_alter(const struct schema *old, const struct schema *next,
                       void (*warn)(void *ctx, const char *line), void *ctx, struct error_info *err)
{
    struct alter a = {.old = old, .next = next, .warn = warn, .ctx = ctx, .err = err};
    int rc = check_table(&a), at;

    for (unsigned i = 0; i < old->n_columns && rc == 0; i++) {
        const struct column *o = &old->columns[i];

        at = schema_find_column(next, o->name, strlen(o->name));
        if (at < 0)
            return schema_refuse_drop(old, o->name, err);
        rc = check_column(&a, o, &next->columns[at]);
    }
    for (unsigned i = 0; i < next->n_columns && rc == 0; i++) {
        const struct column *n = &next->columns[i];

        if (schema_find_column(old, n->name, strlen(n->name)) < 0)
            rc = check_new(&a, n);
    }
    if (rc != 0)
        return rc;
    note_inputs(&a);
    return a.differences ? 0 : 1;
}

int schema_keep_ids(const struct schema *old, struct schema *next)
{
    unsigned last = 0;

    for (unsigned i = 0; i < old->n_columns; i++)
        if (!old->columns[i].hidden && old->columns[i].id > last)
            last = old->columns[i].id;
    for (unsigned i = 0; i < next->n_columns; i++) {
        struct column *n = &next->columns[i];
        int at = schema_find_column(old, n->name, strlen(n->name));

        if (at < 0 && ++last >= SCHEMA_HIDDEN_KEY_ID)
            return -ENOSPC;
        if (!n->hidden)
            n->id = at >= 0 ? old->columns[at].id : (uint16_t)last;
    }
    return 0;
}
