#pragma once
/* A URL taken apart; what is missing is empty. Parts point into the text. Pure, any core. */
#include <stddef.h>

struct url {
    const char *scheme_end; /* behind "://", or the beginning */
    const char *host, *path, *query,
        *fragment; /* the query without its '?', the fragment with its '#' */
    size_t host_len, path_len, query_len, fragment_len;
};

void url_read(const char *s, size_t len, struct url *u);
/* The last two labels of the host, within it. */
const char *url_domain(const struct url *u, size_t *len);
