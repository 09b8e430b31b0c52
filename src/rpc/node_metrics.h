#pragma once
/* The figures of the cores, of the log and of the checkpoints as Prometheus text. The core that gathered them. */
struct buffer;
struct figures_set;
struct node;
struct reactor;

enum {
    METRICS_MAX_TABLES = 1000,      /* of which each figure is told: those with the most memory */
    METRICS_MAX_CORE_TABLES = 4096, /* lines of memory by core and table; above they are left out */
};

/* Appends everything; node NULL: cores alone. Core 0, which has log and checkpoints. */
void node_metrics_print(struct reactor *r, struct node *node, const struct figures_set *set,
                        struct buffer *out);
