#pragma once
/*
 * Calendar limits and the reading of date texts with all their digits; the public part is in
 * mapping.h. Any core.
 */
#include "storage/mapping.h"

#define DAY_US 86400000000ll

enum { DATE_MIN_DAYS = -719162 /* 0001-01-01 */, DATE_MAX_DAYS = 2932896 /* 9999-12-31 */ };

#define DATETIME_MIN_US (DATE_MIN_DAYS * DAY_US)
#define DATETIME_MAX_US (DATE_MAX_DAYS * DAY_US + DAY_US - 1)

/* Days of a month 1..12. */
unsigned date_month_days(int year, unsigned month);

/*
 * As datetime_parse, and what is left below a microsecond: *rest_ns, 0..999, 1000 = digits below
 * that too.
 */
int datetime_parse_exact(const char *s, size_t len, int64_t *us, unsigned *rest_ns);
