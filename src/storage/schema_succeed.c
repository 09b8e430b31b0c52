/*
 * A definition that follows another one. Positions of columns never change in the life of a table: what runs with
 * the definition before reads the same columns of the same segments.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/initial.h"
#include "storage/mapping.h"
#include "storage/mapping_rule.h"
#include "storage/schema_check.h"

bool schema_is_now(const char *text)
{
    static const char *const names[] = {"now(", "current_timestamp", "localtimestamp"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strncasecmp(text, names[i], strlen(names[i])))
            return true;
    return false;
}

bool schema_is_call(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");

    return n && text[n] == '(' && text[strlen(text) - 1] == ')';
}

int schema_copy(const struct schema *s, struct schema **out, struct error_info *err)
{
    char *yaml = schema_print_yaml(s);
    int rc = yaml ? schema_parse_yaml(s->name, yaml, strlen(yaml), NULL, NULL, out, err) : -ENOMEM;

    free(yaml);
    if (rc != 0)
        return rc == -ENOMEM
                   ? error_set(err, rc, 1037, "out of memory for the definition of table '%.64s'",
                               s->name)
                   : rc;
    (*out)->table_id = 0;
    (*out)->version = 0;
    return 0;
}

void schema_reopen(struct schema *s)
{
    for (unsigned i = 0; i < s->n_columns; i++) {
        struct column *c = &s->columns[i];

        mapping_rule_free(c->rule);
        c->rule = NULL;
        free(c->members);
        c->members = NULL;
        c->in_key = false;
        if (!c->hidden)
            continue;
        s->hidden_at = (uint16_t)i;
        schema_column_fini(c);
        memmove(c, c + 1, (s->n_columns - i - 1u) * sizeof *c);
        s->n_columns--;
        i--;
    }
    s->n_key = 0;
    s->time_column = -1;
}

/* Old columns first, in their order; map[old position in next] = new one. */
static void arrange(const struct schema *old, struct schema *next, struct column *scratch,
                    uint16_t *map)
{
    unsigned at = 0;

    for (unsigned i = 0; i < old->n_columns; i++) {
        int k = schema_find_column(next, old->columns[i].name, strlen(old->columns[i].name));

        map[k] = (uint16_t)at;
        scratch[at++] = next->columns[k];
    }
    for (unsigned i = 0; i < next->n_columns; i++) {
        const char *name = next->columns[i].name;

        if (schema_find_column(old, name, strlen(name)) >= 0)
            continue;
        map[i] = (uint16_t)at;
        scratch[at++] = next->columns[i];
    }
    memcpy(next->columns, scratch, next->n_columns * sizeof *scratch);
    for (unsigned i = 0; i < next->n_key; i++)
        next->key[i] = map[next->key[i]];
    if (next->time_column >= 0)
        next->time_column = (int16_t)map[next->time_column];
    next->hidden_at = 0;
    for (unsigned i = 0; i + 1u < next->n_columns; i++)
        if (next->columns[i].hidden)
            next->hidden_at = (uint16_t)i;
}

static int set_value(struct column *c, const char *text, struct error_info *err)
{
    struct error_info why;
    int rc = initial_make(c, text, &c->initial_value, &why);

    if (rc == 0 || rc == -ENOMEM)
        return rc;
    return error_set(err, rc, 1067, "Invalid default value for '%.64s': %.300s", c->name, why.text);
}

static int set_moment(struct column *c, int64_t us, struct error_info *err)
{
    char text[27];

    if (c->type == COLUMN_DATE)
        date_print(us / 86400000000, text);
    else
        datetime_print(us, c->type == COLUMN_DATETIME ? c->scale : 0, text);
    return set_value(c, text, err);
}

/* What the rows have that are there. A value given with the definition counts only for a new column. */
static int set_initial(const struct schema *old, struct column *c, int64_t now_us,
                       struct error_info *err)
{
    int at = schema_find_column(old, c->name, strlen(c->name));

    if (at >= 0)
        return schema_set_text(&c->initial_value, old->columns[at].initial_value);
    if (c->initial_value || !c->default_value)
        return 0;
    if (schema_is_now(c->default_value))
        return set_moment(c, now_us, err);
    return schema_is_call(c->default_value) ? 0 : set_value(c, c->default_value, err);
}

static int out_of_memory(const struct schema *s, struct error_info *err)
{
    return error_set(err, -ENOMEM, 1037, "out of memory for the definition of table '%.64s'",
                     s->name);
}

/* A view has no rows: any other may take its place, with an id of its own. */
static int succeed_view(const struct schema *old, struct schema *next, struct error_info *err)
{
    if (!schema_is_view(old) || !schema_is_view(next))
        return error_set(err, -EINVAL, 1347, "'quanta.%s' is not %s", old->name,
                         schema_is_view(next) ? "VIEW" : "BASE TABLE");
    next->table_id = 0;
    next->version = 0;
    return 0;
}

int schema_succeed(const struct schema *old, struct schema *next, int64_t now_us,
                   void (*warn)(void *ctx, const char *line), void *ctx, struct error_info *err)
{
    struct column *scratch;
    uint16_t *map;

    if (schema_is_view(old) || schema_is_view(next))
        return succeed_view(old, next, err);
    int rc = schema_check_alter(old, next, warn, ctx, err);
    if (rc != 0)
        return rc;
    scratch = malloc(next->n_columns * sizeof *scratch);
    map = malloc(next->n_columns * sizeof *map);
    if (scratch && map)
        arrange(old, next, scratch, map);
    rc = scratch && map ? 0 : out_of_memory(old, err);
    free(scratch);
    free(map);
    if (rc == 0 && schema_keep_ids(old, next) != 0)
        rc = error_set(err, -ENOSPC, 1117, "table '%.64s': no more column ids", old->name);
    for (unsigned i = 0; i < next->n_columns && rc == 0; i++)
        rc = set_initial(old, &next->columns[i], now_us, err);
    if (rc == -ENOMEM)
        rc = out_of_memory(old, err);
    next->table_id = old->table_id;
    next->version = 0;
    return rc;
}
