#pragma once
/* What the files that make versions of the catalog share. */
#include "storage/catalog.h"

/* Room for so many tables; NULL without memory. */
struct catalog *catalog_alloc(uint32_t n_tables);
/* Puts the tables, which are there by name, in order of their ids too. */
void catalog_fill_ids(struct catalog *c);
