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
};

const char *column_type_name(enum column_type t)
{
    ASSERT((unsigned)t < sizeof type_names / sizeof *type_names);
    return type_names[t];
}

const char *mapping_name(enum mapping m)
{
    ASSERT((unsigned)m < sizeof mapping_names / sizeof *mapping_names);
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
