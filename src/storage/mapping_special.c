/*
 * Strategies that make another value of the input: Boolean answers, steps, buckets, plug-ins. Each maps the
 * values it has made to themselves, so that what SELECT shows can be stored again.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/mapping_rule.h"
#include "storage/mapping_value.h"

static enum convert_result convert_int_to_bool(struct convert *c)
{
    enum convert_result r = mapping_convert_bool(c->in, &c->out->i64);
    int64_t v;

    if (r == CONVERT_OK)
        return r;
    r = mapping_convert_number(c->in, 0, &v);
    c->out->i64 = v != 0;
    return r;
}

static enum convert_result match(struct convert *c, const char *s, size_t len)
{
    const struct mapping_rule *rule = c->column->rule;
    pcre2_match_data *data;
    int n;

    if (!schema_is_utf8(s, len))
        return CONVERT_WRONG;
    data = pcre2_match_data_create(1, NULL);
    if (!data)
        return CONVERT_MEMORY;
    n = pcre2_match(rule->regex, (PCRE2_SPTR)s, len, 0, PCRE2_NO_UTF_CHECK, data, rule->limits);
    pcre2_match_data_free(data);
    c->out->i64 = n >= 0;
    if (n >= 0 || n == PCRE2_ERROR_NOMATCH)
        return CONVERT_OK;
    snprintf(c->reason, sizeof c->reason,
             "the expression needs more than %d steps or %d KiB on this text", RULE_MATCH_LIMIT,
             RULE_HEAP_KIB);
    return CONVERT_REASON;
}

/* Texts are searched; booleans, and 1 and 0 as SQL has them, are answers already. */
static enum convert_result convert_match(struct convert *c)
{
    enum convert_result r;

    if (c->in->kind == VALUE_TEXT)
        return match(c, c->in->bytes ? c->in->bytes : "", c->in->len);
    if (c->in->kind == VALUE_LIST || c->in->kind == VALUE_DATE || c->in->kind == VALUE_DATETIME)
        return CONVERT_WRONG;
    r = mapping_convert_number(c->in, 0, &c->out->i64);
    return r == CONVERT_OK && c->out->i64 != 0 && c->out->i64 != 1 ? CONVERT_RANGE : r;
}

static enum convert_result convert_linear(struct convert *c)
{
    const struct mapping_rule *rule = c->column->rule;
    enum convert_result r;
    bool exact;
    int64_t v;

    r = mapping_floor_number(c->in, c->column->scale, &v, &exact);
    if (r != CONVERT_OK)
        return r;
    if (v < rule->min || v > rule->max || (v == rule->max && !exact))
        return CONVERT_RANGE;
    c->out->i64 =
        (int64_t)((uint64_t)v - ((uint64_t)v - (uint64_t)rule->min) % (uint64_t)rule->step);
    return CONVERT_OK;
}

static enum convert_result convert_buckets(struct convert *c)
{
    const struct mapping_rule *rule = c->column->rule;
    uint32_t from = 0, to = rule->n_bounds;
    enum convert_result r;
    bool exact;
    int64_t v;

    r = mapping_floor_number(c->in, c->column->scale, &v, &exact);
    if (r != CONVERT_OK)
        return r;
    if (v < rule->bounds[0])
        return CONVERT_RANGE;
    while (to - from > 1) {
        uint32_t middle = from + (to - from) / 2;

        if (rule->bounds[middle] <= v)
            from = middle;
        else
            to = middle;
    }
    c->out->i64 = rule->bounds[from];
    return CONVERT_OK;
}

/* ---- plug-ins ---- */

