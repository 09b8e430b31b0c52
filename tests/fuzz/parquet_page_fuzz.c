/* Values of one page in any encoding and type, and page headers, without a footer in the way. The
 * first bytes choose: encoding, type, length of fixed values, number of values. */
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_page.h"
#include "ingest/parquet_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fill_dictionary(struct parquet_vector *dict)
{
    for (int i = 0; i < 5; i++) {
        if (dict->kind == PARQUET_KIND_BOOL)
            parquet_vector_append_bool(dict, i & 1, NULL);
        else if (dict->kind == PARQUET_KIND_INT64)
            parquet_vector_append_int(dict, i, NULL);
        else if (dict->kind == PARQUET_KIND_DOUBLE)
            parquet_vector_append_double(dict, i, NULL);
        else if (dict->kind == PARQUET_KIND_INT128)
            parquet_vector_append_wide(dict, i, NULL);
        else
            parquet_vector_append_bytes(dict, "some longer text", (size_t)i * 4, NULL);
    }
}

static void decode(const struct parquet_column *c, int encoding, const uint8_t *bytes, size_t len,
                   size_t n)
{
    struct parquet_values v = {0};
    struct parquet_vector out, dict;
    struct parquet_error err;
    parquet_vector_init(&out, c->kind, false);
    parquet_vector_init(&dict, c->kind, false);
    fill_dictionary(&dict);
    if (parquet_values_start(&v, c, encoding, bytes, len, n, &dict, &err) == 0) {
        size_t first = n / 3;
        if (parquet_values_read(&v, first, &out, &err) == 0)
            (void)parquet_values_read(&v, n - first, &out, &err);
    }
    parquet_values_fini(&v);
    parquet_vector_fini(&out);
    parquet_vector_fini(&dict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parquet_page_header header;
    struct parquet_error err;
    size_t header_len;
    if (size < 4)
        return 0;
    (void)parquet_page_parse_header(&header, data, size, &header_len, &err);
    struct parquet_column c = {
        .physical = (enum parquet_physical)(data[1] & 7),
        .type_length = data[2] % 40 + 1,
        .is_unsigned = data[1] >> 7,
    };
    if (data[1] & 8) {
        c.logical = PARQUET_LOGICAL_DECIMAL;
        c.precision = data[1] & 16 ? 38 : 10;
    }
    c.kind = parquet_column_kind(&c);
    decode(&c, data[0] % 11, data + 4, size - 4, data[3] * 8u);
    return 0;
}
