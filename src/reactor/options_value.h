#pragma once
/* Values of options: text to value and back. Used by options.c; any thread. */
#include <stddef.h>
#include <stdint.h>

#include "reactor/options.h"

/* Writes text into s->value: 0, or -EINVAL with what would be allowed. The text itself is kept by
 * OPTION_STRING, so it lives as long as argv or the environment. */
int option_value_parse(const struct option_spec *s, const char *text, char *allowed,
                       size_t allowed_len);

/* The present value as text for --help; empty when there is nothing worth showing. */
void option_value_print(const struct option_spec *s, char *out, size_t size);

/* "4096", "64K", "64KB", "64KiB", "2G", "1TiB" (all powers of 1024): 0 or -EINVAL. */
int option_bytes_parse(const char *text, uint64_t *out);
