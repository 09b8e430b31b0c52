/* Maps of schema.yaml by tables of keys. */
#include "storage/schema_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where in the file a fault lies: the line of its key, or of the attribute, or of the table. */
int schema_parse_fail(struct schema_parse *p, const struct yaml_value *node, const char *column,
                      const struct schema_fault *f)
{
    uint32_t line = node ? node->line : 1;

    if (node && f->key && !yaml_value_find(node, f->key, &line)) {
        const struct yaml_value *settings = yaml_value_find(node, "configuration", NULL);

        if (settings)
            yaml_value_find(settings, f->key, &line);
    }
    if (column)
        return error_set(p->err, -EINVAL, f->code,
                         "%s:%u: column '%.64s', key %s: found %s; allowed: %s", p->file, line,
                         column, f->key, f->found, f->allowed);
    return error_set(p->err, -EINVAL, f->code, "%s:%u: key %s: found %s; allowed: %s", p->file,
                     line, f->key, f->found, f->allowed);
}

void schema_parse_warn(struct schema_parse *p, uint32_t line, const char *column, const char *key,
                       const char *what, const char *note)
{
    char text[400];

    if (!p->warn)
        return;
    snprintf(text, sizeof text, "%s:%u: %s%.64s%s%s '%.80s'%s%s", p->file, line,
             column ? "column '" : "", column ? column : "", column ? "': " : "", what, key,
             note ? ": " : "", note ? note : "");
    p->warn(p->ctx, text);
}

bool schema_parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "y", "1"}, *const no[] = {"false", "no",
                                                                                     "off", "n",
                                                                                     "0"};

    for (unsigned i = 0; i < sizeof yes / sizeof *yes; i++) {
        if (strcasecmp(text, yes[i]) == 0)
            return *out = true, true;
        if (strcasecmp(text, no[i]) == 0)
            return *out = false, true;
    }
    return false;
}

static bool read_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    long long v;

    if (!*text || text[strspn(text, "+-0123456789")])
        return false;
    errno = 0;
    v = strtoll(text, &end, 10);
    *out = v;
    return errno == 0 && *end == 0 && v >= min && v <= max;
}

static int read_value(struct schema_parse *p, const struct yaml_value *map, const char *column,
                      const struct key_rule *rule, const struct yaml_value *v, void *base)
{
    char *member = (char *)base + rule->offset;
    struct schema_fault f = {0};

    if (rule->kind == KEY_NODE) {
        *(const struct yaml_value **)(void *)member = v;
        return 0;
    }
    if (v->kind != YAML_VALUE_SCALAR) {
        schema_fault_set(&f, 1105, -1, rule->key,
                         v->kind == YAML_VALUE_MAPPING ? "a map" : "a list", "one value");
        return schema_parse_fail(p, map, column, &f);
    }
    if (v->is_null)
        return 0;
    if (rule->kind == KEY_TEXT)
        *(const char **)(void *)member = v->text;
    if (rule->kind == KEY_BOOL && !schema_parse_bool(v->text, (bool *)member)) {
        schema_fault_set(&f, 1105, -1, rule->key, v->text, "true or false");
        return schema_parse_fail(p, map, column, &f);
    }
    if (rule->kind == KEY_INT &&
        !read_int(v->text, rule->min, rule->max, (int64_t *)(void *)member)) {
        schema_fault_set(&f, 1105, -1, rule->key, v->text, "a whole number from %lld to %lld",
                         (long long)rule->min, (long long)rule->max);
        return schema_parse_fail(p, map, column, &f);
    }
    return 0;
}

/* Reads the known keys of a map into base; others are told. */
int schema_parse_map(struct schema_parse *p, const struct yaml_value *map, const char *column,
                     const struct key_rule *rules, const char *what, void *base)
{
    uint64_t seen = 0;
    struct schema_fault f;

    if (map->kind != YAML_VALUE_MAPPING) {
        schema_fault_set(&f, 1105, -1, what, map->kind == YAML_VALUE_SCALAR ? map->text : "a list",
                         "a map of keys and values");
        return schema_parse_fail(p, map, column, &f);
    }
    for (const struct yaml_value *k = map->first; k; k = k->next->next) {
        unsigned i = 0;
        int rc;

        while (rules[i].key && strcmp(rules[i].key, k->text) != 0)
            i++;
        if (!rules[i].key) {
            schema_parse_warn(p, k->line, column, k->text, "ignored, unknown key", NULL);
            continue;
        }
        if (seen >> i & 1) {
            error_set(p->err, -EINVAL, 1105, "%s:%u: key %s: found a second time; allowed: once",
                      p->file, k->line, rules[i].key);
            return -EINVAL;
        }
        seen |= 1ull << i;
        if (rules[i].kind == KEY_LEGACY)
            schema_parse_warn(p, k->line, column, k->text,
                              "notice, key of an older version without effect", rules[i].note);
        if (rules[i].kind == KEY_LATER)
            schema_parse_warn(p, k->line, column, k->text, "notice, key without effect",
                              rules[i].note);
        if (rules[i].kind >= KEY_UNUSED)
            continue;
        rc = read_value(p, map, column, &rules[i], k->next, base);
        if (rc != 0)
            return rc;
    }
    return 0;
}
