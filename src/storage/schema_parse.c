/*
 * schema.yaml to a table definition. What a key may be is in the tables below; the rules are in
 * schema_check.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/schema_check.h"
#include "storage/yaml_tree.h"

enum key_kind {
    KEY_TEXT,
    KEY_BOOL,
    KEY_INT,
    KEY_NODE,   /* a list or map, read by its own function */
    KEY_UNUSED, /* a key of the original without any effect there; accepted in silence */
    KEY_LATER,  /* a key whose effect this version does not have; accepted with a notice */
    KEY_LEGACY, /* a key of older versions of the original; accepted with a notice */
};

/* One key that a map may have. */
struct key_rule {
    const char *key;
    enum key_kind kind;
    size_t offset;    /* of the member in the struct that takes it */
    int64_t min, max; /* INT */
    const char *note; /* LATER, LEGACY: why it has no effect */
};

struct table_keys {
    const char *name, *primary_key, *secondary_keys, *time_type, *time_field, *desc;
    const struct yaml_value *attributes;
    int64_t table_id, version;
};

struct attribute_keys {
    const char *field, *source, *type, *foreign_key, *strategy, *desc, *default_value;
    const struct yaml_value *values, *configuration;
    int64_t id, max_length, scale, min, max;
    bool required, searchable, non_exclusive;
};

struct enum_keys {
    const char *value, *desc;
};

struct configuration_keys {
    const char *delim;
};

#define AT(type, member) offsetof(struct type, member)

