/* Character sets and collations: see mysql_charset.h. */
#include "sql/mysql_charset.h"

#include <string.h>
#include <strings.h>

#define UTF8 MYSQL_CHARSET_KIND_UTF8
#define ASCII MYSQL_CHARSET_KIND_ASCII
#define RAW MYSQL_CHARSET_KIND_RAW
#define LATIN1 MYSQL_CHARSET_KIND_LATIN1

/* In order of id: id, name, character set, kind, longest character, default, pads with blanks. */
static const struct mysql_collation collations[] = {
    {5, "latin1_german1_ci", "latin1", LATIN1, 1, false, true},
    {8, "latin1_swedish_ci", "latin1", LATIN1, 1, true, true},
    {11, "ascii_general_ci", "ascii", ASCII, 1, true, true},
    {15, "latin1_danish_ci", "latin1", LATIN1, 1, false, true},
    {31, "latin1_german2_ci", "latin1", LATIN1, 1, false, true},
    {33, "utf8mb3_general_ci", "utf8mb3", UTF8, 3, true, true},
    {45, "utf8mb4_general_ci", "utf8mb4", UTF8, 4, false, true},
    {46, "utf8mb4_bin", "utf8mb4", UTF8, 4, false, true},
    {47, "latin1_bin", "latin1", LATIN1, 1, false, true},
    {48, "latin1_general_ci", "latin1", LATIN1, 1, false, true},
    {49, "latin1_general_cs", "latin1", LATIN1, 1, false, true},
    {63, "binary", "binary", RAW, 1, true, false},
    {65, "ascii_bin", "ascii", ASCII, 1, false, true},
    {83, "utf8mb3_bin", "utf8mb3", UTF8, 3, false, true},
    {94, "latin1_spanish_ci", "latin1", LATIN1, 1, false, true},
    {192, "utf8mb3_unicode_ci", "utf8mb3", UTF8, 3, false, true},
    {214, "utf8mb3_unicode_520_ci", "utf8mb3", UTF8, 3, false, true},
    {224, "utf8mb4_unicode_ci", "utf8mb4", UTF8, 4, false, true},
    {225, "utf8mb4_icelandic_ci", "utf8mb4", UTF8, 4, false, true},
    {246, "utf8mb4_unicode_520_ci", "utf8mb4", UTF8, 4, false, true},
    {255, "utf8mb4_0900_ai_ci", "utf8mb4", UTF8, 4, true, false},
    {256, "utf8mb4_de_pb_0900_ai_ci", "utf8mb4", UTF8, 4, false, false},
    {278, "utf8mb4_0900_as_cs", "utf8mb4", UTF8, 4, false, false},
    {305, "utf8mb4_0900_as_ci", "utf8mb4", UTF8, 4, false, false},
    {309, "utf8mb4_0900_bin", "utf8mb4", UTF8, 4, false, false},
    {1057, "utf8mb3_general_nopad_ci", "utf8mb3", UTF8, 3, false, false},
    {1069, "utf8mb4_general_nopad_ci", "utf8mb4", UTF8, 4, false, false},
    {1070, "utf8mb4_nopad_bin", "utf8mb4", UTF8, 4, false, false},
    {1107, "utf8mb3_nopad_bin", "utf8mb3", UTF8, 3, false, false},
    {1248, "utf8mb4_unicode_nopad_ci", "utf8mb4", UTF8, 4, false, false},
    {1270, "utf8mb4_unicode_520_nopad_ci", "utf8mb4", UTF8, 4, false, false},
};

enum { N_COLLATIONS = sizeof(collations) / sizeof(collations[0]) };

const struct mysql_collation *mysql_collation_list(size_t *count)
{
    *count = N_COLLATIONS;
    return collations;
}

const struct mysql_collation *mysql_collation_by_id(unsigned id)
{
    for (size_t i = 0; i < N_COLLATIONS; i++) {
        if (collations[i].id == id)
            return &collations[i];
    }
    return NULL;
}

static bool name_is(const char *name, size_t len, const char *known)
{
    return strlen(known) == len && strncasecmp(name, known, len) == 0;
}

/* Names with the old "utf8" mean utf8mb3. */
static bool old_utf8_name_is(const char *name, size_t len, const char *known)
{
    const size_t n_old = strlen("utf8"), n_new = strlen("utf8mb3");

    return len >= n_old && strncasecmp(name, "utf8", n_old) == 0 &&
           (len == n_old || name[n_old] == '_') && strncmp(known, "utf8mb3", n_new) == 0 &&
           name_is(name + n_old, len - n_old, known + n_new);
}

const struct mysql_collation *mysql_collation_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < N_COLLATIONS; i++) {
        if (name_is(name, len, collations[i].name) ||
            old_utf8_name_is(name, len, collations[i].name))
            return &collations[i];
    }
    return NULL;
}

const struct mysql_collation *mysql_charset_default(const char *charset, size_t len)
{
    for (size_t i = 0; i < N_COLLATIONS; i++) {
        if (collations[i].is_default && (name_is(charset, len, collations[i].charset) ||
                                         old_utf8_name_is(charset, len, collations[i].charset)))
            return &collations[i];
    }
    return NULL;
}

/* cp1252 0x80..0x9f; the five unassigned bytes are the control characters of the same number. */
static const uint16_t cp1252_high[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

size_t mysql_latin1_to_utf8(char *dst, const char *src, size_t len)
{
    char *p = dst;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)src[i];
        uint16_t point = byte >= 0x80 && byte < 0xa0 ? cp1252_high[byte - 0x80] : byte;

        if (point < 0x80) {
            *p++ = (char)point;
        } else if (point < 0x800) {
            *p++ = (char)(0xc0 | point >> 6);
            *p++ = (char)(0x80 | (point & 0x3f));
        } else {
            *p++ = (char)(0xe0 | point >> 12);
            *p++ = (char)(0x80 | (point >> 6 & 0x3f));
            *p++ = (char)(0x80 | (point & 0x3f));
        }
    }
    return (size_t)(p - dst);
}
