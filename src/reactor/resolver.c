#include "reactor/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/address.h"
#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/thread.h"

/* Owner: the resolver's lists; `done` and `ctx` belong to the asking core. */
struct resolve_request {
    struct resolve_request *next;
    struct resolver *resolver;
    struct reactor *core;
    resolve_fn *done; /* NULL = forgotten */
    void *ctx;
    struct post post; /* its way back */
    struct resolve_result result;
    uint16_t port;
    char host[];
};

/* Owner: the group; lists under the lock. */
struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool stopping;
    struct resolve_request *asked, **asked_end; /* to look up */
    struct resolve_request *looked_up;          /* on their way back */
};

static int errno_of_gai(int code)
{
    switch (code) {
    case EAI_AGAIN:
        return -EAGAIN;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno ? -errno : -EIO;
    default:
        return -EHOSTUNREACH;
    }
}

static void look_up(struct resolve_request *q)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int code = getaddrinfo(q->host, NULL, &hints, &list);

    if (code != 0) {
        q->result.rc = errno_of_gai(code);
        log_warn("resolver: host '%s': %s", q->host, gai_strerror(code));
        return;
    }
    for (struct addrinfo *a = list; a && q->result.count < RESOLVE_ADDRESSES_MAX; a = a->ai_next) {
        struct sockaddr_storage *sa = &q->result.addresses[q->result.count];

        if (a->ai_addrlen > sizeof *sa)
            continue;
        memcpy(sa, a->ai_addr, a->ai_addrlen);
        address_set_port(sa, q->port);
        q->result.lengths[q->result.count++] = a->ai_addrlen;
    }
    freeaddrinfo(list);
    if (q->result.count == 0)
        q->result.rc = -EHOSTUNREACH;
}

static void unlink_looked_up(struct resolve_request *q)
{
    struct resolver *v = q->resolver;

    pthread_mutex_lock(&v->lock);
    for (struct resolve_request **at = &v->looked_up; *at; at = &(*at)->next) {
        if (*at == q) {
            *at = q->next;
            break;
        }
    }
    pthread_mutex_unlock(&v->lock);
}

/* On the asking core. */
static void deliver(struct reactor *r, void *ctx)
{
    struct resolve_request *q = ctx;

    ASSERT(q->core == r);
    unlink_looked_up(q);
    if (q->done)
        q->done(q->ctx, &q->result);
    free(q);
}

static void *resolver_main(void *arg)
{
    struct resolver *v = arg;

    pthread_setname_np(pthread_self(), "resolver");
    pthread_mutex_lock(&v->lock);
    for (;;) {
        struct resolve_request *q = v->asked;

        if (v->stopping)
            break;
        if (!q) {
            pthread_cond_wait(&v->changed, &v->lock);
            continue;
        }
        v->asked = q->next;
        if (!v->asked)
            v->asked_end = &v->asked;
        q->next = v->looked_up;
        v->looked_up = q;
        pthread_mutex_unlock(&v->lock);
        look_up(q);
        reactor_post_lent(q->core, &q->post, deliver, q);
        pthread_mutex_lock(&v->lock);
    }
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

static struct resolver *resolver_new(void)
{
    struct resolver *v = calloc(1, sizeof *v);

    if (!v)
        return NULL;
    v->asked_end = &v->asked;
    pthread_mutex_init(&v->lock, NULL);
    pthread_cond_init(&v->changed, NULL);
    if (thread_create_quiet(&v->thread, resolver_main, v) != 0) {
        free(v);
        return NULL;
    }
    return v;
}

/* The group's resolver, started by the first question. */
static struct resolver *resolver_of(struct reactor_group *g)
{
    struct resolver *v;

    pthread_mutex_lock(&g->lock);
    if (!g->resolver)
        g->resolver = resolver_new();
    v = g->resolver;
    pthread_mutex_unlock(&g->lock);
    return v;
}

struct resolve_request *resolver_ask(struct reactor *r, const char *host, uint16_t port,
                                     resolve_fn *done, void *ctx)
{
    struct resolver *v = resolver_of(r->group);
    size_t host_bytes = strlen(host) + 1;
    struct resolve_request *q = v ? calloc(1, sizeof *q + host_bytes) : NULL;

    if (!q)
        return NULL;
    q->resolver = v;
    q->core = r;
    q->done = done;
    q->ctx = ctx;
    q->port = port;
    memcpy(q->host, host, host_bytes);
    pthread_mutex_lock(&v->lock);
    *v->asked_end = q;
    v->asked_end = &q->next;
    pthread_cond_signal(&v->changed);
    pthread_mutex_unlock(&v->lock);
    return q;
}

void resolver_forget(struct resolve_request *request)
{
    request->done = NULL;
}

static void free_list(struct resolve_request *q)
{
    while (q) {
        struct resolve_request *next = q->next;

        free(q);
        q = next;
    }
}

void resolver_free(struct resolver *v)
{
    if (!v)
        return;
    pthread_mutex_lock(&v->lock);
    v->stopping = true;
    pthread_cond_signal(&v->changed);
    pthread_mutex_unlock(&v->lock);
    pthread_join(v->thread, NULL);
    free_list(v->asked);
    free_list(v->looked_up);
    pthread_mutex_destroy(&v->lock);
    pthread_cond_destroy(&v->changed);
    free(v);
}
