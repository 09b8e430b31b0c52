#include "ingest/parquet_meta.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/thrift_compact.h"

/* "PAR1" at both ends, the length of the footer before the last. */
#define MAGIC_LEN 4
#define TAIL_LEN 8
/* A footer of 10,000 columns and 1,000 row groups has this order of size. */
#define FOOTER_MAX ((uint32_t)128 << 20)

/* What a header of a dictionary page may have in extend_old_chunks; parquet-cpp allows the same. */
#define OLD_HEADER_MAX 100

/* Fields a column chunk cannot do without, as bits of their ids. */
#define CHUNK_FIELDS (1u << 1 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 9)

/* One column chunk as it stands in the file. */
struct raw_chunk {
    int32_t type;
    int32_t codec;
    int64_t value_count;
    int64_t raw_len;
    int64_t len;
    int64_t data_offset;
    int64_t dict_offset;
    unsigned seen;
    bool is_encrypted;
    bool is_external;
};

/* State of one parse; on the stack of parquet_meta_parse. */
struct parse {
    struct parquet_meta *meta;
    struct thrift_reader r;
    struct parquet_error *err;
    uint64_t data_end;
};

static void parse_chunk_meta(struct thrift_reader *r, struct raw_chunk *c)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.id > 0 && field.id < 32)
            c->seen |= 1u << field.id;
        switch (field.id) {
        case 1:
            c->type = thrift_field_i32(r, &field);
            break;
        case 4:
            c->codec = thrift_field_i32(r, &field);
            break;
        case 5:
            c->value_count = thrift_field_i64(r, &field);
            break;
        case 6:
            c->raw_len = thrift_field_i64(r, &field);
            break;
        case 7:
            c->len = thrift_field_i64(r, &field);
            break;
        case 9:
            c->data_offset = thrift_field_i64(r, &field);
            break;
        case 11:
            c->dict_offset = thrift_field_i64(r, &field);
            break;
        default:
            thrift_skip(r, &field);
        }
    }
    thrift_leave(r);
}

static void parse_raw_chunk(struct thrift_reader *r, struct raw_chunk *c)
{
    struct thrift_field field = {0};
    *c = (struct raw_chunk){.type = -1};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        const uint8_t *path;
        if (field.id == 1) {
            c->is_external = thrift_field_binary(r, &field, &path) > 0;
        } else if (field.id == 3 && field.type == THRIFT_STRUCT) {
            parse_chunk_meta(r, c);
        } else {
            c->is_encrypted |= field.id == 8 || field.id == 9;
            thrift_skip(r, &field);
        }
    }
    thrift_leave(r);
}

/* Older writers say nothing about the dictionary page, which then is the first page at data_offset;
 * others put 0 there. */
static uint64_t chunk_start(const struct raw_chunk *c)
{
    if (c->value_count == 0)
        return MAGIC_LEN;
    if (c->dict_offset >= MAGIC_LEN && c->dict_offset < c->data_offset)
        return (uint64_t)c->dict_offset;
    return (uint64_t)c->data_offset;
}

static int check_chunk(const struct parse *p, const struct raw_chunk *c, uint32_t column)
{
    const struct parquet_column *col = &p->meta->schema.columns[column];
    uint32_t group = p->meta->group_count;
    if (c->is_encrypted || c->is_external)
        return 0;                                             /* refused when it is to be read */
    bool is_empty = c->value_count == 0 && c->seen & 1u << 5; /* its offset means nothing then */
    if ((c->seen & CHUNK_FIELDS) != CHUNK_FIELDS || c->value_count < 0 || c->len < 0 ||
        c->raw_len < 0 || (c->data_offset < MAGIC_LEN && !is_empty))
        return parquet_fail(p->err, -EBADMSG,
                            "footer: row group %u, column '%s': the type, codec, "
                            "number of values, length or offset is missing or negative",
                            group, col->path);
    if (c->type != (int32_t)col->physical)
        return parquet_fail(p->err, -EBADMSG,
                            "footer: row group %u, column '%s' has type %s, the "
                            "schema says %s",
                            group, col->path, parquet_physical_name(c->type),
                            parquet_physical_name((int)col->physical));
    uint64_t start = chunk_start(c);
    if (start > p->data_end || (uint64_t)c->len > p->data_end - start)
        return parquet_fail(p->err, -EBADMSG,
                            "footer: row group %u, column '%s' has %lld bytes at "
                            "offset %llu, pages end at offset %llu",
                            group, col->path, (long long)c->len, (unsigned long long)start,
                            (unsigned long long)p->data_end);
    return 0;
}

