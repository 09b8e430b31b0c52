/* Shard programs through the wire form and back; what is malformed is refused with a text. */
#include "rpc/program_codec.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/grpc_proto.h"

static struct schema *table(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM)->searchable = true;
    schema_add_column(s, "at", COLUMN_DATETIME, MAPPING_SYS_MILLIS_BSI);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    return s;
}

/* Encodes, packs, unpacks and decodes with the bounds of the server. */
static int there_and_back(const struct program *p, const struct schema *s, struct arena *a,
                          struct program *out, struct error_info *err)
{
    Quanta__ShardProgram m, *got;

    cr_assert_eq(program_encode(p, a, &m), 0);
    size_t n = quanta__shard_program__get_packed_size(&m);
    uint8_t *bytes = malloc(n);
    quanta__shard_program__pack(&m, bytes);
    got = grpc_proto_unpack_arena(&quanta__shard_program__descriptor, bytes, n, a);
    free(bytes);
    cr_assert(got);
    return program_decode(got, s, a, out, err);
}

static bool same_predicate(const struct predicate *x, const struct predicate *y)
{
    if (x->kind != y->kind || x->negate != y->negate || x->column != y->column || x->n != y->n ||
        x->lo != y->lo || x->hi != y->hi || x->lo_open != y->lo_open || x->hi_open != y->hi_open ||
        x->escape != y->escape)
        return false;
    for (uint32_t i = 0; i < x->n; i++) {
        if (x->children && !same_predicate(x->children[i], y->children[i]))
            return false;
        if (x->ints && x->ints[i] != y->ints[i])
            return false;
        if (x->strings && (x->strings[i].len != y->strings[i].len ||
                           (x->strings[i].len != UINT32_MAX &&
                            memcmp(x->strings[i].bytes, y->strings[i].bytes, x->strings[i].len))))
            return false;
    }
    return true;
}

Test(program_codec, every_kind_of_predicate)
{
    static const int64_t ints[] = {INT64_MIN, -1, 0, 77, INT64_MAX};
    static const struct program_string strings[] = {{"", 0}, {"a\0b", 3}, {"z\xc3\xa4", 3}},
                                       bounds[] = {{"b", 1}, {"", UINT32_MAX}},
                                       pattern[] = {{"a%b_", 4}}, words[] = {{"+a b*", 5}};
    struct predicate leaves[] = {
        {.kind = PREDICATE_TRUE},
        {.kind = PREDICATE_FALSE},
        {.kind = PREDICATE_RANGE, .column = 0, .lo = INT64_MIN, .hi = 5, .negate = true},
        {.kind = PREDICATE_INTS, .column = 2, .n = 5, .ints = ints},
        {.kind = PREDICATE_STRINGS, .column = 1, .n = 3, .strings = strings},
        {.kind = PREDICATE_STRING_RANGE, .column = 1, .n = 2, .strings = bounds, .lo_open = true},
        {.kind = PREDICATE_LIKE, .column = 1, .n = 1, .strings = pattern, .escape = (char)0xff},
        {.kind = PREDICATE_NULL, .column = 1, .negate = true},
        {.kind = PREDICATE_WORDS, .column = 1, .n = 1, .strings = words, .negate = true},
    };
    const struct predicate *or_children[] = {&leaves[2], &leaves[3], &leaves[4], &leaves[7]};
    struct predicate or = {.kind = PREDICATE_OR, .n = 4, .children = or_children};
    const struct predicate *children[] = {&leaves[0], & or,       &leaves[1],
                                          &leaves[5], &leaves[6], &leaves[8]};
    struct predicate and = {.kind = PREDICATE_AND, .n = 6, .children = children};
    static const uint16_t columns[] = {1, 2};
    static const struct aggregate aggregates[] = {{AGGREGATE_COUNT_ROWS, 0},
                                                  {AGGREGATE_SUM, 0},
                                                  {AGGREGATE_MAX, 2}};
    struct program p = {.table_id = 3,
                        .catalog_version = 9,
                        .where = &and,
                        .output = OUTPUT_GROUPS,
                        .n_columns = 2,
                        .columns = columns,
                        .n_aggregates = 3,
                        .aggregates = aggregates,
                        .limit = UINT64_MAX,
                        .memory = 12345,
                        .analyze = true},
                   q;
    struct schema *s = table();
    struct error_info err;
    struct arena a;

    arena_init(&a, 1 << 20, NULL);
    cr_assert_eq(there_and_back(&p, s, &a, &q, &err), 0, "%s", err.text);
    cr_assert(q.table_id == 3 && q.catalog_version == 9 && q.limit == UINT64_MAX &&
              q.memory == 12345 && q.analyze);
    cr_assert(q.output == OUTPUT_GROUPS && q.n_columns == 2 && q.columns[0] == 1 &&
              q.columns[1] == 2);
    cr_assert(q.n_aggregates == 3 && q.aggregates[1].kind == AGGREGATE_SUM &&
              q.aggregates[2].column == 2);
    cr_assert(same_predicate(&and, q.where));
    arena_fini(&a);
    schema_put(s);
}

