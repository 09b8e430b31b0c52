#pragma once
/*
 * Rows of a write batch by node. Keys of rows without one are made here and not at the node, so that a batch sent
 * twice is the same batch. Owner: one operation on one core.
 */
#include "rpc/remote_impl.h"
#include "rpc/split.h"

struct remote_split_part {
    unsigned node;
    const struct schema *table; /* the node's definition; lives until the node's catalog changes */
    struct batch batch;
    struct buffer bytes; /* empty when the batch is the caller's or `whole` */
    uint32_t *row_of;    /* NULL = the same */
    uint32_t rows;
};

struct remote_split {
    struct split whole; /* holds the bytes with keys filled in */
    struct remote_split_part *parts;
    unsigned n;
};

/* may_be_old: the table may have been altered since. Arrays come from the arena, batch bytes from malloc until remote_split_fini. 0, -EINVAL (no or NULL key), -ESTALE
 * (1412), -ENOMEM, -EMSGSIZE with a text. */
int remote_split(struct remote *x, const struct schema *s, bool may_be_old, const struct batch *b,
                 split_key_fn *new_key, struct arena *arena, struct remote_split *out,
                 struct error_info *err);
void remote_split_fini(struct remote_split *s);
