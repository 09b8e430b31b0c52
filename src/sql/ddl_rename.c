/* RENAME TABLE and ALTER TABLE ... RENAME: all tables of the statement get their names at once, or none does. */
#include "sql/ddl_impl.h"
#include "storage/catalog_rename.h"

static bool take_name(struct statement *s, const struct sql_table_name *from,
                      const struct sql_table_name *to, struct catalog_rename *out)
{
    *out = (struct catalog_rename){from->name, to->name};
    return ddl_check_database(s, from->db) && ddl_check_database(s, to->db);
}

static bool start(struct ddl *d, const struct catalog_rename *list, uint32_t n)
{
    d->renames = list;
    d->n_renames = n;
    ddl_start(d, CLUSTER_RENAME_TABLE, NULL, list[0].from);
    return true;
}

bool ddl_rename_tables(struct ddl *d, const struct sql_rename *ast)
{
    struct statement *s = d->s;
    uint32_t n = 0;

    for (const struct sql_rename *r = ast; r; r = r->next)
        n++;
    if (n > CATALOG_MAX_RENAMES) {
        mysql_error_set_text(&s->error, 1105, "RENAME TABLE: found %u tables; allowed: up to %d", n,
                             CATALOG_MAX_RENAMES);
        return false;
    }
    struct catalog_rename *list = statement_alloc(s, n * sizeof *list);
    if (!list)
        return false;
    n = 0;
    for (const struct sql_rename *r = ast; r; r = r->next)
        if (!take_name(s, &r->from, &r->to, &list[n++]))
            return false;
    return start(d, list, n);
}

bool ddl_rename_one(struct ddl *d, const struct sql_alter *ast)
{
    struct catalog_rename *list = statement_alloc(d->s, sizeof *list);

    if (!list || !take_name(d->s, &ast->table, ast->actions->table, list))
        return false;
    if (ast->actions->next) {
        statement_fail(d->s, MYSQL_ER_NOT_SUPPORTED_YET,
                       "RENAME beside other changes of ALTER TABLE");
        return false;
    }
    return strcmp(list->from, list->to) == 0 || start(d, list, 1);
}
