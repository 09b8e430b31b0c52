/* quanta-admin: looking after a data directory or a cluster from outside. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "reactor/log.h"
#include "reactor/options.h"
#include "storage/verify.h"

#define PROGRAM ADMIN_PROGRAM

enum {
    EXIT_FOUND = ADMIN_FAILED,
    EXIT_USAGE = ADMIN_USAGE,
    LISTED_MAX = 10000 /* findings in one JSON answer */
};

struct admin { /* main thread */
    const char *data_dir, *output, *nodes, *table;
    bool all_tables, native;
    const char *words[4];
    size_t n_words;
    json_t *listed; /* verify --output json */
    bool bar;       /* a progress line is on the terminal */
};

static bool is_json(const struct admin *a)
{
    return !strcmp(a->output, "json");
}

/* ---- verify ---- */

static void clear_bar(struct admin *a)
{
    if (a->bar)
        fprintf(stderr, "\r\033[K");
    a->bar = false;
}

static void found(void *ctx, const struct verify_finding *f)
{
    struct admin *a = ctx;

    clear_bar(a);
    if (!is_json(a))
        printf("%s: %s, offset %" PRIu64 ": %s\n", f->is_notice ? "notice" : "damaged", f->file,
               f->offset, f->what);
    else if (json_array_size(a->listed) < LISTED_MAX)
        json_array_append_new(a->listed, json_pack("{s:s, s:I, s:s, s:b}", "file", f->file,
                                                   "offset", (json_int_t)f->offset, "what", f->what,
                                                   "notice", f->is_notice));
}

static void progress(void *ctx, uint64_t done, uint64_t total)
{
    struct admin *a = ctx;

    fprintf(stderr, "\r\033[Kverify: %" PRIu64 " of %" PRIu64 " MiB, %d %%", done >> 20,
            total >> 20, total ? (int)(done * 100 / total) : 100);
    fflush(stderr);
    a->bar = true;
}

