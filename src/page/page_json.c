#include "page/page_json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of the character at s, at most 4; 0: it is none (RFC 3629). */
static size_t character(const unsigned char *s, size_t len)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));

    if (n == 1)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4 || len < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if ((n == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
        (n == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    return n;
}

static int put_escaped(struct buffer *out, unsigned char c)
{
    char text[8];
    int n;

    switch (c) {
    case '"':
        return buffer_append(out, "\\\"", 2);
    case '\\':
        return buffer_append(out, "\\\\", 2);
    case '\n':
        return buffer_append(out, "\\n", 2);
    case '\t':
        return buffer_append(out, "\\t", 2);
    default:
        n = snprintf(text, sizeof text, "\\u%04x", c);
        return buffer_append(out, text, (size_t)n);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static int put_text(struct buffer *out, const unsigned char *s, size_t len)
{
    int rc = 0;

    for (size_t i = 0; i < len && rc == 0;) {
        size_t n = 0;

        while (i + n < len && is_plain(s[i + n]))
            n++;
        if (n) {
            rc = buffer_append(out, s + i, n);
        } else if (s[i] < 0x80) {
            n = 1;
            rc = put_escaped(out, s[i]);
        } else {
            n = character(s + i, len - i);
            rc = n ? buffer_append(out, s + i, n)
                   : buffer_append(out, replacement, sizeof replacement - 1);
            n = n ? n : 1;
        }
        i += n;
    }
    return rc;
}

int page_json_string(struct buffer *out, const char *s, size_t len)
{
    size_t start = out->len;
    int rc = buffer_append(out, "\"", 1);

    if (rc == 0)
        rc = put_text(out, (const unsigned char *)s, len);
    if (rc == 0)
        rc = buffer_append(out, "\"", 1);
    if (rc != 0)
        out->len = start;
    return rc;
}

int page_json_bytes(struct buffer *out, const unsigned char *s, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    int rc = buffer_reserve(out, 2 * len + 4);

    if (rc != 0)
        return rc;
    rc = buffer_append(out, "\"0x", 3);
    for (size_t i = 0; i < len; i++) {
        out->data[out->len++] = (uint8_t)digits[s[i] >> 4];
        out->data[out->len++] = (uint8_t)digits[s[i] & 15];
    }
    return rc ? rc : buffer_append(out, "\"", 1);
}

size_t page_json_cut(const char *s, size_t len, size_t max)
{
    if (len <= max)
        return len;
    for (size_t back = 0; back < 4 && back < max; back++)
        if (((unsigned char)s[max - back] & 0xc0) != 0x80)
            return max - back;
    return max;
}
