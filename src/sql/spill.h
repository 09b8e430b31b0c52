#pragma once
/*
 * Rows that an operator puts into a temporary file because they do not fit into the statement's
 * memory: streams, written once from begin to end, then read once from begin to end.
 *
 * A stream fills a buffer of SPILL_PIECE bytes; full, it is written while the next one fills. All
 * streams of a statement share its file and a few buffers, charged to its budget. Nothing waits here:
 * -EAGAIN means that the operator answers PENDING and repeats the call when it is resumed.
 * Errors but -EAGAIN have set the statement's error.
 * Owner: the statement, on the core of its connection.
 */
#include "sql/exec.h"
#include "storage/spill_file.h"

struct spill_buffer;

enum {
    SPILL_PARTS = 16,                /* streams written side by side */
    SPILL_BUFFERS = SPILL_PARTS + 4, /* of a statement, but for longer rows */
};

/* What one execution has spilled. Owner: exec. */
struct spill {
    struct exec *x;
    struct spill_file file;
    bool is_open;              /* the file */
    bool closing;              /* the statement ends */
    bool has_begun, is_holder; /* counted in the space */
    bool is_waiting;           /* an operator answered PENDING for a buffer or a piece */
    uint32_t in_flight;
    uint32_t n_buffers; /* all there are */
    struct spill_buffer *unused, *flying;
    struct list queued; /* of the space's, waiting to begin */
    struct timer retry; /* for memory that other statements have */
    uint64_t waits_since_ns;
};

/* Rows one after the other. Owner: the operator; zeroed before use. */
struct spill_stream {
    struct spill *spill;
    uint64_t rows, bytes; /* written so far */
    uint32_t *pieces;
    uint32_t n_pieces, cap_pieces;
    uint32_t writes;              /* in flight */
    bool is_view;                 /* the pieces are another one's */
    struct spill_buffer *filling; /* not full yet */
    /* Reading. */
    uint32_t next_piece;
    uint64_t rows_read;
    struct spill_buffer *reading, *ahead;
    uint8_t *row; /* gathered over several pieces */
    uint32_t row_len, row_cap;
    uint32_t row_size; /* of the row at hand; 0 = not known yet */
};

/*
 * Before an operator begins that may hold much: 0, or -EAGAIN while so many others are at work that
 * each has only a few MiB of the core's memory. Who came first begins first. Of those that hold much
 * one must have ended within the last 30 s, or it goes on: they may have clients that do not read.
 */
int spill_begin(struct exec *x);
/*
 * Before an operator that holds `held` bytes takes more rows: 0, or -EAGAIN while other statements of
 * the core hold so much that this one has to wait for one of them to end, 30 s as above. From then on the
 * statement holds the buffers it would need, so that who has begun gets on whatever others take.
 */
int spill_admit(struct exec *x, size_t held);
/*
 * True when the operator, which holds `held` bytes and is about to take `more`, should put rows aside:
 * less than 1/part of the statement's memory would be left, or little of its core's. False when
 * nothing can be spilled.
 */
bool spill_is_due(struct exec *x, size_t held, size_t more, unsigned part);
/* True when there is a place for temporary files. */
bool spill_is_possible(const struct exec *x);

/* Adds a row. 0, -EAGAIN (nothing was added), or an error. */
int spill_write(struct exec *x, struct spill_stream *t, const struct datum *cells, uint32_t n);
/* No row follows: what is left is written, and the buffer given back. 0, -EAGAIN, or an error. */
int spill_finish(struct spill_stream *t);
/* The next row of a finished stream, its bytes in the arena: 1, 0 at the end, -EAGAIN, or an error. */
int spill_read(struct spill_stream *t, struct datum *cells, uint32_t n, struct arena *a);
/* The next rows, as many as a batch holds, into cells; their bytes are in the arena, which is reset.
 * ROWS, END, PENDING, ERROR. */
enum exec_state spill_read_rows(struct spill_stream *t, struct rowset *out, struct datum *cells,
                                uint32_t width, struct arena *a, const char *what);
/* Another reader of a finished stream that nobody reads itself; freed before it. 0, -EAGAIN, -ENOMEM, or an error. */
int spill_stream_view(struct spill_stream *t, const struct spill_stream *of);
/* Gives back buffers and the place in the file; the stream is as new. */
void spill_stream_free(struct spill_stream *t);

/* What an operator answers for a result below 0. */
enum exec_state spill_state(struct exec *x, int rc, const char *what);

/* The execution ends and its operators have closed: the file goes when nothing is in flight; until
 * then x->open_queries counts it. */
void spill_close(struct exec *x);
