/* The key of a row: time field of a partitioned table first, then the parts of the primary key. */
#include "storage/schema_key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/partition.h"

/* Column of a key part: by its name, or by its sourceName as older schemas do. */
static int find_part(const struct schema *s, const char *name, size_t len)
{
    int i = schema_find_column(s, name, len);

    for (int k = 0; k < s->n_columns && i < 0; k++) {
        const char *source = s->columns[k].source;

        if (source && strlen(source) == len && memcmp(source, name, len) == 0)
            i = k;
    }
    return i;
}

static int fault_part(struct schema_fault *f, int code, const char *key, const char *name,
                      size_t len, const char *allowed)
{
    char text[SCHEMA_MAX_NAME + 1];

    if (len > SCHEMA_MAX_NAME)
        len = SCHEMA_MAX_NAME;
    memcpy(text, name, len);
    text[len] = 0;
    return schema_fault_set(f, code, -1, key, text, "%s", allowed);
}

static int add_part(struct schema *s, const char *key, const char *name, size_t len,
                    struct schema_fault *f)
{
    int i = find_part(s, name, len);

    if (i < 0)
        return fault_part(f, 1072, key, name, len, "names of columns of the table, joined by +");
    if (s->columns[i].multi_valued)
        return fault_part(f, 1170, key, name, len, "columns with one value per row");
    for (unsigned k = 0; k < s->n_key; k++)
        if (s->key[k] == i) {
            /* The time field may be repeated among the parts of the primary key. */
            if (k == 0 && s->time_field && find_part(s, s->time_field, strlen(s->time_field)) == i)
                return 0;
            return fault_part(f, 1060, key, name, len, "each column once");
        }
    if (s->n_key == SCHEMA_MAX_KEY_COLUMNS)
        return schema_fault_set(f, 1070, -1, key, "more columns",
                                "up to %d, the time field included", SCHEMA_MAX_KEY_COLUMNS);
    s->key[s->n_key++] = (uint16_t)i;
    s->columns[i].in_key = true;
    s->columns[i].required = true;
    return 0;
}

static int parse_primary_key(struct schema *s, struct schema_fault *f)
{
    const char *at = s->primary_key, *name;
    size_t len;
    int rc = 0;

    while (rc == 0 && schema_next_part(&at, '+', &name, &len))
        rc = add_part(s, "primaryKey", name, len, f);
    return rc;
}

static int check_secondary_keys(const struct schema *s, struct schema_fault *f)
{
    const char *at = s->secondary_keys, *name;
    size_t len;

    while (at) {
        size_t n = strcspn(at, "+,");
        char part[2 * SCHEMA_MAX_NAME];
        const char *one = part;

        if (n >= sizeof part)
            return fault_part(f, 1059, "secondaryKeys", at, n, "names of columns: a+b,c+d");
        memcpy(part, at, n);
        part[n] = 0;
        schema_next_part(&one, '+', &name, &len);
        if (find_part(s, name, len) < 0)
            return fault_part(f, 1072, "secondaryKeys", name, len,
                              "names of columns of the table: a+b,c+d");
        at = at[n] ? at + n + 1 : NULL;
    }
    return 0;
}

static void drop_if_empty(char **text)
{
    if (*text && (*text)[strspn(*text, " \t")] == 0) {
        free(*text);
        *text = NULL;
    }
}

/* Partitioned without a named time field: the first of two or more key parts is it. */
static int take_time_field(struct schema *s, struct schema_fault *f)
{
    const char *at = s->primary_key, *name;
    size_t len;

    if (s->time_field)
        return 0;
    if (!at || !strchr(at, '+'))
        return schema_fault_set(f, 1105, -1, "timeQuantumField", NULL,
                                "a Date or DateTime column, because timeQuantumType is set");
    schema_next_part(&at, '+', &name, &len);
    s->time_field = strndup(name, len);
    return s->time_field ? 0 : -ENOMEM;
}

static int derive_time(struct schema *s, struct schema_fault *f)
{
    int i, rc;

    drop_if_empty(&s->time_field);
    drop_if_empty(&s->time_type);
    if (s->time_type) {
        if (strcmp(s->time_type, "YMD") != 0 && strcmp(s->time_type, "YMDH") != 0)
            return schema_fault_set(f, 1105, -1, "timeQuantumType", s->time_type,
                                    "YMD (daily) or YMDH (hourly)");
        rc = take_time_field(s, f);
        if (rc != 0)
            return rc;
    }
    if (!s->time_field)
        return 0;
    i = find_part(s, s->time_field, strlen(s->time_field));
    if (i < 0)
        return schema_fault_set(f, 1072, -1, "timeQuantumField", s->time_field,
                                "a Date or DateTime column");
    if (s->columns[i].type != COLUMN_DATE && s->columns[i].type != COLUMN_DATETIME)
        return schema_fault_set(f, 1105, -1, "timeQuantumField", s->time_field,
                                "a column of type Date or DateTime; this one is %s",
                                column_type_name(s->columns[i].type));
    /* A month's first day and a plug-in's answer are dates by value, not points to cut by. */
    if (s->time_type && s->columns[i].layout != LAYOUT_ORDERED)
        return schema_fault_set(f, 1105, -1, "timeQuantumField", s->time_field,
                                "a column with SysSecBSI, SysMillisBSI, SysMicroBSI or YearToDay; "
                                "this one has %s",
                                mapping_name(s->columns[i].mapping));
    if (s->time_type)
        s->time_column = (int16_t)i;
    return 0;
}

