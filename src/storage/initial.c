#include "storage/initial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/batch.h"
#include "storage/dict.h"
#include "storage/mapping_value.h"

enum { ITEM_SEPARATOR = 0x1f, NUMBER_BYTES = 64 };

static int refuse_memory(const struct column *c, struct error_info *err)
{
    return error_set(err, -ENOMEM, 1037, "out of memory for the default of column '%.64s'",
                     c->name);
}

static int take(const struct column *c, char *text, char **out, struct error_info *err)
{
    if (!text)
        return refuse_memory(c, err);
    free(*out);
    *out = text;
    return 0;
}

static int take_nothing(char **out)
{
    free(*out);
    *out = NULL;
    return 0;
}

static int join_items(const struct column *c, const struct cell *items, uint32_t n, char **out,
                      struct error_info *err)
{
    size_t bytes = 1, at = 0;
    char *text;

    for (uint32_t i = 0; i < n; i++)
        bytes += items[i].len + 1;
    text = malloc(bytes);
    for (uint32_t i = 0; text && i < n; i++) {
        if (i)
            text[at++] = ITEM_SEPARATOR;
        memcpy(text + at, items[i].bytes, items[i].len);
        at += items[i].len;
    }
    if (text)
        text[at] = 0;
    return take(c, text, out, err);
}

static int make_list(const struct column *c, const struct value *in, char **out,
                     struct error_info *err)
{
    struct cell *items = malloc(MAPPING_MAX_ITEMS * sizeof *items);
    uint32_t n = 0;
    int rc = items ? mapping_convert_list(c, in, items, MAPPING_MAX_ITEMS, &n, err)
                   : refuse_memory(c, err);

    if (rc == 0)
        rc = n ? join_items(c, items, n, out, err) : take_nothing(out);
    free(items);
    return rc;
}

int initial_make(const struct column *c, const char *input, char **out, struct error_info *err)
{
    struct value in = {.kind = VALUE_TEXT, .bytes = input, .len = (uint32_t)strlen(input)};
    char number[NUMBER_BYTES];
    struct cell cell;
    int rc;

    if (c->multi_valued)
        return make_list(c, &in, out, err);
    rc = mapping_convert(c, &in, &cell, err);
    if (rc != 0)
        return rc;
    if (!cell.present)
        return take_nothing(out);
    if (c->type == COLUMN_STRING)
        return take(c, strndup(cell.bytes, cell.len), out, err);
    return take(c, strndup(number, mapping_print(c, &cell, number, sizeof number)), out, err);
}

/* By its type alone: what a strategy makes of input was made before. */
static bool read_cell(const struct column *c, struct cell *out)
{
    struct value in = {.kind = VALUE_TEXT, .bytes = c->initial_value};

    *out = (struct cell){.present = true};
    in.len = (uint32_t)strlen(c->initial_value);
    if (c->type == COLUMN_STRING) {
        out->bytes = in.bytes;
        out->len = in.len;
        return true;
    }
    return mapping_convert_by_type(c, &in, out) == CONVERT_OK;
}

static bool next_item(const char **at, const char **item, uint32_t *len)
{
    const char *end;

    if (!*at)
        return false;
    end = strchr(*at, ITEM_SEPARATOR);
    *item = *at;
    *len = end ? (uint32_t)(end - *at) : (uint32_t)strlen(*at);
    *at = end ? end + 1 : NULL;
    return true;
}

static uint32_t count_items(const char *text)
{
    const char *item;
    uint32_t n = 0, len;

    while (next_item(&text, &item, &len))
        n++;
    return n;
}

bool initial_is_valid(const struct column *c)
{
    struct cell cell;

    if (!c->initial_value)
        return true;
    return c->multi_valued ? count_items(c->initial_value) <= MAPPING_MAX_ITEMS
                           : read_cell(c, &cell);
}

static int put_list(const struct column *c, struct dict *values, struct dict *lists, uint32_t *code)
{
    uint32_t *codes = malloc(count_items(c->initial_value) * sizeof *codes), n = 0, len;
    const char *at = c->initial_value, *item;
    int rc = codes ? 0 : -ENOMEM;

    while (rc == 0 && next_item(&at, &item, &len))
        rc = dict_put_bytes(values, item, len, &codes[n++]);
    if (rc == 0)
        rc = dict_put_list(lists, codes, n, code);
    free(codes);
    return rc;
}

int initial_value(const struct column *c, struct dict *values, struct dict *lists, int64_t *value,
                  bool *present)
{
    struct cell cell;
    uint32_t code = 0;
    int rc = 0;

    *value = 0;
    *present = c->initial_value && (c->multi_valued || read_cell(c, &cell));
    if (!*present)
        return 0;
    if (c->layout == LAYOUT_LIST)
        rc = put_list(c, values, lists, &code);
    else if (c->layout == LAYOUT_ORDERED)
        *value = cell.i64;
    else if (c->type == COLUMN_STRING)
        rc = dict_put_bytes(values, cell.bytes, cell.len, &code);
    else
        rc = dict_put_int(values, cell.i64, &code);
    if (c->layout != LAYOUT_ORDERED)
        *value = code;
    return rc;
}

int initial_put(const struct column *c, struct batch_builder *to, unsigned column)
{
    const char *at = c->initial_value, *item;
    struct cell cell;
    uint32_t len;
    int rc = 0;

    if (!at)
        return 0;
    if (c->layout == LAYOUT_LIST) {
        while (rc == 0 && next_item(&at, &item, &len))
            rc = batch_builder_put_list_item(to, column, item, len);
        return rc;
    }
    if (!read_cell(c, &cell))
        return 0;
    return c->type == COLUMN_STRING ? batch_builder_put_bytes(to, column, cell.bytes, cell.len)
                                    : batch_builder_put_i64(to, column, cell.i64);
}