static const struct key_rule table_rules[] = {
    {"tableName", KEY_TEXT, AT(table_keys, name), 0, 0, NULL},
    {"primaryKey", KEY_TEXT, AT(table_keys, primary_key), 0, 0, NULL},
    {"secondaryKeys", KEY_TEXT, AT(table_keys, secondary_keys), 0, 0, NULL},
    {"timeQuantumType", KEY_TEXT, AT(table_keys, time_type), 0, 0, NULL},
    {"timeQuantumField", KEY_TEXT, AT(table_keys, time_field), 0, 0, NULL},
    {"desc", KEY_TEXT, AT(table_keys, desc), 0, 0, NULL},
    {"attributes", KEY_NODE, AT(table_keys, attributes), 0, 0, NULL},
    {"tableId", KEY_INT, AT(table_keys, table_id), 0, UINT32_MAX, NULL},
    {"version", KEY_INT, AT(table_keys, version), 0, INT64_MAX, NULL},
    {"defaultPredicate", KEY_UNUSED, 0, 0, 0, NULL},
    {"isViewOf", KEY_UNUSED, 0, 0, 0, NULL},
    {"selector", KEY_LATER, 0, 0, 0, "routing of stream records is not available yet"},
    {"disableDedup", KEY_LEGACY, 0, 0, 0, "rows with the same key are always one row"},
    {"useColumnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"columnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"delegationTarget", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

static const struct key_rule attribute_rules[] = {
    {"fieldName", KEY_TEXT, AT(attribute_keys, field), 0, 0, NULL},
    {"sourceName", KEY_TEXT, AT(attribute_keys, source), 0, 0, NULL},
    {"type", KEY_TEXT, AT(attribute_keys, type), 0, 0, NULL},
    {"mappingStrategy", KEY_TEXT, AT(attribute_keys, strategy), 0, 0, NULL},
    {"foreignKey", KEY_TEXT, AT(attribute_keys, foreign_key), 0, 0, NULL},
    {"desc", KEY_TEXT, AT(attribute_keys, desc), 0, 0, NULL},
    {"defaultValue", KEY_TEXT, AT(attribute_keys, default_value), 0, 0, NULL},
    {"values", KEY_NODE, AT(attribute_keys, values), 0, 0, NULL},
    {"configuration", KEY_NODE, AT(attribute_keys, configuration), 0, 0, NULL},
    {"id", KEY_INT, AT(attribute_keys, id), 1, SCHEMA_HIDDEN_KEY_ID - 1, NULL},
    {"maxLen", KEY_INT, AT(attribute_keys, max_length), 0, UINT32_MAX, NULL},
    {"scale", KEY_INT, AT(attribute_keys, scale), 0, SCHEMA_MAX_SCALE, NULL},
    {"minValue", KEY_INT, AT(attribute_keys, min), INT64_MIN, INT64_MAX, NULL},
    {"maxValue", KEY_INT, AT(attribute_keys, max), INT64_MIN, INT64_MAX, NULL},
    {"required", KEY_BOOL, AT(attribute_keys, required), 0, 0, NULL},
    {"searchable", KEY_BOOL, AT(attribute_keys, searchable), 0, 0, NULL},
    {"nonExclusive", KEY_BOOL, AT(attribute_keys, non_exclusive), 0, 0, NULL},
    {"callTransform", KEY_UNUSED, 0, 0, 0, NULL},
    {"highCard", KEY_UNUSED, 0, 0, 0, NULL},
    {"sourceOrdinal", KEY_UNUSED, 0, 0, 0, NULL},
    {"childTable", KEY_LATER, 0, 0, 0, "nested tables are not available yet"},
    {"timeQuantumType", KEY_LATER, 0, 0, 0, "the table's timeQuantumType counts for all columns"},
    {"columnID", KEY_LATER, 0, 0, 0, "rows are found by their key; name the column in primaryKey"},
    {"disableDedup", KEY_LEGACY, 0, 0, 0, "rows with the same key are always one row"},
    {"skipIndex", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {"isTimeSeries", KEY_LEGACY, 0, 0, 0, "use timeQuantumField of the table"},
    {"exclusive", KEY_LEGACY, 0, 0, 0, "use nonExclusive, its opposite"},
    {"columnIDMSV", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {"delegationTarget", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {"useColumnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"columnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

static const struct key_rule value_rules[] = {
    {"value", KEY_TEXT, AT(enum_keys, value), 0, 0, NULL},
    {"desc", KEY_TEXT, AT(enum_keys, desc), 0, 0, NULL},
    {"rowID", KEY_UNUSED, 0, 0, 0, NULL},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

/* The others configure strategies that are refused, or input that cannot reach a column. */
static const struct key_rule configuration_rules[] = {
    {"delim", KEY_TEXT, AT(configuration_keys, delim), 0, 0, NULL},
    {"seconds", KEY_LATER, 0, 0, 0, "objects of seconds and nanoseconds are not read yet"},
    {"nanos", KEY_LATER, 0, 0, 0, "objects of seconds and nanoseconds are not read yet"},
    {"regex", KEY_UNUSED, 0, 0, 0, NULL},
    {"upperSource", KEY_UNUSED, 0, 0, 0, NULL},
    {"lowerSource", KEY_UNUSED, 0, 0, 0, NULL},
    {"name", KEY_UNUSED, 0, 0, 0, NULL},
    {"plugin", KEY_UNUSED, 0, 0, 0, NULL},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

/* State of one parse. Owner and lifetime: the call of schema_parse_yaml. */
struct parse {
    const char *file;
    void (*warn)(void *ctx, const char *line);
    void *ctx;
    struct error_info *err;
    struct schema *schema;
    const struct yaml_value *root;
    const struct yaml_value *nodes[SCHEMA_MAX_COLUMNS + 1]; /* attribute of each column */
};

/* Where in the file a fault lies: the line of its key, or of the attribute, or of the table. */
static int fail(struct parse *p, const struct yaml_value *node, const char *column,
                const struct schema_fault *f)
{
    uint32_t line = node ? node->line : 1;

    if (node && f->key)
        yaml_value_find(node, f->key, &line);
    if (column)
        return error_set(p->err, -EINVAL, f->code,
                         "%s:%u: column '%.64s', key %s: found %s; allowed: %s", p->file, line,
                         column, f->key, f->found, f->allowed);
    return error_set(p->err, -EINVAL, f->code, "%s:%u: key %s: found %s; allowed: %s", p->file,
                     line, f->key, f->found, f->allowed);
}

static void warn(struct parse *p, uint32_t line, const char *column, const char *key,
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

static bool read_bool(const char *text, bool *out)
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

static int read_value(struct parse *p, const struct yaml_value *map, const char *column,
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
        return fail(p, map, column, &f);
    }
    if (v->is_null)
        return 0;
    if (rule->kind == KEY_TEXT)
        *(const char **)(void *)member = v->text;
    if (rule->kind == KEY_BOOL && !read_bool(v->text, (bool *)member)) {
        schema_fault_set(&f, 1105, -1, rule->key, v->text, "true or false");
        return fail(p, map, column, &f);
    }
    if (rule->kind == KEY_INT &&
        !read_int(v->text, rule->min, rule->max, (int64_t *)(void *)member)) {
        schema_fault_set(&f, 1105, -1, rule->key, v->text, "a whole number from %lld to %lld",
                         (long long)rule->min, (long long)rule->max);
        return fail(p, map, column, &f);
    }
    return 0;
}

/* Reads the known keys of a map into base; others are told. */
static int read_map(struct parse *p, const struct yaml_value *map, const char *column,
                    const struct key_rule *rules, const char *what, void *base)
{
    uint64_t seen = 0;
    struct schema_fault f;

    if (map->kind != YAML_VALUE_MAPPING) {
        schema_fault_set(&f, 1105, -1, what, map->kind == YAML_VALUE_SCALAR ? map->text : "a list",
                         "a map of keys and values");
        return fail(p, map, column, &f);
    }
    for (const struct yaml_value *k = map->first; k; k = k->next->next) {
        unsigned i = 0;
        int rc;

        while (rules[i].key && strcmp(rules[i].key, k->text) != 0)
            i++;
        if (!rules[i].key) {
            warn(p, k->line, column, k->text, "ignored, unknown key", NULL);
            continue;
        }
        if (seen >> i & 1) {
            error_set(p->err, -EINVAL, 1105, "%s:%u: key %s: found a second time; allowed: once",
                      p->file, k->line, rules[i].key);
            return -EINVAL;
        }
        seen |= 1ull << i;
        if (rules[i].kind == KEY_LEGACY)
            warn(p, k->line, column, k->text, "notice, key of an older version without effect",
                 rules[i].note);
        if (rules[i].kind == KEY_LATER)
            warn(p, k->line, column, k->text, "notice, key without effect", rules[i].note);
        if (rules[i].kind >= KEY_UNUSED)
            continue;
        rc = read_value(p, map, column, &rules[i], k->next, base);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int set_text(char **to, const char *text)
{
    if (!text)
        return 0;
    free(*to);
    *to = strdup(text);
    return *to ? 0 : -ENOMEM;
}

/* "parent", "parent.key" */
static int set_foreign_key(struct column *c, const char *text)
{
    const char *dot = text ? strchr(text, '.') : NULL;

    if (!text)
        return 0;
    c->parent_table = strndup(text, dot ? (size_t)(dot - text) : strlen(text));
    if (!c->parent_table)
        return -ENOMEM;
    return dot ? set_text(&c->parent_key, dot + 1) : 0;
}

static int read_enum_values(struct parse *p, const struct yaml_value *list, struct column *c)
{
    struct schema_fault f;

    if (list->is_null)
        return 0;
    if (list->kind != YAML_VALUE_SEQUENCE || list->count > SCHEMA_MAX_VALUES) {
        schema_fault_set(&f, 1105, -1, "values",
                         list->kind == YAML_VALUE_SEQUENCE ? "more values" : "no list",
                         "a list of up to %d {value, desc}", SCHEMA_MAX_VALUES);
        return fail(p, list, c->name, &f);
    }
    c->values = calloc(list->count ? list->count : 1, sizeof *c->values);
    if (!c->values)
        return -ENOMEM;
    for (const struct yaml_value *v = list->first; v; v = v->next) {
        struct enum_keys keys = {0};
        int rc = 0;

        if (v->kind == YAML_VALUE_SCALAR)
            keys.value = v->text;
        else
            rc = read_map(p, v, c->name, value_rules, "values", &keys);
        if (rc != 0)
            return rc;
        if (!keys.value) {
            schema_fault_set(&f, 1105, -1, "value", NULL, "the text of each predefined value");
            return fail(p, v, c->name, &f);
        }
        c->n_values++;
        if (set_text(&c->values[c->n_values - 1].value, keys.value) != 0 ||
            set_text(&c->values[c->n_values - 1].desc, keys.desc) != 0)
            return -ENOMEM;
    }
    return 0;
}

/*
 * A delimiter makes the column multi-valued with or without nonExclusive: the text is split either
 * way.
 */
static int read_configuration(struct parse *p, const struct yaml_value *map, struct column *c)
{
    struct configuration_keys keys = {0};
    struct schema_fault f;
    int rc;

    if (map->is_null)
        return 0;
    rc = read_map(p, map, c->name, configuration_rules, "configuration", &keys);
    if (rc != 0 || !keys.delim)
        return rc;
    if (c->mapping != MAPPING_STRING_ENUM) {
        warn(p, map->line, c->name, "delim", "ignored, only StringEnum is split: key", NULL);
        return 0;
    }
    if (strlen(keys.delim) != 1) {
        schema_fault_set(&f, 1105, -1, "delim", keys.delim, "one ASCII character");
        return fail(p, map, c->name, &f);
    }
    c->delim = keys.delim[0];
    c->multi_valued = true;
    return 0;
}

/* Field name, or what the source is called at its end. */
static const char *attribute_name(const struct yaml_value *node)
{
    const struct yaml_value *v = yaml_value_find(node, "fieldName", NULL);
    const char *slash;

    if (v && v->kind == YAML_VALUE_SCALAR && !v->is_null && v->len)
        return v->text;
    v = yaml_value_find(node, "sourceName", NULL);
    if (!v || v->kind != YAML_VALUE_SCALAR || v->is_null || !v->len)
        return NULL;
    slash = strrchr(v->text, '/');
    return slash ? slash + 1 : v->text;
}

static int find_type(struct parse *p, const struct yaml_value *node, const char *name,
                     const char *text, enum column_type *out)
{
    struct schema_fault f;

    if (text && column_type_find(text, out))
        return 0;
    schema_fault_set(&f, 1105, -1, "type", text,
                     "String, Integer, Float, Date, DateTime, Boolean%s",
                     text && strcmp(text, "JSON") == 0 ? "; JSON is not available yet" : "");
    return fail(p, node, name, &f);
}

static int find_strategy(struct parse *p, const struct yaml_value *node, const char *name,
                         const char *text, enum mapping *out)
{
    struct schema_fault f;
    char list[256];

    if (text && strategy_find(text, out))
        return 0;
    strategy_list(list, sizeof list);
    schema_fault_set(&f, 1105, -1, "mappingStrategy", text, "%s%s", list,
                     text && strategy_is_documented(text) ? "; this one is not available yet" : "");
    return fail(p, node, name, &f);
}

static int fill_column(struct parse *p, struct column *c, const struct attribute_keys *keys)
{
    int rc;

    c->id = (uint16_t)keys->id;
    c->scale = (uint8_t)keys->scale;
    c->max_length = (uint32_t)keys->max_length;
    c->min_value = keys->min;
    c->max_value = keys->max;
    c->required = keys->required;
    c->searchable = keys->searchable;
    c->multi_valued = keys->non_exclusive;
    rc = set_text(&c->source, keys->source);
    if (rc == 0)
        rc = set_text(&c->comment, keys->desc);
    if (rc == 0 && keys->default_value && *keys->default_value)
        rc = set_text(&c->default_value, keys->default_value);
    if (rc == 0)
        rc = set_foreign_key(c, keys->foreign_key);
    if (rc == 0 && keys->values)
        rc = read_enum_values(p, keys->values, c);
    if (rc == 0 && keys->configuration)
        rc = read_configuration(p, keys->configuration, c);
    return rc;
}

static int read_attribute(struct parse *p, const struct yaml_value *node)
{
    struct attribute_keys keys = {0};
    const char *name = attribute_name(node);
    struct schema *s = p->schema;
    enum column_type type;
    enum mapping mapping;
    struct schema_fault f;
    struct column *c;
    int rc = read_map(p, node, name, attribute_rules, "attributes", &keys);

    if (rc != 0)
        return rc;
    if (keys.type && strcmp(keys.type, "NotExist") == 0) {
        warn(p, node->line, name, keys.type, "notice, no column because of type", NULL);
        return 0;
    }
    /* Nested tables have no name of their own: the strategy is the clearer thing to say. */
    rc = keys.strategy || name ? find_strategy(p, node, name, keys.strategy, &mapping) : 0;
    if (rc != 0)
        return rc;
    if (!name) {
        schema_fault_set(&f, 1105, -1, "fieldName", NULL, "a column needs fieldName or sourceName");
        return fail(p, node, NULL, &f);
    }
    rc = find_type(p, node, name, keys.type, &type);
    if (rc != 0)
        return rc;
    if (s->n_columns == SCHEMA_MAX_COLUMNS || schema_find_column(s, name, strlen(name)) >= 0) {
        if (s->n_columns == SCHEMA_MAX_COLUMNS)
            schema_fault_set(&f, 1117, -1, "attributes", "more columns", "1 to %d columns",
                             SCHEMA_MAX_COLUMNS);
        else
            schema_fault_set(&f, 1060, -1, "fieldName", name, "a name that no other column has");
        return fail(p, node, name, &f);
    }
    c = schema_add_column(s, name, type, mapping);
    if (!c)
        return -ENOMEM;
    p->nodes[s->n_columns - 1] = node;
    return fill_column(p, c, &keys);
}

static int read_table(struct parse *p)
{
    struct table_keys keys = {0};
    struct schema_fault f;
    int rc = read_map(p, p->root, NULL, table_rules, "tableName", &keys);

    if (rc != 0)
        return rc;
    if (!keys.name) {
        schema_fault_set(&f, 1103, -1, "tableName", NULL, "the name of the table");
        return fail(p, p->root, NULL, &f);
    }
    if (!keys.attributes || keys.attributes->kind != YAML_VALUE_SEQUENCE) {
        schema_fault_set(&f, 1113, -1, "attributes", keys.attributes ? "no list" : NULL,
                         "a list of columns");
        return fail(p, p->root, NULL, &f);
    }
    p->schema = schema_new(keys.name);
    if (!p->schema || set_text(&p->schema->primary_key, keys.primary_key) != 0 ||
        set_text(&p->schema->secondary_keys, keys.secondary_keys) != 0 ||
        set_text(&p->schema->time_type, keys.time_type) != 0 ||
        set_text(&p->schema->time_field, keys.time_field) != 0 ||
        set_text(&p->schema->comment, keys.desc) != 0)
        return -ENOMEM;
    p->schema->table_id = (uint32_t)keys.table_id;
    p->schema->version = (uint64_t)keys.version;
    for (const struct yaml_value *v = keys.attributes->first; v && rc == 0; v = v->next)
        rc = read_attribute(p, v);
    return rc;
}

/* Combinations that are allowed but do not do what they seem to. */
static void warn_about_no_effect(struct parse *p)
{
    const struct schema *s = p->schema;

    if (s->time_field && !s->time_type)
        warn(p, p->root->line, NULL, "timeQuantumField",
             "notice, without timeQuantumType no partitions: key", NULL);
    for (unsigned i = 0; i < s->n_columns; i++) {
        const struct column *c = &s->columns[i];
        uint32_t line = p->nodes[i]->line;

        if (c->searchable && c->mapping != MAPPING_STRING_HASH_BSI)
            warn(p, line, c->name, "searchable", "notice, key without effect",
                 "it is for StringHashBSI");
        if (c->scale && c->mapping != MAPPING_FLOAT_SCALE_BSI)
            warn(p, line, c->name, "scale", "notice, key without effect",
                 "it is for FloatScaleBSI");
    }
}

static int finish(struct parse *p)
{
    struct schema_fault f;
    int rc;

    warn_about_no_effect(p);
    rc = schema_check(p->schema, &f);
    if (rc != -EINVAL)
        return rc;
    return f.column >= 0 ? fail(p, p->nodes[f.column], p->schema->columns[f.column].name, &f)
                         : fail(p, p->root, NULL, &f);
}

int schema_parse_yaml(const char *file, const char *text, size_t len,
                      void (*warn_line)(void *ctx, const char *line), void *ctx,
                      struct schema **out, struct error_info *err)
{
    struct parse p = {.file = file, .warn = warn_line, .ctx = ctx, .err = err};
    struct yaml_tree tree;
    int rc = yaml_tree_parse(&tree, file, text, len, err);

    if (rc == 0 && !tree.root)
        rc = error_set(err, -EINVAL, 1105,
                       "%s:1: key tableName: found nothing; allowed: a table definition", file);
    if (rc == 0) {
        p.root = tree.root;
        rc = read_table(&p);
    }
    if (rc == 0)
        rc = finish(&p);
    if (rc == -ENOMEM)
        error_set(err, rc, 1037, "%s: out of memory", file);
    if (rc == 0)
        *out = p.schema;
    else
        schema_put(p.schema);
    yaml_tree_fini(&tree);
    return rc;
}
