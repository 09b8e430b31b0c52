#include "ingest/parquet_cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_format.h"
#include "reactor/assert.h"

int parquet_cursor_init(struct parquet_cursor *c, const struct parquet_column *column,
                        struct parquet_error *err)
{
    c->column = column;
    parquet_vector_init(&c->dict, column->kind, false);
    if (column->max_rep > 0) {
        c->rep_buf = malloc(PARQUET_LEVEL_STEP * sizeof(*c->rep_buf));
        if (!c->rep_buf)
            return parquet_fail_memory(err, "a column");
    }
    return 0;
}

int parquet_cursor_start(struct parquet_cursor *c, const struct parquet_source *src,
                         const struct parquet_chunk *chunk, uint32_t group,
                         struct parquet_error *err)
{
    const char *why = chunk->is_encrypted ? "is encrypted" : "has its values in another file";
    if (chunk->is_encrypted || chunk->is_external)
        return parquet_fail(err, -ENOTSUP, "row group %u, column '%s' %s, which is not supported",
                            group, c->column->path, why);
    c->chunk = chunk;
    c->group = group;
    c->page_number = 0;
    c->entries_left = chunk->value_count;
    c->page_left = 0;
    c->has_dict = false;
    c->rep_from = 0;
    c->rep_len = 0;
    parquet_stream_start(&c->page.stream, src, chunk->offset, chunk->offset + chunk->len);
    return 0;
}

static int read_dictionary(struct parquet_cursor *c, struct parquet_error *err)
{
    const struct parquet_page_header *h = &c->page.header;
    size_t count = (size_t)h->value_count;
    size_t width = parquet_column_width(c->column);
    if (c->has_dict)
        return parquet_fail(err, -EBADMSG, "a second dictionary page");
    if (h->encoding != PARQUET_ENCODING_PLAIN && h->encoding != PARQUET_ENCODING_PLAIN_DICTIONARY)
        return parquet_fail(err, -EBADMSG,
                            "a dictionary page in encoding %d (%s), allowed is PLAIN", h->encoding,
                            parquet_encoding_name(h->encoding));
    if (c->column->physical == PARQUET_TYPE_BOOLEAN)
        return parquet_fail(err, -EBADMSG, "a dictionary page for booleans");
    if (count > c->page.body_len / (width ? width : sizeof(uint32_t)))
        return parquet_fail(err, -EBADMSG, "a dictionary of %zu values in %zu bytes", count,
                            c->page.body_len);
    parquet_vector_clear(&c->dict);
    int rc = parquet_values_start(&c->values, c->column, PARQUET_ENCODING_PLAIN, c->page.body,
                                  c->page.body_len, count, NULL, err);
    if (rc == 0)
        rc = parquet_values_read(&c->values, count, &c->dict, err);
    c->has_dict = rc == 0;
    return rc;
}

static int fail_levels(const char *what, struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG, "the %s levels end too early", what);
}

/* Levels of the first page version: at the start of the body, their length before them, or implied
 * with the deprecated bit packing. */
static int start_levels(struct parquet_levels *l, unsigned max, int encoding, uint64_t count,
                        const uint8_t **pos, size_t *left, const char *what,
                        struct parquet_error *err)
{
    unsigned width = parquet_bits_for(max);
    size_t len;
    l->max = (uint8_t)max;
    l->packed = NULL;
    if (max == 0)
        return 0;
    if (encoding == PARQUET_ENCODING_BIT_PACKED) {
        len = (size_t)((count * width + 7) / 8);
        l->packed = *pos;
        l->bit = 0;
    } else if (encoding == PARQUET_ENCODING_RLE) {
        uint32_t announced;
        if (*left < sizeof(announced))
            return fail_levels(what, err);
        memcpy(&announced, *pos, sizeof(announced));
        len = announced;
        *pos += sizeof(announced);
        *left -= sizeof(announced);
    } else {
        return parquet_fail(err, -EBADMSG,
                            "%s levels in encoding %d (%s), allowed are RLE and "
                            "BIT_PACKED",
                            what, encoding, parquet_encoding_name(encoding));
    }
    if (len > *left)
        return fail_levels(what, err);
    if (!l->packed)
        parquet_rle_init(&l->rle, *pos, len, width);
    *pos += len;
    *left -= len;
    return 0;
}

static void start_levels_v2(struct parquet_levels *l, unsigned max, const uint8_t *bytes,
                            size_t len)
{
    l->max = (uint8_t)max;
    l->packed = NULL;
    parquet_rle_init(&l->rle, bytes, len, parquet_bits_for(max));
}

