#pragma once
/*
 * Conversions between kinds of values with MySQL's rules: the longest numeric prefix of a string
 * counts, dates are numbers such as 20260131, and so on. No argument may be NULL unless said. Pure
 * functions, any core.
 */
#include "sql/value_datum.h"

enum { DATUM_TEXT = 400 }; /* room for the text of any number, date or time */

double datum_to_double(const struct datum *d);
/* False when it does not fit into 38 digits. */
bool datum_to_decimal(const struct datum *d, __int128 *v, unsigned *scale);
/* Rounded to an integer; false and the nearest bound when it does not fit. */
bool datum_to_int(const struct datum *d, int64_t *v);
bool datum_to_uint(const struct datum *d, uint64_t *v);
/* Cut towards zero for strings and rounded for the rest, as in CAST(x AS SIGNED); wide for
 * UNSIGNED. */
bool datum_to_wide_int(const struct datum *d, __int128 *v);

/* 1 true, 0 false, -1 unknown (NULL is allowed). */
int datum_truth(const struct datum *d);

/* Text of the value, rounded to the type's digits (t may be NULL: as it is). Points into the datum
 * or into buf. */
const char *datum_to_text(const struct datum *d, const struct value_type *t,
                          char buf[static DATUM_TEXT], size_t *len);

/* A point in time; false when it is none. DATE gives midnight; TIME gives false. */
bool datum_to_datetime(const struct datum *d, int64_t *us);
bool datum_to_date(const struct datum *d, int64_t *days);
bool datum_to_time(const struct datum *d, int64_t *us);

/* True when the whole string (but for blanks) is a number. */
bool datum_string_is_number(const char *s, size_t len);
