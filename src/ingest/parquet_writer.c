#include "ingest/parquet_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_chunk_writer.h"
#include "ingest/parquet_compress.h"
#include "ingest/parquet_footer.h"
#include "ingest/parquet_plain.h"
#include "reactor/assert.h"

#define MAGIC "PAR1"
#define ROW_GROUP_ROWS 262144
#define PAGE_ROWS 20000
#define PAGE_ROWS_MAX ((size_t)1 << 24)
#define PAGE_BYTES ((size_t)1 << 20)
#define PAGE_BYTES_LIMIT ((size_t)64 << 20)
#define COLUMNS_MAX 65536

/* Any core, one at a time; from parquet_writer_new to parquet_writer_free. */
struct parquet_writer {
    struct parquet_sink sink;
    struct parquet_page_options options;
    uint64_t row_group_rows, row_group_bytes;
    uint32_t count;
    struct parquet_column *columns;
    struct parquet_chunk_writer *chunks;
    struct parquet_buffer head; /* scratch: a dictionary page */
    struct parquet_footer footer;
    uint64_t group_rows; /* rows of the row group being filled */
    uint64_t offset;     /* bytes written */
};

static int put(struct parquet_writer *w, const void *bytes, size_t len, struct parquet_error *err)
{
    int rc = len > 0 ? w->sink.write(w->sink.ctx, bytes, len) : 0;
    if (rc < 0)
        return parquet_fail(err, rc, "writing %zu bytes at offset %llu failed: %s", len,
                            (unsigned long long)w->offset, strerror(-rc));
    w->offset += len;
    return 0;
}

static int check_column(const struct parquet_column *c, struct parquet_error *err)
{
    bool is_time = c->logical == PARQUET_LOGICAL_TIME || c->logical == PARQUET_LOGICAL_TIMESTAMP;
    if (c->physical == PARQUET_TYPE_FIXED && c->type_length <= 0)
        return parquet_fail(err, -EINVAL, "column '%s': values of %d bytes", c->path,
                            c->type_length);
    if (!parquet_column_is_sound(c) || !parquet_plain_can_encode(c) ||
        (is_time && c->unit == PARQUET_UNIT_DAYS))
        return parquet_fail(err, -EINVAL, "column '%s': logical type %d cannot be written as %s",
                            c->path, (int)c->logical, parquet_physical_name((int)c->physical));
    return 0;
}

static int set_column(struct parquet_column *c, const struct parquet_column_spec *spec,
                      struct parquet_error *err)
{
    bool is_decimal = spec->logical == PARQUET_LOGICAL_DECIMAL;
    c->path = strdup(spec->name);
    if (!c->path)
        return parquet_fail_memory(err, "a column");
    c->physical = spec->physical;
    c->logical = spec->logical;
    c->unit = spec->unit;
    c->utc = spec->utc;
    c->bit_width = spec->bit_width;
    c->is_unsigned = spec->logical == PARQUET_LOGICAL_INTEGER && spec->is_unsigned;
    c->precision = is_decimal ? spec->precision : 0;
    c->scale = is_decimal ? spec->scale : 0;
    c->type_length = spec->type_length;
    c->repetition = spec->is_nullable ? PARQUET_REPETITION_OPTIONAL : PARQUET_REPETITION_REQUIRED;
    c->max_def = spec->is_nullable;
    c->kind = parquet_column_kind(c);
    return check_column(c, err);
}

