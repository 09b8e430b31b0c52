#pragma once
/*
 * System variables: a table of what clients ask for and set. Most only have a value; the few with a
 * meaning are named in sysvar.c. Owner: the session; the defaults are constant.
 */
#include "sql/gateway_session.h"
#include "sql/mysql_error.h"

struct arena;

struct sysvar {
    const char *name;
    const char *value; /* default */
    bool is_number;
    bool read_only;
};

const struct sysvar *sysvar_list(size_t *n);
const struct sysvar *sysvar_find(const char *name);

/* Value in the session; text lives in the arena or is constant. False when there is no such
 * variable. */
bool sysvar_get(struct gateway_session *s, const char *name, struct arena *a, struct datum *out,
                struct value_type *type);
/* Text of the value, for SHOW VARIABLES. NULL when there is none such. */
const char *sysvar_text(struct gateway_session *s, const char *name, struct arena *a);
/* Whether the variable may have the value; false with the error. May warn (sysvar_check.c). */
bool sysvar_check(struct gateway_session *s, const struct sysvar *v, const struct datum *value,
                  struct arena *a, struct mysql_error *error);
/* A list of modes; false with the error that names the one that is none. */
bool sysvar_check_sql_mode(const char *text, struct mysql_error *error);
/* sql_mode of a session without one of its own: what --sql-mode says, NULL = the usual one. The text outlives it. */
void sysvar_default_sql_mode(struct gateway_session *s, const char *mode);
/* SET; NULL value = DEFAULT. 0, or -EINVAL with error. */
int sysvar_set(struct gateway_session *s, const char *name, const struct datum *value,
               struct arena *a, struct mysql_error *error);
