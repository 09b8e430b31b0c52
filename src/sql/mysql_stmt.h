#pragma once
/*
 * What the protocol has to remember about a connection's prepared statements: how many parameters
 * they take, the types bound last, and data sent ahead with COM_STMT_SEND_LONG_DATA.
 *
 * The plan of a statement is the owner's, found by the same id. All functions run on the core of
 * the connection's owner. Limits for all statements of the connection together: their number and
 * the bytes of long data as given, MYSQL_STATEMENTS_PARAMS_MAX parameters.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_command.h"

/* Bounds the memory for types: two bytes per parameter, 24 more while long data are kept. */
#define MYSQL_STATEMENTS_PARAMS_MAX (1u << 20)

struct mysql_statements;

/* An empty set taking at most `max_count` statements and `long_limit` bytes of long data; NULL when
 * there is no memory. */
struct mysql_statements *mysql_statements_new(size_t max_count, size_t long_limit);
void mysql_statements_free(struct mysql_statements *set);

/* Adds a statement and stores its id (never 0, never reused while the set lives). 0, -EMFILE when
 * the set is full, -ENOMEM. */
int mysql_statements_add(struct mysql_statements *set, uint16_t n_params, uint32_t *id);
/* Forgets a statement; an unknown id is nothing. */
void mysql_statements_remove(struct mysql_statements *set, uint32_t id);
bool mysql_statements_has(const struct mysql_statements *set, uint32_t id);
size_t mysql_statements_count(const struct mysql_statements *set);

/* Keeps a piece of long data. 0, -ENOENT: no such statement or parameter, -ENOBUFS: over the limit
 * (the data kept for the statement is dropped and its next execution fails), -ENOMEM likewise. */
int mysql_statements_long_data(struct mysql_statements *set, uint32_t id, uint16_t param,
                               struct mysql_text data);
/* Drops the statement's long data (COM_STMT_RESET). 0 or -ENOENT. */
int mysql_statements_reset(struct mysql_statements *set, uint32_t id);

/* Decodes the parameters of an execution; they stay valid until mysql_statements_executed. 0,
 * -ENOENT: no such statement, -EBADMSG: malformed, -ENOBUFS: long data were too large, -ENOMEM. */
int mysql_statements_execute(struct mysql_statements *set, uint32_t id, struct mysql_text body,
                             const struct mysql_param **params, uint16_t *n_params);
/* The execution is over: gives back its parameters and long data. */
void mysql_statements_executed(struct mysql_statements *set);
