/* quanta-loader: Parquet files into a table, once. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/load_job.h"
#include "ingest/load_progress.h"
#include "reactor/log.h"
#include "rpc/cluster.h"
#include "rpc/remote.h"
#include "startup.h"

#define PROGRAM "quanta-loader"

enum { EXIT_REJECTED = 3, MAX_JOBS = 64, MAX_BATCH_ROWS = 1 << 17 };

struct loader { /* main thread */
    struct startup startup;
    const char *nodes, *source, *table, *schema_dir, *reject_file, *progress, *format;
    uint64_t buf_size, jobs;
    bool dry_run, ignore_source_path, nerd_capitalization;
    struct reactor_group *group;
    struct load load;
};

static void connected(void *ctx, int rc, const struct error_info *err)
{
    struct startup_call *c = ctx;

    if (rc)
        snprintf(c->err, sizeof(c->err), "%s", err->text);
    startup_done(c, rc);
}

static void connect_nodes(struct reactor *r, struct startup_call *c)
{
    struct remote_config config = {.nodes = ((struct loader *)c->ctx)->nodes};
    struct error_info err;
    int rc = remote_cluster_start(r, &config, connected, c, &err);

    if (rc)
        connected(c, rc, &err);
}

/* Tables of the nested lists. */
static int find_children(struct loader *l, struct catalog *catalog, struct startup_call *c)
{
    const struct schema *s = l->load.config.schema;
    struct load_config *config = &l->load.config;

    config->children = calloc(s->n_inputs + 1u, sizeof(*config->children));
    if (!config->children)
        return -ENOMEM;
    for (unsigned i = 0; i < s->n_inputs; i++) {
        const struct schema_input *in = &s->inputs[i];
        struct schema *child;
        if (in->mapping != MAPPING_CHILD_RELATION)
            continue;
        child = catalog_find(catalog, in->target, strlen(in->target));
        if (!child) {
            snprintf(c->err, sizeof(c->err),
                     "table %s, childTable of %s in table %s, does not exist", in->target,
                     in->source, s->name);
            return -ENOENT;
        }
        config->children[config->n_children++] =
            (struct load_child){.schema = schema_get(child), .source = in->source};
    }
    return 0;
}

static void find_table(struct reactor *r, struct startup_call *c)
{
    struct loader *l = c->ctx;
    struct catalog *catalog = cluster_catalog(cluster_of(r));
    struct schema *s = catalog_find(catalog, l->table, strlen(l->table));

    l->load.config.schema = s ? schema_get(s) : NULL;
    if (!s)
        snprintf(c->err, sizeof(c->err),
                 "table %s does not exist; there are %u tables (--schema-dir creates them)",
                 l->table, catalog->n_tables);
    int rc = s ? find_children(l, catalog, c) : -ENOENT;
    catalog_put(catalog);
    startup_done(c, rc);
}

static void job_done(void *ctx)
{
    startup_done(ctx, 0);
}

static void run_job(struct reactor *r, struct startup_call *c)
{
    struct loader *l = c->ctx;
    int rc = load_job_start(r, &l->load, job_done, c);

    if (rc)
        startup_done(c, rc);
}

static void disconnected(void *ctx)
{
    startup_done(ctx, 0);
}

static void disconnect(struct reactor *r, struct startup_call *c)
{
    remote_cluster_stop(r, disconnected, c);
}

static int call(struct loader *l, unsigned core,
                void (*fn)(struct reactor *r, struct startup_call *c))
{
    struct startup_call c = {.ctx = l};
    int rc = startup_call(reactor_group_get(l->group, core), fn, &c);

    if (rc)
        fprintf(stderr, PROGRAM ": %s\n", c.err);
    return rc;
}

