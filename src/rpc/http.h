#pragma once
/*
 * The observability port: GET /healthz, /readyz, /metrics, /status over HTTP/1.1. One listener, on core 0. /metrics may
 * ask other cores before it answers. RFC 9110, RFC 9112 in the part that a GET needs.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"

struct reactor;
struct http_answer;
struct http_server;

struct http_config {
    const char *bind;
    uint16_t port; /* 0 = a free one */
    const char *program;
    bool (*is_ready)(void *ctx);
    /* Append the program's own lines; may be NULL. Metrics (Prometheus text) end, now or later on this core, in
     * http_answer_end; status gives JSON members: "\"a\":1". */
    void (*metrics)(void *ctx, struct http_answer *a);
    void (*status)(void *ctx, struct buffer *out);
    void *ctx;
};

/* Where the lines of an answer go, until its end. The client may have left meanwhile. */
struct buffer *http_answer_body(struct http_answer *a);
void http_answer_end(struct http_answer *a);

/* 0 or -errno with a text. The config is copied, its pointers are borrowed. */
int http_start(struct reactor *r, const struct http_config *config, struct http_server **out,
               char *err, size_t err_len);
uint16_t http_port(const struct http_server *s);
/* On its core: no more requests; stopped(ctx), now or later, when every answer has ended. */
void http_stop(struct http_server *s, void (*stopped)(void *ctx), void *ctx);
/* Main thread, after the cores ended. NULL is allowed. */
void http_free(struct http_server *s);
