#include "storage/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/budget.h"
#include "storage/group_set.h"

enum {
    GROUP_DENSE_MAX = 1 << 20, /* entries of the direct map: 4 MiB of u32 */
    GROUP_FIRST_BUCKETS = 1024,
    GROUP_TAKEN_COST = 16, /* a group that is taken, in groups that are passed over */
};

#define GROUP_OUTSIDE UINT32_MAX /* in the direct map: the hash is not in the range */

struct group_state { /* one aggregate of one group */
    __int128 sum;
    int64_t count;
    int64_t value; /* MIN, MAX: value or code */
};

struct group_part { /* groups of a slot that was ended */
    uint32_t slot, n;
    int64_t *keys;
    struct group_state *states;
    uint16_t *hashes; /* upper bits; NULL = not known (no memory for them) */
};

struct group_table {
    const struct program *program;
    struct input *inputs;
    struct budget *budget;
    uint64_t limit; /* bytes */
    unsigned n_columns, n_aggregates;
    int64_t *keys; /* n_columns + 1 per group: values, then the mask of present columns */
    struct group_state *states;
    uint32_t slot, n, cap;
    struct group_part *parts;
    uint32_t n_parts, parts_cap;
    uint64_t total;       /* groups of all parts */
    struct partial *hash; /* with a range */
    struct group_range range;
    uint32_t *map;            /* dense: by combined code; else hash buckets; group + 1 */
    size_t map_size, map_cap; /* in use; allocated */
    bool dense;
    uint32_t dims[PROGRAM_MAX_GROUPS];
    uint32_t *ids;     /* group of each row of the window, list values expanded */
    uint32_t *rows;    /* row in the window of each expanded entry */
    int64_t *expanded; /* n_columns + 1 per entry, only with list columns */
    size_t entries_cap;
    bool has_lists, sparse; /* sparse: ids and rows have not all rows of the window */
    uint64_t charged;
};

static const struct group_range all_hashes = {0, GROUP_HASHES};

/* Of keys and states. */
static size_t group_bytes(const struct group_table *g)
{
    return (g->n_columns + 1) * sizeof(*g->keys) + g->n_aggregates * sizeof(*g->states);
}

static void uncharge(struct group_table *g, uint64_t bytes)
{
    if (g->budget)
        budget_release(g->budget, bytes);
    g->charged -= bytes;
}

int group_new(const struct program *p, struct input *inputs, struct budget *budget,
              struct group_table **out)
{
    struct group_table *g = calloc(1, sizeof(*g));

    if (!g)
        return -ENOMEM;
    g->program = p;
    g->inputs = inputs;
    g->budget = budget;
    g->limit = p->memory;
    g->n_columns = p->n_columns;
    g->n_aggregates = p->n_aggregates;
    for (unsigned i = 0; i < g->n_columns; i++)
        g->has_lists |= inputs[i].list;
    g->sparse = g->has_lists;
    g->range = all_hashes;
    *out = g;
    return 0;
}

/* All groups, the open slot's too. */
static void drop_groups(struct group_table *g)
{
    uint64_t bytes = (uint64_t)g->cap * group_bytes(g);

    for (uint32_t i = 0; i < g->n_parts; i++) {
        struct group_part *p = &g->parts[i];
        bytes += (uint64_t)p->n * (group_bytes(g) + (p->hashes ? sizeof(*p->hashes) : 0));
        free(p->keys);
        free(p->states);
        free(p->hashes);
    }
    free(g->keys);
    free(g->states);
    g->keys = NULL;
    g->states = NULL;
    g->n_parts = g->n = g->cap = 0;
    g->total = 0;
    uncharge(g, bytes);
}

void group_free(struct group_table *g)
{
    if (!g)
        return;
    drop_groups(g);
    if (g->budget)
        budget_release(g->budget, g->charged);
    free(g->parts);
    free(g->map);
    free(g->ids);
    free(g->rows);
    free(g->expanded);
    free(g);
}

static int grow(struct group_table *g, void *array, size_t old_bytes, size_t new_bytes)
{
    uint64_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;

    if (g->charged + more > g->limit || (g->budget && budget_charge(g->budget, more)))
        return -ENOMEM;
    g->charged += more;
    void *p = realloc(*(void **)array, new_bytes);
    if (!p) {
        uncharge(g, more);
        return -ENOMEM;
    }
    *(void **)array = p;
    return 0;
}

