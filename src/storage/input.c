#include "storage/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/selection.h"

/* An operand that is the same in all rows: filled once. */
static int init_constant(struct input *in, int64_t value, uint32_t rows, struct arena *arena)
{
    in->values = arena_alloc_raw(arena, rows * sizeof(*in->values));
    in->present = arena_alloc_raw(arena, rows);
    if (!in->values || !in->present)
        return -ENOMEM;
    for (uint32_t i = 0; i < rows; i++)
        in->values[i] = value;
    memset(in->present, 1, rows);
    return 0;
}

static int init_computed(struct input *in, const struct program *p, const struct schema *s,
                         struct join_map *const *joins, uint32_t rows, struct arena *arena)
{
    int rc = 0;

    in->computed = &p->computed[in->ref - PROGRAM_COMPUTED];
    in->kind = BATCH_I64;
    in->operands = arena_alloc(arena, 2 * sizeof(*in->operands));
    if (!in->operands)
        return -ENOMEM;
    for (unsigned i = 0; i < 2 && !rc; i++) {
        const struct program_operand *o = &in->computed->operands[i];

        rc = o->column == PROGRAM_CONSTANT
                 ? init_constant(&in->operands[i], o->factor, rows, arena)
                 : input_init(&in->operands[i], p, s, joins, o->column, rows, arena);
    }
    return rc;
}

int input_init(struct input *in, const struct program *p, const struct schema *s,
               struct join_map *const *joins, uint16_t ref, uint32_t rows, struct arena *arena)
{
    memset(in, 0, sizeof(*in));
    in->ref = ref;
    in->values = arena_alloc_raw(arena, rows * sizeof(*in->values));
    in->present = arena_alloc_raw(arena, rows);
    if (!in->values || !in->present)
        return -ENOMEM;
    if (ref >= PROGRAM_COMPUTED)
        return init_computed(in, p, s, joins, rows, arena);
    if (ref >= PROGRAM_PARENT) {
        in->join = program_ref_join(ref);
        in->attribute = &joins[in->join]->attributes[program_ref_attribute(ref)];
        in->kind = in->attribute->kind;
        in->coded = in->kind == BATCH_BYTES;
        in->dict = in->coded ? in->attribute->dict : NULL;
        return 0;
    }
    in->column = &s->columns[ref];
    in->coded = in->column->layout != LAYOUT_ORDERED;
    in->list = in->column->layout == LAYOUT_LIST;
    in->kind = in->list ? BATCH_LIST : in->column->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
    return 0;
}

void input_bind(struct input *in, const struct slot *slot)
{
    for (unsigned i = 0; in->computed && i < 2; i++)
        if (in->computed->operands[i].column != PROGRAM_CONSTANT)
            input_bind(&in->operands[i], slot);
    if (in->ref >= PROGRAM_PARENT)
        return;
    in->dict = slot_dict(slot, in->ref);
    in->lists = in->list ? slot_list_dict(slot, in->ref) : NULL;
}

int input_code_parent(struct input *in, struct join_map *const *joins, struct arena *arena,
                      struct budget *budget)
{
    int rc = join_map_code(joins[in->join], program_ref_attribute(in->ref), arena, budget);

    in->coded = !rc;
    in->dict = in->attribute->dict;
    return rc;
}

static void read_parent(struct input *in, const uint32_t *rows, uint32_t n)
{
    const int64_t *values = in->coded ? in->attribute->codes : in->attribute->values;
    const uint8_t *present = in->attribute->present;

    for (uint32_t i = 0; i < n; i++) {
        in->present[i] = present[rows[i]];
        in->values[i] = values[rows[i]];
    }
}

/* An operand's values by its factor, NULLs as 0: true when one is beyond 64 bits. */
static bool scale(struct input *in, int64_t factor, uint32_t n)
{
    bool beyond = false;

    for (uint32_t i = 0; i < n; i++)
        beyond |=
            __builtin_mul_overflow(in->present[i] ? in->values[i] : 0, factor, &in->values[i]);
    return beyond;
}

static bool combine(enum computed_kind kind, const int64_t *a, const int64_t *b, uint32_t n,
                    int64_t *out)
{
    bool beyond = false;

    if (kind == COMPUTED_ADD)
        for (uint32_t i = 0; i < n; i++)
            beyond |= __builtin_add_overflow(a[i], b[i], &out[i]);
    else if (kind == COMPUTED_SUBTRACT)
        for (uint32_t i = 0; i < n; i++)
            beyond |= __builtin_sub_overflow(a[i], b[i], &out[i]);
    else
        for (uint32_t i = 0; i < n; i++)
            beyond |= __builtin_mul_overflow(a[i], b[i], &out[i]);
    return beyond;
}

static void read_computed(struct input *in, const struct block *b, const uint64_t *sel,
                          uint32_t *const *parent_rows, uint32_t n)
{
    struct input *x = &in->operands[0], *y = &in->operands[1];

    for (unsigned k = 0; k < 2; k++) {
        const struct program_operand *o = &in->computed->operands[k];

        if (o->column == PROGRAM_CONSTANT)
            continue;
        input_read(&in->operands[k], b, sel, parent_rows, n);
        in->out_of_range |= in->operands[k].out_of_range;
        in->out_of_range |= scale(&in->operands[k], o->factor, n);
    }
    in->out_of_range |= combine(in->computed->kind, x->values, y->values, n, in->values);
    for (uint32_t i = 0; i < n; i++)
        in->present[i] = x->present[i] & y->present[i];
}

uint32_t input_read(struct input *in, const struct block *b, const uint64_t *sel,
                    uint32_t *const *parent_rows, uint32_t n)
{
    if (in->computed) {
        read_computed(in, b, sel, parent_rows, n);
        return n;
    }
    if (in->ref >= PROGRAM_PARENT) {
        read_parent(in, parent_rows[in->join], n);
        return n;
    }
    if (!b->columns[in->ref]) {
        memset(in->present, 0, n);
        memset(in->values, 0, n * sizeof(*in->values));
        return n;
    }
    return colblock_decode(b->columns[in->ref], sel, in->values, in->present);
}

void input_read_rows(struct input *in, const struct block *b, const uint64_t *sel,
                     const uint16_t *rows, uint32_t n)
{
    const struct colblock *c =
        in->ref < PROGRAM_PARENT && !in->computed ? b->columns[in->ref] : NULL;

    if (!c) {
        (void)input_read(in, b, sel, NULL, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        in->values[i] = 0;
        in->present[i] = colblock_get(c, rows[i], &in->values[i]);
    }
}

struct cell input_cell_of(const struct input *in, int64_t value, bool present)
{
    struct cell c = {.present = present};

    if (!present)
        return c;
    if (!in->coded)
        c.i64 = value;
    else if (in->kind == BATCH_I64)
        c.i64 = dict_int(in->dict, (uint32_t)value);
    else
        c.bytes = dict_bytes(in->dict, (uint32_t)value, &c.len);
    return c;
}

struct cell input_cell(const struct input *in, uint32_t i)
{
    return input_cell_of(in, in->values[i], in->present[i]);
}
