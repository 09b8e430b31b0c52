#pragma once
/* RENAME TABLE: other names for tables and, in the definitions that refer to them, for parents. Pure; any core. */
#include "storage/catalog.h"

enum { CATALOG_MAX_RENAMES = 256 };

struct catalog_rename {
    const char *from, *to;
};

/*
 * A new version in which the tables have other names, one change after the other, so that names may be exchanged. All of it
 * or nothing: -ENOENT (1146), -EEXIST (1050), -EINVAL, -ENOMEM with a text. Table ids and columns stay.
 */
int catalog_with_names(const struct catalog *c, const struct catalog_rename *list, uint32_t n,
                       struct catalog **out, struct error_info *err);

/* The changes as text for the log, malloc'ed, or NULL; and back: into list, with pointers into text, which is cut up. */
char *catalog_renames_print(const struct catalog_rename *list, uint32_t n);
int catalog_renames_parse(char *text, struct catalog_rename list[static CATALOG_MAX_RENAMES],
                          uint32_t *n);
