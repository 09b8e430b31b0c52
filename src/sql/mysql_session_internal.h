#pragma once
/*
 * Between the files of the protocol state machine (mysql_session.c, mysql_session_login.c,
 * mysql_session_command.c); nobody else includes it.
 */

#include "sql/mysql_session.h"

/* Ends the session with an ERR packet whose sequence number is `seq`; next reports it as
 * MYSQL_EVENT_PROTOCOL_ERROR. An output buffer without room loses the packet. */
void mysql_session_fail(struct mysql_session *s, uint8_t seq, uint16_t code);

/* Frees what is only needed until a login is decided. */
void mysql_session_drop_login(struct mysql_session *s);
/* Forgets all prepared statements. */
void mysql_session_drop_statements(struct mysql_session *s);

/* Each makes an event of the message held, or answers it and returns MYSQL_EVENT_NONE. */
enum mysql_event_kind mysql_session_next_handshake(struct mysql_session *s, struct mysql_event *ev);
enum mysql_event_kind mysql_session_next_switch(struct mysql_session *s, struct mysql_event *ev);
enum mysql_event_kind mysql_session_next_command(struct mysql_session *s, struct mysql_event *ev);
/* COM_CHANGE_USER; `body` is what follows the command byte. */
enum mysql_event_kind mysql_session_next_change_user(struct mysql_session *s,
                                                     struct mysql_event *ev,
                                                     struct mysql_text body);
