#pragma once
/* Subcommands of quanta-bench: what they share. Main thread. */
#include <stdbool.h>
#include <stdint.h>

/* What the shell gets back, as for all programs. */
enum {
    BENCH_OK = 0,
    BENCH_FAILED = 1,
    BENCH_USAGE = 2,
};

/* The subcommands: argv[0] is the subcommand's own name. An exit status each. */
int bench_gen_main(int argc, char **argv);
int bench_run_main(int argc, char **argv);
int bench_client_main(int argc, char **argv);

/* Says what is wrong with the command line, in one line with one %s; BENCH_USAGE. */
int bench_usage_error(const char *fmt, const char *arg);

/* False unless the text is a number of 0 to max and nothing else. */
bool bench_parse_number(const char *text, uint64_t max, uint64_t *value);

/* Of a flag that is not given; NULL when it is not there or empty, which counts as not given. */
const char *bench_from_environment(const char *name);

/* A clock for differences. */
double bench_now_seconds(void);