static int read_levels(struct parquet_levels *l, uint32_t *out, size_t n, const char *what,
                       struct parquet_error *err)
{
    if (l->packed) {
        unsigned width = parquet_bits_for(l->max);
        parquet_bits_unpack_msb(l->packed, l->bit, width, out, n);
        l->bit += (uint64_t)n * width;
    } else if (parquet_rle_read(&l->rle, out, n) != n) {
        return fail_levels(what, err);
    }
    uint32_t max = 0;
    for (size_t i = 0; i < n; i++)
        max = out[i] > max ? out[i] : max;
    if (max > l->max)
        return parquet_fail(err, -EBADMSG, "a %s level of %u, allowed are up to %u", what, max,
                            l->max);
    return 0;
}

static int start_data_page(struct parquet_cursor *c, struct parquet_error *err)
{
    const struct parquet_page_header *h = &c->page.header;
    uint64_t count = (uint64_t)h->value_count;
    const uint8_t *pos = c->page.body;
    size_t left = c->page.body_len;
    if (count > c->entries_left)
        return parquet_fail(err, -EBADMSG,
                            "the page has %llu values, the column chunk only %llu "
                            "more",
                            (unsigned long long)count, (unsigned long long)c->entries_left);
    if (h->type == PARQUET_PAGE_DATA_V2) {
        start_levels_v2(&c->rep, c->column->max_rep, c->page.levels, (size_t)h->rep_len);
        start_levels_v2(&c->def, c->column->max_def, c->page.levels + h->rep_len,
                        (size_t)h->def_len);
    } else {
        int rc = start_levels(&c->rep, c->column->max_rep, h->rep_encoding, count, &pos, &left,
                              "repetition", err);
        if (rc == 0)
            rc = start_levels(&c->def, c->column->max_def, h->def_encoding, count, &pos, &left,
                              "definition", err);
        if (rc < 0)
            return rc;
    }
    c->entries_left -= count;
    c->page_left = count;
    /* A page without entries may lack everything else as well. */
    return count == 0 ? 0
                      : parquet_values_start(&c->values, c->column, h->encoding, pos, left, count,
                                             c->has_dict ? &c->dict : NULL, err);
}

/* Goes on to the next data page with entries. Only called when the chunk has entries left. */
static int next_page(struct parquet_cursor *c, struct parquet_error *err)
{
    while (c->page_left == 0) {
        int rc = parquet_page_next(&c->page, c->chunk->codec, err);
        if (rc < 0)
            return rc;
        if (c->page.header.type == PARQUET_PAGE_DICTIONARY)
            rc = read_dictionary(c, err);
        else if (c->page.header.type == PARQUET_PAGE_DATA ||
                 c->page.header.type == PARQUET_PAGE_DATA_V2)
            rc = start_data_page(c, err);
        if (rc < 0)
            return rc;
        c->page_number++;
        if (c->page_left == 0 && c->entries_left == 0)
            return 0;
    }
    return 0;
}

static int fail_rows(size_t rows, struct parquet_error *err)
{
    return parquet_fail(err, -EBADMSG, "the column chunk ends %zu rows before the row group does",
                        rows);
}

/* Marks the next at most n entries as values or NULLs in `valid`. Sets how many were marked and how
 * many of them are values. */
static int read_validity(struct parquet_cursor *c, uint8_t *valid, size_t *n, size_t *values,
                         struct parquet_error *err)
{
    uint32_t buf[PARQUET_LEVEL_STEP];
    uint32_t max = c->column->max_def;
    size_t run = max == 0 ? *n : !c->def.packed ? parquet_rle_skip_run(&c->def.rle, max, *n) : 0;
    if (run > 0) {
        memset(valid, 1, run);
        *n = *values = run;
        return 0;
    }
    *n = *n < PARQUET_LEVEL_STEP ? *n : PARQUET_LEVEL_STEP;
    *values = 0;
    int rc = read_levels(&c->def, buf, *n, "definition", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < *n; i++) {
        valid[i] = buf[i] == max;
        *values += valid[i];
    }
    return 0;
}

static int read_flat(struct parquet_cursor *c, size_t rows, struct parquet_vector *out,
                     struct parquet_error *err)
{
    int rc = parquet_vector_reserve(out, rows, err);
    while (rows > 0 && rc == 0) {
        if (c->page_left == 0) {
            if (c->entries_left == 0)
                return fail_rows(rows, err);
            rc = next_page(c, err);
            continue;
        }
        size_t n = rows < c->page_left ? rows : (size_t)c->page_left, values;
        rc = read_validity(c, out->valid + out->count, &n, &values, err);
        if (rc == 0)
            rc = parquet_values_read(&c->values, values, out, err);
        if (rc == 0)
            parquet_vector_spread(out, n, values);
        c->page_left -= n;
        rows -= n;
    }
    return rc;
}

