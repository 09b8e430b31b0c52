#pragma once
/* Column blocks whose rows all have the same value: what a new column is in the blocks that are there. */
#include "storage/colblock.h"

struct budget;

/* `rows` rows with the value (present false: NULL), whole lines of them sealed. NULL on -ENOMEM. */
struct colblock *colblock_new_constant(enum column_layout layout, const struct dict *lists,
                                       struct budget *budget, uint32_t rows, int64_t value,
                                       bool present);

/* A copy of a block that is sealed to its last row: far cheaper than to make it. NULL on -ENOMEM. */
struct colblock *colblock_copy_sealed(const struct colblock *of);
