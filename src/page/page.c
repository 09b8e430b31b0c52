#include "page/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "page/page_body.h"
#include "page/page_files.h"
#include "page/page_guard.h"
#include "page/page_impl.h"
#include "page/page_json.h"
#include "page/page_result.h"
#include "reactor/options.h"
#include "sql/gateway_query.h"

/* Scripts, styles and requests are the page's own; nobody shows it in a frame, nothing of it is kept on disk. */
#define SAFETY                                                                           \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "          \
    "frame-ancestors 'none'\r\n"                                                         \
    "X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n"                       \
    "Referrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n"        \
    "Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n"

static const char plain_text[] = "text/plain; charset=utf-8";

static const char tables_sql[] =
    "SELECT t.TABLE_NAME, t.TABLE_TYPE, t.TABLE_ROWS, t.DATA_LENGTH + t.INDEX_LENGTH, p.n "
    "FROM information_schema.TABLES t LEFT JOIN "
    "(SELECT TABLE_NAME, COUNT(PARTITION_NAME) n FROM information_schema.PARTITIONS "
    "GROUP BY TABLE_NAME) p ON p.TABLE_NAME = t.TABLE_NAME "
    "WHERE t.TABLE_SCHEMA = 'quanta' ORDER BY t.TABLE_NAME";
static const char statements_sql[] =
    "SELECT ID, USER, HOST, COMMAND, TIME, STATE, LEFT(INFO, 2000) "
    "FROM information_schema.PROCESSLIST WHERE COMMAND NOT IN ('Sleep', 'Page') ORDER BY TIME "
    "DESC, ID";
static const char partitions_sql[] =
    "SELECT PARTITION_NAME, TABLE_ROWS, DATA_LENGTH + INDEX_LENGTH, PARTITION_COMMENT "
    "FROM information_schema.PARTITIONS WHERE TABLE_NAME = ? AND PARTITION_NAME IS NOT NULL "
    "ORDER BY PARTITION_ORDINAL_POSITION DESC";
static const char columns_sql[] =
    "SELECT COLUMN_NAME, COLUMN_TYPE, COLUMN_KEY, IS_NULLABLE FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA = 'quanta' AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";

void page_end_json(struct http_answer *a, int status)
{
    http_answer_head(a, status, "application/json", SAFETY);
    http_answer_end(a);
}

void page_end_error(struct http_answer *a, int status, unsigned code, const char *text)
{
    struct buffer *out = http_answer_body(a);

    buffer_append(out, "{", 1);
    page_result_error(out, code, "HY000", text);
    buffer_append(out, "}\n", 2);
    page_end_json(a, status);
}

static void end_text(struct http_answer *a, int status, const char *text)
{
    buffer_printf(http_answer_body(a), "%s\n", text);
    http_answer_head(a, status, plain_text, SAFETY);
    http_answer_end(a);
}

/* ---- what is asked for below /api/ ---- */

struct api_call { /* on the stack */
    struct page *page;
    struct http_answer *answer;
    const struct http_request *request;
    const struct page_login *login; /* NULL: nobody has logged in */
    bool asks_users;
    struct arena *arena;
    const struct json *body; /* of a POST */
};

static const char *user_of(const struct api_call *c)
{
    return c->login ? c->login->user : "page";
}

static void api_session(struct api_call *c)
{
    struct buffer *out = http_answer_body(c->answer);

    buffer_printf(out, "{\"program\":\"%s\",\"version\":", c->page->config.program);
    page_json_string(out, version_text(), strlen(version_text()));
    buffer_printf(out, ",\"asks_users\":%s,\"max_rows\":%d,\"max_bytes\":%d,\"user\":",
                  c->asks_users ? "true" : "false", PAGE_RESULT_ROWS, PAGE_RESULT_BYTES);
    if (c->login)
        page_json_string(out, c->login->user, strlen(c->login->user));
    else
        buffer_append(out, "null", 4);
    buffer_append(out, "}\n", 2);
    page_end_json(c->answer, 200);
}

static void api_login(struct api_call *c)
{
    struct http_text user = page_body_text(c->arena, c->body, "user"),
                     password = page_body_text(c->arena, c->body, "password");

    if (!user.data || !password.data)
        page_end_error(c->answer, 400, 0, "the body has to have \"user\" and \"password\"");
    else if (!c->asks_users)
        page_end_error(c->answer, 400, 0, "no login is needed here");
    else
        page_auth_start(c->page, c->answer, user, password);
}

static void api_logout(struct api_call *c)
{
    page_login_remove(&c->page->logins, page_guard_token(c->request));
    buffer_append(http_answer_body(c->answer), "{}\n", 3);
    page_end_json(c->answer, 200);
}

static void look(struct api_call *c, const char *sql, const struct datum *param)
{
    struct page_ask ask = {.kind = PAGE_LOOK,
                           .user = user_of(c),
                           .text = {sql, strlen(sql)},
                           .has_param = param != NULL};

    if (param)
        ask.param = *param;
    page_query_start(c->page, c->answer, &ask);
}

static void api_tables(struct api_call *c)
{
    look(c, tables_sql, NULL);
}

static void api_statements(struct api_call *c)
{
    look(c, statements_sql, NULL);
}