/* A flat column has a value or a NULL per row, one with lists at least one entry. */
static int check_counts(const struct parse *p, const struct parquet_row_group *group)
{
    const struct parquet_schema *schema = &p->meta->schema;
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct parquet_column *col = &schema->columns[i];
        const struct parquet_chunk *c = &p->meta->chunks[group->first_chunk + i];
        if (c->is_encrypted || c->is_external)
            continue;
        if (col->max_rep == 0 ? c->value_count != group->row_count
                              : c->value_count < group->row_count)
            return parquet_fail(p->err, -EBADMSG,
                                "footer: row group %u, column '%s' has %llu "
                                "values for %llu rows",
                                p->meta->group_count, col->path, (unsigned long long)c->value_count,
                                (unsigned long long)group->row_count);
    }
    return 0;
}

/* Room for one more element of an array, growing as elements really come: what a count in the file
 * says is not trusted with memory. */
static void *grow(void *array, size_t count, size_t *cap, size_t unit)
{
    if (count < *cap)
        return array;
    size_t more = *cap * 2 + 16;
    void *grown = reallocarray(array, more, unit);
    if (grown)
        *cap = more;
    return grown;
}

static int add_chunk(struct parse *p, const struct raw_chunk *c)
{
    struct parquet_meta *meta = p->meta;
    struct parquet_chunk *grown =
        grow(meta->chunks, meta->chunk_count, &meta->chunk_cap, sizeof(*grown));
    if (!grown)
        return parquet_fail_memory(p->err, "the footer");
    meta->chunks = grown;
    bool is_here = !c->is_encrypted && !c->is_external;
    grown[meta->chunk_count++] = (struct parquet_chunk){
        .offset = is_here ? chunk_start(c) : MAGIC_LEN,
        .len = is_here ? (uint64_t)c->len : 0,
        .raw_len = (uint64_t)c->raw_len,
        .value_count = (uint64_t)c->value_count,
        .codec = c->codec,
        .is_encrypted = c->is_encrypted,
        .is_external = c->is_external,
    };
    return 0;
}

