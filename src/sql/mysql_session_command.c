/* Commands of the protocol state machine: see mysql_session.h. */
#include <errno.h>
#include <stdio.h>

#include "reactor/assert.h"
#include "sql/mysql_error.h"
#include "sql/mysql_session_internal.h"
#include "sql/mysql_stmt.h"

/* Answers a command without the owner; without room for it the connection cannot go on. */
static enum mysql_event_kind answer_err(struct mysql_session *s, uint16_t code, const char *text)
{
    if (mysql_err(&s->wire, code, NULL, text) != 0)
        mysql_session_fail(s, s->wire.seq, MYSQL_ER_OUT_OF_RESOURCES);
    return MYSQL_EVENT_NONE;
}

static enum mysql_event_kind answer_known(struct mysql_session *s, unsigned code)
{
    return answer_err(s, (uint16_t)code, mysql_error_find(code)->format);
}

static enum mysql_event_kind answer_unknown_statement(struct mysql_session *s, uint32_t id,
                                                      const char *command)
{
    char number[16], text[MYSQL_ERROR_TEXT_MAX + 1];
    int n = snprintf(number, sizeof(number), "%u", id);

    mysql_error_format(text, sizeof(text), MYSQL_ER_UNKNOWN_STMT_HANDLER, n, number, command);
    return answer_err(s, MYSQL_ER_UNKNOWN_STMT_HANDLER, text);
}

/* Hands a command to the owner, which answers it. */
static enum mysql_event_kind ask(struct mysql_session *s, struct mysql_event *ev,
                                 enum mysql_event_kind kind)
{
    s->state = MYSQL_SESSION_ANSWER;
    return ev->kind = kind;
}

static enum mysql_event_kind ask_text(struct mysql_session *s, struct mysql_event *ev,
                                      enum mysql_event_kind kind, const struct mysql_command *cmd)
{
    ev->u.text = cmd->text;
    return ask(s, ev, kind);
}

static enum mysql_event_kind next_execute(struct mysql_session *s, struct mysql_event *ev,
                                          const struct mysql_command *cmd)
{
    const struct mysql_param *params = NULL;
    uint16_t n_params = 0;
    int rc = s->stmts ? mysql_statements_execute(s->stmts, cmd->id, cmd->body, &params, &n_params)
                      : -ENOENT;

    switch (rc) {
    case 0:
        ev->u.execute.id = cmd->id;
        ev->u.execute.cursor = cmd->flags;
        ev->u.execute.n_params = n_params;
        ev->u.execute.params = params;
        return ask(s, ev, MYSQL_EVENT_STMT_EXECUTE);
    case -ENOENT:
        return answer_unknown_statement(s, cmd->id, "mysqld_stmt_execute");
    case -ENOBUFS:
        return answer_known(s, MYSQL_ER_NET_PACKET_TOO_LARGE);
    case -ENOMEM:
        return answer_known(s, MYSQL_ER_OUT_OF_RESOURCES);
    default:
        return answer_known(s, MYSQL_ER_MALFORMED_PACKET);
    }
}

static enum mysql_event_kind next_stmt_reset(struct mysql_session *s, struct mysql_event *ev,
                                             const struct mysql_command *cmd)
{
    if (!s->stmts || mysql_statements_reset(s->stmts, cmd->id) != 0)
        return answer_unknown_statement(s, cmd->id, "mysqld_stmt_reset");
    ev->u.stmt.id = cmd->id;
    return ask(s, ev, MYSQL_EVENT_STMT_RESET);
}

static enum mysql_event_kind next_stmt_fetch(struct mysql_session *s, struct mysql_event *ev,
                                             const struct mysql_command *cmd)
{
    if (!s->stmts || !mysql_statements_has(s->stmts, cmd->id))
        return answer_unknown_statement(s, cmd->id, "mysqld_stmt_fetch");
    ev->u.fetch.id = cmd->id;
    ev->u.fetch.rows = cmd->count;
    return ask(s, ev, MYSQL_EVENT_STMT_FETCH);
}

/* No answer to these two, not even to mistakes. */
static enum mysql_event_kind next_stmt_close(struct mysql_session *s, struct mysql_event *ev,
                                             const struct mysql_command *cmd)
{
    if (!s->stmts || !mysql_statements_has(s->stmts, cmd->id))
        return MYSQL_EVENT_NONE;
    mysql_statements_remove(s->stmts, cmd->id);
    ev->u.stmt.id = cmd->id;
    return ev->kind = MYSQL_EVENT_STMT_CLOSE;
}

