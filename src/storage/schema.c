/* Table definitions as objects: made, shared by reference count, searched. */
#include "storage/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/schema_check.h"

enum { COLUMNS_MIN = 16, COLUMNS_CAP = 4096 /* far above the limit that schema_finish reports */ };

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

struct schema *schema_get(struct schema *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

static void column_fini(struct column *c)
{
    for (uint32_t i = 0; i < c->n_values; i++) {
        free(c->values[i].value);
        free(c->values[i].desc);
    }
    free(c->values);
    free(c->name);
    free(c->source);
    free(c->default_value);
    free(c->parent_table);
    free(c->parent_key);
    free(c->comment);
}

void schema_put(struct schema *s)
{
    if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (unsigned i = 0; i < s->n_columns; i++)
        column_fini(&s->columns[i]);
    free(s->columns);
    free(s->name);
    free(s->primary_key);
    free(s->secondary_keys);
    free(s->time_field);
    free(s->time_type);
    free(s->comment);
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
    if (rc != 0)
        return error_set(err, rc, f.code, "table '%.64s', %s: found %s; allowed: %s", s->name,
                         f.key, f.found, f.allowed);
    return 0;
}
