/* Programs from outside are checked before they run. */
#include "small_table.h"

static struct schema *schema;

static void setup(void)
{
    schema = small_schema();
}

static void teardown(void)
{
    schema_put(schema);
}

TestSuite(program, .init = setup, .fini = teardown);

static int check(const struct program *p)
{
    struct error_info err = {0};
    int rc = program_validate(p, schema, &err);

    cr_assert(rc == 0 || (rc == -EINVAL && err.text[0]));
    return rc;
}

static int check_where(const struct predicate *w)
{
    return check(&(struct program){.where = w, .output = OUTPUT_ROWS, .limit = 1});
}

Test(program, predicates_must_fit_their_columns)
{
    static const struct program_string s[2];

    cr_assert_eq(check_where(&(struct predicate){.kind = PREDICATE_RANGE, .column = NUM}), 0);
    cr_assert_eq(check_where(&(struct predicate){.kind = PREDICATE_RANGE, .column = KIND}),
                 -EINVAL);
    cr_assert_eq(check_where(&(struct predicate){.kind = PREDICATE_RANGE, .column = SMALL_COLUMNS}),
                 -EINVAL);
    cr_assert_eq(check_where(
                     &(struct predicate){.kind = PREDICATE_RANGE, .column = PROGRAM_PARENT + 1}),
                 -EINVAL);
    cr_assert_eq(check_where(&(struct predicate){.kind = PREDICATE_STRINGS, .column = NUM}),
                 -EINVAL);
    cr_assert_eq(check_where(&(struct predicate){
                     .kind = PREDICATE_STRING_RANGE, .column = KIND, .n = 1, .strings = s}),
                 -EINVAL);
    cr_assert_eq(check_where(&(struct predicate){
                     .kind = PREDICATE_STRING_RANGE, .column = KIND, .n = 2, .strings = s}),
                 0);
    cr_assert_eq(check_where(&(struct predicate){
                     .kind = PREDICATE_LIKE, .column = KIND, .n = 2, .strings = s}),
                 -EINVAL);
    cr_assert_eq(check_where(&(struct predicate){.kind = PREDICATE_NULL, .column = TAGS}), 0);
    cr_assert_eq(check_where(&(struct predicate){.kind = (enum predicate_kind)99, .column = NUM}),
                 -EINVAL);
}

Test(program, words_are_for_searchable_columns)
{
    static const struct program_string good[2] = {{"+a -\"b c\"", 9}, {"a", 1}},
                                       distance = {"\"a b\" @3", 8};
    struct predicate p = {.kind = PREDICATE_WORDS, .column = NAME, .n = 1, .strings = good};
    static char many[20000];
    struct program_string large = {many, sizeof many};

    memset(many, 'a', sizeof many);
    cr_assert_eq(check_where(&p), -EINVAL);
    schema->columns[NAME].searchable = schema->columns[NUM].searchable = true;
    cr_assert_eq(check_where(&p), 0);
    p.n = 2;
    cr_assert_eq(check_where(&p), -EINVAL);
    p.n = 1;
    p.column = NUM;
    cr_assert_eq(check_where(&p), -EINVAL);
    p.column = NAME;
    p.strings = &distance;
    cr_assert_eq(check_where(&p), -EINVAL);
    p.strings = &large;
    cr_assert_eq(check_where(&p), -EINVAL);
}

Test(program, nesting_has_a_limit)
{
    static struct predicate chain[100];
    static const struct predicate *child[100];

    for (unsigned i = 0; i < 99; i++) {
        child[i] = &chain[i + 1];
        chain[i] = (struct predicate){.kind = PREDICATE_AND, .n = 1, .children = &child[i]};
    }
    chain[99] = (struct predicate){.kind = PREDICATE_TRUE};
    cr_assert_eq(check_where(&chain[0]), -EINVAL);
    cr_assert_eq(check_where(&chain[50]), 0);
}

Test(program, columns_and_counts_have_limits)
{
    static const uint16_t columns[PROGRAM_MAX_GROUPS + 1], wrong[] = {SMALL_COLUMNS},
                                                           parent[] = {PROGRAM_PARENT + 1};
    static const struct aggregate aggregates[PROGRAM_MAX_AGGREGATES + 1];

    cr_assert_eq(check(&(struct program){.output = OUTPUT_GROUPS,
                                         .n_columns = PROGRAM_MAX_GROUPS,
                                         .columns = columns}),
                 0);
    cr_assert_eq(check(&(struct program){.output = OUTPUT_GROUPS,
                                         .n_columns = PROGRAM_MAX_GROUPS + 1,
                                         .columns = columns}),
                 -EINVAL);
    cr_assert_eq(check(&(struct program){.n_aggregates = PROGRAM_MAX_AGGREGATES + 1,
                                         .aggregates = aggregates}),
                 -EINVAL);
    cr_assert_eq(check(&(struct program){
                     .output = OUTPUT_ROWS, .n_columns = 1, .columns = wrong, .limit = 1}),
                 -EINVAL);
    cr_assert_eq(check(&(struct program){
                     .output = OUTPUT_ROWS, .n_columns = 1, .columns = parent, .limit = 1}),
                 -EINVAL);
}

static int check_aggregate(enum aggregate_kind kind, uint16_t column)
{
    struct aggregate a = {kind, column};

    return check(&(struct program){.output = OUTPUT_GROUPS, .n_aggregates = 1, .aggregates = &a});
}

