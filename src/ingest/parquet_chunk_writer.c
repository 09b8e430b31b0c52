#include "ingest/parquet_chunk_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ingest/parquet_compress.h"
#include "ingest/parquet_page.h"
#include "ingest/parquet_plain.h"
#include "ingest/parquet_rle.h"
#include "ingest/thrift_compact.h"

/* Elements taken at a time, so that pages of long strings end near page_bytes. */
#define SLICE 256

/* A page about to be written. */
struct page {
    int32_t type;
    int32_t encoding;
    size_t entry_count;
    size_t null_count;
    size_t def_len; /* second version: uncompressed levels at the start of the body */
};

int parquet_chunk_writer_init(struct parquet_chunk_writer *w, const struct parquet_column *column,
                              bool is_nullable, const struct parquet_page_options *options,
                              struct parquet_error *err)
{
    w->column = column;
    w->options = options;
    w->is_nullable = is_nullable;
    w->codes = malloc(options->page_rows * sizeof(*w->codes));
    w->levels = malloc(options->page_rows * sizeof(*w->levels));
    if (!w->codes || !w->levels)
        return parquet_fail_memory(err, "a column chunk");
    parquet_chunk_writer_reset(w);
    return 0;
}

void parquet_chunk_writer_reset(struct parquet_chunk_writer *w)
{
    if (w->chunk_values > 0)
        w->is_dict_hopeless = w->dict_pages == 0;
    w->use_dict = w->options->has_dictionary && !w->is_dict_hopeless &&
                  w->column->physical != PARQUET_TYPE_BOOLEAN;
    parquet_dict_clear(&w->dict);
    w->plain.len = 0;
    w->plain_coded = 0;
    w->code_count = 0;
    w->entry_count = 0;
    w->value_count = 0;
    w->pages.len = 0;
    w->chunk_values = 0;
    w->raw_len = 0;
    w->dict_pages = 0;
    w->plain_pages = 0;
    memset(&w->stats, 0, sizeof(w->stats));
}

/* Gives codes to the values in plain that have none yet. A dictionary that gets too large is no
 * longer used from this page on. */
static int code_values(struct parquet_chunk_writer *w, struct parquet_error *err)
{
    uint32_t width = parquet_column_width(w->column);
    while (w->plain_coded < w->plain.len) {
        const uint8_t *value = w->plain.bytes + w->plain_coded;
        uint32_t len = width;
        if (width == 0) {
            memcpy(&len, value, sizeof(len));
            len += (uint32_t)sizeof(len);
        }
        int rc = parquet_dict_put(&w->dict, value, len, &w->codes[w->code_count], err);
        if (rc == -EFBIG) {
            w->use_dict = false;
            return 0;
        }
        if (rc < 0)
            return rc;
        w->code_count++;
        w->plain_coded += len;
    }
    return 0;
}

static void write_page_header(struct thrift_writer *t, const struct parquet_chunk_writer *w,
                              const struct page *page, size_t raw_len, size_t len)
{
    bool is_data = page->type == PARQUET_PAGE_DATA;
    thrift_write_begin(t);
    thrift_write_i32(t, 1, page->type);
    thrift_write_i32(t, 2, (int32_t)raw_len);
    thrift_write_i32(t, 3, (int32_t)len);
    if (w->options->has_checksums)
        thrift_write_i32(t, 4, (int32_t)crc32(0, w->packed.bytes, (uInt)len));
    thrift_write_struct(t, page->type == PARQUET_PAGE_DATA_V2 ? 8 : is_data ? 5 : 7);
    thrift_write_i32(t, 1, (int32_t)page->entry_count);
    if (page->type == PARQUET_PAGE_DATA_V2) {
        thrift_write_i32(t, 2, (int32_t)page->null_count);
        thrift_write_i32(t, 3, (int32_t)page->entry_count);
        thrift_write_i32(t, 4, page->encoding);
        thrift_write_i32(t, 5, (int32_t)page->def_len);
        thrift_write_i32(t, 6, 0);
        thrift_write_bool(t, 7, w->options->codec != PARQUET_CODEC_NONE);
    } else {
        thrift_write_i32(t, 2, page->encoding);
        if (is_data) {
            thrift_write_i32(t, 3, PARQUET_ENCODING_RLE);
            thrift_write_i32(t, 4, PARQUET_ENCODING_RLE);
        }
    }
    thrift_write_end(t);
    thrift_write_end(t);
}

