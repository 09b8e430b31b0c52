#include "node_content.h"

#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"

enum { ID_FIRST = -50000000, ID_STEP = 1000003, DAY_S = 86400, TIME_FIRST = 1767225600 };

static void add_tags(struct schema *s)
{
    struct column *c = schema_add_column(s, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);

    ASSERT(c);
    c->multi_valued = true;
    c->delim = ',';
}

static void add_ref(struct schema *s, unsigned table)
{
    bool child = table == TABLE_CHILD;
    struct column *c =
        schema_add_column(s, "ref", COLUMN_INT, child ? MAPPING_PARENT_RELATION : MAPPING_INT_BSI);

    ASSERT(c);
    if (child)
        c->parent_table = strdup("t0");
}

struct schema *content_schema(unsigned table)
{
    static const char *const keys[] = {"id", NULL, "ts+id", "id"};
    struct error_info err;
    char name[16];

    snprintf(name, sizeof name, "t%u", table);
    struct schema *s = schema_new(name);
    ASSERT(s && schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "ver", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "v", COLUMN_INT, MAPPING_INT_BSI));
    ASSERT(schema_add_column(s, "grp", COLUMN_STRING, MAPPING_STRING_ENUM));
    ASSERT(schema_add_column(s, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI));
    ASSERT(schema_add_column(s, "extra", COLUMN_INT, MAPPING_INT_BSI));
    add_tags(s);
    add_ref(s, table);
    ASSERT(schema_add_column(s, "ts", COLUMN_DATETIME, MAPPING_SYS_SEC_BSI));
    if (keys[table])
        s->primary_key = strdup(keys[table]);
    if (table == TABLE_DAILY) {
        s->time_field = strdup("ts");
        s->time_type = strdup("YMD");
    }
    int rc = schema_finish(s, &err);
    if (rc)
        fprintf(stderr, "sim: %s\n", err.text);
    ASSERT(rc == 0);
    return s;
}

unsigned content_added_at(unsigned table)
{
    return CONTENT_COLUMNS + (table == TABLE_KEYLESS);
}

unsigned content_added(const struct schema *s, unsigned table)
{
    ASSERT(s->n_columns >= content_added_at(table));
    return s->n_columns - content_added_at(table);
}

struct schema *content_add_column(const struct schema *s, unsigned table)
{
    unsigned i = content_added(s, table);
    bool is_int = content_is_added_int(i);
    struct schema *next;
    struct error_info err;
    char name[16], value[16];

    snprintf(name, sizeof name, "added%u", i);
    snprintf(value, sizeof value, "%d", CONTENT_ADDED_INT);
    ASSERT(schema_copy(s, &next, &err) == 0);
    schema_reopen(next);
    struct column *c = schema_add_column(next, name, is_int ? COLUMN_INT : COLUMN_STRING,
                                         is_int ? MAPPING_INT_BSI : MAPPING_STRING_ENUM);
    ASSERT(c && schema_set_text(&c->default_value, is_int ? value : CONTENT_ADDED_NAME) == 0);
    ASSERT(schema_finish(next, &err) == 0);
    ASSERT(schema_succeed(s, next, 0, NULL, NULL, &err) == 0);
    return next;
}

int64_t content_id(unsigned row)
{
    return (int64_t)row * ID_STEP + ID_FIRST;
}

unsigned content_row(int64_t id)
{
    int64_t row = (id - ID_FIRST) / ID_STEP;

    return row >= 0 && row < CONTENT_ROWS && content_id((unsigned)row) == id ? (unsigned)row
                                                                             : CONTENT_ROWS;
}

unsigned content_partition(unsigned row)
{
    return row / 7 % CONTENT_PARTITIONS;
}

int64_t content_partition_start(unsigned partition)
{
    return TIME_FIRST + (int64_t)partition * 3 * DAY_S;
}

int64_t content_time(unsigned row)
{
    return content_partition_start(content_partition(row)) + (int64_t)(row * 7919u % DAY_S);
}

bool content_number(uint32_t version, int64_t *v)
{
    *v = (int64_t)(version * 2654435761u % 2001) - 1000;
    return version % 5 != 0;
}

int content_group(uint32_t version, char out[CONTENT_TEXT])
{
    return version % 7 ? snprintf(out, CONTENT_TEXT, "g%u", version % 11) : -1;
}

unsigned content_group_number(uint32_t version)
{
    return version % 7 ? version % 11 : CONTENT_GROUPS - 1;
}

/* Some are long: the dictionary grows over its units on disk. */
int content_name(uint32_t version, char out[CONTENT_TEXT])
{
    return snprintf(out, CONTENT_TEXT, "name-%u%.*s", version, version % 3 ? 0 : 40,
                    "........................................");
}

int64_t content_ref(uint32_t version)
{
    return content_id(version % 40);
}

uint64_t content_tags(uint32_t version)
{
    uint64_t tags = 0;

    for (unsigned i = 0; i < version % 4; i++)
        tags = content_add_tags(tags, (version * 2246822519u >> 3 * i) % CONTENT_TAGS + 1);
    return tags;
}

int content_tag_name(unsigned tag, char out[CONTENT_TEXT])
{
    return snprintf(out, CONTENT_TEXT, "tag%u", tag);
}

unsigned content_tag_count(uint64_t tags)
{
    unsigned n = 0;

    while (tags >> 4 * n)
        n++;
    return n;
}

unsigned content_tag(uint64_t tags, unsigned i)
{
    return (unsigned)(tags >> 4 * i & 15) - 1;
}

bool content_has_tag(uint64_t tags, unsigned tag)
{
    for (; tags; tags >>= 4)
        if ((tags & 15) == tag + 1)
            return true;
    return false;
}

uint64_t content_add_tags(uint64_t tags, uint64_t more)
{
    for (; more; more >>= 4)
        if (!content_has_tag(tags, content_tag(more, 0)))
            tags |= (more & 15) << 4 * content_tag_count(tags);
    return tags;
}
