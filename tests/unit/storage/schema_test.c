/* Table definitions: what is accepted means what it says, every mistake is named with line, key, found and allowed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/schema.h"

/* Lines told while parsing, joined. */
struct notices {
    char text[4000];
    unsigned count;
};

static void note(void *ctx, const char *line)
{
    struct notices *n = ctx;

    n->count++;
    snprintf(n->text + strlen(n->text), sizeof n->text - strlen(n->text), "%s\n", line);
}

static struct schema *parse(const char *yaml, struct notices *n)
{
    struct schema *s = NULL;
    struct error_info err = {0};

    if (n)
        *n = (struct notices){0};
    cr_assert_eq(schema_parse_yaml("t.yaml", yaml, strlen(yaml), n ? note : NULL, n, &s, &err), 0,
                 "%s", err.text);
    cr_assert_not_null(s);
    return s;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void assert_same_column(const struct column *a, const struct column *b)
{
    cr_assert(a->id == b->id && same_text(a->name, b->name) && same_text(a->source, b->source));
    cr_assert(a->type == b->type && a->mapping == b->mapping && a->layout == b->layout &&
              a->scale == b->scale);
    cr_assert(a->required == b->required && a->multi_valued == b->multi_valued &&
              a->searchable == b->searchable);
    cr_assert(a->hidden == b->hidden && a->in_key == b->in_key && a->delim == b->delim);
    cr_assert(a->max_length == b->max_length && a->min_value == b->min_value &&
              a->max_value == b->max_value);
    cr_assert(same_text(a->default_value, b->default_value) &&
              same_text(a->parent_table, b->parent_table));
    cr_assert(same_text(a->parent_key, b->parent_key) && same_text(a->comment, b->comment));
    cr_assert_eq(a->n_values, b->n_values);
    for (uint32_t i = 0; i < a->n_values; i++)
        cr_assert(same_text(a->values[i].value, b->values[i].value) &&
                  same_text(a->values[i].desc, b->values[i].desc));
}

static void assert_same(const struct schema *a, const struct schema *b)
{
    cr_assert(a->table_id == b->table_id && a->version == b->version &&
              same_text(a->name, b->name));
    cr_assert(same_text(a->primary_key, b->primary_key) &&
              same_text(a->secondary_keys, b->secondary_keys));
    cr_assert(same_text(a->time_field, b->time_field) && same_text(a->time_type, b->time_type));
    cr_assert(same_text(a->comment, b->comment) && a->time_column == b->time_column);
    cr_assert(a->n_key == b->n_key && memcmp(a->key, b->key, a->n_key * sizeof *a->key) == 0);
    cr_assert_eq(a->n_columns, b->n_columns);
    for (unsigned i = 0; i < a->n_columns; i++)
        assert_same_column(&a->columns[i], &b->columns[i]);
}

/* Printed, parsed and printed again: nothing changes, nothing is told. */
static void assert_round_trip(const struct schema *s)
{
    char *text = schema_print_yaml(s), *again;
    struct notices n;
    struct schema *back;

    cr_assert_not_null(text);
    back = parse(text, &n);
    cr_assert_eq(n.count, 0, "%s", n.text);
    assert_same(s, back);
    again = schema_print_yaml(back);
    cr_assert_str_eq(text, again);
    free(text);
    free(again);
    schema_put(back);
}

#define ALL_STRATEGIES                                                                             \
    "tableName: all\n"                                                                             \
    "primaryKey: id + at\n"                                                                        \
    "secondaryKeys: name,kind+flag\n"                                                              \
    "desc: every strategy\n"                                                                       \
    "attributes:\n"                                                                                \
    "- { fieldName: id, type: Integer, mappingStrategy: IntBSI, minValue: -5, maxValue: 10 }\n"    \
    "- { fieldName: at, sourceName: /a/b, type: DateTime, mappingStrategy: SysMillisBSI }\n"       \
    "- { fieldName: at_s, type: DateTime, mappingStrategy: SysSecBSI }\n"                          \
    "- { fieldName: at_u, type: DateTime, mappingStrategy: SysMicroBSI, defaultValue: now() }\n"   \
    "- { fieldName: day, type: Date, mappingStrategy: SysSecBSI, defaultValue: 2024-01-01 }\n"     \
    "- { fieldName: flag, type: Boolean, mappingStrategy: BoolDirect, defaultValue: false }\n"     \
    "- { fieldName: rank, type: Integer, mappingStrategy: IntDirect, defaultValue: 1 }\n"          \
    "- { fieldName: price, type: Float, mappingStrategy: FloatScaleBSI, scale: 4 }\n"              \
    "- { fieldName: name, type: String, mappingStrategy: StringHashBSI, searchable: true, "        \
    "maxLen: 40 }\n"                                                                               \
    "- fieldName: kind\n"                                                                          \
    "  type: String\n"                                                                             \
    "  mappingStrategy: StringEnum\n"                                                              \
    "  required: true\n"                                                                           \
    "  values: [{ value: a, rowID: 1, desc: first }, { value: 2 }, three]\n"                       \
    "- { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: true, "         \
    "configuration: { delim: \"|\" } }\n"                                                          \
    "- { fieldName: parent, type: Integer, mappingStrategy: ParentRelation, foreignKey: other }\n" \
    "- { fieldName: owner, type: String, mappingStrategy: ParentRelation, foreignKey: "            \
    "people.name }\n"

Test(schema, all_strategies)
{
    static const enum column_layout layouts[] = {LAYOUT_ORDERED, LAYOUT_ORDERED, LAYOUT_ORDERED,
                                                 LAYOUT_ORDERED, LAYOUT_ORDERED, LAYOUT_ENUM,
                                                 LAYOUT_ENUM,    LAYOUT_ORDERED, LAYOUT_CODED,
                                                 LAYOUT_ENUM,    LAYOUT_LIST,    LAYOUT_ORDERED,
                                                 LAYOUT_CODED};
    struct notices n;
    struct schema *s = parse(ALL_STRATEGIES, &n);

    cr_assert_eq(n.count, 0, "%s", n.text);
    cr_assert(s->n_columns == 13 && s->n_key == 2 && s->key[0] == 0 && s->key[1] == 1 &&
              s->time_column == -1);
    for (unsigned i = 0; i < 13; i++) {
        cr_assert_eq(s->columns[i].layout, layouts[i], "column %s", s->columns[i].name);
        cr_assert_eq(s->columns[i].id, i + 1);
    }
    cr_assert(s->columns[0].in_key && s->columns[0].required && s->columns[0].min_value == -5);
    cr_assert_str_eq(s->columns[1].source, "/a/b");
    cr_assert(s->columns[1].scale == 3 && s->columns[2].scale == 0 && s->columns[3].scale == 6);
    cr_assert_str_eq(s->columns[3].default_value, "now()");
    cr_assert_str_eq(s->columns[5].default_value, "false");
    cr_assert(s->columns[8].searchable && s->columns[8].max_length == 40);
    cr_assert(s->columns[9].n_values == 3 && s->columns[9].required && !s->columns[9].multi_valued);
    cr_assert_str_eq(s->columns[9].values[1].value, "2");
    cr_assert_str_eq(s->columns[9].values[0].desc, "first");
    cr_assert(s->columns[10].multi_valued && s->columns[10].delim == '|');
    cr_assert_str_eq(s->columns[12].parent_table, "people");
    cr_assert_str_eq(s->columns[12].parent_key, "name");
    cr_assert_eq(schema_find_column(s, "PRICE", 5), 7);
    cr_assert_eq(schema_find_column(s, "pric", 4), -1);
    cr_assert_eq(schema_find_column(s, "id\0xx", 5), -1);
    cr_assert_eq(schema_find_column_id(s, 8), 7);
    assert_round_trip(s);
    schema_put(s);
}

/* Whole file as text, or NULL. */
static char *read_text(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 65536);

