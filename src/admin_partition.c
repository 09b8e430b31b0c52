/* quanta-admin: partitions are told, archived and restored by their time, never those of a table without any. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "rpc/cluster.h"
#include "rpc/remote.h"
#include "startup.h"
#include "storage/mapping.h"
#include "storage/partition.h"

enum { US_PER_S = 1000000, TIME_TEXT = 32 };

enum action { ACTION_INFO, ACTION_OFFLINE, ACTION_RESTORE };

static const struct {
    const char *name, *done;
    unsigned words_min, words_max; /* behind the subcommand */
    enum cluster_ddl_kind kind;
} actions[] = {
    [ACTION_INFO] = {"partition-info", NULL, 0, 1, 0},
    [ACTION_OFFLINE] = {"offline-partitions", "archived", 1, 1, CLUSTER_ARCHIVE_PARTITION},
    [ACTION_RESTORE] = {"restore-partitions", "restored", 2, 2, CLUSTER_RESTORE_PARTITION},
};

struct job { /* main thread; lent to the core during calls */
    const struct admin_config *config;
    enum action action;
    int64_t from_s, to_s; /* INFO: begins up to to_s; else lies in [from_s, to_s) */
    struct reactor_group *group;
    struct catalog *catalog;
    struct cluster_partitions have; /* of the table at hand */
    struct cluster_ddl change;
    json_t *listed;
    uint64_t selected, rows, bytes;
};

/* ---- on the core ---- */

static void connected(void *ctx, int rc, const struct error_info *err)
{
    struct startup_call *c = ctx;

    if (rc)
        snprintf(c->err, sizeof(c->err), "%s", err->text);
    startup_done(c, rc);
}

static void connect_node(struct reactor *r, struct startup_call *c)
{
    struct remote_config config = {.nodes = ((struct job *)c->ctx)->config->nodes};
    struct error_info err;
    int rc = remote_cluster_start(r, &config, connected, c, &err);

    if (rc)
        connected(c, rc, &err);
}

static void get_catalog(struct reactor *r, struct startup_call *c)
{
    ((struct job *)c->ctx)->catalog = cluster_catalog(cluster_of(r));
    startup_done(c, 0);
}

static void told(struct cluster_partitions *p)
{
    connected(p->ctx, p->rc, &p->error);
}

static void ask(struct reactor *r, struct startup_call *c)
{
    struct job *j = c->ctx;

    j->have.done = told;
    j->have.ctx = c;
    cluster_partitions_start(cluster_of(r), &j->have);
}

static void changed(struct cluster_ddl *d)
{
    connected(d->ctx, d->rc, &d->error);
}

static void change(struct reactor *r, struct startup_call *c)
{
    struct job *j = c->ctx;

    j->change.done = changed;
    j->change.ctx = c;
    cluster_ddl_start(cluster_of(r), &j->change);
}

static void disconnected(void *ctx)
{
    startup_done(ctx, 0);
}

static void disconnect(struct reactor *r, struct startup_call *c)
{
    remote_cluster_stop(r, disconnected, c);
}

