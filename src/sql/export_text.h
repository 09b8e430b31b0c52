#pragma once
/*
 * Rows as text: the lines of SELECT ... INTO OUTFILE with its FIELDS and LINES options, the CSV of
 * INTO 's3://...' and the bare bytes of DUMPFILE. No I/O, any core.
 */
#include <stdbool.h>
#include <stdint.h>

#include "reactor/buffer.h"
#include "sql/value_datum.h"

enum { EXPORT_MARK_MAX = 32 };

struct export_mark {
    char bytes[EXPORT_MARK_MAX];
    uint8_t len;
};

enum export_text_kind {
    EXPORT_TEXT_LINES, /* MySQL's */
    EXPORT_TEXT_CSV,   /* RFC 4180 with any separator: quotes where they are needed */
    EXPORT_TEXT_BARE,  /* values without anything between them */
};

struct export_text {
    enum export_text_kind kind;
    struct export_mark field_end, line_end, line_start;
    int enclosed; /* a byte, or -1 */
    bool only_texts_enclosed;
    int escaped;
};

/* MySQL's defaults: tabs, newlines, backslashes; or CSV with that separator. */
void export_text_init(struct export_text *t, enum export_text_kind kind);

/* Appends a row; 0 or -ENOMEM. */
int export_text_row(const struct export_text *t, struct buffer *out, const struct datum *cells,
                    const struct value_type *types, uint32_t n);
/* Appends names as a line of CSV. */
int export_text_names(const struct export_text *t, struct buffer *out, const char *const *names,
                      uint32_t n);
