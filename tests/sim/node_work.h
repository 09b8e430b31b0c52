#pragma once
/*
 * Clients of a simulated node: each lives on a core and makes one operation after the other, at random but
 * from its own seed. Data clients own disjoint rows, so that the order of the writes of a row is known;
 * everything else runs at once.
 */
#include "node_host.h"
#include "node_model.h"

enum {
    WORK_WRITERS = 6,
    WORK_READERS = 2,
    WORK_CLIENTS = WORK_WRITERS + WORK_READERS + 1, /* and one that defines tables */
    WORK_BATCH_ROWS = 24,
    WORK_OUTPUTS = CONTENT_COLUMNS + 1 + CONTENT_ADDED, /* with the hidden key */
};

struct work;

/* A write as its client remembers it, so that it can be sent again. */
struct work_write {
    bool sent, known, repeated; /* known: it was acknowledged */
    bool timeless;              /* rows are named without their time */
    unsigned table, generation;
    bool check_first;
    struct model_write write;
    uint64_t sequence, number,
        begun;      /* number: count of all writes when it was made; begun: the first time */
    unsigned added; /* columns that its bytes know */
    uint32_t n, rows[WORK_BATCH_ROWS];
    int64_t hidden[WORK_BATCH_ROWS]; /* keys of table 1: not for inserts */
    struct write_result result;
    struct buffer bytes;
};

enum work_reading { READ_ROWS, READ_ORDERED, READ_GROUPS, READ_TOTALS, READ_TAGS, WORK_READINGS };
enum work_ending { END_BY_ITSELF, END_AT_START, END_AT_NEXT, END_AFTER_BATCH, END_BY_TIMER };

enum { WORK_GROUPS = CONTENT_TAGS + 1 }; /* at most, CONTENT_GROUPS is not more */

/* What a query asks for: at most one condition. Owner: the query. */
struct work_where {
    struct predicate predicate, parts[2];
    const struct predicate *children[2];
    struct program_string text;
    char bytes[CONTENT_TEXT];
    unsigned tag, row;
};

/* A query and what it has seen. Owner: the client, or the scenario. */
struct work_query {
    struct cluster_query query;
    struct program program;
    struct work_where where;
    struct work *work;
    struct schema *schema;
    unsigned table, generation;
    uint64_t started;
    enum work_reading reading;
    enum work_ending ending;
    bool closing, complete, slow;
    struct reactor *reactor;
    struct timer timer;
    struct content seen[CONTENT_ROWS];
    int64_t hidden[CONTENT_ROWS]; /* table 1: the rows' keys */
    uint64_t rows, counts[WORK_GROUPS], batches;
    __int128 sum;
    bool has_sum;
    int64_t last_id, last_number; /* ordered rows: of the row before */
    void (*ended)(struct work_query *q);
};

/* One client. Owner: the scenario; used on its core while the node runs. */
struct work_client {
    struct work *work;
    struct reactor *reactor;
    unsigned index;
    uint64_t random[2]; /* its own, so that it does the same whatever the others do */
    uint64_t sequence;
    unsigned left; /* operations in this life of the node */
    struct timer timer;
    struct schema *schema; /* of the write in flight */
    struct cluster_write write;
    struct cluster_ddl ddl;
    struct timer cancel; /* of a rewrite */
    struct cluster_partitions partitions;
    int64_t starts[CONTENT_PARTITIONS]; /* of the partitions to drop */
    unsigned ddl_table;
    bool in_flight;
    struct work_write now, old, *writing; /* writing: the one in flight */
    struct work_write twin;               /* of `now`, sent at the same time */
    struct cluster_write twin_write;
    struct schema *twin_schema;
    unsigned twins_left; /* of both, those in flight */
    struct work_query query;
};

enum work_kind {
    WORK_INSERT,
    WORK_IGNORE,
    WORK_UPSERT,
    WORK_REPLACE,
    WORK_UPDATE,
    WORK_DELETE,
    WORK_UPDATE_WHERE,
    WORK_DELETE_WHERE,
    WORK_TWINS,
    WORK_REPEAT,
    WORK_QUERY,
    WORK_CREATE,
    WORK_DROP,
    WORK_TRUNCATE,
    WORK_DROP_PARTITION,
    WORK_ARCHIVE,
    WORK_RESTORE,
    WORK_ALTER,
    WORK_REWRITE,
    WORK_LIST_PARTITIONS,
    WORK_NOTHING, /* there was nothing to do it with */
    WORK_KINDS
};