/* Compresses w->body into w->packed. */
static int pack_body(struct parquet_chunk_writer *w, const struct page *page,
                     struct parquet_error *err)
{
    size_t raw = w->body.len - page->def_len, len;
    if (w->body.len > (size_t)PARQUET_PAGE_BYTES_MAX)
        return parquet_fail(err, -EFBIG, "column '%s': a page of %zu bytes, allowed are up to %d",
                            w->column->path, w->body.len, PARQUET_PAGE_BYTES_MAX);
    w->packed.len = 0;
    int rc = parquet_buffer_append(&w->packed, w->body.bytes, page->def_len, err);
    if (rc == 0)
        rc = parquet_buffer_reserve(&w->packed, parquet_compress_bound(w->options->codec, raw) + 1,
                                    err);
    if (rc == 0)
        rc = parquet_compress(w->options->codec, w->body.bytes + page->def_len, raw,
                              w->packed.bytes + w->packed.len, &len, err);
    if (rc == 0)
        w->packed.len += len;
    return rc;
}

/* Compresses w->body and appends the page to out. */
static int put_page(struct parquet_chunk_writer *w, const struct page *page,
                    struct parquet_buffer *out, struct parquet_error *err)
{
    struct thrift_writer t;
    int rc = pack_body(w, page, err);
    if (rc < 0)
        return rc;
    thrift_writer_init(&t);
    write_page_header(&t, w, page, w->body.len, w->packed.len);
    rc = t.failed ? parquet_fail_memory(err, "a page header")
                  : parquet_buffer_append(out, t.bytes, t.len, err);
    w->raw_len += t.len + w->body.len;
    thrift_writer_fini(&t);
    return rc < 0 ? rc : parquet_buffer_append(out, w->packed.bytes, w->packed.len, err);
}

/* Definition levels: in the first page version with their length before them. */
static int put_levels(struct parquet_chunk_writer *w, size_t *def_len, struct parquet_error *err)
{
    *def_len = 0;
    if (!w->is_nullable)
        return 0;
    size_t prefix = w->options->is_v2 ? 0 : sizeof(uint32_t);
    int rc = parquet_buffer_reserve(&w->body, prefix + parquet_rle_bound(w->entry_count, 1), err);
    if (rc < 0)
        return rc;
    uint32_t len =
        (uint32_t)parquet_rle_encode(w->levels, w->entry_count, 1, w->body.bytes + prefix);
    if (prefix)
        memcpy(w->body.bytes, &len, sizeof(len));
    else
        *def_len = len;
    w->body.len = prefix + len;
    return 0;
}

static int put_codes(struct parquet_chunk_writer *w, struct parquet_error *err)
{
    unsigned width = parquet_bits_for(w->dict.count > 0 ? w->dict.count - 1 : 0);
    /* A width of 0 is allowed, but not every reader knows it. */
    width = width ? width : 1;
    int rc = parquet_buffer_reserve(&w->body, 1 + parquet_rle_bound(w->code_count, width), err);
    if (rc < 0)
        return rc;
    w->body.bytes[w->body.len++] = (uint8_t)width;
    w->body.len += parquet_rle_encode(w->codes, w->code_count, width, w->body.bytes + w->body.len);
    return 0;
}

/* After the first page it shows whether codes and dictionary are smaller than the values. */
static bool does_dict_pay(const struct parquet_chunk_writer *w)
{
    size_t width = parquet_bits_for(w->dict.count);
    return w->dict_pages > 0 ||
           w->dict.values.len + w->code_count * width / 8 < w->plain.len - w->plain.len / 4;
}