    if (!f || fread(text, 1, 65535, f) == 0) {
        free(text);
        text = NULL;
    }
    if (f)
        fclose(f);
    return text;
}

static void check_file(const char *path, unsigned columns)
{
    char *text = read_text(path);
    struct notices n;
    struct schema *s;

    if (!text)
        cr_skip_test("%s is not here", path);
    s = parse(text, &n);
    cr_assert_eq(n.count, 0, "%s", n.text);
    cr_assert_eq(s->n_columns, columns);
    assert_round_trip(s);
    schema_put(s);
    free(text);
}

Test(schema, files_of_the_sample_data)
{
    check_file("../shared/data/schemas/cities/schema.yaml", 15);
    check_file("../shared/data/schemas/cityzip/schema.yaml", 5);
}

Test(schema, files_of_the_events_work)
{
    check_file("conf/schemas/events/schema.yaml", 10);
    check_file("conf/schemas/content/schema.yaml", 5);
}

/* Every example of the manual is a table, without a notice. */
Test(schema, examples_of_the_manual)
{
    char *text = read_text("docs/schema.md"), *at = text;
    unsigned examples = 0;

    if (!text)
        cr_skip_test("docs/schema.md is not here");
    while ((at = strstr(at, "```yaml\n"))) {
        char *yaml = at + strlen("```yaml\n"), *end = strstr(yaml, "```");
        struct notices n;
        struct schema *s;

        cr_assert_not_null(end);
        *end = 0;
        s = parse(yaml, &n);
        cr_assert_eq(n.count, 0, "%s", n.text);
        assert_round_trip(s);
        schema_put(s);
        at = end + 1;
        examples++;
    }
    cr_assert_geq(examples, 9);
    free(text);
}

