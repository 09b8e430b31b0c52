/* Time limits that clients ask for: MySQL's max_execution_time (ms, SELECT alone) as a variable or hint, MariaDB's
 * max_statement_time (seconds, all statements). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/gateway_statement.h"
#include "sql/sysvar.h"
#include "sql/value_convert.h"

enum { LONGEST_S = 1u << 30 }; /* more is no limit */

static double variable(struct gateway_session *s, const char *name)
{
    const struct session_variable *v = gateway_session_find(s->sys_vars, name);

    return v && v->value.kind != DATUM_NULL ? datum_to_double(&v->value) : 0;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
        p++;
    return p;
}

/* Past blanks and comments but hints. */
static const char *skip_comments(const char *p, const char *end)
{
    const char *close;

    while ((p = skip_blanks(p, end)) < end) {
        if (end - p >= 4 && memcmp(p, "/*", 2) == 0 && p[2] != '+')
            close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
        else if (*p == '#' || (end - p >= 3 && memcmp(p, "--", 2) == 0 && p[2] == ' '))
            close = memchr(p, '\n', (size_t)(end - p));
        else
            break;
        if (!close)
            return end;
        p = close + (*close == '*' ? 2 : 1);
    }
    return p;
}

/* Milliseconds of MAX_EXECUTION_TIME(n) in the hint behind the first SELECT; 0 = none. */
static double hinted(const char *text, size_t len)
{
    static const char name[] = "max_execution_time";
    const char *end = text + len, *p = skip_comments(text, end);

    while (p < end && *p == '(')
        p = skip_comments(p + 1, end);
    if (end - p < 6 || strncasecmp(p, "select", 6) != 0)
        return 0;
    p = skip_blanks(p + 6, end);
    if (end - p < 3 || memcmp(p, "/*+", 3) != 0)
        return 0;
    for (; end - p > (ptrdiff_t)sizeof name && memcmp(p, "*/", 2) != 0; p++) {
        if (strncasecmp(p, name, sizeof name - 1) != 0)
            continue;
        p = skip_blanks(p + sizeof name - 1, end);
        return p < end && *p == '(' ? strtod(skip_blanks(p + 1, end), NULL) : 0;
    }
    return 0;
}

uint64_t statement_own_timeout(const struct statement *s)
{
    double seconds = variable(s->session, "max_statement_time"), ms = 0;

    if (s->ast && s->ast->kind == SQL_STMT_SELECT) {
        ms = hinted(s->text, s->text_len);
        if (!(ms > 0))
            ms = variable(s->session, "max_execution_time");
    }
    if (ms > 0 && !(seconds > 0 && seconds * 1e3 < ms))
        seconds = ms / 1e3;
    return seconds > 0 && seconds < LONGEST_S ? (uint64_t)(seconds * 1e9) : 0;
}
