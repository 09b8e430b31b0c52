/* A statement for an answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "page/page_impl.h"
#include "page/page_result.h"
#include "reactor/list.h"
#include "sql/gateway_query.h"

/* Owner: core 0. Lives until the statement has ended and its answer was sent, as its memory counts until then. */
struct page_query {
    struct page *page;
    struct http_answer *answer;
    struct gateway_query query;
    struct page_result result;
    struct task task; /* ends a statement with too many rows */
    unsigned *count;  /* of the page: the room it takes */
    uint64_t started_ns;
    struct value_type param_type;
    struct datum param;
    char *param_text; /* malloc'ed */
    bool has_ended, is_closed;
};

static void release(struct page_query *q)
{
    if (!q->has_ended || !q->is_closed || q->task.queued)
        return;
    --*q->count;
    free(q->param_text);
    free(q);
}

static void ended(struct gateway_query *g)
{
    struct page_query *q = g->ctx;
    struct buffer *out = http_answer_body(q->answer);
    uint64_t ns = reactor_now_ns(q->page->reactor) - q->started_ns;

    page_result_finish(&q->result, &g->session);
    buffer_printf(out, ",\"ms\":%llu.%03llu}\n", (unsigned long long)(ns / 1000000),
                  (unsigned long long)(ns / 1000 % 1000));
    page_end_json(q->answer, 200);
    q->has_ended = true;
    release(q);
}

static void closed(void *ctx)
{
    struct page_query *q = ctx;

    q->is_closed = true;
    if (q->has_ended)
        release(q);
    else
        gateway_query_cancel(&q->query, MYSQL_ER_QUERY_INTERRUPTED,
                             "Query execution was interrupted: the browser is gone");
}

static void stop_now(struct task *t)
{
    struct page_query *q = container_of(t, struct page_query, task);

    if (q->has_ended)
        release(q);
    else
        gateway_query_cancel(&q->query, MYSQL_ER_QUERY_INTERRUPTED, "There are more rows");
}

/* Within the statement's own turn it cannot be ended. */
static void is_full(struct page_result *r)
{
    struct page_query *q = container_of(r, struct page_query, result);

    q->task.run = stop_now;
    reactor_task(q->page->reactor, &q->task, TASK_IO);
}

static bool take_param(struct page_query *q, const struct page_ask *ask)
{
    if (!ask->has_param)
        return true;
    q->param = ask->param;
    q->param_type =
        ask->param.kind == DATUM_STRING ? value_type_string(ask->param.len) : value_type_int(20);
    if (ask->param.kind != DATUM_STRING)
        return true;
    q->param_text = malloc(ask->param.len + 1);
    if (!q->param_text)
        return false;
    memcpy(q->param_text, ask->param.s, ask->param.len);
    q->param.s = q->param_text;
    return true;
}

static void refuse(struct http_answer *a, enum page_kind kind)
{
    page_end_error(a, 503, MYSQL_ER_CON_COUNT_ERROR,
                   kind == PAGE_STATEMENT
                       ? "Too many statements of the page run at once: 8 are allowed; end one "
                         "under Running, or try again"
                       : "Too many pages ask at once; try again");
}

void page_query_start(struct page *p, struct http_answer *a, const struct page_ask *ask)
{
    unsigned *count = ask->kind == PAGE_STATEMENT ? &p->statements : &p->looks;
    unsigned most = ask->kind == PAGE_STATEMENT ? PAGE_STATEMENTS : PAGE_LOOKS;

    if (*count >= most) {
        refuse(a, ask->kind);
        return;
    }
    struct page_query *q = calloc(1, sizeof *q);
    if (!q || !take_param(q, ask)) {
        free(q);
        page_end_error(a, 503, MYSQL_ER_OUT_OF_RESOURCES, "Out of memory");
        return;
    }
    ++*count;
    q->page = p;
    q->answer = a;
    q->count = count;
    q->started_ns = reactor_now_ns(p->reactor);
    buffer_append(http_answer_body(a), "{", 1);
    page_result_init(&q->result, http_answer_body(a), is_full);
    q->query = (struct gateway_query){.sink = &q->result.sink,
                                      .done = ended,
                                      .ctx = q,
                                      .user = ask->user,
                                      .host = http_answer_peer(a),
                                      .command = ask->kind == PAGE_STATEMENT ? "Query" : "Page"};
    http_answer_watch(a, closed, q);
    int rc = gateway_query_start(p->reactor, &q->query, ask->text.data, ask->text.len, &q->param,
                                 &q->param_type, ask->has_param);
    if (rc == 0)
        return;
    q->has_ended = true;
    http_answer_body(a)->len = 0;
    page_end_error(a, 503, rc == -ENOMEM ? MYSQL_ER_OUT_OF_RESOURCES : MYSQL_ER_SERVER_SHUTDOWN,
                   rc == -ENOMEM ? "Out of memory" : "Server shutdown in progress");
}
