#include "storage/join_place.h"

#include <string.h>

enum { FIND_ROWS = 512 }; /* values looked up at a time */

static uint32_t place_of(const struct join_map *m, uint32_t parent_row,
                         const struct join_place_key *keys, unsigned n_keys)
{
    uint32_t place = 0;

    if (!parent_row)
        return m->join->left ? 0 : JOIN_PLACE_NONE;
    for (unsigned i = 0; i < n_keys; i++)
        if (keys[i].attribute->present[parent_row])
            place += ((uint32_t)keys[i].attribute->codes[parent_row] + 1) * keys[i].step;
    return place;
}

/* Of a slot's codes. */
static void place_codes(struct join_map *m, int64_t base, uint32_t n,
                        const struct join_place_key *keys, unsigned n_keys, uint32_t *places)
{
    uint32_t rows[FIND_ROWS];
    int64_t values[FIND_ROWS];
    uint8_t present[FIND_ROWS];

    memset(present, 1, sizeof(present));
    for (uint32_t from = 0; from < n; from += FIND_ROWS) {
        uint32_t some = n - from < FIND_ROWS ? n - from : FIND_ROWS;
        for (uint32_t i = 0; i < some; i++)
            values[i] = base + (int64_t)(from + i);
        join_map_find(m, values, present, some, rows);
        for (uint32_t i = 0; i < some; i++)
            places[from + i] = place_of(m, rows[i], keys, n_keys);
    }
}

/* Of integers: there may be many more than parents. */
static void place_ints(const struct join_map *m, int64_t base, uint32_t n,
                       const struct join_place_key *keys, unsigned n_keys, uint32_t *places)
{
    uint32_t none = place_of(m, 0, keys, n_keys);
    struct batch_column key;

    for (uint32_t i = 0; i < n; i++)
        places[i] = none;
    batch_column_at(m->join->parents, 0, &key);
    for (uint32_t from = 0, some; from < key.rows; from += some) {
        int64_t v[FIND_ROWS];
        some = key.rows - from < FIND_ROWS ? key.rows - from : FIND_ROWS;
        batch_read_i64(&key, from, some, v);
        for (uint32_t i = 0; i < some; i++) {
            uint64_t at = (uint64_t)v[i] - (uint64_t)base;
            if (at < n && batch_is_present(&key, from + i))
                places[at] = place_of(m, from + i + 1, keys, n_keys);
        }
    }
}

const uint32_t *join_place_make(struct join_map *m, int64_t base, uint32_t n,
                                const struct join_place_key *keys, unsigned n_keys,
                                struct arena *arena)
{
    uint32_t *places = arena_alloc_raw(arena, ((size_t)n + 2) * sizeof(*places));

    if (!places)
        return NULL;
    places[0] = places[n + 1] = place_of(m, 0, keys, n_keys);
    if (m->row_of_code)
        place_codes(m, base, n, keys, n_keys, places + 1);
    else
        place_ints(m, base, n, keys, n_keys, places + 1);
    return places;
}
