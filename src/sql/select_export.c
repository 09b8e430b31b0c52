/*
 * SELECT ... INTO OUTFILE, DUMPFILE and 's3://...': rows go to the program's exports instead of the client, who is
 * told how many they were when all is written.
 */
#include "sql/select_export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sql/export.h"
#include "sql/export_text.h"
#include "sql/gateway_statement.h"

enum { ROWS_PER_TURN = 8, ROW_LIMIT = 256 << 20 };

/* Owner: the statement, in its arena. */
struct exporting {
    const struct export_port *port;
    bool is_dump, is_parquet, has_names, is_finishing;
    struct export_text text;
    struct buffer line;
    uint64_t rows;
};

static void refuse(struct statement *s, const struct error_info *err)
{
    mysql_error_set_text(&s->error, (unsigned)(err->code ? err->code : 1105), "%s", err->text);
}

static void woken(void *ctx)
{
    statement_resume(ctx);
}

/* ---- options ---- */

static bool set_mark(struct statement *s, struct export_mark *m, const struct sql_expr *e)
{
    if (e->count > EXPORT_MARK_MAX) {
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS,
                       "INTO OUTFILE: a separator has at most 32 bytes");
        return false;
    }
    memcpy(m->bytes, e->v.text, e->count);
    m->len = (uint8_t)e->count;
    return true;
}

static bool set_byte(struct statement *s, int *to, const struct sql_expr *e)
{
    if (e->count > 1)
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS,
                       "INTO OUTFILE: ENCLOSED BY and ESCAPED BY are one byte");
    *to = e->count ? (unsigned char)*e->v.text : -1;
    return e->count <= 1;
}

static bool set_charset(struct statement *s, const struct sql_expr *e)
{
    static const char *const known[] = {"utf8mb4", "utf8", "utf8mb3", "binary"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (e->count == strlen(known[i]) && strncasecmp(known[i], e->v.text, e->count) == 0)
            return true;
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET,
                   "INTO OUTFILE in another character set than utf8mb4");
    return false;
}

static bool set_lines(struct statement *s, struct export_text *t, const struct sql_option *o)
{
    bool ok = true;

    for (; o && ok; o = o->next) {
        if (strcmp(o->key, "fields_terminated") == 0)
            ok = set_mark(s, &t->field_end, o->value);
        else if (strcmp(o->key, "lines_terminated") == 0)
            ok = set_mark(s, &t->line_end, o->value);
        else if (strcmp(o->key, "lines_starting") == 0)
            ok = set_mark(s, &t->line_start, o->value);
        else if (strcmp(o->key, "fields_escaped") == 0)
            ok = set_byte(s, &t->escaped, o->value);
        else if (strcmp(o->key, "CHARSET") == 0)
            ok = set_charset(s, o->value);
        else {
            ok = set_byte(s, &t->enclosed, o->value);
            t->only_texts_enclosed = strcmp(o->key, "fields_optionally_enclosed") == 0;
        }
    }
    if (ok && t->kind == EXPORT_TEXT_LINES && !t->field_end.len && t->enclosed < 0) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "INTO OUTFILE with fields of fixed width");
        ok = false;
    }
    return ok;
}

/* A separator is one character, perhaps of several bytes. */
static bool set_delimiter(struct statement *s, struct export_mark *m, const char *text)
{
    size_t n = 1;

    while (n < 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    if (!*text || *text == '"' || *text == '\n' || *text == '\r') {
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS,
                       "INTO 's3://': delimiter is a character other than quote and line end");
        return false;
    }
    memcpy(m->bytes, text, n);
    m->len = (uint8_t)n;
    return true;
}

static bool set_format(struct statement *s, struct export_want *w, const char *name)
{
    w->is_parquet = strcasecmp(name, "parquet") == 0;
    if (w->is_parquet || strcasecmp(name, "csv") == 0)
        return true;
    mysql_error_set_text(&s->error, 1210, "INTO 's3://': format is '%.40s'; allowed: csv, parquet",
                         name);
    return false;
}

