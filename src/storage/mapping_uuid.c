/*
 * UUIDBSI. Shown and stored as the 36 characters of RFC 4122 in lower case: a dictionary holds each of them
 * once, and all of the string predicates, joins and keys apply; 128 bits would need a type of their own.
 */
#include <string.h>
#include <strings.h>

#include "storage/mapping_rule.h"
#include "storage/mapping_value.h"

enum { UUID_BYTES = 16, UUID_TEXT = 36 };

static int hex_of(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch |= 32;
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static bool is_hyphen_place(unsigned digits)
{
    return digits == 8 || digits == 12 || digits == 16 || digits == 20;
}

/* 32 digits, with all four hyphens or none. */
static bool parse_digits(const char *s, size_t len, uint8_t out[UUID_BYTES])
{
    bool hyphens = len == UUID_TEXT;
    unsigned digits = 0;

    if (len != UUID_TEXT && len != 2 * UUID_BYTES)
        return false;
    for (size_t i = 0; i < len; i++) {
        int v = hex_of(s[i]);

        if (hyphens && is_hyphen_place(digits) && s[i] == '-' && s[i - 1] != '-')
            continue;
        if (v < 0 || (hyphens && is_hyphen_place(digits) && s[i - 1] != '-'))
            return false;
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | v : v << 4);
        digits++;
    }
    return digits == 2 * UUID_BYTES;
}

static enum convert_result parse_text(const char *s, size_t len, uint8_t out[UUID_BYTES])
{
    mapping_trim(&s, &len);
    if (len > 9 && strncasecmp(s, "urn:uuid:", 9) == 0) {
        s += 9;
        len -= 9;
    } else if (len > 2 && *s == '{' && s[len - 1] == '}') {
        s++;
        len -= 2;
    }
    return parse_digits(s, len, out) ? CONVERT_OK : CONVERT_WRONG;
}

static void put_half(uint8_t *out, __int128 v)
{
    uint64_t bits = (uint64_t)v;

    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(bits >> (56 - 8 * i));
}

static enum convert_result parse_halves(const struct convert *c, uint8_t out[UUID_BYTES])
{
    const char *upper = schema_config(c->column, "upperSource"),
               *lower = schema_config(c->column, "lowerSource");
    struct object_field fields[2] = {{.key = upper ? upper : "upperBits"},
                                     {.key = lower ? lower : "lowerBits"}};
    enum convert_result r = mapping_parse_object(c->in->bytes, c->in->len, fields);

    if (r != CONVERT_OK)
        return r;
    if (!fields[0].found || !fields[1].found)
        return CONVERT_WRONG;
    put_half(out, fields[0].value);
    put_half(out + 8, fields[1].value);
    return CONVERT_OK;
}

static void print(const uint8_t bytes[UUID_BYTES], char *out)
{
    static const char hex[] = "0123456789abcdef";

    for (unsigned i = 0; i < UUID_BYTES; i++) {
        if (is_hyphen_place(2 * i))
            *out++ = '-';
        *out++ = hex[bytes[i] >> 4];
        *out++ = hex[bytes[i] & 15];
    }
}

const char *mapping_uuid_text(const uint8_t bytes[UUID_BYTES])
{
    char *text = mapping_text_room(UUID_TEXT);

    if (text)
        print(bytes, text);
    return text;
}

enum convert_result mapping_convert_uuid(struct convert *c)
{
    uint8_t bytes[UUID_BYTES] = {0};
    enum convert_result r = CONVERT_WRONG;
    const char *text;

    if (c->in->kind != VALUE_TEXT)
        return r;
    r = mapping_is_object(c->in->bytes, c->in->len) ? parse_halves(c, bytes)
                                                    : parse_text(c->in->bytes, c->in->len, bytes);
    if (r != CONVERT_OK)
        return r;
    text = mapping_uuid_text(bytes);
    if (!text)
        return CONVERT_MEMORY;
    c->out->bytes = text;
    c->out->len = UUID_TEXT;
    return r;
}
