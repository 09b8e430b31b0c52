#include "storage/join_map.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/selection.h"
#include "storage/text_codes.h"

enum {
    KEYS_PER_PARENT = 16,    /* a direct map may have this many entries per parent, */
    KEYS_ALWAYS = 512 << 10, /* or this many: 2 MiB, which stay in L2 */
    KEYS_STEP = 512,         /* read at a time */
};

/* Codes of texts, one after the other. */
static int read_texts(struct join_attribute *a, const struct batch_column *c)
{
    struct text_codes codes;

    text_codes_init(&codes, a->dict);
    for (uint32_t row = 0; row < c->rows; row++) {
        uint32_t len, code;
        a->values[row + 1] = 0;
        if (!batch_is_present(c, row))
            continue;
        const char *s = batch_bytes(c, row, &len);
        int rc = text_codes_put(&codes, s, len, &code);
        if (rc)
            return rc;
        a->values[row + 1] = code;
    }
    return 0;
}

/* Codes of a column that has some: its values may be equal, those of the dictionary are not. */
static int read_codes(struct join_attribute *a, const struct batch_column *c, struct arena *arena)
{
    uint32_t *map = arena_alloc_raw(arena, (size_t)c->n_values * sizeof(*map) + 8);
    uint32_t len, codes[KEYS_STEP];

    if (!map)
        return -ENOMEM;
    for (uint32_t i = 0; i < c->n_values; i++) {
        const char *s = batch_value(c, i, &len);
        int rc = dict_put_bytes(a->dict, s, len, &map[i]);
        if (rc)
            return rc;
    }
    for (uint32_t from = 0, n; from < c->rows; from += n) {
        n = c->rows - from < KEYS_STEP ? c->rows - from : KEYS_STEP;
        batch_read_codes(c, from, n, codes);
        for (uint32_t i = 0; i < n; i++)
            a->values[from + i + 1] = map[codes[i]];
    }
    return 0;
}

/* Values of one attribute column: int64 as they are, bytes as codes of a dictionary made here. */
static int read_attribute(struct join_map *m, unsigned i, struct arena *arena,
                          struct budget *budget)
{
    struct join_attribute *a = &m->attributes[i];
    struct batch_column c;

    batch_column_at(m->join->parents, i, &c);
    a->kind = c.kind;
    a->values = arena_alloc_raw(arena, ((size_t)c.rows + 1) * sizeof(int64_t));
    a->present = arena_alloc_raw(arena, (size_t)c.rows + 1);
    if (!a->values || !a->present)
        return -ENOMEM;
    a->values[0] = 0;
    a->present[0] = 0;
    if (c.presence)
        for (uint32_t row = 0; row < c.rows; row++)
            a->present[row + 1] = batch_is_present(&c, row);
    else
        memset(a->present + 1, 1, c.rows);
    if (c.kind == BATCH_I64) {
        batch_read_i64(&c, 0, c.rows, a->values + 1);
        return 0;
    }
    a->dict = dict_new(DICT_BYTES, 0, budget);
    if (!a->dict)
        return -ENOMEM;
    a->codes = a->values;
    return c.codes ? read_codes(a, &c, arena) : read_texts(a, &c);
}

int join_map_code(struct join_map *m, unsigned attribute, struct arena *arena,
                  struct budget *budget)
{
    struct join_attribute *a = &m->attributes[attribute];

    if (a->dict)
        return 0;
    a->dict = dict_new(DICT_INT, 0, budget);
    a->codes = arena_alloc(arena, ((size_t)m->n_parents + 1) * sizeof(int64_t));
    if (!a->dict || !a->codes)
        return -ENOMEM;
    for (uint32_t row = 1; row <= m->n_parents; row++) {
        uint32_t code = 0;
        int rc = a->present[row] ? dict_put_int(a->dict, a->values[row], &code) : 0;
        if (rc)
            return rc;
        a->codes[row] = code;
    }
    return 0;
}

/* Smallest and largest of the parents' keys: false when there is none. */
static bool find_bounds(const struct batch_column *key, int64_t *min, int64_t *max)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN, v[KEYS_STEP];

    for (uint32_t from = 0, n; from < key->rows; from += n) {
        n = key->rows - from < KEYS_STEP ? key->rows - from : KEYS_STEP;
        batch_read_i64(key, from, n, v);
        for (uint32_t i = 0; i < n; i++) {
            if (key->presence && !batch_is_present(key, from + i))
                continue;
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
    }
    *min = lo;
    *max = hi;
    return lo <= hi;
}

