#pragma once
/*
 * Host names to addresses, by getaddrinfo on a thread of its own: cores never wait for DNS.
 *
 * A request belongs to the resolver; the asking core gets it back exactly once through `done` unless
 * it forgot it before. Calls run on the asking core.
 */
#include <stdint.h>
#include <sys/socket.h>

struct reactor;
struct reactor_group;
struct resolver;

enum { RESOLVE_ADDRESSES_MAX = 4 };

struct resolve_result {
    int rc; /* 0 or -errno */
    unsigned count;
    struct sockaddr_storage addresses[RESOLVE_ADDRESSES_MAX];
    socklen_t lengths[RESOLVE_ADDRESSES_MAX];
};

typedef void resolve_fn(void *ctx, const struct resolve_result *result);

struct resolve_request;

/* Starts a look-up; NULL when there is no memory or no thread. done runs later, on core r. */
struct resolve_request *resolver_ask(struct reactor *r, const char *host, uint16_t port,
                                     resolve_fn *done, void *ctx);

/* The result is of no interest any more: done will not run. */
void resolver_forget(struct resolve_request *request);

/* Ends the thread (waits for a look-up in progress) and frees all requests; NULL is fine. Control thread. */
void resolver_free(struct resolver *v);