static enum convert_result to_plugin(const struct value *in, struct quanta_plugin_value *out,
                                     char *text, size_t cap)
{
    *out = (struct quanta_plugin_value){.number = in->i64};
    switch (in->kind) {
    case VALUE_BOOL:
        out->kind = QUANTA_PLUGIN_BOOL;
        return CONVERT_OK;
    case VALUE_INT:
        out->kind = QUANTA_PLUGIN_INT;
        return CONVERT_OK;
    case VALUE_DATE:
        out->kind = QUANTA_PLUGIN_DATE;
        return CONVERT_OK;
    case VALUE_DATETIME:
        out->kind = QUANTA_PLUGIN_DATETIME;
        return CONVERT_OK;
    case VALUE_DOUBLE:
        *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_DOUBLE, .real = in->f64};
        return CONVERT_OK;
    case VALUE_TEXT:
        if (!schema_is_utf8(in->bytes, in->len))
            return CONVERT_WRONG;
        *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_TEXT,
                                            .text = in->bytes ? in->bytes : "",
                                            .length = in->len};
        return CONVERT_OK;
    case VALUE_DECIMAL:
        *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_DECIMAL,
                                            .scale = in->scale,
                                            .number = (int64_t)in->i128};
        if (in->i128 >= INT64_MIN && in->i128 <= INT64_MAX)
            return CONVERT_OK;
        *out = (struct quanta_plugin_value){.kind = QUANTA_PLUGIN_TEXT,
                                            .text = text,
                                            .length = mapping_print_value(in, text, cap)};
        return CONVERT_OK;
    default:
        return CONVERT_WRONG;
    }
}

static bool from_plugin(const struct quanta_plugin_value *v, struct value *out)
{
    *out = (struct value){.i64 = v->number};
    switch (v->kind) {
    case QUANTA_PLUGIN_NULL:
        out->kind = VALUE_NULL;
        return true;
    case QUANTA_PLUGIN_BOOL:
        out->kind = VALUE_BOOL;
        return v->number == 0 || v->number == 1;
    case QUANTA_PLUGIN_INT:
        out->kind = VALUE_INT;
        return true;
    case QUANTA_PLUGIN_DATE:
        out->kind = VALUE_DATE;
        return true;
    case QUANTA_PLUGIN_DATETIME:
        out->kind = VALUE_DATETIME;
        return true;
    case QUANTA_PLUGIN_DECIMAL:
        *out = (struct value){.kind = VALUE_DECIMAL, .i128 = v->number, .scale = (uint8_t)v->scale};
        return v->scale <= 38;
    case QUANTA_PLUGIN_DOUBLE:
        *out = (struct value){.kind = VALUE_DOUBLE, .f64 = v->real};
        return true;
    case QUANTA_PLUGIN_TEXT:
        *out = (struct value){.kind = VALUE_TEXT, .bytes = v->text, .len = (uint32_t)v->length};
        return v->length <= UINT32_MAX && (v->text || !v->length);
    default:
        return false;
    }
}

static enum convert_result convert_custom(struct convert *c)
{
    const struct mapping_rule *rule = c->column->rule;
    struct quanta_plugin_value in, out = {.kind = QUANTA_PLUGIN_NULL};
    char text[80], *room;
    struct value made;
    enum convert_result r;

    if (!rule->mapper) {
        snprintf(c->reason, sizeof c->reason, "%.199s", rule->missing);
        return CONVERT_REASON;
    }
    r = to_plugin(c->in, &in, text, sizeof text);
    if (r != CONVERT_OK)
        return r;
    room = mapping_text_room(MAPPING_ROOM);
    if (!room)
        return CONVERT_MEMORY;
    if (rule->mapper->map(rule->state, &in, &out, room, MAPPING_ROOM, c->reason,
                          sizeof c->reason) != 0) {
        c->reason[sizeof c->reason - 1] = 0;
        return CONVERT_REASON;
    }
    if (!from_plugin(&out, &made)) {
        snprintf(c->reason, sizeof c->reason, "the plug-in gave no value that there is");
        return CONVERT_REASON;
    }
    c->out->present = made.kind != VALUE_NULL;
    if (!c->out->present)
        return CONVERT_OK;
    return mapping_convert_by_type(c->column, &made, c->out);
}

bool mapping_convert_special(struct convert *c, enum convert_result *r)
{
    switch (c->column->mapping) {
    case MAPPING_INT_TO_BOOL_DIRECT:
        *r = convert_int_to_bool(c);
        return true;
    case MAPPING_BOOL_REGEX:
    case MAPPING_CONTAINS:
        *r = convert_match(c);
        return true;
    case MAPPING_INT_LINEAR:
    case MAPPING_FLOAT_LINEAR:
        *r = convert_linear(c);
        return true;
    case MAPPING_INT_BUCKETS:
    case MAPPING_FLOAT_BUCKETS:
        *r = convert_buckets(c);
        return true;
    case MAPPING_YEAR_TO_DAY:
    case MAPPING_YEAR_TO_MONTH:
    case MAPPING_YEAR:
    case MAPPING_DAY_OF_YEAR:
    case MAPPING_DAY_OF_MONTH:
    case MAPPING_DAY_OF_WEEK:
    case MAPPING_TIME_OF_DAY:
    case MAPPING_HOUR_OF_DAY:
        *r = mapping_convert_part(c);
        return true;
    case MAPPING_UUID_BSI:
        *r = mapping_convert_uuid(c);
        return true;
    case MAPPING_CUSTOM:
    case MAPPING_CUSTOM_BSI:
        *r = convert_custom(c);
        return true;
    default:
        return false;
    }
}

