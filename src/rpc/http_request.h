#pragma once
/*
 * The head of an HTTP/1.1 request: request line and the header fields that somebody here asks for. Pure functions over
 * bytes from outside, any core. RFC 9112 without what it only tolerates: no folded lines, no bare line feeds, no chunks.
 */
#include <stdbool.h>
#include <stddef.h>

/* A part of the bytes read; data NULL: there is no such field. */
struct http_text {
    const char *data;
    size_t len;
};

struct http_request {
    struct http_text method, path, query; /* query: behind the first '?' */
    struct http_text host, origin, fetch_site, content_type, authorization;
    size_t body_len; /* Content-Length; 0 without one */
    struct http_text body;
};

/*
 * Reads head[len], which ends with the empty line. 0, or the status to answer with *why: 400 it is none, a field
 * that counts is there twice; 411 a body in chunks; 413 a body of more than max_body; 505 another version than HTTP/1.x.
 * What is found points into head.
 */
int http_request_parse(const char *head, size_t len, size_t max_body, struct http_request *out,
                       const char **why);

/* The whole text, with case; and without. */
bool http_text_is(struct http_text t, const char *text);
bool http_text_is_like(struct http_text t, const char *text);
bool http_text_begins(struct http_text t, const char *start);