static int start_core(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

static int prepare(struct loader *l)
{
    struct error_info err;
    int rc = 0;

    for (unsigned i = 0; i < reactor_group_count(l->group) && !rc; i++)
        rc = call(l, i, connect_nodes);
    if (!rc && l->schema_dir && (rc = startup_schema_dir(l->group, l->schema_dir, &err)))
        fprintf(stderr, PROGRAM ": %s\n", err.text);
    return rc ? rc : call(l, 0, find_table);
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

/* All jobs at once; the main thread shows how far they are. */
static void run_jobs(struct loader *l, enum load_progress_kind kind, const struct timespec *start)
{
    struct startup_call calls[MAX_JOBS];
    unsigned n = reactor_group_count(l->group);

    for (unsigned i = 0; i < n; i++) {
        calls[i] = (struct startup_call){.ctx = l};
        startup_begin(reactor_group_get(l->group, i), run_job, &calls[i]);
    }
    for (unsigned i = 0; i < n; i++)
        while (!startup_wait(&calls[i], 500))
            load_progress_show(kind, &l->load, seconds_since(start));
    if (kind != LOAD_PROGRESS_NONE)
        load_progress_show(kind, &l->load, seconds_since(start));
    load_progress_end(kind);
}

static int summary(struct loader *l, double seconds)
{
    struct load *d = &l->load;

    if (atomic_load(&d->failed))
        fprintf(stderr, PROGRAM ": %s\n", d->error);
    printf("loaded %" PRIu64 " rows (%" PRIu64 " new, %" PRIu64 " updated, %" PRIu64
           " rejected) from %u files in %.2f s\n",
           (uint64_t)(atomic_load(&d->inserted) + atomic_load(&d->updated)),
           (uint64_t)atomic_load(&d->inserted), (uint64_t)atomic_load(&d->updated),
           (uint64_t)atomic_load(&d->rejected), atomic_load(&d->files_done), seconds);
    return atomic_load(&d->failed) ? 1 : atomic_load(&d->rejected) ? EXIT_REJECTED : 0;
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

static int load(struct loader *l)
{
    struct timespec start;
    int status = 1;

    clock_gettime(CLOCK_MONOTONIC, &start);
    if (!prepare(l)) {
        run_jobs(l, load_progress_choose(l->progress), &start);
        status = summary(l, seconds_since(&start));
    }
    for (unsigned i = 0; i < reactor_group_count(l->group); i++)
        call(l, i, disconnect);
    reactor_group_stop(l->group, exit_core, l);
    for (unsigned i = 0; i < l->load.config.n_children; i++)
        schema_put(l->load.config.children[i].schema);
    free(l->load.config.children);
    if (l->load.config.schema)
        schema_put(l->load.config.schema);
    return status;
}

static int run(struct loader *l)
{
    struct load_config config = {.batch_rows = (uint32_t)l->buf_size,
                                 .dry_run = l->dry_run,
                                 .ignore_source_path = l->ignore_source_path,
                                 .nerd_capitalization = l->nerd_capitalization};
    struct error_info err;
    int status = 1;

    if (load_files_find(l->source, &config.files, &err)) {
        fprintf(stderr, PROGRAM ": %s\n", err.text);
        return 1;
    }
    if (l->reject_file && !(config.rejects = fopen(l->reject_file, "we"))) {
        fprintf(stderr, PROGRAM ": --reject-file %s: %s\n", l->reject_file, strerror(errno));
        load_files_fini(&config.files);
        return 1;
    }
    load_init(&l->load, &config);
    l->startup.cores = l->jobs < config.files.n ? l->jobs : config.files.n;
    if (!startup_group(&l->startup, &l->group, PROGRAM)) {
        if (!reactor_group_start(l->group, start_core, l))
            status = load(l);
        reactor_group_free(l->group);
    }
    if (config.rejects && fclose(config.rejects)) {
        fprintf(stderr, PROGRAM ": --reject-file %s: %s\n", l->reject_file, strerror(errno));
        status = 1;
    }
    load_files_fini(&l->load.config.files);
    return status;
}

static int check(const struct loader *l, size_t n)
{
    if (strcmp(l->format, "parquet")) {
        fprintf(stderr, PROGRAM ": --format is \"%s\"; allowed is parquet\n", l->format);
        return 2;
    }
    if (!l->source || !l->table || n > 2) {
        fprintf(stderr, PROGRAM ": SOURCE and TABLE are needed, found %zu words; see --help\n", n);
        return 2;
    }
    if (!l->buf_size || l->buf_size > MAX_BATCH_ROWS) {
        fprintf(stderr, PROGRAM ": --buf-size is %" PRIu64 "; allowed are 1 to %d rows\n",
                l->buf_size, MAX_BATCH_ROWS);
        return 2;
    }
    if (!l->jobs || l->jobs > MAX_JOBS) {
        fprintf(stderr, PROGRAM ": --jobs is %" PRIu64 "; allowed are 1 to %d\n", l->jobs,
                MAX_JOBS);
        return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct loader l = {.startup.bind = "127.0.0.1",
                       .nodes = "127.0.0.1:4010",
                       .progress = "auto",
                       .format = "parquet",
                       .buf_size = 10000,
                       .jobs = 2};
    const char *words[2] = {NULL, NULL};
    const struct option_spec specs[] = {
        {"node", OPTION_STRING, &l.nodes, "HOST:PORT,...", "the data nodes", NULL},
        {"bucket-path", OPTION_STRING, &l.source, "SOURCE", "the same as the first word",
         "BUCKET_PATH"},
        {"index", OPTION_STRING, &l.table, "TABLE", "the same as the second word", "INDEX"},
        {"format", OPTION_STRING, &l.format, "parquet", "format of the files", NULL},
        {"schema-dir", OPTION_STRING, &l.schema_dir, "DIR",
         "creates the tables found there, and alters them as the rules permit", "SCHEMA_DIR"},
        {"buf-size", OPTION_UINT, &l.buf_size, "ROWS", "rows per batch", "BUF_SIZE"},
        {"jobs", OPTION_UINT, &l.jobs, "N", "files loaded at the same time", NULL},
        {"reject-file", OPTION_STRING, &l.reject_file, "FILE", "a line for every rejected row",
         NULL},
        {"dry-run", OPTION_FLAG, &l.dry_run, NULL, "read and convert, write nothing", NULL},
        {"ignore-source-path", OPTION_FLAG, &l.ignore_source_path, NULL,
         "match columns by name, not by sourceName", NULL},
        {"nerd-capitalization", OPTION_FLAG, &l.nerd_capitalization, NULL,
         "also match column paths in Title Case", NULL},
        {"plugin-dir", OPTION_STRING, &l.startup.plugin_dir, "DIR",
         "plug-ins for Custom and CustomBSI (default: none)", NULL},
        {"progress", OPTION_STRING, &l.progress, "auto|bar|json|none", "progress on stderr", NULL},
    };
    const struct option_set set = {
        .program = PROGRAM,
        .synopsis = "[OPTIONS] SOURCE TABLE",
        .description =
            "Loads Parquet files (a file, a directory, a glob) into a table. Exit status 3: "
            "finished, some rows were rejected.",
        .specs = specs,
        .count = sizeof(specs) / sizeof(specs[0]),
        .positional = words,
        .positional_max = 2};
    size_t n;
    int status;

    if (options_parse(&set, argc, argv, &n, &status))
        return status;
    if (n > 0)
        l.source = words[0];
    if (n > 1)
        l.table = words[1];
    status = check(&l, n);
    if (status)
        return status;
    if (log_level == LOG_INFO)
        log_level = LOG_WARN; /* a batch job's own lines are its progress and summary */
    return run(&l);
}
