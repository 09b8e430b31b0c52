#include "storage/catalog_rename.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/catalog_impl.h"
#include "storage/schema_check.h"

/* Owner: one call of catalog_with_names. */
struct renaming {
    const struct catalog *c;
    const char **names; /* of each table, as it shall be */
    struct error_info *err;
};

static int64_t find_name(const struct renaming *r, const char *name)
{
    for (uint32_t i = 0; i < r->c->n_tables; i++)
        if (strcmp(r->names[i], name) == 0)
            return i;
    return -1;
}

static int rename_one(struct renaming *r, const struct catalog_rename *x)
{
    int64_t at = find_name(r, x->from);

    if (at < 0)
        return error_set(r->err, -ENOENT, 1146, "Table 'quanta.%.64s' doesn't exist", x->from);
    if (!schema_is_name(x->to))
        return error_set(r->err, -EINVAL, 1103, "Incorrect table name '%.64s'", x->to);
    if (find_name(r, x->to) >= 0)
        return error_set(r->err, -EEXIST, 1050, "Table '%.64s' already exists", x->to);
    r->names[at] = x->to;
    return 0;
}

/* The name that another table, a parent or the table of nested rows, has now, or NULL when it stays. */
static const char *new_name(const struct renaming *r, const char *name)
{
    const struct catalog *c = r->c;

    for (uint32_t i = 0; name && i < c->n_tables; i++)
        if (strcmp(c->tables[i]->name, name) == 0)
            return strcmp(r->names[i], name) == 0 ? NULL : r->names[i];
    return NULL;
}

static bool is_touched(const struct renaming *r, uint32_t table)
{
    const struct schema *s = r->c->tables[table];

    if (strcmp(s->name, r->names[table]) != 0)
        return true;
    for (uint16_t i = 0; i < s->n_columns; i++)
        if (new_name(r, s->columns[i].parent_table))
            return true;
    for (uint16_t i = 0; i < s->n_inputs; i++)
        if (s->inputs[i].mapping == MAPPING_CHILD_RELATION && new_name(r, s->inputs[i].target))
            return true;
    return false;
}

static int make_table(const struct renaming *r, uint32_t table, struct schema **out)
{
    const struct schema *old = r->c->tables[table];
    struct schema *s;
    int rc = schema_copy(old, &s, r->err);

    if (rc != 0)
        return rc;
    s->table_id = old->table_id;
    s->version = r->c->version + 1;
    rc = schema_set_text(&s->name, r->names[table]);
    for (uint16_t i = 0; i < s->n_columns && rc == 0; i++) {
        const char *parent = new_name(r, s->columns[i].parent_table);
        if (parent)
            rc = schema_set_text(&s->columns[i].parent_table, parent);
    }
    for (uint16_t i = 0; i < s->n_inputs && rc == 0; i++) {
        const char *child = s->inputs[i].mapping == MAPPING_CHILD_RELATION
                                ? new_name(r, s->inputs[i].target)
                                : NULL;
        if (child)
            rc = schema_set_text(&s->inputs[i].target, child);
    }
    if (rc == 0)
        *out = s;
    else
        schema_put(s);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(struct schema *const *)a)->name, (*(struct schema *const *)b)->name);
}

static int make_catalog(const struct renaming *r, struct catalog **out)
{
    const struct catalog *c = r->c;
    struct catalog *next = catalog_alloc(c->n_tables);
    int rc = next ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < c->n_tables && rc == 0; i++) {
        if (is_touched(r, i))
            rc = make_table(r, i, &next->tables[i]);
        else
            next->tables[i] = schema_get(c->tables[i]);
    }
    if (rc != 0) {
        catalog_put(next);
        return rc == -ENOMEM ? error_set(r->err, rc, 1037, "out of memory for the definitions")
                             : rc;
    }
    qsort(next->tables, next->n_tables, sizeof *next->tables, compare_names);
    next->version = c->version + 1;
    next->next_table_id = c->next_table_id;
    catalog_fill_ids(next);
    catalog_remember(next, c);
    *out = next;
    return 0;
}

int catalog_with_names(const struct catalog *c, const struct catalog_rename *list, uint32_t n,
                       struct catalog **out, struct error_info *err)
{
    struct renaming r = {.c = c, .err = err};
    int rc = 0;

    r.names = calloc(c->n_tables + 1u, sizeof *r.names);
    if (!r.names)
        return error_set(err, -ENOMEM, 1037, "out of memory for the names of tables");
    for (uint32_t i = 0; i < c->n_tables; i++)
        r.names[i] = c->tables[i]->name;
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = rename_one(&r, &list[i]);
    if (rc == 0)
        rc = make_catalog(&r, out);
    free(r.names);
    return rc;
}

/* ---- as text: a name per line, which no name can hold ---- */

char *catalog_renames_print(const struct catalog_rename *list, uint32_t n)
{
    size_t bytes = 1;

    for (uint32_t i = 0; i < n; i++)
        bytes += strlen(list[i].from) + strlen(list[i].to) + 2;
    char *text = malloc(bytes), *at = text;
    if (!text)
        return NULL;
    *at = 0;
    for (uint32_t i = 0; i < n; i++) {
        at = stpcpy(stpcpy(at, list[i].from), "\n");
        at = stpcpy(stpcpy(at, list[i].to), "\n");
    }
    return text;
}

int catalog_renames_parse(char *text, struct catalog_rename list[static CATALOG_MAX_RENAMES],
                          uint32_t *n)
{
    *n = 0;
    while (*text) {
        char *to = strchr(text, '\n'), *end = to ? strchr(to + 1, '\n') : NULL;
        if (!end || *n == CATALOG_MAX_RENAMES)
            return -EBADMSG;
        *to++ = *end++ = 0;
        list[(*n)++] = (struct catalog_rename){text, to};
        text = end;
    }
    return *n ? 0 : -EBADMSG;
}
