#pragma once
/* The tables of information_schema, and the pieces of definitions that SHOW shares with them. */
#include "sql/infoschema.h"
#include "storage/schema.h"

extern const struct infoschema_table infoschema_character_sets, infoschema_collations,
    infoschema_columns, infoschema_connection, infoschema_engines, infoschema_events,
    infoschema_global_status, infoschema_global_variables, infoschema_key_column_usage,
    infoschema_parameters, infoschema_partitions, infoschema_plugins, infoschema_processlist,
    infoschema_referential_constraints, infoschema_routines, infoschema_schemata,
    infoschema_session_status, infoschema_session_variables, infoschema_statistics,
    infoschema_table_constraints, infoschema_tables, infoschema_triggers,
    infoschema_user_privileges, infoschema_views, infoschema_warnings, infoschema_files,
    infoschema_table_privileges, infoschema_column_privileges, infoschema_schema_privileges,
    infoschema_check_constraints, infoschema_applicable_roles, infoschema_enabled_roles,
    infoschema_tablespaces, infoschema_innodb_trx, infoschema_collation_applicability;

#define INFO_TEXT(n)                                                       \
    {                                                                      \
        (n),                                                               \
        {                                                                  \
            .kind = DATUM_STRING, .length = 512, .scale = VALUE_SCALE_FREE \
        }                                                                  \
    }
#define INFO_INT(n)                            \
    {                                          \
        (n),                                   \
        {                                      \
            .kind = DATUM_INT, .precision = 19 \
        }                                      \
    }
#define INFO_TABLE(var, table_name, cols, fn)                                             \
    const struct infoschema_table var = {"information_schema",          table_name, cols, \
                                         sizeof(cols) / sizeof *(cols), fn,         NULL}

/* MySQL's spelling of a column's type: "bigint", "varchar(255)", "enum('a','b')". "" without memory. */
const char *infoschema_column_type(struct arena *a, const struct column *c);
/* The word alone: "bigint". */
const char *infoschema_data_type(const struct column *c);
/* "PRI", "MUL" or "". */
const char *infoschema_column_key(const struct column *c);

int infoschema_fill_nothing(struct exec *x, struct infoschema_rows *out);
