/* Names of column types and mapping strategies, and the error record. */
#include "storage/type.h"

#include <stdarg.h>
#include <stdio.h>

#include "reactor/assert.h"

static const char *const type_names[] = {
    [COLUMN_BOOL] = "Boolean", [COLUMN_INT] = "Integer",       [COLUMN_DECIMAL] = "Float",
    [COLUMN_DATE] = "Date",    [COLUMN_DATETIME] = "DateTime", [COLUMN_STRING] = "String",
};

static const char *const mapping_names[] = {
    [MAPPING_BOOL_DIRECT] = "BoolDirect",
    [MAPPING_INT_DIRECT] = "IntDirect",
    [MAPPING_INT_BSI] = "IntBSI",
    [MAPPING_FLOAT_SCALE_BSI] = "FloatScaleBSI",
    [MAPPING_SYS_SEC_BSI] = "SysSecBSI",
    [MAPPING_SYS_MILLIS_BSI] = "SysMillisBSI",
    [MAPPING_SYS_MICRO_BSI] = "SysMicroBSI",
    [MAPPING_STRING_ENUM] = "StringEnum",
    [MAPPING_STRING_HASH_BSI] = "StringHashBSI",
    [MAPPING_PARENT_RELATION] = "ParentRelation",
    [MAPPING_INT_TO_BOOL_DIRECT] = "IntToBoolDirect",
    [MAPPING_STRING_TO_INT_DIRECT] = "StringToIntDirect",
    [MAPPING_INT_LINEAR] = "IntLinear",
    [MAPPING_INT_BUCKETS] = "IntBuckets",
    [MAPPING_FLOAT_LINEAR] = "FloatLinear",
    [MAPPING_FLOAT_BUCKETS] = "FloatBuckets",
    [MAPPING_YEAR_TO_DAY] = "YearToDay",
    [MAPPING_YEAR_TO_MONTH] = "YearToMonth",
    [MAPPING_YEAR] = "Year",
    [MAPPING_DAY_OF_YEAR] = "DayOfYear",
    [MAPPING_DAY_OF_MONTH] = "DayOfMonth",
    [MAPPING_DAY_OF_WEEK] = "DayOfWeek",
    [MAPPING_TIME_OF_DAY] = "TimeOfDay",
    [MAPPING_HOUR_OF_DAY] = "HourOfDay",
    [MAPPING_UUID_BSI] = "UUIDBSI",
    [MAPPING_BOOL_REGEX] = "BoolRegex",
    [MAPPING_CONTAINS] = "Contains",
    [MAPPING_CUSTOM] = "Custom",
    [MAPPING_CUSTOM_BSI] = "CustomBSI",
    [MAPPING_CHILD_RELATION] = "ChildRelation",
    [MAPPING_DELEGATED] = "Delegated",
};

const char *column_type_name(enum column_type t)
{
    ASSERT((unsigned)t < sizeof type_names / sizeof *type_names);
    return type_names[t];
}

const char *mapping_name(enum mapping m)
{
    ASSERT((unsigned)m < MAPPING_COUNT);
    return mapping_names[m];
}

int error_set(struct error_info *e, int rc, int code, const char *fmt, ...)
{
    va_list args;

    if (!e)
        return rc;
    e->code = code;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    return rc;
}
