/* Texts as values of every kind of column: what is accepted must print and convert to the same. */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/mapping.h"
#include "storage/mapping_rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name[] = "c";

static void convert(const struct column *c, const struct value *in)
{
    struct error_info err = {0};
    struct cell cell, again;
    char text[64];
    struct value back = {.kind = VALUE_TEXT, .bytes = text};

    if (mapping_convert(c, in, &cell, &err) != 0) {
        ASSERT(err.code && err.text[0]);
        return;
    }
    ASSERT(cell.present);
    if (c->type == COLUMN_STRING) {
        ASSERT(cell.len == in->len &&
               (cell.len == 0 || memcmp(cell.bytes, in->bytes, cell.len) == 0));
        return;
    }
    back.len = (uint32_t)mapping_print(c, &cell, text, sizeof text);
    ASSERT(mapping_convert(c, &back, &again, &err) == 0 && again.i64 == cell.i64);
}

static void convert_list(const struct value *in)
{
    static const struct column list = {.name = name,
                                       .type = COLUMN_STRING,
                                       .mapping = MAPPING_STRING_ENUM,
                                       .multi_valued = true,
                                       .delim = ','};
    struct error_info err = {0};
    struct cell items[64];
    uint32_t n;

    if (mapping_convert_list(&list, in, items, 64, &n, &err) != 0)
        return;
    for (uint32_t i = 0; i < n; i++) {
        ASSERT(items[i].present && items[i].len && items[i].bytes >= in->bytes);
        ASSERT(items[i].bytes + items[i].len <= in->bytes + in->len);
    }
}

/* Strategies with settings: columns made once, as a table has them. */
static const struct column *special_columns(size_t *n)
{
    static const struct {
        enum column_type type;
        enum mapping mapping;
        uint8_t scale;
        const char *settings[6];
    } made_of[] = {
        {COLUMN_BOOL, MAPPING_INT_TO_BOOL_DIRECT, 0, {0}},
        {COLUMN_BOOL, MAPPING_BOOL_REGEX, 0, {"regex", "^(a|b)+@.*[0-9]$"}},
        {COLUMN_BOOL, MAPPING_CONTAINS, 0, {"text", "ab", "ignoreCase", "true"}},
        {COLUMN_INT, MAPPING_INT_LINEAR, 0, {"min", "-100", "max", "1000", "step", "7"}},
        {COLUMN_INT, MAPPING_INT_BUCKETS, 0, {"bounds", "-9000000000,0,5,77"}},
        {COLUMN_DECIMAL, MAPPING_FLOAT_LINEAR, 2, {"min", "-1.5", "max", "1e6", "step", "0.25"}},
        {COLUMN_DECIMAL, MAPPING_FLOAT_BUCKETS, 3, {"bounds", "-1,0.001,3"}},
        {COLUMN_DATE, MAPPING_YEAR_TO_DAY, 0, {0}},
        {COLUMN_INT, MAPPING_YEAR_TO_DAY, 0, {0}},
        {COLUMN_DATE, MAPPING_YEAR_TO_MONTH, 0, {0}},
        {COLUMN_INT, MAPPING_YEAR_TO_MONTH, 0, {0}},
        {COLUMN_INT, MAPPING_YEAR, 0, {0}},
        {COLUMN_INT, MAPPING_DAY_OF_YEAR, 0, {0}},
        {COLUMN_INT, MAPPING_DAY_OF_MONTH, 0, {0}},
        {COLUMN_INT, MAPPING_DAY_OF_WEEK, 0, {0}},
        {COLUMN_INT, MAPPING_HOUR_OF_DAY, 0, {0}},
        {COLUMN_INT, MAPPING_TIME_OF_DAY, 0, {"step", "60"}},
        {COLUMN_STRING, MAPPING_TIME_OF_DAY, 0, {"step", "7"}},
        {COLUMN_STRING, MAPPING_UUID_BSI, 0, {0}},
    };
    static struct column columns[sizeof made_of / sizeof *made_of];

    *n = sizeof made_of / sizeof *made_of;
    for (size_t i = 0; i < *n && !columns[i].name; i++) {
        struct schema_fault f;

        columns[i] = (struct column){.name = name,
                                     .type = made_of[i].type,
                                     .mapping = made_of[i].mapping,
                                     .scale = made_of[i].scale};
        for (unsigned k = 0; k < 6 && made_of[i].settings[k]; k += 2)
            ASSERT(schema_set_config(&columns[i], made_of[i].settings[k],
                                     made_of[i].settings[k + 1]) == 0);
        ASSERT(mapping_rule_new(&columns[i], 0, true, &f) == 0);
    }
    return columns;
}

/* What was made of the text is kept as it is when it comes again the way SQL gives it. */
static void convert_special(const struct column *c, const struct value *in)
{
    struct value back = {.kind = VALUE_INT};
    struct error_info err = {0};
    struct cell cell, again;

    if (mapping_convert(c, in, &cell, &err) != 0) {
        ASSERT(err.code && err.text[0]);
        return;
    }
    ASSERT(cell.present);
    if (c->type == COLUMN_STRING)
        back = (struct value){.kind = VALUE_TEXT, .bytes = cell.bytes, .len = cell.len};
    else if (c->type == COLUMN_DECIMAL)
        back = (struct value){.kind = VALUE_DECIMAL, .i128 = cell.i64, .scale = c->scale};
    else if (c->type == COLUMN_DATE)
        back = (struct value){.kind = VALUE_DATE, .i64 = cell.i64};
    else
        back.i64 = cell.i64;
    ASSERT(mapping_convert(c, &back, &again, &err) == 0 && again.i64 == cell.i64);
    ASSERT(again.len == cell.len && (!cell.len || !memcmp(again.bytes, cell.bytes, cell.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct column columns[] = {
        {.name = name, .type = COLUMN_BOOL, .mapping = MAPPING_BOOL_DIRECT},
        {.name = name, .type = COLUMN_INT, .mapping = MAPPING_INT_BSI},
        {.name = name, .type = COLUMN_DECIMAL, .mapping = MAPPING_FLOAT_SCALE_BSI},
        {.name = name, .type = COLUMN_DECIMAL, .scale = 18},
        {.name = name, .type = COLUMN_DATE, .mapping = MAPPING_SYS_SEC_BSI},
        {.name = name, .type = COLUMN_DATETIME, .mapping = MAPPING_SYS_SEC_BSI},
        {.name = name, .type = COLUMN_DATETIME, .mapping = MAPPING_SYS_MILLIS_BSI, .scale = 3},
        {.name = name, .type = COLUMN_DATETIME, .mapping = MAPPING_SYS_MICRO_BSI, .scale = 6},
        {.name = name, .type = COLUMN_STRING, .mapping = MAPPING_STRING_HASH_BSI},
    };
    char *copy = malloc(size ? size : 1); /* exact size, so that one byte too far is seen */
    struct value in = {.kind = VALUE_TEXT, .bytes = copy, .len = (uint32_t)size};
    const struct column *special;
    size_t n;

    memcpy(copy, data, size);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        convert(&columns[i], &in);
    convert_list(&in);
    special = special_columns(&n);
    for (size_t i = 0; i < n; i++)
        convert_special(&special[i], &in);
    free(copy);
    return 0;
}
