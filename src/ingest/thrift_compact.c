#include "ingest/thrift_compact.h"

#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

#define DEPTH_MAX 64

void thrift_reader_init(struct thrift_reader *r, const void *bytes, size_t len)
{
    r->start = bytes;
    r->pos = bytes;
    r->end = r->start + len;
    r->fault = NULL;
    r->truncated = false;
    r->depth = 0;
}

void thrift_reader_fail(struct thrift_reader *r, const char *text)
{
    if (!r->fault)
        r->fault = text;
    r->pos = r->end;
}

static void fail_truncated(struct thrift_reader *r)
{
    if (!r->fault)
        r->truncated = true;
    thrift_reader_fail(r, "it ends in the middle of a value");
}

static uint8_t read_byte(struct thrift_reader *r)
{
    if (r->pos == r->end) {
        fail_truncated(r);
        return 0;
    }
    return *r->pos++;
}

static uint64_t read_varint(struct thrift_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = read_byte(r);
        if (r->fault)
            return 0;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    thrift_reader_fail(r, "an integer is longer than 64 bits");
    return 0;
}

static int64_t read_zigzag(struct thrift_reader *r)
{
    uint64_t raw = read_varint(r);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

bool thrift_read_field(struct thrift_reader *r, struct thrift_field *field)
{
    uint8_t head = read_byte(r);
    if (r->fault || head == THRIFT_STOP)
        return false;
    field->type = head & 0x0f;
    unsigned delta = head >> 4;
    int64_t id = delta ? (int64_t)field->id + delta : read_zigzag(r);
    if (r->fault)
        return false;
    if (id < INT16_MIN || id > INT16_MAX || field->type == THRIFT_STOP ||
        field->type > THRIFT_UUID) {
        thrift_reader_fail(r, "a field header is malformed");
        return false;
    }
    field->id = (int16_t)id;
    return true;
}

bool thrift_enter(struct thrift_reader *r)
{
    if (++r->depth > DEPTH_MAX)
        thrift_reader_fail(r, "structures are nested deeper than 64 levels");
    return !r->fault;
}

void thrift_leave(struct thrift_reader *r)
{
    r->depth--;
}

bool thrift_field_bool(struct thrift_reader *r, const struct thrift_field *field)
{
    if (field->type != THRIFT_TRUE && field->type != THRIFT_FALSE)
        thrift_reader_fail(r, "a field is not a boolean");
    return field->type == THRIFT_TRUE;
}

int64_t thrift_field_i64(struct thrift_reader *r, const struct thrift_field *field)
{
    switch (field->type) {
    case THRIFT_I8:
        return (int8_t)read_byte(r);
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        return read_zigzag(r);
    default:
        thrift_reader_fail(r, "a field is not an integer");
        return 0;
    }
}

int32_t thrift_field_i32(struct thrift_reader *r, const struct thrift_field *field)
{
    int64_t value = thrift_field_i64(r, field);
    if (value < INT32_MIN || value > INT32_MAX) {
        thrift_reader_fail(r, "an integer is out of the range of 32 bits");
        return 0;
    }
    return (int32_t)value;
}

int32_t thrift_read_i32(struct thrift_reader *r)
{
    struct thrift_field field = {.type = THRIFT_I32};
    return thrift_field_i32(r, &field);
}

size_t thrift_read_binary(struct thrift_reader *r, const uint8_t **bytes)
{
    uint64_t len = read_varint(r);
    *bytes = r->pos;
    if (len > (uint64_t)(r->end - r->pos)) {
        fail_truncated(r);
        return 0;
    }
    r->pos += len;
    return len;
}

size_t thrift_field_binary(struct thrift_reader *r, const struct thrift_field *field,
                           const uint8_t **bytes)
{
    if (field->type != THRIFT_BINARY) {
        thrift_reader_fail(r, "a field is not a string");
        *bytes = r->pos;
        return 0;
    }
    return thrift_read_binary(r, bytes);
}

static uint32_t read_list_head(struct thrift_reader *r, uint8_t *element)
{
    uint8_t head = read_byte(r);
    *element = head & 0x0f;
    uint64_t count = head >> 4;
    if (count == 15)
        count = read_varint(r);
    if (count > (uint64_t)(r->end - r->pos) || count > UINT32_MAX) {
        fail_truncated(r);
        return 0;
    }
    return (uint32_t)count;
}

uint32_t thrift_field_list(struct thrift_reader *r, const struct thrift_field *field,
                           enum thrift_type element)
{
    uint8_t found;
    if (field->type != THRIFT_LIST && field->type != THRIFT_SET) {
        thrift_reader_fail(r, "a field is not a list");
        return 0;
    }
    uint32_t count = read_list_head(r, &found);
    if (!r->fault && count > 0 && found != element) {
        thrift_reader_fail(r, "the elements of a list are of another type");
        return 0;
    }
    return count;
}

static void skip_value(struct thrift_reader *r, uint8_t type, bool element);

static void skip_bytes(struct thrift_reader *r, size_t len)
{
    if ((size_t)(r->end - r->pos) < len)
        fail_truncated(r);
    else
        r->pos += len;
}

static void skip_map(struct thrift_reader *r)
{
    uint64_t count = read_varint(r);
    if (count == 0 || r->fault)
        return;
    uint8_t types = read_byte(r);
    if (count > (uint64_t)(r->end - r->pos)) {
        fail_truncated(r);
        return;
    }
    for (uint64_t i = 0; i < count && !r->fault; i++) {
        skip_value(r, types >> 4, true);
        skip_value(r, types & 0x0f, true);
    }
}

static void skip_list(struct thrift_reader *r)
{
    uint8_t element;
    uint32_t count = read_list_head(r, &element);
    for (uint32_t i = 0; i < count && !r->fault; i++)
        skip_value(r, element, true);
}

static void skip_struct(struct thrift_reader *r)
{
    struct thrift_field field = {0};
    while (thrift_read_field(r, &field))
        skip_value(r, field.type, false);
}

/* Booleans take a byte as list elements, and none as fields, where the header holds them. */
static void skip_value(struct thrift_reader *r, uint8_t type, bool element)
{
    const uint8_t *bytes;
    if (!thrift_enter(r)) {
        thrift_leave(r);
        return;
    }
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        skip_bytes(r, element ? 1 : 0);
        break;
    case THRIFT_I8:
        skip_bytes(r, 1);
        break;
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        read_varint(r);
        break;
    case THRIFT_DOUBLE:
        skip_bytes(r, 8);
        break;
    case THRIFT_UUID:
        skip_bytes(r, 16);
        break;
    case THRIFT_BINARY:
        thrift_read_binary(r, &bytes);
        break;
    case THRIFT_LIST:
    case THRIFT_SET:
        skip_list(r);
        break;
    case THRIFT_MAP:
        skip_map(r);
        break;
    case THRIFT_STRUCT:
        skip_struct(r);
        break;
    default:
        thrift_reader_fail(r, "a value is of an unknown type");
    }
    thrift_leave(r);
}

