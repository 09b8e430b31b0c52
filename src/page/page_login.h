#pragma once
/*
 * Who has logged in on the page: a random token each, which the browser tells with every request. Bounded: the one unused
 * longest goes when there are too many. Owner: core 0.
 */
#include <stdbool.h>
#include <stdint.h>

#include "rpc/http_request.h"

enum {
    PAGE_LOGINS = 256,
    PAGE_TOKEN_BYTES = 32,
    PAGE_TOKEN_TEXT = 2 * PAGE_TOKEN_BYTES,
    PAGE_USER_MAX = 255,
};
#define PAGE_LOGIN_NS \
    28800000000000ull /* unused so long a token ends: 8 hours, as idle connections */

struct page_login {
    char token[PAGE_TOKEN_TEXT + 1]; /* empty: free */
    char user[PAGE_USER_MAX + 1];
    uint64_t used_ns, generation; /* of the users that it was checked with */
};

struct page_logins {
    struct page_login list[PAGE_LOGINS];
};

/* A new login; NULL without random bytes, or when the name is too long. Its token goes to the browser. */
const struct page_login *page_login_add(struct page_logins *l, struct http_text user,
                                        uint64_t generation, uint64_t now_ns);
/* The login of a token, which is used by that; NULL: there is none, it is too old, or the users changed. */
const struct page_login *page_login_find(struct page_logins *l, struct http_text token,
                                         uint64_t generation, uint64_t now_ns);
void page_login_remove(struct page_logins *l, struct http_text token);
