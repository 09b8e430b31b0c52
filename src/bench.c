#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int bench_usage_error(const char *fmt, const char *arg)
{
    fputs("quanta-bench: ", stderr);
    fprintf(stderr, fmt, arg);
    fputs("; see quanta-bench --help\n", stderr);
    return BENCH_USAGE;
}

bool bench_parse_number(const char *text, uint64_t max, uint64_t *value)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    *value = n;
    return errno == 0 && *end == '\0' && n <= max;
}

const char *bench_from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

double bench_now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
