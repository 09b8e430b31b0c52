#include "ingest/parquet_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names come from the file: control characters must not reach a log or a terminal. */
static void make_printable(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
}

int parquet_fail(struct parquet_error *err, int code, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, args);
        va_end(args);
        make_printable(err->text);
    }
    return code;
}

void parquet_error_prefix(struct parquet_error *err, const char *fmt, ...)
{
    if (!err)
        return;
    char place[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(place, sizeof(place), fmt, args);
    va_end(args);
    make_printable(place);
    char rest[sizeof(err->text)];
    memcpy(rest, err->text, sizeof(rest));
    size_t len = strlen(place);
    memcpy(err->text, place, len);
    snprintf(err->text + len, sizeof(err->text) - len, "%s", rest);
}

int parquet_fail_memory(struct parquet_error *err, const char *what)
{
    return parquet_fail(err, -ENOMEM, "out of memory for %s", what);
}