#define HEAD                                                                                       \
    "tableName: t\nprimaryKey: a\nattributes:\n- { fieldName: a, type: Integer, mappingStrategy: " \
    "IntBSI }\n"
#define TIME "- { fieldName: at, type: DateTime, mappingStrategy: SysSecBSI }\n"
#define COLUMN_A "- { fieldName: a, type: Integer, mappingStrategy: IntBSI }\n"

/* Each kind of mistake: the message must hold the place and these words. */
Test(schema, mistakes)
{
    static const struct {
        const char *yaml, *place;
        const char *words[4];
    } cases[] = {
        {"", "t.yaml:1:", {"tableName", "nothing"}},
        {"just text", "t.yaml:1:", {"just text", "a map"}},
        {"- a\n- b\n", "t.yaml:1:", {"a list", "a map"}},
        {"a: [1, 2\nb: 3\n", "t.yaml:", {"not YAML"}},
        {"a: \x01\n", "t.yaml:", {"not YAML"}},
        {"a: \"\\0\"\n", "t.yaml:1:", {"NUL"}},
        {"a: *x\n", "t.yaml:1:", {"alias"}},
        {"a: &x [*x]\n", "t.yaml:1:", {"alias"}},
        {"? [a]\n: b\n", "t.yaml:1:", {"as a key"}},
        {HEAD "---\ntableName: u\n", "t.yaml:5:", {"second document"}},
        {"[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "t.yaml:1:", {"16 deep"}},
        {"primaryKey: a\nattributes: []\n", "t.yaml:1:", {"tableName", "nothing"}},
        {"tableName:\nattributes: []\n", "t.yaml:1:", {"tableName", "nothing"}},
        {"tableName: [a]\nattributes: []\n", "t.yaml:1:", {"tableName", "a list", "one value"}},
        {"tableName: a/b\nattributes:\n" COLUMN_A,
         "t.yaml:1:",
         {"tableName", "'a/b'", "1 to 64 bytes"}},
        {"tableName: t\n", "t.yaml:1:", {"attributes", "nothing"}},
        {"tableName: t\nattributes: []\n", "t.yaml:2:", {"attributes", "1 to 1024"}},
        {"tableName: t\nattributes: x\n", "t.yaml:2:", {"attributes", "no list"}},
        {"tableName: t\nattributes:\n- x\n", "t.yaml:3:", {"'x'", "a map"}},
        {"tableName: t\ntableName: u\nattributes: []\n", "t.yaml:2:", {"tableName", "second time"}},
        {HEAD "- { type: String, mappingStrategy: StringEnum }\n",
         "t.yaml:5:",
         {"fieldName", "nothing"}},
        {HEAD "- fieldName: b\n  mappingStrategy: StringEnum\n",
         "t.yaml:5:",
         {"'b'", "type", "nothing", "Boolean"}},
        {HEAD "- fieldName: b\n  type: Strng\n  mappingStrategy: StringEnum\n",
         "t.yaml:6:",
         {"'Strng'", "String"}},
        {HEAD "- fieldName: b\n  type: JSON\n  mappingStrategy: StringEnum\n",
         "t.yaml:6:",
         {"JSON", "not available"}},
        {HEAD "- fieldName: b\n  type: String\n",
         "t.yaml:5:",
         {"mappingStrategy", "nothing", "StringEnum"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: X\n",
         "t.yaml:7:",
         {"'X'", "StringEnum", "IntBSI"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: UUIDBSI\n",
         "t.yaml:7:",
         {"'UUIDBSI'", "StringHashBSI", "not available yet"}},
        {HEAD "- { sourceName: /x, childTable: y, mappingStrategy: ChildRelation }\n",
         "t.yaml:5:",
         {"ChildRelation"}},
        {HEAD "- fieldName: b\n  type: Boolean\n  mappingStrategy: IntBSI\n",
         "t.yaml:7:",
         {"'IntBSI'", "BoolDirect"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: SysSecBSI\n",
         "t.yaml:7:",
         {"IntDirect, IntBSI"}},
        {HEAD "- fieldName: b\n  type: Float\n  mappingStrategy: IntBSI\n",
         "t.yaml:7:",
         {"FloatScaleBSI"}},
        {HEAD "- fieldName: b\n  type: Float\n  mappingStrategy: FloatScaleBSI\n  scale: 19\n",
         "t.yaml:8:",
         {"'b'", "scale", "'19'", "0 to 18"}},
        {HEAD "- fieldName: b\n  type: Float\n  mappingStrategy: FloatScaleBSI\n  scale: two\n",
         "t.yaml:8:",
         {"'two'"}},
        {HEAD "- fieldName: b\n  type: Float\n  mappingStrategy: FloatScaleBSI\n  scale: "
              "99999999999999999999\n",
         "t.yaml:8:",
         {"scale", "0 to 18"}},
        {HEAD
         "- fieldName: b\n  type: String\n  mappingStrategy: StringEnum\n  required: perhaps\n",
         "t.yaml:8:",
         {"required", "'perhaps'", "true or false"}},
        {HEAD COLUMN_A, "t.yaml:5:", {"fieldName", "'a'", "no other column"}},
        {HEAD "- { fieldName: A, type: Integer, mappingStrategy: IntBSI }\n", "t.yaml:5:", {"'A'"}},
        {HEAD "- { fieldName: a+b, type: Integer, mappingStrategy: IntBSI }\n",
         "t.yaml:5:",
         {"'a+b'"}},
        {HEAD "- { fieldName: '@x', type: Integer, mappingStrategy: IntBSI }\n",
         "t.yaml:5:",
         {"'@x'"}},
        {HEAD "- { fieldName: b, id: 0, type: Integer, mappingStrategy: IntBSI }\n",
         "t.yaml:5:",
         {"id", "1 to 65533"}},
        {HEAD "- { fieldName: b, id: 7, type: Integer, mappingStrategy: IntBSI }\n"
              "- { fieldName: c, id: 7, type: Integer, mappingStrategy: IntBSI }\n",
         "t.yaml:6:",
         {"'c'", "id", "'7'"}},
        {HEAD "- { fieldName: b, type: Integer, mappingStrategy: ParentRelation }\n",
         "t.yaml:5:",
         {"foreignKey", "nothing"}},
        {HEAD "- { fieldName: b, type: Integer, mappingStrategy: ParentRelation, foreignKey: "
              "'p.@rownum' }\n",
         "t.yaml:5:",
         {"foreignKey", "@rownum", "row numbers"}},
        {HEAD
         "- { fieldName: b, type: Integer, mappingStrategy: ParentRelation, foreignKey: p.a+b }\n",
         "t.yaml:5:",
         {"foreignKey", "several columns"}},
        {HEAD "- { fieldName: b, type: Integer, mappingStrategy: IntBSI, foreignKey: p }\n",
         "t.yaml:5:",
         {"ParentRelation"}},
        {HEAD "- { fieldName: b, type: Float, mappingStrategy: ParentRelation, foreignKey: p }\n",
         "t.yaml:5:",
         {"Float"}},
        {HEAD "- { fieldName: b, type: Integer, mappingStrategy: IntDirect, nonExclusive: true }\n",
         "t.yaml:5:",
         {"nonExclusive", "StringEnum"}},
        {HEAD "- { fieldName: b, type: String, mappingStrategy: StringEnum, configuration: { "
              "delim: '||' } }\n",
         "t.yaml:5:",
         {"delim", "one ASCII character"}},
        {HEAD "- { fieldName: b, type: String, mappingStrategy: StringEnum, configuration: [a] }\n",
         "t.yaml:5:",
         {"configuration", "a map"}},
        {HEAD "- { fieldName: b, type: String, mappingStrategy: StringHashBSI, values: [a] }\n",
         "t.yaml:5:",
         {"values"}},
        {HEAD "- { fieldName: b, type: String, mappingStrategy: StringEnum, values: a }\n",
         "t.yaml:5:",
         {"values"}},
        {HEAD
         "- { fieldName: b, type: String, mappingStrategy: StringEnum, values: [{ desc: a }] }\n",
         "t.yaml:5:",
         {"value", "nothing"}},
        {HEAD "- { fieldName: b, type: Integer, mappingStrategy: IntBSI, defaultValue: 1.5 }\n",
         "t.yaml:5:",
         {"defaultValue", "'1.5'", "digits"}},
        {HEAD
         "- { fieldName: b, type: Date, mappingStrategy: SysSecBSI, defaultValue: 2024-02-31 }\n",
         "t.yaml:5:",
         {"defaultValue", "date"}},
        {HEAD
         "- { fieldName: b, type: Integer, mappingStrategy: IntBSI, minValue: 5, maxValue: 4 }\n",
         "t.yaml:5:",
         {"minValue", "'5'", "4"}},
        {"tableName: t\nprimaryKey: b\nattributes:\n" COLUMN_A,
         "t.yaml:2:",
         {"primaryKey", "'b'", "names of columns"}},
        {"tableName: t\nprimaryKey: a+\nattributes:\n" COLUMN_A, "t.yaml:2:", {"primaryKey", "''"}},
        {"tableName: t\nprimaryKey: a+a\nattributes:\n" COLUMN_A,
         "t.yaml:2:",
         {"primaryKey", "each column once"}},
        {"tableName: t\nprimaryKey: l\nattributes:\n"
         "- { fieldName: l, type: String, mappingStrategy: StringEnum, nonExclusive: true }\n",
         "t.yaml:2:",
         {"primaryKey", "'l'", "one value per row"}},
        {"tableName: t\nsecondaryKeys: a,x+a\nattributes:\n" COLUMN_A,
         "t.yaml:2:",
         {"secondaryKeys", "'x'"}},
        {"tableName: t\ntimeQuantumType: YM\nattributes:\n" COLUMN_A TIME,
         "t.yaml:2:",
         {"'YM'", "YMD", "YMDH"}},
        {"tableName: t\ntimeQuantumType: YMD\nattributes:\n" COLUMN_A TIME,
         "t.yaml:1:",
         {"timeQuantumField", "nothing"}},
        {"tableName: t\nprimaryKey: a\ntimeQuantumType: YMD\nattributes:\n" COLUMN_A TIME,
         "t.yaml:1:",
         {"timeQuantumField", "Date or DateTime"}},
        {"tableName: t\nprimaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: "
         "x\nattributes:\n" COLUMN_A,
         "t.yaml:4:",
         {"timeQuantumField", "'x'"}},
        {"tableName: t\nprimaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: "
         "a\nattributes:\n" COLUMN_A,
         "t.yaml:4:",
         {"timeQuantumField", "'a'", "Integer"}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error_info err = {0};
        struct schema *s = NULL;
        int rc =
            schema_parse_yaml("t.yaml", cases[i].yaml, strlen(cases[i].yaml), NULL, NULL, &s, &err);

        cr_expect_eq(rc, -EINVAL, "case %zu was taken: %s", i, cases[i].yaml);
        cr_expect_null(s);
        cr_expect(strncmp(err.text, cases[i].place, strlen(cases[i].place)) == 0, "case %zu: %s", i,
                  err.text);
        for (unsigned k = 0; k < 4 && cases[i].words[k]; k++)
            cr_expect(strstr(err.text, cases[i].words[k]), "case %zu: '%s' is not in: %s", i,
                      cases[i].words[k], err.text);
    }
}

Test(schema, unknown_and_legacy_keys_are_told)
{
    struct notices n;
    struct schema *s = parse("tableName: t\n"
                             "primaryKey: a\n"
                             "encoding: x\n"
                             "disableDedup: true\n"
                             "selector: type=\"a\"\n"
                             "isViewOf: z\n"
                             "defaultPredicate: z\n"
                             "attributes:\n"
                             "- fieldName: a\n"
                             "  type: Integer\n"
                             "  mappingStrategy: IntBSI\n"
                             "  columnID: true\n"
                             "  skipIndex: [1]\n"
                             "  sourceOrdinal: 3\n"
                             "  highCard: true\n"
                             "  wrongKey: 1\n"
                             "- { fieldName: gone, type: NotExist }\n"
                             "- { fieldName: x, type: String, mappingStrategy: StringEnum, "
                             "searchable: true, scale: 2 }\n",
                             &n);

    cr_assert_eq(s->n_columns, 2);
    cr_assert_eq(n.count, 9, "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:3: ignored, unknown key 'encoding'"), "%s", n.text);
    cr_assert(strstr(n.text,
                     "t.yaml:4: notice, key of an older version without effect 'disableDedup'"),
              "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:5: notice, key without effect 'selector'"), "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:12: column 'a': notice, key without effect 'columnID'"), "%s",
              n.text);
    cr_assert(strstr(n.text, "t.yaml:13: column 'a':"), "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:16: column 'a': ignored, unknown key 'wrongKey'"), "%s",
              n.text);
    cr_assert(strstr(n.text, "t.yaml:17: column 'gone'"), "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:18: column 'x'"), "%s", n.text);
    schema_put(s);
}

