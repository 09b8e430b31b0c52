#pragma once
/* The tables of information_schema, and the pieces of definitions that SHOW shares with them. */
#include "sql/infoschema.h"
#include "storage/schema.h"

extern const struct infoschema_table infoschema_character_sets, infoschema_collation_applicability,
    infoschema_collations, infoschema_columns, infoschema_connection, infoschema_engines,
    infoschema_global_status, infoschema_global_variables, infoschema_key_column_usage,
    infoschema_keywords, infoschema_mysql_user, infoschema_p_s_global_status,
    infoschema_p_s_global_variables, infoschema_p_s_session_status,
    infoschema_p_s_session_variables, infoschema_partitions, infoschema_plugins,
    infoschema_processlist, infoschema_referential_constraints, infoschema_routines,
    infoschema_schemata, infoschema_session_status, infoschema_session_variables,
    infoschema_statistics, infoschema_table_constraints, infoschema_tables,
    infoschema_user_privileges, infoschema_views, infoschema_warnings;

#define INFO_TEXT(n)                                                       \
    {                                                                      \
        (n),                                                               \
        {                                                                  \
            .kind = DATUM_STRING, .length = 512, .scale = VALUE_SCALE_FREE \
        }                                                                  \
    }
/* As INFO_TEXT, compared without case. */
#define INFO_ANY_CASE(n)                                                                        \
    {                                                                                           \
        (n),                                                                                    \
        {                                                                                       \
            .kind = DATUM_STRING, .length = 512, .scale = VALUE_SCALE_FREE, .is_any_case = true \
        }                                                                                       \
    }
#define INFO_INT(n)                            \
    {                                          \
        (n),                                   \
        {                                      \
            .kind = DATUM_INT, .precision = 19 \
        }                                      \
    }
/* Those without rows. */
extern const struct infoschema_table infoschema_none[];
extern const uint32_t infoschema_none_count;

#define INFO_TABLE_OF(db, var, table_name, cols, fn)                                            \
    const struct infoschema_table var = {(db), table_name, cols, sizeof(cols) / sizeof *(cols), \
                                         fn,   NULL}
#define INFO_TABLE(var, table_name, cols, fn) \
    INFO_TABLE_OF("information_schema", var, table_name, cols, fn)

/* MySQL's spelling of a column's type: "bigint", "varchar(255)", "enum('a','b')". "" without memory. */
const char *infoschema_column_type(struct arena *a, const struct column *c);
/* The word alone: "bigint". */
const char *infoschema_data_type(const struct column *c);
/* "PRI", "MUL" or "". */
const char *infoschema_column_key(const struct column *c);

int infoschema_fill_nothing(struct exec *x, struct infoschema_rows *out);
