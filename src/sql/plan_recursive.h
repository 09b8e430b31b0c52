#pragma once
/*
 * A recursive query: rows of the seed, then of the step over the rows that came last, until there are none.
 * Owner: the statement; made by bind_recursive.c, its rows kept by exec_recursive.c.
 */
#include "sql/bind.h"

struct spill_stream;

struct recursion {
    struct bound_query *seed, *step;
    struct bound_column *columns;
    uint32_t n_columns;
    uint32_t references; /* while it is bound: how often the query names itself */
    const struct bind_scope *outside;
    bool distinct;  /* rows that came before are left out */
    uint64_t limit; /* times the step is run */
    /* While it runs: the rows that came last, those in memory first. */
    const struct datum *rows;
    uint32_t n_rows;
    struct spill_stream *more;
};
