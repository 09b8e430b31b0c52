/*
 * ALTER TABLE ... DROP, ARCHIVE, RESTORE PARTITION: which partitions there are is asked for first, so that a wrong name changes nothing; a
 * node that lacks one of them has none of its rows.
 */
#include "sql/ddl_partition.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/partition.h"

enum stage { STAGE_ASK, STAGE_CHANGE };

struct partition_ddl { /* in the statement's arena */
    struct statement *s;
    enum stage stage;
    enum cluster_ddl_kind kind;
    const char *word; /* of the statement */
    bool in_flight;
    struct cluster_partitions have;
    struct cluster_ddl request;
    int64_t *starts;
    uint32_t n;
};

static void arrived(struct partition_ddl *d)
{
    d->in_flight = false;
    d->s->exec.open_queries--;
    exec_wake(&d->s->exec);
}

static void told(struct cluster_partitions *p)
{
    arrived(p->ctx);
}

static void changed(struct cluster_ddl *r)
{
    arrived(r->ctx);
}

static void fail_with(struct statement *s, const struct error_info *e)
{
    mysql_error_set_text(&s->error, e->code ? (unsigned)e->code : 1105, "%s",
                         e->text[0] ? e->text : "The partitions could not be changed");
}

static bool has(const struct cluster_partitions *p, int64_t start)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (p->list[i].start == start)
            return true;
    return false;
}

static bool check_names(struct partition_ddl *d)
{
    if (d->have.rc) {
        fail_with(d->s, &d->have.error);
        return false;
    }
    for (uint32_t i = 0; i < d->n; i++)
        if (!has(&d->have, d->starts[i])) {
            statement_fail(d->s, MYSQL_ER_DROP_PARTITION_NON_EXISTENT, d->word);
            return false;
        }
    return true;
}

static void change(struct partition_ddl *d)
{
    d->stage = STAGE_CHANGE;
    d->request = (struct cluster_ddl){.kind = d->kind,
                                      .name = d->have.name,
                                      .partitions = d->starts,
                                      .n_partitions = d->n,
                                      .done = changed,
                                      .ctx = d};
    d->in_flight = true;
    d->s->exec.open_queries++;
    cluster_ddl_start(d->s->env->cluster, &d->request);
}

static enum step run(struct statement *s)
{
    struct partition_ddl *d = s->state;

    if (!d->in_flight && d->stage == STAGE_ASK && check_names(d))
        change(d);
    if (d->in_flight)
        return STEP_PENDING;
    if (d->stage == STAGE_CHANGE && d->request.rc)
        fail_with(s, &d->request.error);
    else if (d->stage == STAGE_CHANGE)
        statement_ok(s, 0, 0, NULL);
    return STEP_READY;
}

static void fini(struct statement *s)
{
    struct partition_ddl *d = s->state;

    free(d->have.list);
}

static bool read_names(struct partition_ddl *d, const struct schema *t,
                       const struct sql_name_list *names)
{
    uint32_t n = 0;

    for (const struct sql_name_list *p = names; p; p = p->next)
        n++;
    if (n > CLUSTER_MAX_PARTITIONS) {
        mysql_error_set_text(&d->s->error, 1499, "Too many partitions: %u; allowed are %d at once",
                             n, CLUSTER_MAX_PARTITIONS);
        return false;
    }
    d->starts = statement_alloc(d->s, n * sizeof *d->starts);
    for (const struct sql_name_list *p = names; d->starts && p; p = p->next)
        if (!partition_parse(t, p->name, &d->starts[d->n++])) {
            statement_fail(d->s, MYSQL_ER_DROP_PARTITION_NON_EXISTENT, d->word);
            return false;
        }
    return d->starts != NULL;
}

static void take_kind(struct partition_ddl *d, enum sql_alter_kind kind)
{
    if (kind == SQL_ALTER_DROP_PARTITION) {
        d->kind = CLUSTER_DROP_PARTITION;
        d->word = "DROP";
    } else if (kind == SQL_ALTER_ARCHIVE_PARTITION) {
        d->kind = CLUSTER_ARCHIVE_PARTITION;
        d->word = "ARCHIVE";
    } else {
        d->kind = CLUSTER_RESTORE_PARTITION;
        d->word = "RESTORE";
    }
}

static bool prepare(struct statement *s, const struct sql_alter *ast)
{
    const struct schema *t =
        catalog_find(s->exec.catalog, ast->table.name, strlen(ast->table.name));
    struct partition_ddl *d;

    if (!t) {
        statement_fail(s, MYSQL_ER_NO_SUCH_TABLE, SESSION_DATABASE, ast->table.name);
        return false;
    }
    if (!partition_seconds(t)) {
        statement_fail(s, MYSQL_ER_PARTITION_MGMT_ON_NONPARTITIONED);
        return false;
    }
    d = statement_alloc(s, sizeof *d);
    if (!d)
        return false;
    d->s = s;
    take_kind(d, ast->actions->kind);
    if (!read_names(d, t, ast->actions->names))
        return false;
    s->state = d;
    s->run = run;
    s->fini = fini;
    d->have = (struct cluster_partitions){.name = t->name, .done = told, .ctx = d};
    d->in_flight = true;
    s->exec.open_queries++;
    cluster_partitions_start(s->env->cluster, &d->have);
    return true;
}

bool ddl_prepare_partitions(struct statement *s, bool *ok)
{
    const struct sql_alter *ast = s->ast->u.alter;

    if (ast->actions->kind != SQL_ALTER_DROP_PARTITION &&
        ast->actions->kind != SQL_ALTER_ARCHIVE_PARTITION &&
        ast->actions->kind != SQL_ALTER_RESTORE_PARTITION)
        return false;
    *ok = prepare(s, ast);
    return true;
}
