#pragma once
/*
 * Input values to canonical values of a column, by its mapping strategy, exactly: a value out of range or
 * that would lose digits is refused with column, value and what is allowed. Stateless; any core.
 */
#include "storage/schema.h"

enum { MAPPING_MAX_ITEMS = 4096 /* values of one multi-valued cell */ };

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,     /* i64: 0/1 */
    VALUE_INT,      /* i64 */
    VALUE_DECIMAL,  /* i128 * 10^-scale */
    VALUE_DOUBLE,   /* f64 */
    VALUE_TEXT,     /* bytes, len */
    VALUE_DATE,     /* i64: days since 1970 */
    VALUE_DATETIME, /* i64: microseconds since 1970 UTC */
    VALUE_LIST,     /* items: multi-valued input, texts */
};

struct value {
    enum value_kind kind;
    uint8_t scale; /* VALUE_DECIMAL */
    union {
        int64_t i64;
        __int128 i128;
        double f64;
    };
    const char *bytes;
    uint32_t len;
    const struct value *items; /* VALUE_LIST */
    uint32_t n_items;
};

/* What a column stores for one input value. */
struct cell {
    bool present; /* false = NULL */
    int64_t i64;  /* canonical, non-string types */
    const char
        *bytes; /* strings: points into the input value; text of a number: see mapping_convert */
    uint32_t len;
};

/*
 * Converts one input value. For a multi-valued column use mapping_convert_list. 0; -ERANGE / -EINVAL with
 * MySQL code 1264 (out of range), 1366/1292 (not such a value), 1265 (would lose digits) and text in err.
 * A text that is not part of the input (a number given to a string column, a UUID) stands in a buffer of the thread
 * that is used again only after more such calls than a table has columns.
 */
int mapping_convert(const struct column *c, const struct value *in, struct cell *out,
                    struct error_info *err);

/* Strategies that take input as it came: SQL must neither round numbers nor cut times before. */
bool mapping_takes_input_as_is(enum mapping m);
/* 36 characters of 16 bytes, in a buffer as above; NULL when out of memory. */
const char *mapping_uuid_text(const uint8_t bytes[16]);
/* Strategies of String columns that do not keep the text as it came. */
bool mapping_makes_text(enum mapping m);

/* Multi-valued: text is split at the delimiter, parts trimmed, blanks and repeats dropped; up to max items.
 * *n = 0 means NULL. Items point into the input. -E2BIG over max. */
int mapping_convert_list(const struct column *c, const struct value *in, struct cell *items,
                         uint32_t max, uint32_t *n, struct error_info *err);

/* Canonical value to text for messages and tools: returns length, at most cap. Strings are copied. */
size_t mapping_print(const struct column *c, const struct cell *cell, char *out, size_t cap);

/* Date forms of the spec (node.md 2.5): result in microseconds since 1970 UTC; years 0001..9999. 0 or -EINVAL. */
int datetime_parse(const char *s, size_t len, int64_t *us);
int date_from_days(int64_t days, int *year, unsigned *month,
                   unsigned *day);                            /* -ERANGE outside 1..9999 */
int64_t date_to_days(int year, unsigned month, unsigned day); /* proleptic Gregorian */
size_t datetime_print(int64_t us, unsigned fraction_digits,
                      char out[static 27]); /* YYYY-MM-DD hh:mm:ss[.f] */
size_t date_print(int64_t days, char out[static 11]);
