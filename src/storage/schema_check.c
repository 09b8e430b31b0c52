/*
 * The rules of a table definition: names, types, strategies, texts. Keys and time partitions:
 * schema_key.c.
 */
#include "storage/schema_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reactor/assert.h"
#include "storage/initial.h"
#include "storage/mapping.h"
#include "storage/mapping_rule.h"
#include "storage/schema_key.h"
#include "storage/yaml_tree.h"

enum { ID_MAX = SCHEMA_HIDDEN_KEY_ID - 1 };

bool schema_is_utf8(const char *s, size_t len)
{
    const uint8_t *p = (const uint8_t *)s, *end = p + len;

    while (p < end) {
        unsigned n = *p < 0x80   ? 0
                     : *p < 0xc2 ? 4
                     : *p < 0xe0 ? 1
                     : *p < 0xf0 ? 2
                     : *p < 0xf5 ? 3
                                 : 4;
        uint8_t lead = *p++;

        if (n == 4 || (size_t)(end - p) < n)
            return false;
        /* Overlong forms, surrogates and code points above 10FFFF show in the second byte. */
        if ((lead == 0xe0 && *p < 0xa0) || (lead == 0xed && *p > 0x9f) ||
            (lead == 0xf0 && *p < 0x90) || (lead == 0xf4 && *p > 0x8f))
            return false;
        for (; n; n--)
            if ((*p++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/* Length of at most cap bytes that does not cut a character. */
static size_t clip(const char *s, size_t cap)
{
    size_t len = strlen(s);

    if (len <= cap)
        return len;
    for (len = cap; len && ((uint8_t)s[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

int schema_fault_set(struct schema_fault *f, int code, int column, const char *key,
                     const char *found, const char *allowed, ...)
{
    va_list args;

    f->code = code;
    f->column = column;
    f->input = -1;
    f->key = key;
    if (found)
        snprintf(f->found, sizeof f->found, "'%.*s%s", (int)clip(found, 100), found,
                 strlen(found) > 100 ? "...'" : "'");
    else
        snprintf(f->found, sizeof f->found, "nothing");
    va_start(args, allowed);
    vsnprintf(f->allowed, sizeof f->allowed, allowed, args);
    va_end(args);
    return -EINVAL;
}

bool schema_next_part(const char **at, char separator, const char **name, size_t *len)
{
    const char *s = *at, *end;

    if (!s)
        return false;
    end = strchr(s, separator);
    *at = end ? end + 1 : NULL;
    if (!end)
        end = s + strlen(s);
    while (s < end && (*s == ' ' || *s == '\t'))
        s++;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *name = s;
    *len = (size_t)(end - s);
    return true;
}

/* Characters that are syntax in keys, foreign keys, paths and statements are not part of a name. */
bool schema_is_name(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > SCHEMA_MAX_NAME || name[0] == '@' || name[0] == ' ' ||
        name[len - 1] == ' ')
        return false;
    for (const char *p = name; *p; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f || strchr("/+,.`\"'\\", *p))
            return false;
    return schema_is_utf8(name, len);
}

static int check_text(const char *text, int column, const char *key, struct schema_fault *f)
{
    if (!text || schema_is_utf8(text, strlen(text)))
        return 0;
    return schema_fault_set(f, 1300, column, key, "a text that is not UTF-8", "UTF-8");
}

static const char name_rule[] =
    "1 to %d bytes of UTF-8 without / + , . \\ quotes or control characters, not "
    "beginning with @ or a blank";

static int check_names(const struct schema *s, struct schema_fault *f)
{
    if (!schema_is_name(s->name))
        return schema_fault_set(f, 1103, -1, "tableName", s->name, name_rule, SCHEMA_MAX_NAME);
    if (s->n_columns == 0)
        return schema_fault_set(f, 1113, -1, "attributes", NULL, "1 to %d columns",
                                SCHEMA_MAX_COLUMNS);
    if (s->n_columns > SCHEMA_MAX_COLUMNS)
        return schema_fault_set(f, 1117, -1, "attributes", "more columns", "1 to %d columns",
                                SCHEMA_MAX_COLUMNS);
    for (int i = 0; i < s->n_columns; i++) {
        const char *name = s->columns[i].name;

        if (!schema_is_name(name))
            return schema_fault_set(f, 1166, i, "fieldName", name, name_rule, SCHEMA_MAX_NAME);
        for (int k = 0; k < i; k++)
            if (strcasecmp(s->columns[k].name, name) == 0)
                return schema_fault_set(f, 1060, i, "fieldName", name,
                                        "a name that no other column has");
    }
    return 0;
}

/* Columns without an id get the next free ones above all given, in order. */
static int give_ids(struct schema *s, struct schema_fault *f)
{
    unsigned next = 1;

    for (int i = 0; i < s->n_columns; i++) {
        char text[12];

        snprintf(text, sizeof text, "%u", s->columns[i].id);
        if (s->columns[i].id == 0)
            continue;
        if (s->columns[i].id > ID_MAX)
            return schema_fault_set(f, 1105, i, "id", text, "1 to %d", ID_MAX);
        if (schema_find_column_id(s, s->columns[i].id) != i)
            return schema_fault_set(f, 1105, i, "id", text, "an id that no other column has");
        if (s->columns[i].id >= next)
            next = s->columns[i].id + 1u;
    }
    for (int i = 0; i < s->n_columns; i++) {
        if (s->columns[i].id != 0)
            continue;
        if (next > ID_MAX)
            return schema_fault_set(f, 1117, i, "id", NULL, "ids up to %d", ID_MAX);
        s->columns[i].id = (uint16_t)next++;
    }
    return 0;
}

static int check_strategy(const struct schema *s, int i, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];
    char list[330];

    if (!strategy_fits(c->type, c->mapping)) {
        strategy_list_for(c->type, list, sizeof list);
        return schema_fault_set(f, 1105, i, "mappingStrategy", mapping_name(c->mapping),
                                "with type %s: %s", column_type_name(c->type), list);
    }
    if (c->multi_valued && c->mapping != MAPPING_STRING_ENUM)
        return schema_fault_set(f, 1105, i, "nonExclusive", "true",
                                "false; several values per row need StringEnum");
    if (c->type == COLUMN_DECIMAL && c->scale > SCHEMA_MAX_SCALE) {
        snprintf(list, sizeof list, "%u", c->scale);
        return schema_fault_set(f, 1425, i, "scale", list, "0 to %d", SCHEMA_MAX_SCALE);
    }
    if (c->multi_valued &&
        ((uint8_t)c->delim >= 0x7f || ((uint8_t)c->delim < ' ' && c->delim != '\t')))
        return schema_fault_set(f, 1105, i, "configuration", "this delim",
                                "one printable ASCII character or a tab");
    if (c->min_value > c->max_value && c->max_value != 0) {
        snprintf(list, sizeof list, "%lld", (long long)c->min_value);
        return schema_fault_set(f, 1105, i, "minValue", list, "up to maxValue %lld",
                                (long long)c->max_value);
    }
    return 0;
}

static int check_relation(const struct schema *s, int i, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];

    if (c->mapping != MAPPING_PARENT_RELATION) {
        if (c->parent_table)
            return schema_fault_set(f, 1105, i, "foreignKey", c->parent_table,
                                    "none; only columns with ParentRelation refer to a table");
        return 0;
    }
    if (!c->parent_table || !schema_is_name(c->parent_table))
        return schema_fault_set(
            f, 1105, i, "foreignKey", c->parent_table,
            "the parent table, or TABLE.COLUMN with the column of its primary key");
    if (!c->parent_key || schema_is_name(c->parent_key))
        return 0;
    return schema_fault_set(f, 1105, i, "foreignKey", c->parent_key,
                            "after the dot the one column of the parent's primary key; %s",
                            strchr(c->parent_key, '+')
                                ? "keys of several columns are not available as parents yet"
                                : "row numbers are not keys");
}

static int check_values(const struct schema *s, int i, size_t *total, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];

    *total += c->n_values;
    if (*total > SCHEMA_MAX_VALUES)
        return schema_fault_set(f, 1105, i, "values", "more values", "%d in a table",
                                SCHEMA_MAX_VALUES);
    if (c->n_values && c->mapping != MAPPING_STRING_ENUM)
        return schema_fault_set(f, 1105, i, "values", "a list",
                                "none; only StringEnum has predefined values");
    for (uint32_t k = 0; k < c->n_values; k++) {
        int rc = check_text(c->values[k].value, i, "values", f);

        if (rc == 0)
            rc = check_text(c->values[k].desc, i, "values", f);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/*
 * Whether a default is plainly a literal: text with a call or that may name a function or column is
 * evaluated.
 */
static bool is_literal(const char *text)
{
    return !strchr(text, '(') && !(((uint8_t)*text | 32) >= 'a' && ((uint8_t)*text | 32) <= 'z') &&
           *text != '"' && *text != '\'';
}

static int check_default(const struct schema *s, int i, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];
    struct value in = {.kind = VALUE_TEXT};
    struct error_info err;
    struct cell cell;

    if (!c->default_value || !is_literal(c->default_value) ||
        (c->type == COLUMN_STRING && !mapping_makes_text(c->mapping)))
        return 0;
    in.bytes = c->default_value;
    in.len = (uint32_t)strlen(c->default_value);
    if (mapping_convert(c, &in, &cell, &err) == 0)
        return 0;
    return schema_fault_set(f, 1067, i, "defaultValue", c->default_value, "%.200s", err.text);
}

static int check_initial(const struct schema *s, int i, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];
    int rc = check_text(c->initial_value, i, "initialValue", f);

    if (rc != 0 || initial_is_valid(c))
        return rc;
    return schema_fault_set(f, 1067, i, "initialValue", c->initial_value, "a value of type %s",
                            column_type_name(c->type));
}

static int check_column(struct schema *s, int i, size_t *n_values, struct schema_fault *f)
{
    const struct column *c = &s->columns[i];
    int rc = check_strategy(s, i, f);

    if (rc == 0)
        rc = check_relation(s, i, f);
    if (rc == 0)
        rc = check_values(s, i, n_values, f);
    if (rc == 0)
        rc = declared_check(&s->columns[i], i, f);
    if (rc == 0)
        rc = check_text(c->source, i, "sourceName", f);
    if (rc == 0)
        rc = check_text(c->default_value, i, "defaultValue", f);
    if (rc == 0)
        rc = check_text(c->comment, i, "desc", f);
    for (uint32_t k = 0; k < c->n_config && rc == 0; k++) {
        rc = check_text(c->config[k].key, i, "configuration", f);
        if (rc == 0)
            rc = check_text(c->config[k].value, i, "configuration", f);
    }
    return rc;
}

/* Attributes that are no column: their targets, and that no name is given twice. */
static int check_input(const struct schema *s, unsigned i, struct schema_fault *f)
{
    const struct schema_input *in = &s->inputs[i];
    bool child = in->mapping == MAPPING_CHILD_RELATION;
    int rc = check_text(in->source, -1, "sourceName", f), at;

    if (rc == 0)
        rc = check_text(in->comment, -1, "desc", f);
    if (rc == 0 && in->name && !schema_is_name(in->name))
        rc = schema_fault_set(f, 1166, -1, "fieldName", in->name, name_rule, SCHEMA_MAX_NAME);
    if (rc == 0 && in->name && schema_find_column(s, in->name, strlen(in->name)) >= 0)
        rc = schema_fault_set(f, 1060, -1, "fieldName", in->name, "a name that no column has");
    if (rc == 0 && child && !schema_is_name(in->target))
        rc = schema_fault_set(f, 1103, -1, "childTable", in->target, name_rule, SCHEMA_MAX_NAME);
    if (rc == 0 && !child) {
        at = schema_find_column(s, in->target, strlen(in->target));
        if (at < 0 || s->columns[at].hidden)
            rc = schema_fault_set(f, 1054, -1, "delegationTarget", in->target,
                                  "the name of a column of the table");
    }
    f->input = (int)i;
    return rc;
}

static int check_table_texts(const struct schema *s, struct schema_fault *f)
{
    int rc = check_text(s->comment, -1, "desc", f);

    if (rc == 0)
        rc = check_text(s->selector, -1, "selector", f);
    if (rc == 0)
        rc = check_text(s->view_of, -1, "isViewOf", f);
    return rc == 0 ? check_text(s->default_predicate, -1, "defaultPredicate", f) : rc;
}

static void derive_column(struct column *c)
{
    c->layout = strategy_layout(c->type, c->mapping, c->multi_valued);
    if (c->type == COLUMN_DATETIME)
        c->scale = strategy_tick_scale(c->mapping);
    else if (c->type != COLUMN_DECIMAL)
        c->scale = 0;
}

/* What is written to the log must be readable again. */
static int check_length(const struct schema *s, struct schema_fault *f)
{
    char *text = schema_print_yaml(s), found[40];
    size_t len = text ? strlen(text) : 0;

    if (!text && errno == ENOMEM)
        return -ENOMEM;
    free(text);
    if (len && len <= YAML_TREE_MAX_BYTES)
        return 0;
    snprintf(found, sizeof found, "%zu bytes of definition", len);
    return schema_fault_set(f, 1105, -1, "attributes", found, "up to %d, comments included",
                            YAML_TREE_MAX_BYTES);
}

int schema_check(struct schema *s, struct schema_fault *f)
{
    size_t n_values = 0;
    int rc = check_names(s, f);

    if (rc == 0)
        rc = give_ids(s, f);
    if (rc == 0)
        rc = check_table_texts(s, f);
    for (int i = 0; i < s->n_columns && rc == 0; i++) {
        rc = check_column(s, i, &n_values, f);
        if (rc == 0) {
            derive_column(&s->columns[i]);
            /* Definitions of the server's own records are read where a plug-in may be missing. */
            rc = mapping_rule_new(&s->columns[i], i, s->version == 0, f);
        }
        if (rc == 0)
            rc = check_default(s, i, f);
        if (rc == 0)
            rc = check_initial(s, i, f);
    }
    for (unsigned i = 0; i < s->n_inputs && rc == 0; i++)
        rc = check_input(s, i, f);
    if (rc == 0)
        rc = schema_derive_key(s, f);
    return rc == 0 ? check_length(s, f) : rc;
}
