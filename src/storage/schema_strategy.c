/* Which mapping strategies there are, which column types each serves, and the settings it takes. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/schema_check.h"

#define TYPE(t) (1u << COLUMN_##t)
#define TIMES (TYPE(DATE) | TYPE(DATETIME))
#define ALL (TYPE(BOOL) | TYPE(INT) | TYPE(DECIMAL) | TYPE(STRING) | TIMES)

static const struct strategy {
    enum mapping mapping;
    unsigned types;          /* bit per column_type; 0 = no column */
    unsigned bitmaps;        /* types for which there is a bitmap per value */
    const char *settings[4]; /* keys of `configuration`, the delimiter excepted */
} strategies[] = {
    {MAPPING_BOOL_DIRECT, TYPE(BOOL), ALL, {0}},
    {MAPPING_INT_TO_BOOL_DIRECT, TYPE(BOOL), ALL, {0}},
    {MAPPING_BOOL_REGEX, TYPE(BOOL), ALL, {"regex", "ignoreCase"}},
    {MAPPING_CONTAINS, TYPE(BOOL), ALL, {"text", "ignoreCase"}},
    {MAPPING_INT_DIRECT, TYPE(INT), ALL, {0}},
    {MAPPING_INT_BSI, TYPE(INT), 0, {0}},
    {MAPPING_STRING_TO_INT_DIRECT, TYPE(INT), ALL, {0}},
    {MAPPING_INT_LINEAR, TYPE(INT), ALL, {"min", "max", "step"}},
    {MAPPING_INT_BUCKETS, TYPE(INT), ALL, {"bounds"}},
    {MAPPING_FLOAT_SCALE_BSI, TYPE(DECIMAL), 0, {0}},
    {MAPPING_FLOAT_LINEAR, TYPE(DECIMAL), ALL, {"min", "max", "step"}},
    {MAPPING_FLOAT_BUCKETS, TYPE(DECIMAL), ALL, {"bounds"}},
    {MAPPING_SYS_SEC_BSI, TIMES, 0, {"seconds", "nanos"}},
    {MAPPING_SYS_MILLIS_BSI, TIMES, 0, {"seconds", "nanos"}},
    {MAPPING_SYS_MICRO_BSI, TIMES, 0, {"seconds", "nanos"}},
    {MAPPING_YEAR_TO_DAY, TYPE(DATE) | TYPE(INT), 0, {0}},
    {MAPPING_YEAR_TO_MONTH, TYPE(DATE) | TYPE(INT), ALL, {0}},
    {MAPPING_YEAR, TYPE(INT), ALL, {0}},
    {MAPPING_DAY_OF_YEAR, TYPE(INT), ALL, {0}},
    {MAPPING_DAY_OF_MONTH, TYPE(INT), ALL, {0}},
    {MAPPING_DAY_OF_WEEK, TYPE(INT), ALL, {0}},
    {MAPPING_TIME_OF_DAY, TYPE(INT) | TYPE(STRING), TYPE(STRING), {"step"}},
    {MAPPING_HOUR_OF_DAY, TYPE(INT), ALL, {0}},
    {MAPPING_STRING_ENUM, TYPE(STRING), ALL, {0}},
    {MAPPING_STRING_HASH_BSI, TYPE(STRING), 0, {0}},
    {MAPPING_UUID_BSI, TYPE(STRING), 0, {"upperSource", "lowerSource"}},
    {MAPPING_PARENT_RELATION, TYPE(INT) | TYPE(STRING), 0, {0}},
    {MAPPING_CUSTOM, ALL, ALL, {0}},
    {MAPPING_CUSTOM_BSI, ALL, 0, {0}},
    {MAPPING_CHILD_RELATION, 0, 0, {0}},
    {MAPPING_DELEGATED, 0, 0, {0}},
};

enum { N_STRATEGIES = sizeof strategies / sizeof *strategies };

_Static_assert((int)N_STRATEGIES == (int)MAPPING_COUNT, "every strategy has its row");

/* Names that the original documents for what others do here. */
static const struct {
    const char *name;
    enum mapping mapping;
} other_names[] = {{"TimestampBSI", MAPPING_SYS_MICRO_BSI}, {"StringBSI", MAPPING_STRING_HASH_BSI}};

static const struct strategy *row_of(enum mapping m)
{
    for (unsigned i = 0; i < N_STRATEGIES; i++)
        if (strategies[i].mapping == m)
            return &strategies[i];
    return NULL;
}

bool strategy_find(const char *name, enum mapping *out)
{
    for (enum mapping m = 0; m < MAPPING_COUNT; m++)
        if (strcmp(mapping_name(m), name) == 0) {
            *out = m;
            return true;
        }
    for (unsigned i = 0; i < sizeof other_names / sizeof *other_names; i++)
        if (strcmp(other_names[i].name, name) == 0) {
            *out = other_names[i].mapping;
            return true;
        }
    return false;
}

bool strategy_is_column(enum mapping m)
{
    return row_of(m)->types != 0;
}

bool strategy_fits(enum column_type t, enum mapping m)
{
    return row_of(m)->types >> t & 1;
}

const char *strategy_setting(enum mapping m, const char *key)
{
    const struct strategy *s = row_of(m);

    for (unsigned i = 0; i < 4 && s->settings[i]; i++)
        if (strcasecmp(s->settings[i], key) == 0)
            return s->settings[i];
    return NULL;
}

static void list(unsigned types, char *out, size_t cap)
{
    size_t at = 0;

    out[0] = 0;
    for (unsigned i = 0; i < N_STRATEGIES && at < cap; i++)
        if (types == 0 || strategies[i].types & types)
            at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? ", " : "",
                                   mapping_name(strategies[i].mapping));
}

void strategy_list(char *out, size_t cap)
{
    list(0, out, cap);
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
    if (row_of(m)->bitmaps >> t & 1)
        return LAYOUT_ENUM;
    return t == COLUMN_STRING ? LAYOUT_CODED : LAYOUT_ORDERED;
}

uint8_t strategy_tick_scale(enum mapping m)
{
    switch (m) {
    case MAPPING_SYS_MILLIS_BSI:
        return 3;
    case MAPPING_SYS_MICRO_BSI:
    case MAPPING_CUSTOM: /* a plug-in may give any time */
    case MAPPING_CUSTOM_BSI:
        return 6;
    default:
        return 0;
    }
}
