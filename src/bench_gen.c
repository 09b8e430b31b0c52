/* quanta-bench gen: the tables of the `events` work and of TPC-H as files. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "bench.h"
#include "ingest/events_file.h"

#define PROGRESS_SECONDS 0.25
#define SEED_DEFAULT 1

/* Where the job is, for the line on the terminal. One thread; on the stack of run_gen. */
struct progress {
    const char *table;
    uint64_t rows;
    double start;
    double shown;
    bool is_tty;
};

/* The command line of `gen`. */
struct gen_flags {
    const char *table;
    const char *out;
    const char *rows;
    const char *scale;
    const char *seed;
    const char *codec;
    bool no_header;
};

static volatile sig_atomic_t stop_signal;

static const char usage_text[] =
    "usage: quanta-bench gen --table events|content|tpch.NAME --out FILE.parquet|FILE.csv\n"
    "\n"
    "Writes a table of the `events` work or of TPC-H; the same flags always give the same rows.\n"
    "Their definitions are in conf/schemas and conf/tpch.\n"
    "\n"
    "  --table NAME    events, or content (the titles events refer to); tpch.region, tpch.nation,\n"
    "                  tpch.supplier, tpch.customer, tpch.part, tpch.partsupp, tpch.orders,\n"
    "                  tpch.lineitem\n"
    "  --scale X       of TPC-H, 0.001 to 1000, default 1: six million lines of orders\n"
    "  --rows N        number of rows; content has 100000 unless given\n"
    "  --out FILE      file to write; its ending chooses the format\n"
    "  --seed S        0 to 16777215, default 1\n"
    "  --codec NAME    snappy, zstd or none, for Parquet; default snappy\n"
    "  --no-header     leave out the line of column names, for CSV\n"
    "\n"
    "Every flag is also read from the environment as QUANTA_<FLAG>, such as QUANTA_ROWS.\n";

static void on_signal(int number)
{
    stop_signal = number;
}

static int show_progress(void *ctx, uint64_t rows)
{
    struct progress *p = ctx;
    double now = bench_now_seconds();
    if (stop_signal)
        return -EINTR;
    if (p->is_tty && (now - p->shown > PROGRESS_SECONDS || rows == p->rows)) {
        p->shown = now;
        fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " rows, %d %%, %.2f M rows/s ", p->table,
                rows, p->rows, (int)(rows * 100 / p->rows),
                (double)rows / (now - p->start + 1e-9) / 1e6);
        if (rows == p->rows)
            fputc('\n', stderr);
    }
    return 0;
}

static bool has_ending(const char *path, const char *ending)
{
    size_t len = strlen(path), n = strlen(ending);
    return len > n && strcasecmp(path + len - n, ending) == 0;
}

static int set_rows(const struct gen_flags *flags, struct events_job *job)
{
    bool is_content = job->table == EVENTS_TABLE_CONTENT;
    if (!flags->rows && !is_content)
        return bench_usage_error("%s is missing", "--rows");
    job->spec.rows = EVENTS_CONTENT_ROWS;
    if (flags->rows && !bench_parse_number(flags->rows, EVENTS_ROWS_MAX, &job->spec.rows))
        return bench_usage_error("--rows is '%s', allowed are 0 to 34359738368", flags->rows);
    return BENCH_OK;
}

static int set_codec(const char *name, enum parquet_codec *codec)
{
    if (strcmp(name, "none") == 0)
        *codec = PARQUET_CODEC_NONE;
    else if (strcmp(name, "snappy") == 0)
        *codec = PARQUET_CODEC_SNAPPY;
    else if (strcmp(name, "zstd") == 0)
        *codec = PARQUET_CODEC_ZSTD;
    else
        return bench_usage_error("--codec is '%s', allowed are snappy, zstd and none", name);
    return BENCH_OK;
}

static int make_tpch(const struct gen_flags *flags, struct events_job *job)
{
    char *end = NULL;
    job->tpch->scale = flags->scale ? strtod(flags->scale, &end) : 1;
    if (flags->rows)
        return bench_usage_error("--rows is '%s', tables of TPC-H have --scale", flags->rows);
    if ((end && *end) || !(job->tpch->scale >= 0.001 && job->tpch->scale <= 1000))
        return bench_usage_error("--scale is '%s', allowed are 0.001 to 1000", flags->scale);
    job->tpch->seed = job->spec.seed;
    job->spec.rows = tpch_count(job->tpch->table, job->tpch->scale, job->tpch->seed);
    return BENCH_OK;
}

