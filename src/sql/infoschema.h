#pragma once
/*
 * Tables without stored rows: information_schema, and what SHOW reads. Each is a list of columns
 * and a function that makes its rows when it is read.
 *   infoschema.c        registry
 *   infoschema_tables.c tables, columns, statistics, key_column_usage
 *   infoschema_partitions.c partitions
 *   infoschema_none.c   what there is nothing of
 *   infoschema_server.c schemata, engines, collations, character_sets, processlist, variables, ...
 *   infoschema_status.c figures of all cores
 * Synchronous but for gather; rows live in the statement's arena.
 */
#include <stdbool.h>
#include <stdint.h>

#include "sql/value_datum.h"

struct exec;
struct infoschema_rows;

struct infoschema_column {
    const char *name;
    struct value_type type;
};

struct infoschema_table {
    const char *database, *name;
    const struct infoschema_column *columns;
    uint32_t n_columns;
    /* 0 or -ENOMEM. */
    int (*fill)(struct exec *x, struct infoschema_rows *out);
    /* Asks for what fill needs: called until it is true, again after x was resumed; with an error in x->error when
     * *failed. NULL: nothing to ask for. */
    bool (*gather)(struct exec *x, struct infoschema_rows *out, bool *failed);
};

/* Rows being collected. Owner: the statement. */
struct infoschema_rows {
    struct exec *exec;
    const struct infoschema_table *table;
    struct datum *cells;
    uint32_t n_rows, cap_rows;
    uint32_t column;        /* next cell of the last row */
    const uint16_t *wanted; /* columns that are read, ascending or not */
    uint32_t n_wanted;
    void *gathered; /* by gather, in the statement's arena */
};

/* NULL when there is no such table. Names in any case. */
const struct infoschema_table *infoschema_find(const char *database, const char *name);
/* information_schema, mysql or performance_schema. */
bool infoschema_is_database(const char *name);
/* All of them, by number; NULL behind the last. */
const struct infoschema_table *infoschema_at(uint32_t i);

/* Building rows: begin, then one put per column in order. 0 or -ENOMEM. */
int infoschema_row(struct infoschema_rows *r);
void infoschema_put_text(struct infoschema_rows *r, const char *s); /* NULL = SQL NULL; copied */
void infoschema_put_int(struct infoschema_rows *r, int64_t v);
void infoschema_put_null(struct infoschema_rows *r);
