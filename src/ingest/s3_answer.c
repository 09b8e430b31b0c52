#include "ingest/s3_answer.h"

#include <stdio.h>
#include <string.h>

/* The character that a reference stands for and its length; 0: it is none of XML's own. */
static size_t reference(const char *at, const char *end, char *out)
{
    static const struct {
        char text[8];
        char value;
    } known[] = {{"&lt;", '<'},    {"&gt;", '>'},  {"&amp;", '&'},  {"&quot;", '"'},
                 {"&apos;", '\''}, {"&#34;", '"'}, {"&#39;", '\''}, {"&#xA;", '\n'}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].text);
        if ((size_t)(end - at) >= n && memcmp(at, known[i].text, n) == 0) {
            *out = known[i].value;
            return n;
        }
    }
    return 0;
}

static void decode(const char *at, const char *end, char *out, size_t cap)
{
    size_t n = 0;

    while (at < end && n + 1 < cap) {
        char c = *at;
        size_t taken = c == '&' ? reference(at, end, &c) : 0;
        if ((unsigned char)c < ' ')
            c = ' ';
        out[n++] = c;
        at += taken ? taken : 1;
    }
    out[n] = 0;
}

/* Behind the tag, which may have attributes; NULL: there is none. */
static const char *after_tag(const char *body, const char *end, const char *element)
{
    size_t n = strlen(element);

    for (const char *at = body; (at = memchr(at, '<', (size_t)(end - at))); at++) {
        if ((size_t)(end - at) < n + 2 || memcmp(at + 1, element, n) != 0 ||
            (at[n + 1] != '>' && at[n + 1] != ' '))
            continue;
        const char *close = memchr(at, '>', (size_t)(end - at));
        return close ? close + 1 : NULL;
    }
    return NULL;
}

bool s3_answer_text(const char *body, size_t len, const char *element, char *out, size_t cap)
{
    const char *end = body + len, *at = len ? after_tag(body, end, element) : NULL;
    const char *stop = at ? memchr(at, '<', (size_t)(end - at)) : NULL;

    if (!stop)
        return false;
    decode(at, stop, out, cap);
    return true;
}

void s3_answer_error(long status, const char *body, size_t len, char *out, size_t cap)
{
    char code[80], message[300];

    if (!s3_answer_text(body, len, "Code", code, sizeof code)) {
        snprintf(out, cap, "HTTP status %ld", status);
        return;
    }
    if (!s3_answer_text(body, len, "Message", message, sizeof message))
        message[0] = 0;
    snprintf(out, cap, "%s%s%s", code, message[0] ? ": " : "", message);
}
