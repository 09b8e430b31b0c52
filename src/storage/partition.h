#pragma once
/* Time partitions of a table by name and age: p20260131, or p2026013123 for hours. Stateless; any core. */
#include "storage/schema.h"

enum { PARTITION_NAME_BYTES = 32 };

/* Length of a partition in s; 0 = the table has none. */
int64_t partition_seconds(const struct schema *s);

/* Name of the partition that starts so many s since 1970. Outside of the years 1 to 9999, which no date of a client can
 * name, it is p_ and that number. */
void partition_name(const struct schema *s, int64_t start, char out[static PARTITION_NAME_BYTES]);

/* The start a name stands for: false when the table can have no partition of this name. */
bool partition_parse(const struct schema *s, const char *name, int64_t *start);

/* "90d" or "24h" to s: false when it is something else or 0. */
bool partition_parse_retention(const char *text, int64_t *seconds);
