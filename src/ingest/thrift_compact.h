#pragma once
/*
 * Thrift compact protocol: the encoding of Parquet footers and page headers.
 *
 * The reader walks a byte range it does not own and never allocates. Its first fault sticks: every
 * later call returns zero or false, so callers parse a whole structure and look at `fault` once.
 * Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types as they stand in a field header; a boolean field carries its value in its type. */
enum thrift_type {
    THRIFT_STOP = 0,
    THRIFT_TRUE = 1,
    THRIFT_FALSE = 2,
    THRIFT_I8 = 3,
    THRIFT_I16 = 4,
    THRIFT_I32 = 5,
    THRIFT_I64 = 6,
    THRIFT_DOUBLE = 7,
    THRIFT_BINARY = 8,
    THRIFT_LIST = 9,
    THRIFT_SET = 10,
    THRIFT_MAP = 11,
    THRIFT_STRUCT = 12,
    THRIFT_UUID = 13,
};

/* Cursor over encoded bytes, which are the caller's. Any core; lives on the stack of one parse. */
struct thrift_reader {
    const uint8_t *start;
    const uint8_t *pos;
    const uint8_t *end;
    const char *fault; /* NULL while all is well; a static text after the first fault */
    bool truncated;    /* the fault is that the bytes end too early */
    int depth;
};

/* One field header. `last_id` of the enclosing structure starts as 0 for every structure. */
struct thrift_field {
    int16_t id;
    uint8_t type;
};

/* Starts reading len bytes. Any core. */
void thrift_reader_init(struct thrift_reader *r, const void *bytes, size_t len);

/* Records the first fault; later ones are ignored. text must be static. */
void thrift_reader_fail(struct thrift_reader *r, const char *text);

/* Reads the next field header of a structure. False at its end and after a fault. */
bool thrift_read_field(struct thrift_reader *r, struct thrift_field *field);

/* Enters and leaves a nested structure: nesting is limited to 64 levels, beyond which entering is a
 * fault. Every enter is followed by a leave, also when it returns false. */
bool thrift_enter(struct thrift_reader *r);
void thrift_leave(struct thrift_reader *r);

/* Value of a field of that type; a field of another type is a fault. Integers of any width are
 * accepted where a wider one is expected. */
bool thrift_field_bool(struct thrift_reader *r, const struct thrift_field *field);
int32_t thrift_field_i32(struct thrift_reader *r, const struct thrift_field *field);
int64_t thrift_field_i64(struct thrift_reader *r, const struct thrift_field *field);

/* Bytes of a binary field, lent from the reader's range. Returns their number. */
size_t thrift_field_binary(struct thrift_reader *r, const struct thrift_field *field,
                           const uint8_t **bytes);

/* Header of a list field whose elements must be of `element` type. Returns the number of elements,
 * never more than bytes are left, as each takes at least one. */
uint32_t thrift_field_list(struct thrift_reader *r, const struct thrift_field *field,
                           enum thrift_type element);

/* Elements of lists: bytes and integers without a field header. */
size_t thrift_read_binary(struct thrift_reader *r, const uint8_t **bytes);
int32_t thrift_read_i32(struct thrift_reader *r);

/* Passes over a value of the field's type, whatever it is. */
void thrift_skip(struct thrift_reader *r, const struct thrift_field *field);

/* Growing buffer a structure is written to. Any core; owned by the caller of thrift_writer_fini. */
struct thrift_writer {
    uint8_t *bytes;
    size_t len;
    size_t cap;
    bool failed; /* out of memory; later calls do nothing */
    int depth;
    int16_t last_id[16];
};

/* Starts an empty buffer; nothing is allocated before the first byte. */
void thrift_writer_init(struct thrift_writer *w);

/* Frees the buffer. */
void thrift_writer_fini(struct thrift_writer *w);

/* A top-level structure is begun with thrift_write_begin and ended with thrift_write_end; a nested
 * one by the field or element call first. */
void thrift_write_begin(struct thrift_writer *w);
void thrift_write_end(struct thrift_writer *w);
void thrift_write_struct(struct thrift_writer *w, int16_t id);
void thrift_write_bool(struct thrift_writer *w, int16_t id, bool value);
void thrift_write_i8(struct thrift_writer *w, int16_t id, int8_t value);
void thrift_write_i16(struct thrift_writer *w, int16_t id, int16_t value);
void thrift_write_i32(struct thrift_writer *w, int16_t id, int32_t value);
void thrift_write_i64(struct thrift_writer *w, int16_t id, int64_t value);
void thrift_write_binary(struct thrift_writer *w, int16_t id, const void *bytes, size_t len);
void thrift_write_list(struct thrift_writer *w, int16_t id, enum thrift_type element,
                       uint32_t count);

/* Elements of a list begun with thrift_write_list. */
void thrift_write_element_i32(struct thrift_writer *w, int32_t value);
void thrift_write_element_binary(struct thrift_writer *w, const void *bytes, size_t len);
