#pragma once
/*
 * Aggregate functions: what is asked for (aggregate_call) and what accumulates in the gateway
 * (aggregate_state). Those over plain columns are computed by the cores instead (plan_push.c).
 *
 * AVG is planned as SUM / COUNT, so that partial results merge.
 * Owner: the statement.
 */
#include "sql/expr.h"

struct quanta_plugin_aggregate;

enum aggregate_op {
    AGG_COUNT_ROWS,
    AGG_COUNT,
    AGG_SUM,
    AGG_AVG, /* only until planned */
    AGG_MIN,
    AGG_MAX,
    AGG_ANY, /* ANY_VALUE, and columns that depend on the group's key */
    AGG_GROUP_CONCAT,
    AGG_BIT_AND,
    AGG_BIT_OR,
    AGG_BIT_XOR,
    AGG_STDDEV_POP,
    AGG_STDDEV_SAMP,
    AGG_VAR_POP,
    AGG_VAR_SAMP,
    AGG_PERCENTILE_CONT, /* args[0] fraction, args[1] value */
    AGG_PERCENTILE_DISC,
    AGG_JSON_ARRAY,
    AGG_JSON_OBJECT, /* args[0] name, args[1] value */
    AGG_PLUGIN,      /* of a plug-in: aggregate_plugin.c */
};

struct aggregate_call {
    enum aggregate_op op;
    bool distinct;
    bool descending; /* PERCENTILE ... ORDER BY x DESC */
    uint32_t n_args;
    struct expr **args;
    struct value_type type;
    /* GROUP_CONCAT */
    const char *separator;
    uint32_t separator_len;
    uint32_t n_order;
    struct expr **order;
    bool *order_desc;
    const struct quanta_plugin_aggregate *plugin; /* AGG_PLUGIN */
};

/* Name of an aggregate to its op: 0 or -ENOENT. */
int aggregate_find(const char *name, enum aggregate_op *op);
/* Result type from the arguments' types. */
struct value_type aggregate_type(enum aggregate_op op, const struct expr *arg);

bool aggregate_is_equal(const struct aggregate_call *a, const struct aggregate_call *b);
bool aggregate_walk(const struct aggregate_call *a, bool (*fn)(struct expr *e, void *ctx),
                    void *ctx);
const char *aggregate_name(enum aggregate_op op);

/* sum / count with AVG's digits: a call node over two slots. */
struct expr *aggregate_new_average(struct arena *a, struct expr *sum, struct expr *count,
                                   const struct value_type *type);

/* The fraction of a percentile: false with an error when it is none. */
bool aggregate_fraction(const struct aggregate_call *c, struct expr_ctx *x, double *p);
/* PERCENTILE_CONT between two values. */
void aggregate_set_between(struct datum *out, const struct datum *a, const struct datum *b,
                           double part);

/* ---- accumulation in the gateway ---- */

struct aggregate_item {
    struct datum value;
    struct datum *order;
    uint64_t number;
};

/* One aggregate of one group. Memory: the operator's arena. */
struct aggregate_state {
    uint64_t count;
    union {
        struct datum value; /* MIN, MAX, ANY, SUM */
        struct {
            double mean, m2;
        } spread; /* Welford */
        uint64_t bits;
        void *own; /* AGG_PLUGIN: its state, once there was a row */
        struct {
            struct aggregate_item *items;
            uint32_t n, cap;
        } list;
    };
    struct datum_set *seen; /* DISTINCT */
};

void aggregate_init(struct aggregate_state *s, const struct aggregate_call *c);
/* Takes one row. 0, -ENOMEM; errors of expressions are in x. */
int aggregate_add(struct aggregate_state *s, const struct aggregate_call *c, struct expr_ctx *x,
                  struct arena *a);
/* The same where values that were seen are kept in an arena of their own. 1: a value of a DISTINCT
 * aggregate was not seen, and is not taken as is_full says so or as there was no room for it:
 * *unseen is the value, in the row's or scratch memory. */
int aggregate_add_seen(struct aggregate_state *s, const struct aggregate_call *c,
                       struct expr_ctx *x, struct arena *a, struct arena *seen, bool is_full,
                       struct datum *unseen);
/* Takes a value that aggregate_add_seen has given, once. 0, -ENOMEM. */
int aggregate_add_value(struct aggregate_state *s, const struct aggregate_call *c,
                        struct expr_ctx *x, const struct datum *d, struct arena *a);
/* The result; may use scratch memory of x. */
void aggregate_finish(struct aggregate_state *s, const struct aggregate_call *c, struct expr_ctx *x,
                      struct datum *out);
