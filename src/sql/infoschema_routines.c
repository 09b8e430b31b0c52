/* information_schema.ROUTINES: the functions that plug-ins brought. */
#include "sql/function_plugin.h"
#include "sql/gateway_session.h"
#include "sql/infoschema_tables.h"

static const struct infoschema_column routines_columns[] = {INFO_TEXT("SPECIFIC_NAME"),
                                                            INFO_TEXT("ROUTINE_CATALOG"),
                                                            INFO_TEXT("ROUTINE_SCHEMA"),
                                                            INFO_TEXT("ROUTINE_NAME"),
                                                            INFO_TEXT("ROUTINE_TYPE"),
                                                            INFO_TEXT("DATA_TYPE"),
                                                            INFO_INT("CHARACTER_MAXIMUM_LENGTH"),
                                                            INFO_INT("CHARACTER_OCTET_LENGTH"),
                                                            INFO_INT("NUMERIC_PRECISION"),
                                                            INFO_INT("NUMERIC_SCALE"),
                                                            INFO_INT("DATETIME_PRECISION"),
                                                            INFO_TEXT("CHARACTER_SET_NAME"),
                                                            INFO_TEXT("COLLATION_NAME"),
                                                            INFO_TEXT("DTD_IDENTIFIER"),
                                                            INFO_TEXT("ROUTINE_BODY"),
                                                            INFO_TEXT("ROUTINE_DEFINITION"),
                                                            INFO_TEXT("EXTERNAL_NAME"),
                                                            INFO_TEXT("EXTERNAL_LANGUAGE"),
                                                            INFO_TEXT("PARAMETER_STYLE"),
                                                            INFO_TEXT("IS_DETERMINISTIC"),
                                                            INFO_TEXT("SQL_DATA_ACCESS"),
                                                            INFO_TEXT("SQL_PATH"),
                                                            INFO_TEXT("SECURITY_TYPE"),
                                                            INFO_TEXT("CREATED"),
                                                            INFO_TEXT("LAST_ALTERED"),
                                                            INFO_TEXT("SQL_MODE"),
                                                            INFO_TEXT("ROUTINE_COMMENT"),
                                                            INFO_TEXT("DEFINER"),
                                                            INFO_TEXT("CHARACTER_SET_CLIENT"),
                                                            INFO_TEXT("COLLATION_CONNECTION"),
                                                            INFO_TEXT("DATABASE_COLLATION")};

static const char *data_type(const struct quanta_function_signature *s)
{
    switch (s->result) {
    case QUANTA_PLUGIN_BOOL:
        return "tinyint";
    case QUANTA_PLUGIN_INT:
        return "bigint";
    case QUANTA_PLUGIN_DECIMAL:
        return "decimal";
    case QUANTA_PLUGIN_DOUBLE:
        return "double";
    case QUANTA_PLUGIN_DATE:
        return "date";
    case QUANTA_PLUGIN_DATETIME:
        return "datetime";
    default:
        return "varchar";
    }
}

static int put_routine(struct infoschema_rows *out, const struct quanta_function_signature *s,
                       const char *plugin, bool is_aggregate)
{
    bool is_volatile = s->flags & QUANTA_FUNCTION_VOLATILE;
    const char *const texts[] = {s->name,
                                 "def",
                                 SESSION_DATABASE,
                                 s->name,
                                 "FUNCTION",
                                 data_type(s),
                                 NULL,
                                 NULL,
                                 NULL,
                                 NULL,
                                 NULL,
                                 NULL,
                                 NULL,
                                 data_type(s),
                                 "EXTERNAL",
                                 NULL,
                                 plugin,
                                 "C",
                                 "SQL",
                                 is_volatile ? "NO" : "YES",
                                 "NO SQL",
                                 NULL,
                                 "INVOKER",
                                 NULL,
                                 NULL,
                                 NULL,
                                 is_aggregate ? "aggregate" : "function",
                                 NULL,
                                 NULL,
                                 NULL,
                                 NULL};

    if (infoschema_row(out) != 0)
        return -1;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        infoschema_put_text(out, texts[i]);
    return 0;
}

static int fill_routines(struct exec *x, struct infoschema_rows *out)
{
    const struct quanta_function_signature *s;
    const char *plugin;
    bool is_aggregate;

    (void)x;
    for (size_t i = 0; function_plugin_at(i, &s, &plugin, &is_aggregate); i++)
        if (put_routine(out, s, plugin, is_aggregate) != 0)
            return -1;
    return 0;
}

INFO_TABLE(infoschema_routines, "ROUTINES", routines_columns, fill_routines);
