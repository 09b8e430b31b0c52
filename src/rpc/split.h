#pragma once
/*
 * Split: the rows of a write batch by slot, as one batch per slot. Fills in the hidden key of tables without one.
 * Owner: one operation on one core.
 */
#include "reactor/arena.h"
#include "storage/batch.h"
#include "storage/slot.h"

struct split_piece {
    uint32_t slot, rows;
    struct buffer bytes; /* the batch; empty when the whole input is this piece */
    struct batch batch;
    uint32_t *row_of; /* piece row -> input row; NULL = the same */
};

struct split {
    struct split_piece *pieces; /* by slot, ascending */
    uint32_t n;
};

/* Gives ids for rows of tables without a key; called once per row. */
typedef int64_t split_key_fn(void *ctx);

/* Memory comes from the arena, batch bytes from malloc until split_fini. 0, -EINVAL (no or NULL key, text in err),
 * -ENOMEM, -EMSGSIZE. */
int split_batch(const struct schema *s, const struct batch *b, uint64_t hash_seed,
                unsigned slot_bits, split_key_fn *new_key, void *ctx, struct arena *arena,
                struct split *out, struct error_info *err);
void split_fini(struct split *s);

/*
 * Rows of a piece that were made with the definition `made` get the initial values of columns that `now`, which
 * followed it, has besides; batches that insert nothing stay as they are. Its bytes may be new ones. 0, -ENOMEM,
 * -ENOBUFS with a text.
 */
int split_complete(struct split_piece *p, const struct schema *made, const struct schema *now,
                   struct error_info *err);

/* The first `rows` rows of a batch as a batch of its own for a slot. 0, -ENOMEM. bytes: from malloc, the caller's. */
int split_first_rows(const struct batch *b, uint32_t slot, uint32_t rows, struct buffer *bytes,
                     struct batch *out, struct error_info *err);
