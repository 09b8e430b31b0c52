#pragma once
/* Words of the tables of TPC-H, after its specification. Static. */
#include <stdint.h>

struct tpch_words {
    const char *const *list;
    uint32_t n;
};

extern const struct tpch_words tpch_colors, tpch_sizes, tpch_finishes, tpch_metals, tpch_boxes,
    tpch_containers, tpch_segments, tpch_priorities, tpch_instructions, tpch_modes, tpch_regions,
    tpch_nations, tpch_texts;
extern const uint8_t tpch_region_of_nation[25];
