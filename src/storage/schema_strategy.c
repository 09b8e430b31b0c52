/* Which mapping strategies there are, and which column types each of them serves. */
#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/schema_check.h"

#define TYPE(t) (1u << COLUMN_##t)

static const struct strategy {
    enum mapping mapping;
    unsigned types; /* bit per column_type */
} strategies[] = {
    {MAPPING_BOOL_DIRECT, TYPE(BOOL)},
    {MAPPING_INT_DIRECT, TYPE(INT)},
    {MAPPING_INT_BSI, TYPE(INT)},
    {MAPPING_FLOAT_SCALE_BSI, TYPE(DECIMAL)},
    {MAPPING_SYS_SEC_BSI, TYPE(DATE) | TYPE(DATETIME)},
    {MAPPING_SYS_MILLIS_BSI, TYPE(DATE) | TYPE(DATETIME)},
    {MAPPING_SYS_MICRO_BSI, TYPE(DATE) | TYPE(DATETIME)},
    {MAPPING_STRING_ENUM, TYPE(STRING)},
    {MAPPING_STRING_HASH_BSI, TYPE(STRING)},
    {MAPPING_PARENT_RELATION, TYPE(INT) | TYPE(STRING)},
};

enum { N_STRATEGIES = sizeof strategies / sizeof *strategies };

static const char *const documented[] = {
    "IntToBoolDirect", "StringToIntDirect", "BoolRegex",   "UUIDBSI",    "ChildRelation",
    "Custom",          "CustomBSI",         "IntLinear",   "IntBuckets", "FloatLinear",
    "FloatBuckets",    "YearToDay",         "YearToMonth", "Year",       "DayOfYear",
    "DayOfMonth",      "DayOfWeek",         "TimeOfDay",   "HourOfDay",  "Contains",
    "Delegated",       "TimestampBSI",      "StringBSI",
};

bool strategy_find(const char *name, enum mapping *out)
{
    for (unsigned i = 0; i < N_STRATEGIES; i++)
        if (strcmp(mapping_name(strategies[i].mapping), name) == 0) {
            *out = strategies[i].mapping;
            return true;
        }
    return false;
}

bool strategy_is_documented(const char *name)
{
    for (unsigned i = 0; i < sizeof documented / sizeof *documented; i++)
        if (strcmp(documented[i], name) == 0)
            return true;
    return false;
}

bool strategy_fits(enum column_type t, enum mapping m)
{
    for (unsigned i = 0; i < N_STRATEGIES; i++)
        if (strategies[i].mapping == m)
            return strategies[i].types >> t & 1;
    return false;
}

static void list(unsigned types, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = 0;
    for (unsigned i = 0; i < N_STRATEGIES && at < cap; i++)
        if (strategies[i].types & types)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? ", " : "",
                                   mapping_name(strategies[i].mapping));
}

void strategy_list(char *out, size_t cap)
{
    list(~0u, out, cap);
}

void strategy_list_for(enum column_type t, char *out, size_t cap)
{
    list(1u << t, out, cap);
}

bool column_type_find(const char *name, enum column_type *out)
{
    for (enum column_type t = COLUMN_BOOL; t <= COLUMN_STRING; t++)
        if (strcmp(column_type_name(t), name) == 0) {
            *out = t;
            return true;
        }
    return false;
}

enum column_layout strategy_layout(enum column_type t, enum mapping m, bool multi_valued)
{
    if (multi_valued)
        return LAYOUT_LIST;
    if (m == MAPPING_STRING_ENUM || m == MAPPING_BOOL_DIRECT || m == MAPPING_INT_DIRECT)
        return LAYOUT_ENUM;
    return t == COLUMN_STRING ? LAYOUT_CODED : LAYOUT_ORDERED;
}

uint8_t strategy_tick_scale(enum mapping m)
{
    return m == MAPPING_SYS_MICRO_BSI ? 6 : m == MAPPING_SYS_MILLIS_BSI ? 3 : 0;
}