/* Figures of a seed, and added up of a run. */
struct work_counts {
    uint64_t kinds[WORK_KINDS]; /* operations begun */
    uint64_t ended;             /* those that came to their end, one way or the other */
    uint64_t failures, closed_early, rows_acknowledged, rows_read;
    uint64_t lives, power_losses, kills, clean_ends, failed_boots, splits;
    uint64_t checkpoints, failed_checkpoints, log_records, chunks_read;
};

/* Operations that came to their end; steps at which there was nothing to do are none. */
static inline uint64_t work_operations(const struct work_counts *c)
{
    return c->ended - c->kinds[WORK_NOTHING];
}

/* What the disk and the memory may do in this life. */
struct work_faults {
    struct sim_faults disk;
    bool write_errors; /* EIO: the log may be broken until a restart */
    bool full;         /* the disk is full at times */
    bool read_errors;  /* EIO or rot */
    bool poor;         /* little memory */
};

/* Owner: the scenario. */
struct work {
    struct node_host *host;
    struct model model;
    struct work_client clients[WORK_CLIENTS];
    unsigned active;
    bool idle; /* no client has anything left to do */
    struct work_faults faults;
    struct work_counts counts;
};

void work_init(struct work *w, struct node_host *h);
void work_fini(struct work *w);

/* Starts all clients on random cores, each with so many operations. */
void work_start(struct work *w, unsigned operations);

/* The node is gone with whatever was in flight. */
void work_crash(struct work *w);

uint64_t work_random(struct work_client *c, uint64_t below);
bool work_chance(struct work_client *c, unsigned percent);

/* The table as the core of this client knows it: a reference or NULL; what the model says must agree. */
struct schema *work_find(struct work *w, struct reactor *r, unsigned table);

/* Ends the operation: the next one follows, at once or after a while. */
void work_next(struct work_client *c);

/* Is this error of a statement on the table possible now? */
void work_check_error(struct work *w, const struct model_table *t, unsigned generation,
                      uint64_t since, const struct error_info *error);

void work_write_start(struct work_client *c);
void work_write_crashed(struct work_client *c);
/* UPDATE and DELETE of this client's rows for which a condition is true: they are read first. */
bool work_change_where(struct work_client *c, unsigned table, enum batch_op op);
/* Sends c->now, whose table, rows and write are chosen; takes over the reference to its table. */
void work_write_send(struct work_client *c, struct schema *s);

/* The parts of that: what is written to the rows of w->table; the batch; sending it. */
void work_write_choose(struct work_client *c, struct work_write *w);
void work_write_prepare(struct work_client *c, struct work_write *w, const struct schema *s);
void work_write_fly(struct work_client *c, struct work_write *w, struct cluster_write *cw,
                    struct schema *s, void (*done)(struct cluster_write *cw));

/* Two writes of the rows of c->now at once, then they are read: a crash must not change what is read. */
bool work_twins_start(struct work_client *c, struct schema *s);
void work_twins_crashed(struct work_client *c);

/* Where partitions may be anywhere after a crash, the statement is repeated, or they are all restored. */
void work_settle_partitions(struct work *w);

void work_ddl_start(struct work_client *c);
void work_ddl_crashed(struct work_client *c);

/* Faults of a life are chosen and put into effect; other weather within it; none of them. */
void work_faults_begin(struct work *w);
void work_faults_change(struct work_client *c);
void work_faults_end(struct work *w);

/* Reads the table of q->schema. random: what is asked and how it ends; NULL = all of it, in the way of `reading`. */
void work_query_start(struct work_query *q, struct reactor *r, struct work_client *random,
                      enum work_reading reading);
/* A condition at random into q->program.where, or none. */
void work_where_choose(struct work_query *q, struct work_client *c);
/* Is it true for a row with these contents? */
bool work_where_is_true(const struct work_query *q, unsigned row, struct content c);

/* Nothing else runs: reads every table in every way; all must agree. settle: what is read is what is from now on. */
void work_verify(struct work *w, bool settle);

/* Adds to the figures of the run; a seed that is run a second time counts once. */
void work_report(const struct work *w, uint64_t seed);
void work_print_report(void);
