/* Attributes of schema.yaml: columns, and what is only input of others. The rules are in schema_check.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/schema_yaml.h"

struct attribute_keys {
    const char *field, *source, *type, *sql_type, *foreign_key, *strategy, *desc, *default_value,
        *initial_value, *child_table, *time_type, *delegation_target;
    const struct yaml_value *values, *configuration;
    int64_t id, max_length, scale, min, max, source_ordinal;
    bool required, searchable, non_exclusive, column_id, call_transform, high_card;
};

struct enum_keys {
    const char *value, *desc;
    int64_t row_id;
};

#define AT(type, member) offsetof(struct type, member)

static const struct key_rule attribute_rules[] = {
    {"fieldName", KEY_TEXT, AT(attribute_keys, field), 0, 0, NULL},
    {"sourceName", KEY_TEXT, AT(attribute_keys, source), 0, 0, NULL},
    {"type", KEY_TEXT, AT(attribute_keys, type), 0, 0, NULL},
    {"mappingStrategy", KEY_TEXT, AT(attribute_keys, strategy), 0, 0, NULL},
    {"sqlType", KEY_TEXT, AT(attribute_keys, sql_type), 0, 0, NULL},
    {"foreignKey", KEY_TEXT, AT(attribute_keys, foreign_key), 0, 0, NULL},
    {"desc", KEY_TEXT, AT(attribute_keys, desc), 0, 0, NULL},
    {"defaultValue", KEY_TEXT, AT(attribute_keys, default_value), 0, 0, NULL},
    {"initialValue", KEY_TEXT, AT(attribute_keys, initial_value), 0, 0, NULL},
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
    {"callTransform", KEY_BOOL, AT(attribute_keys, call_transform), 0, 0, NULL},
    {"highCard", KEY_BOOL, AT(attribute_keys, high_card), 0, 0, NULL},
    {"columnID", KEY_BOOL, AT(attribute_keys, column_id), 0, 0, NULL},
    {"sourceOrdinal", KEY_INT, AT(attribute_keys, source_ordinal), 0, UINT32_MAX, NULL},
    {"childTable", KEY_TEXT, AT(attribute_keys, child_table), 0, 0, NULL},
    {"timeQuantumType", KEY_TEXT, AT(attribute_keys, time_type), 0, 0, NULL},
    {"delegationTarget", KEY_TEXT, AT(attribute_keys, delegation_target), 0, 0, NULL},
    {"disableDedup", KEY_LEGACY, 0, 0, 0, "rows with the same key are always one row"},
    {"skipIndex", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {"isTimeSeries", KEY_LEGACY, 0, 0, 0, "use timeQuantumField of the table"},
    {"exclusive", KEY_LEGACY, 0, 0, 0, "use nonExclusive, its opposite"},
    {"columnIDMSV", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {"useColumnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"columnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

static const struct key_rule value_rules[] = {
    {"value", KEY_TEXT, AT(enum_keys, value), 0, 0, NULL},
    {"desc", KEY_TEXT, AT(enum_keys, desc), 0, 0, NULL},
    {"rowID", KEY_INT, AT(enum_keys, row_id), INT64_MIN, INT64_MAX, NULL},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

/* "parent", "parent.key" */
static int set_foreign_key(struct column *c, const char *text)
{
    const char *dot = text ? strchr(text, '.') : NULL;

    if (!text)
        return 0;
    c->parent_table = strndup(text, dot ? (size_t)(dot - text) : strlen(text));
    if (!c->parent_table)
        return -ENOMEM;
    return dot ? schema_set_text(&c->parent_key, dot + 1) : 0;
}

static int read_enum_values(struct schema_parse *p, const struct yaml_value *list, struct column *c)
{
    struct schema_fault f;

    if (list->is_null)
        return 0;
    if (list->kind != YAML_VALUE_SEQUENCE || list->count > SCHEMA_MAX_VALUES) {
        schema_fault_set(&f, 1105, -1, "values",
                         list->kind == YAML_VALUE_SEQUENCE ? "more values" : "no list",
                         "a list of up to %d {value, desc}", SCHEMA_MAX_VALUES);
        return schema_parse_fail(p, list, c->name, &f);
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
            rc = schema_parse_map(p, v, c->name, value_rules, "values", &keys);
        if (rc != 0)
            return rc;
        if (!keys.value) {
            schema_fault_set(&f, 1105, -1, "value", NULL, "the text of each predefined value");
            return schema_parse_fail(p, v, c->name, &f);
        }
        c->n_values++;
        if (schema_set_text(&c->values[c->n_values - 1].value, keys.value) != 0 ||
            schema_set_text(&c->values[c->n_values - 1].desc, keys.desc) != 0)
            return -ENOMEM;
        c->values[c->n_values - 1].row_id = keys.row_id;
    }
    return 0;
}

