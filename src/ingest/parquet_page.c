#include "ingest/parquet_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "ingest/parquet_compress.h"
#include "ingest/parquet_format.h"
#include "ingest/thrift_compact.h"

/* Headers are some 30 bytes, or more with long strings as statistics; looked for in windows growing
 * from the first to the second size. */
#define HEADER_WINDOW ((size_t)4 << 10)
#define HEADER_WINDOW_MAX ((size_t)16 << 20)

/* Which of the type-specific headers has been seen. */
enum {
    SEEN_DATA = 1,
    SEEN_DICTIONARY = 2,
    SEEN_DATA_V2 = 4,
    SEEN_SIZES = 8,
};

static void parse_data(struct thrift_reader *r, struct parquet_page_header *h)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.id == 1)
            h->value_count = thrift_field_i32(r, &field);
        else if (field.id == 2)
            h->encoding = thrift_field_i32(r, &field);
        else if (field.id == 3)
            h->def_encoding = thrift_field_i32(r, &field);
        else if (field.id == 4)
            h->rep_encoding = thrift_field_i32(r, &field);
        else
            thrift_skip(r, &field);
    }
    thrift_leave(r);
}

static void parse_dictionary(struct thrift_reader *r, struct parquet_page_header *h)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.id == 1)
            h->value_count = thrift_field_i32(r, &field);
        else if (field.id == 2)
            h->encoding = thrift_field_i32(r, &field);
        else
            thrift_skip(r, &field);
    }
    thrift_leave(r);
}

static void parse_data_v2(struct thrift_reader *r, struct parquet_page_header *h)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.id == 1)
            h->value_count = thrift_field_i32(r, &field);
        else if (field.id == 4)
            h->encoding = thrift_field_i32(r, &field);
        else if (field.id == 5)
            h->def_len = thrift_field_i32(r, &field);
        else if (field.id == 6)
            h->rep_len = thrift_field_i32(r, &field);
        else if (field.id == 7)
            h->is_compressed = thrift_field_bool(r, &field);
        else
            thrift_skip(r, &field);
    }
    thrift_leave(r);
}

static unsigned parse_fields(struct thrift_reader *r, struct parquet_page_header *h)
{
    struct thrift_field field = {0};
    unsigned seen = 0;
    bool has_uncompressed = false;
    while (thrift_read_field(r, &field)) {
        bool is_struct = field.type == THRIFT_STRUCT;
        if (field.id == 1) {
            h->type = thrift_field_i32(r, &field);
        } else if (field.id == 2) {
            h->uncompressed_len = thrift_field_i32(r, &field);
            has_uncompressed = true;
        } else if (field.id == 3) {
            h->compressed_len = thrift_field_i32(r, &field);
            seen |= has_uncompressed ? SEEN_SIZES : 0;
        } else if (field.id == 4) {
            h->crc = (uint32_t)thrift_field_i32(r, &field);
            h->has_crc = true;
        } else if (field.id == 5 && is_struct) {
            parse_data(r, h);
            seen |= SEEN_DATA;
        } else if (field.id == 7 && is_struct) {
            parse_dictionary(r, h);
            seen |= SEEN_DICTIONARY;
        } else if (field.id == 8 && is_struct) {
            parse_data_v2(r, h);
            seen |= SEEN_DATA_V2;
        } else {
            thrift_skip(r, &field);
        }
    }
    return seen;
}

static int check_header(const struct parquet_page_header *h, unsigned seen,
                        struct parquet_error *err)
{
    static const unsigned needed[] = {SEEN_DATA, 0, SEEN_DICTIONARY, SEEN_DATA_V2};
    if (!(seen & SEEN_SIZES) || h->type < 0 || h->compressed_len < 0 || h->uncompressed_len < 0 ||
        h->value_count < 0)
        return parquet_fail(err, -EBADMSG,
                            "the page header lacks its type or sizes, or has "
                            "negative ones");
    if (h->compressed_len > PARQUET_PAGE_BYTES_MAX || h->uncompressed_len > PARQUET_PAGE_BYTES_MAX)
        return parquet_fail(err, -EFBIG,
                            "the page has %d bytes, %d when decompressed, allowed are "
                            "up to %d",
                            h->compressed_len, h->uncompressed_len, PARQUET_PAGE_BYTES_MAX);
    if (h->type <= PARQUET_PAGE_DATA_V2 && (seen & needed[h->type]) != needed[h->type])
        return parquet_fail(err, -EBADMSG, "the page header of type %d lacks the part for its type",
                            h->type);
    if (h->type == PARQUET_PAGE_DATA_V2 &&
        (h->def_len < 0 || h->rep_len < 0 || h->def_len > h->compressed_len ||
         h->rep_len > h->compressed_len - h->def_len ||
         h->rep_len > h->uncompressed_len - h->def_len))
        return parquet_fail(err, -EBADMSG,
                            "the page has %d and %d bytes of levels within %d bytes, "
                            "%d when decompressed",
                            h->rep_len, h->def_len, h->compressed_len, h->uncompressed_len);
    return 0;
}

