#pragma once
/*
 * What a node must answer: for every row the contents it may have. Exact for rows whose writes were acknowledged, a
 * set for rows whose writes ended in an error or a crash.
 */
#include "node_content.h"
#include "storage/batch.h"

enum { MODEL_SET = 24, MODEL_UNSURE = 6 /* a row with more is left alone until it is read */ };

enum model_state { MODEL_GONE, MODEL_THERE, MODEL_CHANGING };

enum model_place {
    MODEL_ONLINE,
    MODEL_ARCHIVED,
    MODEL_ANYWHERE /* perhaps only some of its rows */
};

/* A write as a row sees it. version 0: only `extra` is set; has_extra false: it is not mentioned. */
struct model_write {
    enum batch_op op;
    bool has_extra;
    uint32_t version, extra;
};

struct model_set {
    struct content may_be[MODEL_SET];
    unsigned n;
};

/* Owner: the table. */
struct model_row {
    struct model_set now, before; /* before the last write */
    bool busy;                    /* a write is in flight, which is */
    bool twins;                   /* and another at the same time */
    struct model_write write, twin;
    uint64_t start, end; /* of the last write */
    uint64_t before_end; /* of the last but one */
    bool clearing;       /* a statement in flight throws it away */
    uint64_t clear_end;
    bool
        witness; /* it was there for sure when the last such statement began, and nothing wrote it since */
};

/* Owner: the model. */
struct model_table {
    char name[8];
    unsigned number;
    enum model_state state;
    unsigned generation; /* grows when it is dropped */
    uint64_t changed;    /* when it was last created or dropped */
    unsigned added;      /* columns that it got since, at least */
    bool altering;       /* it may have one more */
    uint64_t clear_start;
    uint32_t
        clear_partitions; /* of the statement in flight that throws rows away: bits; 0 = none */
    uint32_t moving;      /* partitions that a statement in flight archives or restores: bits */
    struct {
        enum model_place place;
        uint64_t changed;             /* when it last was somewhere else, perhaps */
    } partitions[CONTENT_PARTITIONS]; /* all are ONLINE where a table has no partitions */
    struct model_row rows[CONTENT_ROWS];
};

/* Owner: the scenario; outlives crashes. */
struct model {
    uint64_t now; /* counts events */
    uint32_t next_version;
    struct model_table tables[CONTENT_TABLES];
};

enum model_outcome { MODEL_DONE, MODEL_UNKNOWN };

enum { MODEL_ALL_PARTITIONS = (1 << CONTENT_PARTITIONS) - 1 };

void model_init(struct model *m);

/* A version never used before; whole: number and group are not NULL. */
uint32_t model_new_version(struct model *m, bool whole);

bool model_may_be(const struct model_row *r, struct content c);
bool model_may_be_absent(const struct model_row *r);
bool model_is_surely_absent(const struct model_row *r);

void model_write_begin(struct model *m, struct model_row *r, const struct model_write *write);
/* Writes do not reach archived rows: where the row was meanwhile is taken into account. */
void model_write_end(struct model *m, struct model_table *t, struct model_row *r,
                     enum model_outcome outcome);
/* The write was refused, or was for a table that is no more. */
void model_write_without_effect(struct model *m, struct model_row *r);

/* Two writes at once, whose order nobody knows: outcomes of the first and of the second. What a read that began later sees
 * of them is what is from then on (model_observe), also after a crash, when both were acknowledged. */
void model_twins_begin(struct model *m, struct model_row *r, const struct model_write *first,
                       const struct model_write *second);
void model_twins_end(struct model *m, struct model_table *t, struct model_row *r,
                     enum model_outcome first, enum model_outcome second);

/* TRUNCATE and DROP PARTITION: rows of these partitions. */
void model_clear_begin(struct model *m, struct model_table *t, uint32_t partitions);
void model_clear_end(struct model *m, struct model_table *t, enum model_outcome outcome);

/* The rows of the last statement that threw rows away, none of them written since: all are gone or none is. `there` says
 * of each row what was read. */
void model_check_cleared(struct model_table *t, const struct content there[CONTENT_ROWS]);

/* ARCHIVE and RESTORE PARTITION. What rows are is not changed by it; they are not seen meanwhile, nor written. */
void model_move_begin(struct model *m, struct model_table *t, uint32_t partitions);
void model_move_end(struct model *m, struct model_table *t, enum model_place to,
                    enum model_outcome outcome);

/* Where all rows of this partition have been since `since`. */
enum model_place model_place(const struct model_table *t, unsigned partition, uint64_t since);
/* The same of a row's. */
enum model_place model_row_place(const struct model_table *t, const struct model_row *r,
                                 uint64_t since);

void model_change_begin(struct model *m, struct model_table *t);
/* Its create or drop has ended and it is now there or not. */
void model_change_end(struct model *m, struct model_table *t, bool there);

/* The node is gone: what was in flight may have happened or not. */
void model_crash(struct model *m);

/* Nothing wrote the row since `since`: what is read must be what it may be. */
bool model_is_stable(const struct model_table *t, const struct model_row *r, uint64_t since);

/* May a statement that began at `since` see this now? Says yes when it cannot know. */
bool model_may_see(const struct model_table *t, const struct model_row *r, uint64_t since,
                   struct content seen);

/* The row was seen so when nothing was in flight. */
void model_observe(struct model_row *r, struct content seen);
