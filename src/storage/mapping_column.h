#pragma once
/*
 * Input values of a column, many at once: loops without a decision per row for what nearly all columns are. Whatever
 * they do not take, mapping_convert is asked row by row, which also finds the words for a value that is refused.
 * Stateless; any core.
 */
#include "storage/mapping.h"

/*
 * n values of one kind (VALUE_BOOL, _INT, _DECIMAL of a scale, _DATE, _DATETIME) to what the column stores, exactly as
 * mapping_convert does. false: one of them would be refused, or the column's strategy is more than its type; out is
 * then undefined. out may be in.
 */
bool mapping_convert_ints(const struct column *c, enum value_kind kind, unsigned scale,
                          const int64_t *in, uint32_t n, int64_t *out);

/* Are n texts, text i from offsets[i] to offsets[i + 1], stored as they are? false as above. */
bool mapping_takes_texts(const struct column *c, const char *data, const uint32_t *offsets,
                         uint32_t n);
