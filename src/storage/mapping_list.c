/*
 * Multi-valued columns: a text with delimiters or a list of texts to distinct values in order of
 * appearance.
 */
#include <errno.h>
#include <string.h>

#include "storage/mapping.h"
#include "storage/mapping_value.h"

/* Values collected so far. Lives in one call of mapping_convert_list. */
struct collect {
    const struct column *column;
    struct cell *items;
    uint32_t n, max;
    struct error_info *err;
};

static bool is_known(const struct collect *l, const struct cell *cell)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->items[i].len == cell->len && memcmp(l->items[i].bytes, cell->bytes, cell->len) == 0)
            return true;
    return false;
}

static int add(struct collect *l, const struct value *part)
{
    struct cell cell;
    size_t len;
    int rc = mapping_convert(l->column, part, &cell, l->err);

    if (rc != 0 || !cell.present)
        return rc;
    len = cell.len;
    mapping_trim(&cell.bytes, &len);
    cell.len = (uint32_t)len;
    if (len == 0 || is_known(l, &cell))
        return 0;
    if (l->n == l->max)
        return error_set(
            l->err, -E2BIG, 1406,
            "Data too long for column '%.64s': found more values; allowed: %u in a row",
            l->column->name, l->max);
    l->items[l->n++] = cell;
    return 0;
}

static int add_text(struct collect *l, const struct value *in)
{
    const char *at = in->bytes, *end = at + in->len;
    int rc = 0;

    while (rc == 0 && at < end) {
        const char *delim = memchr(at, l->column->delim, (size_t)(end - at));
        struct value part = {.kind = VALUE_TEXT,
                             .bytes = at,
                             .len = (uint32_t)((delim ? delim : end) - at)};

        rc = add(l, &part);
        at = delim ? delim + 1 : end;
    }
    return rc;
}

int mapping_convert_list(const struct column *c, const struct value *in, struct cell *items,
                         uint32_t max, uint32_t *n, struct error_info *err)
{
    /* Repeats are found by looking at all before, which a bound keeps cheap. */
    struct collect l = {.column = c,
                        .items = items,
                        .max = max < MAPPING_MAX_ITEMS ? max : MAPPING_MAX_ITEMS,
                        .err = err};
    int rc = 0;

    if (in->kind == VALUE_TEXT)
        rc = add_text(&l, in);
    else if (in->kind != VALUE_LIST)
        rc = add(&l, in);
    for (uint32_t i = 0; in->kind == VALUE_LIST && i < in->n_items && rc == 0; i++) {
        /* Texts of a list are values as they are, delimiters included. */
        if (in->items[i].kind == VALUE_TEXT || in->items[i].kind == VALUE_NULL)
            rc = add(&l, &in->items[i]);
        else
            rc = error_set(err, -EINVAL, 1366,
                           "Incorrect string value in a list for column '%.64s': found a number; "
                           "allowed: texts",
                           c->name);
    }
    *n = rc == 0 ? l.n : 0;
    return rc;
}
