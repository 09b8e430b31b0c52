/* quanta-bench run: a work set against a server of the MySQL protocol. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_answers.h"

enum { RUNS_DEFAULT = 5, RUNS_MAX = 1000, COLD_BYTES = 256 << 20 };

static const char usage_text[] =
    "usage: quanta-bench run --port P --rows N [options]\n"
    "       quanta-bench run --rows N --list\n"
    "\n"
    "Asks the queries of the `events` work (tables made by `quanta-bench gen` and loaded), with\n"
    "other constants each time, compares all answers with what the rows must give and prints a\n"
    "line of JSON for each query: times in microseconds from sending the statement to having the\n"
    "last row. Cold: after 256 MiB of other memory went through the processor's caches.\n"
    "\n"
    "  --port P        port of the server, or --socket PATH; --host H, default 127.0.0.1\n"
    "  --user U, --database D    default root and quanta\n"
    "  --rows N, --seed S        of the table `events`; seed 1 unless given\n"
    "  --queries LIST  such as Q1,Q7,J1; default Q1 to Q13; `all` for J1 G1 G2 G3 T1 P1 too\n"
    "  --runs K        variants of each query, default 5\n"
    "  --no-check      do not compare the answers\n"
    "  --list          print query, variant and statement, parted by tabs, and end\n";

struct run { /* main thread */
    struct bench_sql_address address;
    struct events_spec spec;
    bool wanted[BENCH_QUERIES];
    uint64_t runs;
    bool no_check, list;
    struct bench_sql *sql;
    struct bench_answers *answers; /* NULL: not compared */
    volatile uint8_t *cold;
    double *warm_us, *cold_us;
};

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values, uint64_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void statement(const struct run *r, enum bench_query query, uint32_t variant,
                      char text[static BENCH_STATEMENT_MAX])
{
    struct bench_constants constants;

    bench_events_constants(&r->spec, variant, &constants);
    bench_events_statement(query, &constants, text);
}

static void list(const struct run *r)
{
    char text[BENCH_STATEMENT_MAX];

    for (unsigned q = 0; q < BENCH_QUERIES; q++) {
        for (uint32_t v = 0; r->wanted[q] && v < r->runs; v++) {
            statement(r, q, v, text);
            printf("%s\t%u\t%s\n", bench_query_name(q), v, text);
        }
    }
}

/* One byte of each line is enough. */
static void cool_caches(const struct run *r)
{
    for (size_t i = 0; i < COLD_BYTES; i += 64)
        r->cold[i]++;
}

/* False after a line on stderr. */
static bool is_right(const struct run *r, enum bench_query query, uint32_t variant,
                     const char *text, const struct bench_sql_answer *found)
{
    struct bench_sql_answer wanted;

    if (bench_answers_get(r->answers, query, variant, &wanted)) {
        fputs("quanta-bench: out of memory\n", stderr);
        return false;
    }
    if (wanted.rows == found->rows && wanted.hash == found->hash &&
        (!bench_query_is_ordered(query) || wanted.ordered_hash == found->ordered_hash))
        return true;
    fprintf(stderr,
            "quanta-bench: %s is answered wrong: %s\n"
            "  found %" PRIu64 " rows, first: %s\n  must be %" PRIu64 " rows, first: %s\n",
            bench_query_name(query), text, found->rows, found->first, wanted.rows, wanted.first);
    return false;
}

/* Timed first, so that the statement was never seen before, then asked for what it answers. */
static bool run_variant(struct run *r, enum bench_query query, uint32_t v, uint64_t *rows)
{
    struct bench_sql_answer answer;
    char text[BENCH_STATEMENT_MAX];

    statement(r, query, v, text);
    if (bench_sql_time(r->sql, text, &answer))
        goto failed;
    *rows = answer.rows;
    r->warm_us[v] = answer.seconds * 1e6;
    cool_caches(r);
    if (bench_sql_time(r->sql, text, &answer))
        goto failed;
    r->cold_us[v] = answer.seconds * 1e6;
    if (!r->answers)
        return true;
    if (bench_sql_ask(r->sql, text, NULL, &answer))
        goto failed;
    return is_right(r, query, v, text, &answer);
failed:
    fprintf(stderr, "quanta-bench: %s failed: %s\n  %s\n", bench_query_name(query),
            bench_sql_error(r->sql), text);
    return false;
}

static bool run_query(struct run *r, enum bench_query query)
{
    uint64_t rows = 0;

    for (uint32_t v = 0; v < r->runs; v++)
        if (!run_variant(r, query, v, &rows))
            return false;
    double warm = median(r->warm_us, r->runs), cold = median(r->cold_us, r->runs);
    printf("{\"bench\": \"events\", \"query\": \"%s\", \"table_rows\": %" PRIu64
           ", \"runs\": %" PRIu64 ", \"checked\": %s, \"rows\": %" PRIu64
           ", \"warm_us\": %.1f, \"best_us\": %.1f, \"worst_us\": %.1f, \"cold_us\": %.1f}\n",
           bench_query_name(query), r->spec.rows, r->runs, r->answers ? "true" : "false", rows,
           warm, r->warm_us[0], r->warm_us[r->runs - 1], cold);
    fflush(stdout);
    return true;
}

