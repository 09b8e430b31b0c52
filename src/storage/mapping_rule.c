/* Settings of strategies: read, checked, compiled. */
#include "storage/mapping_rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/mapping_value.h"

/* What the steps of mapping_rule_new share. */
struct making {
    struct column *column;
    struct mapping_rule *rule;
    int position;
    bool strict;
    struct schema_fault *fault;
};

/* A setting as a number of the column's scale. */
static int number(struct making *m, const char *key, int64_t *out)
{
    const char *text = schema_config(m->column, key);

    if (text && mapping_parse_number(text, strlen(text), m->column->scale, out) == CONVERT_OK)
        return 0;
    return schema_fault_set(m->fault, 1105, m->position, key, text,
                            "under configuration: a number of up to %u decimal digits",
                            m->column->scale);
}

static int make_linear(struct making *m)
{
    struct mapping_rule *r = m->rule;
    int rc = number(m, "min", &r->min);

    if (rc == 0)
        rc = number(m, "max", &r->max);
    if (rc == 0)
        rc = number(m, "step", &r->step);
    if (rc != 0)
        return rc;
    if (r->max < r->min)
        return schema_fault_set(m->fault, 1105, m->position, "max", schema_config(m->column, "max"),
                                "min (%s) or more", schema_config(m->column, "min"));
    if (r->step <= 0)
        return schema_fault_set(m->fault, 1105, m->position, "step",
                                schema_config(m->column, "step"), "a number above 0");
    return 0;
}

static int make_buckets(struct making *m)
{
    const char *text = schema_config(m->column, "bounds"), *at = text, *one;
    struct mapping_rule *r = m->rule;
    size_t len, n = 1;

    for (const char *p = text; p && *p; p++)
        n += *p == ',';
    if (!text || n > RULE_MAX_BOUNDS)
        return schema_fault_set(m->fault, 1105, m->position, "bounds", text ? "more bounds" : NULL,
                                "under configuration: 1 to %d numbers, ascending: \"0,10,100\"",
                                RULE_MAX_BOUNDS);
    r->bounds = calloc(n, sizeof *r->bounds);
    if (!r->bounds)
        return -ENOMEM;
    while (schema_next_part(&at, ',', &one, &len)) {
        int64_t *v = &r->bounds[r->n_bounds];

        if (mapping_parse_number(one, len, m->column->scale, v) != CONVERT_OK ||
            (r->n_bounds && *v <= v[-1]))
            return schema_fault_set(m->fault, 1105, m->position, "bounds", text,
                                    "numbers of up to %u decimal digits, each above the one before",
                                    m->column->scale);
        r->n_bounds++;
    }
    return 0;
}

static int make_time_of_day(struct making *m)
{
    const char *text = schema_config(m->column, "step");

    m->rule->step = 1;
    if (!text || (mapping_parse_number(text, strlen(text), 0, &m->rule->step) == CONVERT_OK &&
                  m->rule->step >= 1 && m->rule->step <= 86400))
        return 0;
    return schema_fault_set(m->fault, 1105, m->position, "step", text, "1 to 86400 seconds");
}

static bool is_true(const char *text)
{
    return text && (strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 ||
                    strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0);
}

static int make_expression(struct making *m, const char *key, uint32_t options)
{
    const char *text = schema_config(m->column, key),
               *ignore = schema_config(m->column, "ignoreCase");
    struct mapping_rule *r = m->rule;
    int code;
    PCRE2_SIZE offset;

    if (!text || !*text)
        return schema_fault_set(m->fault, 1105, m->position, key, text,
                                "under configuration: the %s to look for",
                                strcmp(key, "regex") == 0 ? "expression" : "text");
    if (ignore && !is_true(ignore) && strcasecmp(ignore, "false") != 0)
        return schema_fault_set(m->fault, 1105, m->position, "ignoreCase", ignore, "true or false");
    r->regex = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                             options | PCRE2_UTF | (is_true(ignore) ? PCRE2_CASELESS : 0), &code,
                             &offset, NULL);
    if (!r->regex) {
        char why[120] = "";

        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return schema_fault_set(m->fault, 1139, m->position, key, text,
                                "an expression of PCRE2; %s at byte %zu", why, (size_t)offset);
    }
    r->limits = pcre2_match_context_create(NULL);
    if (!r->limits)
        return -ENOMEM;
    pcre2_set_match_limit(r->limits, RULE_MATCH_LIMIT);
    pcre2_set_heap_limit(r->limits, RULE_HEAP_KIB);
    return 0;
}

