#pragma once
/* JSON texts into a buffer. Errors of the buffer are the caller's to see: its length stays. Any core. */
#include <stddef.h>

#include "reactor/buffer.h"

/* A string with quotes; bytes that are not UTF-8 become U+FFFD. 0, -ENOBUFS or -ENOMEM. */
int page_json_string(struct buffer *out, const char *s, size_t len);
/* "0x" and digits, of bytes that are no text. */
int page_json_bytes(struct buffer *out, const unsigned char *s, size_t len);
/* The longest part of s[len] of at most `max` bytes that does not end within a character. */
size_t page_json_cut(const char *s, size_t len, size_t max);
