/* What this build is. */
#include <pthread.h>
#include <stdio.h>

#include "build_info.h"
#include "reactor/jemalloc.h"
#include "reactor/options.h"

static char text[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_text(void)
{
    snprintf(text, sizeof text, "quanta %s (%s, %s, %s, io_uring, epoll)", QUANTA_VERSION,
             QUANTA_REVISION, QUANTA_BUILD_OPTIONS,
             jemalloc_is_linked() ? "jemalloc in use" : "system malloc");
}

const char *version_text(void)
{
    pthread_once(&once, make_text);
    return text;
}
