/* Lines of LOAD DATA: separators, quotes, escapes, and pieces of any size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "sql/load_record.h"

static struct load_field fields[LOAD_FIELDS_MAX];

/* All lines of a text that comes in pieces: fields in brackets, NULL as ~, lines end with ';'. */
static void read_all(const struct load_format *f, const char *text, size_t len, size_t piece,
                     char *out, size_t cap)
{
    char *held = malloc(len + 1);
    size_t have = 0, come = 0, taken, at = 0;
    uint32_t n;

    cr_assert_not_null(held);
    for (;;) {
        bool is_last = come == len;
        enum load_result r = load_record(f, held, have, is_last, fields, &n, &taken);
        cr_assert_neq(r, LOAD_TOO_MANY);
        if (r == LOAD_RECORD) {
            cr_assert(taken > 0 && taken <= have);
            for (uint32_t i = 0; i < n; i++) {
                cr_assert(fields[i].at >= held && fields[i].at + fields[i].len <= held + have);
                at += (size_t)snprintf(out + at, cap - at, fields[i].is_null ? "~" : "[%.*s]",
                                       (int)fields[i].len, fields[i].at);
            }
            at += (size_t)snprintf(out + at, cap - at, ";");
            memmove(held, held + taken, have - taken);
            have -= taken;
            continue;
        }
        if (is_last)
            break;
        size_t more = piece < len - come ? piece : len - come;
        memcpy(held + have, text + come, more);
        have += more;
        come += more;
    }
    free(held);
}

static void expect(const struct load_format *f, const char *text, const char *wanted)
{
    char found[1024] = "";

    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        read_all(f, text, strlen(text), piece, found, sizeof found);
        cr_assert_str_eq(found, wanted, "%s in pieces of %zu", text, piece);
    }
}

Test(load_record, tabs_and_escapes)
{
    struct load_format f;

    load_format_init(&f);
    expect(&f, "", "");
    expect(&f, "\n", "[];");
    expect(&f, "a\tb\nc\td", "[a][b];[c][d];");
    expect(&f, "\\N\t\\Nx\tx\\N\n", "~[Nx][xN];");
    expect(&f, "a\\\tb\\\nc\\\\\n", "[a\tb\nc\\];");
    expect(&f, "a\\", "[a\\];");
    expect(&f, "a\t", "[a][];");
}

Test(load_record, quotes)
{
    struct load_format f;

    load_format_init(&f);
    f.field_end = (struct load_mark){",", 1};
    f.line_end = (struct load_mark){"\r\n", 2};
    f.enclosed = '"';
    expect(&f, "\"a,\"\"b\",c\r\n\"x\r\ny\",NULL\r\n", "[a,\"b][c];[x\r\ny]~;");
    expect(&f, "\"NULL\",\"\"\r\n", "[NULL][];");
    expect(&f, "\"a\" b\",c\r\n", "[a\" b][c];");
    expect(&f, "\"open,\r\n", "[open,\r\n];");
    expect(&f, "a\r,b\r\n", "[a\r][b];");
    f.escaped = -1;
    expect(&f, "a\\,NULL\r\n", "[a\\]~;");
}

Test(load_record, long_marks)
{
    struct load_format f;

    load_format_init(&f);
    f.field_end = (struct load_mark){"||", 2};
    f.line_end = (struct load_mark){"||!", 3};
    f.line_start = (struct load_mark){">>", 2};
    expect(&f, "x>>a||b||\n>>c", "[a][b][\n>>c];");
    f.line_end = (struct load_mark){"!!", 2};
    expect(&f, "x>>a||b|c!!junk!>>d!e!!junk", "[a][b|c];[d!e];");
}

Test(load_record, skipped_lines)
{
    struct load_format f;
    size_t taken;

    load_format_init(&f);
    cr_assert_eq(load_skip_line(&f, "ab\nc", 4, false, &taken), LOAD_RECORD);
    cr_assert_eq(taken, 3);
    cr_assert_eq(load_skip_line(&f, "c", 1, false, &taken), LOAD_MORE);
    cr_assert_eq(load_skip_line(&f, "c", 1, true, &taken), LOAD_RECORD);
    cr_assert_eq(load_skip_line(&f, "", 0, true, &taken), LOAD_MORE);
}
