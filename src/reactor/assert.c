/* The end of the process when an invariant broke. */
#include "reactor/assert.h"

#include <stdio.h>
#include <unistd.h>

#include "reactor/log.h"
#include "reactor/trace.h"

enum { TRACE_SHOWN = 32 };

_Noreturn void assert_failed(const char *file, int line, const char *cond)
{
    char text[512];
    int n = snprintf(text, sizeof text, "assertion failed: %s:%d: %s (core %d)\n", file, line, cond,
                     log_get_core());

    if (n > (int)sizeof text)
        n = sizeof text;
    if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0) {
        /* nothing left to tell it to */
    }
    trace_print(STDERR_FILENO, TRACE_SHOWN);
    __builtin_trap();
}