int parquet_page_parse_header(struct parquet_page_header *header, const void *bytes, size_t len,
                              size_t *header_len, struct parquet_error *err)
{
    struct thrift_reader r;
    thrift_reader_init(&r, bytes, len);
    *header = (struct parquet_page_header){.type = -1, .is_compressed = true};
    unsigned seen = parse_fields(&r, header);
    if (r.fault)
        return parquet_fail(err, r.truncated ? -EAGAIN : -EBADMSG,
                            "the page header is malformed: %s", r.fault);
    *header_len = (size_t)(r.pos - r.start);
    return check_header(header, seen, err);
}

static int read_header(struct parquet_page *page, struct parquet_error *err)
{
    page->offset = page->stream.pos;
    if (page->stream.pos == page->stream.end)
        return parquet_fail(err, -EBADMSG,
                            "the column chunk ends where another page should follow");
    for (size_t window = HEADER_WINDOW;; window *= 4) {
        const uint8_t *bytes;
        size_t got, len;
        int rc = parquet_stream_peek(&page->stream, window, &bytes, &got, err);
        if (rc < 0)
            return rc;
        rc = parquet_page_parse_header(&page->header, bytes, got, &len, err);
        if (rc == 0)
            parquet_stream_skip(&page->stream, len);
        if (rc != -EAGAIN)
            return rc;
        if (got < window || window >= HEADER_WINDOW_MAX)
            return -EBADMSG;
    }
}

static int check_crc(const struct parquet_page_header *h, const uint8_t *bytes,
                     struct parquet_error *err)
{
    if (!h->has_crc)
        return 0;
    uint32_t crc = (uint32_t)crc32(0, bytes, (uInt)h->compressed_len);
    if (crc != h->crc)
        return parquet_fail(err, -EBADMSG, "the checksum of the page is %08x, its header says %08x",
                            crc, h->crc);
    return 0;
}

/* Decompresses len bytes to out_len bytes at page->body. */
static int unpack_body(struct parquet_page *page, int codec, const uint8_t *bytes, size_t len,
                       size_t out_len, struct parquet_error *err)
{
    page->body = bytes;
    page->body_len = out_len;
    if (out_len == 0)
        return 0;
    if (codec == PARQUET_CODEC_NONE || !page->header.is_compressed) {
        if (len != out_len)
            return parquet_fail(err, -EBADMSG,
                                "the page is not compressed, but has %zu bytes and "
                                "%zu when decompressed",
                                len, out_len);
        return 0;
    }
    if (out_len > page->cap) {
        free(page->buf);
        page->cap = 0;
        page->buf = malloc(out_len);
        if (!page->buf)
            return parquet_fail_memory(err, "a page");
        page->cap = out_len;
    }
    page->body = page->buf;
    return parquet_decompress((enum parquet_codec)codec, bytes, len, page->buf, out_len, err);
}

static int read_body(struct parquet_page *page, int codec, struct parquet_error *err)
{
    const struct parquet_page_header *h = &page->header;
    const uint8_t *bytes;
    size_t len = (size_t)h->compressed_len, got;
    if (len > page->stream.end - page->stream.pos)
        return parquet_fail(err, -EBADMSG,
                            "the page has %zu bytes, the column chunk only %llu more", len,
                            (unsigned long long)(page->stream.end - page->stream.pos));
    int rc = parquet_stream_peek(&page->stream, len, &bytes, &got, err);
    if (rc < 0)
        return rc;
    parquet_stream_skip(&page->stream, len);
    rc = check_crc(h, bytes, err);
    if (rc < 0)
        return rc;
    size_t levels = (size_t)h->rep_len + (size_t)h->def_len; /* 0 but in second-version pages */
    page->levels = bytes;
    return unpack_body(page, codec, bytes + levels, len - levels,
                       (size_t)h->uncompressed_len - levels, err);
}

int parquet_page_next(struct parquet_page *page, int codec, struct parquet_error *err)
{
    int rc = read_header(page, err);
    return rc < 0 ? rc : read_body(page, codec, err);
}

void parquet_page_fini(struct parquet_page *page)
{
    parquet_stream_fini(&page->stream);
    free(page->buf);
    memset(page, 0, sizeof(*page));
}