static int set_map(struct group_table *g, size_t size, bool dense)
{
    if (size > g->map_cap) { /* what was in it is of no use */
        free(g->map);
        uncharge(g, g->map_cap * sizeof(*g->map));
        g->map = NULL;
        g->map_cap = 0;
        int rc = grow(g, &g->map, 0, size * sizeof(*g->map));
        if (rc)
            return rc;
        g->map_cap = size;
    }
    g->map_size = size;
    g->dense = dense;
    memset(g->map, 0, size * sizeof(*g->map));
    return 0;
}

void group_restrict(struct group_table *g, struct partial *hash, struct group_range range)
{
    drop_groups(g);
    g->hash = hash;
    g->range = hash ? range : all_hashes;
    g->sparse = g->has_lists || hash;
}

void group_limit(struct group_table *g, uint64_t bytes)
{
    g->limit = bytes;
}

int group_begin(struct group_table *g, uint32_t slot)
{
    size_t product = 1;
    bool dense = true;

    g->slot = slot;
    g->n = 0;
    for (unsigned i = 0; i < g->n_columns && dense; i++) {
        const struct input *in = &g->inputs[i];
        dense = in->coded && dict_count(in->dict) < GROUP_DENSE_MAX;
        if (!dense)
            break;
        g->dims[i] = dict_count(in->dict) + 1; /* code + 1; 0 = NULL */
        product *= g->dims[i];
        dense = product <= GROUP_DENSE_MAX;
    }
    return set_map(g, dense ? product : GROUP_FIRST_BUCKETS, dense);
}

static size_t hash_key(const struct group_table *g, const int64_t *key)
{
    return XXH3_64bits(key, (g->n_columns + 1) * sizeof(*key));
}

static void link_group(struct group_table *g, uint32_t group)
{
    size_t mask = g->map_size - 1,
           at = hash_key(g, &g->keys[(size_t)group * (g->n_columns + 1)]) & mask;

    while (g->map[at])
        at = (at + 1) & mask;
    g->map[at] = group + 1;
}

static int rehash(struct group_table *g, size_t size)
{
    int rc = set_map(g, size, false);

    for (uint32_t i = 0; i < g->n && !rc; i++)
        link_group(g, i);
    return rc;
}

/* Both arrays, or neither: what is charged is always for g->cap groups. */
static int grow_groups(struct group_table *g)
{
    uint32_t cap = g->cap ? g->cap * 2 : 64;
    size_t width = (g->n_columns + 1) * sizeof(*g->keys),
           state = g->n_aggregates * sizeof(*g->states);
    int rc = grow(g, &g->keys, g->cap * width, cap * width);

    if (!rc && state && (rc = grow(g, &g->states, g->cap * state, cap * state)))
        uncharge(g, (cap - g->cap) * width);
    if (!rc)
        g->cap = cap;
    return rc;
}

static int add_group(struct group_table *g, const int64_t *key, uint32_t *group)
{
    size_t width = g->n_columns + 1;

    if (g->n == g->cap) {
        int rc = grow_groups(g);
        if (rc)
            return rc;
    }
    memcpy(&g->keys[g->n * width], key, width * sizeof(*key));
    if (g->n_aggregates)
        memset(&g->states[(size_t)g->n * g->n_aggregates], 0, g->n_aggregates * sizeof(*g->states));
    *group = g->n++;
    return 0;
}

static struct cell key_cell(const struct group_table *g, unsigned column, const int64_t *key)
{
    return input_cell_of(&g->inputs[column], key[column], key[g->n_columns] >> column & 1);
}

static void key_cells(const struct group_table *g, const int64_t *key, struct cell *cells)
{
    for (unsigned c = 0; c < g->n_columns; c++)
        cells[c] = key_cell(g, c, key);
}

/* Upper bits of the hash of the group's values. */
static int hash_values(const struct group_table *g, struct partial *by, const int64_t *key,
                       uint32_t *hash)
{
    struct cell cells[PROGRAM_MAX_GROUPS];
    uint64_t h;

    key_cells(g, key, cells);
    int rc = partial_hash(by, cells, &h);
    if (!rc)
        *hash = (uint32_t)(h >> GROUP_HASH_SHIFT);
    return rc;
}

static bool is_in(const struct group_range *r, uint32_t hash)
{
    return hash >= r->from && hash < r->to;
}

/* A group that is new to the slot; *group GROUP_OUTSIDE when it is not in the range. */
static int enter_group(struct group_table *g, const int64_t *key, uint32_t *group)
{
    uint32_t hash;

    if (g->hash) {
        int rc = hash_values(g, g->hash, key, &hash);
        if (rc)
            return rc;
        if (!is_in(&g->range, hash)) {
            *group = GROUP_OUTSIDE;
            return 0;
        }
    }
    return add_group(g, key, group);
}

