#pragma once
/*
 * Steps of the conversion of input values, by target; put together in mapping.c. Stateless; any
 * core.
 */
#include "storage/mapping.h"

enum convert_result {
    CONVERT_OK,
    CONVERT_WRONG,  /* not such a value */
    CONVERT_RANGE,  /* outside what the column can hold */
    CONVERT_DIGITS, /* would lose digits */
};

/* Input times 10^scale as a whole number, exactly. */
enum convert_result mapping_convert_number(const struct value *in, unsigned scale, int64_t *out);

/* Decimal text "-12.50e3", blanks around it allowed. */
enum convert_result mapping_parse_number(const char *s, size_t len, unsigned scale, int64_t *out);

enum convert_result mapping_convert_date(const struct column *c, const struct value *in,
                                         int64_t *days);
enum convert_result mapping_convert_datetime(const struct column *c, const struct value *in,
                                             int64_t *ticks);

/* Any input as text for a message, clipped to cap. Returns length. */
size_t mapping_print_value(const struct value *v, char *out, size_t cap);

/* Trims ASCII blanks at both ends. */
void mapping_trim(const char **s, size_t *len);

/* 10^n, n <= 18 */
int64_t mapping_power(unsigned n);