/* Decodes more repetition levels. Leaves none when the chunk is at its end. */
static int fill_rep(struct parquet_cursor *c, struct parquet_error *err)
{
    while (c->rep_from == c->rep_len) {
        if (c->page_left == 0) {
            if (c->entries_left == 0)
                return 0;
            int rc = next_page(c, err);
            if (rc < 0 || c->page_left == 0)
                return rc;
        }
        size_t n = c->page_left < PARQUET_LEVEL_STEP ? (size_t)c->page_left : PARQUET_LEVEL_STEP;
        int rc = read_levels(&c->rep, c->rep_buf, n, "repetition", err);
        if (rc < 0)
            return rc;
        c->rep_from = 0;
        c->rep_len = n;
        c->page_left -= n;
    }
    return 0;
}

/* Appends the elements of n entries whose repetition levels are at rep. */
static int append_entries(struct parquet_cursor *c, const uint32_t *rep, size_t n,
                          struct parquet_vector *out, struct parquet_error *err)
{
    uint32_t def[PARQUET_LEVEL_STEP];
    const struct parquet_column *col = c->column;
    size_t elements = 0, values = 0;
    int rc = read_levels(&c->def, def, n, "definition", err);
    if (rc == 0)
        rc = parquet_vector_reserve(out, n, err);
    if (rc < 0)
        return rc;
    uint8_t *valid = out->valid + out->count;
    for (size_t i = 0; i < n; i++) {
        if (rep[i] == 0) {
            out->lists[out->rows] = (uint32_t)(out->count + elements);
            out->list_valid[out->rows++] = def[i] + 1 >= col->list_def;
        }
        if (def[i] >= col->element_def) {
            valid[elements] = def[i] == col->max_def;
            values += valid[elements++];
        }
    }
    rc = parquet_values_read(&c->values, values, out, err);
    if (rc == 0)
        parquet_vector_spread(out, elements, values);
    out->lists[out->rows] = (uint32_t)out->count;
    return rc;
}

static int read_lists(struct parquet_cursor *c, size_t rows, struct parquet_vector *out,
                      struct parquet_error *err)
{
    int rc = parquet_vector_reserve_rows(out, rows, err);
    size_t begun = 0;
    while (rc == 0) {
        rc = fill_rep(c, err);
        if (rc < 0)
            return rc;
        /* Earlier calls ended where a row begins, so only a chunk's first value can be wrong. */
        if (begun == 0 && c->rep_from < c->rep_len && c->rep_buf[c->rep_from] > 0)
            return parquet_fail(err, -EBADMSG,
                                "the first repetition level of the column chunk is %u, must be 0",
                                c->rep_buf[c->rep_from]);
        /* A row goes on until another begins, possibly in a later page. */
        size_t to = c->rep_from;
        while (to < c->rep_len && (c->rep_buf[to] > 0 || begun < rows))
            begun += c->rep_buf[to++] == 0;
        if (to == c->rep_from)
            break;
        rc = append_entries(c, c->rep_buf + c->rep_from, to - c->rep_from, out, err);
        c->rep_from = to;
    }
    return rc == 0 && begun < rows ? fail_rows(rows - begun, err) : rc;
}

static void add_place(struct parquet_cursor *c, struct parquet_error *err)
{
    parquet_error_prefix(err, "row group %u, column '%.100s', page %u at offset %llu: ", c->group,
                         c->column->path, c->page_number, (unsigned long long)c->page.offset);
}

int parquet_cursor_read(struct parquet_cursor *c, size_t rows, struct parquet_vector *out,
                        struct parquet_error *err)
{
    if (rows == 0)
        return 0;
    int rc = c->column->max_rep > 0 ? read_lists(c, rows, out, err) : read_flat(c, rows, out, err);
    if (rc < 0)
        add_place(c, err);
    return rc;
}

int parquet_cursor_finish(struct parquet_cursor *c, struct parquet_error *err)
{
    uint64_t left = c->entries_left + c->page_left + (c->rep_len - c->rep_from);
    if (left == 0)
        return 0;
    parquet_fail(err, -EBADMSG, "%llu values are left when all rows of the row group are read",
                 (unsigned long long)left);
    add_place(c, err);
    return -EBADMSG;
}

void parquet_cursor_fini(struct parquet_cursor *c)
{
    parquet_page_fini(&c->page);
    parquet_values_fini(&c->values);
    parquet_vector_fini(&c->dict);
    free(c->rep_buf);
    memset(c, 0, sizeof(*c));
}
