#pragma once
/*
 * Comparison, equality and hashing of values. Pure functions, any core.
 */
#include "sql/value_datum.h"

/* How two kinds of values are compared (MySQL manual, "Type Conversion in Expression Evaluation").
 * */
enum compare_class {
    COMPARE_INT,
    COMPARE_DECIMAL,
    COMPARE_DOUBLE,
    COMPARE_STRING,
    COMPARE_DATETIME,
    COMPARE_TIME
};

/* The class for operands of these types; a constant string against a number is compared exactly. */
enum compare_class compare_class_of(const struct value_type *a, const struct value_type *b);

/*
 * -1, 0, 1 in the class; neither is NULL. *unknown is set, and 0 returned, when one of them cannot
 * be read in the class (a text that is no date): such a comparison is NULL.
 */
int datum_compare_as(enum compare_class class, const struct datum *a, const struct datum *b,
                     bool *unknown);

/* Total order of values of one type: NULL first, then as compared; for ORDER BY, MIN, MAX, GROUP
 * BY. */
int datum_order(const struct datum *a, const struct datum *b);

/* Equal values have equal hashes when they have the same type; NULL equals NULL here (GROUP BY,
 * DISTINCT). */
uint64_t datum_hash(const struct datum *d, uint64_t seed);
bool datum_is_same(const struct datum *a, const struct datum *b);

/* Converts in place to the kind that comparisons of a class use, so that equal values become the
 * same: keys of hash joins and IN lists. False when it cannot be read in the class. */
bool datum_normalise(struct datum *d, enum compare_class class);
