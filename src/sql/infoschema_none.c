/* information_schema: tables of things that there are none of, with the columns of MySQL 8, so that queries of them find
 * nothing instead of failing. */
#include "sql/infoschema_tables.h"

int infoschema_fill_nothing(struct exec *x, struct infoschema_rows *out)
{
    (void)x;
    (void)out;
    return 0;
}

static const struct infoschema_column files_columns[] = {
    INFO_INT("FILE_ID"),        INFO_TEXT("FILE_NAME"),
    INFO_TEXT("FILE_TYPE"),     INFO_TEXT("TABLESPACE_NAME"),
    INFO_TEXT("TABLE_CATALOG"), INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),    INFO_TEXT("LOGFILE_GROUP_NAME"),
    INFO_TEXT("ENGINE"),        INFO_INT("FREE_EXTENTS"),
    INFO_INT("TOTAL_EXTENTS"),  INFO_INT("EXTENT_SIZE"),
    INFO_INT("INITIAL_SIZE"),   INFO_INT("MAXIMUM_SIZE"),
    INFO_TEXT("STATUS"),        INFO_TEXT("EXTRA")};
INFO_TABLE(infoschema_files, "FILES", files_columns, infoschema_fill_nothing);

static const struct infoschema_column triggers_columns[] = {INFO_TEXT("TRIGGER_CATALOG"),
                                                            INFO_TEXT("TRIGGER_SCHEMA"),
                                                            INFO_TEXT("TRIGGER_NAME"),
                                                            INFO_TEXT("EVENT_MANIPULATION"),
                                                            INFO_TEXT("EVENT_OBJECT_CATALOG"),
                                                            INFO_TEXT("EVENT_OBJECT_SCHEMA"),
                                                            INFO_TEXT("EVENT_OBJECT_TABLE"),
                                                            INFO_INT("ACTION_ORDER"),
                                                            INFO_TEXT("ACTION_CONDITION"),
                                                            INFO_TEXT("ACTION_STATEMENT"),
                                                            INFO_TEXT("ACTION_ORIENTATION"),
                                                            INFO_TEXT("ACTION_TIMING"),
                                                            INFO_TEXT("ACTION_REFERENCE_OLD_TABLE"),
                                                            INFO_TEXT("ACTION_REFERENCE_NEW_TABLE"),
                                                            INFO_TEXT("ACTION_REFERENCE_OLD_ROW"),
                                                            INFO_TEXT("ACTION_REFERENCE_NEW_ROW"),
                                                            INFO_TEXT("CREATED"),
                                                            INFO_TEXT("SQL_MODE"),
                                                            INFO_TEXT("DEFINER"),
                                                            INFO_TEXT("CHARACTER_SET_CLIENT"),
                                                            INFO_TEXT("COLLATION_CONNECTION"),
                                                            INFO_TEXT("DATABASE_COLLATION")};
INFO_TABLE(infoschema_triggers, "TRIGGERS", triggers_columns, infoschema_fill_nothing);

static const struct infoschema_column events_columns[] = {INFO_TEXT("EVENT_CATALOG"),
                                                          INFO_TEXT("EVENT_SCHEMA"),
                                                          INFO_TEXT("EVENT_NAME"),
                                                          INFO_TEXT("DEFINER"),
                                                          INFO_TEXT("TIME_ZONE"),
                                                          INFO_TEXT("EVENT_BODY"),
                                                          INFO_TEXT("EVENT_DEFINITION"),
                                                          INFO_TEXT("EVENT_TYPE"),
                                                          INFO_TEXT("EXECUTE_AT"),
                                                          INFO_TEXT("INTERVAL_VALUE"),
                                                          INFO_TEXT("INTERVAL_FIELD"),
                                                          INFO_TEXT("SQL_MODE"),
                                                          INFO_TEXT("STARTS"),
                                                          INFO_TEXT("ENDS"),
                                                          INFO_TEXT("STATUS"),
                                                          INFO_TEXT("ON_COMPLETION"),
                                                          INFO_TEXT("CREATED"),
                                                          INFO_TEXT("LAST_ALTERED"),
                                                          INFO_TEXT("LAST_EXECUTED"),
                                                          INFO_TEXT("EVENT_COMMENT"),
                                                          INFO_INT("ORIGINATOR"),
                                                          INFO_TEXT("CHARACTER_SET_CLIENT"),
                                                          INFO_TEXT("COLLATION_CONNECTION"),
                                                          INFO_TEXT("DATABASE_COLLATION")};
INFO_TABLE(infoschema_events, "EVENTS", events_columns, infoschema_fill_nothing);

static const struct infoschema_column parameters_columns[] = {INFO_TEXT("SPECIFIC_CATALOG"),
                                                              INFO_TEXT("SPECIFIC_SCHEMA"),
                                                              INFO_TEXT("SPECIFIC_NAME"),
                                                              INFO_INT("ORDINAL_POSITION"),
                                                              INFO_TEXT("PARAMETER_MODE"),
                                                              INFO_TEXT("PARAMETER_NAME"),
                                                              INFO_TEXT("DATA_TYPE"),
                                                              INFO_INT("CHARACTER_MAXIMUM_LENGTH"),
                                                              INFO_INT("CHARACTER_OCTET_LENGTH"),
                                                              INFO_INT("NUMERIC_PRECISION"),
                                                              INFO_INT("NUMERIC_SCALE"),
                                                              INFO_INT("DATETIME_PRECISION"),
                                                              INFO_TEXT("CHARACTER_SET_NAME"),
                                                              INFO_TEXT("COLLATION_NAME"),
                                                              INFO_TEXT("DTD_IDENTIFIER"),
                                                              INFO_TEXT("ROUTINE_TYPE")};