void thrift_skip(struct thrift_reader *r, const struct thrift_field *field)
{
    skip_value(r, field->type, false);
}

void thrift_writer_init(struct thrift_writer *w)
{
    memset(w, 0, sizeof(*w));
    w->depth = -1;
}

void thrift_writer_fini(struct thrift_writer *w)
{
    free(w->bytes);
    thrift_writer_init(w);
}

static void put_bytes(struct thrift_writer *w, const void *bytes, size_t len)
{
    if (w->failed || len == 0)
        return;
    if (w->cap - w->len < len) {
        size_t cap = w->cap * 2 + len + 64;
        uint8_t *grown = realloc(w->bytes, cap);
        if (!grown) {
            w->failed = true;
            return;
        }
        w->bytes = grown;
        w->cap = cap;
    }
    memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
}

static void put_byte(struct thrift_writer *w, uint8_t byte)
{
    put_bytes(w, &byte, 1);
}

static void put_varint(struct thrift_writer *w, uint64_t value)
{
    uint8_t buf[10];
    size_t len = 0;
    while (value >= 0x80) {
        buf[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    buf[len++] = (uint8_t)value;
    put_bytes(w, buf, len);
}

static void put_zigzag(struct thrift_writer *w, int64_t value)
{
    put_varint(w, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void put_field(struct thrift_writer *w, int16_t id, enum thrift_type type)
{
    ASSERT(w->depth >= 0);
    int delta = id - w->last_id[w->depth];
    if (delta > 0 && delta <= 15) {
        put_byte(w, (uint8_t)(delta << 4 | type));
    } else {
        put_byte(w, type);
        put_zigzag(w, id);
    }
    w->last_id[w->depth] = id;
}

void thrift_write_begin(struct thrift_writer *w)
{
    w->depth++;
    ASSERT(w->depth < (int)(sizeof(w->last_id) / sizeof(w->last_id[0])));
    w->last_id[w->depth] = 0;
}

void thrift_write_end(struct thrift_writer *w)
{
    ASSERT(w->depth >= 0);
    put_byte(w, THRIFT_STOP);
    w->depth--;
}

void thrift_write_struct(struct thrift_writer *w, int16_t id)
{
    put_field(w, id, THRIFT_STRUCT);
    thrift_write_begin(w);
}

void thrift_write_bool(struct thrift_writer *w, int16_t id, bool value)
{
    put_field(w, id, value ? THRIFT_TRUE : THRIFT_FALSE);
}

void thrift_write_i8(struct thrift_writer *w, int16_t id, int8_t value)
{
    put_field(w, id, THRIFT_I8);
    put_byte(w, (uint8_t)value);
}

void thrift_write_i16(struct thrift_writer *w, int16_t id, int16_t value)
{
    put_field(w, id, THRIFT_I16);
    put_zigzag(w, value);
}

void thrift_write_i32(struct thrift_writer *w, int16_t id, int32_t value)
{
    put_field(w, id, THRIFT_I32);
    put_zigzag(w, value);
}

void thrift_write_i64(struct thrift_writer *w, int16_t id, int64_t value)
{
    put_field(w, id, THRIFT_I64);
    put_zigzag(w, value);
}

void thrift_write_binary(struct thrift_writer *w, int16_t id, const void *bytes, size_t len)
{
    put_field(w, id, THRIFT_BINARY);
    thrift_write_element_binary(w, bytes, len);
}

void thrift_write_list(struct thrift_writer *w, int16_t id, enum thrift_type element,
                       uint32_t count)
{
    put_field(w, id, THRIFT_LIST);
    if (count < 15) {
        put_byte(w, (uint8_t)(count << 4 | element));
    } else {
        put_byte(w, (uint8_t)(0xf0u | (unsigned)element));
        put_varint(w, count);
    }
}

void thrift_write_element_i32(struct thrift_writer *w, int32_t value)
{
    put_zigzag(w, value);
}

void thrift_write_element_binary(struct thrift_writer *w, const void *bytes, size_t len)
{
    put_varint(w, len);
    put_bytes(w, bytes, len);
}