static bool set_uri_option(struct statement *s, struct export_want *w, struct export_text *t,
                           const char *key, const char *text)
{
    /* Of the original's way to do it; nothing depends on them here. */
    static const char *const ignored[] = {"timeout", "threads", "batchSize", "prefetch"};
    const struct {
        const char *key;
        const char **to;
    } texts[] = {{"region", &w->region},
                 {"assumeRoleArn", &w->role},
                 {"acl", &w->acl},
                 {"sseKmsKeyId", &w->kms_key},
                 {"compression", &w->compression}};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcasecmp(key, texts[i].key) == 0) {
            *texts[i].to = text;
            return true;
        }
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (strcasecmp(key, ignored[i]) == 0)
            return true;
    if (strcasecmp(key, "format") == 0)
        return set_format(s, w, text);
    if (strcasecmp(key, "delimiter") == 0)
        return set_delimiter(s, &t->field_end, text);
    mysql_error_set_text(&s->error, 1210,
                         "INTO 's3://': option '%.40s'; allowed: format, delimiter, compression, "
                         "region, assumeRoleArn, acl, sseKmsKeyId",
                         key);
    return false;
}

static bool set_uri_options(struct statement *s, struct export_want *w, struct export_text *t,
                            const struct sql_option *o)
{
    for (; o; o = o->next) {
        const char *text = "";
        if (o->value->kind == SQL_EXPR_STRING &&
            !(text = arena_strndup(&s->arena, o->value->v.text, o->value->count))) {
            mysql_error_set_text(&s->error, 1041, "Out of memory");
            return false;
        }
        if (!set_uri_option(s, w, t, o->key, text))
            return false;
    }
    return true;
}

/* ---- rows ---- */

static void fini(struct statement *s)
{
    struct exporting *x = s->state;

    buffer_fini(&x->line);
}

static bool send_line(struct statement *s, struct exporting *x, int rc)
{
    struct error_info err;

    if (rc != 0) {
        mysql_error_set_text(&s->error, 1041, "Out of memory: a row of more than %d bytes",
                             ROW_LIMIT);
        return false;
    }
    rc = x->port->bytes(s->export_job, x->line.data, x->line.len, &err);
    buffer_reset(&x->line, 1 << 20);
    if (rc != 0)
        refuse(s, &err);
    return rc == 0;
}

static bool send_names(struct statement *s, struct exporting *x)
{
    const char **names = statement_alloc(s, (s->n_columns + 1) * sizeof *names);

    if (!names)
        return false;
    for (uint32_t i = 0; i < s->n_columns; i++)
        names[i] = s->columns[i].name;
    x->has_names = true;
    return send_line(s, x, export_text_names(&x->text, &x->line, names, s->n_columns));
}

static bool send_row(struct statement *s, struct exporting *x, const struct datum *cells)
{
    struct error_info err;

    if (x->is_dump && x->rows) {
        mysql_error_set_text(&s->error, 1172, "Result consisted of more than one row");
        return false;
    }
    x->rows++;
    if (!x->is_parquet)
        return send_line(s, x, export_text_row(&x->text, &x->line, cells, s->types, s->n_columns));
    if (x->port->row(s->export_job, cells, &err) == 0)
        return true;
    refuse(s, &err);
    return false;
}

/* Whether a row can be given now; false: later, or with the error. */
static bool may_go_on(struct statement *s, struct exporting *x)
{
    struct error_info err;

    switch (x->port->state(s->export_job, &err)) {
    case EXPORT_FAILED:
        refuse(s, &err);
        return false;
    case EXPORT_READY:
        return true;
    default:
        return false;
    }
}

static bool send_rows(struct statement *s, struct exporting *x)
{
    for (; s->row < s->rows.rows; s->row++, s->rows_made++)
        if (!may_go_on(s, x) ||
            (!select_passes_over(s) && !send_row(s, x, rowset_row(&s->rows, s->row))))
            return false;
    return true;
}

static enum step finish(struct statement *s, struct exporting *x)
{
    struct error_info err;
    enum export_state state;

