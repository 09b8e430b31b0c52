#pragma once
/*
 * The text format of LOAD DATA: bytes of a file, in any pieces, into fields of lines. No I/O, any core.
 * Memory: what the caller holds of the file; fields are unescaped in place.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOAD_MARK_MAX = 32, LOAD_FIELDS_MAX = 4096 };

/* A separator. */
struct load_mark {
    char bytes[LOAD_MARK_MAX];
    uint8_t len;
};

struct load_format {
    struct load_mark field_end, line_end, line_start;
    int enclosed; /* a byte, or -1 */
    int escaped;
};

struct load_field {
    char *at;
    size_t len;
    bool is_null;
};

/* Tabs and newlines, backslash escapes. */
void load_format_init(struct load_format *f);

enum load_result { LOAD_RECORD, LOAD_MORE, LOAD_TOO_MANY };

/*
 * The first line of text[len]: its fields, how many there are, and how many bytes it and its end take. LOAD_MORE: the end
 * is not there yet; at the end of the file (is_last) that happens when nothing but blank room is left. Fields
 * beyond LOAD_FIELDS_MAX: LOAD_TOO_MANY.
 */
enum load_result load_record(const struct load_format *f, char *text, size_t len, bool is_last,
                             struct load_field *fields, uint32_t *n_fields, size_t *taken);
/* A line to be skipped: its bytes with their end. LOAD_MORE as above. */
enum load_result load_skip_line(const struct load_format *f, const char *text, size_t len,
                                bool is_last, size_t *taken);
