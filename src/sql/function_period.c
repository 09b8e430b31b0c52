/* Months as numbers, points in time made of texts, addresses as numbers. */
#include <stdio.h>
#include <string.h>

#include "sql/function.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

/* TIMESTAMP(x) and TIMESTAMP(date, time). Texts have as many digits of a second as the constant says, else six. */
static bool resolve_timestamp(struct expr *e, struct function_bind *b)
{
    unsigned digits = 0;

    (void)b;
    for (uint32_t i = 0; i < e->n_args; i++) {
        const struct expr *arg = e->args[i];
        unsigned own = arg->type.scale > 6 ? 6 : arg->type.scale;
        if (arg->type.kind == DATUM_STRING) {
            bool is_text = arg->kind == EXPR_CONST && arg->u.value.kind == DATUM_STRING;
            const char *point = is_text ? memchr(arg->u.value.s, '.', arg->u.value.len) : NULL;
            size_t behind = point ? (size_t)(arg->u.value.s + arg->u.value.len - point - 1) : 0;
            own = is_text ? (unsigned)(behind > 6 ? 6 : behind) : 6;
        } else if (arg->type.kind != DATUM_DATETIME && arg->type.kind != DATUM_TIME &&
                   arg->type.kind != DATUM_DECIMAL) {
            own = 0;
        }
        digits = own > digits ? own : digits;
    }
    e->type = value_type_temporal(DATUM_DATETIME, digits);
    return true;
}

static void eval_timestamp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d, t;
    int64_t us, add = 0;

    if (!function_arg(e, x, 0, &d, out) || (e->n_args > 1 && !function_arg(e, x, 1, &t, out)))
        return;
    datum_set_null(out);
    if (d.kind == DATUM_TIME)
        us = temporal_us_to_days(x->now_us) * TEMPORAL_DAY_US + d.i;
    else if (!datum_to_datetime(&d, &us))
        return;
    if (e->n_args > 1 && !datum_to_time(&t, &add))
        return;
    struct temporal_parts parts;
    temporal_to_parts(us + add, &parts);
    if (parts.year < 1 || parts.year > 9999)
        return;
    datum_set_temporal(out, DATUM_DATETIME, us + add);
    datum_round_to_type(out, &e->type);
}

/* 202601 or 2601 as months since year 0; false when it is none. */
static bool months_of(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *months,
                      struct datum *out)
{
    int64_t p;

    if (!function_arg_int(e, x, i, &p, out))
        return false;
    int64_t year = p / 100, month = p % 100;
    if (p < 0 || month < 1 || month > 12 || year > 9999) {
        expr_fail(x, out, MYSQL_ER_WRONG_ARGUMENTS, e->u.function->name);
        return false;
    }
    if (year < 70)
        year += 2000;
    else if (year < 100)
        year += 1900;
    *months = year * 12 + month - 1;
    return true;
}

static void eval_period_add(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t months, add;

    if (!months_of(e, x, 0, &months, out) || !function_arg_int(e, x, 1, &add, out))
        return;
    if (add < -1000000 || add > 1000000 || months + add < 0)
        expr_fail(x, out, MYSQL_ER_WRONG_ARGUMENTS, e->u.function->name);
    else
        datum_set_int(out, (months + add) / 12 * 100 + (months + add) % 12 + 1);
}

static void eval_period_diff(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t a, b;

    if (months_of(e, x, 0, &a, out) && months_of(e, x, 1, &b, out))
        datum_set_int(out, a - b);
}

static bool resolve_address_number(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_uint(10);
    return true;
}

/* A dotted text; fewer than four numbers leave out those before the last, as for inet_aton(3) of MySQL. */
static void eval_inet_aton(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s;
    size_t len, i = 0;
    uint64_t all = 0, part = 0;
    unsigned dots = 0;
    bool digit = false;

    if (!function_arg_text(e, x, 0, &s, &len, out))
        return;
    datum_set_null(out);
    for (; i < len; i++) {
        if (s[i] >= '0' && s[i] <= '9') {
            part = part * 10 + (uint64_t)(s[i] - '0');
            digit = true;
            if (part > 255)
                return;
        } else if (s[i] == '.' && digit && dots < 3) {
            all = all << 8 | part;
            part = 0;
            digit = false;
            dots++;
        } else {
            return;
        }
    }
    if (digit)
        datum_set_uint(out, all << (dots == 3 ? 8 : 8 * (4 - dots)) | part);
}

static bool resolve_address(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(15);
    return true;
}

static void eval_inet_ntoa(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t v;
    char text[16], *copy;

    if (!function_arg_int(e, x, 0, &v, out))
        return;
    datum_set_null(out);
    if (v < 0 || v > UINT32_MAX)
        return;
    int n = snprintf(text, sizeof text, "%u.%u.%u.%u", (unsigned)(v >> 24),
                     (unsigned)(v >> 16 & 255), (unsigned)(v >> 8 & 255), (unsigned)(v & 255));
    if ((copy = expr_alloc(x, sizeof text))) {
        memcpy(copy, text, (size_t)n);
        datum_set_string(out, copy, (size_t)n);
    }
}

const struct function function_period[] = {
    {"timestamp", 1, 2, 0, resolve_timestamp, eval_timestamp},
    {"period_add", 2, 2, 0, function_is_int, eval_period_add},
    {"period_diff", 2, 2, 0, function_is_int, eval_period_diff},
    {"inet_aton", 1, 1, 0, resolve_address_number, eval_inet_aton},
    {"inet_ntoa", 1, 1, 0, resolve_address, eval_inet_ntoa},
    {0},
};