Test(program, aggregates_must_fit_their_columns)
{
    cr_assert_eq(check_aggregate(AGGREGATE_COUNT_ROWS, 12345), 0);
    cr_assert_eq(check_aggregate(AGGREGATE_COUNT, TAGS), 0);
    cr_assert_eq(check_aggregate(AGGREGATE_COUNT, 99), -EINVAL);
    cr_assert_eq(check_aggregate(AGGREGATE_SUM, NUM), 0);
    cr_assert_eq(check_aggregate(AGGREGATE_SUM, KIND), -EINVAL);
    cr_assert_eq(check_aggregate(AGGREGATE_MIN, KIND), 0);
    cr_assert_eq(check_aggregate(AGGREGATE_MAX, TAGS), -EINVAL);
    cr_assert_eq(check_aggregate((enum aggregate_kind)77, NUM), -EINVAL);
}

static int check_computed(const struct program_computed *c, uint16_t n, uint16_t at)
{
    struct aggregate a = {AGGREGATE_SUM, (uint16_t)(PROGRAM_COMPUTED + at)};

    return check(&(struct program){.output = OUTPUT_GROUPS,
                                   .n_computed = n,
                                   .computed = c,
                                   .n_aggregates = 1,
                                   .aggregates = &a});
}

Test(program, computed_values_are_made_of_numbers_and_earlier_ones)
{
    struct program_computed c[] = {
        {COMPUTED_MULTIPLY, {{NUM, 1}, {PROGRAM_CONSTANT, 5}}},
        {COMPUTED_SUBTRACT, {{PROGRAM_COMPUTED, 100}, {NUM, 1}}},
    };

    cr_assert_eq(check_computed(c, 2, 1), 0);
    cr_assert_eq(check_computed(c, 2, 2), -EINVAL); /* there is none */
    c[1].operands[0].column = PROGRAM_COMPUTED + 1; /* itself */
    cr_assert_eq(check_computed(c, 2, 1), -EINVAL);
    c[1].operands[0].column = KIND;
    cr_assert_eq(check_computed(c, 2, 1), -EINVAL);
    c[1].operands[0].column = PROGRAM_PARENT + 1; /* without a join */
    cr_assert_eq(check_computed(c, 2, 1), -EINVAL);
    c[0].kind = (enum computed_kind)3;
    cr_assert_eq(check_computed(c, 1, 0), -EINVAL);

    /* Only aggregates have them. */
    uint16_t column = PROGRAM_COMPUTED;
    c[0].kind = COMPUTED_ADD;
    cr_assert_eq(check(&(struct program){.output = OUTPUT_ROWS,
                                         .n_computed = 1,
                                         .computed = c,
                                         .n_columns = 1,
                                         .columns = &column,
                                         .limit = 1}),
                 -EINVAL);
}

Test(program, computed_values_that_double_have_a_limit)
{
    struct program_computed c[PROGRAM_MAX_COMPUTED];

    for (uint16_t i = 0; i < PROGRAM_MAX_COMPUTED; i++) {
        uint16_t below = (uint16_t)(i ? PROGRAM_COMPUTED + i - 1 : NUM);
        c[i] = (struct program_computed){COMPUTED_ADD, {{below, 1}, {below, 1}}};
    }
    cr_assert_eq(check_computed(c, PROGRAM_MAX_COMPUTED, 4), 0);
    cr_assert_eq(check_computed(c, PROGRAM_MAX_COMPUTED, PROGRAM_MAX_COMPUTED - 1), -EINVAL);
}

Test(program, orders_need_a_limit_and_an_output)
{
    static const uint16_t columns[] = {NUM, TAGS};
    struct program_order order = {0, false};
    struct program p = {.output = OUTPUT_ROWS,
                        .n_columns = 2,
                        .columns = columns,
                        .n_order = 1,
                        .order = &order,
                        .limit = 5};

    cr_assert_eq(check(&p), 0);
    p.limit = UINT64_MAX;
    cr_assert_eq(check(&p), -EINVAL);
    p.limit = 5;
    order.output = 2;
    cr_assert_eq(check(&p), -EINVAL);
    order.output = 1;
    cr_assert_eq(check(&p), -EINVAL, "no order by lists");
}

Test(program, kinds_of_output_columns)
{
    static const uint16_t columns[] = {NUM, KIND, TAGS};
    static const struct aggregate a[] = {{AGGREGATE_COUNT, KIND},
                                         {AGGREGATE_SUM, NUM},
                                         {AGGREGATE_MIN, NUM},
                                         {AGGREGATE_MAX, NAME}};
    struct program p = {.output = OUTPUT_ROWS,
                        .n_columns = 3,
                        .columns = columns,
                        .n_aggregates = 4,
                        .aggregates = a};

    cr_assert_eq(program_output_kind(&p, schema, 0), BATCH_I64);
    cr_assert_eq(program_output_kind(&p, schema, 1), BATCH_BYTES);
    cr_assert_eq(program_output_kind(&p, schema, 2), BATCH_LIST);
    p.output = OUTPUT_GROUPS;
    cr_assert_eq(program_output_kind(&p, schema, 2), BATCH_BYTES, "a group per value");
    cr_assert_eq(program_output_kind(&p, schema, 3), BATCH_I64);
    cr_assert_eq(program_output_kind(&p, schema, 4), BATCH_I128);
    cr_assert_eq(program_output_kind(&p, schema, 5), BATCH_I64);
    cr_assert_eq(program_output_kind(&p, schema, 6), BATCH_BYTES);
}
