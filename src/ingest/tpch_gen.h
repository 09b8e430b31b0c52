#pragma once
/*
 * The tables of TPC-H, made after the distributions of its specification (section 4.2.3); the rows are not those of
 * dbgen, and texts are words in any order. Pure functions of table, scale and seed; any core.
 */
#include <stddef.h>
#include <stdint.h>

#include "ingest/parquet_writer.h"

#define TPCH_COLUMNS_MAX 16

enum tpch_table {
    TPCH_REGION,
    TPCH_NATION,
    TPCH_SUPPLIER,
    TPCH_CUSTOMER,
    TPCH_PART,
    TPCH_PARTSUPP,
    TPCH_ORDERS,
    TPCH_LINEITEM,
    TPCH_TABLES,
};

/* What is made, and how far: rows come in order. Owner: the caller; zeroed but for table, scale and seed. */
struct tpch_rows {
    enum tpch_table table;
    double scale; /* 1 = 6 million lines of orders */
    uint64_t seed;
    uint64_t next;      /* the row; of LINEITEM the order */
    uint32_t next_line; /* of that order */
};

/* "lineitem" and so on: false when there is no such table. */
bool tpch_find(const char *name, enum tpch_table *table);

/* Columns of a table, in its order. Static. */
const struct parquet_column_spec *tpch_columns(enum tpch_table table, uint32_t *count);

/* Rows the table has at this scale. Of LINEITEM it counts the lines of all orders. */
uint64_t tpch_count(enum tpch_table table, double scale, uint64_t seed);

/* Replaces the contents of one vector per column with the next rows, at most n: *made of them, 0 at the end.
 * -ENOMEM, -EFBIG. */
int tpch_fill(struct tpch_rows *rows, size_t n, struct parquet_vector *vectors, size_t *made,
              struct parquet_error *err);
