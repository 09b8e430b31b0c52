#pragma once
/* Byte layout of a row batch (batch.h), shared by the reader and the builder. */
#include <stddef.h>
#include <stdint.h>

enum {
    BATCH_MAGIC = 0x31544251 /* "QBT1" */,
    BATCH_HAS_NULLS = 1,
    BATCH_HAS_CODES = 2,
    BATCH_ALIGN = 8,
    BATCH_MAX_SCALE = 38
};

struct batch_header {
    uint32_t magic, total_bytes, rows;
    uint16_t columns;
    uint8_t op, flags; /* flags: none yet, 0 */
    uint32_t table_id, slot;
    uint64_t reserved; /* 0 */
};

struct batch_descriptor {
    uint16_t id;
    uint8_t kind, flags;
    uint32_t offset,
        length; /* bytes from the start of the batch; without the padding to BATCH_ALIGN */
    uint8_t width, scale; /* width: bytes of an I64 cell or a code, else 0 */
    uint16_t reserved;    /* 0 */
};

/* Before the offsets of a column with codes. */
struct batch_values_head {
    uint32_t values;   /* at least 1 where there are rows */
    uint32_t reserved; /* 0 */
};

_Static_assert(sizeof(struct batch_values_head) == 8, "head of the values is 8 bytes on the wire");
_Static_assert(sizeof(struct batch_header) == 32, "header is 32 bytes on the wire");
_Static_assert(sizeof(struct batch_descriptor) == 16, "descriptor is 16 bytes on the wire");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "batches are read in place, little endian");

static inline uint64_t batch_align(uint64_t n)
{
    return (n + BATCH_ALIGN - 1) & ~(uint64_t)(BATCH_ALIGN - 1);
}

static inline uint64_t batch_presence_bytes(uint32_t rows)
{
    return ((uint64_t)rows + 63) / 64 * 8;
}
