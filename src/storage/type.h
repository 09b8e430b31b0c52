#pragma once
/* Column types, mapping strategies and the canonical form of a value. Immutable; any core. */
#include <stdbool.h>
#include <stdint.h>

/*
 * Canonical values: BOOL 0/1; INT signed 64-bit; DECIMAL value * 10^scale; DATE days since 1970-01-01;
 * DATETIME ticks since 1970 UTC, a tick being 10^-scale s (scale 0, 3 or 6); STRING bytes (UTF-8).
 */
enum column_type {
    COLUMN_BOOL,
    COLUMN_INT,
    COLUMN_DECIMAL,
    COLUMN_DATE,
    COLUMN_DATETIME,
    COLUMN_STRING
};

enum mapping {
    MAPPING_BOOL_DIRECT,
    MAPPING_INT_DIRECT,
    MAPPING_INT_BSI,
    MAPPING_FLOAT_SCALE_BSI,
    MAPPING_SYS_SEC_BSI,
    MAPPING_SYS_MILLIS_BSI,
    MAPPING_SYS_MICRO_BSI,
    MAPPING_STRING_ENUM,
    MAPPING_STRING_HASH_BSI,
    MAPPING_PARENT_RELATION,
    MAPPING_INT_TO_BOOL_DIRECT,
    MAPPING_STRING_TO_INT_DIRECT,
    MAPPING_INT_LINEAR,
    MAPPING_INT_BUCKETS,
    MAPPING_FLOAT_LINEAR,
    MAPPING_FLOAT_BUCKETS,
    MAPPING_YEAR_TO_DAY,
    MAPPING_YEAR_TO_MONTH,
    MAPPING_YEAR,
    MAPPING_DAY_OF_YEAR,
    MAPPING_DAY_OF_MONTH,
    MAPPING_DAY_OF_WEEK,
    MAPPING_TIME_OF_DAY,
    MAPPING_HOUR_OF_DAY,
    MAPPING_UUID_BSI,
    MAPPING_BOOL_REGEX,
    MAPPING_CONTAINS,
    MAPPING_CUSTOM,
    MAPPING_CUSTOM_BSI,
    MAPPING_CHILD_RELATION, /* no column: rows of another table (struct schema_input) */
    MAPPING_DELEGATED,      /* no column: input of another column */
    MAPPING_COUNT
};

/* How a column lies in a block, derived from type and mapping. */
enum column_layout {
    LAYOUT_ORDERED, /* canonical int64 in bit slices */
    LAYOUT_ENUM,  /* dictionary codes: one container per value, above 16 values also code slices */
    LAYOUT_CODED, /* dictionary codes in bit slices */
    LAYOUT_LIST, /* multi-valued enum: container per value, code slices of the ordered value list */
};

const char *column_type_name(enum column_type t); /* "String", "Integer", ... as in schema.yaml */
const char *mapping_name(enum mapping m);         /* "StringEnum", ... */

/* A bounded text for the user: what failed, found, allowed. code is a MySQL error number (0 = 1105). */
struct error_info {
    int code;
    char text[500];
};

/* Fills the record and returns rc, so that a caller can write `return error_set(e, -EINVAL, 1366, ...)`. */
int error_set(struct error_info *e, int rc, int code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