static int set_options(struct parquet_writer *w, const struct parquet_writer_options *o,
                       struct parquet_error *err)
{
    if (!parquet_can_compress(o->codec) || o->page_rows > PAGE_ROWS_MAX ||
        o->page_bytes > PAGE_BYTES_LIMIT)
        return parquet_fail(err, -EINVAL,
                            "codec %s, pages of %zu rows or %zu bytes cannot be "
                            "written",
                            parquet_codec_name((int)o->codec), o->page_rows, o->page_bytes);
    w->row_group_bytes = o->row_group_bytes ? o->row_group_bytes : UINT64_MAX;
    w->row_group_rows = o->row_group_rows ? o->row_group_rows : ROW_GROUP_ROWS;
    w->options = (struct parquet_page_options){
        .codec = o->codec,
        .page_rows = o->page_rows ? o->page_rows : PAGE_ROWS,
        .page_bytes = o->page_bytes ? o->page_bytes : PAGE_BYTES,
        .has_dictionary = !o->no_dictionary,
        .has_statistics = !o->no_statistics,
        .has_checksums = !o->no_checksums,
        .is_v2 = o->page_v2,
    };
    return 0;
}

static int start_file(struct parquet_writer *w, const struct parquet_column_spec *columns,
                      uint32_t count, struct parquet_error *err)
{
    w->columns = calloc(count, sizeof(*w->columns));
    w->chunks = calloc(count, sizeof(*w->chunks));
    if (!w->columns || !w->chunks)
        return parquet_fail_memory(err, "the columns");
    w->count = count;
    for (uint32_t i = 0; i < count; i++) {
        int rc = set_column(&w->columns[i], &columns[i], err);
        if (rc == 0)
            rc = parquet_chunk_writer_init(&w->chunks[i], &w->columns[i], columns[i].is_nullable,
                                           &w->options, err);
        if (rc < 0)
            return rc;
    }
    w->footer = (struct parquet_footer){
        .columns = w->columns,
        .column_count = count,
        .codec = w->options.codec,
        .has_statistics = w->options.has_statistics,
    };
    return put(w, MAGIC, 4, err);
}

int parquet_writer_new(const struct parquet_sink *sink, const struct parquet_column_spec *columns,
                       uint32_t count, const struct parquet_writer_options *options,
                       struct parquet_error *err, struct parquet_writer **out)
{
    static const struct parquet_writer_options defaults;
    if (count == 0 || count > COLUMNS_MAX)
        return parquet_fail(err, -EINVAL, "%u columns, allowed are 1 to %d", count, COLUMNS_MAX);
    struct parquet_writer *w = calloc(1, sizeof(*w));
    if (!w)
        return parquet_fail_memory(err, "a file");
    w->sink = *sink;
    int rc = set_options(w, options ? options : &defaults, err);
    if (rc == 0)
        rc = start_file(w, columns, count, err);
    if (rc < 0) {
        parquet_writer_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

enum parquet_kind parquet_writer_kind(const struct parquet_writer *writer, uint32_t column)
{
    ASSERT(column < writer->count);
    return writer->columns[column].kind;
}

static int add_group(struct parquet_writer *w, struct parquet_error *err)
{
    struct parquet_footer *f = &w->footer;
    if (f->group_count == f->group_cap) {
        uint32_t cap = f->group_cap * 2 + 16;
        struct parquet_footer_group *grown = realloc(f->groups, cap * sizeof(*grown));
        if (!grown)
            return parquet_fail_memory(err, "the footer");
        f->groups = grown;
        f->group_cap = cap;
    }
    struct parquet_footer_group *group = &f->groups[f->group_count];
    group->row_count = w->group_rows;
    group->chunks = calloc(w->count, sizeof(*group->chunks));
    if (!group->chunks)
        return parquet_fail_memory(err, "the footer");
    f->group_count++;
    f->row_count += w->group_rows;
    return 0;
}

static int flush_group(struct parquet_writer *w, struct parquet_error *err)
{
    if (w->group_rows == 0)
        return 0;
    int rc = add_group(w, err);
    for (uint32_t i = 0; i < w->count && rc == 0; i++) {
        struct parquet_footer_chunk *chunk = &w->footer.groups[w->footer.group_count - 1].chunks[i];
        rc = parquet_chunk_writer_finish(&w->chunks[i], &w->head, &chunk->summary, err);
        chunk->offset = w->offset;
        if (rc == 0)
            rc = put(w, w->head.bytes, w->head.len, err);
        if (rc == 0)
            rc = put(w, w->chunks[i].pages.bytes, w->chunks[i].pages.len, err);
        parquet_chunk_writer_reset(&w->chunks[i]);
    }
    w->group_rows = 0;
    return rc;
}

uint64_t parquet_writer_kept(const struct parquet_writer *w)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < w->count; i++)
        bytes += w->chunks[i].pages.len + w->chunks[i].plain.len + w->chunks[i].dict.values.len +
                 w->chunks[i].dict.count * sizeof(*w->chunks[i].dict.starts);
    return bytes;
}

