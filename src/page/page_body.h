#pragma once
/* The body of a request to the page: a JSON object. Any core; what is found lives in the arena given. */
#include "rpc/http_request.h"

struct arena;
struct json;

/* NULL: it is no object, or without memory. */
const struct json *page_body_parse(struct arena *a, struct http_text body);
/* A string member, with a NUL behind it; data NULL when there is no such one. */
struct http_text page_body_text(struct arena *a, const struct json *body, const char *name);
/* A whole number from 0 to 2^53, -1 when there is no such one. */
long long page_body_number(const struct json *body, const char *name);