static int make_job(const struct gen_flags *flags, struct events_job *job)
{
    const char *codec = flags->codec ? flags->codec : "snappy";
    if (!flags->table || !flags->out)
        return bench_usage_error("%s is missing", flags->table ? "--out" : "--table");
    if (strcmp(flags->table, "events") == 0)
        job->table = EVENTS_TABLE_EVENTS;
    else if (strcmp(flags->table, "content") == 0)
        job->table = EVENTS_TABLE_CONTENT;
    else if (strncmp(flags->table, "tpch.", 5) != 0 ||
             !tpch_find(flags->table + 5, &job->tpch->table))
        return bench_usage_error("--table is '%s', allowed are events, content and tpch.NAME",
                                 flags->table);
    if (strncmp(flags->table, "tpch.", 5) != 0)
        job->tpch = NULL;
    if (has_ending(flags->out, ".csv"))
        job->format = EVENTS_FORMAT_CSV;
    else if (!has_ending(flags->out, ".parquet"))
        return bench_usage_error("--out is '%s', allowed are names ending in .parquet or .csv",
                                 flags->out);
    job->path = flags->out;
    job->has_header = !flags->no_header;
    job->spec.seed = SEED_DEFAULT;
    /* Seeds are multiplied by 2^40. */
    if (flags->seed && !bench_parse_number(flags->seed, (1 << 24) - 1, &job->spec.seed))
        return bench_usage_error("--seed is '%s', allowed are 0 to 16777215", flags->seed);
    int status = job->tpch ? make_tpch(flags, job) : set_rows(flags, job);
    return status != BENCH_OK ? status : set_codec(codec, &job->codec);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    /* A file size limit then is an error of write, after which the temporary file is removed. */
    action.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &action, NULL);
}

static int run_gen(const struct gen_flags *flags)
{
    struct tpch_rows tpch = {0};
    struct events_job job = {.format = EVENTS_FORMAT_PARQUET,
                             .tpch = &tpch,
                             .progress = show_progress};
    struct parquet_error err = {0};
    int status = make_job(flags, &job);
    if (status != BENCH_OK)
        return status;
    struct progress progress = {
        .table = flags->table,
        .rows = job.spec.rows,
        .start = bench_now_seconds(),
        .is_tty = isatty(STDERR_FILENO),
    };
    uint64_t bytes;
    job.ctx = &progress;
    catch_signals();
    int rc = events_file_write(&job, &bytes, &err);
    if (rc < 0) {
        fprintf(stderr, "%squanta-bench: %s: %s\n", progress.is_tty ? "\n" : "", job.path,
                err.text);
        return BENCH_FAILED;
    }
    double seconds = bench_now_seconds() - progress.start;
    fprintf(stderr, "wrote %" PRIu64 " rows, %" PRIu64 " bytes to %s in %.2f s\n", job.spec.rows,
            bytes, job.path, seconds);
    return BENCH_OK;
}

int bench_gen_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"table", required_argument, NULL, 't'},
        {"rows", required_argument, NULL, 'n'},
        {"out", required_argument, NULL, 'o'},
        {"seed", required_argument, NULL, 's'},
        {"codec", required_argument, NULL, 'c'},
        {"no-header", no_argument, NULL, 'H'},
        {"scale", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct gen_flags flags = {
        .table = bench_from_environment("QUANTA_TABLE"),
        .out = bench_from_environment("QUANTA_OUT"),
        .rows = bench_from_environment("QUANTA_ROWS"),
        .scale = bench_from_environment("QUANTA_SCALE"),
        .seed = bench_from_environment("QUANTA_SEED"),
        .codec = bench_from_environment("QUANTA_CODEC"),
        .no_header = bench_from_environment("QUANTA_NO_HEADER") != NULL,
    };
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 't')
            flags.table = optarg;
        else if (c == 'n')
            flags.rows = optarg;
        else if (c == 'o')
            flags.out = optarg;
        else if (c == 'S')
            flags.scale = optarg;
        else if (c == 's')
            flags.seed = optarg;
        else if (c == 'c')
            flags.codec = optarg;
        else if (c == 'H')
            flags.no_header = true;
        else if (c == 'h')
            return fputs(usage_text, stdout) < 0 ? BENCH_FAILED : BENCH_OK;
        else
            return bench_usage_error(c == ':' ? "'%s' needs a value" : "unknown option '%s'",
                                     argv[optind - 1]);
    }
    if (optind < argc)
        return bench_usage_error("unexpected argument '%s'", argv[optind]);
    return run_gen(&flags);
}