Test(schema, names_from_sources)
{
    struct schema *s = parse("tableName: t\nprimaryKey: /x/key\nattributes:\n"
                             "- { sourceName: /x/key, type: Integer, mappingStrategy: IntBSI }\n"
                             "- { sourceName: plain, type: Integer, mappingStrategy: IntBSI }\n",
                             NULL);

    cr_assert_str_eq(s->columns[0].name, "key");
    cr_assert_str_eq(s->columns[1].name, "plain");
    cr_assert(s->n_key == 1 && s->key[0] == 0);
    assert_round_trip(s);
    schema_put(s);
}

Test(schema, hidden_key)
{
    struct schema *s = parse("tableName: t\nattributes:\n" COLUMN_A TIME, NULL);
    const struct column *c = &s->columns[2];

    cr_assert(s->n_columns == 3 && s->n_key == 1 && s->key[0] == 2 && !s->primary_key);
    cr_assert(c->id == SCHEMA_HIDDEN_KEY_ID && c->hidden && c->in_key && c->type == COLUMN_INT);
    cr_assert(c->mapping == MAPPING_INT_BSI && c->layout == LAYOUT_ORDERED);
    assert_round_trip(s);
    schema_put(s);
}

Test(schema, time_partitions)
{
    static const struct {
        const char *table;
        unsigned n_key;
        uint16_t key[3];
        int time_column;
    } cases[] = {
        {"primaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: at\n", 2, {1, 0}, 1},
        {"primaryKey: a + at\ntimeQuantumType: YMDH\ntimeQuantumField: at\n", 2, {1, 0}, 1},
        {"primaryKey: at + a\ntimeQuantumType: YMD\n", 2, {1, 0}, 1},
        {"timeQuantumType: YMD\ntimeQuantumField: at\n", 2, {1, 2}, 1},
        {"primaryKey: a\ntimeQuantumField: at\n", 2, {1, 0}, -1},
        {"primaryKey: at + a\ntimeQuantumField: at\n", 2, {1, 0}, -1},
        {"timeQuantumField: at\n", 1, {2}, -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char yaml[500];
        struct schema *s;

        snprintf(yaml, sizeof yaml, "tableName: t\n%sattributes:\n%s%s", cases[i].table, COLUMN_A,
                 TIME);
        s = parse(yaml, NULL);
        cr_assert_eq(s->n_key, cases[i].n_key, "case %zu", i);
        cr_assert_eq(memcmp(s->key, cases[i].key, s->n_key * sizeof *s->key), 0, "case %zu", i);
        cr_assert_eq(s->time_column, cases[i].time_column, "case %zu", i);
        cr_assert_str_eq(s->time_field, "at");
        schema_put(s);
    }
}

/* The round trip of partitioned tables keeps the key; a notice about a field without type is repeated. */
Test(schema, partitioned_round_trip)
{
    struct schema *s =
        parse("tableName: t\nprimaryKey: at + a\ntimeQuantumType: YMD\nattributes:\n" COLUMN_A TIME,
              NULL);

    assert_round_trip(s);
    schema_put(s);
}

Test(schema, several_values)
{
    struct schema *s =
        parse(HEAD
              "- { fieldName: b, type: String, mappingStrategy: StringEnum, configuration: { "
              "delim: ';' } }\n"
              "- { fieldName: c, type: String, mappingStrategy: StringEnum, nonExclusive: yes }\n"
              "- { fieldName: d, type: String, mappingStrategy: StringEnum }\n",
              NULL);

    cr_assert(s->columns[1].multi_valued && s->columns[1].delim == ';' &&
              s->columns[1].layout == LAYOUT_LIST);
    cr_assert(s->columns[2].multi_valued && s->columns[2].delim == ',');
    cr_assert(!s->columns[3].multi_valued && s->columns[3].layout == LAYOUT_ENUM);
    assert_round_trip(s);
    schema_put(s);
}

Test(schema, aliases_and_quotes)
{
    struct schema *s = parse(
        "tableName: \"t\"\n"
        "desc: |\n  two\n  lines: \"quoted\\\" #x\n"
        "attributes:\n"
        "- { fieldName: a, type: String, mappingStrategy: StringEnum, values: &v [x, \"y: z\"] }\n"
        "- { fieldName: b, type: String, mappingStrategy: StringEnum, values: *v, desc: "
        "\"\\x07\\u2028\\uFEFF\\u0085\" }\n",
        NULL);

    cr_assert_str_eq(s->comment, "two\nlines: \"quoted\\\" #x\n");
    cr_assert(s->columns[1].n_values == 2);
    cr_assert_str_eq(s->columns[1].values[1].value, "y: z");
    assert_round_trip(s);
    schema_put(s);
}

/* Every character that can stand in a text comes back. */
Test(schema, every_character_survives)
{
    for (uint32_t from = 1; from < 0x110000; from += 977) {
        char text[8];
        struct error_info err;
        struct schema *s = schema_new("t");
        struct column *c = schema_add_column(s, "a", COLUMN_STRING, MAPPING_STRING_ENUM);
        uint32_t u = from;

        if (u >= 0xd800 && u < 0xe000)
            u -= 0x800;
        if (u < 0x80)
            snprintf(text, sizeof text, "%c", (int)u);
        else if (u < 0x800)
            snprintf(text, sizeof text, "%c%c", (int)(0xc0 | u >> 6), (int)(0x80 | (u & 63)));
        else if (u < 0x10000)
            snprintf(text, sizeof text, "%c%c%c", (int)(0xe0 | u >> 12),
                     (int)(0x80 | (u >> 6 & 63)), (int)(0x80 | (u & 63)));
        else
            snprintf(text, sizeof text, "%c%c%c%c", (int)(0xf0 | u >> 18),
                     (int)(0x80 | (u >> 12 & 63)), (int)(0x80 | (u >> 6 & 63)),
                     (int)(0x80 | (u & 63)));
        c->comment = strdup(text);
        cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
        assert_round_trip(s);
        schema_put(s);
    }
}

Test(schema, made_by_create_table)
{
    struct schema *s = schema_new("made");
    struct error_info err;
    struct column *c;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    c = schema_add_column(s, "price", COLUMN_DECIMAL, MAPPING_FLOAT_SCALE_BSI);
    c->scale = 2;
    c->comment = strdup("with 'quotes' and \"these\"");
    c->default_value = strdup("0.00");
    c = schema_add_column(s, "at", COLUMN_DATETIME, MAPPING_SYS_MICRO_BSI);
    c->required = true;
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    cr_assert(s->columns[2].scale == 6 && s->n_key == 1);
    assert_round_trip(s);
    schema_put(schema_get(s));
    schema_put(s);
}

static void expect_refused(struct schema *s, int code, const char *word)
{
    struct error_info err = {0};

    cr_expect_eq(schema_finish(s, &err), -EINVAL);
    cr_expect_eq(err.code, code, "%d %s", err.code, err.text);
    cr_expect(strstr(err.text, word) && strstr(err.text, "allowed"), "%s", err.text);
    schema_put(s);
}

Test(schema, refused_by_create_table)
{
    struct schema *s = schema_new("t");

    expect_refused(s, 1113, "attributes");
    s = schema_new("");
    schema_add_column(s, "a", COLUMN_INT, MAPPING_INT_BSI);
    expect_refused(s, 1103, "tableName");
    s = schema_new("t");
    schema_add_column(s, "a", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "A", COLUMN_INT, MAPPING_INT_BSI);
    expect_refused(s, 1060, "'A'");
    s = schema_new("t");
    schema_add_column(s, "a", COLUMN_INT, MAPPING_INT_BSI);
    s->primary_key = strdup("b");
    expect_refused(s, 1072, "primaryKey");
    s = schema_new("t");
    schema_add_column(s, "a", COLUMN_DECIMAL, MAPPING_FLOAT_SCALE_BSI)->scale = 30;
    expect_refused(s, 1425, "'30'");
    s = schema_new("t");
    schema_add_column(s, "a", COLUMN_INT, MAPPING_INT_BSI)->comment = strdup("\xff");
    expect_refused(s, 1300, "UTF-8");
    s = schema_new("t");
    for (int i = 0; i <= SCHEMA_MAX_COLUMNS; i++) {
        char name[16];

        snprintf(name, sizeof name, "c%d", i);
        cr_assert_not_null(schema_add_column(s, name, COLUMN_INT, MAPPING_INT_BSI));
    }
    expect_refused(s, 1117, "1024");
    s = schema_new("t");
    for (int i = 0; i < 9; i++) {
        char name[2] = {(char)('a' + i), 0};

        schema_add_column(s, name, COLUMN_INT, MAPPING_INT_BSI);
    }
    s->primary_key = strdup("a+b+c+d+e+f+g+h+i");
    expect_refused(s, 1070, "up to 8");
}

Test(schema, as_many_columns_as_allowed)
{
    struct schema *s = schema_new("wide");
    struct error_info err;

    for (int i = 0; i < SCHEMA_MAX_COLUMNS; i++) {
        char name[16];

        snprintf(name, sizeof name, "c%d", i);
        schema_add_column(s, name, COLUMN_STRING, MAPPING_STRING_ENUM);
    }
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    cr_assert_eq(s->n_columns, SCHEMA_MAX_COLUMNS + 1);
    assert_round_trip(s);
    schema_put(s);
}

/* Random changes of a valid file give a table or a message, never anything else. */
Test(schema, damaged_files)
{
    static const char base[] = ALL_STRATEGIES;
    uint64_t x = 0x853c49e6748fea9b;
    unsigned taken = 0, refused = 0;

    for (int i = 0; i < 4000; i++) {
        char text[sizeof base];
        struct error_info err = {0};
        struct schema *s;

        memcpy(text, base, sizeof base);
        for (unsigned k = 0; k < 1 + i % 5u; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            text[x % (sizeof base - 1)] =
                x >> 32 & 1 ? base[(x >> 33) % (sizeof base - 1)] : (char)(x >> 40);
        }
        if (schema_parse_yaml("t.yaml", text, sizeof base - 1, NULL, NULL, &s, &err) == 0) {
            taken++;
            assert_round_trip(s);
            schema_put(s);
        } else {
            refused++;
            cr_assert(strncmp(err.text, "t.yaml", 6) == 0, "%s", err.text);
        }
    }
    cr_assert(taken > 50 && refused > 50, "%u taken, %u refused", taken, refused);
}