/* Position in the direct map; false when a code came up that was not there at group_begin. */
static bool dense_position(const struct group_table *g, const int64_t *key, size_t *at)
{
    int64_t mask = key[g->n_columns];

    *at = 0;
    for (unsigned i = 0; i < g->n_columns; i++) {
        size_t code = mask >> i & 1 ? (size_t)key[i] + 1 : 0;
        if (code >= g->dims[i])
            return false;
        *at = *at * g->dims[i] + code;
    }
    return true;
}

static int find_hashed(struct group_table *g, const int64_t *key, uint32_t *group)
{
    size_t width = (g->n_columns + 1) * sizeof(*key);

    if ((size_t)g->n * 2 >= g->map_size) {
        int rc = rehash(g, g->map_size * 2);
        if (rc)
            return rc;
    }
    size_t mask = g->map_size - 1, at = hash_key(g, key) & mask;
    for (; g->map[at]; at = (at + 1) & mask)
        if (!memcmp(&g->keys[(size_t)(g->map[at] - 1) * (g->n_columns + 1)], key, width)) {
            *group = g->map[at] - 1;
            return 0;
        }
    int rc = enter_group(g, key, group);
    if (!rc && *group != GROUP_OUTSIDE)
        g->map[at] = g->n;
    return rc;
}

static int find_group(struct group_table *g, const int64_t *key, uint32_t *group)
{
    size_t at;

    if (g->dense && dense_position(g, key, &at)) {
        if (g->map[at]) {
            *group = g->map[at] == GROUP_OUTSIDE ? GROUP_OUTSIDE : g->map[at] - 1;
            return 0;
        }
        int rc = enter_group(g, key, group);
        if (!rc)
            g->map[at] = *group == GROUP_OUTSIDE ? GROUP_OUTSIDE : g->n;
        return rc;
    }
    if (g->dense) {
        size_t size = GROUP_FIRST_BUCKETS;
        while (size <= (size_t)g->n * 2)
            size *= 2;
        int rc = rehash(g, size);
        if (rc)
            return rc;
    }
    return find_hashed(g, key, group);
}

static void read_key(const struct group_table *g, uint32_t i, int64_t *key)
{
    int64_t mask = 0;

    for (unsigned c = 0; c < g->n_columns; c++) {
        const struct input *in = &g->inputs[c];
        key[c] = in->present[i] ? in->values[i] : 0;
        mask |= (int64_t)in->present[i] << c;
    }
    key[g->n_columns] = mask;
}

static int reserve_entries(struct group_table *g, size_t n)
{
    if (n <= g->entries_cap)
        return 0;
    size_t cap = g->entries_cap ? g->entries_cap : SCAN_WINDOW;
    while (cap < n)
        cap *= 2;
    int rc = grow(g, &g->ids, g->entries_cap * sizeof(*g->ids), cap * sizeof(*g->ids));
    if (!rc && (rc = grow(g, &g->rows, g->entries_cap * sizeof(*g->rows), cap * sizeof(*g->rows))))
        uncharge(g, (cap - g->entries_cap) * sizeof(*g->ids));
    if (!rc)
        g->entries_cap = cap;
    return rc;
}

static int add_entry(struct group_table *g, const int64_t *key, uint32_t row, size_t *n)
{
    int rc = reserve_entries(g, *n + 1);

    if (!rc)
        rc = find_group(g, key, &g->ids[*n]);
    if (!rc && g->ids[*n] != GROUP_OUTSIDE)
        g->rows[(*n)++] = row;
    return rc;
}

/* A row with several values in list columns counts once per combination of them. */
static int expand_row(struct group_table *g, int64_t *key, unsigned column, uint32_t row, size_t *n)
{
    while (column < g->n_columns && (!g->inputs[column].list || !(key[g->n_columns] >> column & 1)))
        column++;
    if (column == g->n_columns)
        return add_entry(g, key, row, n);
    uint32_t n_values;
    int64_t list = key[column];
    const uint32_t *codes = dict_list(g->inputs[column].lists, (uint32_t)list, &n_values);
    int rc = 0;
    for (uint32_t i = 0; i < n_values && !rc; i++) {
        key[column] = codes[i];
        rc = expand_row(g, key, column + 1, row, n);
    }
    key[column] = list;
    return rc;
}