/* Columns that came later stand behind the hidden key: positions do not change in the life of a table. */
static void move_hidden_key(struct schema *s)
{
    unsigned at = s->hidden_at, last = s->n_columns - 1u;
    struct column key = s->columns[last];

    if (at == 0 || at >= last) {
        s->hidden_at = 0;
        return;
    }
    memmove(&s->columns[at + 1], &s->columns[at], (last - at) * sizeof key);
    s->columns[at] = key;
    if (s->time_column >= (int)at)
        s->time_column++;
}

static int add_hidden_key(struct schema *s)
{
    struct column *c = schema_add_column(s, "@rownum", COLUMN_INT, MAPPING_INT_BSI);

    if (!c)
        return -ENOMEM;
    c->id = SCHEMA_HIDDEN_KEY_ID;
    c->layout = LAYOUT_ORDERED;
    c->hidden = true;
    move_hidden_key(s);
    return 0;
}

static int find_hidden_key(const struct schema *s)
{
    int i = 0;

    while (!s->columns[i].hidden)
        i++;
    return i;
}

/*
 * Rows with equal shard keys lie together, so it can only be made of what never changes in a row. Its order is that of the
 * text, whatever that of the key is: rows of another table with the same values in its order lie there, too.
 */
static int take_shard_key(struct schema *s, struct schema_fault *f)
{
    static const char allowed[] = "columns of primaryKey other than the time field, each once";
    const char *at = s->shard_key, *name;
    bool seen[SCHEMA_MAX_KEY_COLUMNS] = {false};
    size_t len;

    s->n_place = 0;
    if (at && s->replicated)
        return schema_fault_set(f, 1105, -1, "shardKey", at,
                                "none; a replicated table is whole on every node");
    while (schema_next_part(&at, '+', &name, &len)) {
        int column = find_part(s, name, len);
        unsigned k = 0;

        while (k < s->n_key && s->key[k] != column)
            k++;
        if (column < 0 || k == s->n_key || seen[k] || column == s->time_column || !s->primary_key)
            return fault_part(f, 1072, "shardKey", name, len, allowed);
        seen[k] = true;
        s->place[s->n_place++] = (uint8_t)k;
    }
    return 0;
}

static void derive_place(struct schema *s)
{
    for (uint8_t k = 0; k < s->n_key && !s->shard_key; k++)
        if (s->key[k] != s->time_column)
            s->place[s->n_place++] = k;
}

static int derive_retention(struct schema *s, struct schema_fault *f)
{
    drop_if_empty(&s->retention);
    s->retention_s = 0;
    if (!s->retention)
        return 0;
    if (!partition_seconds(s))
        return schema_fault_set(f, 1505, -1, "retention", s->retention,
                                "nothing without timeQuantumType: partitions are what is dropped");
    return partition_parse_retention(s->retention, &s->retention_s)
               ? 0
               : schema_fault_set(f, 1105, -1, "retention", s->retention,
                                  "a number of days or hours, such as 90d or 24h");
}

int schema_derive_key(struct schema *s, struct schema_fault *f)
{
    int rc;

    drop_if_empty(&s->primary_key);
    drop_if_empty(&s->secondary_keys);
    drop_if_empty(&s->shard_key);
    rc = derive_time(s, f);
    if (s->primary_key)
        s->hidden_at = 0;
    if (rc == 0 && !s->primary_key)
        rc = add_hidden_key(s);
    /* As in the original the time field is in the key, partitioned by it or not. */
    if (rc == 0 && s->time_field && (s->time_column >= 0 || s->primary_key))
        rc = add_part(s, "timeQuantumField", s->time_field, strlen(s->time_field), f);
    if (rc == 0 && s->primary_key)
        rc = parse_primary_key(s, f);
    if (rc == 0)
        rc = derive_retention(s, f);
    if (rc == 0)
        rc = check_secondary_keys(s, f);
    if (rc == 0)
        rc = take_shard_key(s, f);
    if (rc == 0 && !s->primary_key) {
        s->key[s->n_key] = (uint16_t)find_hidden_key(s);
        s->columns[s->key[s->n_key++]].in_key = true;
    }
    if (rc == 0)
        derive_place(s);
    return rc;
}