static void look_at_table(struct api_call *c, const char *sql)
{
    struct http_text table = page_body_text(c->arena, c->body, "table");
    struct datum name;

    if (!table.data) {
        page_end_error(c->answer, 400, 0, "the body has to have \"table\", a name");
        return;
    }
    datum_set_string(&name, table.data, table.len);
    look(c, sql, &name);
}

static void api_partitions(struct api_call *c)
{
    look_at_table(c, partitions_sql);
}

static void api_columns(struct api_call *c)
{
    look_at_table(c, columns_sql);
}

static void api_kill(struct api_call *c)
{
    long long id = page_body_number(c->body, "id");
    char sql[64];

    if (id < 0) {
        page_end_error(c->answer, 400, 0, "the body has to have \"id\", a number");
        return;
    }
    snprintf(sql, sizeof sql, "KILL QUERY %lld", id);
    look(c, sql, NULL);
}

static void api_query(struct api_call *c)
{
    struct page_ask ask = {.kind = PAGE_STATEMENT,
                           .user = user_of(c),
                           .text = page_body_text(c->arena, c->body, "sql")};

    if (!ask.text.data)
        page_end_error(c->answer, 400, 0, "the body has to have \"sql\", a statement");
    else
        page_query_start(c->page, c->answer, &ask);
}

static const struct api_path {
    const char *path;
    bool is_post, is_open; /* open: without a login, too */
    void (*run)(struct api_call *c);
} api_paths[] = {
    {"/api/session", false, true, api_session},
    {"/api/login", true, true, api_login},
    {"/api/logout", true, true, api_logout},
    {"/api/tables", false, false, api_tables},
    {"/api/statements", false, false, api_statements},
    {"/api/partitions", true, false, api_partitions},
    {"/api/columns", true, false, api_columns},
    {"/api/kill", true, false, api_kill},
    {"/api/query", true, false, api_query},
};

static const struct api_path *find_api(const struct http_request *r)
{
    for (size_t i = 0; i < sizeof api_paths / sizeof *api_paths; i++)
        if (http_text_is(r->path, api_paths[i].path))
            return &api_paths[i];
    return NULL;
}

static void run_api(struct page *p, struct http_answer *a, struct arena *arena)
{
    const struct http_request *r = http_answer_request(a);
    const struct api_path *path = find_api(r);
    struct api_call c = {.page = p, .answer = a, .request = r, .arena = arena};
    uint64_t generation;

    c.asks_users = gateway_asks_users(p->reactor, &generation);
    if (c.asks_users)
        c.login = page_login_find(&p->logins, page_guard_token(r), generation,
                                  reactor_now_ns(p->reactor));
    if (!path) {
        page_end_error(a, 404, 0, "there is no such path");
    } else if (path->is_post != http_text_is(r->method, "POST")) {
        page_end_error(a, 405, 0, path->is_post ? "this has to be a POST" : "this has to be a GET");
    } else if (c.asks_users && !c.login && !path->is_open) {
        page_end_error(a, 401, 0, "log in first");
    } else {
        c.body = path->is_post ? page_body_parse(arena, r->body) : NULL;
        if (path->is_post && !c.body)
            page_end_error(a, 400, 0, "the body is no JSON object");
        else
            path->run(&c);
    }
}

static void answer_api(struct page *p, struct http_answer *a)
{
    struct arena arena;

    arena_init(&arena, 64 * (size_t)PAGE_BODY_MAX, reactor_budget(p->reactor));
    run_api(p, a, &arena);
    arena_fini(&arena);
}

/* ---- */

static void answer_file(struct http_answer *a, const struct page_file *file)
{
    buffer_append(http_answer_body(a), file->bytes, file->len);
    http_answer_head(a, 200, file->type, SAFETY);
    http_answer_end(a);
}

static void answer_off(struct http_answer *a)
{
    end_text(a, 404,
             http_text_is(http_answer_request(a)->path, "/")
                 ? "the page is off: --page on serves it on this address, too"
                 : "known here: /healthz /readyz /metrics /status");
}

void page_answer(void *ctx, struct http_answer *a)
{
    struct page *p = ctx;
    const struct http_request *r = http_answer_request(a);
    bool is_api = http_text_begins(r->path, "/api/");
    struct page_file file;
    const char *why;

    if (!p->config.is_on) {
        answer_off(a);
        return;
    }
    if (!is_api && !page_file_find(r->path, &file)) {
        end_text(a, 404, "known here: / /healthz /readyz /metrics /status");
        return;
    }
    int status = page_guard_check(r, p->names, &why);
    if (status && is_api)
        page_end_error(a, status, 0, why);
    else if (status)
        end_text(a, status, why);
    else if (is_api)
        answer_api(p, a);
    else
        answer_file(a, &file);
}

struct page *page_new(struct reactor *r, const struct page_config *config)
{
    struct page *p = calloc(1, sizeof *p);
    char own[256];

    if (!p)
        return NULL;
    p->reactor = r;
    p->config = *config;
    if (gethostname(own, sizeof own) != 0)
        own[0] = 0;
    own[sizeof own - 1] = 0;
    if (asprintf(&p->names, "%s,%s", own, config->hosts ? config->hosts : "") < 0) {
        free(p);
        return NULL;
    }
    return p;
}

void page_free(struct page *p)
{
    if (!p)
        return;
    OPENSSL_cleanse(&p->logins, sizeof p->logins);
    free(p->names);
    free(p);
}
