#include "rpc/http_request.h"

#include <string.h>
#include <strings.h>

bool http_text_is(struct http_text t, const char *text)
{
    return t.data && t.len == strlen(text) && memcmp(t.data, text, t.len) == 0;
}

bool http_text_is_like(struct http_text t, const char *text)
{
    return t.data && t.len == strlen(text) && strncasecmp(t.data, text, t.len) == 0;
}

bool http_text_begins(struct http_text t, const char *start)
{
    return t.data && t.len >= strlen(start) && memcmp(t.data, start, strlen(start)) == 0;
}

/* tchar of RFC 9110, 5.6.2. */
static bool is_token(struct http_text t)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.data[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return t.len > 0;
}

/* Visible characters of a target; what is not ASCII has to be escaped there. */
static bool is_target(struct http_text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.data[i] <= ' ' || (unsigned char)t.data[i] >= 0x7f)
            return false;
    return t.len > 0 && t.data[0] == '/';
}

/* The part up to a character, which *rest is behind of; false when it is not there. */
static bool cut(struct http_text *rest, char at, struct http_text *part)
{
    const char *end = rest->len ? memchr(rest->data, at, rest->len) : NULL;

    if (!end)
        return false;
    *part = (struct http_text){rest->data, (size_t)(end - rest->data)};
    rest->len -= part->len + 1;
    rest->data = end + 1;
    return true;
}

/* The next line without its end. */
static bool next_line(struct http_text *rest, struct http_text *line)
{
    if (!cut(rest, '\n', line) || !line->len || line->data[line->len - 1] != '\r')
        return false;
    line->len--;
    return !memchr(line->data, '\r', line->len) && !memchr(line->data, 0, line->len);
}

static int parse_line(struct http_text line, struct http_request *out, const char **why)
{
    struct http_text target;

    *why = "the request line is not METHOD /PATH HTTP/1.1";
    if (!cut(&line, ' ', &out->method) || !is_token(out->method) || !cut(&line, ' ', &target) ||
        !is_target(target))
        return 400;
    if (line.len != 8 || memcmp(line.data, "HTTP/", 5) != 0)
        return 400;
    if (memcmp(line.data + 5, "1.", 2) != 0 || line.data[7] < '0' || line.data[7] > '9') {
        *why = "only HTTP/1.1 is spoken here";
        return 505;
    }
    out->query = target;
    if (cut(&out->query, '?', &out->path))
        return 0;
    out->path = target;
    out->query = (struct http_text){0};
    return 0;
}

static struct http_text trim(struct http_text t)
{
    while (t.len && (t.data[0] == ' ' || t.data[0] == '\t')) {
        t.data++;
        t.len--;
    }
    while (t.len && (t.data[t.len - 1] == ' ' || t.data[t.len - 1] == '\t'))
        t.len--;
    return t;
}

static int parse_length(struct http_text v, size_t max_body, size_t *out, const char **why)
{
    size_t n = 0;

    *why = "Content-Length is no number";
    if (!v.len || v.len > 15)
        return 400;
    for (size_t i = 0; i < v.len; i++) {
        if (v.data[i] < '0' || v.data[i] > '9')
            return 400;
        n = n * 10 + (size_t)(v.data[i] - '0');
    }
    *out = n;
    *why = "the body is too long";
    return n > max_body ? 413 : 0;
}

/* Where a field's value is kept; NULL: nobody asks for it. */
static struct http_text *place_of(struct http_request *r, struct http_text name,
                                  struct http_text *length)
{
    const struct {
        const char *name;
        struct http_text *place;
    } fields[] = {{"Host", &r->host},
                  {"Origin", &r->origin},
                  {"Sec-Fetch-Site", &r->fetch_site},
                  {"Content-Type", &r->content_type},
                  {"Authorization", &r->authorization},
                  {"Content-Length", length}};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (http_text_is_like(name, fields[i].name))
            return fields[i].place;
    return NULL;
}

static int parse_field(struct http_text line, struct http_request *out, struct http_text *length,
                       const char **why)
{
    struct http_text name, *place;

    *why = "a header field is not NAME: VALUE";
    if (!cut(&line, ':', &name) || !is_token(name))
        return 400;
    if (http_text_is_like(name, "Transfer-Encoding")) {
        *why = "a body needs a Content-Length";
        return 411;
    }
    place = place_of(out, name, length);
    *why = "a header field is there twice";
    if (!place)
        return 0;
    if (place->data)
        return 400;
    *place = trim(line);
    return 0;
}

int http_request_parse(const char *head, size_t len, size_t max_body, struct http_request *out,
                       const char **why)
{
    struct http_text rest = {head, len}, line, length = {0};
    int status;

    *out = (struct http_request){0};
    *why = "a line does not end with CR LF";
    if (!next_line(&rest, &line))
        return 400;
    status = parse_line(line, out, why);
    while (!status) {
        *why = "a line does not end with CR LF";
        if (!next_line(&rest, &line))
            return 400;
        if (!line.len)
            break;
        status = parse_field(line, out, &length, why);
    }
    if (status || !length.data)
        return status;
    return parse_length(length, max_body, &out->body_len, why);
}
