/* SHOW of privileges, stored programs and logs: mostly of what there is none of, with the columns of MySQL. */
#include "sql/show.h"

#include <string.h>
#include <strings.h>

#include "sql/infoschema.h"

/* ---- what there is none of: the columns alone ---- */

struct nothing {
    enum sql_show_kind kind;
    const char *columns; /* with commas */
};

static const struct nothing nothings[] = {
    {SQL_SHOW_OPEN_TABLES, "Database,Table,In_use,Name_locked"},
    {SQL_SHOW_PROFILES, "Query_ID,Duration,Query"},
    {SQL_SHOW_ENGINE, "Type,Name,Status"},
    {SQL_SHOW_MASTER_STATUS, "File,Position,Binlog_Do_DB,Binlog_Ignore_DB,Executed_Gtid_Set"},
    {SQL_SHOW_LOG_EVENTS, "Log_name,Pos,Event_type,Server_id,End_log_pos,Info"},
    {SQL_SHOW_REPLICAS, "Server_Id,Host,Port,Source_Id,Replica_UUID"},
    {SQL_SHOW_SLAVE_STATUS,
     "Replica_IO_State,Source_Host,Source_User,Source_Port,Connect_Retry,Source_Log_File,"
     "Read_Source_Log_Pos,Relay_Log_File,Relay_Log_Pos,Relay_Source_Log_File,Replica_IO_Running,"
     "Replica_SQL_Running,Replicate_Do_DB,Replicate_Ignore_DB,Replicate_Do_Table,"
     "Replicate_Ignore_Table,Replicate_Wild_Do_Table,Replicate_Wild_Ignore_Table,Last_Errno,"
     "Last_Error,Skip_Counter,Exec_Source_Log_Pos,Relay_Log_Space,Until_Condition,Until_Log_File,"
     "Until_Log_Pos,Source_SSL_Allowed,Source_SSL_CA_File,Source_SSL_CA_Path,Source_SSL_Cert,"
     "Source_SSL_Cipher,Source_SSL_Key,Seconds_Behind_Source,Source_SSL_Verify_Server_Cert,"
     "Last_IO_Errno,Last_IO_Error,Last_SQL_Errno,Last_SQL_Error,Replicate_Ignore_Server_Ids,"
     "Source_Server_Id,Source_UUID,Source_Info_File,SQL_Delay,SQL_Remaining_Delay,"
     "Replica_SQL_Running_State,Source_Retry_Count,Source_Bind,Last_IO_Error_Timestamp,"
     "Last_SQL_Error_Timestamp,Source_SSL_Crl,Source_SSL_Crlpath,Retrieved_Gtid_Set,"
     "Executed_Gtid_Set,Auto_Position,Replicate_Rewrite_DB,Channel_Name,Source_TLS_Version,"
     "Source_public_key_path,Get_Source_public_key,Network_Namespace"},
};

static bool show_nothing(struct statement *s, const char *columns)
{
    enum { MOST = 64 };
    const char *names[MOST];
    char *at = statement_printf(s, "%s", columns);
    uint32_t n = 0;

    for (; at && n < MOST; n++) {
        names[n] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = 0;
    }
    return n && !s->error.code && show_text_result(s, n, names, NULL);
}

/* Stored programs, of which there are none. */
static bool show_programs(struct statement *s, const struct sql_show *show)
{
    const char *db = show_database(s, show);

    if (!db)
        return false;
    switch (show->kind) {
    case SQL_SHOW_TRIGGERS:
        return show_run(s, show,
                        "TRIGGER_NAME AS `Trigger`, EVENT_MANIPULATION AS Event, "
                        "EVENT_OBJECT_TABLE AS `Table`, ACTION_STATEMENT AS Statement, "
                        "ACTION_TIMING AS Timing, CREATED AS Created, sql_mode, DEFINER AS "
                        "Definer, character_set_client, collation_connection, "
                        "DATABASE_COLLATION AS `Database Collation`",
                        "TRIGGERS", "1", "TRIGGER_NAME", NULL);
    default:
        return show_run(s, show,
                        "EVENT_SCHEMA AS Db, EVENT_NAME AS Name, DEFINER AS Definer, TIME_ZONE AS "
                        "`Time zone`, EVENT_TYPE AS Type, EXECUTE_AT AS `Execute at`, "
                        "INTERVAL_VALUE AS `Interval value`, INTERVAL_FIELD AS `Interval field`, "
                        "STARTS AS Starts, ENDS AS Ends, STATUS AS Status, ORIGINATOR AS "
                        "Originator, character_set_client, collation_connection, "
                        "DATABASE_COLLATION AS `Database Collation`",
                        "EVENTS", "1", "EVENT_NAME", NULL);
    }
}

