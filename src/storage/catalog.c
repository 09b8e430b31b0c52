/*
 * Versions of the set of tables. Each owns one array: the tables by name, then the same again by
 * id.
 */
#include "storage/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/catalog_impl.h"

struct catalog *catalog_alloc(uint32_t n_tables)
{
    struct catalog *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->refs = 1;
    c->next_table_id = 1;
    c->n_tables = n_tables;
    c->tables = calloc(n_tables ? 2 * (size_t)n_tables : 1, sizeof(struct schema *));
    if (!c->tables) {
        free(c);
        return NULL;
    }
    return c;
}

struct catalog *catalog_new(void)
{
    return catalog_alloc(0);
}

struct catalog *catalog_get(struct catalog *c)
{
    __atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);
    return c;
}

void catalog_put(struct catalog *c)
{
    if (!c || __atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; i < c->n_tables; i++)
        schema_put(c->tables[i]);
    for (uint32_t i = 0; i < c->n_old; i++)
        schema_put(c->old[i]);
    free(c->tables);
    free(c);
}

static void add_old(struct catalog *c, struct schema *s)
{
    if (c->n_old < CATALOG_MAX_OLD)
        c->old[c->n_old++] = schema_get(s);
}

void catalog_remember(struct catalog *c, const struct catalog *before)
{
    for (uint32_t i = 0; i < before->n_tables; i++) {
        const struct schema *now = catalog_find_id(c, before->tables[i]->table_id);

        if (now && now->version > before->tables[i]->version)
            add_old(c, before->tables[i]);
    }
    for (uint32_t i = 0; i < before->n_old; i++)
        if (catalog_find_id(c, before->old[i]->table_id))
            add_old(c, before->old[i]);
}

struct schema *catalog_find_version(const struct catalog *c, uint32_t table_id, uint64_t version)
{
    struct schema *s = catalog_find_id(c, table_id);

    for (uint32_t i = 0; s && s->version != version && i < c->n_old; i++)
        if (c->old[i]->table_id == table_id && c->old[i]->version == version)
            s = c->old[i];
    return s && s->version == version ? s : NULL;
}

static int compare_ids(const void *a, const void *b)
{
    const struct schema *const *x = a, *const *y = b;

    return ((*x)->table_id > (*y)->table_id) - ((*x)->table_id < (*y)->table_id);
}

void catalog_fill_ids(struct catalog *c)
{
    struct schema **by_id = c->tables + c->n_tables;

    if (c->n_tables == 0)
        return;
    memcpy(by_id, c->tables, c->n_tables * sizeof *by_id);
    qsort(by_id, c->n_tables, sizeof *by_id, compare_ids);
}

