#pragma once
/*
 * Exact decimals: a signed 128-bit integer times 10^-scale, at most 38 digits.
 *
 * MySQL allows 65 digits; results that need more than 38 are refused (1690), never rounded
 * silently. Rounding is half away from zero, as in MySQL. Pure functions, any core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_MAX_DIGITS = 38, DECIMAL_MAX_SCALE = 30, DECIMAL_TEXT = 48 };

/* 10^n, n 0..38. */
__int128 decimal_pow10(unsigned n);

/* v * 10^-from as a multiple of 10^-to, rounded. False when it needs more than 38 digits. */
bool decimal_rescale(__int128 v, unsigned from, unsigned to, __int128 *out);
/* The same without rounding: digits are cut off. */
bool decimal_truncate(__int128 v, unsigned from, unsigned to, __int128 *out);

/* Arithmetic on values with scales; the result's scale is max(sa, sb), for mul sa + sb (cut to
 * DECIMAL_MAX_SCALE by rounding). False on overflow. */
bool decimal_add(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale);
bool decimal_sub(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale);
bool decimal_mul(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale);

/*
 * a / b cut off at `scale` fraction digits, zeros included as MySQL keeps them; fewer when the
 * quotient would not fit into 38 digits (*scale_out). b must not be 0. False on overflow of the
 * integral part.
 */
bool decimal_div(__int128 a, unsigned sa, __int128 b, unsigned sb, unsigned scale, __int128 *out,
                 unsigned *scale_out);
/* Fraction digits MySQL keeps inside an expression for a division: whole groups of nine. */
unsigned decimal_div_scale(unsigned sa, unsigned sb, unsigned increment);
/* Remainder with the sign of a; scale max(sa, sb). b must not be 0. */
bool decimal_mod(__int128 a, unsigned sa, __int128 b, unsigned sb, __int128 *out, unsigned *scale);

/* -1, 0, 1; never overflows. */
int decimal_compare(__int128 a, unsigned sa, __int128 b, unsigned sb);

/*
 * Reads [blanks][sign]digits[.digits][e[sign]digits] from the front of text. *used is the number of
 * bytes read including blanks in front (0: no number there). False when the number does not fit;
 * fraction digits beyond DECIMAL_MAX_SCALE are rounded away.
 */
bool decimal_parse(const char *text, size_t len, __int128 *v, unsigned *scale, size_t *used);

/* Text with exactly `scale` fraction digits; returns its length, at most DECIMAL_TEXT - 1,
 * NUL-terminated. */
size_t decimal_print(__int128 v, unsigned scale, char out[static DECIMAL_TEXT]);

double decimal_to_double(__int128 v, unsigned scale);
/* Nearest decimal with `scale` digits; false when out of range or not finite. */
bool decimal_from_double(double d, unsigned scale, __int128 *out);

/* Number of decimal digits of |v|, at least 1. */
unsigned decimal_digits(__int128 v);