static void print_json(struct admin *a, const struct verify_counts *c)
{
    json_t *doc = json_pack(
        "{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O}",
        "data_dir", a->data_dir, "has_checkpoint", c->has_checkpoint, "checkpoint_round",
        (json_int_t)c->checkpoint_round, "files", (json_int_t)c->files, "chunks",
        (json_int_t)c->chunks, "bytes", (json_int_t)c->bytes, "segments", (json_int_t)c->segments,
        "rows", (json_int_t)c->rows, "dict_entries", (json_int_t)c->dict_entries, "log_files",
        (json_int_t)c->log_files, "log_groups", (json_int_t)c->log_groups, "log_records",
        (json_int_t)c->log_records, "log_bytes", (json_int_t)c->log_bytes, "damaged",
        (json_int_t)c->findings, "notices", (json_int_t)c->notices, "findings", a->listed);

    if (doc)
        json_dumpf(doc, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(doc);
}

static void print_text(const struct admin *a, const struct verify_counts *c)
{
    if (c->has_checkpoint)
        printf("checkpoint %" PRIu64 ": %" PRIu64 " files, %" PRIu64 " chunks, %" PRIu64
               " bytes; %" PRIu64 " segments, %" PRIu64 " rows, %" PRIu64 " dictionary entries\n",
               c->checkpoint_round, c->files, c->chunks, c->bytes, c->segments, c->rows,
               c->dict_entries);
    else
        printf("no checkpoint\n");
    printf("log: %" PRIu64 " files, %" PRIu64 " groups, %" PRIu64 " records, %" PRIu64 " bytes\n",
           c->log_files, c->log_groups, c->log_records, c->log_bytes);
    if (c->findings)
        printf("%s: %" PRIu64 " places are damaged\n", a->data_dir, c->findings);
    else
        printf("%s: all right\n", a->data_dir);
}

static int run_verify(struct admin *a)
{
    struct verify_config config = {.dir = a->data_dir,
                                   .found = found,
                                   .progress = isatty(2) ? progress : NULL,
                                   .ctx = a};
    struct verify_counts counts;
    struct error_info err = {0};

    a->listed = json_array();
    if (!a->listed)
        return EXIT_FOUND;
    int rc = verify_directory(&config, &counts, &err);
    clear_bar(a);
    if (rc)
        fprintf(stderr, PROGRAM ": verify: %s%s\n", err.text,
                rc == -EWOULDBLOCK ? ": stop the server first, it changes the files" : "");
    else if (is_json(a))
        print_json(a, &counts);
    else
        print_text(a, &counts);
    json_decref(a->listed);
    if (fflush(stdout) || ferror(stdout)) {
        fprintf(stderr, PROGRAM ": cannot write the result: %s\n", strerror(errno));
        return EXIT_FOUND;
    }
    return rc || counts.findings ? EXIT_FOUND : 0;
}

/* ---- version ---- */

static int run_version(struct admin *a)
{
    json_t *doc = is_json(a) ? json_pack("{s:s}", "version", version_text()) : NULL;

    if (doc)
        json_dumpf(doc, stdout, 0);
    else
        fputs(version_text(), stdout);
    putchar('\n');
    json_decref(doc);
    return 0;
}

/* ---- program ---- */

static int usage(const char *what, const char *word)
{
    fprintf(stderr,
            PROGRAM ": %s%s; allowed are verify, partition-info, "
                    "offline-partitions, restore-partitions, hash-password, version (see --help)\n",
            what, word);
    return EXIT_USAGE;
}

static int run(struct admin *a)
{
    const struct admin_config config = {.words = a->words,
                                        .n_words = a->n_words,
                                        .nodes = a->nodes,
                                        .table = a->table,
                                        .all_tables = a->all_tables,
                                        .json = is_json(a)};
    int status;

    if (a->n_words == 0)
        return usage("no subcommand", "");
    if (admin_run_partitions(&config, &status))
        return status;
    if (a->n_words > 1) {
        fprintf(stderr, PROGRAM ": %s takes no further word; found %s\n", a->words[0], a->words[1]);
        return EXIT_USAGE;
    }
    if (!strcmp(a->words[0], "version"))
        return run_version(a);
    if (!strcmp(a->words[0], "hash-password"))
        return admin_run_hash_password(a->native);
    if (strcmp(a->words[0], "verify"))
        return usage("unknown subcommand ", a->words[0]);
    if (!a->data_dir || !*a->data_dir) {
        fprintf(stderr, PROGRAM ": verify: --data-dir DIR is missing\n");
        return EXIT_USAGE;
    }
    return run_verify(a);
}

int main(int argc, char **argv)
{
    struct admin a = {.output = "text", .nodes = "127.0.0.1:4010"};
    const struct option_spec specs[] = {
        {"data-dir", OPTION_STRING, &a.data_dir, "DIR", "verify: the directory to look at",
         "DATA_DIR"},
        {"node", OPTION_STRING, &a.nodes, "HOST:PORT", "the data node to talk to", NULL},
        {"table", OPTION_STRING, &a.table, "TABLE", "partitions of this table", NULL},
        {"all-tables", OPTION_FLAG, &a.all_tables, NULL, "partitions of all tables that have some",
         NULL},
        {"native", OPTION_FLAG, &a.native, NULL,
         "hash-password: for mysql_native_password (default: caching_sha2_password)", NULL},
        {"output", OPTION_STRING, &a.output, "text|json", "form of the answer", NULL},
    };
    const struct option_set set = {
        .program = PROGRAM,
        .synopsis = "[OPTIONS] SUBCOMMAND [TIME...]",
        .description =
            "verify: compares every checksum of a data directory that no server uses; exit status "
            "1 when something is damaged. partition-info [TIME]: rows, bytes and state of the time "
            "partitions (that begin up to then). offline-partitions TIME: archives those that end "
            "at or before it. restore-partitions FROM TO: brings archived ones between the two "
            "times back. hash-password: reads a password and prints its secret for --users-file. "
            "version: what this build is.",
        .specs = specs,
        .count = sizeof(specs) / sizeof(specs[0]),
        .positional = a.words,
        .positional_max = 4};
    int status;

    if (options_parse(&set, argc, argv, &a.n_words, &status))
        return status;
    if (log_level == LOG_INFO)
        log_level = LOG_WARN; /* its own lines are the answer */
    return run(&a);
}
