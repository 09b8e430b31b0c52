#pragma once
/*
 * Clients of a simulated node: each lives on a core and makes one operation after the other, at random but
 * from its own seed. Data clients own disjoint rows, so that the order of the writes of a row is known;
 * everything else runs at once.
 */
#include "node_host.h"
#include "node_model.h"

enum {
    WORK_WRITERS = 5,
    WORK_READERS = 2,
    WORK_CLIENTS = WORK_WRITERS + WORK_READERS + 1, /* and one that defines tables */
    WORK_BATCH_ROWS = 24,
    WORK_COLUMNS = 5, /* id, ver, v, grp, name */
};

struct work;

/* A write as its client remembers it, so that it can be sent again. */
struct work_write {
    bool sent, known, repeated; /* known: it was acknowledged */
    unsigned table, generation;
    enum batch_op op;
    bool check_first;
    uint64_t sequence, number,
        begun; /* number: count of all writes when it was made; begun: the first time */
    uint32_t n, rows[WORK_BATCH_ROWS], version;
    struct write_result result;
    struct buffer bytes;
};

enum work_reading { READ_ROWS, READ_ORDERED, READ_GROUPS, READ_TOTALS, WORK_READINGS };
enum work_ending { END_BY_ITSELF, END_AT_START, END_AT_NEXT, END_AFTER_BATCH, END_BY_TIMER };

/* A query and what it has seen. Owner: the client, or the scenario. */
struct work_query {
    struct cluster_query query;
    struct program program;
    struct predicate where;
    struct program_string text;
    char group[16];
    struct work *work;
    struct schema *schema;
    unsigned table, generation;
    uint64_t started;
    enum work_reading reading;
    enum work_ending ending;
    bool closing, complete, slow;
    struct reactor *reactor;
    struct timer timer;
    uint32_t seen[MODEL_ROWS]; /* version */
    uint64_t rows, counts[MODEL_GROUPS], batches;
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
    unsigned ddl_table;
    bool in_flight;
    struct work_write now, old, *writing; /* writing: the one in flight */
    struct work_query query;
};

/* Owner: the scenario. */
struct work {
    struct node_host *host;
    struct model model;
    struct work_client clients[WORK_CLIENTS];
    unsigned active;
    bool idle;         /* no client has anything left to do */
    bool faulty, poor; /* the disk, the memory may refuse */
    uint64_t operations, writes, queries, failures, repeats, closed_early;
};

void work_init(struct work *w, struct node_host *h);
void work_fini(struct work *w);

/* Starts all clients on random cores, each with so many operations. */
void work_start(struct work *w, unsigned operations);

/* The node is gone with whatever was in flight. */
void work_crash(struct work *w);

struct schema *work_schema(unsigned table);
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
void work_ddl_start(struct work_client *c);
void work_ddl_crashed(struct work_client *c);

/* Reads the table of q->schema. random: what is asked and how it ends; NULL = all of it, in the way of `reading`. */
void work_query_start(struct work_query *q, struct reactor *r, struct work_client *random,
                      enum work_reading reading);

/* Nothing else runs: reads every table in every way; all must agree. settle: what is read is what is from now on. */
void work_verify(struct work *w, bool settle);
