/* Functions of the first Quanta over times. What failed there is NULL. */
#include <stdio.h>
#include <string.h>

#include "sql/function_time.h"
#include "sql/go_layout.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"

/* Argument 0, or the time of the statement without it. */
static bool arg_time(const struct expr *e, struct expr_ctx *x, int64_t *us, struct datum *out)
{
    struct datum d;

    *us = x->now_us;
    if (!e->n_args)
        return true;
    if (!function_arg(e, x, 0, &d, out))
        return false;
    datum_set_null(out);
    return datum_to_datetime(&d, us);
}

static bool add_months(int64_t *us, int64_t months)
{
    struct temporal_parts p;

    temporal_to_parts(*us, &p);
    int64_t month = (int64_t)p.year * 12 + p.month - 1 + months;
    if (month < 12 || month / 12 > 9999)
        return false;
    p.year = (int)(month / 12);
    p.month = (unsigned)(month % 12) + 1;
    unsigned last = temporal_days_in_month(p.year, p.month);
    p.day = p.day > last ? last : p.day;
    return temporal_from_parts(&p, us);
}

/* One of now's offsets: +3d, -1M. */
static bool add_offset(int64_t *us, int64_t n, char unit)
{
    static const char units[] = "smhdw";
    static const int64_t seconds[] = {1, 60, 3600, 86400, 7 * 86400};
    const char *u = strchr(units, unit);

    if (unit == 'M' || unit == 'y')
        return add_months(us, unit == 'y' ? 12 * n : n);
    if (!unit || !u)
        return false;
    *us += n * seconds[u - units] * 1000000;
    return true;
}

/* now, now-3d, now+1h-30m */
static bool read_now(const char *s, size_t len, int64_t *us)
{
    size_t i = 3;

    while (i < len) {
        int64_t n = 0, sign = s[i] == '-' ? -1 : 1;
        size_t from = i + 1;
        if (s[i] != '-' && s[i] != '+')
            return false;
        for (i++; i < len && s[i] >= '0' && s[i] <= '9' && n < 1000000; i++)
            n = n * 10 + (s[i] - '0');
        if (i == from || i == len || !add_offset(us, sign * n, s[i++]))
            return false;
    }
    return true;
}

bool function_resolve_todate(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_temporal(DATUM_DATETIME, 3);
    return true;
}

void function_eval_todate(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct datum d;
    int64_t us = x->now_us;

    if (!function_arg(e, x, 0, &d, out))
        return;
    datum_set_null(out);
    bool is_now = d.kind == DATUM_STRING && d.len >= 3 && memcmp(d.s, "now", 3) == 0;
    if (is_now ? read_now(d.s, d.len, &us) : datum_to_datetime(&d, &us))
        datum_set_temporal(out, DATUM_DATETIME, us);
}

/* todate(layout, text) */
static void eval_todate_layout(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    const char *s[2];
    size_t len[2];
    int64_t us;

    for (unsigned i = 0; i < 2; i++)
        if (!function_arg_text(e, x, i, &s[i], &len[i], out))
            return;
    datum_set_null(out);
    if (go_layout_parse(s[0], len[0], s[1], len[1], &us))
        datum_set_temporal(out, DATUM_DATETIME, us);
}

static bool resolve_todate(struct expr *e, struct function_bind *b)
{
    if (e->n_args == 2)
        e->eval = eval_todate_layout;
    return function_resolve_todate(e, b);
}

static bool resolve_big(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_int(19);
    return true;
}

static void eval_totimestamp(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;

    if (arg_time(e, x, &us, out))
        datum_set_int(out, us < 0 ? -((999999 - us) / 1000000) : us / 1000000);
}

static bool resolve_yymm(struct expr *e, struct function_bind *b)
{
    (void)b;
    e->type = value_type_string(4);
    return true;
}

static void eval_yymm(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct temporal_parts p;
    int64_t us;
    char *text;

    if (!arg_time(e, x, &us, out))
        return;
    temporal_to_parts(us, &p);
    datum_set_null(out);
    if ((text = expr_alloc(x, 16))) {
        int n = snprintf(text, 16, "%02d%02u", p.year % 100, p.month % 100);
        datum_set_string(out, text, (size_t)n);
    }
}

static void eval_hourofweek(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    int64_t us;

    if (!arg_time(e, x, &us, out))
        return;
    int64_t day = temporal_weekday(temporal_us_to_days(us));
    datum_set_int(out, day * 24 + temporal_us_of_day(us) / INT64_C(3600000000));
}

const struct function function_first_time[] = {
    {"todate", 1, 2, 0, resolve_todate, function_eval_todate},
    {"totimestamp", 0, 1, 0, resolve_big, eval_totimestamp},
    {"yymm", 0, 1, 0, resolve_yymm, eval_yymm},
    {"hourofweek", 0, 1, 0, function_is_int, eval_hourofweek},
    {0},
};