static int assign_groups(struct group_table *g, uint32_t n_rows, size_t *n)
{
    int64_t key[PROGRAM_MAX_GROUPS + 1];
    int rc = reserve_entries(g, n_rows);

    *n = 0;
    for (uint32_t i = 0; i < n_rows && !rc; i++) {
        read_key(g, i, key);
        if (g->sparse)
            rc = expand_row(g, key, 0, i, n);
        else
            rc = find_group(g, key, &g->ids[(*n)++]);
    }
    return rc;
}

/* Is value a better than b for MIN (sign -1) or MAX (sign 1)? */
static bool is_better(const struct input *in, int64_t a, int64_t b, int sign)
{
    if (!in->coded)
        return sign < 0 ? a < b : a > b;
    if (a == b)
        return false;
    struct cell x = input_cell_of(in, a, true), y = input_cell_of(in, b, true);
    if (in->kind == BATCH_I64)
        return sign < 0 ? x.i64 < y.i64 : x.i64 > y.i64;
    int c = memcmp(x.bytes, y.bytes, x.len < y.len ? x.len : y.len);
    if (!c)
        c = (x.len > y.len) - (x.len < y.len);
    return sign < 0 ? c < 0 : c > 0;
}

static void add_count(struct group_state *st, unsigned stride, const struct input *in,
                      const uint32_t *ids, const uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        st[(size_t)ids[i] * stride].count += !in || in->present[rows ? rows[i] : i];
}

static void add_sum(struct group_state *st, unsigned stride, const struct input *in,
                    const uint32_t *ids, const uint32_t *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t row = rows ? rows[i] : i;
        struct group_state *s = &st[(size_t)ids[i] * stride];
        s->sum += in->present[row]
                      ? in->coded ? dict_int(in->dict, (uint32_t)in->values[row]) : in->values[row]
                      : 0;
        s->count += in->present[row];
    }
}

static void add_extreme(struct group_state *st, unsigned stride, const struct input *in,
                        const uint32_t *ids, const uint32_t *rows, size_t n, int sign)
{
    for (size_t i = 0; i < n; i++) {
        size_t row = rows ? rows[i] : i;
        struct group_state *s = &st[(size_t)ids[i] * stride];
        if (!in->present[row])
            continue;
        if (!s->count || is_better(in, in->values[row], s->value, sign))
            s->value = in->values[row];
        s->count++;
    }
}

int group_add(struct group_table *g, uint32_t n_rows)
{
    size_t n;
    int rc = assign_groups(g, n_rows, &n);
    const uint32_t *rows = g->sparse ? g->rows : NULL;

    for (unsigned a = 0; a < g->n_aggregates && !rc; a++) {
        const struct input *in = &g->inputs[g->n_columns + a];
        struct group_state *st = g->states + a;
        switch (g->program->aggregates[a].kind) {
        case AGGREGATE_COUNT_ROWS:
            add_count(st, g->n_aggregates, NULL, g->ids, rows, n);
            break;
        case AGGREGATE_COUNT:
            add_count(st, g->n_aggregates, in, g->ids, rows, n);
            break;
        case AGGREGATE_SUM:
            add_sum(st, g->n_aggregates, in, g->ids, rows, n);
            break;
        case AGGREGATE_MIN:
        case AGGREGATE_MAX:
            add_extreme(st, g->n_aggregates, in, g->ids, rows, n,
                        g->program->aggregates[a].kind == AGGREGATE_MIN ? -1 : 1);
            break;
        }
    }
    return rc;
}

int group_add_sums(struct group_table *g, const int64_t *key, const struct group_sum *sums)
{
    uint32_t group;
    int rc = find_group(g, key, &group);

    for (unsigned a = 0; a < g->n_aggregates && !rc && group != GROUP_OUTSIDE; a++) {
        struct group_state *s = &g->states[(size_t)group * g->n_aggregates + a];
        s->sum += sums[a].sum;
        s->count += sums[a].count;
    }
    return rc;
}

int group_add_count(struct group_table *g, int64_t code, bool present, uint64_t n)
{
    int64_t key[2] = {present ? code : 0, present};
    uint32_t group;
    int rc = find_group(g, key, &group);

    for (unsigned a = 0; a < g->n_aggregates && !rc && group != GROUP_OUTSIDE; a++)
        g->states[(size_t)group * g->n_aggregates + a].count += (int64_t)n;
    return rc;
}

int group_fold(struct group_table *g, bool only_keys, uint32_t most, struct group_set *to)
{
    uint64_t counts[PROGRAM_MAX_AGGREGATES];

    for (; g->n && most; g->n--, most--) {
        uint32_t i = g->n - 1;
        struct cell c = key_cell(g, 0, &g->keys[(size_t)i * 2]);
        for (unsigned a = 0; !only_keys && a < g->n_aggregates; a++)
            counts[a] = (uint64_t)g->states[(size_t)i * g->n_aggregates + a].count;
        if (!c.present)
            group_set_add_null(to, counts);
        else if (group_set_add(to, c.bytes, c.len, counts))
            return -ENOMEM;
    }
    return g->n == 0;
}

