#pragma once
/* The files of the page, which are part of the program. Any core. */
#include "rpc/http_request.h"

struct page_file { /* constant */
    const char *type;
    const unsigned char *bytes;
    size_t len;
};

/* False: there is none of this path. */
bool page_file_find(struct http_text path, struct page_file *out);
