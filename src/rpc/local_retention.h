#pragma once
/*
 * Retention: once a minute, partitions of tables with `retention` whose end is older than that are dropped, as a
 * statement would do it. Each node does so for its own slots. Core 0.
 */
struct node;

int retention_start(struct node *n); /* once the log was replayed: 0 or -ENOMEM */
/* No more of it; ended(ctx) when nothing is at work, perhaps at once. */
void retention_stop(struct node *n, void (*ended)(void *ctx), void *ctx);
void retention_free(struct node *n); /* after the reactors ended */
