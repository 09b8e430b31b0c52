#pragma once
/*
 * The observability port: GET /healthz, /readyz, /metrics, /status over HTTP/1.1, and what else the program answers.
 * One listener, on core 0. Answers may come later. One request per connection. RFC 9110, RFC 9112 in the part that
 * these need.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/buffer.h"
#include "rpc/http_request.h"

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
    /* A request to another path, whole; NULL: there are none. Ends, now or later on this core, in http_answer_end. */
    void (*other)(void *ctx, struct http_answer *a);
    size_t max_body; /* bytes, of these */
    void *ctx;
};

/* Where the lines of an answer go, until its end. The client may have left meanwhile. */
struct buffer *http_answer_body(struct http_answer *a);
void http_answer_end(struct http_answer *a);

/* For `other`: the request, as long as the answer, and who sent it: "127.0.0.1:4711". */
const struct http_request *http_answer_request(const struct http_answer *a);
const char *http_answer_peer(const struct http_answer *a);
/* Instead of 200 and plain text. Constant texts; fields: more lines of the head, each with CR LF, or NULL. */
void http_answer_head(struct http_answer *a, int status, const char *type, const char *fields);
/* closed(ctx), once: the client has left or all was sent, before the end of the answer or after it. */
void http_answer_watch(struct http_answer *a, void (*closed)(void *ctx), void *ctx);

/* 0 or -errno with a text. The config is copied, its pointers are borrowed. */
int http_start(struct reactor *r, const struct http_config *config, struct http_server **out,
               char *err, size_t err_len);
uint16_t http_port(const struct http_server *s);
/* On its core: no more requests; stopped(ctx), now or later, when every answer has ended. */
void http_stop(struct http_server *s, void (*stopped)(void *ctx), void *ctx);
/* Main thread, after the cores ended. NULL is allowed. */
void http_free(struct http_server *s);