Test(program_codec, rows_order_and_join)
{
    static const uint16_t columns[] = {0, PROGRAM_PARENT + 1};
    static const struct program_order order[] = {{1, true}, {0, false}};
    struct batch_builder *b = batch_builder_new(NULL);
    struct buffer bytes;
    struct batch parents;
    struct program_join join = {.column = 0, .left = true, .parents = &parents};
    struct program p = {.table_id = 3,
                        .n_joins = 1,
                        .joins = &join,
                        .output = OUTPUT_ROWS,
                        .n_columns = 2,
                        .columns = columns,
                        .n_order = 2,
                        .order = order,
                        .limit = 10},
                   q;
    struct schema *s = table();
    struct error_info err;
    struct arena a;

    batch_builder_add_column(b, 0, BATCH_I64, 0);
    batch_builder_add_column(b, 1, BATCH_BYTES, 0);
    batch_builder_put_i64(b, 0, 42);
    batch_builder_put_bytes(b, 1, "x", 1);
    batch_builder_end_row(b);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_DATA, 1, BATCH_SLOT_ANY, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &parents, &err), 0);
    arena_init(&a, 1 << 20, NULL);
    cr_assert_eq(there_and_back(&p, s, &a, &q, &err), 0, "%s", err.text);
    cr_assert(q.n_joins == 1 && q.joins[0].left && q.joins[0].parents->rows == 1 &&
              q.joins[0].parents->columns == 2);
    cr_assert(q.n_order == 2 && q.order[0].output == 1 && q.order[0].descending && q.limit == 10);
    arena_fini(&a);
    buffer_fini(&bytes);
    batch_builder_free(b);
    schema_put(s);
}

Test(program_codec, computed_values)
{
    static const struct program_computed computed[] = {
        {COMPUTED_SUBTRACT, {{PROGRAM_CONSTANT, INT64_MIN}, {0, 10}}},
        {COMPUTED_MULTIPLY, {{PROGRAM_COMPUTED, -1}, {0, INT64_MAX}}},
    };
    static const struct aggregate aggregate = {AGGREGATE_SUM, PROGRAM_COMPUTED + 1};
    struct program p = {.output = OUTPUT_GROUPS,
                        .n_computed = 2,
                        .computed = computed,
                        .n_aggregates = 1,
                        .aggregates = &aggregate},
                   q;
    struct schema *s = table();
    struct error_info err;
    struct arena a;

    arena_init(&a, 1 << 20, NULL);
    cr_assert_eq(there_and_back(&p, s, &a, &q, &err), 0, "%s", err.text);
    cr_assert_eq(q.n_computed, 2);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(q.computed[i].kind, computed[i].kind);
        for (unsigned k = 0; k < 2; k++)
            cr_assert(q.computed[i].operands[k].column == computed[i].operands[k].column &&
                      q.computed[i].operands[k].factor == computed[i].operands[k].factor);
    }
    arena_fini(&a);
    schema_put(s);
}

static int decode(Quanta__ShardProgram *m, struct error_info *err)
{
    struct schema *s = table();
    struct program p;
    struct arena a;

    arena_init(&a, 1 << 20, NULL);
    int rc = program_decode(m, s, &a, &p, err);
    arena_fini(&a);
    schema_put(s);
    return rc;
}

Test(program_codec, malformed_ones_are_refused)
{
    Quanta__ShardProgram m = QUANTA__SHARD_PROGRAM__INIT;
    Quanta__Predicate w[100], *list[100];
    int64_t ints[] = {3, 2};
    uint32_t columns[] = {0, 70000};
    struct error_info err;

    for (int i = 0; i < 100; i++) {
        quanta__predicate__init(&w[i]);
        list[i] = &w[i];
    }
    m.where = list;
    m.n_where = 2;
    cr_assert_neq(decode(&m, &err), 0, "a predicate beside the tree");
    w[0].kind = QUANTA__PREDICATE__KIND__AND;
    w[0].children = 3;
    cr_assert_neq(decode(&m, &err), 0, "more children than predicates");
    w[0].children = UINT32_MAX;
    cr_assert_neq(decode(&m, &err), 0);
    w[0].children = 1;
    cr_assert_eq(decode(&m, &err), 0, "%s", err.text);
    for (int i = 0; i < 99; i++) {
        w[i].kind = QUANTA__PREDICATE__KIND__OR;
        w[i].children = 1;
    }
    m.n_where = 100;
    cr_assert_neq(decode(&m, &err), 0, "too deep");
    m.n_where = 1;
    w[0] = w[99];
    w[0].kind = 99;
    cr_assert_neq(decode(&m, &err), 0, "unknown kind");
    w[0].kind = QUANTA__PREDICATE__KIND__INTS;
    w[0].n_ints = 2;
    w[0].ints = ints;
    cr_assert_neq(decode(&m, &err), 0, "not ascending");
    m.n_where = 0;
    m.n_columns = 2;
    m.columns = columns;
    cr_assert_neq(decode(&m, &err), 0, "no such column");
    columns[1] = 1;
    cr_assert_eq(decode(&m, &err), 0, "%s", err.text);
    columns[1] = 3;
    cr_assert_neq(decode(&m, &err), 0, "no such column");
}

Test(program_codec, memory_of_a_decoded_message_is_bounded)
{
    enum { N = 1 << 20 };
    uint8_t *bytes = malloc(N);
    struct arena a;

    /* empty predicates: two bytes on the wire, a hundred and more in memory */
    for (size_t i = 0; i < N; i += 2) {
        bytes[i] = 3 << 3 | 2;
        bytes[i + 1] = 0;
    }
    arena_init(&a, 16 << 20, NULL);
    cr_assert_null(grpc_proto_unpack_arena(&quanta__shard_program__descriptor, bytes, N, &a));
    cr_assert_leq(a.used, 16U << 20);
    arena_fini(&a);
    cr_assert_null(grpc_proto_unpack(&quanta__shard_program__descriptor, bytes, N, 16 << 20));
    free(bytes);
}