static int measure(struct run *r)
{
    int status = BENCH_FAILED;

    r->warm_us = calloc(r->runs, sizeof(*r->warm_us));
    r->cold_us = calloc(r->runs, sizeof(*r->cold_us));
    r->cold = calloc(COLD_BYTES, 1);
    if (!r->no_check)
        r->answers = bench_answers_new(&r->spec, (uint32_t)r->runs);
    if (!r->warm_us || !r->cold_us || !r->cold || (!r->no_check && !r->answers))
        fputs("quanta-bench: out of memory\n", stderr);
    else
        r->sql = bench_sql_new(&r->address);
    if (r->sql) {
        status = BENCH_OK;
        for (unsigned q = 0; q < BENCH_QUERIES; q++)
            if (r->wanted[q] && !run_query(r, q))
                status = BENCH_FAILED;
    }
    bench_sql_free(r->sql);
    bench_answers_free(r->answers);
    free((void *)r->cold);
    free(r->cold_us);
    free(r->warm_us);
    return status;
}

static bool choose_queries(struct run *r, const char *names)
{
    bool all = names && strcmp(names, "all") == 0;

    for (unsigned q = 0; q < BENCH_QUERIES; q++)
        r->wanted[q] = all || (!names && q <= BENCH_Q13);
    while (!all && names && *names) {
        size_t n = strcspn(names, ",");
        enum bench_query query;
        if (!bench_query_by_name(names, n, &query))
            return false;
        r->wanted[query] = true;
        names += n + (names[n] == ',');
    }
    return true;
}

/* Flags as they came; NULL = not given. */
struct flags {
    const char *port, *rows, *seed, *runs, *queries;
};

static int set_numbers(struct run *r, const struct flags *f)
{
    uint64_t port = 0;

    if (!f->rows)
        return bench_usage_error("%s is missing", "--rows");
    if (!bench_parse_number(f->rows, EVENTS_ROWS_MAX, &r->spec.rows))
        return bench_usage_error("--rows is '%s', allowed are 0 to 34359738368", f->rows);
    if (f->seed && !bench_parse_number(f->seed, (1 << 24) - 1, &r->spec.seed))
        return bench_usage_error("--seed is '%s', allowed are 0 to 16777215", f->seed);
    if (f->runs && (!bench_parse_number(f->runs, RUNS_MAX, &r->runs) || !r->runs))
        return bench_usage_error("--runs is '%s', allowed are 1 to 1000", f->runs);
    if (!choose_queries(r, f->queries))
        return bench_usage_error("--queries is '%s', allowed are names such as Q1,J1, or all",
                                 f->queries);
    if (!r->list && !f->port && !r->address.socket)
        return bench_usage_error("%s is missing", "--port");
    if (f->port && (!bench_parse_number(f->port, UINT16_MAX, &port) || !port))
        return bench_usage_error("--port is '%s', allowed are 1 to 65535", f->port);
    r->address.port = (uint16_t)port;
    return BENCH_OK;
}

static int read_flags(int argc, char **argv, struct run *r, struct flags *f)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},     {"socket", required_argument, NULL, 's'},
        {"host", required_argument, NULL, 'o'},     {"user", required_argument, NULL, 'u'},
        {"database", required_argument, NULL, 'd'}, {"rows", required_argument, NULL, 'n'},
        {"seed", required_argument, NULL, 'S'},     {"queries", required_argument, NULL, 'q'},
        {"runs", required_argument, NULL, 'r'},     {"no-check", no_argument, NULL, 'c'},
        {"list", no_argument, NULL, 'l'},           {NULL, 0, NULL, 0},
    };
    const char **const texts[256] = {
        ['p'] = &f->port,         ['s'] = &r->address.socket,   ['o'] = &r->address.host,
        ['u'] = &r->address.user, ['d'] = &r->address.database, ['n'] = &f->rows,
        ['S'] = &f->seed,         ['q'] = &f->queries,          ['r'] = &f->runs,
    };

    for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (c == 'c')
            r->no_check = true;
        else if (c == 'l')
            r->list = true;
        else if (c < 256 && texts[c])
            *texts[c] = optarg;
        else
            return bench_usage_error(c == ':' ? "'%s' needs a value" : "unknown option '%s'",
                                     argv[optind - 1]);
    }
    if (optind < argc)
        return bench_usage_error("unexpected argument '%s'", argv[optind]);
    return BENCH_OK;
}

int bench_run_main(int argc, char **argv)
{
    struct run r = {
        .spec.seed = 1,
        .runs = RUNS_DEFAULT,
        .no_check = bench_from_environment("QUANTA_NO_CHECK"),
        .list = bench_from_environment("QUANTA_LIST"),
    };
    struct flags flags = {
        .port = bench_from_environment("QUANTA_PORT"),
        .rows = bench_from_environment("QUANTA_ROWS"),
        .seed = bench_from_environment("QUANTA_SEED"),
        .runs = bench_from_environment("QUANTA_RUNS"),
        .queries = bench_from_environment("QUANTA_QUERIES"),
    };

    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(usage_text, stdout) < 0 ? BENCH_FAILED : BENCH_OK;
    bench_sql_address_default(&r.address);
    int status = read_flags(argc, argv, &r, &flags);
    if (status == BENCH_OK)
        status = set_numbers(&r, &flags);
    if (status != BENCH_OK)
        return status;
    if (r.list) {
        list(&r);
        return BENCH_OK;
    }
    return measure(&r);
}
