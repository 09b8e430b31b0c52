#pragma once
/*
 * Rows put aside by a hash of what makes them belong together, in 16 parts, that are read one after the
 * other; what is put aside while a part is read makes 16 parts of that one, which come next. So an
 * operator that keeps what it has room for and puts the rest aside gets through any number of rows.
 * Owner: the operator; zeroed before use.
 */
#include "sql/spill.h"

enum { SPILL_MAX_LEVEL = 8 }; /* 4 bits of the hash each; the rest is for tables in memory */

struct spill_part {
    struct spill_part *next;
    unsigned level;
    struct spill_stream stream;
};

struct spill_parts {
    struct spill_part *open[SPILL_PARTS]; /* being written */
    struct spill_part *waiting;           /* to be read, the next one first */
    struct spill_part *reading;
    unsigned level;    /* of the rows that the operator gets now; 0 = its input */
    unsigned finished; /* of open[], while they are */
};

/* Which of the parts of a level a hash belongs to: by its top bits, as tables in memory use the low ones. */
unsigned spill_part_of(uint64_t hash, unsigned level);
/* Puts a row aside. 0, -EAGAIN, -ENOMEM also when so many rows have one hash, or an error. */
int spill_parts_put(struct exec *x, struct spill_parts *p, uint64_t hash, const struct datum *cells,
                    uint32_t n);
/* The operator is done with its input or a part: is there another one? 1, 0, -EAGAIN, or an error. */
int spill_parts_next(struct spill_parts *p);
void spill_parts_free(struct spill_parts *p);

/* ---- the rows of an operator: those of its child, then those it put aside ---- */

/* Owner: the operator. */
struct spill_input {
    struct spill_parts parts;
    struct rowset rows;
    uint32_t row;        /* at work; those before are done */
    bool has_ended;      /* the child or the part */
    struct datum *cells; /* rows of parts */
    struct arena arena;  /* their strings */
};

/* Room for rows of the child's width, of the operator's arena. False without memory. */
bool spill_input_open(struct exec_op *op, struct spill_input *in);
/* Makes in->row one of in->rows: ROWS, END of the child or the part, PENDING, ERROR. */
enum exec_state spill_input_want(struct exec_op *op, struct spill_input *in, const char *what);
/* After an END: ROWS when there is another part to go through, END, PENDING, ERROR. */
enum exec_state spill_input_next_part(struct exec_op *op, struct spill_input *in, const char *what);
/* Puts the row at work aside. 0, -EAGAIN, or an error as spill_parts_put has them. */
int spill_input_put(struct exec_op *op, struct spill_input *in, uint64_t hash);
void spill_input_free(struct spill_input *in);