static enum mysql_event_kind next_long_data(struct mysql_session *s, struct mysql_event *ev,
                                            const struct mysql_command *cmd)
{
    if (!s->stmts || mysql_statements_long_data(s->stmts, cmd->id, cmd->param, cmd->body) != 0)
        return MYSQL_EVENT_NONE;
    ev->u.long_data.id = cmd->id;
    ev->u.long_data.param = cmd->param;
    ev->u.long_data.len = cmd->body.len;
    return ev->kind = MYSQL_EVENT_STMT_LONG_DATA;
}

static enum mysql_event_kind next_set_option(struct mysql_session *s, struct mysql_event *ev,
                                             const struct mysql_command *cmd)
{
    if (cmd->count > 1)
        return answer_known(s, MYSQL_ER_UNKNOWN_COM_ERROR);
    ev->u.set_option.multi_statements = cmd->count == 0;
    return ask(s, ev, MYSQL_EVENT_SET_OPTION);
}

static enum mysql_event_kind dispatch(struct mysql_session *s, struct mysql_event *ev,
                                      const struct mysql_command *cmd)
{
    switch (cmd->com) {
    case MYSQL_COM_QUIT:
        s->state = MYSQL_SESSION_CLOSED;
        return ev->kind = MYSQL_EVENT_QUIT;
    case MYSQL_COM_QUERY:
        return ask_text(s, ev, MYSQL_EVENT_QUERY, cmd);
    case MYSQL_COM_INIT_DB:
        return ask_text(s, ev, MYSQL_EVENT_INIT_DB, cmd);
    case MYSQL_COM_STMT_PREPARE:
        return ask_text(s, ev, MYSQL_EVENT_STMT_PREPARE, cmd);
    case MYSQL_COM_PING:
        return ask(s, ev, MYSQL_EVENT_PING);
    case MYSQL_COM_STATISTICS:
        return ask(s, ev, MYSQL_EVENT_STATISTICS);
    case MYSQL_COM_FIELD_LIST:
        ev->u.field_list.table = cmd->text;
        ev->u.field_list.wild = cmd->wild;
        return ask(s, ev, MYSQL_EVENT_FIELD_LIST);
    case MYSQL_COM_SET_OPTION:
        return next_set_option(s, ev, cmd);
    case MYSQL_COM_RESET_CONNECTION:
        mysql_session_drop_statements(s);
        return ask(s, ev, MYSQL_EVENT_RESET_CONNECTION);
    case MYSQL_COM_PROCESS_KILL:
        ev->u.process_kill.connection_id = cmd->id;
        return ask(s, ev, MYSQL_EVENT_PROCESS_KILL);
    case MYSQL_COM_CHANGE_USER:
        return mysql_session_next_change_user(s, ev, cmd->body);
    case MYSQL_COM_PROCESS_INFO:
        return ask(s, ev, MYSQL_EVENT_PROCESS_INFO);
    case MYSQL_COM_STMT_EXECUTE:
        return next_execute(s, ev, cmd);
    case MYSQL_COM_STMT_RESET:
        return next_stmt_reset(s, ev, cmd);
    case MYSQL_COM_STMT_FETCH:
        return next_stmt_fetch(s, ev, cmd);
    case MYSQL_COM_STMT_CLOSE:
        return next_stmt_close(s, ev, cmd);
    case MYSQL_COM_STMT_SEND_LONG_DATA:
        return next_long_data(s, ev, cmd);
    default:
        ev->u.unknown.command = cmd->com;
        return ask(s, ev, MYSQL_EVENT_UNKNOWN);
    }
}

enum mysql_event_kind mysql_session_next_command(struct mysql_session *s, struct mysql_event *ev)
{
    struct mysql_command cmd;

    s->handed_out = true;
    s->wire.seq = s->in.seq;
    s->wire.answered = false;
    if (mysql_command_decode(s->in.payload, s->in.len, &cmd) != 0)
        return answer_known(s, MYSQL_ER_MALFORMED_PACKET);
    return dispatch(s, ev, &cmd);
}

int mysql_session_prepared(struct mysql_session *s, uint16_t n_params,
                           const struct mysql_column *columns, uint16_t n_columns,
                           uint32_t *stmt_id)
{
    uint32_t id;
    int rc;

    ASSERT(s->state == MYSQL_SESSION_ANSWER && !s->wire.answered);
    if (!s->stmts)
        s->stmts = mysql_statements_new(MYSQL_STATEMENTS_MAX, s->max_allowed_packet);
    if (!s->stmts)
        return -ENOMEM;
    rc = mysql_statements_add(s->stmts, n_params, &id);
    if (rc != 0)
        return rc;
    rc = mysql_prepare_ok(&s->wire, id, n_params, columns, n_columns, s->status, 0);
    if (rc != 0) {
        mysql_statements_remove(s->stmts, id);
        return rc;
    }
    *stmt_id = id;
    return 0;
}
