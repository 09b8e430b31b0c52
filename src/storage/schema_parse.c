/* schema.yaml to a table definition. Attributes: schema_attribute.c; the rules: schema_check.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/schema_yaml.h"

struct table_keys {
    const char *name, *primary_key, *secondary_keys, *time_type, *time_field, *desc, *shard_key,
        *retention, *selector, *view_of, *default_predicate;
    const struct yaml_value *attributes;
    int64_t table_id, version, hidden_at;
    bool replicated;
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
    {"hiddenKeyAt", KEY_INT, AT(table_keys, hidden_at), 0, SCHEMA_MAX_COLUMNS, NULL},
    {"retention", KEY_TEXT, AT(table_keys, retention), 0, 0, NULL},
    {"shardKey", KEY_TEXT, AT(table_keys, shard_key), 0, 0, NULL},
    {"replicated", KEY_BOOL, AT(table_keys, replicated), 0, 0, NULL},
    {"selector", KEY_TEXT, AT(table_keys, selector), 0, 0, NULL},
    {"isViewOf", KEY_TEXT, AT(table_keys, view_of), 0, 0, NULL},
    {"defaultPredicate", KEY_TEXT, AT(table_keys, default_predicate), 0, 0, NULL},
    {"disableDedup", KEY_LEGACY, 0, 0, 0, "rows with the same key are always one row"},
    {"useColumnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"columnKey", KEY_LEGACY, 0, 0, 0, "use primaryKey"},
    {"delegationTarget", KEY_LEGACY, 0, 0, 0, "no longer part of the format"},
    {NULL, KEY_TEXT, 0, 0, 0, NULL},
};

static int set_texts(struct schema *s, const struct table_keys *keys)
{
    const struct {
        char **to;
        const char *text;
    } texts[] = {
        {&s->primary_key, keys->primary_key}, {&s->secondary_keys, keys->secondary_keys},
        {&s->time_type, keys->time_type},     {&s->time_field, keys->time_field},
        {&s->retention, keys->retention},     {&s->comment, keys->desc},
        {&s->shard_key, keys->shard_key},     {&s->selector, keys->selector},
        {&s->view_of, keys->view_of},         {&s->default_predicate, keys->default_predicate}};

    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        if (schema_set_text(texts[i].to, texts[i].text) != 0)
            return -ENOMEM;
    return 0;
}

static int read_table(struct schema_parse *p)
{
    struct table_keys keys = {0};
    struct schema_fault f;
    int rc = schema_parse_map(p, p->root, NULL, table_rules, "tableName", &keys);

    if (rc != 0)
        return rc;
    if (!keys.name) {
        schema_fault_set(&f, 1103, -1, "tableName", NULL, "the name of the table");
        return schema_parse_fail(p, p->root, NULL, &f);
    }
    if (!keys.attributes || keys.attributes->kind != YAML_VALUE_SEQUENCE) {
        schema_fault_set(&f, 1113, -1, "attributes", keys.attributes ? "no list" : NULL,
                         "a list of columns");
        return schema_parse_fail(p, p->root, NULL, &f);
    }
    p->schema = schema_new(keys.name);
    if (!p->schema || set_texts(p->schema, &keys) != 0)
        return -ENOMEM;
    p->schema->replicated = keys.replicated;
    p->schema->table_id = (uint32_t)keys.table_id;
    p->schema->version = (uint64_t)keys.version;
    p->schema->hidden_at = (uint16_t)keys.hidden_at;
    for (const struct yaml_value *v = keys.attributes->first; v && rc == 0; v = v->next)
        rc = schema_parse_attribute(p, v);
    return rc;
}

/* Combinations that are allowed but do not do what they seem to. */
static void warn_about_no_effect(struct schema_parse *p)
{
    const struct schema *s = p->schema;

    if (s->time_field && !s->time_type)
        schema_parse_warn(p, p->root->line, NULL, "timeQuantumField",
                          "notice, without timeQuantumType no partitions: key", NULL);
    for (unsigned i = 0; i < s->n_columns; i++) {
        const struct column *c = &s->columns[i];
        uint32_t line = p->nodes[i]->line;

        if (c->searchable && !column_is_searchable(c))
            schema_parse_warn(p, line, c->name, "searchable", "notice, key without effect",
                              "it is for StringHashBSI and StringEnum");
        if (c->scale && c->type != COLUMN_DECIMAL)
            schema_parse_warn(p, line, c->name, "scale", "notice, key without effect",
                              "it is for type Float");
    }
}

static int finish(struct schema_parse *p)
{
    struct schema_fault f;
    int rc;

    warn_about_no_effect(p);
    rc = schema_check(p->schema, &f);
    if (rc != -EINVAL)
        return rc;
    if (f.column >= 0)
        return schema_parse_fail(p, p->nodes[f.column], p->schema->columns[f.column].name, &f);
    return schema_parse_fail(p, f.input >= 0 ? p->inputs[f.input] : p->root,
                             f.input >= 0 ? p->schema->inputs[f.input].source : NULL, &f);
}

int schema_parse_yaml(const char *file, const char *text, size_t len,
                      void (*warn_line)(void *ctx, const char *line), void *ctx,
                      struct schema **out, struct error_info *err)
{
    struct schema_parse p = {.file = file, .warn = warn_line, .ctx = ctx, .err = err};
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
