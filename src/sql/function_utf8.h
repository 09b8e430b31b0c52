#pragma once
/* UTF-8 for the text functions: characters counted and found. Bytes that are no UTF-8 count as
 * characters. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_is_first(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static inline size_t utf8_length(const char *s, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += utf8_is_first(s[i]);
    return n;
}

/* Byte offset of character n (0-based); len when there are fewer. */
static inline size_t utf8_offset(const char *s, size_t len, uint64_t n)
{
    size_t i = 0;

    for (; i < len; i++)
        if (utf8_is_first(s[i]) && n-- == 0)
            return i;
    return len;
}

/* One character: its code point and width; bytes that are no UTF-8 count as themselves. */
static inline unsigned utf8_decode(const char *s, size_t len, unsigned *width)
{
    const unsigned char *p = (const unsigned char *)s;

    *width = 1;
    if (p[0] >= 0xc2 && p[0] < 0xe0 && len > 1) {
        *width = 2;
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3f);
    }
    if (p[0] >= 0xe0 && p[0] < 0xf0 && len > 2) {
        *width = 3;
        return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3f);
    }
    if (p[0] >= 0xf0 && len > 3) {
        *width = 4;
        return (p[0] & 7u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3f);
    }
    return p[0];
}
