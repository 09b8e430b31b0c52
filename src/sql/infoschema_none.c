/*
 * Tables of things that there are none of, with the columns of MySQL 8, so that queries of them find nothing instead of
 * failing.
 */
#include "sql/infoschema_tables.h"

int infoschema_fill_nothing(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    (void)out;
    return 0;
}

#define T INFO_TEXT
#define I INFO_INT
#define COLUMNS(...)                   \
    (const struct infoschema_column[]) \
    {                                  \
        __VA_ARGS__                    \
    }
#define NONE(db, table, ...)                                                                      \
    {                                                                                             \
        db, table, COLUMNS(__VA_ARGS__),                                                          \
            sizeof(COLUMNS(__VA_ARGS__)) / sizeof *COLUMNS(__VA_ARGS__), infoschema_fill_nothing, \
            NULL                                                                                  \
    }

/* clang-format off */
const struct infoschema_table infoschema_none[] = {
    NONE("information_schema", "ADMINISTRABLE_ROLE_AUTHORIZATIONS",
         T("USER"), T("HOST"), T("GRANTEE"), T("GRANTEE_HOST"), T("ROLE_NAME"), T("ROLE_HOST"),
         T("IS_GRANTABLE"), T("IS_DEFAULT"), T("IS_MANDATORY")),
    NONE("information_schema", "APPLICABLE_ROLES",
         T("USER"), T("HOST"), T("GRANTEE"), T("GRANTEE_HOST"), T("ROLE_NAME"), T("ROLE_HOST"),
         T("IS_GRANTABLE"), T("IS_DEFAULT"), T("IS_MANDATORY")),
    NONE("information_schema", "CHECK_CONSTRAINTS",
         T("CONSTRAINT_CATALOG"), T("CONSTRAINT_SCHEMA"), T("CONSTRAINT_NAME"), T("CHECK_CLAUSE")),
    NONE("information_schema", "COLUMN_PRIVILEGES",
         T("GRANTEE"), T("TABLE_CATALOG"), T("TABLE_SCHEMA"), T("TABLE_NAME"), T("COLUMN_NAME"),
         T("PRIVILEGE_TYPE"), T("IS_GRANTABLE")),
    NONE("information_schema", "COLUMN_STATISTICS",
         T("SCHEMA_NAME"), T("TABLE_NAME"), T("COLUMN_NAME"), T("HISTOGRAM")),
    NONE("information_schema", "ENABLED_ROLES",
         T("ROLE_NAME"), T("ROLE_HOST"), T("IS_DEFAULT"), T("IS_MANDATORY")),
    NONE("information_schema", "EVENTS",
         T("EVENT_CATALOG"), T("EVENT_SCHEMA"), T("EVENT_NAME"), T("DEFINER"), T("TIME_ZONE"),
         T("EVENT_BODY"), T("EVENT_DEFINITION"), T("EVENT_TYPE"), T("EXECUTE_AT"),
         T("INTERVAL_VALUE"), T("INTERVAL_FIELD"), T("SQL_MODE"), T("STARTS"), T("ENDS"),
         T("STATUS"), T("ON_COMPLETION"), T("CREATED"), T("LAST_ALTERED"), T("LAST_EXECUTED"),
         T("EVENT_COMMENT"), I("ORIGINATOR"), T("CHARACTER_SET_CLIENT"), T("COLLATION_CONNECTION"),
         T("DATABASE_COLLATION")),
    NONE("information_schema", "FILES",
         I("FILE_ID"), T("FILE_NAME"), T("FILE_TYPE"), T("TABLESPACE_NAME"), T("TABLE_CATALOG"),
         T("TABLE_SCHEMA"), T("TABLE_NAME"), T("LOGFILE_GROUP_NAME"), T("ENGINE"),
         I("FREE_EXTENTS"), I("TOTAL_EXTENTS"), I("EXTENT_SIZE"), I("INITIAL_SIZE"),
         I("MAXIMUM_SIZE"), T("STATUS"), T("EXTRA")),
    NONE("information_schema", "INNODB_TRX",
         I("trx_id"), T("trx_state"), T("trx_started"), T("trx_requested_lock_id"),
         T("trx_wait_started"), I("trx_weight"), I("trx_mysql_thread_id"), T("trx_query"),
         T("trx_operation_state"), I("trx_tables_in_use"), I("trx_tables_locked"),
         I("trx_rows_locked"), I("trx_rows_modified"), T("trx_isolation_level")),
    NONE("information_schema", "OPTIMIZER_TRACE",
         T("QUERY"), T("TRACE"), I("MISSING_BYTES_BEYOND_MAX_MEM_SIZE"),
         I("INSUFFICIENT_PRIVILEGES")),
    NONE("information_schema", "PARAMETERS",
         T("SPECIFIC_CATALOG"), T("SPECIFIC_SCHEMA"), T("SPECIFIC_NAME"), I("ORDINAL_POSITION"),
         T("PARAMETER_MODE"), T("PARAMETER_NAME"), T("DATA_TYPE"), I("CHARACTER_MAXIMUM_LENGTH"),
         I("CHARACTER_OCTET_LENGTH"), I("NUMERIC_PRECISION"), I("NUMERIC_SCALE"),
         I("DATETIME_PRECISION"), T("CHARACTER_SET_NAME"), T("COLLATION_NAME"), T("DTD_IDENTIFIER"),
         T("ROUTINE_TYPE")),
    NONE("information_schema", "PROFILING",
         I("QUERY_ID"), I("SEQ"), T("STATE"), I("DURATION"), I("CPU_USER"), I("CPU_SYSTEM"),
         I("CONTEXT_VOLUNTARY"), I("CONTEXT_INVOLUNTARY"), I("BLOCK_OPS_IN"), I("BLOCK_OPS_OUT"),
         I("MESSAGES_SENT"), I("MESSAGES_RECEIVED"), I("PAGE_FAULTS_MAJOR"), I("PAGE_FAULTS_MINOR"),
         I("SWAPS"), T("SOURCE_FUNCTION"), T("SOURCE_FILE"), I("SOURCE_LINE")),
    NONE("information_schema", "RESOURCE_GROUPS",
         T("RESOURCE_GROUP_NAME"), T("RESOURCE_GROUP_TYPE"), I("RESOURCE_GROUP_ENABLED"),
         T("VCPU_IDS"), I("THREAD_PRIORITY")),
    NONE("information_schema", "ROLE_COLUMN_GRANTS",
         T("GRANTOR"), T("GRANTOR_HOST"), T("GRANTEE"), T("GRANTEE_HOST"), T("TABLE_CATALOG"),
         T("TABLE_SCHEMA"), T("TABLE_NAME"), T("COLUMN_NAME"), T("PRIVILEGE_TYPE"),
         T("IS_GRANTABLE")),
    NONE("information_schema", "ROLE_ROUTINE_GRANTS",
         T("GRANTOR"), T("GRANTOR_HOST"), T("GRANTEE"), T("GRANTEE_HOST"), T("SPECIFIC_CATALOG"),
         T("SPECIFIC_SCHEMA"), T("SPECIFIC_NAME"), T("ROUTINE_CATALOG"), T("ROUTINE_SCHEMA"),
         T("ROUTINE_NAME"), T("PRIVILEGE_TYPE"), T("IS_GRANTABLE")),
    NONE("information_schema", "ROLE_TABLE_GRANTS",
         T("GRANTOR"), T("GRANTOR_HOST"), T("GRANTEE"), T("GRANTEE_HOST"), T("TABLE_CATALOG"),
         T("TABLE_SCHEMA"), T("TABLE_NAME"), T("PRIVILEGE_TYPE"), T("IS_GRANTABLE")),
    NONE("information_schema", "SCHEMA_PRIVILEGES",
         T("GRANTEE"), T("TABLE_CATALOG"), T("TABLE_SCHEMA"), T("PRIVILEGE_TYPE"), T("IS_GRANTABLE")),
    NONE("information_schema", "ST_GEOMETRY_COLUMNS",
         T("TABLE_CATALOG"), T("TABLE_SCHEMA"), T("TABLE_NAME"), T("COLUMN_NAME"), T("SRS_NAME"),
         I("SRS_ID"), T("GEOMETRY_TYPE_NAME")),
    NONE("information_schema", "TABLESPACES",
         T("TABLESPACE_NAME"), T("ENGINE"), T("TABLESPACE_TYPE"), T("LOGFILE_GROUP_NAME"),
         I("EXTENT_SIZE"), I("AUTOEXTEND_SIZE"), I("MAXIMUM_SIZE"), I("NODEGROUP_ID"),
         T("TABLESPACE_COMMENT")),
    NONE("information_schema", "TABLE_PRIVILEGES",
         T("GRANTEE"), T("TABLE_CATALOG"), T("TABLE_SCHEMA"), T("TABLE_NAME"), T("PRIVILEGE_TYPE"),
         T("IS_GRANTABLE")),
    NONE("information_schema", "TRIGGERS",
         T("TRIGGER_CATALOG"), T("TRIGGER_SCHEMA"), T("TRIGGER_NAME"), T("EVENT_MANIPULATION"),
         T("EVENT_OBJECT_CATALOG"), T("EVENT_OBJECT_SCHEMA"), T("EVENT_OBJECT_TABLE"),
         I("ACTION_ORDER"), T("ACTION_CONDITION"), T("ACTION_STATEMENT"), T("ACTION_ORIENTATION"),
         T("ACTION_TIMING"), T("ACTION_REFERENCE_OLD_TABLE"), T("ACTION_REFERENCE_NEW_TABLE"),
         T("ACTION_REFERENCE_OLD_ROW"), T("ACTION_REFERENCE_NEW_ROW"), T("CREATED"), T("SQL_MODE"),
         T("DEFINER"), T("CHARACTER_SET_CLIENT"), T("COLLATION_CONNECTION"), T("DATABASE_COLLATION")),
    NONE("information_schema", "USER_ATTRIBUTES",
         T("USER"), T("HOST"), T("ATTRIBUTE")),
    NONE("mysql", "columns_priv",
         T("Host"), T("Db"), T("User"), T("Table_name"), T("Column_name"), T("Timestamp"),
         T("Column_priv")),
    NONE("mysql", "event",
         T("db"), T("name"), T("body"), T("definer"), T("execute_at"), T("interval_value"),
         T("interval_field"), T("created"), T("modified"), T("last_executed"), T("starts"),
         T("ends"), T("status"), T("on_completion"), T("sql_mode"), T("comment")),
    NONE("mysql", "func",
         T("name"), I("ret"), T("dl"), T("type")),
    NONE("mysql", "proc",
         T("db"), T("name"), T("type"), T("specific_name"), T("language"), T("sql_data_access"),
         T("is_deterministic"), T("security_type"), T("param_list"), T("returns"), T("body"),
         T("definer"), T("created"), T("modified"), T("sql_mode"), T("comment")),
    NONE("mysql", "procs_priv",
         T("Host"), T("Db"), T("User"), T("Routine_name"), T("Routine_type"), T("Grantor"),
         T("Proc_priv"), T("Timestamp")),
    NONE("mysql", "tables_priv",
         T("Host"), T("Db"), T("User"), T("Table_name"), T("Grantor"), T("Timestamp"),
         T("Table_priv"), T("Column_priv")),
};
/* clang-format on */
const uint32_t infoschema_none_count = sizeof infoschema_none / sizeof *infoschema_none;
