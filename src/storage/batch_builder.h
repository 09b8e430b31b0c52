#pragma once
/* Columns of a row batch while it is built; private to batch_builder.c and batch_encode.c. */
#include "storage/batch.h"

/* Growing bytes. Owner and lifetime: the builder. */
struct vector {
    uint8_t *data;
    size_t len, cap;
};

/* One column being built. Owner and lifetime: the builder. */
struct builder_column {
    uint16_t id;
    uint8_t kind, scale;
    bool has_nulls;         /* from the first NULL on the presence words are kept */
    uint32_t cells;         /* rows, plus one while the open row has a cell here */
    uint32_t items;         /* LIST: items of all cells */
    uint32_t n_values;      /* BYTES with codes: values that offsets and values hold; else 0 */
    struct vector values;   /* I64: int64; I128, F64: as on the wire; BYTES, LIST: bytes */
    struct vector offsets;  /* BYTES, LIST: uint32 with the leading 0 */
    struct vector codes;    /* BYTES with codes: uint32 */
    struct vector starts;   /* LIST: uint32 with the leading 0 */
    struct vector presence; /* uint64 words */
};

/* Owner: one core, one operation; lifetime: batch_builder_new to batch_builder_free. */
struct batch_builder {
    struct budget *budget;
    struct builder_column *columns;
    unsigned n_columns;
    uint32_t rows;
};
