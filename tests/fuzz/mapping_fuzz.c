/* Texts as values of every kind of column: what is accepted must print and convert to the same. */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/mapping.h"

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

    memcpy(copy, data, size);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        convert(&columns[i], &in);
    convert_list(&in);
    free(copy);
    return 0;
}
