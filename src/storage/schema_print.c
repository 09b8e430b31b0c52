/* Canonical YAML of a table definition: fixed order of keys, texts quoted, ids included. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/schema_check.h"

/*
 * Far above what may be read back, so that schema_check can say by how much a definition is too
 * long.
 */
enum { PRINT_LIMIT = 256 << 20 };

/* Text being printed; the first failure stays. Lives in one call of schema_print_yaml. */
struct printer {
    struct buffer out;
    int rc;
};

static void put(struct printer *p, const char *s)
{
    if (p->rc == 0)
        p->rc = buffer_append(&p->out, s, strlen(s));
}

static void put_number(struct printer *p, const char *prefix, const char *key, int64_t v)
{
    if (p->rc == 0 && v != 0)
        p->rc = buffer_printf(&p->out, "%s%s: %" PRId64 "\n", prefix, key, v);
}

static void put_true(struct printer *p, const char *prefix, const char *key, bool v)
{
    if (p->rc == 0 && v)
        p->rc = buffer_printf(&p->out, "%s%s: true\n", prefix, key);
}

/* One character of valid UTF-8. */
static uint32_t next_char(const uint8_t **at)
{
    const uint8_t *p = *at;
    unsigned n = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
    uint32_t c = n == 0 ? *p : *p & (0x3fu >> n);

    for (p++; n; n--)
        c = c << 6 | (*p++ & 0x3f);
    *at = p;
    return c;
}

/* Characters that YAML takes raw between double quotes, on one line and unchanged. */
static bool is_raw(uint32_t c)
{
    if (c < 0x7f)
        return c >= ' ' && c != '"' && c != '\\';
    return c >= 0xa0 && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

static void put_quoted(struct printer *p, const char *text)
{
    const uint8_t *at = (const uint8_t *)text;

    put(p, "\"");
    while (*at && p->rc == 0) {
        const uint8_t *from = at;
        uint32_t c = next_char(&at);

        if (is_raw(c))
            p->rc = buffer_append(&p->out, from, (size_t)(at - from));
        else if (c == '"' || c == '\\')
            p->rc = buffer_printf(&p->out, "\\%c", (int)c);
        else
            p->rc = buffer_printf(&p->out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
    }
    put(p, "\"");
}

static void put_text(struct printer *p, const char *prefix, const char *key, const char *text)
{
    if (!text || p->rc != 0)
        return;
    p->rc = buffer_printf(&p->out, "%s%s: ", prefix, key);
    put_quoted(p, text);
    put(p, "\n");
}

static void put_foreign_key(struct printer *p, const struct column *c)
{
    char both[2 * SCHEMA_MAX_NAME + 2];

    if (!c->parent_table)
        return;
    snprintf(both, sizeof both, "%s%s%s", c->parent_table, c->parent_key ? "." : "",
             c->parent_key ? c->parent_key : "");
    put_text(p, "    ", "foreignKey", both);
}

static void put_declared(struct printer *p, const struct column *c)
{
    char text[DECLARED_TEXT_BYTES];

    declared_print(&c->declared, text);
    put_text(p, "    ", "sqlType", *text ? text : NULL);
}

static void put_values(struct printer *p, const struct column *c)
{
    if (c->n_values)
        put(p, "    values:\n");
    for (uint32_t i = 0; i < c->n_values; i++) {
        put_text(p, "      - ", "value", c->values[i].value);
        put_number(p, "        ", "rowID", c->values[i].row_id);
        put_text(p, "        ", "desc", c->values[i].desc);
    }
}

/* Keys are the user's own with plug-ins. */
static void put_setting(struct printer *p, const char *key, const char *value)
{
    put(p, "      ");
    put_quoted(p, key);
    put(p, ": ");
    put_quoted(p, value);
    put(p, "\n");
}

static void put_configuration(struct printer *p, const struct column *c)
{
    char delim[2] = {c->delim, 0};

    if (c->multi_valued || c->n_config)
        put(p, "    configuration:\n");
    if (c->multi_valued)
        put_setting(p, "delim", delim);
    for (uint32_t i = 0; i < c->n_config; i++)
        put_setting(p, c->config[i].key, c->config[i].value);
}

static void put_input(struct printer *p, const struct schema_input *in)
{
    bool child = in->mapping == MAPPING_CHILD_RELATION;

    put_text(p, "  - ", "sourceName", in->source);
    put_text(p, "    ", "fieldName", in->name);
    put_text(p, "    ", "mappingStrategy", mapping_name(in->mapping));
    put_text(p, "    ", child ? "childTable" : "delegationTarget", in->target);
    put_text(p, "    ", "desc", in->comment);
}

static void put_column(struct printer *p, const struct column *c)
{
    static const char in[] = "    ";

    put_text(p, "  - ", "fieldName", c->name);
    put_number(p, in, "id", c->id);
    put_text(p, in, "sourceName", c->source);
    put_text(p, in, "type", column_type_name(c->type));
    put_text(p, in, "mappingStrategy", mapping_name(c->mapping));
    put_declared(p, c);
    put_foreign_key(p, c);
    if (c->type == COLUMN_DECIMAL)
        put_number(p, in, "scale", c->scale);
    put_number(p, in, "maxLen", c->max_length);
    put_number(p, in, "minValue", c->min_value);
    put_number(p, in, "maxValue", c->max_value);
    put_true(p, in, "required", c->required);
    put_true(p, in, "searchable", c->searchable);
    put_true(p, in, "nonExclusive", c->multi_valued);
    put_true(p, in, "columnID", c->column_id);
    put_true(p, in, "callTransform", c->call_transform);
    put_true(p, in, "highCard", c->high_card);
    put_number(p, in, "sourceOrdinal", c->source_ordinal);
    put_configuration(p, c);
    put_text(p, in, "defaultValue", c->default_value);
    put_text(p, in, "initialValue", c->initial_value);
    put_text(p, in, "desc", c->comment);
    put_values(p, c);
}

char *schema_print_yaml(const struct schema *s)
{
    struct printer p = {.rc = 0};

    buffer_init(&p.out, PRINT_LIMIT);
    put_text(&p, "", "tableName", s->name);
    put_number(&p, "", "tableId", s->table_id);
    put_number(&p, "", "version", (int64_t)s->version);
    put_number(&p, "", "hiddenKeyAt", s->hidden_at);
    put_text(&p, "", "primaryKey", s->primary_key);
    put_text(&p, "", "secondaryKeys", s->secondary_keys);
    put_text(&p, "", "timeQuantumType", s->time_type);
    put_text(&p, "", "timeQuantumField", s->time_field);
    put_text(&p, "", "retention", s->retention);
    put_text(&p, "", "shardKey", s->shard_key);
    put_true(&p, "", "replicated", s->replicated);
    put_text(&p, "", "selector", s->selector);
    put_text(&p, "", "isViewOf", s->view_of);
    put_text(&p, "", "defaultPredicate", s->default_predicate);
    put_text(&p, "", "desc", s->comment);
    put(&p, "attributes:\n");
    for (unsigned i = 0; i < s->n_columns; i++)
        if (!s->columns[i].hidden)
            put_column(&p, &s->columns[i]);
    for (unsigned i = 0; i < s->n_inputs; i++)
        put_input(&p, &s->inputs[i]);
    if (p.rc == 0)
        p.rc = buffer_append(&p.out, "", 1);
    if (p.rc == 0)
        return (char *)p.out.data;
    buffer_fini(&p.out);
    errno = -p.rc;
    return NULL;
}