static void to_aggregate(const struct group_table *g, unsigned a, const struct group_state *s,
                         struct aggregate_state *out)
{
    *out = (struct aggregate_state){.present = s->count > 0};
    switch (g->program->aggregates[a].kind) {
    case AGGREGATE_COUNT_ROWS:
    case AGGREGATE_COUNT:
        out->number = s->count;
        out->present = true;
        return;
    case AGGREGATE_SUM:
        out->number = s->sum;
        return;
    default: {
        struct cell c = input_cell_of(&g->inputs[g->n_columns + a], s->value, out->present);
        out->number = c.i64;
        out->bytes = c.bytes;
        out->len = c.len;
    }
    }
}

/* Gives back what an array has beyond its n groups; staying as large is no error. */
static void *trim(void *array, size_t bytes)
{
    void *p = bytes ? realloc(array, bytes) : array;

    return p ? p : array;
}

int group_end(struct group_table *g)
{
    size_t width = (g->n_columns + 1) * sizeof(*g->keys),
           state = g->n_aggregates * sizeof(*g->states);

    if (!g->n)
        return 0;
    if (g->n_parts == g->parts_cap) {
        uint32_t cap = g->parts_cap ? g->parts_cap * 2 : 1;
        int rc = grow(g, &g->parts, g->parts_cap * sizeof(*g->parts), cap * sizeof(*g->parts));
        if (rc)
            return rc;
        g->parts_cap = cap;
    }
    g->parts[g->n_parts++] = (struct group_part){.slot = g->slot,
                                                 .n = g->n,
                                                 .keys = trim(g->keys, g->n * width),
                                                 .states = trim(g->states, g->n * state)};
    uncharge(g, (uint64_t)(g->cap - g->n) * group_bytes(g));
    g->total += g->n;
    g->keys = NULL;
    g->states = NULL;
    g->n = g->cap = 0;
    return 0;
}

uint32_t group_parts(const struct group_table *g)
{
    return g->n_parts;
}

uint32_t group_part_slot(const struct group_table *g, uint32_t part)
{
    return g->parts[part].slot;
}

uint64_t group_total(const struct group_table *g)
{
    return g->total + g->n;
}

static int take_group(const struct group_table *g, const struct group_part *p, uint32_t i,
                      struct partial *to)
{
    struct cell cells[PROGRAM_MAX_GROUPS];
    uint32_t group;

    key_cells(g, &p->keys[(size_t)i * (g->n_columns + 1)], cells);
    int rc = partial_group(to, cells, &group);
    for (unsigned a = 0; a < g->n_aggregates && !rc; a++) {
        struct aggregate_state add;
        to_aggregate(g, a, &p->states[(size_t)i * g->n_aggregates + a], &add);
        rc = partial_combine(to, group, a, &add);
    }
    return rc;
}

/* Remembers the hashes of a part, which every range looks at; without memory they are made again each time. */
static int keep_hashes(struct group_table *g, struct group_part *p, struct partial *by)
{
    int rc = 0;

    if (p->hashes || grow(g, &p->hashes, 0, p->n * sizeof(*p->hashes)))
        return 0;
    for (uint32_t i = 0; i < p->n && !rc; i++) {
        uint32_t hash = 0;
        rc = hash_values(g, by, &p->keys[(size_t)i * (g->n_columns + 1)], &hash);
        p->hashes[i] = (uint16_t)hash;
    }
    return rc;
}

int group_flush(struct group_table *g, uint32_t part, uint32_t *at, struct group_range range,
                uint32_t most, struct partial *to)
{
    struct group_part *p = &g->parts[part];
    bool some = range.from > g->range.from || range.to < g->range.to;
    int rc = some && !*at ? keep_hashes(g, p, to) : 0;

    for (uint32_t work = 0; *at < p->n && work < most && !rc; work++, ++*at) {
        uint32_t hash = range.from;
        if (some && p->hashes)
            hash = p->hashes[*at];
        else if (some)
            rc = hash_values(g, to, &p->keys[(size_t)*at * (g->n_columns + 1)], &hash);
        if (rc || !is_in(&range, hash))
            continue;
        work += GROUP_TAKEN_COST;
        rc = take_group(g, p, *at, to);
    }
    return rc ? rc : *at == p->n;
}
