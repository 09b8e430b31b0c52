#include "storage/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/selection.h"

/* Values of one attribute column: int64 as they are, bytes as codes of a dictionary made here. */
static int read_attribute(struct join_map *m, unsigned i, struct arena *arena,
                          struct budget *budget)
{
    struct batch_column c;

    batch_column_at(m->join->parents, i, &c);
    m->values[i] = arena_alloc(arena, (size_t)c.rows * sizeof(int64_t) + 8);
    if (!m->values[i])
        return -ENOMEM;
    if (c.kind == BATCH_I64) {
        batch_read_i64(&c, 0, c.rows, m->values[i]);
        return 0;
    }
    m->attributes[i] = dict_new(DICT_BYTES, 0, budget);
    if (!m->attributes[i])
        return -ENOMEM;
    for (uint32_t row = 0; row < c.rows; row++) {
        uint32_t len, code = 0;
        if (!batch_is_present(&c, row))
            continue;
        const char *s = batch_bytes(&c, row, &len);
        int rc = dict_put_bytes(m->attributes[i], s, len, &code);
        if (rc)
            return rc;
        m->values[i][row] = code;
    }
    return 0;
}

static int read_int_keys(struct join_map *m, const struct batch_column *key, struct arena *arena,
                         struct budget *budget)
{
    m->int_keys = dict_new(DICT_INT, 0, budget);
    m->int_rows = arena_alloc(arena, (size_t)key->rows * sizeof(uint32_t) + 8);
    if (!m->int_keys || !m->int_rows)
        return -ENOMEM;
    for (uint32_t row = 0; row < key->rows; row++) {
        uint32_t code;
        if (!batch_is_present(key, row))
            continue;
        int rc = dict_put_int(m->int_keys, batch_i64(key, row), &code);
        if (rc)
            return rc;
        m->int_rows[code] = row;
    }
    return 0;
}

int join_map_new(const struct program_join *join, struct arena *arena, struct budget *budget,
                 struct join_map **out)
{
    struct join_map *m = arena_alloc(arena, sizeof(*m));
    unsigned n = join->parents->columns;
    struct batch_column key;
    int rc = 0;

    *out = m;
    if (!m)
        return -ENOMEM;
    m->join = join;
    m->attributes = arena_alloc(arena, n * sizeof(*m->attributes));
    m->values = arena_alloc(arena, n * sizeof(*m->values));
    if (!m->attributes || !m->values)
        return -ENOMEM;
    for (unsigned i = 1; i < n && !rc; i++)
        rc = read_attribute(m, i, arena, budget);
    batch_column_at(join->parents, 0, &key);
    if (!rc && key.kind == BATCH_I64)
        rc = read_int_keys(m, &key, arena, budget);
    return rc;
}

void join_map_free(struct join_map *m)
{
    if (!m)
        return;
    for (unsigned i = 1; m->attributes && i < m->join->parents->columns; i++)
        dict_free(m->attributes[i]);
    dict_free(m->int_keys);
}

int join_map_bind(struct join_map *m, const struct slot *slot, struct arena *arena)
{
    const struct dict *d = slot_dict(slot, m->join->column);
    struct batch_column key;

    m->row_of_code = NULL;
    if (!d)
        return 0;
    m->dict = d;
    m->n_codes = dict_count(d);
    m->row_of_code = arena_alloc(arena, (size_t)m->n_codes * sizeof(uint32_t) + 8);
    if (!m->row_of_code)
        return -ENOMEM;
    batch_column_at(m->join->parents, 0, &key);
    for (uint32_t row = 0; row < key.rows; row++) {
        uint32_t len, code;
        if (!batch_is_present(&key, row))
            continue;
        bool found;
        if (key.kind == BATCH_BYTES) {
            const char *s = batch_bytes(&key, row, &len);
            found = dict_find_bytes(d, s, len, &code);
        } else {
            found = dict_find_int(d, batch_i64(&key, row), &code);
        }
        if (found && code < m->n_codes)
            m->row_of_code[code] = row + 1;
    }
    return 0;
}

/* A row got a relation value that the slot did not know at join_map_bind: rare, so without a map. */
static uint32_t search_parent(const struct join_map *m, uint32_t code)
{
    struct batch_column key;
    uint32_t found = 0;

    batch_column_at(m->join->parents, 0, &key);
    for (uint32_t row = 0; row < key.rows; row++) {
        uint32_t len, want_len;
        if (!batch_is_present(&key, row))
            continue;
        if (key.kind == BATCH_I64) {
            if (batch_i64(&key, row) == dict_int(m->dict, code))
                found = row + 1;
            continue;
        }
        const char *s = batch_bytes(&key, row, &len), *want = dict_bytes(m->dict, code, &want_len);
        if (len == want_len && !memcmp(s, want, len))
            found = row + 1;
    }
    return found;
}

static uint32_t find_parent(const struct join_map *m, int64_t value)
{
    uint32_t code;

    if (m->row_of_code)
        return value < m->n_codes ? m->row_of_code[value] : search_parent(m, (uint32_t)value);
    return m->int_keys && dict_find_int(m->int_keys, value, &code) ? m->int_rows[code] + 1 : 0;
}

uint32_t join_map_rows(const struct join_map *m, const struct block *b, const uint64_t *sel,
                       uint32_t *rows)
{
    const struct colblock *c = b->columns[m->join->column];
    int64_t values[SCAN_WINDOW];
    uint8_t present[SCAN_WINDOW];

    if (!c) {
        uint32_t n = selection_count(sel);
        memset(rows, 0, n * sizeof(*rows));
        return n;
    }
    uint32_t n = colblock_decode(c, sel, values, present);
    for (uint32_t i = 0; i < n; i++)
        rows[i] = present[i] ? find_parent(m, values[i]) : 0;
    return n;
}

int input_init(struct input *in, const struct schema *s, const struct join_map *m, uint16_t ref,
               uint32_t rows, struct arena *arena)
{
    memset(in, 0, sizeof(*in));
    in->ref = ref;
    in->values = arena_alloc(arena, rows * sizeof(*in->values));
    in->present = arena_alloc(arena, rows);
    if (!in->values || !in->present)
        return -ENOMEM;
    if (ref >= PROGRAM_PARENT) {
        in->dict = m->attributes[ref - PROGRAM_PARENT];
        in->coded = in->dict != NULL;
        in->kind = in->coded ? BATCH_BYTES : BATCH_I64;
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
    if (in->ref >= PROGRAM_PARENT)
        return;
    in->dict = slot_dict(slot, in->ref);
    in->lists = in->list ? slot_list_dict(slot, in->ref) : NULL;
}

static void read_parent(struct input *in, const struct join_map *m, const uint32_t *parent_rows,
                        uint32_t n)
{
    struct batch_column c;
    unsigned at = in->ref - PROGRAM_PARENT;

    batch_column_at(m->join->parents, at, &c);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = parent_rows[i];
        in->present[i] = row && batch_is_present(&c, row - 1);
        in->values[i] = in->present[i] ? m->values[at][row - 1] : 0;
    }
}

uint32_t input_read(struct input *in, const struct block *b, const uint64_t *sel,
                    const struct join_map *m, const uint32_t *parent_rows, uint32_t n)
{
    if (in->ref >= PROGRAM_PARENT) {
        read_parent(in, m, parent_rows, n);
        return n;
    }
    if (!b->columns[in->ref]) {
        memset(in->present, 0, n);
        memset(in->values, 0, n * sizeof(*in->values));
        return n;
    }
    return colblock_decode(b->columns[in->ref], sel, in->values, in->present);
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
