/* Functions posted to a core from any thread: a lock-free stack that the core takes whole. */
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/core.h"

void reactor_post(struct reactor *r, void (*fn)(struct reactor *r, void *ctx), void *ctx)
{
    struct post *p = malloc(sizeof *p);
    struct post *top;

    ASSERT(p); /* rare calls of a few bytes; without them the process cannot be steered any more */
    p->fn = fn;
    p->ctx = ctx;
    top = atomic_load_explicit(&r->posts, memory_order_relaxed);
    do
        p->next = top;
    while (!atomic_compare_exchange_weak(&r->posts, &top, p));
    reactor_wake(reactor_self(), r);
}

/* Takes all posts, oldest first. */
static struct post *take_posts(struct reactor *r)
{
    struct post *p, *oldest = NULL;

    if (!atomic_load_explicit(&r->posts, memory_order_relaxed))
        return NULL;
    p = atomic_exchange(&r->posts, NULL);
    while (p) {
        struct post *next = p->next;

        p->next = oldest;
        oldest = p;
        p = next;
    }
    return oldest;
}

void reactor_run_posts(struct reactor *r)
{
    struct post *p = take_posts(r);

    while (p) {
        struct post *next = p->next;

        counter_add(&r->counters.posts, 1);
        trace_note("post", (uintptr_t)p->fn, 0);
        p->fn(r, p->ctx);
        free(p);
        p = next;
    }
}

void reactor_drop_posts(struct reactor *r)
{
    struct post *p = take_posts(r);

    while (p) {
        struct post *next = p->next;

        free(p);
        p = next;
    }
}