/* Position of the name, or where it would be. */
static uint32_t name_position(const struct catalog *c, const char *name, size_t len, bool *found)
{
    uint32_t lo = 0, hi = c->n_tables;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const char *other = c->tables[mid]->name;
        size_t n = strlen(other);
        int order = memcmp(other, name, n < len ? n : len);

        if (order == 0)
            order = (n > len) - (n < len);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

struct schema *catalog_find(const struct catalog *c, const char *name, size_t len)
{
    bool found;
    uint32_t i = name_position(c, name, len, &found);

    return found ? c->tables[i] : NULL;
}

struct schema *catalog_find_id(const struct catalog *c, uint32_t table_id)
{
    struct schema *const *by_id = c->tables + c->n_tables;
    uint32_t lo = 0, hi = c->n_tables;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (by_id[mid]->table_id == table_id)
            return by_id[mid];
        if (by_id[mid]->table_id < table_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

int catalog_with_table(const struct catalog *c, struct schema *s, struct catalog **out)
{
    bool found;
    uint32_t at = name_position(c, s->name, strlen(s->name), &found), old = found;
    const struct schema *same_id = s->table_id ? catalog_find_id(c, s->table_id) : NULL;
    struct catalog *next;

    ASSERT(s->n_key > 0);
    /* A definition replaces another only when it says so by carrying its id; a view may replace any other, as there are
     * no rows that would have to follow. */
    bool is_new_view = found && !same_id && schema_is_view(s) && schema_is_view(c->tables[at]);
    if (found ? same_id != c->tables[at] && !is_new_view : same_id != NULL)
        return -EEXIST;
    if (!found && c->n_tables == CATALOG_MAX_TABLES)
        return -ENOSPC;
    if (!s->table_id && c->next_table_id == UINT32_MAX)
        return -ENOSPC;
    next = catalog_alloc(c->n_tables + 1 - old);
    if (!next)
        return -ENOMEM;
    next->version = c->version + 1;
    next->next_table_id = c->next_table_id;
    if (!s->table_id)
        s->table_id = c->next_table_id;
    if (!s->version)
        s->version = next->version;
    if (s->table_id >= next->next_table_id && s->table_id < UINT32_MAX)
        next->next_table_id = s->table_id + 1;
    for (uint32_t i = 0; i < at; i++)
        next->tables[i] = schema_get(c->tables[i]);
    next->tables[at] = schema_get(s);
    for (uint32_t i = at + old; i < c->n_tables; i++)
        next->tables[i + 1 - old] = schema_get(c->tables[i]);
    catalog_fill_ids(next);
    catalog_remember(next, c);
    *out = next;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const struct schema *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

int catalog_overlay(const struct catalog *c, struct schema *const *over, uint32_t n,
                    struct catalog **out)
{
    struct catalog *next = catalog_alloc(c->n_tables + n);
    bool found;

    if (!next)
        return -ENOMEM;
    next->version = c->version;
    next->next_table_id = c->next_table_id;
    next->n_tables = 0;
    for (uint32_t i = 0; i < c->n_tables; i++)
        next->tables[next->n_tables++] = c->tables[i];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = name_position(c, over[i]->name, strlen(over[i]->name), &found);
        next->tables[found ? at : next->n_tables++] = over[i];
    }
    qsort(next->tables, next->n_tables, sizeof *next->tables, compare_names);
    for (uint32_t i = 0; i < next->n_tables; i++)
        schema_get(next->tables[i]);
    catalog_fill_ids(next);
    *out = next;
    return 0;
}

int catalog_without_table(const struct catalog *c, const char *name, struct catalog **out)
{
    bool found;
    uint32_t at = name_position(c, name, strlen(name), &found);
    struct catalog *next;

    if (!found)
        return -ENOENT;
    next = catalog_alloc(c->n_tables - 1);
    if (!next)
        return -ENOMEM;
    next->version = c->version + 1;
    next->next_table_id = c->next_table_id;
    for (uint32_t i = 0; i < next->n_tables; i++)
        next->tables[i] = schema_get(c->tables[i < at ? i : i + 1]);
    catalog_fill_ids(next);
    catalog_remember(next, c);
    *out = next;
    return 0;
}

static int check_parent(const struct catalog *c, const struct schema *s, const struct column *col,
                        struct error_info *err)
{
    const char *name = col->parent_table;
    const struct schema *parent =
        strcmp(name, s->name) == 0 ? s : catalog_find(c, name, strlen(name));
    const struct column *key;

    if (!parent)
        return error_set(err, -EINVAL, 1824,
                         "table '%.64s', column '%.64s', foreignKey: found '%.64s', which is no "
                         "table; allowed: tables that exist",
                         s->name, col->name, name);
    if (parent->n_key != 1 || !parent->primary_key)
        return error_set(
            err, -EINVAL, 1822,
            "table '%.64s', column '%.64s', foreignKey: found '%.64s' with key '%.64s'; "
            "allowed: tables with a primary key of one column",
            s->name, col->name, name, parent->primary_key ? parent->primary_key : "none");
    key = &parent->columns[parent->key[0]];
    if (col->parent_key &&
        schema_find_column(parent, col->parent_key, strlen(col->parent_key)) != parent->key[0])
        return error_set(err, -EINVAL, 1822,
                         "table '%.64s', column '%.64s', foreignKey: found '%.64s.%.64s'; "
                         "allowed: the primary key '%.64s'",
                         s->name, col->name, name, col->parent_key, key->name);
    if (key->type != col->type)
        return error_set(err, -EINVAL, 3780,
                         "table '%.64s', column '%.64s', type: found %s; allowed: %s, the type of "
                         "the parent's key '%.64s.%.64s'",
                         s->name, col->name, column_type_name(col->type),
                         column_type_name(key->type), name, key->name);
    return 0;
}

int catalog_check_parents(const struct catalog *c, const struct schema *s, struct error_info *err)
{
    int rc = 0;

    for (unsigned i = 0; i < s->n_columns && rc == 0; i++)
        if (s->columns[i].mapping == MAPPING_PARENT_RELATION)
            rc = check_parent(c, s, &s->columns[i], err);
    return rc;
}
