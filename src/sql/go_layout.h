#pragma once
/*
 * Dates by a layout that shows how the moment Mon Jan 2 15:04:05 2006 is written: 01/02/2006, Jan 2 2006 3:04PM. Pure,
 * any core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text as microseconds since 1970 UTC; without a zone in the layout it is UTC. False when it is not written so. */
bool go_layout_parse(const char *layout, size_t layout_len, const char *text, size_t len,
                     int64_t *us);