static int flush_page(struct parquet_chunk_writer *w, struct parquet_error *err)
{
    struct page page = {
        .type = w->options->is_v2 ? PARQUET_PAGE_DATA_V2 : PARQUET_PAGE_DATA,
        .encoding = PARQUET_ENCODING_PLAIN,
        .entry_count = w->entry_count,
        .null_count = w->entry_count - w->value_count,
    };
    if (w->entry_count == 0)
        return 0;
    if (w->use_dict && w->value_count > 0 && !does_dict_pay(w))
        w->use_dict = false;
    w->body.len = 0;
    int rc = put_levels(w, &page.def_len, err);
    if (rc == 0 && w->use_dict && w->value_count > 0) {
        page.encoding = PARQUET_ENCODING_RLE_DICTIONARY;
        rc = put_codes(w, err);
        w->dict_pages++;
    } else if (rc == 0) {
        rc = w->column->physical == PARQUET_TYPE_BOOLEAN
                 ? parquet_plain_pack_bools(w->plain.bytes, w->plain.len, &w->body, err)
                 : parquet_buffer_append(&w->body, w->plain.bytes, w->plain.len, err);
        w->plain_pages++;
    }
    if (rc == 0)
        rc = put_page(w, &page, &w->pages, err);
    w->plain.len = 0;
    w->plain_coded = 0;
    w->code_count = 0;
    w->entry_count = 0;
    w->value_count = 0;
    return rc;
}

static int append_slice(struct parquet_chunk_writer *w, const struct parquet_vector *v, size_t from,
                        size_t n, struct parquet_error *err)
{
    int rc = parquet_plain_encode(w->column, v, from, n, &w->plain, err);
    if (rc < 0)
        return rc;
    size_t values = 0;
    for (size_t i = 0; i < n; i++) {
        w->levels[w->entry_count + i] = v->valid[from + i];
        values += v->valid[from + i];
    }
    if (values < n && !w->is_nullable)
        return parquet_fail(err, -ERANGE, "column '%s': a NULL where there must be a value",
                            w->column->path);
    if (w->use_dict)
        rc = code_values(w, err);
    w->entry_count += n;
    w->value_count += values;
    w->chunk_values += n;
    return rc;
}

/* How many of the next n elements go into the page before it is looked at again. */
static size_t slice_len(const struct parquet_chunk_writer *w, const struct parquet_vector *v,
                        size_t from, size_t n)
{
    size_t room = w->options->page_rows - w->entry_count;
    size_t take = n < room ? n : room;
    if (take > SLICE)
        take = SLICE;
    while (v->kind == PARQUET_KIND_BYTES && take > 1 &&
           v->offsets[from + take] - v->offsets[from] > w->options->page_bytes)
        take /= 2;
    return take;
}

int parquet_chunk_writer_append(struct parquet_chunk_writer *w, const struct parquet_vector *v,
                                size_t from, size_t n, struct parquet_error *err)
{
    if (w->options->has_statistics)
        parquet_stats_add(&w->stats, v, from, n);
    while (n > 0) {
        size_t take = slice_len(w, v, from, n);
        int rc = append_slice(w, v, from, take, err);
        if (rc == 0 &&
            (w->entry_count == w->options->page_rows || w->plain.len >= w->options->page_bytes))
            rc = flush_page(w, err);
        if (rc < 0)
            return rc;
        from += take;
        n -= take;
    }
    return 0;
}

static int put_dictionary(struct parquet_chunk_writer *w, struct parquet_buffer *head,
                          struct parquet_error *err)
{
    struct page page = {
        .type = PARQUET_PAGE_DICTIONARY,
        .encoding = PARQUET_ENCODING_PLAIN,
        .entry_count = w->dict.count,
    };
    w->body.len = 0;
    int rc = parquet_buffer_append(&w->body, w->dict.values.bytes, w->dict.values.len, err);
    return rc < 0 ? rc : put_page(w, &page, head, err);
}

int parquet_chunk_writer_finish(struct parquet_chunk_writer *w, struct parquet_buffer *head,
                                struct parquet_chunk_summary *summary, struct parquet_error *err)
{
    int rc = flush_page(w, err);
    head->len = 0;
    if (rc == 0 && w->dict_pages > 0)
        rc = put_dictionary(w, head, err);
    if (rc < 0)
        return rc;
    *summary = (struct parquet_chunk_summary){
        .value_count = w->chunk_values,
        .raw_len = w->raw_len,
        .len = head->len + w->pages.len,
        .dict_len = head->len,
        .has_plain = w->plain_pages > 0,
        .stats = w->stats,
    };
    return 0;
}

void parquet_chunk_writer_fini(struct parquet_chunk_writer *w)
{
    parquet_dict_fini(&w->dict);
    parquet_buffer_fini(&w->plain);
    parquet_buffer_fini(&w->body);
    parquet_buffer_fini(&w->packed);
    parquet_buffer_fini(&w->pages);
    free(w->codes);
    free(w->levels);
    memset(w, 0, sizeof(*w));
}