/*
 * A delimiter makes the column multi-valued with or without nonExclusive: the text is split either
 * way.
 */
static int read_delimiter(struct schema_parse *p, const struct yaml_value *map,
                          const struct yaml_value *key, struct column *c)
{
    const struct yaml_value *v = key->next;
    struct schema_fault f;

    if (c->mapping != MAPPING_STRING_ENUM) {
        schema_parse_warn(p, key->line, c->name, "delim", "ignored, only StringEnum is split: key",
                          NULL);
        return 0;
    }
    if (v->len != 1) {
        schema_fault_set(&f, 1105, -1, "delim", v->text, "one ASCII character");
        return schema_parse_fail(p, map, c->name, &f);
    }
    c->delim = v->text[0];
    c->multi_valued = true;
    return 0;
}

static int read_setting(struct schema_parse *p, const struct yaml_value *map,
                        const struct yaml_value *key, struct column *c)
{
    bool any = c->mapping == MAPPING_CUSTOM || c->mapping == MAPPING_CUSTOM_BSI;
    const char *name = any ? key->text : strategy_setting(c->mapping, key->text);
    struct schema_fault f;

    if (key->next->kind != YAML_VALUE_SCALAR) {
        schema_fault_set(&f, 1105, -1, key->text,
                         key->next->kind == YAML_VALUE_MAPPING ? "a map" : "a list", "one value");
        return schema_parse_fail(p, map, c->name, &f);
    }
    if (key->next->is_null)
        return 0;
    if (strcmp(key->text, "delim") == 0 && !any)
        return read_delimiter(p, map, key, c);
    if (!name) {
        schema_parse_warn(p, key->line, c->name, key->text,
                          "ignored, no setting of the strategy:", mapping_name(c->mapping));
        return 0;
    }
    if (schema_config(c, name)) {
        schema_fault_set(&f, 1105, -1, key->text, "a second one", "each key once");
        return schema_parse_fail(p, map, c->name, &f);
    }
    return schema_set_config(c, name, key->next->text);
}

static int read_configuration(struct schema_parse *p, const struct yaml_value *map,
                              struct column *c)
{
    struct schema_fault f;
    int rc = 0;

    if (map->is_null)
        return 0;
    if (map->kind != YAML_VALUE_MAPPING) {
        schema_fault_set(&f, 1105, -1, "configuration",
                         map->kind == YAML_VALUE_SCALAR ? map->text : "a list",
                         "a map of keys and values");
        return schema_parse_fail(p, map, c->name, &f);
    }
    for (const struct yaml_value *k = map->first; k && rc == 0; k = k->next->next)
        rc = read_setting(p, map, k, c);
    return rc;
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

static int find_type(struct schema_parse *p, const struct yaml_value *node, const char *name,
                     const char *text, enum column_type *out)
{
    struct schema_fault f;

    if (text && column_type_find(text, out))
        return 0;
    schema_fault_set(&f, 1105, -1, "type", text,
                     "String, Integer, Float, Date, DateTime, Boolean%s",
                     text && strcmp(text, "JSON") == 0 ? "; JSON is not available yet" : "");
    return schema_parse_fail(p, node, name, &f);
}

static int find_strategy(struct schema_parse *p, const struct yaml_value *node, const char *name,
                         const char *text, const char *type, enum mapping *out)
{
    struct schema_fault f;
    enum column_type t;
    char list[400];

    if (text && strategy_find(text, out)) {
        if (strcmp(mapping_name(*out), text) != 0)
            schema_parse_warn(p, node->line, name, text,
                              "notice, an older name:", mapping_name(*out));
        return 0;
    }
    if (type && column_type_find(type, &t))
        strategy_list_for(t, list, sizeof list);
    else
        strategy_list(list, sizeof list);
    schema_fault_set(&f, 1105, -1, "mappingStrategy", text, "%s", list);
    return schema_parse_fail(p, node, name, &f);
}

static int fill_column(struct schema_parse *p, struct column *c, const struct attribute_keys *keys)
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
    c->column_id = keys->column_id;
    c->call_transform = keys->call_transform;
    c->high_card = keys->high_card;
    c->source_ordinal = (uint32_t)keys->source_ordinal;
    rc = schema_set_text(&c->source, keys->source);
    if (rc == 0)
        rc = schema_set_text(&c->comment, keys->desc);
    if (rc == 0 && keys->default_value && *keys->default_value)
        rc = schema_set_text(&c->default_value, keys->default_value);
    if (rc == 0 && keys->initial_value)
        rc = schema_set_text(&c->initial_value, keys->initial_value);
    if (rc == 0)
        rc = set_foreign_key(c, keys->foreign_key);
    if (rc == 0 && keys->values)
        rc = read_enum_values(p, keys->values, c);
    if (rc == 0 && keys->configuration)
        rc = read_configuration(p, keys->configuration, c);
    return rc;
}

