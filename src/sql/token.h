#pragma once
/*
 * From matched text to the value of a token. Used by the generated scanner (escapes by LOAD DATA, too); everything runs on
 * the core that parses, allocates from the parse's arena and leaves the parse on an error.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sql_parser;
struct sql_text;
union sql_value;

/* Gives the scanner up to max bytes more of the text; the number given, 0 at the end. */
size_t sql_token_feed(struct sql_parser *p, char *buffer, size_t max);

/* Whether a version comment with these digits holds text for this server. */
bool sql_token_runs_version(const char *digits, uint32_t length);

/* Moves behind the end of a comment whose text is to be ignored; the scanner's buffer must be
 * flushed afterwards. False when the comment has no end. */
bool sql_token_skip_comment(struct sql_parser *p);

/* Token of a word: a keyword's, or SQL_T_IDENT. */
int sql_token_word(struct sql_parser *p, union sql_value *value, uint32_t begin);

/* SQL_T_QUOTED_IDENT, or an invalid token for an empty name or one with NUL. */
int sql_token_quoted_name(const union sql_value *value);

/* Whether value->text holds a NUL byte, which no name may. */
bool sql_token_has_nul(const union sql_value *value);

/* Text between quotes with doubled quotes undone; borrows when there are none. */
struct sql_text sql_token_unquote(struct sql_parser *p, const char *text, uint32_t length);

/* What a backslash and c stand for, in literals and in files of LOAD DATA. */
char sql_token_escape(char c);

/* Same as unquote, with backslash escapes undone unless the parse's flags forbid them. */
struct sql_text sql_token_string(struct sql_parser *p, const char *text, uint32_t length);

/* Bytes of x'..' (an even number of digits) or 0x.. */
int sql_token_hex(struct sql_parser *p, union sql_value *value, const char *digits, uint32_t length,
                  bool must_be_even);

/* Bytes of b'..' and 0b.. */
int sql_token_bits(struct sql_parser *p, union sql_value *value, const char *digits,
                   uint32_t length);

/* SQL_T_INTEGER, or SQL_T_DECIMAL when it needs more than 64 bits. */
int sql_token_integer(struct sql_parser *p, union sql_value *value, uint32_t begin,
                      uint32_t length);

/* digits.digits with at least one digit on each side of the point. */
struct sql_text sql_token_decimal(struct sql_parser *p, const char *text, uint32_t length);

/* Whether a '.' at this byte follows a name directly, so that digits after it are a name too. */
bool sql_token_is_qualified(const struct sql_parser *p, uint32_t begin);

/* Whether a number's text (NUL-terminated) has an exponent. */
bool sql_token_has_exponent(const char *text);
