/* One line per event on stderr, written by one system call so that lines of threads do not mix. */
#include "reactor/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 2048 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};

enum log_level log_level = LOG_INFO;
static _Thread_local int log_core = -1;

void log_set_core(int core)
{
    log_core = core;
}

int log_get_core(void)
{
    return log_core;
}

static size_t log_prefix(char *text, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm tm;
    char core[16] = "-";
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    if (log_core >= 0)
        snprintf(core, sizeof core, "%d", log_core);
    n = snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s [%s] ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000,
                 level_names[level], core);
    return n > 0 ? (size_t)n : 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char text[LOG_LINE_MAX];
    size_t start, len;
    va_list args;
    int n;

    if (level > log_level)
        return;
    start = log_prefix(text, sizeof text, level);
    va_start(args, fmt);
    n = vsnprintf(text + start, sizeof text - start - 1, fmt, args);
    va_end(args);
    len = start + (n > 0 ? (size_t)n : 0);
    if (len > sizeof text - 2)
        len = sizeof text - 2;
    /* Texts quote bytes of clients: a line break in them must not look like a second entry. */
    for (size_t i = start; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
    text[len++] = '\n';
    while (write(STDERR_FILENO, text, len) < 0 && errno == EINTR)
        ;
}

int log_level_parse(const char *text, enum log_level *out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}