static bool show_routines(struct statement *s, const struct sql_show *show)
{
    return show_run(s, show,
                    "ROUTINE_SCHEMA AS Db, ROUTINE_NAME AS Name, ROUTINE_TYPE AS Type, DEFINER AS "
                    "Definer, LAST_ALTERED AS Modified, CREATED AS Created, SECURITY_TYPE AS "
                    "Security_type, ROUTINE_COMMENT AS Comment, character_set_client, "
                    "collation_connection, DATABASE_COLLATION AS `Database Collation`",
                    "ROUTINES",
                    show->kind == SQL_SHOW_PROCEDURE_STATUS ? "ROUTINE_TYPE = 'PROCEDURE'"
                                                            : "ROUTINE_TYPE = 'FUNCTION'",
                    "ROUTINE_NAME", NULL);
}

/* SHOW CREATE of what does not exist: MySQL's errors. */
static bool show_create_other(struct statement *s, const struct sql_show *show)
{
    if (strcasecmp(show->what, "TRIGGER") == 0)
        mysql_error_set_text(&s->error, 1360, "Trigger does not exist");
    else if (strcasecmp(show->what, "EVENT") == 0)
        mysql_error_set_text(&s->error, 1539, "Unknown event '%s'", show->table);
    else if (strcasecmp(show->what, "PROCEDURE") == 0 || strcasecmp(show->what, "FUNCTION") == 0)
        statement_fail(s, MYSQL_ER_SP_DOES_NOT_EXIST,
                       strcasecmp(show->what, "FUNCTION") == 0 ? "FUNCTION" : "PROCEDURE",
                       show->table);
    else
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "this SHOW CREATE");
    return false;
}

/* ---- privileges ---- */

/* Everybody may do everything, so whoever is asked about may. */
static bool show_grants(struct statement *s, const struct sql_show *show)
{
    const char *user = show->what ? show->what : s->session->user ? s->session->user : "";
    const char *at = show->what ? strrchr(user, '@') : NULL, *host = at ? at + 1 : "%";
    int len = (int)(at ? (size_t)(at - user) : strlen(user));
    const char *name = statement_printf(s, "Grants for %.*s@%s", len > 64 ? 64 : len, user, host);
    const char *cells[] = {
        statement_printf(s, "GRANT ALL PRIVILEGES ON *.* TO `%.*s`@`%s`", len, user, host)};

    if (!name || !cells[0] || !memory_result_begin(s, 1))
        return false;
    memory_result_column(s, 0, name, value_type_string(1024));
    struct datum *row = memory_result_row(s);
    if (!row)
        return false;
    datum_set_string(&row[0], cells[0], strlen(cells[0]));
    s->stage = STATEMENT_EMIT;
    return true;
}

/* Those that USER_PRIVILEGES names. */
static bool show_privileges(struct statement *s)
{
    static const char *const rows[][3] = {
        {"Select", "Tables", "To retrieve rows from table"},
        {"Insert", "Tables", "To insert data into tables"},
        {"Update", "Tables", "To update existing rows"},
        {"Delete", "Tables", "To delete existing rows"},
        {"Create", "Databases,Tables,Indexes", "To create new databases and tables"},
        {"Drop", "Databases,Tables", "To drop databases, tables, and views"},
    };
    static const char *const names[] = {"Privilege", "Context", "Comment"};

    if (!show_text_result(s, 3, names, NULL))
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct datum *row = memory_result_row(s);
        if (!row)
            return false;
        for (int k = 0; k < 3; k++)
            datum_set_string(&row[k], rows[i][k], strlen(rows[i][k]));
    }
    return true;
}

bool show_server(struct statement *s, const struct sql_show *show)
{
    switch (show->kind) {
    case SQL_SHOW_GRANTS:
        return show_grants(s, show);
    case SQL_SHOW_PRIVILEGES:
        return show_privileges(s);
    case SQL_SHOW_TRIGGERS:
    case SQL_SHOW_EVENTS:
        return show_programs(s, show);
    case SQL_SHOW_PROCEDURE_STATUS:
    case SQL_SHOW_FUNCTION_STATUS:
        return show_routines(s, show);
    case SQL_SHOW_CREATE_OTHER:
        return show_create_other(s, show);
    case SQL_SHOW_MASTER_LOGS:
        mysql_error_set_text(&s->error, 1381, "You are not using binary logging");
        return false;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof nothings / sizeof *nothings; i++)
        if (nothings[i].kind == show->kind)
            return show_nothing(s, nothings[i].columns);
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "this SHOW");
    return false;
}
