/* Allocations that fail: see fail_alloc.h. The linker's --wrap brings calls of malloc and the like here. */
#include "unit/fail_alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { EACH_ONE = 60 /* of the first ones, when not all are tried */ };

static atomic_bool armed, more;
static atomic_uint_fast64_t left; /* until the one that fails */
static atomic_uint_fast64_t failed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

/* Of the sanitizers, where they are. */
void __sanitizer_print_stack_trace(void) __attribute__((weak));

/* With TORTURE_TRACE in the environment it is told which allocation fails. */
static bool fails(void)
{
    if (failed++ == 0 && __sanitizer_print_stack_trace && getenv("TORTURE_TRACE"))
        __sanitizer_print_stack_trace();
    return true;
}

static bool is_refused(void)
{
    if (!atomic_load_explicit(&armed, memory_order_relaxed))
        return false;
    uint64_t was = atomic_load(&left);

    while (was > 0 && !atomic_compare_exchange_weak(&left, &was, was - 1))
        continue;
    return (was == 1 || (was == 0 && more)) && fails();
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return is_refused() ? NULL : __real_aligned_alloc(align, size);
}

char *__wrap_strdup(const char *s)
{
    return is_refused() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return is_refused() ? NULL : __real_strndup(s, n);
}

void *fail_alloc_real_realloc(void *old, size_t size)
{
    return __real_realloc(old, size);
}

static bool tries_all(void)
{
    const char *how = getenv("TORTURE");

    return how && !strcmp(how, "all");
}

bool fail_alloc_next(struct fail_alloc *f)
{
    if (!f->begun) {
        *f = (struct fail_alloc){.n = 1, .begun = true};
        return true;
    }
    if (!f->failed) {
        if (f->and_more)
            return false;
        f->and_more = true;
        f->n = 1;
        return true;
    }
    f->n += tries_all() || f->n < EACH_ONE ? 1 : f->n / 8;
    return true;
}

void fail_alloc_arm(const struct fail_alloc *f)
{
    failed = 0;
    left = f->n;
    more = f->and_more;
    armed = true;
}

bool fail_alloc_disarm(struct fail_alloc *f)
{
    armed = false;
    f->failed = failed > 0;
    return f->failed;
}
