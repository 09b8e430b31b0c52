/* Versions of the catalog: each change makes a new one, the old stays; bytes bring the same tables back. */
#include "storage/catalog.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct schema *table_new(const char *name)
{
    struct schema *s = schema_new(name);
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    return s;
}

/* The next version with the table; gives the old version and the caller's reference to the table back. */
static struct catalog *with(struct catalog *c, struct schema *s)
{
    struct catalog *next = NULL;

    cr_assert_eq(catalog_with_table(c, s, &next), 0);
    catalog_put(c);
    schema_put(s);
    return next;
}

Test(catalog, tables_come_and_go)
{
    struct catalog *c = catalog_new(), *old, *next;
    struct schema *s;

    cr_assert(c->version == 0 && c->n_tables == 0 && !catalog_find(c, "a", 1) &&
              !catalog_find_id(c, 1));
    c = with(c, table_new("b"));
    c = with(c, table_new("a"));
    c = with(c, table_new("bb"));
    cr_assert(c->version == 3 && c->n_tables == 3 && c->next_table_id == 4);
    cr_assert(catalog_find(c, "b", 1)->table_id == 1 && catalog_find(c, "a", 1)->table_id == 2);
    cr_assert(catalog_find(c, "bb", 2)->version == 3 && catalog_find(c, "bbx", 2)->table_id == 3);
    cr_assert(!catalog_find(c, "B", 1) && !catalog_find(c, "", 0) && !catalog_find(c, "c", 1));
    cr_assert_str_eq(catalog_find_id(c, 1)->name, "b");
    cr_assert(!catalog_find_id(c, 0) && !catalog_find_id(c, 4));

    old = catalog_get(c);
    cr_assert_eq(catalog_without_table(c, "x", &next), -ENOENT);
    cr_assert_eq(catalog_without_table(c, "b", &next), 0);
    catalog_put(c);
    cr_assert(next->version == 4 && next->n_tables == 2 && !catalog_find(next, "b", 1) &&
              !catalog_find_id(next, 1));
    cr_assert(old->n_tables == 3 && catalog_find(old, "b", 1), "the old version is as it was");
    catalog_put(old);
    next = with(next, table_new("b"));
    cr_assert_eq(catalog_find(next, "b", 1)->table_id, 4, "ids are not used again");

    s = table_new("a");
    cr_assert_eq(catalog_with_table(next, s, &c), -EEXIST);
    s->table_id = 4;
    cr_assert_eq(catalog_with_table(next, s, &c), -EEXIST, "the id of another table");
    s->table_id = 2;
    next = with(next, s);
    cr_assert(next->n_tables == 3 && catalog_find(next, "a", 1)->version == next->version);
    catalog_put(next);
}

/* Other definitions stand where those of their names do, in this version alone; ids tell them apart. */
Test(catalog, overlay)
{
    struct catalog *c = with(with(catalog_new(), table_new("b")), table_new("d")), *over;
    struct schema *mine[] = {table_new("d"), table_new("a"), table_new("c")};

    for (uint32_t i = 0; i < 3; i++)
        mine[i]->table_id = 1000 + i;
    cr_assert_eq(catalog_overlay(c, mine, 3, &over), 0);
    cr_assert(over->n_tables == 4 && over->version == c->version);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert_str_eq(over->tables[i]->name, ((const char *[]){"a", "b", "c", "d"})[i]);
    cr_assert(catalog_find(over, "d", 1) == mine[0] && catalog_find(over, "a", 1) == mine[1]);
    cr_assert(catalog_find(over, "b", 1) == catalog_find(c, "b", 1));
    cr_assert(catalog_find_id(over, 1002) == mine[2] && !catalog_find_id(over, 2));
    cr_assert(c->n_tables == 2 && catalog_find(c, "d", 1)->table_id == 2);
    catalog_put(c);
    for (uint32_t i = 0; i < 3; i++)
        schema_put(mine[i]);
    cr_assert_str_eq(catalog_find(over, "c", 1)->name, "c", "it keeps them");
    catalog_put(over);
}

Test(catalog, full)
{
    struct catalog *c = catalog_new(), *next;
    struct schema *s;

    for (int i = 0; i < CATALOG_MAX_TABLES; i++) {
        char name[16];

        snprintf(name, sizeof name, "t%d", i * 7919 % CATALOG_MAX_TABLES);
        c = with(c, table_new(name));
    }
    s = table_new("one_more");
    cr_assert_eq(catalog_with_table(c, s, &next), -ENOSPC);
    schema_put(s);
    for (uint32_t i = 1; i < c->n_tables; i++)
        cr_assert(strcmp(c->tables[i - 1]->name, c->tables[i]->name) < 0);
    for (uint32_t id = 1; id <= CATALOG_MAX_TABLES; id++)
        cr_assert_eq(catalog_find_id(c, id)->table_id, id);
    catalog_put(c);
}

