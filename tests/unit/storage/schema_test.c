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
                  same_text(a->values[i].desc, b->values[i].desc) &&
                  a->values[i].row_id == b->values[i].row_id);
    cr_assert(a->column_id == b->column_id && a->call_transform == b->call_transform &&
              a->high_card == b->high_card && a->source_ordinal == b->source_ordinal);
    cr_assert_eq(a->n_config, b->n_config);
    for (uint32_t i = 0; i < a->n_config; i++)
        cr_assert(same_text(a->config[i].key, b->config[i].key) &&
                  same_text(a->config[i].value, b->config[i].value));
    cr_assert_eq(!a->rule, !b->rule);
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
    cr_assert(same_text(a->shard_key, b->shard_key) && a->replicated == b->replicated);
    cr_assert(same_text(a->selector, b->selector) && same_text(a->view_of, b->view_of) &&
              same_text(a->default_predicate, b->default_predicate));
    cr_assert_eq(a->n_inputs, b->n_inputs);
    for (unsigned i = 0; i < a->n_inputs; i++)
        cr_assert(a->inputs[i].mapping == b->inputs[i].mapping &&
                  same_text(a->inputs[i].name, b->inputs[i].name) &&
                  same_text(a->inputs[i].source, b->inputs[i].source) &&
                  same_text(a->inputs[i].target, b->inputs[i].target) &&
                  same_text(a->inputs[i].comment, b->inputs[i].comment));
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