/* Direct when the keys lie close enough together; nothing is made yet. */
static void read_int_keys(struct join_map *m, const struct batch_column *key)
{
    int64_t min, max;

    if (!find_bounds(key, &min, &max))
        return;
    uint64_t span = (uint64_t)max - (uint64_t)min;
    m->has_int_keys = true;
    m->first_key = min;
    m->last_key = max;
    if (span < KEYS_ALWAYS || span < (uint64_t)KEYS_PER_PARENT * key->rows)
        m->n_keys = span + 1;
}

static int hash_keys(struct join_map *m, struct arena *arena, struct budget *budget)
{
    struct batch_column key;

    batch_column_at(m->join->parents, 0, &key);
    if (!m->int_keys)
        m->int_keys = dict_new(DICT_INT, 0, budget);
    m->int_rows = arena_alloc(arena, (size_t)key.rows * sizeof(uint32_t) + 8);
    if (!m->int_keys || !m->int_rows)
        return -ENOMEM;
    for (uint32_t row = 0; row < key.rows; row++) {
        uint32_t code;
        if (!batch_is_present(&key, row))
            continue;
        int rc = dict_put_int(m->int_keys, batch_i64(&key, row), &code);
        if (rc)
            return rc;
        m->int_rows[code] = row + 1;
    }
    return 0;
}

static int fill_rows_of_keys(struct join_map *m, struct arena *arena)
{
    struct batch_column key;
    int64_t v[KEYS_STEP];

    batch_column_at(m->join->parents, 0, &key);
    m->row_of_key = arena_alloc(arena, m->n_keys * sizeof(uint32_t));
    if (!m->row_of_key)
        return -ENOMEM;
    for (uint32_t from = 0, n; from < key.rows; from += n) {
        n = key.rows - from < KEYS_STEP ? key.rows - from : KEYS_STEP;
        batch_read_i64(&key, from, n, v);
        for (uint32_t i = 0; i < n; i++)
            if (batch_is_present(&key, from + i))
                m->row_of_key[(uint64_t)v[i] - (uint64_t)m->first_key] = from + i + 1;
    }
    return 0;
}

int join_map_prepare(struct join_map *m, struct arena *arena, struct budget *budget)
{
    if (m->row_of_code || m->prepared)
        return 0;
    int rc = !m->has_int_keys ? 0
             : m->n_keys      ? fill_rows_of_keys(m, arena)
                              : hash_keys(m, arena, budget);
    m->prepared = !rc;
    return rc;
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
    m->n_parents = join->parents->rows;
    m->attributes = arena_alloc(arena, n * sizeof(*m->attributes));
    if (!m->attributes)
        return -ENOMEM;
    for (unsigned i = 1; i < n && !rc; i++)
        rc = read_attribute(m, i, arena, budget);
    batch_column_at(join->parents, 0, &key);
    if (!rc && key.kind == BATCH_I64)
        read_int_keys(m, &key);
    return rc;
}

void join_map_free(struct join_map *m)
{
    if (!m)
        return;
    for (unsigned i = 1; m->attributes && i < m->join->parents->columns; i++)
        dict_free(m->attributes[i].dict);
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

static void find_coded(const struct join_map *m, const int64_t *values, const uint8_t *present,
                       uint32_t n, uint32_t *rows)
{
    for (uint32_t i = 0; i < n; i++)
        rows[i] = !present[i]              ? 0
                  : values[i] < m->n_codes ? m->row_of_code[values[i]]
                                           : search_parent(m, (uint32_t)values[i]);
}

static void find_ints(const struct join_map *m, const int64_t *values, const uint8_t *present,
                      uint32_t n, uint32_t *rows)
{
    uint32_t code;

    if (m->row_of_key) {
        for (uint32_t i = 0; i < n; i++) {
            uint64_t at = (uint64_t)values[i] - (uint64_t)m->first_key;
            rows[i] = at < m->n_keys && present[i] ? m->row_of_key[at] : 0;
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        rows[i] = present[i] && m->int_keys && dict_find_int(m->int_keys, values[i], &code)
                      ? m->int_rows[code]
                      : 0;
}

void join_map_find(const struct join_map *m, const int64_t *values, const uint8_t *present,
                   uint32_t n, uint32_t *rows)
{
    if (m->row_of_code)
        find_coded(m, values, present, n, rows);
    else
        find_ints(m, values, present, n, rows);
}

uint32_t join_map_rows(const struct join_map *m, const struct block *b, const uint64_t *sel,
                       uint32_t *rows)
{
    const struct colblock *c = b->columns[m->join->column];
    int64_t values[SCAN_WINDOW];
    uint8_t present[SCAN_WINDOW];

    ASSERT(m->prepared || m->row_of_code);
    if (!c) {
        uint32_t n = selection_count(sel);
        memset(rows, 0, n * sizeof(*rows));
        return n;
    }
    uint32_t n = colblock_decode(c, sel, values, present);
    join_map_find(m, values, present, n, rows);
    return n;
}