INFO_TABLE(infoschema_parameters, "PARAMETERS", parameters_columns, infoschema_fill_nothing);

static const struct infoschema_column table_privileges_columns[] = {
    INFO_TEXT("GRANTEE"),    INFO_TEXT("TABLE_CATALOG"),  INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"), INFO_TEXT("PRIVILEGE_TYPE"), INFO_TEXT("IS_GRANTABLE")};
INFO_TABLE(infoschema_table_privileges, "TABLE_PRIVILEGES", table_privileges_columns,
           infoschema_fill_nothing);

static const struct infoschema_column column_privileges_columns[] = {
    INFO_TEXT("GRANTEE"),     INFO_TEXT("TABLE_CATALOG"), INFO_TEXT("TABLE_SCHEMA"),
    INFO_TEXT("TABLE_NAME"),  INFO_TEXT("COLUMN_NAME"),   INFO_TEXT("PRIVILEGE_TYPE"),
    INFO_TEXT("IS_GRANTABLE")};
INFO_TABLE(infoschema_column_privileges, "COLUMN_PRIVILEGES", column_privileges_columns,
           infoschema_fill_nothing);

static const struct infoschema_column schema_privileges_columns[] = {INFO_TEXT("GRANTEE"),
                                                                     INFO_TEXT("TABLE_CATALOG"),
                                                                     INFO_TEXT("TABLE_SCHEMA"),
                                                                     INFO_TEXT("PRIVILEGE_TYPE"),
                                                                     INFO_TEXT("IS_GRANTABLE")};
INFO_TABLE(infoschema_schema_privileges, "SCHEMA_PRIVILEGES", schema_privileges_columns,
           infoschema_fill_nothing);

static const struct infoschema_column check_constraints_columns[] = {
    INFO_TEXT("CONSTRAINT_CATALOG"), INFO_TEXT("CONSTRAINT_SCHEMA"), INFO_TEXT("CONSTRAINT_NAME"),
    INFO_TEXT("CHECK_CLAUSE")};
INFO_TABLE(infoschema_check_constraints, "CHECK_CONSTRAINTS", check_constraints_columns,
           infoschema_fill_nothing);

static const struct infoschema_column applicable_roles_columns[] = {
    INFO_TEXT("USER"),         INFO_TEXT("HOST"),       INFO_TEXT("GRANTEE"),
    INFO_TEXT("GRANTEE_HOST"), INFO_TEXT("ROLE_NAME"),  INFO_TEXT("ROLE_HOST"),
    INFO_TEXT("IS_GRANTABLE"), INFO_TEXT("IS_DEFAULT"), INFO_TEXT("IS_MANDATORY")};
INFO_TABLE(infoschema_applicable_roles, "APPLICABLE_ROLES", applicable_roles_columns,
           infoschema_fill_nothing);

static const struct infoschema_column enabled_roles_columns[] = {INFO_TEXT("ROLE_NAME"),
                                                                 INFO_TEXT("ROLE_HOST"),
                                                                 INFO_TEXT("IS_DEFAULT"),
                                                                 INFO_TEXT("IS_MANDATORY")};
INFO_TABLE(infoschema_enabled_roles, "ENABLED_ROLES", enabled_roles_columns,
           infoschema_fill_nothing);

static const struct infoschema_column tablespaces_columns[] = {
    INFO_TEXT("TABLESPACE_NAME"),    INFO_TEXT("ENGINE"),      INFO_TEXT("TABLESPACE_TYPE"),
    INFO_TEXT("LOGFILE_GROUP_NAME"), INFO_INT("EXTENT_SIZE"),  INFO_INT("AUTOEXTEND_SIZE"),
    INFO_INT("MAXIMUM_SIZE"),        INFO_INT("NODEGROUP_ID"), INFO_TEXT("TABLESPACE_COMMENT")};
INFO_TABLE(infoschema_tablespaces, "TABLESPACES", tablespaces_columns, infoschema_fill_nothing);

static const struct infoschema_column innodb_trx_columns[] = {INFO_INT("trx_id"),
                                                              INFO_TEXT("trx_state"),
                                                              INFO_TEXT("trx_started"),
                                                              INFO_TEXT("trx_requested_lock_id"),
                                                              INFO_TEXT("trx_wait_started"),
                                                              INFO_INT("trx_weight"),
                                                              INFO_INT("trx_mysql_thread_id"),
                                                              INFO_TEXT("trx_query"),
                                                              INFO_TEXT("trx_operation_state"),
                                                              INFO_INT("trx_tables_in_use"),
                                                              INFO_INT("trx_tables_locked"),
                                                              INFO_INT("trx_rows_locked"),
                                                              INFO_INT("trx_rows_modified"),
                                                              INFO_TEXT("trx_isolation_level")};
INFO_TABLE(infoschema_innodb_trx, "INNODB_TRX", innodb_trx_columns, infoschema_fill_nothing);
