#pragma once
/* Characters of UTF-8 text; a byte that starts no character counts as one. Pure functions, any core. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s, 1..4; n > 0 bytes are left. */
size_t utf8_length(const char *s, size_t n);
/* Number of characters. */
size_t utf8_count(const char *s, size_t n);
/* Byte offset of character `at`, or n when there are fewer. */
size_t utf8_offset(const char *s, size_t n, uint64_t at);
/* Simple case mapping of one character into out (4 bytes); returns its bytes. */
size_t utf8_case(const char *s, size_t n, bool upper, char *out);