static struct catalog *sample(void)
{
    struct catalog *c = catalog_new(), *next;

    c = with(c, table_new("one"));
    c = with(c, table_new("two"));
    c = with(c, table_new("three"));
    cr_assert_eq(catalog_without_table(c, "three", &next), 0);
    catalog_put(c);
    return next;
}

Test(catalog, encoded_is_decoded)
{
    struct catalog *c = sample(), *back;
    struct error_info err;
    uint8_t *bytes;
    size_t len;

    cr_assert_eq(catalog_encode(c, &bytes, &len), 0);
    cr_assert_eq(catalog_decode(bytes, len, &back, &err), 0, "%s", err.text);
    cr_assert(back->version == 4 && back->next_table_id == 4 && back->n_tables == 2);
    cr_assert(catalog_find(back, "two", 3)->table_id == 2 &&
              catalog_find(back, "two", 3)->version == 2);
    cr_assert_str_eq(catalog_find_id(back, 1)->name, "one");
    free(bytes);
    catalog_put(c);
    catalog_put(back);

    c = catalog_new();
    cr_assert_eq(catalog_encode(c, &bytes, &len), 0);
    cr_assert_eq(catalog_decode(bytes, len, &back, &err), 0, "%s", err.text);
    cr_assert_eq(back->n_tables, 0);
    free(bytes);
    catalog_put(c);
    catalog_put(back);
}

Test(catalog, damaged_bytes)
{
    struct catalog *c = sample(), *back;
    struct error_info err;
    uint64_t x = 0x853c49e6748fea9b;
    uint8_t *bytes;
    size_t len;

    cr_assert_eq(catalog_encode(c, &bytes, &len), 0);
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = malloc(cut ? cut : 1);

        memcpy(copy, bytes, cut);
        cr_assert_neq(catalog_decode(copy, cut, &back, &err), 0, "cut at %zu", cut);
        free(copy);
    }
    for (int i = 0; i < 3000; i++) {
        uint8_t *copy = malloc(len);

        memcpy(copy, bytes, len);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        copy[x % len] = (uint8_t)(x >> 32);
        if (catalog_decode(copy, len, &back, &err) == 0)
            catalog_put(back);
        else
            cr_assert(err.text[0]);
        free(copy);
    }
    free(bytes);
    catalog_put(c);
}

static int check_parents(const struct catalog *c, const char *yaml, struct error_info *err)
{
    struct schema *s;
    int rc = schema_parse_yaml("t", yaml, strlen(yaml), NULL, NULL, &s, err);

    cr_assert_eq(rc, 0, "%s", err->text);
    rc = catalog_check_parents(c, s, err);
    schema_put(s);
    return rc;
}

#define CHILD(type, parent)                                                                  \
    "tableName: t\nprimaryKey: p\nattributes:\n"                                             \
    "- { fieldName: p, type: " type ", mappingStrategy: ParentRelation, foreignKey: " parent \
    " }\n"

Test(catalog, parents)
{
    struct catalog *c = with(catalog_new(), table_new("one"));
    struct schema *s = schema_new("keyless");
    struct error_info err = {0};

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    cr_assert_eq(schema_finish(s, &err), 0);
    c = with(c, s);
    cr_assert_eq(check_parents(c, CHILD("Integer", "one"), &err), 0);
    cr_assert_eq(check_parents(c, CHILD("Integer", "one.id"), &err), 0);
    cr_assert_eq(check_parents(c, CHILD("Integer", "t"), &err), 0, "a table may be its own parent");
    cr_assert_eq(check_parents(c, CHILD("Integer", "two"), &err), -EINVAL);
    cr_assert(strstr(err.text, "'two'") && err.code == 1824);
    cr_assert_eq(check_parents(c, CHILD("Integer", "keyless"), &err), -EINVAL);
    cr_assert_eq(check_parents(c, CHILD("Integer", "one.other"), &err), -EINVAL);
    cr_assert_eq(check_parents(c, CHILD("String", "one"), &err), -EINVAL);
    cr_assert(strstr(err.text, "Integer"));
    catalog_put(c);
}
