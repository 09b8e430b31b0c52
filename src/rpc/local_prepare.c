#include "rpc/local_prepare.h"

#include <errno.h>

#include "rpc/split.h"

enum {
    /* A block wakes whoever waits for it a few times at most. Who has waited so often for every block that there is
     * reads, for hours, again and again what makes room for the next: memory is too small for all at once. */
    WAITS_EACH = 16,
    WAITS_LEAST = 100,
};

static uint64_t most_waits(struct local *l, uint32_t table_id, struct split_piece *const *pieces,
                           uint32_t n)
{
    uint64_t blocks = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct slot *slot = shard_slot(l->shard, table_id, pieces[i]->slot);

        for (uint32_t k = 0; slot && k < slot_segments(slot); k++)
            blocks += segment_blocks(slot_segment(slot, k));
    }
    return blocks * WAITS_EACH < WAITS_LEAST ? WAITS_LEAST : blocks * WAITS_EACH;
}

static enum block_state prepare_once(struct local *l, struct local_prepare *p, uint32_t table_id,
                                     struct split_piece *const *pieces, uint32_t n,
                                     struct error_info *error)
{
    enum block_state all = BLOCK_READY;

    for (uint32_t i = 0; i < n && all != BLOCK_FAILED; i++) {
        struct slot *slot = shard_slot(l->shard, table_id, pieces[i]->slot);
        enum block_state one =
            slot ? slot_prepare(slot, &pieces[i]->batch, &p->wake, error) : BLOCK_READY;
        if (one != BLOCK_READY)
            all = one;
    }
    return all;
}

/* As prepare_once, and nothing is let go before it is used: READY leaves the shard frozen. */
static enum block_state prepare_frozen(struct local *l, struct local_prepare *p, uint32_t table_id,
                                       struct split_piece *const *pieces, uint32_t n,
                                       struct error_info *error)
{
    enum block_state all = prepare_once(l, p, table_id, pieces, n, error);

    shard_freeze(l->shard, true);
    if (all == BLOCK_READY && n > 1) /* room for one may have been made by letting go another's */
        all = prepare_once(l, p, table_id, pieces, n, error);
    if (p->wake.queued) /* it runs once more: the leg may be gone after an answer */
        all = BLOCK_PENDING;
    if (all != BLOCK_READY)
        shard_freeze(l->shard, false);
    return all;
}

enum block_state local_prepare(struct local *l, struct local_prepare *p, uint32_t table_id,
                               struct split_piece *const *pieces, uint32_t n,
                               struct error_info *error)
{
    if (p->wake.queued)
        return BLOCK_PENDING;
    enum block_state all = prepare_frozen(l, p, table_id, pieces, n, error);
    p->waited |= all != BLOCK_READY;
    if (all == BLOCK_PENDING && (p->waits++ < WAITS_LEAST || p->wake.queued ||
                                 p->waits < most_waits(l, table_id, pieces, n)))
        return all;
    if (all == BLOCK_PENDING)
        error_set(
            error, -ENOMEM, 1037,
            "out of memory for what the rows of one batch touch: raise --memory or send fewer "
            "at once");
    else if (all == BLOCK_FAILED && error->code == 1038)
        error->code = 1037;
    local_prepare_end(l, p);
    return all == BLOCK_READY ? all : BLOCK_FAILED;
}

bool local_prepare_end(struct local *l, struct local_prepare *p)
{
    if (p->waited)
        shard_unwait(l->shard, &p->wake);
    return !p->wake.queued;
}
