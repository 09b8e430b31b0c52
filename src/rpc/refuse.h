#pragma once
/* Requests for which there was no memory to begin: they end with an error, later, as any other. Core of the caller. */
#include "rpc/cluster.h"

void refuse_query(struct cluster_query *q); /* in place of its start */
void refuse_write(struct reactor *r, struct cluster_write *w);
void refuse_ddl(struct reactor *r, struct cluster_ddl *d);
void refuse_partitions(struct reactor *r, struct cluster_partitions *p);
