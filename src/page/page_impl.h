#pragma once
/* What the files of the page share. */
#include "page/page.h"
#include "page/page_login.h"
#include "reactor/arena.h"
#include "reactor/reactor.h"
#include "rpc/http.h"
#include "sql/value_datum.h"

enum {
    PAGE_STATEMENTS = 8, /* of people at once */
    PAGE_LOOKS = 16,     /* of the page itself */
    PAGE_CHECKS = 4,     /* passwords */
};

struct page { /* owner: core 0; freed by the main thread */
    struct reactor *reactor;
    struct page_config config;
    char *names; /* of this machine, malloc'ed: its own and those of the config */
    struct page_logins logins;
    unsigned statements, looks, checks; /* at work, or their answers being sent */
};

/* What kind of statement: each has room of its own, so that people can end theirs when many run. */
enum page_kind { PAGE_STATEMENT, PAGE_LOOK };

struct page_ask {
    enum page_kind kind;
    const char *user;
    struct http_text text; /* copied */
    struct datum param;    /* for a '?' */
    bool has_param;
};

/* Runs it; the answer ends later. */
void page_query_start(struct page *p, struct http_answer *a, const struct page_ask *ask);

/* Checks user and password; the answer has the token, or says no. Later. */
void page_auth_start(struct page *p, struct http_answer *a, struct http_text user,
                     struct http_text password);

/* Ends an answer that is JSON, whose body is complete, or an error. */
void page_end_json(struct http_answer *a, int status);
void page_end_error(struct http_answer *a, int status, unsigned code, const char *text);
