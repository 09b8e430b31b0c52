#pragma once
/*
 * The observability port: GET /healthz, /readyz, /metrics, /status over HTTP/1.1. One listener, on core 0; each
 * request is answered from what that core can see. RFC 9110, RFC 9112 in the part that a GET needs.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"

struct reactor;
struct http_server;

struct http_config {
    const char *bind;
    uint16_t port; /* 0 = a free one */
    const char *program;
    bool (*is_ready)(void *ctx);
    /* Append the program's own lines; may be NULL. */
    void (*metrics)(void *ctx, struct buffer *out); /* Prometheus text */
    void (*status)(void *ctx, struct buffer *out);  /* JSON members: "\"a\":1" */
    void *ctx;
};

/* 0 or -errno with a text. The config is copied, its pointers are borrowed. */
int http_start(struct reactor *r, const struct http_config *config, struct http_server **out,
               char *err, size_t err_len);
uint16_t http_port(const struct http_server *s);
/* On its core: no more requests, open ones end. */
void http_stop(struct http_server *s);
/* Main thread, after the cores ended. NULL is allowed. */
void http_free(struct http_server *s);
