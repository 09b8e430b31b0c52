#pragma once
/*
 * Value of the rows that were there before their table got a column: kept in the definition as canonical text, which no
 * later change of defaults, delimiters or settings touches. Stateless; any core.
 */
#include "storage/mapping.h"

struct dict;
struct batch_builder;

/*
 * The text for what the column makes of an input value, from malloc in *out (what was there is freed); NULL when that is
 * NULL. 0; -ENOMEM; -EINVAL, -ERANGE with a text, when the column does not take the value.
 */
int initial_make(const struct column *c, const char *input, char **out, struct error_info *err);
/* Can it be read? True when there is none. */
bool initial_is_valid(const struct column *c);

/*
 * The value as blocks hold it: itself, or a code of the slot's dictionaries, which get it when they lack it (NULL for
 * LAYOUT_ORDERED; lists only for LAYOUT_LIST). *present false = NULL. 0, -ENOMEM, -ENOSPC.
 */
int initial_value(const struct column *c, struct dict *values, struct dict *lists, int64_t *value,
                  bool *present);

/* Puts it into a cell of a batch; nothing when it is NULL. */
int initial_put(const struct column *c, struct batch_builder *to, unsigned column);