static int open_mapper(struct making *m, const char *plugin, const char *name,
                       struct error_info *err)
{
    const struct quanta_plugin_mapper *mapper;
    const struct column *c = m->column;
    struct quanta_plugin_setting *settings;
    char why[200] = "no reason given";
    int rc = plugin_find(plugin, name, &mapper, err);

    if (rc != 0)
        return rc;
    settings = calloc(c->n_config, sizeof *settings);
    if (!settings)
        return -ENOMEM;
    for (uint32_t i = 0; i < c->n_config; i++)
        settings[i] = (struct quanta_plugin_setting){c->config[i].key, c->config[i].value};
    rc = mapper->open(&(struct quanta_plugin_column){.name = c->name,
                                                     .type = column_type_name(c->type),
                                                     .scale = c->scale,
                                                     .n_settings = c->n_config,
                                                     .settings = settings},
                      &m->rule->state, why, sizeof why);
    free(settings);
    why[sizeof why - 1] = 0;
    if (rc != 0)
        return error_set(err, -EINVAL, 1105, "plug-in %s, mapper %s: %s", plugin, name, why);
    m->rule->mapper = mapper;
    return 0;
}

static int make_custom(struct making *m)
{
    const char *plugin = schema_config(m->column, "plugin"),
               *name = schema_config(m->column, "name");
    struct error_info err = {0};
    int rc;

    if (!plugin || !plugin_is_name(plugin))
        return schema_fault_set(m->fault, 1105, m->position, "plugin", plugin,
                                "under configuration: the file's name without .so");
    if (!name || !*name)
        return schema_fault_set(m->fault, 1105, m->position, "name", name,
                                "under configuration: a mapper of the plug-in");
    rc = open_mapper(m, plugin, name, &err);
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    if (m->strict)
        return schema_fault_set(m->fault, 1105, m->position, "plugin", plugin, "%.250s", err.text);
    snprintf(m->rule->missing, sizeof m->rule->missing, "%.290s", err.text);
    return 0;
}

int mapping_rule_new(struct column *c, int position, bool strict, struct schema_fault *f)
{
    struct making m = {.column = c, .position = position, .strict = strict, .fault = f};
    int (*make)(struct making *) = NULL;
    int rc;

    switch (c->mapping) {
    case MAPPING_INT_LINEAR:
    case MAPPING_FLOAT_LINEAR:
        make = make_linear;
        break;
    case MAPPING_INT_BUCKETS:
    case MAPPING_FLOAT_BUCKETS:
        make = make_buckets;
        break;
    case MAPPING_TIME_OF_DAY:
        make = make_time_of_day;
        break;
    case MAPPING_CUSTOM:
    case MAPPING_CUSTOM_BSI:
        make = make_custom;
        break;
    case MAPPING_BOOL_REGEX:
    case MAPPING_CONTAINS:
        break;
    default:
        return 0;
    }
    m.rule = calloc(1, sizeof *m.rule);
    if (!m.rule)
        return -ENOMEM;
    rc = make                               ? make(&m)
         : c->mapping == MAPPING_BOOL_REGEX ? make_expression(&m, "regex", 0)
                                            : make_expression(&m, "text", PCRE2_LITERAL);
    if (rc != 0) {
        mapping_rule_free(m.rule);
        return rc;
    }
    mapping_rule_free(c->rule);
    c->rule = m.rule;
    return 0;
}

void mapping_rule_free(struct mapping_rule *r)
{
    if (!r)
        return;
    if (r->mapper && r->mapper->close)
        r->mapper->close(r->state);
    pcre2_match_context_free(r->limits);
    pcre2_code_free(r->regex);
    free(r->bounds);
    free(r);
}
