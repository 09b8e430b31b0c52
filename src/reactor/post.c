/* Functions posted to a core from any thread: a lock-free stack that the core takes whole. */
#include <errno.h>
#include <stdlib.h>

#include "reactor/core.h"

static void post_push(struct reactor *r, struct post *p)
{
    struct post *top = atomic_load_explicit(&r->posts, memory_order_relaxed);

    do
        p->next = top;
    while (!atomic_compare_exchange_weak(&r->posts, &top, p));
    reactor_wake(reactor_self(), r);
}

int reactor_post(struct reactor *r, void (*fn)(struct reactor *r, void *ctx), void *ctx)
{
    struct post *p = malloc(sizeof *p);

    if (!p)
        return -ENOMEM;
    *p = (struct post){.fn = fn, .ctx = ctx};
    post_push(r, p);
    return 0;
}

void reactor_post_lent(struct reactor *r, struct post *p, void (*fn)(struct reactor *r, void *ctx),
                       void *ctx)
{
    *p = (struct post){.fn = fn, .ctx = ctx, .is_lent = true};
    post_push(r, p);
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
        bool is_lent = p->is_lent;

        counter_add(&r->counters.posts, 1);
        trace_note("post", (uintptr_t)p->fn, 0);
        p->fn(r, p->ctx); /* a lent one may be gone or on its way again */
        if (!is_lent)
            free(p);
        p = next;
    }
}

void reactor_drop_posts(struct reactor *r)
{
    struct post *p = take_posts(r);

    while (p) {
        struct post *next = p->next;

        if (!p->is_lent)
            free(p);
        p = next;
    }
}
