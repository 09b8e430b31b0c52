/* Schemas of files: levels, paths, types, and trees that do not add up. */
#include "ingest/parquet_schema.h"

#include "ingest/thrift_compact.h"
#include "parquet_test_util.h"

/* One element; -1 leaves a field out. */
struct element {
    const char *name;
    int32_t type;
    int32_t repetition;
    int32_t children;
    int32_t converted;
};

static int parse(const struct element *elements, uint32_t count, struct parquet_schema *schema,
                 struct parquet_error *err)
{
    struct thrift_writer w;
    struct thrift_reader r;
    struct thrift_field f = {0};
    thrift_writer_init(&w);
    thrift_write_begin(&w);
    thrift_write_list(&w, 2, THRIFT_STRUCT, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct element *e = &elements[i];
        thrift_write_begin(&w);
        if (e->type >= 0)
            thrift_write_i32(&w, 1, e->type);
        if (e->repetition >= 0)
            thrift_write_i32(&w, 3, e->repetition);
        thrift_write_binary(&w, 4, e->name, strlen(e->name));
        if (e->children >= 0)
            thrift_write_i32(&w, 5, e->children);
        if (e->converted >= 0)
            thrift_write_i32(&w, 6, e->converted);
        thrift_write_end(&w);
    }
    thrift_write_end(&w);
    thrift_reader_init(&r, w.bytes, w.len);
    memset(schema, 0, sizeof(*schema));
    cr_assert(thrift_read_field(&r, &f));
    int rc = parquet_schema_parse(schema, &r, &f, err);
    thrift_writer_fini(&w);
    return rc;
}

Test(parquet_schema, levels_and_paths_of_lists_and_maps)
{
    static const struct element elements[] = {
        {"root", -1, -1, 4, -1},
        {"tags", -1, 1, 1, PARQUET_CONVERTED_LIST}, /* three levels */
        {"list", -1, 2, 1, -1},
        {"element", PARQUET_TYPE_BYTE_ARRAY, 1, -1, PARQUET_CONVERTED_UTF8},
        {"old", -1, 0, 1, PARQUET_CONVERTED_LIST}, /* two levels */
        {"array", PARQUET_TYPE_INT32, 2, -1, -1},
        {"items", -1, 1, 1, PARQUET_CONVERTED_LIST}, /* two levels of structures */
        {"bag", -1, 2, 2, -1},
        {"a", PARQUET_TYPE_INT64, 0, -1, -1},
        {"b", PARQUET_TYPE_DOUBLE, 1, -1, -1},
        {"m", -1, 1, 1, PARQUET_CONVERTED_MAP},
        {"key_value", -1, 2, 2, -1},
        {"key", PARQUET_TYPE_BYTE_ARRAY, 0, -1, -1},
        {"value", PARQUET_TYPE_INT32, 1, -1, PARQUET_CONVERTED_DATE},
    };
    static const struct {
        const char *path, *short_path;
        int def, rep, list_def;
    } expected[] = {
        {"tags.list.element", "tags", 3, 1, 2}, {"old.array", "old", 1, 1, 1},
        {"items.bag.a", "items.a", 2, 1, 2},    {"items.bag.b", "items.b", 3, 1, 2},
        {"m.key_value.key", "m.key", 2, 1, 2},  {"m.key_value.value", "m.value", 3, 1, 2},
    };
    struct parquet_schema s;
    struct parquet_error err;
    cr_assert_eq(parse(elements, 14, &s, &err), 0, "%s", err.text);
    cr_assert_str_eq(s.root, "root");
    cr_assert_eq(s.count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        const struct parquet_column *c = &s.columns[i];
        cr_assert_str_eq(c->path, expected[i].path);
        cr_assert_str_eq(c->short_path, expected[i].short_path);
        cr_assert(c->max_def == expected[i].def && c->max_rep == expected[i].rep);
        cr_assert(c->list_def == expected[i].list_def && c->element_def == c->list_def);
    }
    cr_assert(s.columns[0].logical == PARQUET_LOGICAL_STRING);
    cr_assert(s.columns[5].logical == PARQUET_LOGICAL_DATE);
    parquet_schema_fini(&s);
}

