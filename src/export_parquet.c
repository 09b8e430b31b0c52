#include "export_parquet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ingest/export_stream.h"
#include "ingest/parquet_writer.h"
#include "reactor/budget.h"
#include "sql/decimal.h"
#include "sql/mysql_result.h"
#include "sql/value_convert.h"

enum {
    ROWS_AT_ONCE = 512,
    TEXT_AT_ONCE = 1 << 20,
    GROUP_ROWS = 1 << 20,
    GROUP_BYTES = 32 << 20,
    PAGE_BYTES = 256 << 10, /* a core compresses a page at a time: below a millisecond */
    DECIMAL_DIGITS = 38,
};

struct export_parquet {
    struct parquet_writer *writer;
    struct budget *budget;
    uint64_t charged;
    struct export_stream *to;
    uint32_t n;
    struct value_type *types;
    struct parquet_vector *vectors; /* rows that the writer has not got yet */
    size_t rows, text_bytes;
};

static int fail(struct error_info *err, int rc, const struct parquet_error *why)
{
    return error_set(err, rc,
                     rc == -ENOMEM   ? 1041
                     : rc == -ERANGE ? 1264
                                     : 1105,
                     "Parquet: %s", why->text);
}

/* ---- columns ---- */

static int find_codec(const char *name, enum parquet_codec *out)
{
    static const struct {
        const char *name;
        enum parquet_codec codec;
    } codecs[] = {{"snappy", PARQUET_CODEC_SNAPPY},
                  {"zstd", PARQUET_CODEC_ZSTD},
                  {"none", PARQUET_CODEC_NONE}};

    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        if (strcasecmp(name, codecs[i].name) == 0) {
            *out = codecs[i].codec;
            return 0;
        }
    return -EINVAL;
}

int export_parquet_check(const struct export_want *want, struct error_info *err)
{
    enum parquet_codec codec;

    if (!want->compression)
        return 0;
    if (!want->is_parquet)
        return error_set(err, -EINVAL, 1210, "compression: allowed with format parquet only");
    return find_codec(want->compression, &codec) == 0
               ? 0
               : error_set(err, -EINVAL, 1210,
                           "compression: found '%.40s'; allowed: snappy, zstd, none",
                           want->compression);
}

static void specify_decimal(struct parquet_column_spec *c, const struct value_type *t)
{
    unsigned digits =
        t->precision && t->precision <= DECIMAL_DIGITS ? t->precision : DECIMAL_DIGITS;

    c->logical = PARQUET_LOGICAL_DECIMAL;
    c->precision = (int32_t)(digits < t->scale ? t->scale : digits);
    c->scale = t->scale;
    c->physical = c->precision <= 18 ? PARQUET_TYPE_INT64 : PARQUET_TYPE_FIXED;
    c->type_length = c->precision <= 18 ? 0 : 16;
}

/* Times of day go as text: MySQL's are durations, which may be negative or longer than a day. */
static struct parquet_column_spec specify(const char *name, const struct value_type *t)
{
    struct parquet_column_spec c = {.name = name,
                                    .is_nullable = true,
                                    .physical = PARQUET_TYPE_BYTE_ARRAY,
                                    .logical = PARQUET_LOGICAL_STRING};

    switch (t->kind) {
    case DATUM_INT:
    case DATUM_UINT:
        c.physical = PARQUET_TYPE_INT64;
        c.logical = PARQUET_LOGICAL_INTEGER;
        c.bit_width = 64;
        c.is_unsigned = t->kind == DATUM_UINT;
        break;
    case DATUM_DECIMAL:
        specify_decimal(&c, t);
        break;
    case DATUM_DOUBLE:
        c.physical = PARQUET_TYPE_DOUBLE;
        c.logical = PARQUET_LOGICAL_NONE;
        break;
    case DATUM_DATE:
        c.physical = PARQUET_TYPE_INT32;
        c.logical = PARQUET_LOGICAL_DATE;
        break;
    case DATUM_DATETIME:
        c.physical = PARQUET_TYPE_INT64;
        c.logical = PARQUET_LOGICAL_TIMESTAMP;
        c.unit = PARQUET_UNIT_MICROS;
        break;
    case DATUM_STRING:
        if (t->is_binary)
            c.logical = PARQUET_LOGICAL_NONE;
        break;
    default:
        break;
    }
    return c;
}

/* ---- start ---- */

static int write_bytes(void *ctx, const void *bytes, size_t len)
{
    return export_stream_write(((struct export_parquet *)ctx)->to, bytes, len);
}

static int start_writer(struct export_parquet *x, const struct export_want *want,
                        struct error_info *err)
{
    struct parquet_column_spec *specs = calloc(x->n, sizeof *specs);
    struct parquet_writer_options options = {.codec = PARQUET_CODEC_SNAPPY,
                                             .row_group_rows = GROUP_ROWS,
                                             .row_group_bytes = GROUP_BYTES,
                                             .page_bytes = PAGE_BYTES};
    struct parquet_error why;
    struct parquet_sink sink = {.ctx = x, .write = write_bytes};

    if (!specs)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    if (want->compression)
        (void)find_codec(want->compression, &options.codec);
    for (uint32_t i = 0; i < x->n; i++)
        specs[i] = specify(want->columns[i].name, &want->types[i]);
    int rc = parquet_writer_new(&sink, specs, x->n, &options, &why, &x->writer);
    free(specs);
    if (rc != 0)
        return fail(err, rc, &why);
    for (uint32_t i = 0; i < x->n; i++)
        parquet_vector_init(&x->vectors[i], parquet_writer_kind(x->writer, i), false);
    return 0;
}

