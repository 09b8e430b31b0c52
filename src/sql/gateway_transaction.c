/* BEGIN, COMMIT, ROLLBACK, SAVEPOINT: every statement is on its own; the words are accepted as clients send them, and
 * what they cannot undo is told. */
#include "sql/gateway_statement.h"

static void end(struct gateway_session *s)
{
    gateway_session_drop_variables(s, &s->savepoints);
    s->in_transaction = s->is_read_only = s->has_written = false;
}

/* The names count only inside a transaction, as in MySQL. */
static bool savepoint(struct statement *s, const char *name)
{
    struct datum nothing;
    struct value_type type = {0};

    if (!s->session->in_transaction && s->session->autocommit)
        return true;
    datum_set_null(&nothing);
    if (gateway_session_set(s->session, &s->session->savepoints, name, &nothing, &type) == 0)
        return true;
    mysql_error_set_text(&s->error, 1041, "Out of memory: too many savepoints");
    return false;
}

/* The transaction is over all the same, so that clients which ask once more hear nothing. */
static bool cannot_undo(struct statement *s)
{
    if (s->session->has_written)
        mysql_error_set_text(
            &s->error, 1196,
            "ROLLBACK undoes nothing: the changes of this transaction were written and stay");
    s->session->has_written = false;
    return !s->error.code;
}

static bool back_to(struct statement *s, const char *name, bool release)
{
    const struct session_variable *v = gateway_session_find(s->session->savepoints, name);

    if (!v) {
        statement_fail(s, MYSQL_ER_SP_DOES_NOT_EXIST, "SAVEPOINT", name);
        return false;
    }
    return release || cannot_undo(s);
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
        ok = cannot_undo(s);
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
