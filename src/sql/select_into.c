/* SELECT ... INTO @a, @b: the answer goes to user variables instead of the client. */
#include <string.h>

#include "sql/gateway_statement.h"

/* Stands between the statement and the client's sink. Owner: the statement, in its arena. */
struct into {
    struct result_sink sink;
    struct result_sink *client;
    struct statement *s;
    const struct sql_name_list *names;
    const struct value_type *types;
    uint32_t n_names;
    uint64_t n_rows;
    struct datum *cells; /* of the one row */
};

static int begin(struct result_sink *k, const struct mysql_column *columns,
                 const struct value_type *types, uint32_t n)
{
    (void)columns;
    (void)n;
    ((struct into *)k)->types = types;
    return 0;
}

static bool row(struct result_sink *k, const struct datum *cells)
{
    struct into *x = (struct into *)k;

    if (x->n_rows++) {
        mysql_error_set_text(&x->s->error, 1172, "Result consisted of more than one row");
        return true;
    }
    for (uint32_t i = 0; i < x->n_names; i++)
        if (!datum_copy(&x->cells[i], &cells[i], &x->s->arena))
            mysql_error_set_text(&x->s->error, 1041, "Out of memory");
    return true;
}

static void end(struct result_sink *k, uint16_t warnings)
{
    struct into *x = (struct into *)k;
    struct gateway_session *session = x->s->session;
    const struct sql_name_list *name = x->names;

    if (!x->n_rows) {
        gateway_session_warn(session, "Warning", 1329,
                             "No data - zero rows fetched, selected, or processed");
        warnings++;
    }
    for (uint32_t i = 0; x->n_rows && i < x->n_names; i++, name = name->next)
        if (gateway_session_set(session, &session->user_vars, name->name, &x->cells[i],
                                &x->types[i]) != 0) {
            mysql_error_set_text(&x->s->error, 1041, "Out of memory: too many variables");
            x->client->error(x->client, &x->s->error);
            return;
        }
    session->row_count = (int64_t)x->n_rows;
    x->client->ok(x->client, x->n_rows, 0, warnings, NULL);
}

static void ok(struct result_sink *k, uint64_t affected, uint64_t insert_id, uint16_t warnings,
               const char *info)
{
    struct into *x = (struct into *)k;

    x->client->ok(x->client, affected, insert_id, warnings, info);
}

static void error(struct result_sink *k, const struct mysql_error *e)
{
    struct into *x = (struct into *)k;

    x->client->error(x->client, e);
}

/* The end of a try: another one, or who frees the statement, sees the client's sink. */
static void fini(struct statement *s)
{
    s->sink = ((struct into *)s->sink)->client;
}

bool select_into(struct statement *s, const struct sql_into *into)
{
    struct into *x = statement_alloc(s, sizeof *x);

    if (!x)
        return false;
    for (const struct sql_name_list *v = into->vars; v; v = v->next)
        x->n_names++;
    if (x->n_names != s->n_columns) {
        statement_fail(s, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT);
        return false;
    }
    x->cells = statement_alloc(s, x->n_names * sizeof *x->cells);
    if (!x->cells)
        return false;
    x->sink =
        (struct result_sink){.begin = begin, .row = row, .end = end, .ok = ok, .error = error};
    x->s = s;
    x->client = s->sink;
    x->names = into->vars;
    s->sink = &x->sink;
    s->fini = fini;
    return true;
}