    if (!x->is_finishing) {
        x->is_finishing = true;
        if (x->port->finish(s->export_job, &err) != 0) {
            refuse(s, &err);
            return STEP_READY;
        }
    }
    state = x->port->state(s->export_job, &err);
    if (state == EXPORT_FAILED)
        refuse(s, &err);
    if (state == EXPORT_DONE) {
        uint32_t n = s->session->warning_count;
        s->answered = true;
        s->session->row_count = (int64_t)x->rows;
        s->session->rows_found = s->counts_all ? s->rows_made : x->rows;
        s->sink->ok(s->sink, x->rows, 0, (uint16_t)(n > 65535 ? 65535 : n), NULL);
    }
    return state == EXPORT_DONE || state == EXPORT_FAILED ? STEP_READY : STEP_PENDING;
}

static enum step run(struct statement *s)
{
    struct exporting *x = s->state;

    if (x->is_finishing)
        return finish(s, x);
    if (!may_go_on(s, x))
        return STEP_PENDING;
    for (unsigned i = 0;; i++) {
        if (!send_rows(s, x))
            return STEP_PENDING;
        if (i >= ROWS_PER_TURN) {
            exec_wake(&s->exec);
            return STEP_PENDING;
        }
        enum exec_state r = exec_next(s->op, &s->rows);
        s->row = 0;
        if (r != EXEC_ROWS)
            s->rows.rows = 0;
        if (r == EXEC_PENDING)
            return STEP_PENDING;
        if (r == EXEC_ERROR)
            return STEP_READY;
        s->has_begun = true; /* what is written is not written again by another try */
        if (x->text.kind == EXPORT_TEXT_CSV && !x->is_parquet && !x->has_names && !send_names(s, x))
            return STEP_READY;
        if (r == EXEC_END)
            return finish(s, x);
    }
}

/* ---- start ---- */

static struct exporting *begin(struct statement *s, const struct sql_into *into)
{
    struct exporting *x = statement_alloc(s, sizeof *x);

    if (!x)
        return NULL;
    x->port = s->env->exports;
    x->is_dump = into->kind == SQL_INTO_DUMPFILE;
    export_text_init(&x->text, x->is_dump                       ? EXPORT_TEXT_BARE
                               : into->kind == SQL_INTO_OUTFILE ? EXPORT_TEXT_LINES
                                                                : EXPORT_TEXT_CSV);
    buffer_init(&x->line, ROW_LIMIT);
    s->state = x;
    s->fini = fini;
    s->run = run;
    return x;
}

bool select_export_is(const struct sql_into *into)
{
    return into->kind == SQL_INTO_OUTFILE || into->kind == SQL_INTO_DUMPFILE ||
           into->kind == SQL_INTO_URI;
}

void select_export_drop(struct statement *s)
{
    if (s->export_job)
        s->env->exports->drop(s->export_job);
    s->export_job = NULL;
}

bool select_export(struct statement *s, const struct sql_into *into,
                   const struct sql_option *options)
{
    struct export_want want = {.is_uri = into->kind == SQL_INTO_URI,
                               .target = into->target,
                               .columns = s->columns,
                               .types = s->types,
                               .n_columns = s->n_columns};
    struct error_info err;

    if (!s->env->exports) {
        mysql_error_set_text(&s->error, 1290,
                             "The server is running without exports, so it cannot execute this "
                             "statement");
        return false;
    }
    struct exporting *x = begin(s, into);
    if (!x)
        return false;
    if (want.is_uri ? !set_uri_options(s, &want, &x->text, options)
                    : !set_lines(s, &x->text, into->format))
        return false;
    x->is_parquet = want.is_parquet;
    if (s->export_job && !want.is_parquet) /* of the try before: texts of any columns */
        return true;
    select_export_drop(s);
    s->export_job = x->port->open(x->port, s->env->reactor, &want, woken, s, &err);
    if (!s->export_job)
        refuse(s, &err);
    return s->export_job != NULL;
}
