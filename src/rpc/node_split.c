#include "rpc/node_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/log.h"
#include "rpc/local.h"
#include "rpc/node_restore.h"
#include "rpc/split.h"
#include "storage/partition.h"
#include "storage/root.h"

enum { SPLIT_ARENA_BYTES = 256 << 20 };

unsigned node_split_bits(unsigned slots)
{
    unsigned bits = 0;

    while (bits < DATADIR_MAX_SLOT_BITS && 1U << bits < slots)
        bits++;
    return bits;
}

/* ---- what cannot be split ---- */

struct look { /* owner: one call of find_archived */
    struct catalog *catalog;
    struct error_info *err;
    bool found;
    uint32_t table_id;
    int64_t partition;
};

static int see_head(void *ctx, const struct root_head *h)
{
    struct look *x = ctx;

    return catalog_decode(h->catalog, h->catalog_len, &x->catalog, x->err);
}

static int see_file(void *ctx, const struct root_file *f)
{
    struct look *x = ctx;

    if (!f->id.archived)
        return 0;
    x->found = true;
    x->table_id = f->id.table_id;
    x->partition = f->id.partition;
    return 0;
}

/* Is there an archived partition? Then a line tells. A root that is damaged is left to node_restore. */
static bool has_archived(const struct node *n, const uint8_t *bytes, size_t len)
{
    struct error_info err;
    struct look x = {.err = &err};
    const struct root_visitor v = {see_head, NULL, see_file, &x};
    char name[PARTITION_NAME_BYTES];
    const struct schema *s;

    if (!root_decode(bytes, len, n->dir.id, &v, &err) && x.found) {
        s = catalog_find_id(x.catalog, x.table_id);
        if (s)
            partition_name(s, x.partition, name);
        log_warn("slots: they are not split, partition %s of table %s is archived: restore or drop "
                 "it before",
                 s ? name : "?", s ? s->name : "?");
    }
    catalog_put(x.catalog);
    return x.found;
}

/* ---- begin and end ---- */

/* Nothing is in them yet. */
static int resize_core(const struct node *n, struct local *l)
{
    uint32_t slots = 1U << n->dir.slot_bits;
    uint64_t *lsn = calloc(slots, sizeof(*lsn));

    if (!lsn)
        return -ENOMEM;
    free(l->slot_lsn);
    l->slot_lsn = lsn;
    dedupe_fini(&l->dedupe);
    shard_set_slot_bits(l->shard, n->dir.slot_bits);
    return dedupe_init(&l->dedupe, slots, n->cores, n->dir.doublings);
}

int node_split_begin(struct node *n, struct reactor *r, struct error_info *err)
{
    unsigned bits = node_split_bits(n->config.slots), from = n->dir.slot_bits;
    uint8_t *bytes = NULL;
    size_t len;

    if (!n->config.splits_slots || bits <= from)
        return 0;
    int rc = node_read_root(n, r, &bytes, &len, err);
    bool stays = !rc && has_archived(n, bytes, len);
    free(bytes);
    if (stays || (rc && rc != -ENOENT))
        return stays ? 0 : rc;
    n->dir.slot_bits = bits;
    n->dir.doublings += bits - from;
    n->dir.version = DATADIR_VERSION;
    rc = 0;
    for (unsigned i = 0; i < n->cores && !rc; i++)
        rc = resize_core(n, n->locals[i]);
    if (rc)
        return error_set(err, rc, 0, "out of memory for %u slots", 1U << bits);
    log_info("slots: %u become %u; every row is looked at for its new one", 1U << from, 1U << bits);
    return 0;
}

int node_split_end(struct node *n, struct error_info *err)
{
    unsigned shared = node_shared_files(n);

    if (n->split_from != n->dir.slot_bits) {
        int rc = datadir_write_meta(n->data_dir, &n->dir);
        if (rc)
            return error_set(err, rc, 0, "cannot write quanta.meta in %s: %s", n->data_dir,
                             strerror(-rc));
    }
    if (shared)
        log_info("slots: %u; in the background each gets files of its own, %u are left",
                 1U << n->dir.slot_bits, shared);
    return 0;
}

/* ---- replay ---- */

static int replay_pieces(struct node *n, const struct wlog_record *rec, const struct split *split,
                         int (*replay)(struct node *n, const struct wlog_record *rec,
                                       struct error_info *err),
                         struct error_info *err)
{
    int rc = 0;

    for (uint32_t i = 0; i < split->n && !rc; i++) {
        struct wlog_record one = *rec;

        one.slot = split->pieces[i].slot;
        one.payload = split->pieces[i].batch.bytes;
        one.len = split->pieces[i].batch.len;
        rc = replay(n, &one, err);
    }
    return rc;
}

static int replay_batch(struct node *n, const struct wlog_record *rec, uint32_t first,
                        int (*replay)(struct node *n, const struct wlog_record *rec,
                                      struct error_info *err),
                        struct error_info *err)
{
    struct local *l = n->locals[shard_core_of_slot(first, n->cores)];
    struct arena arena;
    struct split split;
    struct batch b;
    int rc = batch_open(rec->payload, rec->len, &b, err);

    if (rc)
        return rc;
    struct slot *slot = shard_slot(l->shard, b.table_id, first);
    if (!slot)
        return 0; /* the table was dropped later */
    arena_init(&arena, SPLIT_ARENA_BYTES, NULL);
    rc = split_batch(slot_schema(slot), &b, n->dir.hash_seed, n->dir.slot_bits, NULL, NULL, &arena,
                     &split, err);
    if (!rc)
        rc = replay_pieces(n, rec, &split, replay, err);
    split_fini(&split);
    arena_fini(&arena);
    return rc;
}

int node_split_replay(struct node *n, const struct wlog_record *rec,
                      int (*replay)(struct node *n, const struct wlog_record *rec,
                                    struct error_info *err),
                      struct error_info *err)
{
    unsigned halvings = n->dir.doublings - rec->doublings;
    uint32_t first = rec->slot << halvings;
    struct wlog_record one = *rec;
    int rc = 0;

    if (rec->kind == LOG_BATCH)
        rc = replay_batch(n, rec, first, replay, err);
    for (uint32_t i = first; i < first + (1U << halvings) && !rc; i++) {
        one.slot = i;
        if (rec->kind != LOG_BATCH)
            rc = replay(n, &one, err);
        n->locals[shard_core_of_slot(i, n->cores)]->slot_lsn[i] = rec->slot_lsn;
    }
    return rc;
}
