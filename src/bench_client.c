/*
 * quanta-bench client: a coprocess for who compares servers. A line of stdin is a command, a line of stdout its
 * answer in JSON: {"us": 12.3, "rows": 1}, or {"error": "..."}.
 *
 *   time SQL        runs the statement and takes all rows
 *   answer FILE SQL the same, with the rows into a file, cells parted by tabs; FILE has no blank
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_sql.h"

static const char usage_text[] =
    "usage: quanta-bench client --port P | --socket PATH [--host H] [--user U] [--database D]\n"
    "\n"
    "Reads commands from stdin and answers each with a line of JSON:\n"
    "\n"
    "  time SQL          runs a statement, takes its rows: {\"us\": 12.3, \"rows\": 1}\n"
    "  answer FILE SQL   the same, and writes the rows to the file\n";

static void print_error(const char *text)
{
    json_t *line = json_pack("{s:s}", "error", text);

    json_dumpf(line, stdout, JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(line);
}

static int answer(struct bench_sql *sql, char *rest, struct bench_sql_answer *out)
{
    char *text = strchr(rest, ' ');
    FILE *file;
    int rc;

    if (!text)
        return -EINVAL;
    *text++ = '\0';
    file = fopen(rest, "we");
    if (!file)
        return -errno;
    rc = bench_sql_ask(sql, text, file, out);
    if (fclose(file) && rc == 0)
        rc = -errno;
    return rc;
}

static void run_line(struct bench_sql *sql, char *line)
{
    struct bench_sql_answer out = {0};
    int rc = -EINVAL;

    if (strncmp(line, "time ", 5) == 0)
        rc = bench_sql_time(sql, line + 5, &out);
    else if (strncmp(line, "answer ", 7) == 0)
        rc = answer(sql, line + 7, &out);
    if (rc == -EIO)
        print_error(bench_sql_error(sql));
    else if (rc < 0)
        print_error(strerror(-rc));
    else
        printf("{\"us\": %.1f, \"rows\": %" PRIu64 "}\n", out.seconds * 1e6, out.rows);
    fflush(stdout);
}

static int serve(const struct bench_sql_address *address)
{
    struct bench_sql *sql = bench_sql_new(address);
    char *line = NULL;
    size_t cap = 0;

    if (!sql)
        return BENCH_FAILED;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        if (line[n - 1] == '\n')
            line[n - 1] = '\0';
        run_line(sql, line);
    }
    free(line);
    bench_sql_free(sql);
    return BENCH_OK;
}

int bench_client_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},
        {"socket", required_argument, NULL, 's'},
        {"host", required_argument, NULL, 'o'},
        {"user", required_argument, NULL, 'u'},
        {"database", required_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct bench_sql_address address;
    const char *port = bench_from_environment("QUANTA_PORT");
    uint64_t number = 0;

    bench_sql_address_default(&address);
    for (int c; (c = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (c == 'p')
            port = optarg;
        else if (c == 's')
            address.socket = optarg;
        else if (c == 'o')
            address.host = optarg;
        else if (c == 'u')
            address.user = optarg;
        else if (c == 'd')
            address.database = optarg;
        else if (c == 'h')
            return fputs(usage_text, stdout) < 0 ? BENCH_FAILED : BENCH_OK;
        else
            return bench_usage_error(c == ':' ? "'%s' needs a value" : "unknown option '%s'",
                                     argv[optind - 1]);
    }
    if (!port && !address.socket)
        return bench_usage_error("%s is missing", "--port");
    if (port && (!bench_parse_number(port, UINT16_MAX, &number) || !number))
        return bench_usage_error("--port is '%s', allowed are 1 to 65535", port);
    address.port = (uint16_t)number;
    return serve(&address);
}