static int start_core(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

/* ---- main thread ---- */

static int call(struct job *j, void (*fn)(struct reactor *r, struct startup_call *c))
{
    struct startup_call c = {.ctx = j};
    int rc = startup_call(reactor_group_get(j->group, 0), fn, &c);

    if (rc)
        fprintf(stderr, ADMIN_PROGRAM ": %s: %s\n", actions[j->action].name,
                c.err[0] ? c.err : strerror(-rc));
    return rc;
}

/* "2026-03-01", "2026-03-01T05" or a whole date with time, UTC. */
static bool read_time(const char *text, int64_t *seconds)
{
    char whole[TIME_TEXT];
    int64_t us;

    snprintf(whole, sizeof(whole), strlen(text) == 13 && text[10] == 'T' ? "%s:00:00" : "%s", text);
    if (strlen(text) + 6 >= sizeof(whole) || datetime_parse(whole, strlen(whole), &us))
        return false;
    *seconds = us / US_PER_S - (us % US_PER_S < 0);
    return true;
}

static bool is_selected(const struct job *j, const struct cluster_partition *p, int64_t length)
{
    if (j->action == ACTION_INFO)
        return p->start <= j->to_s;
    return p->archived == (j->action == ACTION_RESTORE) && p->start >= j->from_s &&
           p->start <= j->to_s - length;
}

static void list_one(struct job *j, const struct schema *s, const struct cluster_partition *p)
{
    const char *state = p->archived ? "archived" : "online";
    char name[PARTITION_NAME_BYTES];

    partition_name(s, p->start, name);
    j->selected++;
    j->rows += p->rows;
    j->bytes += p->bytes;
    if (j->config->json)
        json_array_append_new(j->listed,
                              json_pack("{s:s, s:s, s:I, s:I, s:I, s:s}", "table", s->name,
                                        "partition", name, "start", (json_int_t)p->start, "rows",
                                        (json_int_t)p->rows, "bytes", (json_int_t)p->bytes, "state",
                                        j->action == ACTION_INFO ? state
                                                                 : actions[j->action].done));
    else if (j->action == ACTION_INFO)
        printf("%-32s %-12s %14" PRIu64 " %16" PRIu64 " %s\n", s->name, name, p->rows, p->bytes,
               state);
    else
        printf("%s: %s, %" PRIu64 " rows: %s\n", s->name, name, p->rows, actions[j->action].done);
}

/* At most CLUSTER_MAX_PARTITIONS of the table at hand from *at on are changed, then told. */
static int change_some(struct job *j, const struct schema *s, uint32_t *at)
{
    static int64_t starts[CLUSTER_MAX_PARTITIONS];
    const struct cluster_partition *chosen[CLUSTER_MAX_PARTITIONS];
    uint32_t n = 0;
    int rc;

    for (; *at < j->have.n && n < CLUSTER_MAX_PARTITIONS; ++*at)
        if (is_selected(j, &j->have.list[*at], partition_seconds(s))) {
            starts[n] = j->have.list[*at].start;
            chosen[n++] = &j->have.list[*at];
        }
    j->change = (struct cluster_ddl){.kind = actions[j->action].kind,
                                     .name = s->name,
                                     .partitions = starts,
                                     .n_partitions = n};
    rc = n && j->action != ACTION_INFO ? call(j, change) : 0;
    for (uint32_t i = 0; i < n && !rc; i++)
        list_one(j, s, chosen[i]);
    return rc;
}

static int run_table(struct job *j, const struct schema *s)
{
    uint32_t at = 0;

    j->have = (struct cluster_partitions){.name = s->name};
    int rc = call(j, ask);
    while (!rc && at < j->have.n)
        rc = change_some(j, s, &at);
    free(j->have.list);
    return rc;
}

static int no_table(const struct job *j, const char *what)
{
    fprintf(stderr, ADMIN_PROGRAM ": %s: table %s %s\n", actions[j->action].name, j->config->table,
            what);
    return -ENOENT;
}

static int run_tables(struct job *j)
{
    const char *name = j->config->table;
    const struct schema *one = name ? catalog_find(j->catalog, name, strlen(name)) : NULL;
    int rc = 0;

    if (name && !one)
        return no_table(j, "doesn't exist");
    if (one && !partition_seconds(one))
        return no_table(j, "has no time partitions");
    for (uint32_t i = 0; i < j->catalog->n_tables && !rc; i++) {
        const struct schema *s = j->catalog->tables[i];
        if (one ? s == one : partition_seconds(s) != 0)
            rc = run_table(j, s);
    }
    return rc;
}

static void print_end(const struct job *j)
{
    json_t *doc;

    if (j->config->json) {
        doc = json_pack("{s:O, s:I, s:I}", "partitions", j->listed, "rows", (json_int_t)j->rows,
                        "bytes", (json_int_t)j->bytes);
        if (doc)
            json_dumpf(doc, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(doc);
    } else if (!j->selected) {
        printf("No partitions selected.\n");
    } else if (j->action == ACTION_INFO) {
        printf("%" PRIu64 " partitions, %" PRIu64 " rows, %" PRIu64 " bytes\n", j->selected,
               j->rows, j->bytes);
    }
}

static int run_connected(struct job *j)
{
    int rc = call(j, connect_node);

    if (!rc)
        rc = call(j, get_catalog);
    if (!rc && !j->config->json && j->action == ACTION_INFO)
        printf("%-32s %-12s %14s %16s %s\n", "TABLE", "PARTITION", "ROWS", "BYTES", "STATE");
    if (!rc)
        rc = run_tables(j);
    if (!rc)
        print_end(j);
    catalog_put(j->catalog);
    (void)call(j, disconnect);
    return rc ? ADMIN_FAILED : 0;
}

static int run(struct job *j)
{
    struct startup startup = {.bind = "127.0.0.1", .cores = 1};
    int status = ADMIN_FAILED;

    j->listed = json_array();
    if (!j->listed || startup_group(&startup, &j->group, ADMIN_PROGRAM))
        goto out;
    if (!reactor_group_start(j->group, start_core, j)) {
        status = run_connected(j);
        reactor_group_stop(j->group, exit_core, j);
    }
    reactor_group_free(j->group);
out:
    json_decref(j->listed);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, ADMIN_PROGRAM ": cannot write the result: %s\n", strerror(errno));
        status = ADMIN_FAILED;
    }
    return status;
}

static int usage(const struct job *j, const char *what, const char *word)
{
    fprintf(stderr, ADMIN_PROGRAM ": %s: %s%s (see --help)\n", actions[j->action].name, what, word);
    return ADMIN_USAGE;
}

static int check_and_run(struct job *j)
{
    const struct admin_config *c = j->config;
    size_t n = c->n_words - 1;
    const char *bad = NULL;

    if (n < actions[j->action].words_min || n > actions[j->action].words_max)
        return usage(j, j->action == ACTION_RESTORE ? "two times are needed" : "one time is needed",
                     "");
    if (j->action != ACTION_INFO && !c->table == !c->all_tables)
        return usage(j, "either --table TABLE or --all-tables is needed", "");
    j->from_s = INT64_MIN;
    j->to_s = INT64_MAX;
    if (n == 2 && !read_time(c->words[1], &j->from_s))
        bad = c->words[1];
    if (n && !read_time(c->words[n], &j->to_s))
        bad = c->words[n];
    if (bad)
        return usage(j, "a time is such as 2026-03-01 or 2026-03-01T05; found ", bad);
    return run(j);
}

bool admin_run_partitions(const struct admin_config *config, int *status)
{
    struct job j = {.config = config};

    for (; config->n_words && j.action <= ACTION_RESTORE; j.action++)
        if (!strcmp(config->words[0], actions[j.action].name)) {
            *status = check_and_run(&j);
            return true;
        }
    return false;
}
