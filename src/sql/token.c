#include "sql/token.h"

#include <string.h>

#include "reactor/arena.h"
#include "sql/grammar.h"
#include "sql/keyword.h"
#include "sql/parse_internal.h"

/* Text in version comments up to this version is executed: MySQL 8.0's own dumps are, the marker
 * 999999 in MariaDB's is not. */
enum { TOKEN_SERVER_VERSION = 80099 };

/* A first refill of the scanner's whole buffer would cost more than a short statement. */
enum { TOKEN_FEED_MIN = 1024 };

size_t sql_token_feed(struct sql_parser *p, char *buffer, size_t max)
{
    size_t left = p->length - p->fed;
    size_t size = max < left ? max : left;
    memcpy(buffer, p->text + p->fed, size);
    p->fed += (uint32_t)size;
    return size;
}

bool sql_token_runs_version(const char *digits, uint32_t length)
{
    uint32_t version = 0;
    for (uint32_t i = 0; i < length && version <= TOKEN_SERVER_VERSION; i++) {
        version = version * 10 + (uint32_t)(digits[i] - '0');
    }
    return version <= TOKEN_SERVER_VERSION;
}

bool sql_token_skip_comment(struct sql_parser *p)
{
    const char *from = p->text + p->position;
    const char *end = memmem(from, p->length - p->position, "*/", 2);
    if (!end) {
        return false;
    }
    p->position = (uint32_t)(end + 2 - p->text);
    p->fed = p->position;
    return true;
}

int sql_token_word(struct sql_parser *p, union sql_value *value, uint32_t begin)
{
    bool after_point = p->scanned_kind == '.' && p->scanned_end == begin;
    if (after_point) {
        return SQL_T_IDENT;
    }
    int keyword = sql_keyword_find(value->text.at, value->text.length);
    return keyword ? keyword : SQL_T_IDENT;
}

bool sql_token_has_nul(const union sql_value *value)
{
    return memchr(value->text.at, 0, value->text.length) != NULL;
}

int sql_token_quoted_name(const union sql_value *value)
{
    if (value->text.length == 0 || sql_token_has_nul(value)) {
        return SQL_T_INVALID;
    }
    return SQL_T_QUOTED_IDENT;
}

struct sql_text sql_token_unquote(struct sql_parser *p, const char *text, uint32_t length)
{
    char quote = text[0];
    const char *from = text + 1;
    const char *end = text + length - 1;
    if (!memchr(from, quote, (size_t)(end - from))) {
        return (struct sql_text){from, (uint32_t)(end - from)};
    }
    char *to = sql_parser_alloc(p, length);
    uint32_t n = 0;
    while (from < end) {
        if (*from == quote) {
            from++;
        }
        to[n++] = *from++;
    }
    return (struct sql_text){to, n};
}

char sql_token_escape(char c)
{
    switch (c) {
    case '0':
        return 0;
    case 'b':
        return '\b';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'Z':
        return 26;
    default:
        return c;
    }
}

struct sql_text sql_token_string(struct sql_parser *p, const char *text, uint32_t length)
{
    size_t inner = length - 2;
    if ((p->flags & SQL_PARSE_NO_BACKSLASH_ESCAPES) || !memchr(text + 1, '\\', inner)) {
        return sql_token_unquote(p, text, length);
    }
    char quote = text[0];
    const char *from = text + 1;
    const char *end = from + inner;
    char *to = sql_parser_alloc(p, inner);
    uint32_t n = 0;
    while (from < end) {
        char c = *from++;
        if (c == quote) {
            from++;
        } else if (c == '\\') {
            c = *from++;
            /* LIKE patterns need these two as they are written. */
            if (c == '%' || c == '_') {
                to[n++] = '\\';
            } else {
                c = sql_token_escape(c);
            }
        }
        to[n++] = c;
    }
    return (struct sql_text){to, n};
}

static uint8_t token_hex_digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

int sql_token_hex(struct sql_parser *p, union sql_value *value, const char *digits, uint32_t length,
                  bool must_be_even)
{
    if (must_be_even && length % 2) {
        return SQL_T_INVALID;
    }
    uint32_t size = (length + 1) / 2;
    uint8_t *to = sql_parser_alloc(p, size + 1);
    for (uint32_t i = 0; i < length; i++) {
        uint32_t digit = length - 1 - i;
        uint8_t *byte = &to[size - 1 - i / 2];
        *byte |= (uint8_t)(token_hex_digit(digits[digit]) << (i % 2 ? 4 : 0));
    }
    value->text = (struct sql_text){(const char *)to, size};
    return SQL_T_BYTES;
}

int sql_token_bits(struct sql_parser *p, union sql_value *value, const char *digits,
                   uint32_t length)
{
    uint32_t size = (length + 7) / 8;
    uint8_t *to = sql_parser_alloc(p, size + 1);
    for (uint32_t i = 0; i < length; i++) {
        if (digits[length - 1 - i] == '1') {
            to[size - 1 - i / 8] |= (uint8_t)(1u << (i % 8));
        }
    }
    value->text = (struct sql_text){(const char *)to, size};
    return SQL_T_BYTES;
}

int sql_token_integer(struct sql_parser *p, union sql_value *value, uint32_t begin, uint32_t length)
{
    const char *digits = p->text + begin;
    /* t.1: digits after a point that follows a name are a name. */
    if (p->scanned_kind == '.' && p->scanned_end == begin) {
        value->text = (struct sql_text){digits, length};
        return SQL_T_IDENT;
    }
    uint64_t number = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits[i] - '0'), &number)) {
            value->text = (struct sql_text){digits, length};
            return SQL_T_DECIMAL;
        }
    }
    value->number = number;
    return SQL_T_INTEGER;
}

struct sql_text sql_token_decimal(struct sql_parser *p, const char *text, uint32_t length)
{
    bool starts = text[0] == '.';
    bool ends = text[length - 1] == '.';
    if (!starts && !ends) {
        return (struct sql_text){text, length};
    }
    char *to = sql_parser_alloc(p, (size_t)length + 1);
    memcpy(to + starts, text, length);
    if (starts) {
        to[0] = '0';
    } else {
        to[length] = '0';
    }
    return (struct sql_text){to, length + 1};
}

bool sql_token_is_qualified(const struct sql_parser *p, uint32_t begin)
{
    bool is_name = p->scanned_kind == SQL_T_IDENT || p->scanned_kind == SQL_T_QUOTED_IDENT;
    return is_name && p->scanned_end == begin;
}

bool sql_token_has_exponent(const char *text)
{
    return strpbrk(text, "eE") != NULL;
}