Test(parquet_schema, an_annotation_the_type_cannot_have_is_ignored)
{
    static const struct element elements[] = {
        {"root", -1, -1, 3, -1},
        {"a", PARQUET_TYPE_DOUBLE, 0, -1, PARQUET_CONVERTED_DATE},
        {"b", PARQUET_TYPE_INT64, 0, -1, PARQUET_CONVERTED_UINT_8},
        {"c", PARQUET_TYPE_INT32, 0, -1, PARQUET_CONVERTED_DECIMAL}, /* without precision */
    };
    struct parquet_schema s;
    struct parquet_error err;
    cr_assert_eq(parse(elements, 4, &s, &err), 0);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(s.columns[i].logical, PARQUET_LOGICAL_NONE);
    cr_assert(s.columns[0].kind == PARQUET_KIND_DOUBLE && s.columns[1].kind == PARQUET_KIND_INT64);
    parquet_schema_fini(&s);
}

Test(parquet_schema, a_name_in_two_cases_is_ambiguous_without_case)
{
    static const struct element elements[] = {
        {"root", -1, -1, 3, -1},
        {"Name", PARQUET_TYPE_INT32, 0, -1, -1},
        {"NAME", PARQUET_TYPE_INT32, 0, -1, -1},
        {"Other", PARQUET_TYPE_INT32, 0, -1, -1},
    };
    struct parquet_schema s;
    struct parquet_error err;
    uint32_t column = 9;
    cr_assert_eq(parse(elements, 4, &s, &err), 0);
    cr_assert_eq(parquet_schema_find(&s, "NAME", true, &column), 0);
    cr_assert_eq(column, 1);
    cr_assert_eq(parquet_schema_find(&s, "name", true, &column), -ENOTUNIQ);
    cr_assert_eq(parquet_schema_find(&s, "/other", true, &column), 0);
    cr_assert_eq(column, 2);
    cr_assert_eq(parquet_schema_find(&s, "other", false, &column), -ENOENT);
    parquet_schema_fini(&s);
}

Test(parquet_schema, trees_that_do_not_add_up_are_refused)
{
    static const struct {
        uint32_t count;
        struct element elements[4];
        const char *text;
    } cases[] = {
        {0, {{"", 0, 0, 0, 0}}, "empty"},
        {2, {{"r", -1, -1, 2, -1}, {"a", 1, 0, -1, -1}}, "ends where 1 more"},
        {3, {{"r", -1, -1, 1, -1}, {"a", 1, 0, -1, -1}, {"b", 1, 0, -1, -1}}, "more elements"},
        {1, {{"r", -1, -1, -5, -1}}, NULL},
        {2, {{"r", -1, -1, 1, -1}, {"a", 8, 0, -1, -1}}, "physical type 8"},
        {2, {{"r", -1, -1, 1, -1}, {"a", 1, 3, -1, -1}}, "repetition 3"},
        {2, {{"r", -1, -1, 1, -1}, {"a", 1, -1, -1, -1}}, "repetition -1"},
        {2, {{"r", -1, -1, 1, -1}, {"a", 7, 0, -1, -1}}, "values of 0 bytes"},
        {2, {{"r", -1, -1, 1, -1}, {"a", 1, 0, 2, -1}}, "physical type 1 and 2 children"},
        {2, {{"r", -1, -1, 1, -1}, {"a", -1, 0, 9, -1}}, "ends where 9 more"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct parquet_schema s;
        struct parquet_error err = {0};
        int rc = parse(cases[i].elements, cases[i].count, &s, &err);
        if (cases[i].text) {
            cr_assert_eq(rc, -EBADMSG, "case %zu", i);
            cr_assert(strstr(err.text, cases[i].text), "case %zu: %s", i, err.text);
        }
        parquet_schema_fini(&s);
    }
}

Test(parquet_schema, deep_nesting_is_refused)
{
    struct element elements[100];
    struct parquet_schema s;
    struct parquet_error err;
    for (int i = 0; i < 100; i++)
        elements[i] = (struct element){"g", -1, i ? 2 : -1, 1, -1};
    elements[99] = (struct element){"leaf", 1, 0, -1, -1};
    cr_assert_eq(parse(elements, 100, &s, &err), -EFBIG);
    parquet_schema_fini(&s);
}