/* Last part of "/a/b.c": c. */
static const char *last_part(const char *source)
{
    const char *at = source;

    for (const char *p = source; p && *p; p++)
        if (*p == '.' || *p == '/')
            at = p + 1;
    return at;
}

/* An attribute that is no column: rows of a child table, or further input of a column. */
static int read_input(struct schema_parse *p, const struct yaml_value *node,
                      const struct attribute_keys *keys, enum mapping mapping)
{
    bool child = mapping == MAPPING_CHILD_RELATION;
    const char *target = child ? keys->child_table : keys->delegation_target;
    const char *source = keys->source ? keys->source : keys->field;
    struct schema_input *in;
    struct schema_fault f;

    if (!source || !*source) {
        schema_fault_set(&f, 1105, -1, "sourceName", NULL, "where the value is in the input");
        return schema_parse_fail(p, node, keys->field, &f);
    }
    if (child && !target)
        target = last_part(source);
    if (!target || !*target) {
        schema_fault_set(&f, 1105, -1, child ? "childTable" : "delegationTarget", NULL,
                         child ? "the table of the elements" : "the column that takes the value");
        return schema_parse_fail(p, node, keys->field ? keys->field : source, &f);
    }
    in = schema_add_input(p->schema, mapping);
    if (!in || schema_set_text(&in->name, keys->field) != 0 ||
        schema_set_text(&in->source, source) != 0 || schema_set_text(&in->target, target) != 0 ||
        schema_set_text(&in->comment, keys->desc) != 0)
        return -ENOMEM;
    p->inputs[p->schema->n_inputs - 1] = node;
    return 0;
}

/* Keys that only some strategies or tables know. */
static void warn_about_keys(struct schema_parse *p, const struct yaml_value *node, const char *name,
                            const struct attribute_keys *keys, enum mapping mapping)
{
    const char *table = p->schema->time_type;

    if (keys->delegation_target && mapping != MAPPING_DELEGATED)
        schema_parse_warn(p, node->line, name, "delegationTarget",
                          "notice, key of an older version without effect", "it is for Delegated");
    if (keys->child_table && mapping != MAPPING_CHILD_RELATION)
        schema_parse_warn(p, node->line, name, "childTable", "notice, key without effect",
                          "it is for ChildRelation");
    if (keys->time_type && (!table || strcmp(table, keys->time_type) != 0))
        schema_parse_warn(p, node->line, name, "timeQuantumType", "notice, key without effect",
                          "the table's timeQuantumType counts for all columns");
}

int schema_parse_attribute(struct schema_parse *p, const struct yaml_value *node)
{
    struct attribute_keys keys = {0};
    const char *name = attribute_name(node);
    struct schema *s = p->schema;
    enum column_type type;
    enum mapping mapping = MAPPING_INT_BSI;
    struct schema_fault f;
    struct column *c;
    int rc = schema_parse_map(p, node, name, attribute_rules, "attributes", &keys);

    if (rc != 0)
        return rc;
    if (keys.type && strcmp(keys.type, "NotExist") == 0) {
        schema_parse_warn(p, node->line, name, keys.type, "notice, no column because of type",
                          NULL);
        return 0;
    }
    /* Nested tables need no name: the strategy is the clearer thing to say. */
    rc = keys.strategy || name ? find_strategy(p, node, name, keys.strategy, keys.type, &mapping)
                               : 0;
    if (rc != 0)
        return rc;
    warn_about_keys(p, node, name, &keys, mapping);
    if (!strategy_is_column(mapping))
        return read_input(p, node, &keys, mapping);
    if (!name) {
        schema_fault_set(&f, 1105, -1, "fieldName", NULL, "a column needs fieldName or sourceName");
        return schema_parse_fail(p, node, NULL, &f);
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
        return schema_parse_fail(p, node, name, &f);
    }
    c = schema_add_column(s, name, type, mapping);
    if (!c)
        return -ENOMEM;
    p->nodes[s->n_columns - 1] = node;
    if (keys.sql_type && !declared_parse(keys.sql_type, &c->declared)) {
        schema_fault_set(&f, 1105, -1, "sqlType", keys.sql_type,
                         "a type as CREATE TABLE knows it: smallint unsigned, decimal(10), enum");
        return schema_parse_fail(p, node, name, &f);
    }
    return fill_column(p, c, &keys);
}
