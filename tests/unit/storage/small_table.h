#pragma once
/*
 * A slot with a few rows whose values follow from their number, for tests of what works on it: row i has
 * id i, num 3 * i - 100 (NULL for every 10th), kind "k<i % 5>" (NULL for every 11th), name "n<i % 100>",
 * tags of i % 4 values "t0", "t1", "t2", flag i % 2.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/budget.h"
#include "storage/program.h"
#include "storage/segment.h"
#include "storage/selection.h"
#include "storage/slot.h"

enum { ID, NUM, KIND, NAME, TAGS, FLAG, SMALL_COLUMNS };

struct small_table {
    struct schema *schema;
    struct slot *slot;
    struct arena arena;
    uint32_t rows;
};

static inline bool small_has_num(uint32_t i)
{
    return i % 10 != 0;
}

static inline int64_t small_num(uint32_t i)
{
    return (int64_t)i * 3 - 100;
}

static inline bool small_has_kind(uint32_t i)
{
    return i % 11 != 0;
}

static inline struct schema *small_schema(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "num", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    struct column *tags = schema_add_column(s, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = true;
    tags->delim = ',';
    schema_add_column(s, "flag", COLUMN_BOOL, MAPPING_BOOL_DIRECT);
    s->primary_key = strdup("id");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    s->table_id = 1;
    return s;
}

static inline void small_put(struct batch_builder *b, unsigned column, const char *fmt, uint32_t n)
{
    char text[24];

    snprintf(text, sizeof(text), fmt, n);
    cr_assert_eq(batch_builder_put_bytes(b, column, text, (uint32_t)strlen(text)), 0);
}

static inline void small_row(struct batch_builder *b, uint32_t i)
{
    char tag[8];

    batch_builder_put_i64(b, ID, i);
    if (small_has_num(i))
        batch_builder_put_i64(b, NUM, small_num(i));
    if (small_has_kind(i))
        small_put(b, KIND, "k%u", i % 5);
    small_put(b, NAME, "n%u", i % 100);
    for (uint32_t k = 0; k < i % 4; k++) {
        snprintf(tag, sizeof(tag), "t%u", k);
        batch_builder_put_list_item(b, TAGS, tag, 2);
    }
    batch_builder_put_i64(b, FLAG, i % 2);
    cr_assert_eq(batch_builder_end_row(b), 0);
}

static inline struct batch_builder *small_builder(const struct schema *s)
{
    static const enum batch_kind kinds[SMALL_COLUMNS] = {BATCH_I64,   BATCH_I64,  BATCH_BYTES,
                                                         BATCH_BYTES, BATCH_LIST, BATCH_I64};
    struct batch_builder *b = batch_builder_new(NULL);

    for (unsigned i = 0; i < SMALL_COLUMNS; i++)
        cr_assert_eq(batch_builder_add_column(b, s->columns[i].id, kinds[i], 0), (int)i);
    return b;
}

/* Finishes b into bytes (initialized here) and opens it. */
static inline void small_finish(struct batch_builder *b, enum batch_op op, struct buffer *bytes,
                                struct batch *out)
{
    struct error_info err;

    buffer_init(bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 1, BATCH_SLOT_ANY, bytes), 0);
    cr_assert_eq(batch_open(bytes->data, bytes->len, out, &err), 0, "%s", err.text);
}

static inline void small_init(struct small_table *t, uint32_t rows)
{
    struct write_result result;
    struct buffer bytes;
    struct batch batch;

    t->schema = small_schema();
    t->rows = rows;
    arena_init(&t->arena, 64 << 20, NULL);
    cr_assert_eq(slot_new(t->schema, 0, 42, NULL, &t->slot), 0);
    struct batch_builder *b = small_builder(t->schema);
    for (uint32_t i = 0; i < rows; i++)
        small_row(b, i);
    small_finish(b, BATCH_INSERT, &bytes, &batch);
    cr_assert_eq(slot_apply(t->slot, &batch, &result), 0);
    cr_assert_eq(result.inserted, rows);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

static inline void small_fini(struct small_table *t)
{
    slot_free(t->slot);
    schema_put(t->schema);
    arena_fini(&t->arena);
}

/* The only block, and a selection of all its rows. */
static inline void small_block(struct small_table *t, struct block *b, uint64_t *sel)
{
    cr_assert_eq(slot_segments(t->slot), 1);
    cr_assert_eq(segment_block(slot_segment(t->slot, 0), 0, NULL, b), BLOCK_READY);
    selection_fill(sel, 0, b->rows);
}