bool mapping_takes_input_as_is(enum mapping m)
{
    switch (m) {
    case MAPPING_INT_TO_BOOL_DIRECT:
    case MAPPING_BOOL_REGEX:
    case MAPPING_CONTAINS:
    case MAPPING_INT_LINEAR:
    case MAPPING_FLOAT_LINEAR:
    case MAPPING_INT_BUCKETS:
    case MAPPING_FLOAT_BUCKETS:
    case MAPPING_YEAR_TO_DAY:
    case MAPPING_YEAR_TO_MONTH:
    case MAPPING_YEAR:
    case MAPPING_DAY_OF_YEAR:
    case MAPPING_DAY_OF_MONTH:
    case MAPPING_DAY_OF_WEEK:
    case MAPPING_TIME_OF_DAY:
    case MAPPING_HOUR_OF_DAY:
    case MAPPING_CUSTOM:
    case MAPPING_CUSTOM_BSI:
        return true;
    default:
        return false;
    }
}

bool mapping_makes_text(enum mapping m)
{
    return m == MAPPING_UUID_BSI || m == MAPPING_TIME_OF_DAY || m == MAPPING_CUSTOM ||
           m == MAPPING_CUSTOM_BSI;
}

/* Scaled number as text, through a cell of the column's type. */
static void print_scaled(const struct column *c, int64_t v, char *out, size_t cap)
{
    struct cell cell = {.present = true, .i64 = v};

    out[mapping_print(c, &cell, out, cap - 1)] = 0;
}

bool mapping_print_allowed(const struct column *c, char *out, size_t cap)
{
    const struct mapping_rule *rule = c->rule;
    char min[40], max[40];

    switch (c->mapping) {
    case MAPPING_INT_TO_BOOL_DIRECT:
        snprintf(out, cap, "whole numbers, true, false, yes, no");
        return true;
    case MAPPING_BOOL_REGEX:
    case MAPPING_CONTAINS:
        snprintf(out, cap, "UTF-8 text to search, true, false, 1, 0");
        return true;
    case MAPPING_INT_LINEAR:
    case MAPPING_FLOAT_LINEAR:
        print_scaled(c, rule->min, min, sizeof min);
        print_scaled(c, rule->max, max, sizeof max);
        snprintf(out, cap, "numbers from %s to %s", min, max);
        return true;
    case MAPPING_INT_BUCKETS:
    case MAPPING_FLOAT_BUCKETS:
        print_scaled(c, rule->bounds[0], min, sizeof min);
        print_scaled(c, INT64_MAX, max, sizeof max);
        snprintf(out, cap, "numbers from %s to %s", min, max);
        return true;
    case MAPPING_YEAR_TO_DAY:
    case MAPPING_YEAR_TO_MONTH:
    case MAPPING_YEAR:
    case MAPPING_DAY_OF_YEAR:
    case MAPPING_DAY_OF_MONTH:
    case MAPPING_DAY_OF_WEEK:
        snprintf(out, cap, "dates and times from 0001-01-01 to 9999-12-31, or the %s itself",
                 mapping_name(c->mapping));
        return true;
    case MAPPING_TIME_OF_DAY:
    case MAPPING_HOUR_OF_DAY:
        snprintf(out, cap, "dates and times, hh:mm[:ss], %s",
                 c->mapping == MAPPING_TIME_OF_DAY ? "seconds 0 to 86399" : "hours 0 to 23");
        return true;
    case MAPPING_UUID_BSI:
        snprintf(out, cap,
                 "32 hexadecimal digits, with or without hyphens, braces, urn:uuid:, or an object "
                 "of the two halves");
        return true;
    case MAPPING_CUSTOM:
    case MAPPING_CUSTOM_BSI:
        snprintf(out, cap, "what the plug-in takes");
        return true;
    default:
        return false;
    }
}