struct export_parquet *export_parquet_new(const struct export_want *want, struct budget *budget,
                                          struct export_stream *to, struct error_info *err)
{
    struct export_parquet *x = calloc(1, sizeof *x);

    if (x) {
        x->budget = budget;
        x->to = to;
        x->types = calloc(want->n_columns, sizeof *x->types);
        x->vectors = calloc(want->n_columns, sizeof *x->vectors);
    }
    if (!x || !x->types || !x->vectors) {
        export_parquet_free(x);
        error_set(err, -ENOMEM, 1041, "Out of memory");
        return NULL;
    }
    x->n = want->n_columns;
    memcpy(x->types, want->types, x->n * sizeof *x->types);
    if (start_writer(x, want, err) == 0)
        return x;
    export_parquet_free(x);
    return NULL;
}

void export_parquet_free(struct export_parquet *x)
{
    if (!x)
        return;
    for (uint32_t i = 0; i < x->n; i++)
        parquet_vector_fini(&x->vectors[i]);
    parquet_writer_free(x->writer);
    budget_release(x->budget, x->charged);
    free(x->vectors);
    free(x->types);
    free(x);
}

/* ---- rows ---- */

static int put_text(struct export_parquet *x, struct parquet_vector *v, const struct datum *d,
                    const struct value_type *t, struct parquet_error *why)
{
    char room[DATUM_TEXT];
    size_t len;
    const char *s = datum_to_text(d, t, room, &len);

    x->text_bytes += len;
    return parquet_vector_append_bytes(v, s, len, why);
}

static int put_decimal(struct parquet_vector *v, const struct datum *d, const struct value_type *t,
                       struct parquet_error *why)
{
    __int128 n;
    unsigned scale;

    if (!datum_to_decimal(d, &n, &scale) || !decimal_rescale(n, scale, t->scale, &n) ||
        (v->kind == PARQUET_KIND_INT64 && (n > INT64_MAX || n < INT64_MIN)))
        return parquet_fail(why, -ERANGE, "a decimal with more digits than its column's type");
    return v->kind == PARQUET_KIND_INT64 ? parquet_vector_append_int(v, (int64_t)n, why)
                                         : parquet_vector_append_wide(v, n, why);
}

/* A value is written as its column's type says, as it is to clients. */
static int put_cell(struct export_parquet *x, struct parquet_vector *v, const struct datum *d,
                    const struct value_type *t, struct parquet_error *why)
{
    uint64_t u;
    int64_t i;

    if (datum_is_null(d))
        return parquet_vector_append_null(v, why);
    switch (t->kind) {
    case DATUM_INT:
        return datum_to_int(d, &i) ? parquet_vector_append_int(v, i, why)
                                   : parquet_fail(why, -ERANGE, "an integer beyond 64 bits");
    case DATUM_UINT:
        return datum_to_uint(d, &u) ? parquet_vector_append_wide(v, u, why)
                                    : parquet_fail(why, -ERANGE, "an integer beyond 64 bits");
    case DATUM_DECIMAL:
        return put_decimal(v, d, t, why);
    case DATUM_DOUBLE:
        return parquet_vector_append_double(v, datum_to_double(d), why);
    case DATUM_DATE:
        return datum_to_date(d, &i) ? parquet_vector_append_int(v, i, why)
                                    : parquet_vector_append_null(v, why);
    case DATUM_DATETIME:
        return datum_to_datetime(d, &i) ? parquet_vector_append_int(v, i, why)
                                        : parquet_vector_append_null(v, why);
    default:
        return put_text(x, v, d, t, why);
    }
}

static int charge(struct export_parquet *x, struct error_info *err)
{
    uint64_t now = parquet_writer_memory(x->writer);

    if (now > x->charged && budget_charge(x->budget, now - x->charged) != 0)
        return error_set(err, -ENOMEM, 1041, "Out of memory: a row group of Parquet");
    if (now < x->charged)
        budget_release(x->budget, x->charged - now);
    x->charged = now;
    return 0;
}

static int append(struct export_parquet *x, struct error_info *err)
{
    struct parquet_error why;
    int rc = x->rows ? parquet_writer_append(x->writer, x->vectors, x->rows, &why) : 0;

    if (rc != 0)
        return fail(err, rc, &why);
    for (uint32_t i = 0; i < x->n; i++)
        parquet_vector_clear(&x->vectors[i]);
    x->rows = x->text_bytes = 0;
    return charge(x, err);
}

int export_parquet_row(struct export_parquet *x, const struct datum *cells, struct error_info *err)
{
    struct parquet_error why;

    for (uint32_t i = 0; i < x->n; i++) {
        int rc = put_cell(x, &x->vectors[i], &cells[i], &x->types[i], &why);
        if (rc != 0)
            return fail(err, rc, &why);
    }
    x->rows++;
    return x->rows == ROWS_AT_ONCE || x->text_bytes >= TEXT_AT_ONCE ? append(x, err) : 0;
}

int export_parquet_finish(struct export_parquet *x, struct error_info *err)
{
    struct parquet_error why;
    int rc = append(x, err);

    if (rc != 0)
        return rc;
    rc = parquet_writer_finish(x->writer, &why);
    return rc == 0 ? 0 : fail(err, rc, &why);
}
