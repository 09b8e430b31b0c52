#pragma once
/*
 * The rows that a recursive query has given, for UNION without ALL: each is new once.
 *
 * They are kept in a table. When that finds no room its rows are put aside in 16 parts by their hash, and from then on
 * the rows of a round are put aside, too, as they come, and looked at when it ends: those of a part are collected, the rows
 * given before are read past them, and who was not met is new.
 * Owner: the operator; zeroed before use.
 */
#include "sql/group_table.h"
#include "sql/spill_parts.h"

enum seen_stage {
    SEEN_TABLE, /* all rows given are in the table */
    SEEN_EVICT, /* they are put aside */
    SEEN_TAKE,  /* rows of a round are put aside */
    SEEN_NEXT,  /* the round ends: the next part of its rows, */
    SEEN_LOAD,  /* which are collected in the table; */
    SEEN_PASS,  /* those given before are read past them; */
    SEEN_GIVE,  /* those that were not met */
};

struct recursive_seen {
    enum seen_stage stage;
    uint32_t width;
    struct group_table t;
    struct arena rows; /* the table */
    bool is_full;      /* nothing is added to it */
    bool *met;         /* by number, while rows are read past it */
    uint32_t at;       /* of the table, while it is put aside or given */
    struct spill_stream *given[SPILL_PARTS],
        *fresh;               /* rows given; a part's, while it is written anew */
    struct spill_parts round; /* rows of this one */
    struct rowset in;         /* of a part, or given before */
    uint32_t row;             /* at work; those before are done */
    struct datum *cells;      /* of in */
    struct arena batch;       /* their strings */
};

void seen_open(struct exec_op *op, struct recursive_seen *s);
/* A row that came: 1 it is new, 0 it is not or will be told at the end of the round, -EAGAIN, or an error. */
int seen_take(struct exec_op *op, struct recursive_seen *s, const struct datum *row);
/* After the last row of a round: 1 with another new one, valid until the next call, 0 at the end, -EAGAIN, or an error. */
int seen_end_round(struct exec_op *op, struct recursive_seen *s, const struct datum **row);
void seen_close(struct recursive_seen *s);
