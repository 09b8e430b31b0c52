/* information_schema.PARTITIONS: the figures are asked for, table by table, before the rows are made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/exec.h"
#include "sql/infoschema_tables.h"
#include "storage/mapping.h"
#include "storage/partition.h"

struct partitions_gather { /* in the statement's arena */
    struct exec *x;
    struct cluster_partitions info;
    uint32_t at; /* table being asked for */
    bool in_flight, failed;
    struct {
        const struct cluster_partition *list;
        uint32_t n;
    } tables[]; /* by position in the catalog */
};

static void told(struct cluster_partitions *p)
{
    struct partitions_gather *g = p->ctx;
    size_t bytes = p->n * sizeof *p->list;
    void *copy = arena_alloc(g->x->arena, bytes + 1);

    if (copy && p->n)
        memcpy(copy, p->list, bytes);
    g->tables[g->at].list = copy;
    g->tables[g->at++].n = copy ? p->n : 0;
    free(p->list);
    g->in_flight = false;
    if (!copy) {
        exec_no_memory(g->x, "information_schema");
        g->failed = true;
    } else if (p->rc && p->rc != -ENOENT) { /* a table may have gone meanwhile */
        mysql_error_set_text(g->x->error, p->error.code ? (unsigned)p->error.code : 1105, "%s",
                             p->error.text);
        g->failed = true;
    }
    g->x->open_queries--;
    exec_wake(g->x);
}

static bool gather_partitions(struct exec *x, struct infoschema_rows *out, bool *failed)
{
    struct partitions_gather *g = out->gathered;
    uint32_t n = x->listed->n_tables;

    if (!g) {
        g = out->gathered = arena_alloc(x->arena, sizeof *g + n * sizeof g->tables[0]);
        *failed = !g;
        if (!g)
            return exec_no_memory(x, "information_schema") == EXEC_ERROR;
        memset(g, 0, sizeof *g + n * sizeof g->tables[0]);
        g->x = x;
    }
    if (g->in_flight)
        return false;
    *failed = g->failed;
    if (g->failed)
        return true;
    while (g->at < n && !partition_seconds(x->listed->tables[g->at]))
        g->at++;
    if (g->at == n)
        return true;
    g->info =
        (struct cluster_partitions){.name = x->listed->tables[g->at]->name, .done = told, .ctx = g};
    g->in_flight = true;
    x->open_queries++;
    cluster_partitions_start(x->cluster, &g->info);
    return false;
}

static const struct infoschema_column partitions_columns[] = {
    INFO_TEXT("TABLE_CATALOG"),
    INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),
    INFO_TEXT("PARTITION_NAME"),
    INFO_TEXT("SUBPARTITION_NAME"),
    INFO_INT("PARTITION_ORDINAL_POSITION"),
    INFO_INT("SUBPARTITION_ORDINAL_POSITION"),
    INFO_TEXT("PARTITION_METHOD"),
    INFO_TEXT("SUBPARTITION_METHOD"),
    INFO_TEXT("PARTITION_EXPRESSION"),
    INFO_TEXT("SUBPARTITION_EXPRESSION"),
    INFO_TEXT("PARTITION_DESCRIPTION"),
    INFO_INT("TABLE_ROWS"),
    INFO_INT("AVG_ROW_LENGTH"),
    INFO_INT("DATA_LENGTH"),
    INFO_INT("MAX_DATA_LENGTH"),
    INFO_INT("INDEX_LENGTH"),
    INFO_INT("DATA_FREE"),
    INFO_TEXT("CREATE_TIME"),
    INFO_TEXT("UPDATE_TIME"),
    INFO_TEXT("CHECK_TIME"),
    INFO_INT("CHECKSUM"),
    INFO_TEXT("PARTITION_COMMENT"),
    INFO_TEXT("NODEGROUP"),
    INFO_TEXT("TABLESPACE_NAME"),
};

static void put_figures(struct infoschema_rows *out, uint64_t rows, uint64_t bytes,
                        const char *comment)
{
    infoschema_put_int(out, (int64_t)rows);
    infoschema_put_int(out, rows ? (int64_t)(bytes / rows) : 0);
    infoschema_put_int(out, (int64_t)bytes);
    for (int i = 0; i < 3; i++)
        infoschema_put_int(out, 0);
    for (int i = 0; i < 4; i++)
        infoschema_put_null(out);
    infoschema_put_text(out, comment);
    infoschema_put_text(out, "");
    infoschema_put_null(out);
}

static int put_table(struct infoschema_rows *out, const struct schema *s)
{
    if (infoschema_row(out) != 0)
        return -ENOMEM;
    infoschema_put_text(out, "def");
    infoschema_put_text(out, SESSION_DATABASE);
    infoschema_put_text(out, s->name);
    return 0;
}

static int put_partition(struct infoschema_rows *out, const struct schema *s,
                         const struct cluster_partition *p, uint32_t position)
{
    char name[PARTITION_NAME_BYTES], end[27] = "";
    int64_t end_us;

    if (put_table(out, s) != 0)
        return -ENOMEM;
    partition_name(s, p->start, name);
    if (!__builtin_mul_overflow(p->start + partition_seconds(s), INT64_C(1000000), &end_us))
        datetime_print(end_us, 0, end);
    infoschema_put_text(out, name);
    infoschema_put_null(out);
    infoschema_put_int(out, position);
    infoschema_put_null(out);
    infoschema_put_text(out, "RANGE");
    infoschema_put_null(out);
    infoschema_put_text(out, s->columns[s->time_column].name);
    infoschema_put_null(out);
    infoschema_put_text(out, end);
    put_figures(out, p->rows, p->bytes, p->archived ? "archived" : "");
    return 0;
}

/* A table without partitions has one row, as in MySQL. */
static int put_whole(struct exec *x, struct infoschema_rows *out, const struct schema *s)
{
    struct cluster_table_stats stats = {0};

    if (put_table(out, s) != 0)
        return -ENOMEM;
    for (int i = 0; i < 9; i++)
        infoschema_put_null(out);
    (void)cluster_table_stats(x->cluster, s->table_id, &stats);
    put_figures(out, stats.rows, stats.bytes, "");
    return 0;
}

static int fill_partitions(struct exec *x, struct infoschema_rows *out)
{
    const struct partitions_gather *g = out->gathered;
    int rc = 0;

    for (uint32_t i = 0; i < x->listed->n_tables && rc == 0; i++) {
        const struct schema *s = x->listed->tables[i];

        if (!partition_seconds(s))
            rc = put_whole(x, out, s);
        for (uint32_t k = 0; k < g->tables[i].n && rc == 0; k++)
            rc = put_partition(out, s, &g->tables[i].list[k], k + 1);
    }
    return rc;
}

const struct infoschema_table infoschema_partitions = {
    .database = "information_schema",
    .name = "PARTITIONS",
    .columns = partitions_columns,
    .n_columns = sizeof partitions_columns / sizeof *partitions_columns,
    .gather = gather_partitions,
    .fill = fill_partitions,
};
