#pragma once
/* LIKE: % any run, _ one character (UTF-8), bytewise otherwise. Stateless; any core. */
#include <stdbool.h>
#include <stdint.h>

/* escape 0 = none. Runs in O(text * pattern) at worst, without recursion. */
bool like_match(const char *text, uint32_t len, const char *pattern, uint32_t pattern_len,
                char escape);