uint64_t parquet_writer_memory(const struct parquet_writer *w)
{
    uint64_t bytes = w->head.cap;

    for (uint32_t i = 0; i < w->count; i++) {
        const struct parquet_chunk_writer *c = &w->chunks[i];
        bytes += c->pages.cap + c->plain.cap + c->body.cap + c->packed.cap + c->dict.values.cap +
                 c->dict.cap * sizeof(*c->dict.starts) +
                 c->dict.table_size * sizeof(*c->dict.table) +
                 c->options->page_rows * (sizeof(*c->codes) + sizeof(*c->levels));
    }
    return bytes;
}

int parquet_writer_append(struct parquet_writer *w, const struct parquet_vector *vectors,
                          size_t rows, struct parquet_error *err)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (vectors[i].kind != w->columns[i].kind || vectors[i].count != rows || vectors[i].is_list)
            return parquet_fail(err, -EINVAL,
                                "column '%s': a vector of kind %d with %zu values "
                                "where kind %d with %zu is needed",
                                w->columns[i].path, (int)vectors[i].kind, vectors[i].count,
                                (int)w->columns[i].kind, rows);
    for (size_t from = 0; from < rows;) {
        uint64_t room = w->row_group_rows - w->group_rows;
        size_t n = rows - from < room ? rows - from : (size_t)room;
        int rc = 0;
        for (uint32_t i = 0; i < w->count && rc == 0; i++)
            rc = parquet_chunk_writer_append(&w->chunks[i], &vectors[i], from, n, err);
        w->group_rows += n;
        if (rc == 0 &&
            (w->group_rows == w->row_group_rows || parquet_writer_kept(w) >= w->row_group_bytes))
            rc = flush_group(w, err);
        if (rc < 0)
            return rc;
        from += n;
    }
    return 0;
}

static int put_footer(struct parquet_writer *w, struct parquet_error *err)
{
    struct thrift_writer t;
    thrift_writer_init(&t);
    parquet_footer_encode(&w->footer, &t);
    uint32_t len = (uint32_t)t.len;
    int rc = t.failed ? parquet_fail_memory(err, "the footer") : 0;
    if (rc == 0 && t.len > INT32_MAX)
        rc = parquet_fail(err, -EFBIG, "the footer has %zu bytes, allowed are up to %d", t.len,
                          INT32_MAX);
    if (rc == 0)
        rc = put(w, t.bytes, t.len, err);
    if (rc == 0)
        rc = put(w, &len, sizeof(len), err);
    if (rc == 0)
        rc = put(w, MAGIC, 4, err);
    thrift_writer_fini(&t);
    return rc;
}

int parquet_writer_finish(struct parquet_writer *w, struct parquet_error *err)
{
    int rc = flush_group(w, err);
    return rc < 0 ? rc : put_footer(w, err);
}

void parquet_writer_free(struct parquet_writer *w)
{
    if (!w)
        return;
    for (uint32_t i = 0; i < w->count; i++) {
        parquet_chunk_writer_fini(&w->chunks[i]);
        free(w->columns[i].path);
    }
    for (uint32_t i = 0; i < w->footer.group_count; i++)
        free(w->footer.groups[i].chunks);
    free(w->footer.groups);
    free(w->columns);
    free(w->chunks);
    parquet_buffer_fini(&w->head);
    free(w);
}
