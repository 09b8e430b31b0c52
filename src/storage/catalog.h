#pragma once
/*
 * Catalog: the tables that exist. A version is immutable and shared by reference count; a change makes a new
 * version, which every core receives by a leg before the statement that made it is answered.
 */
#include <stdint.h>

#include "storage/schema.h"

enum {
    CATALOG_MAX_TABLES = 4096,
    CATALOG_MAX_OLD = 64 /* definitions that tables had, kept in all */
};

struct catalog {
    uint32_t refs;    /* atomic */
    uint64_t version; /* grows by one with each change */
    uint32_t next_table_id;
    uint32_t n_tables;
    struct schema **tables; /* sorted by name */
    /* What tables were before they were altered, newest first: for requests that were made then. Not encoded. */
    struct schema *old[CATALOG_MAX_OLD];
    uint32_t n_old;
};

struct catalog *catalog_new(void);
struct catalog *catalog_get(struct catalog *c);
void catalog_put(struct catalog *c);

/* New version with the table added / replaced / removed. Takes a reference on the schema; assigns table_id and
 * version to it when it has none. -EEXIST, -ENOENT, -ENOSPC (too many), -ENOMEM. The old version is untouched. */
int catalog_with_table(const struct catalog *c, struct schema *s, struct catalog **out);
int catalog_without_table(const struct catalog *c, const char *name, struct catalog **out);

/* The catalog with n other definitions of no catalog, each in the place of the one of its name, if any; for statements
 * of one session. -ENOMEM. */
int catalog_overlay(const struct catalog *c, struct schema *const *over, uint32_t n,
                    struct catalog **out);

struct schema *catalog_find(const struct catalog *c, const char *name,
                            size_t len); /* exact name; borrowed */
struct schema *catalog_find_id(const struct catalog *c, uint32_t table_id); /* borrowed */

/* The definition a table has or had, or NULL when it is not known; borrowed. */
struct schema *catalog_find_version(const struct catalog *c, uint32_t table_id, uint64_t version);
/* Takes over what `before` knows of definitions that its tables had; nobody shares c yet. */
void catalog_remember(struct catalog *c, const struct catalog *before);

/* Whether all ParentRelation columns of the table name a table of the catalog (or itself) whose primary key is one
 * column of their type: 0, or -EINVAL with column, found and allowed. */
int catalog_check_parents(const struct catalog *c, const struct schema *s, struct error_info *err);

/* One text for the wire and the log: concatenated schema YAMLs with lengths. Parse validates. */
int catalog_encode(const struct catalog *c, uint8_t **bytes, size_t *len);
int catalog_decode(const uint8_t *bytes, size_t len, struct catalog **out, struct error_info *err);
