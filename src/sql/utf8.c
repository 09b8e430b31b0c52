#include "sql/utf8.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_length(const char *s, size_t n)
{
    unsigned char c = (unsigned char)*s;
    size_t want = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;

    if (want > n)
        return 1;
    for (size_t i = 1; i < want; i++)
        if (!is_tail(s[i]))
            return 1;
    return want;
}

size_t utf8_count(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t at = 0; at < n; count++)
        at += utf8_length(s + at, n - at);
    return count;
}

size_t utf8_offset(const char *s, size_t n, uint64_t at)
{
    size_t off = 0;

    for (; at && off < n; at--)
        off += utf8_length(s + off, n - off);
    return off;
}

/* The C library's tables of letters, without touching the process's locale. */
static locale_t letters;
static pthread_once_t letters_once = PTHREAD_ONCE_INIT;

static void load_letters(void)
{
    letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static uint32_t decode(const char *s, size_t n)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s[0] & masks[n];

    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    return c;
}

static size_t encode(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00U >> n & 0xff) | c);
    return n;
}

size_t utf8_case(const char *s, size_t n, bool upper, char *out)
{
    pthread_once(&letters_once, load_letters);
    if (n == 1 && ((unsigned char)*s & 0x80)) {
        *out = *s;
        return 1;
    }
    uint32_t c = decode(s, n);
    if (c < 0x80)
        c = upper && c >= 'a' && c <= 'z' ? c - 32 : !upper && c >= 'A' && c <= 'Z' ? c + 32 : c;
    else if (letters)
        c = (uint32_t)(upper ? towupper_l((wint_t)c, letters) : towlower_l((wint_t)c, letters));
    return encode(c, out);
}
