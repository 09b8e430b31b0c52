#include "rpc/grpc_status.h"

#include <stdio.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

static const char *const names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

const char *grpc_code_name(enum grpc_code code)
{
    return (unsigned)code < sizeof(names) / sizeof(names[0]) ? names[code] : "UNKNOWN";
}

enum grpc_code grpc_code_parse(const char *text)
{
    unsigned code = 0;

    if (!*text || strlen(text) > 2)
        return GRPC_UNKNOWN;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return GRPC_UNKNOWN;
        code = code * 10 + (unsigned)(*text - '0');
    }
    return code <= GRPC_UNAUTHENTICATED ? (enum grpc_code)code : GRPC_UNKNOWN;
}

enum grpc_code grpc_code_of_http(unsigned http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

enum grpc_code grpc_code_of_h2(uint32_t h2_error)
{
    switch (h2_error) {
    case NGHTTP2_REFUSED_STREAM:
        return GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return GRPC_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return GRPC_PERMISSION_DENIED;
    default:
        return GRPC_INTERNAL;
    }
}

void grpc_message_encode(const char *text, char *out, size_t cap)
{
    size_t n = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c >= 0x20 && c <= 0x7e && c != '%';
        if (n + (plain ? 1 : 3) >= cap)
            break;
        if (plain)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, cap - n, "%%%02X", c);
    }
    out[n] = 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_message_decode(const char *text, char *out, size_t cap)
{
    size_t n = 0;

    while (*text && n + 1 < cap) {
        int hi = *text == '%' ? hex(text[1]) : -1, lo = hi >= 0 ? hex(text[2]) : -1;
        if (lo >= 0 && (hi || lo)) {
            out[n++] = (char)(hi << 4 | lo);
            text += 3;
        } else {
            out[n++] = *text++;
        }
    }
    out[n] = 0;
}

bool grpc_timeout_parse(const char *text, uint64_t *ns)
{
    static const struct {
        char unit;
        uint64_t ns;
    } units[] = {{'H', 3600000000000}, {'M', 60000000000}, {'S', 1000000000},
                 {'m', 1000000},       {'u', 1000},        {'n', 1}};
    uint64_t v = 0;
    size_t digits = 0;

    for (; digits < 8 && text[digits] >= '0' && text[digits] <= '9'; digits++)
        v = v * 10 + (uint64_t)(text[digits] - '0');
    if (!digits || !text[digits] || text[digits + 1])
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (text[digits] == units[i].unit) {
            *ns = v * units[i].ns; /* 99,999,999 hours are 3.6e20 ns, which wraps */
            if (v > UINT64_MAX / units[i].ns)
                *ns = UINT64_MAX;
            return true;
        }
    return false;
}

void grpc_timeout_print(uint64_t ns, char *out, size_t cap)
{
    enum { MAX = 99999999 };
    uint64_t us = ns / 1000, ms = us / 1000, s = ms / 1000;

    if (ns <= MAX)
        snprintf(out, cap, "%llun", (unsigned long long)ns);
    else if (us <= MAX)
        snprintf(out, cap, "%lluu", (unsigned long long)us);
    else if (ms <= MAX)
        snprintf(out, cap, "%llum", (unsigned long long)ms);
    else
        snprintf(out, cap, "%lluS", (unsigned long long)(s <= MAX ? s : MAX));
}
