#pragma once
/*
 * Which requests the page answers. A browser also sends those of other sites: their pages shall neither read nor change
 * anything, nor with a name of their own that leads to this server (DNS rebinding). Pure functions, any core.
 */
#include "rpc/http_request.h"

/*
 * The Host field names this machine: an address, localhost and names below it, or one of `names` ("a,b"; NULL = none),
 * with any port.
 */
bool page_guard_is_host(struct http_text host, const char *names);

/* 0, or the status to answer with *why. For paths below /api/ and all others of the page. */
int page_guard_check(const struct http_request *r, const char *names, const char **why);

/* The token of "Authorization: Bearer TOKEN"; empty when there is none. */
struct http_text page_guard_token(const struct http_request *r);
