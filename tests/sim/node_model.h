#pragma once
/*
 * What a node must answer: for every row the versions it may have. Exact for rows whose writes were
 * acknowledged, a set for rows whose writes ended in an error or a crash. Contents of a row follow from its
 * version, so that a mixture of two versions is seen at once.
 */
#include <stdbool.h>
#include <stdint.h>

#include "storage/batch.h"

enum {
    MODEL_TABLES = 2,
    MODEL_ROWS = 180,
    MODEL_VERSIONS = 12,
    MODEL_GROUPS = 12,
    MODEL_ABSENT = 0
};

enum model_state { MODEL_GONE, MODEL_THERE, MODEL_CHANGING };

/* Owner: the table. */
struct model_row {
    uint32_t may_be[MODEL_VERSIONS];
    uint8_t n;
    bool busy;           /* a write is in flight */
    uint64_t start, end; /* of the last write */
};

/* Owner: the model. Table 1 has a hidden key: rows are only ever added to it. */
struct model_table {
    char name[8];
    enum model_state state;
    unsigned generation; /* grows when it is dropped */
    uint64_t changed;    /* when it was last created or dropped */
    bool truncating;
    uint64_t truncate_start, truncate_end;
    struct model_row rows[MODEL_ROWS];
};

/* Owner: the scenario; outlives crashes. */
struct model {
    uint64_t now; /* counts events */
    uint32_t next_version;
    struct model_table tables[MODEL_TABLES];
};

enum model_outcome { MODEL_DONE, MODEL_UNKNOWN };

void model_init(struct model *m);

int64_t model_id(unsigned row);
unsigned model_row_of(int64_t id); /* MODEL_ROWS = no such row */

/* A version never used before; whole: none of its columns is NULL. */
uint32_t model_new_version(struct model *m, bool whole);

/* Contents of a version: number (false = NULL), group and name (length, -1 = NULL). */
bool model_number(uint32_t version, int64_t *v);
int model_group(uint32_t version, char out[16]);
int model_name(uint32_t version, char out[16]);
unsigned model_group_number(uint32_t version); /* the last one is NULL */

bool model_may_be(const struct model_row *r, uint32_t version);
bool model_is_sure(const struct model_row *r, uint32_t version);

void model_write_begin(struct model *m, struct model_row *r);
/* The row after a write of `version` by op. */
void model_write_end(struct model *m, struct model_table *t, struct model_row *r, enum batch_op op,
                     uint32_t version, enum model_outcome outcome);

void model_truncate_begin(struct model *m, struct model_table *t);
void model_truncate_end(struct model *m, struct model_table *t, enum model_outcome outcome);

void model_change_begin(struct model *m, struct model_table *t);
/* Its create or drop has ended and it is now there or not. */
void model_change_end(struct model *m, struct model_table *t, bool there);

/* The node is gone: what was in flight may have happened or not. */
void model_crash(struct model *m);

/* Nothing wrote the row since `since`: what is read must be what it may be. */
bool model_is_stable(const struct model_table *t, const struct model_row *r, uint64_t since);

/* The row was seen with this version when nothing was in flight. */
void model_observe(struct model_row *r, uint32_t version);
