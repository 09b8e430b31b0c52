/* Table definitions as objects: made, shared by reference count, searched. */
#include "storage/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/mapping_rule.h"
#include "storage/schema_check.h"

enum {
    COLUMNS_MIN = 16,
    COLUMNS_CAP = 4096, /* far above the limit that schema_finish reports */
};

struct schema *schema_new(const char *name)
{
    struct schema *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->refs = 1;
    s->time_column = -1;
    s->name = strdup(name);
    if (!s->name) {
        free(s);
        return NULL;
    }
    return s;
}

static bool is_power_of_two(unsigned n)
{
    return (n & (n - 1)) == 0;
}

/* Capacity is the next power of two, so it need not be kept. */
static bool columns_grow(struct schema *s)
{
    struct column *columns;

    if (s->n_columns >= COLUMNS_CAP)
        return false;
    if (s->columns && (s->n_columns < COLUMNS_MIN || !is_power_of_two(s->n_columns)))
        return true;
    columns =
        realloc(s->columns, (s->n_columns ? s->n_columns * 2u : COLUMNS_MIN) * sizeof *columns);
    if (!columns)
        return false;
    s->columns = columns;
    return true;
}

struct column *schema_add_column(struct schema *s, const char *name, enum column_type type,
                                 enum mapping mapping)
{
    struct column *c;

    ASSERT(s->n_key == 0);
    if (!columns_grow(s))
        return NULL;
    c = &s->columns[s->n_columns];
    *c = (struct column){.type = type, .mapping = mapping, .delim = ','};
    c->name = strdup(name);
    if (!c->name)
        return NULL;
    s->n_columns++;
    return c;
}

int schema_set_text(char **to, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return -ENOMEM;
    free(*to);
    *to = copy;
    return 0;
}

const char *schema_config(const struct column *c, const char *key)
{
    for (uint32_t i = 0; i < c->n_config; i++)
        if (strcmp(c->config[i].key, key) == 0)
            return c->config[i].value;
    return NULL;
}

int schema_set_config(struct column *c, const char *key, const char *value)
{
    struct schema_pair *pairs, *p;

    for (uint32_t i = 0; i < c->n_config; i++)
        if (strcmp(c->config[i].key, key) == 0)
            return schema_set_text(&c->config[i].value, value);
    pairs = realloc(c->config, (c->n_config + 1) * sizeof *pairs);
    if (!pairs)
        return -ENOMEM;
    c->config = pairs;
    p = &pairs[c->n_config];
    *p = (struct schema_pair){.key = strdup(key), .value = strdup(value)};
    if (!p->key || !p->value) {
        free(p->key);
        free(p->value);
        return -ENOMEM;
    }
    c->n_config++;
    return 0;
}

struct schema_input *schema_add_input(struct schema *s, enum mapping mapping)
{
    struct schema_input *inputs;

    if (s->n_inputs == SCHEMA_MAX_COLUMNS)
        return NULL;
    inputs = realloc(s->inputs, (s->n_inputs + 1u) * sizeof *inputs);
    if (!inputs)
        return NULL;
    s->inputs = inputs;
    inputs[s->n_inputs] = (struct schema_input){.mapping = mapping};
    return &inputs[s->n_inputs++];
}

struct schema *schema_get(struct schema *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void schema_column_fini(struct column *c)
{
    for (uint32_t i = 0; i < c->n_values; i++) {
        free(c->values[i].value);
        free(c->values[i].desc);
    }
    free(c->values);
    free(c->members);
    for (uint32_t i = 0; i < c->n_config; i++) {
        free(c->config[i].key);
        free(c->config[i].value);
    }
    free(c->config);
    mapping_rule_free(c->rule);
    free(c->name);
    free(c->source);
    free(c->default_value);
    free(c->initial_value);
    free(c->parent_table);
    free(c->parent_key);
    free(c->comment);
}

static void input_fini(struct schema_input *in)
{
    free(in->name);
    free(in->source);
    free(in->target);
    free(in->comment);
}

void schema_put(struct schema *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (unsigned i = 0; i < s->n_columns; i++)
        schema_column_fini(&s->columns[i]);
    for (unsigned i = 0; i < s->n_inputs; i++)
        input_fini(&s->inputs[i]);
    free(s->inputs);
    free(s->columns);
    free(s->name);
    free(s->shard_key);
    free(s->selector);
    free(s->view_of);
    free(s->default_predicate);
    free(s->primary_key);
    free(s->secondary_keys);
    free(s->time_field);
    free(s->time_type);
    free(s->retention);
    free(s->comment);
    if (s->rows)
        s->rows->free(s->rows);
    free(s);
}

int schema_find_column(const struct schema *s, const char *name, size_t len)
{
    for (unsigned i = 0; i < s->n_columns; i++)
        if (strlen(s->columns[i].name) == len && strncasecmp(s->columns[i].name, name, len) == 0)
            return (int)i;
    return -1;
}

int schema_find_column_id(const struct schema *s, uint16_t id)
{
    for (unsigned i = 0; i < s->n_columns; i++)
        if (s->columns[i].id == id)
            return (int)i;
    return -1;
}

int schema_finish(struct schema *s, struct error_info *err)
{
    struct schema_fault f;
    int rc = schema_check(s, &f);

    if (rc == -ENOMEM)
        return error_set(err, rc, 1037, "table '%.64s': out of memory", s->name);
    if (rc != 0 && f.column >= 0)
        return error_set(err, rc, f.code,
                         "table '%.64s', column '%.64s', %s: found %s; allowed: %s", s->name,
                         s->columns[f.column].name, f.key, f.found, f.allowed);
    if (rc != 0 && f.input >= 0)
        return error_set(err, rc, f.code,
                         "table '%.64s', attribute '%.64s', %s: found %s; allowed: %s", s->name,
                         s->inputs[f.input].source, f.key, f.found, f.allowed);
    if (rc != 0)
        return error_set(err, rc, f.code, "table '%.64s', %s: found %s; allowed: %s", s->name,
                         f.key, f.found, f.allowed);
    return 0;
}
