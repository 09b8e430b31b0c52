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

const uint32_t *join_place_make(const struct join_map *m, int64_t base, uint32_t n,
                                const struct join_place_key *keys, unsigned n_keys,
                                struct arena *arena)
{
    uint32_t *places = arena_alloc(arena, ((size_t)n + 1) * sizeof(*places)), rows[FIND_ROWS];
    int64_t values[FIND_ROWS];
    uint8_t present[FIND_ROWS];

    if (!places)
        return NULL;
    memset(present, 1, sizeof(present));
    places[0] = place_of(m, 0, keys, n_keys);
    for (uint32_t from = 0; from < n; from += FIND_ROWS) {
        uint32_t some = n - from < FIND_ROWS ? n - from : FIND_ROWS;
        for (uint32_t i = 0; i < some; i++)
            values[i] = base + (int64_t)(from + i);
        join_map_find(m, values, present, some, rows);
        for (uint32_t i = 0; i < some; i++)
            places[1 + from + i] = place_of(m, rows[i], keys, n_keys);
    }
    return places;
}
