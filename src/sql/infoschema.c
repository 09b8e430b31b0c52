#include "sql/infoschema.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "reactor/arena.h"
#include "sql/exec.h"
#include "sql/infoschema_tables.h"

static const struct infoschema_table *const tables[] = {
    &infoschema_character_sets,
    &infoschema_collation_applicability,
    &infoschema_collations,
    &infoschema_columns,
    &infoschema_connection,
    &infoschema_engines,
    &infoschema_global_status,
    &infoschema_global_variables,
    &infoschema_key_column_usage,
    &infoschema_keywords,
    &infoschema_mysql_user,
    &infoschema_p_s_global_status,
    &infoschema_p_s_global_variables,
    &infoschema_p_s_session_status,
    &infoschema_p_s_session_variables,
    &infoschema_partitions,
    &infoschema_plugins,
    &infoschema_processlist,
    &infoschema_referential_constraints,
    &infoschema_routines,
    &infoschema_schemata,
    &infoschema_session_status,
    &infoschema_session_variables,
    &infoschema_statistics,
    &infoschema_table_constraints,
    &infoschema_tables,
    &infoschema_user_privileges,
    &infoschema_views,
    &infoschema_warnings,
};

enum { TABLES = sizeof tables / sizeof *tables };

const struct infoschema_table *infoschema_at(uint32_t i)
{
    if (i < TABLES)
        return tables[i];
    return i - TABLES < infoschema_none_count ? &infoschema_none[i - TABLES] : NULL;
}

bool infoschema_is_database(const char *name)
{
    const struct infoschema_table *t;

    for (uint32_t i = 0; (t = infoschema_at(i)) != NULL; i++)
        if (strcasecmp(t->database, name) == 0)
            return true;
    return false;
}

const struct infoschema_table *infoschema_find(const char *database, const char *name)
{
    const struct infoschema_table *t;

    for (uint32_t i = 0; (t = infoschema_at(i)) != NULL; i++)
        if (strcasecmp(t->database, database) == 0 && strcasecmp(t->name, name) == 0)
            return t;
    return NULL;
}

int infoschema_row(struct infoschema_rows *r)
{
    uint32_t width = r->table->n_columns;

    r->column = 0;
    if (r->n_rows == r->cap_rows) {
        uint32_t cap = r->cap_rows ? r->cap_rows * 2 : 32;
        struct datum *cells = arena_alloc(r->exec->arena, (size_t)cap * width * sizeof *cells);
        if (!cells)
            return -ENOMEM;
        if (r->n_rows)
            memcpy(cells, r->cells, (size_t)r->n_rows * width * sizeof *cells);
        r->cells = cells;
        r->cap_rows = cap;
    }
    r->n_rows++;
    return 0;
}

static struct datum *next_cell(struct infoschema_rows *r)
{
    static _Thread_local struct datum spare; /* a put too many is lost */

    if (r->column >= r->table->n_columns)
        return &spare;
    return &r->cells[(size_t)(r->n_rows - 1) * r->table->n_columns + r->column++];
}

void infoschema_put_null(struct infoschema_rows *r)
{
    datum_set_null(next_cell(r));
}

void infoschema_put_int(struct infoschema_rows *r, int64_t v)
{
    datum_set_int(next_cell(r), v);
}

void infoschema_put_text(struct infoschema_rows *r, const char *s)
{
    struct datum *d = next_cell(r);
    char *copy = s ? arena_strndup(r->exec->arena, s, strlen(s)) : NULL;

    if (copy)
        datum_set_string(d, copy, strlen(copy));
    else
        datum_set_null(d);
}
