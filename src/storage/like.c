#include "storage/like.h"

/* Length of the UTF-8 character at s; a broken sequence counts byte by byte. */
static uint32_t char_len(const char *s, uint32_t left)
{
    uint8_t c = (uint8_t)*s;
    uint32_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    return n <= left ? n : left;
}

/* Bytes of one pattern element at p that matches exactly one character at t, or 0 when it does not match. */
static uint32_t match_one(const char *t, uint32_t t_left, const char *p, uint32_t p_left,
                          char escape, uint32_t *t_used)
{
    if (!t_left)
        return 0;
    if (escape && *p == escape && p_left > 1) {
        *t_used = 1;
        return p[1] == *t ? 2 : 0;
    }
    if (*p == '_') {
        *t_used = char_len(t, t_left);
        return 1;
    }
    *t_used = 1;
    return *p == *t ? 1 : 0;
}

bool like_match(const char *text, uint32_t len, const char *pattern, uint32_t pattern_len,
                char escape)
{
    uint32_t t = 0, p = 0, star_p = UINT32_MAX, star_t = 0;

    while (t < len || p < pattern_len) {
        if (p < pattern_len && pattern[p] == '%' && escape != '%') {
            star_p = ++p;
            star_t = t;
            continue;
        }
        uint32_t used = 0;
        uint32_t step = p < pattern_len ? match_one(text + t, len - t, pattern + p, pattern_len - p,
                                                    escape, &used)
                                        : 0;
        if (step) {
            p += step;
            t += used;
        } else if (star_p != UINT32_MAX && star_t < len) {
            star_t += char_len(text + star_t, len - star_t);
            t = star_t;
            p = star_p;
        } else {
            return false;
        }
    }
    return true;
}