static int parse_chunks(struct parse *p, const struct thrift_field *field)
{
    uint32_t count = thrift_field_list(&p->r, field, THRIFT_STRUCT);
    if (!p->r.fault && count != p->meta->schema.count)
        return parquet_fail(p->err, -EBADMSG, "footer: row group %u has %u columns, the schema %u",
                            p->meta->group_count, count, p->meta->schema.count);
    for (uint32_t i = 0; i < count && !p->r.fault; i++) {
        struct raw_chunk raw;
        parse_raw_chunk(&p->r, &raw);
        if (p->r.fault)
            break;
        int rc = check_chunk(p, &raw, i);
        if (rc == 0)
            rc = add_chunk(p, &raw);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_group(struct parse *p, const struct parquet_row_group *group)
{
    struct parquet_meta *meta = p->meta;
    if (meta->chunk_count - group->first_chunk != meta->schema.count)
        return parquet_fail(p->err, -EBADMSG, "footer: row group %u has %zu columns, the schema %u",
                            meta->group_count, meta->chunk_count - group->first_chunk,
                            meta->schema.count);
    int rc = check_counts(p, group);
    if (rc < 0)
        return rc;
    struct parquet_row_group *grown =
        grow(meta->groups, meta->group_count, &meta->group_cap, sizeof(*grown));
    if (!grown)
        return parquet_fail_memory(p->err, "the footer");
    meta->groups = grown;
    grown[meta->group_count++] = *group;
    return 0;
}

static int parse_group(struct parse *p)
{
    struct thrift_field field = {0};
    struct parquet_row_group group = {.first_chunk = p->meta->chunk_count};
    int64_t rows = -1;
    int rc = 0;
    thrift_enter(&p->r);
    while (rc == 0 && thrift_read_field(&p->r, &field)) {
        if (field.id == 1)
            rc = parse_chunks(p, &field);
        else if (field.id == 3)
            rows = thrift_field_i64(&p->r, &field);
        else
            thrift_skip(&p->r, &field);
    }
    thrift_leave(&p->r);
    if (rc < 0 || p->r.fault)
        return rc;
    if (rows < 0)
        return parquet_fail(p->err, -EBADMSG, "footer: row group %u has %lld rows",
                            p->meta->group_count, (long long)rows);
    group.row_count = (uint64_t)rows;
    return add_group(p, &group);
}

static int parse_groups(struct parse *p, const struct thrift_field *field)
{
    if (!p->meta->schema.root)
        return parquet_fail(p->err, -EBADMSG, "footer: row groups come before the schema");
    uint32_t count = thrift_field_list(&p->r, field, THRIFT_STRUCT);
    for (uint32_t i = 0; i < count && !p->r.fault; i++) {
        int rc = parse_group(p);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int parse_created_by(struct parse *p, const struct thrift_field *field)
{
    const uint8_t *text;
    size_t len = thrift_field_binary(&p->r, field, &text);
    free(p->meta->created_by);
    p->meta->created_by = parquet_text_copy(text, len < 256 ? len : 256);
    return p->meta->created_by ? 0 : parquet_fail_memory(p->err, "the footer");
}

static int parse_fields(struct parse *p, int64_t *row_count)
{
    struct thrift_field field = {0};
    int rc = 0;
    while (rc == 0 && thrift_read_field(&p->r, &field)) {
        if (field.id == 2 && !p->meta->schema.root)
            rc = parquet_schema_parse(&p->meta->schema, &p->r, &field, p->err);
        else if (field.id == 3)
            *row_count = thrift_field_i64(&p->r, &field);
        else if (field.id == 4)
            rc = parse_groups(p, &field);
        else if (field.id == 6)
            rc = parse_created_by(p, &field);
        else
            thrift_skip(&p->r, &field);
    }
    return rc;
}

static int check_row_count(struct parse *p, int64_t row_count)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < p->meta->group_count; i++)
        if (__builtin_add_overflow(sum, p->meta->groups[i].row_count, &sum))
            return parquet_fail(p->err, -EBADMSG,
                                "footer: the row groups have more than 2^64 rows");
    /* Some writers leave the number of rows of the whole file at 0. */
    if (row_count != 0 && (row_count < 0 || sum != (uint64_t)row_count))
        return parquet_fail(p->err, -EBADMSG, "footer: the file has %lld rows, its row groups %llu",
                            (long long)row_count, (unsigned long long)sum);
    p->meta->row_count = sum;
    return 0;
}

/* parquet-mr before 1.2.9 does not count the header of the dictionary page in the length of a chunk
 * (PARQUET-816), so the chunk may go on for the size of such a header. */
static void extend_old_chunks(struct parquet_meta *meta, uint64_t data_end)
{
    unsigned major = 0, minor = 0, patch = 0;
    if (!meta->created_by || strncmp(meta->created_by, "parquet-mr", 10) != 0)
        return;
    sscanf(meta->created_by + 10, " version %u.%u.%u", &major, &minor, &patch);
    if (major > 1 || (major == 1 && (minor > 2 || (minor == 2 && patch >= 9))))
        return;
    for (size_t i = 0; i < meta->chunk_count; i++) {
        uint64_t left = data_end - meta->chunks[i].offset - meta->chunks[i].len;
        meta->chunks[i].len += left < OLD_HEADER_MAX ? left : OLD_HEADER_MAX;
    }
}

int parquet_meta_parse(struct parquet_meta *meta, const void *bytes, size_t len, uint64_t data_end,
                       struct parquet_error *err)
{
    struct parse p = {.meta = meta, .err = err, .data_end = data_end};
    int64_t row_count = -1;
    thrift_reader_init(&p.r, bytes, len);
    int rc = parse_fields(&p, &row_count);
    if (rc < 0)
        return rc;
    if (p.r.fault)
        return parquet_fail(err, -EBADMSG, "the footer is malformed: %s", p.r.fault);
    if (!meta->schema.root)
        return parquet_fail(err, -EBADMSG, "the footer has no schema");
    extend_old_chunks(meta, data_end);
    return check_row_count(&p, row_count);
}

static int check_magic(const uint8_t *magic, const char *where, struct parquet_error *err)
{
    if (memcmp(magic, "PAR1", MAGIC_LEN) == 0)
        return 0;
    if (memcmp(magic, "PARE", MAGIC_LEN) == 0)
        return parquet_fail(err, -ENOTSUP, "the footer is encrypted, which is not supported");
    return parquet_fail(err, -EBADMSG,
                        "not a Parquet file, or cut off: it %s with bytes "
                        "%02x %02x %02x %02x, not with \"PAR1\"",
                        where, magic[0], magic[1], magic[2], magic[3]);
}

/* Finds where the footer is, after a look at both ends of the file. */
static int find_footer(const struct parquet_source *src, uint32_t *len, struct parquet_error *err)
{
    uint8_t head[MAGIC_LEN], tail[TAIL_LEN];
    if (src->size < MAGIC_LEN + TAIL_LEN)
        return parquet_fail(err, -EBADMSG,
                            "not a Parquet file, or cut off: it has %llu bytes, the "
                            "smallest has %d",
                            (unsigned long long)src->size, MAGIC_LEN + TAIL_LEN);
    int rc = parquet_source_read(src, tail, TAIL_LEN, src->size - TAIL_LEN, err);
    if (rc == 0)
        rc = check_magic(tail + TAIL_LEN - MAGIC_LEN, "ends", err);
    if (rc == 0)
        rc = parquet_source_read(src, head, MAGIC_LEN, 0, err);
    if (rc == 0)
        rc = check_magic(head, "begins", err);
    if (rc < 0)
        return rc;
    memcpy(len, tail, sizeof(*len));
    if (*len > src->size - MAGIC_LEN - TAIL_LEN)
        return parquet_fail(err, -EBADMSG, "the footer is to have %u bytes, the file has %llu",
                            *len, (unsigned long long)src->size);
    if (*len > FOOTER_MAX)
        return parquet_fail(err, -EFBIG, "the footer has %u bytes, allowed are up to %u", *len,
                            FOOTER_MAX);
    return 0;
}

int parquet_meta_read(struct parquet_meta *meta, const struct parquet_source *src,
                      struct parquet_error *err)
{
    uint32_t len = 0;
    int rc = find_footer(src, &len, err);
    if (rc < 0)
        return rc;
    uint8_t *bytes = malloc(len + 1u);
    if (!bytes)
        return parquet_fail_memory(err, "the footer");
    uint64_t data_end = src->size - TAIL_LEN - len;
    rc = parquet_source_read(src, bytes, len, data_end, err);
    if (rc == 0)
        rc = parquet_meta_parse(meta, bytes, len, data_end, err);
    free(bytes);
    return rc;
}

void parquet_meta_fini(struct parquet_meta *meta)
{
    parquet_schema_fini(&meta->schema);
    free(meta->groups);
    free(meta->chunks);
    free(meta->created_by);
    memset(meta, 0, sizeof(*meta));
}
