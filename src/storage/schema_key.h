#pragma once
/* Keys and time partitions of a table definition. Stateless; any core. */
#include "storage/schema_check.h"

/*
 * Resolves primary key, secondary keys and time field; adds the hidden key column of a table
 * without a key. 0, -EINVAL with a fault, -ENOMEM. Rules: node.md 1.4, design section 3.
 */
int schema_derive_key(struct schema *s, struct schema_fault *f);
