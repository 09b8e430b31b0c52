#pragma once
/*
 * sql_mode QUANTA: statements mean what they meant to the first Quanta. The parsed tree is rewritten into one of standard
 * SQL that says the same, so that nothing behind it knows of the mode. docs/sql.md lists what is different.
 *
 *   quanta_mode.c        queries and where their parts are
 *   quanta_mode_where.c  conditions: NULL, negations, AND beside OR
 *   quanta_mode_join.c   IN as a join, outer joins, anti-joins
 *   quanta_mode_write.c  INSERT, UPDATE, DELETE
 */
#include <stdbool.h>

struct statement;

/* Rewrites s->ast when the session is in the mode; false with the error. Core: the connection's. */
bool quanta_mode_apply(struct statement *s);
