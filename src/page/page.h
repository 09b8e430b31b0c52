#pragma once
/*
 * The page for people on the HTTP port: its files, and what its script asks for, as JSON. Statements run on core 0 as
 * those of MySQL clients do. docs/operations.md tells the paths.
 *
 *   page.c         which request gets which answer
 *   page_guard.c   requests of other sites are refused
 *   page_login.c   who has logged in
 *   page_auth.c    user and password are checked
 *   page_query.c   a statement for an answer, ended when the browser leaves
 *   page_result.c  rows as JSON
 *   page_files.c   HTML, CSS, script
 */
#include <stdbool.h>

struct http_answer;
struct page;
struct reactor;

enum { PAGE_BODY_MAX = 256 << 10 }; /* bytes of a request: for http_config.max_body */

struct page_config { /* copied; texts are borrowed */
    bool is_on;      /* else every path is answered with the way to turn it on */
    const char *program;
    const char *hosts; /* further names of this machine, "a,b"; NULL = none */
};

/* NULL without memory. Its core is that of the HTTP port. */
struct page *page_new(struct reactor *r, const struct page_config *config);
/* For http_config.other; ctx: the page. */
void page_answer(void *ctx, struct http_answer *a);
/* Main thread, after the cores ended. NULL is allowed. */
void page_free(struct page *p);
