#include "reactor/options_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"

static int parse_uint(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    unsigned long long v;

    /* strtoull would take blanks and a minus sign. */
    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    v = strtoull(text, &end, 10);
    if (errno != 0 || *end != 0 || v > max)
        return -EINVAL;
    *out = v;
    return 0;
}

int option_bytes_parse(const char *text, uint64_t *out)
{
    static const char units[] = "KMGTP";
    char *end;
    unsigned long long v;
    const char *unit;
    unsigned shift = 0;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    errno = 0;
    v = strtoull(text, &end, 10);
    if (errno != 0)
        return -EINVAL;
    unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
        if (strcasecmp(end, "iB") == 0)
            end += 2;
    }
    if (strcasecmp(end, "B") == 0)
        end++;
    if (*end != 0 || v > UINT64_MAX >> shift)
        return -EINVAL;
    *out = v << shift;
    return 0;
}

/* A list such as "auto|uring|epoll" in arg is the set of allowed words. */
static bool is_in_set(const char *set, const char *text)
{
    size_t n = strlen(text);

    for (const char *at = set; *at;) {
        size_t len = strcspn(at, "|");

        if (len == n && memcmp(at, text, n) == 0)
            return true;
        at += len;
        if (*at == '|')
            at++;
    }
    return false;
}

static int parse_flag(const char *text, bool *out)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcmp(text, "on") == 0 ||
        strcmp(text, "yes") == 0)
        *out = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0 || strcmp(text, "off") == 0 ||
             strcmp(text, "no") == 0)
        *out = false;
    else
        return -EINVAL;
    return 0;
}

int option_value_parse(const struct option_spec *s, const char *text, char *allowed,
                       size_t allowed_len)
{
    uint64_t number;

    switch (s->kind) {
    case OPTION_FLAG:
        snprintf(allowed, allowed_len, "true, false, 1, 0, yes, no, on, off");
        return parse_flag(text, s->value);
    case OPTION_STRING:
        if (s->arg && strchr(s->arg, '|') && !is_in_set(s->arg, text)) {
            snprintf(allowed, allowed_len, "%s", s->arg);
            return -EINVAL;
        }
        *(const char **)s->value = text;
        return 0;
    case OPTION_UINT:
        snprintf(allowed, allowed_len, "a whole number");
        return parse_uint(text, UINT64_MAX, s->value);
    case OPTION_BYTES:
        snprintf(allowed, allowed_len, "bytes such as 4096, 64K, 2G, 1TiB");
        return option_bytes_parse(text, s->value);
    case OPTION_PORT:
        snprintf(allowed, allowed_len, "a port, 0 to 65535");
        if (parse_uint(text, UINT16_MAX, &number) != 0)
            return -EINVAL;
        *(uint16_t *)s->value = (uint16_t)number;
        return 0;
    }
    ASSERT(!"unknown kind of option");
    return -EINVAL;
}

static void print_bytes(uint64_t v, char *out, size_t size)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned unit = 0;

    while (v && v % 1024 == 0 && unit < 5) {
        v /= 1024;
        unit++;
    }
    snprintf(out, size, "%llu%s", (unsigned long long)v, units[unit]);
}

void option_value_print(const struct option_spec *s, char *out, size_t size)
{
    out[0] = 0;
    switch (s->kind) {
    case OPTION_FLAG:
        if (*(const bool *)s->value)
            snprintf(out, size, "true");
        break;
    case OPTION_STRING:
        if (*(const char *const *)s->value)
            snprintf(out, size, "%s", *(const char *const *)s->value);
        break;
    case OPTION_UINT:
        if (*(const uint64_t *)s->value)
            snprintf(out, size, "%llu", (unsigned long long)*(const uint64_t *)s->value);
        break;
    case OPTION_BYTES:
        if (*(const uint64_t *)s->value)
            print_bytes(*(const uint64_t *)s->value, out, size);
        break;
    case OPTION_PORT:
        snprintf(out, size, "%u", *(const uint16_t *)s->value);
        break;
    }
}
