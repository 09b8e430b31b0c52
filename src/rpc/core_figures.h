#pragma once
/*
 * Figures of all cores of this process, gathered by a leg to each: for /metrics and SHOW TABLE STATUS. A core walks
 * over its tables a part at a time, with other work in between.
 */
#include "reactor/budget.h"
#include "reactor/reactor.h"
#include "storage/figures.h"
#include "storage/segment_disk.h"
#include "storage/store.h"

struct catalog;
struct node;

struct core_figures {
    struct budget core, data; /* copies: of everything on the core; of its rows */
    struct store_stats store;
    struct segment_traffic traffic;
    struct figures *tables; /* by position in the catalog */
};

struct figures_set { /* owner: who asked, on the core on which it did */
    struct catalog *catalog;
    unsigned n_cores;
    struct core_figures cores[];
};
void figures_set_free(struct figures_set *s); /* NULL is allowed */
/* Of one table over all cores. */
void figures_set_table(const struct figures_set *s, uint32_t table, struct figures *out);

/* One gathering. Owner: who asks; lives until done, which runs on the same core, never within the start. */
struct figures_request {
    void (*done)(struct figures_request *q);
    void *ctx;
    struct figures_set *found; /* whoever asked frees it; NULL = no memory */
    struct task refused;       /* for core_figures_start */
};
/* node NULL: a program without rows tells of its cores alone. The node must be ready. */
void core_figures_start(struct reactor *r, struct node *node, struct figures_request *q);