/* Those of the tables that quanta-bench makes or asks. */
Test(schema, files_of_the_works)
{
    check_file("conf/schemas/events/schema.yaml", 10);
    check_file("conf/schemas/content/schema.yaml", 5);
    check_file("conf/tpch/customer/schema.yaml", 8);
    check_file("conf/tpch/lineitem/schema.yaml", 16);
    check_file("conf/tpch/nation/schema.yaml", 4);
    check_file("conf/tpch/orders/schema.yaml", 9);
    check_file("conf/tpch/part/schema.yaml", 9);
    check_file("conf/tpch/partsupp/schema.yaml", 5);
    check_file("conf/tpch/region/schema.yaml", 3);
    check_file("conf/tpch/supplier/schema.yaml", 7);
    check_file("conf/ssb/customer/schema.yaml", 8);
    check_file("conf/ssb/dates/schema.yaml", 12);
    check_file("conf/ssb/lineorder/schema.yaml", 17);
    check_file("conf/ssb/part/schema.yaml", 9);
    check_file("conf/ssb/supplier/schema.yaml", 7);
    check_file("conf/events_p/content/schema.yaml", 5);
    check_file("conf/events_p/events/schema.yaml", 10);
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
         {"'X'", "StringEnum", "UUIDBSI"}},
        {HEAD "- fieldName: b\n  mappingStrategy: X\n",
         "t.yaml:6:",
         {"'X'", "StringEnum", "IntBSI", "Delegated"}},
        {HEAD "- { childTable: y, mappingStrategy: ChildRelation }\n",
         "t.yaml:5:",
         {"sourceName", "nothing"}},
        {HEAD "- { sourceName: /x, childTable: a+b, mappingStrategy: ChildRelation }\n",
         "t.yaml:5:",
         {"childTable", "'a+b'"}},
        {HEAD "- { sourceName: /x, mappingStrategy: Delegated }\n",
         "t.yaml:5:",
         {"delegationTarget", "nothing"}},
        {HEAD "- { sourceName: /x, mappingStrategy: Delegated, delegationTarget: z }\n",
         "t.yaml:5:",
         {"delegationTarget", "'z'", "column"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntLinear\n",
         "t.yaml:5:",
         {"'b'", "min", "nothing", "number"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntLinear\n"
              "  configuration:\n    min: 0\n    max: 10\n    step: 0\n",
         "t.yaml:11:",
         {"'b'", "step", "'0'", "above 0"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntLinear\n"
              "  configuration:\n    min: 0\n    max: -1\n    step: 1\n",
         "t.yaml:10:",
         {"'b'", "max", "'-1'", "min (0)"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntLinear\n"
              "  configuration: { min: 0.5, max: 1, step: 1 }\n",
         "t.yaml:8:",
         {"'b'", "min", "'0.5'", "0 decimal digits"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntBuckets\n",
         "t.yaml:5:",
         {"'b'", "bounds", "nothing"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: IntBuckets\n"
              "  configuration: { bounds: '1,1' }\n",
         "t.yaml:8:",
         {"bounds", "'1,1'", "above the one before"}},
        {HEAD "- fieldName: b\n  type: Float\n  scale: 1\n  mappingStrategy: FloatBuckets\n"
              "  configuration: { bounds: '1.55' }\n",
         "t.yaml:9:",
         {"bounds", "'1.55'", "1 decimal digits"}},
        {HEAD "- fieldName: b\n  type: Boolean\n  mappingStrategy: BoolRegex\n",
         "t.yaml:5:",
         {"regex", "nothing", "expression"}},
        {HEAD "- fieldName: b\n  type: Boolean\n  mappingStrategy: BoolRegex\n"
              "  configuration: { regex: 'a(' }\n",
         "t.yaml:8:",
         {"regex", "'a('", "PCRE2"}},
        {HEAD "- fieldName: b\n  type: Boolean\n  mappingStrategy: Contains\n"
              "  configuration: { text: x, ignoreCase: perhaps }\n",
         "t.yaml:8:",
         {"ignoreCase", "'perhaps'", "true or false"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: TimeOfDay\n"
              "  configuration: { step: 86401 }\n",
         "t.yaml:8:",
         {"step", "'86401'", "1 to 86400"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: TimeOfDay\n"
              "  configuration: { step: [1] }\n",
         "t.yaml:8:",
         {"step", "a list", "one value"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: Custom\n",
         "t.yaml:5:",
         {"plugin", "nothing", "without .so"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: Custom\n"
              "  configuration: { plugin: ../evil, name: x }\n",
         "t.yaml:8:",
         {"plugin", "'../evil'"}},
        {HEAD "- fieldName: b\n  type: String\n  mappingStrategy: Custom\n"
              "  configuration: { plugin: p, name: x }\n",
         "t.yaml:8:",
         {"plugin", "'p'", "--plugin-dir"}},
        {HEAD "- { fieldName: b, type: Date, mappingStrategy: UUIDBSI }\n",
         "t.yaml:5:",
         {"'UUIDBSI'", "SysSecBSI", "YearToDay"}},
        {HEAD "- { fieldName: b, type: String, mappingStrategy: UUIDBSI, defaultValue: 12-34 }\n",
         "t.yaml:5:",
         {"defaultValue", "'12-34'", "hexadecimal"}},
        {"tableName: t\nprimaryKey: a\nshardKey: b\nattributes:\n" COLUMN_A TIME,
         "t.yaml:3:",
         {"shardKey", "'b'", "primaryKey"}},
        {"tableName: t\nprimaryKey: a\nshardKey: at\nattributes:\n" COLUMN_A TIME,
         "t.yaml:3:",
         {"shardKey", "'at'", "primaryKey"}},
        {"tableName: t\nprimaryKey: at+a\ntimeQuantumType: YMD\nshardKey: "
         "at\nattributes:\n" COLUMN_A TIME,
         "t.yaml:4:",
         {"shardKey", "'at'", "other than the time field"}},
        {"tableName: t\nprimaryKey: a\nshardKey: a+a\nattributes:\n" COLUMN_A,
         "t.yaml:3:",
         {"shardKey", "'a'", "each once"}},
        {"tableName: t\nprimaryKey: a\nshardKey: a\nreplicated: true\nattributes:\n" COLUMN_A,
         "t.yaml:3:",
         {"shardKey", "'a'", "replicated"}},
        {"tableName: t\nprimaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: "
         "m\nattributes:\n" COLUMN_A
         "- { fieldName: m, type: Date, mappingStrategy: YearToMonth }\n",
         "t.yaml:4:",
         {"timeQuantumField", "'m'", "YearToDay"}},
        {HEAD "- fieldName: b\n  type: Boolean\n  mappingStrategy: IntBSI\n",
         "t.yaml:7:",
         {"'IntBSI'", "BoolDirect"}},
        {HEAD "- fieldName: b\n  type: Integer\n  mappingStrategy: SysSecBSI\n",
         "t.yaml:7:",
         {"'SysSecBSI'", "IntDirect", "IntBSI"}},
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
                             "- { fieldName: x, type: String, mappingStrategy: UUIDBSI, "
                             "searchable: true, scale: 2 }\n",
                             &n);

    cr_assert_eq(s->n_columns, 2);
    cr_assert_eq(n.count, 7, "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:3: ignored, unknown key 'encoding'"), "%s", n.text);
    cr_assert(strstr(n.text,
                     "t.yaml:4: notice, key of an older version without effect 'disableDedup'"),
              "%s", n.text);
    cr_assert_str_eq(s->selector, "type=\"a\"");
    cr_assert_str_eq(s->view_of, "z");
    cr_assert_str_eq(s->default_predicate, "z");
    cr_assert(s->columns[0].column_id && s->columns[0].high_card &&
              s->columns[0].source_ordinal == 3);
    cr_assert(strstr(n.text, "t.yaml:13: column 'a':"), "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:16: column 'a': ignored, unknown key 'wrongKey'"), "%s",
              n.text);
    cr_assert(strstr(n.text, "t.yaml:17: column 'gone'"), "%s", n.text);
    cr_assert(strstr(n.text, "t.yaml:18: column 'x'"), "%s", n.text);
    schema_put(s);
}

/* Every strategy that has settings or is no column, and every key that is only kept. */
#define ALL_SETTINGS                                                                               \
    "tableName: settings\n"                                                                        \
    "primaryKey: id+part\n"                                                                        \
    "shardKey: part\n"                                                                             \
    "selector: type=\"customer\"\n"                                                                \
    "isViewOf: other\n"                                                                            \
    "defaultPredicate: a > 1\n"                                                                    \
    "attributes:\n"                                                                                \
    "- { fieldName: id, type: String, mappingStrategy: UUIDBSI, configuration: { upperSource: u, " \
    "lowerSource: l }, columnID: true, highCard: true, callTransform: true, sourceOrdinal: 2 }\n"  \
    "- { fieldName: part, type: Integer, mappingStrategy: StringToIntDirect }\n"                   \
    "- { fieldName: paid, type: Boolean, mappingStrategy: IntToBoolDirect, defaultValue: 7 }\n"    \
    "- { fieldName: mail, type: Boolean, mappingStrategy: BoolRegex, configuration: { regex: "     \
    "'^[^@ ]+@[^@ ]+$', IGNORECASE: true } }\n"                                                    \
    "- { fieldName: spam, type: Boolean, mappingStrategy: Contains, configuration: { text: "       \
    "\"a\\\"b\\\\\" } }\n"                                                                         \
    "- { fieldName: age, type: Integer, mappingStrategy: IntLinear, configuration: { min: 0, "     \
    "max: 129, step: 10 } }\n"                                                                     \
    "- { fieldName: size, type: Integer, mappingStrategy: IntBuckets, configuration: { bounds: "   \
    "'-5, 0,10' } }\n"                                                                             \
    "- { fieldName: temp, type: Float, scale: 1, mappingStrategy: FloatLinear, configuration: { "  \
    "min: -40, max: 60, step: 0.5 } }\n"                                                           \
    "- { fieldName: price, type: Float, scale: 2, mappingStrategy: FloatBuckets, configuration: "  \
    "{ bounds: '0,9.99' } }\n"                                                                     \
    "- { fieldName: d1, type: Date, mappingStrategy: YearToDay }\n"                                \
    "- { fieldName: d2, type: Integer, mappingStrategy: YearToDay }\n"                             \
    "- { fieldName: m1, type: Date, mappingStrategy: YearToMonth }\n"                              \
    "- { fieldName: m2, type: Integer, mappingStrategy: YearToMonth }\n"                           \
    "- { fieldName: y, type: Integer, mappingStrategy: Year }\n"                                   \
    "- { fieldName: doy, type: Integer, mappingStrategy: DayOfYear }\n"                            \
    "- { fieldName: dom, type: Integer, mappingStrategy: DayOfMonth }\n"                           \
    "- { fieldName: dow, type: Integer, mappingStrategy: DayOfWeek }\n"                            \
    "- { fieldName: tod, type: Integer, mappingStrategy: TimeOfDay, configuration: { step: 900 } " \
    "}\n"                                                                                          \
    "- { fieldName: clock, type: String, mappingStrategy: TimeOfDay }\n"                           \
    "- { fieldName: hour, type: Integer, mappingStrategy: HourOfDay }\n"                           \
    "- { fieldName: at, type: DateTime, mappingStrategy: SysMicroBSI, configuration: { seconds: "  \
    "s, nanos: n } }\n"                                                                            \
    "- { fieldName: kind, type: String, mappingStrategy: StringEnum, values: [{ value: a, rowID: " \
    "7 }] }\n"                                                                                     \
    "- { sourceName: /lines, childTable: order_lines, mappingStrategy: ChildRelation, desc: "      \
    "parts }\n"                                                                                    \
    "- { sourceName: a.extra, mappingStrategy: ChildRelation }\n"                                  \
    "- { sourceName: /old/age, fieldName: old_age, mappingStrategy: Delegated, delegationTarget: " \
    "age }\n"

Test(schema, all_settings)
{
    struct notices n;
    struct schema *s = parse(ALL_SETTINGS, &n);
    const struct column *c = s->columns;

    cr_assert_eq(n.count, 0, "%s", n.text);
    cr_assert_eq(s->n_columns, 22);
    cr_assert(c[0].column_id && c[0].high_card && c[0].call_transform && c[0].source_ordinal == 2);
    cr_assert(c[0].layout == LAYOUT_CODED && c[1].layout == LAYOUT_ENUM);
    cr_assert_str_eq(schema_config(&c[3], "ignoreCase"), "true");
    cr_assert_str_eq(schema_config(&c[4], "text"), "a\"b\\");
    for (unsigned i = 2; i <= 8; i++)
        cr_assert_eq(c[i].layout, LAYOUT_ENUM);
    cr_assert(c[9].layout == LAYOUT_ORDERED && c[10].layout == LAYOUT_ORDERED);
    for (unsigned i = 11; i <= 16; i++)
        cr_assert_eq(c[i].layout, LAYOUT_ENUM);
    cr_assert(c[17].layout == LAYOUT_ORDERED && c[18].layout == LAYOUT_ENUM &&
              c[19].layout == LAYOUT_ENUM);
    cr_assert_eq(c[21].values[0].row_id, 7);
    cr_assert_eq(s->n_inputs, 3);
    cr_assert_str_eq(s->inputs[0].target, "order_lines");
    cr_assert_str_eq(s->inputs[1].target, "extra");
    cr_assert_str_eq(s->inputs[2].target, "age");
    cr_assert_str_eq(s->inputs[2].name, "old_age");
    cr_assert_str_eq(s->shard_key, "part");
    assert_round_trip(s);
    schema_put(s);
}

Test(schema, other_names_of_strategies)
{
    struct notices n;
    struct schema *s = parse("tableName: t\nattributes:\n"
                             "- { fieldName: a, type: String, mappingStrategy: StringBSI }\n"
                             "- { fieldName: b, type: DateTime, mappingStrategy: TimestampBSI }\n",
                             &n);

    cr_assert_eq(n.count, 2, "%s", n.text);
    cr_assert(strstr(n.text, ": StringHashBSI") && strstr(n.text, ": SysMicroBSI"), "%s", n.text);
    assert_round_trip(s);
    schema_put(s);
}

/* The server's own records are read where a plug-in is missing, too: values are refused, not tables. */
Test(schema, a_missing_plugin_is_no_damage)
{
    struct schema *s = parse("tableName: t\nversion: 3\ntableId: 1\nattributes:\n"
                             "- { fieldName: a, type: String, mappingStrategy: CustomBSI, "
                             "configuration: { plugin: gone, name: x, 'a b': 1 } }\n",
                             NULL);

    cr_assert(s->columns[0].layout == LAYOUT_CODED && s->columns[0].n_config == 3);
    assert_round_trip(s);
    schema_put(s);
}

#define ALTERED_HEAD "tableName: t\nprimaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: at\n"
#define ALTERED_A "- { fieldName: a, type: Integer, mappingStrategy: IntBSI }\n"
#define ALTERED_AT "- { fieldName: at, type: DateTime, mappingStrategy: SysSecBSI }\n"
#define ALTERED_F                                                                            \
    "- { fieldName: f, type: Float, scale: 2, mappingStrategy: FloatScaleBSI, minValue: 1, " \
    "maxValue: 9 }\n"
#define ALTERED_E                                                                         \
    "- { fieldName: e, type: String, mappingStrategy: StringEnum, values: [x], desc: d, " \
    "defaultValue: x, sourceName: /e }\n"
#define ALTERED_P \
    "- { fieldName: p, type: Integer, mappingStrategy: ParentRelation, foreignKey: q }\n"
#define ALTERED_B                                                                             \
    "- { fieldName: b, type: Integer, mappingStrategy: IntBuckets, configuration: { bounds: " \
    "'0,5' } }\n"
#define ALTERED_S "attributes:\n"
#define ALTERED ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B

static int alter(const char *yaml, struct notices *n, struct error_info *err)
{
    struct schema *old = parse(ALTERED, NULL), *next = parse(yaml, NULL);
    int rc;

    *n = (struct notices){0};
    *err = (struct error_info){0};
    rc = schema_check_alter(old, next, note, n, err);
    schema_put(old);
    schema_put(next);
    return rc;
}

Test(schema, alter_refused)
{
    static const struct {
        const char *yaml;
        const char *words[3];
    } cases[] = {
        {"tableName: u\nprimaryKey: a\ntimeQuantumType: YMD\ntimeQuantumField: at\n" ALTERED_S
             ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         {"tableName", "u", "t"}},
        {"tableName: t\nprimaryKey: a+f\ntimeQuantumType: YMD\ntimeQuantumField: at\n" ALTERED_S
             ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         {"primaryKey", "a+f"}},
        {ALTERED_HEAD "secondaryKeys: f\n" ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E
             ALTERED_P ALTERED_B,
         {"secondaryKeys", "f", "nothing"}},
        {"tableName: t\nprimaryKey: a\ntimeQuantumType: YMDH\ntimeQuantumField: at\n" ALTERED_S
             ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         {"timeQuantumType", "YMDH", "YMD"}},
        {ALTERED_HEAD
         "shardKey: a\n" ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         {"shardKey"}},
        {ALTERED_HEAD "replicated: true\n" ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E
             ALTERED_P ALTERED_B,
         {"replicated"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P,
         {"attribute cannot be dropped: b"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P
         "- { fieldName: b, type: Float, mappingStrategy: FloatScaleBSI }\n",
         {"'b'", "type", "Float"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P
         "- { fieldName: b, type: Integer, mappingStrategy: IntBSI }\n",
         {"'b'", "mappingStrategy", "IntBuckets"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT
         "- { fieldName: f, type: Float, scale: 3, mappingStrategy: FloatScaleBSI, minValue: 1, "
         "maxValue: 9 }\n" ALTERED_E ALTERED_P ALTERED_B,
         {"'f'", "scale", "3"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT
         "- { fieldName: f, type: Float, scale: 2, mappingStrategy: FloatScaleBSI, minValue: 0, "
         "maxValue: 9 }\n" ALTERED_E ALTERED_P ALTERED_B,
         {"'f'", "minValue", "0"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT
         "- { fieldName: f, type: Float, scale: 2, mappingStrategy: FloatScaleBSI, minValue: 1, "
         "maxValue: 10 }\n" ALTERED_E ALTERED_P ALTERED_B,
         {"'f'", "maxValue", "10"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT
         "- { fieldName: f, type: Float, scale: 2, mappingStrategy: FloatScaleBSI, minValue: 1, "
         "maxValue: 9, required: true }\n" ALTERED_E ALTERED_P ALTERED_B,
         {"'f'", "required", "true"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F
         "- { fieldName: e, type: String, mappingStrategy: StringEnum, nonExclusive: true "
         "}\n" ALTERED_P ALTERED_B,
         {"'e'", "nonExclusive", "true"}},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E
         "- { fieldName: p, type: Integer, mappingStrategy: ParentRelation, foreignKey: q.k "
         "}\n" ALTERED_B,
         {"'p'", "foreignKey", "q.k"}},
        {ALTERED "- { fieldName: new, type: Integer, mappingStrategy: IntBSI, required: true }\n",
         {"'new'", "required", "NULL"}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error_info err;
        struct notices n;

        cr_expect_eq(alter(cases[i].yaml, &n, &err), -EINVAL, "case %zu", i);
        cr_expect(err.code == 1846 && strstr(err.text, "found") && strstr(err.text, "allowed"),
                  "case %zu: %d %s", i, err.code, err.text);
        for (unsigned k = 0; k < 3 && cases[i].words[k]; k++)
            cr_expect(strstr(err.text, cases[i].words[k]), "case %zu: '%s' is not in: %s", i,
                      cases[i].words[k], err.text);
    }
}

Test(schema, alter_allowed)
{
    static const struct {
        const char *yaml;
        unsigned notes;
        const char *word;
    } cases[] = {
        {ALTERED, 0, ""},
        {ALTERED_HEAD
         "selector: x\n" ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         1, "selector"},
        {ALTERED "- { fieldName: new, type: Integer, mappingStrategy: IntBSI }\n", 1,
         "addition is allowable"},
        {"tableName: t\nprimaryKey: ' a '\ntimeQuantumType: YMD\ntimeQuantumField: at\n" ALTERED_S
             ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         0, ""},
        {ALTERED_HEAD ALTERED_S ALTERED_AT ALTERED_A ALTERED_F ALTERED_E ALTERED_P ALTERED_B, 0,
         ""},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F
         "- { fieldName: e, type: String, mappingStrategy: StringEnum, values: [x, y], desc: "
         "other, "
         "defaultValue: y, sourceName: /f }\n" ALTERED_P ALTERED_B,
         4, "from 1 to 2"},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F ALTERED_E ALTERED_P
         "- { fieldName: b, type: Integer, mappingStrategy: IntBuckets, configuration: { bounds: "
         "'0,6' } }\n",
         1, "keep their values"},
        {ALTERED "- { sourceName: /x, childTable: y, mappingStrategy: ChildRelation }\n", 1,
         "ChildRelation"},
        {ALTERED_HEAD ALTERED_S
         "- { fieldName: a, type: Integer, mappingStrategy: IntBSI, columnID: true, maxLen: 3 "
         "}\n" ALTERED_AT ALTERED_F ALTERED_E ALTERED_P ALTERED_B,
         2, "columnID"},
        {ALTERED_HEAD ALTERED_S ALTERED_A ALTERED_AT ALTERED_F
         "- { fieldName: e, type: String, mappingStrategy: StringEnum, values: [x], desc: d, "
         "defaultValue: x, sourceName: /e, searchable: true }\n" ALTERED_P ALTERED_B,
         1, "searchable"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error_info err;
        struct notices n;

        cr_expect_eq(alter(cases[i].yaml, &n, &err), cases[i].notes ? 0 : 1, "case %zu: %s", i,
                     err.text);
        cr_expect_eq(n.count, cases[i].notes, "case %zu: %s", i, n.text);
        cr_expect(strstr(n.text, cases[i].word), "case %zu: %s", i, n.text);
    }
}

/* Columns keep their ids whatever their order; new ones never take one that was in use. */
Test(schema, ids_are_kept)
{
    struct schema *old =
        parse("tableName: t\nattributes:\n"
              "- { fieldName: a, id: 4, type: Integer, mappingStrategy: IntBSI }\n"
              "- { fieldName: b, id: 9, type: Integer, mappingStrategy: IntBSI }\n",
              NULL);
    struct schema *next = parse("tableName: t\nattributes:\n"
                                "- { fieldName: new, type: Integer, mappingStrategy: IntBSI }\n"
                                "- { fieldName: B, type: Integer, mappingStrategy: IntBSI }\n"
                                "- { fieldName: a, type: Integer, mappingStrategy: IntBSI }\n",
                                NULL);

    cr_assert_eq(schema_keep_ids(old, next), 0);
    cr_assert(next->columns[0].id == 10 && next->columns[1].id == 9 && next->columns[2].id == 4);
    cr_assert_eq(next->columns[3].id, SCHEMA_HIDDEN_KEY_ID);
    assert_round_trip(next);
    schema_put(old);
    schema_put(next);
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
