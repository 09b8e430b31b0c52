/* BEGIN, COMMIT, ROLLBACK, SAVEPOINT: every statement is on its own; the words are accepted as clients send them, and
 * what they cannot undo is told. */
#include "sql/gateway_statement.h"

static void end(struct gateway_session *s)
{
    gateway_session_drop_variables(s, &s->savepoints);
    s->in_transaction = s->is_read_only = false;
    s->writes = 0;
}

/* The names count only inside a transaction, as in MySQL. */
static bool savepoint(struct statement *s, const char *name)
{
    struct datum writes;
    struct value_type type = {0};

    if (!s->session->in_transaction && s->session->autocommit)
        return true;
    gateway_session_unset(s->session, &s->session->savepoints, name); /* the later one counts */
    datum_set_int(&writes, s->session->writes);
    if (gateway_session_set(s->session, &s->session->savepoints, name, &writes, &type) == 0)
        return true;
    mysql_error_set_text(&s->error, 1041, "Out of memory: too many savepoints");
    return false;
}

/* Nothing can be undone of what was written since there were `before` writes. Clients which ask once more hear
 * nothing. */
static bool undo(struct statement *s, uint32_t before)
{
    if (s->session->writes > before)
        mysql_error_set_text(
            &s->error, 1196,
            "ROLLBACK undoes nothing: the changes of this transaction were written and stay");
    s->session->writes = before;
    return !s->error.code;
}

static bool back_to(struct statement *s, const char *name, bool release)
{
    const struct session_variable *v = gateway_session_find(s->session->savepoints, name);

    if (!v) {
        statement_fail(s, MYSQL_ER_SP_DOES_NOT_EXIST, "SAVEPOINT", name);
        return false;
    }
    uint32_t before = (uint32_t)v->value.i;
    while (s->session->savepoints != v) /* those after it are gone */
        gateway_session_unset(s->session, &s->session->savepoints, s->session->savepoints->name);
    if (release)
        gateway_session_unset(s->session, &s->session->savepoints, v->name);
    return release || undo(s, before);
}

bool transaction_prepare(struct statement *s)
{
    const struct sql_transaction *t = s->ast->u.transaction;
    struct gateway_session *session = s->session;
    bool ok = true;

    switch (s->ast->kind) {
    case SQL_STMT_BEGIN:
        end(session);
        session->in_transaction = true;
        session->is_read_only = t->is_read_only;
        break;
    case SQL_STMT_SAVEPOINT:
        ok = savepoint(s, t->savepoint);
        break;
    case SQL_STMT_RELEASE:
        ok = back_to(s, t->savepoint, true);
        break;
    case SQL_STMT_ROLLBACK:
        if (t->savepoint) {
            ok = back_to(s, t->savepoint, false);
            break;
        }
        ok = undo(s, 0);
        /* fallthrough */
    default:
        end(session);
        session->in_transaction = t->and_chain;
    }
    if (ok)
        statement_ok(s, 0, 0, NULL);
    return ok;
}

bool transaction_allows_write(struct statement *s)
{
    if (s->session->is_read_only)
        statement_fail(s, MYSQL_ER_CANT_EXECUTE_IN_READ_ONLY);
    return !s->session->is_read_only;
}
