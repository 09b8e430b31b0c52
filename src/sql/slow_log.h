#pragma once
/*
 * The slow query log: a line of the program's log for each statement that took long, when slow_query_log is on. Settings
 * are the process's, read and set by any core; long_query_time may be another one in a session.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_error.h"
#include "sql/value_datum.h"

struct gateway_session;
struct statement;

bool slow_log_is_on(void);
/* A statement has ended, so long after it began: writes a line if it was slow, and tells whether it was. */
bool slow_log_note(const struct statement *s, uint64_t ns);

/* Variables whose value here is the process's. */
bool slow_log_has(const char *name);
/* Of those, not to be set for a session alone. */
bool slow_log_is_global(const char *name);
/* Text of the value, made in buf when it must be. */
const char *slow_log_value(const char *name, char *buf, size_t cap);
/* SET GLOBAL; NULL: DEFAULT. False with the error. */
bool slow_log_set(const char *name, const struct datum *value, struct mysql_error *error);
