/*
 * Home core of a write: splits the rows by slot and lends one leg to each core that owns some of them. The owner
 * applies them, hands the same bytes to the log and replies when they are durable.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/assert.h"
#include "reactor/log.h"
#include "rpc/local.h"
#include "rpc/local_load.h"
#include "rpc/local_prepare.h"
#include "rpc/local_write.h"
#include "rpc/refuse.h"
#include "rpc/split.h"
#include "storage/wlog_format.h"

enum {
    WRITE_ARENA_BYTES = 256 << 20,
    CHANGE_RETRY_NS = 1000000, /* a definition change takes the time of a write to the log */
    ROOM_RETRY_NS = 20000000,
    ROOM_TRIES = 1500, /* 30 s: then the write is refused, */
    ROOM_ROUNDS = 2,   /* or after a whole checkpoint that made none */
};

struct write_leg {
    struct leg leg; /* first */
    struct write_op *op;
    struct split_piece **pieces; /* of this core */
    uint32_t n;
    struct wlog_record *records;
    uint32_t n_records;
    struct log_submit submit; /* the shard core's while lent */
    struct local_prepare prepare;
    struct timer retry;          /* there is no room now */
    unsigned tries, rounds;      /* waits, checkpoints ended when it began to */
    struct buffer applied;       /* rows of a piece that could not be applied whole */
    struct write_result *result; /* of the legs that are lent */
    struct error_info error;
    int rc;
};

enum write_stage {
    WRITE_CHECK,
    WRITE_APPLY,
    WRITE_AT_ONCE, /* both: one core has all rows */
    WRITE_DONE
};

struct write_op { /* owner: the home core; freed before done */
    struct local *local;
    struct cluster_write *write;
    enum write_stage stage;
    struct arena arena;
    struct split split;
    struct task task; /* runs done from the loop */
    unsigned lent;
    unsigned n_legs;
    struct write_leg *legs; /* one per core */
};

static void write_dispatch(struct write_op *op);

/* Hidden keys: milliseconds since 2026, core and a number, so that they ascend and never repeat. */
static int64_t next_hidden_key(struct local *l)
{
    int64_t ms = reactor_wall_us(l->reactor) / 1000 - HIDDEN_KEY_EPOCH_MS;

    if (ms > l->key_ms) {
        l->key_ms = ms;
        l->key_n = 0;
    } else if (++l->key_n >> HIDDEN_KEY_NUMBER_BITS) {
        l->key_ms++;
        l->key_n = 0;
    }
    return l->key_ms << (HIDDEN_KEY_CORE_BITS + HIDDEN_KEY_NUMBER_BITS) |
           (int64_t)reactor_core(l->reactor) << HIDDEN_KEY_NUMBER_BITS | l->key_n;
}

/* Keys given before the restart: the clock may have been set back, and the keys may have run ahead of it. */
static void note_hidden_keys(struct node *n, const struct batch *b)
{
    int at = batch_find_column(b, SCHEMA_HIDDEN_KEY_ID);
    struct batch_column c;
    int64_t last = 0;

    if (at < 0)
        return;
    batch_column_at(b, (unsigned)at, &c);
    for (uint32_t row = 0; row < b->rows && c.kind == BATCH_I64; row++)
        if (batch_i64(&c, row) > last)
            last = batch_i64(&c, row);
    for (unsigned i = 0; i < n->cores; i++)
        if (last >> (HIDDEN_KEY_CORE_BITS + HIDDEN_KEY_NUMBER_BITS) >= n->locals[i]->key_ms) {
            n->locals[i]->key_ms = last >> (HIDDEN_KEY_CORE_BITS + HIDDEN_KEY_NUMBER_BITS);
            n->locals[i]->key_n = (1U << HIDDEN_KEY_NUMBER_BITS) - 1;
        }
}

/* Where the rows of a batch get their hidden keys from. */
struct hidden_keys {
    struct local *local;
    uint64_t client, sequence, row;
};

/*
 * A batch with a sequence must get the same keys when it is repeated, or its rows would lie in other slots and be
 * taken for new: 63 bits of a hash, negative, apart from the ascending ones. Two of 10^8 rows meet with 1:1800.
 */
static int64_t hidden_key(void *ctx)
{
    struct hidden_keys *k = ctx;

    if (!k->client)
        return next_hidden_key(k->local);
    const uint64_t place[3] = {k->client, k->sequence, k->row++};
    return (int64_t)(XXH3_64bits(place, sizeof(place)) | 1ULL << 63);
}

static size_t piece_log_bytes(const struct split_piece *p)
{
    return WLOG_RECORD_HEADER + ((p->batch.len + 7UL) & ~7UL);
}

/* All rows of a core are one append: what the log would not take must not be applied. */
static int check_log_bytes(size_t pieces, struct error_info *err)
{
    size_t bytes = WLOG_FRAME_HEADER + pieces;

    if (bytes <= LOG_MAX_RECORD)
        return 0;
    return error_set(
        err, -EMSGSIZE, 1153,
        "the batch has %zu bytes for one core, allowed are %d: send fewer rows at once", bytes,
        LOG_MAX_RECORD);
}

static void add_result(struct write_result *to, const struct write_result *from)
{
    to->inserted += from->inserted;
    to->updated += from->updated;
    to->unchanged += from->unchanged;
    to->deleted += from->deleted;
    to->rejected += from->rejected;
    for (uint32_t i = 0; i < from->n_errors && to->n_errors < WRITE_MAX_ERRORS; i++)
        to->errors[to->n_errors++] = from->errors[i];
}

/* Adds a piece's result with the row numbers of the whole batch. */
static void add_piece_result(struct write_leg *l, const struct split_piece *p,
                             struct write_result *r)
{
    for (uint32_t i = 0; i < r->n_errors && p->row_of; i++)
        r->errors[i].row = p->row_of[r->errors[i].row];
    add_result(l->result, r);
}

static void shard_log_done(struct log_submit *s)
{
    struct write_leg *l = (struct write_leg *)((char *)s - offsetof(struct write_leg, submit));

    if (s->rc && !l->rc)
        l->rc = error_set(&l->error, s->rc, s->rc == -ENOSPC ? 1021 : 1026,
                          "the log cannot be written (%s): the write may be lost at a restart; "
                          "further writes are refused",
                          strerror(-s->rc));
    leg_reply(reactor_self(), &l->leg);
}

static struct wlog_record *add_record(struct local *local, struct write_leg *l,
                                      const struct split_piece *p, uint8_t kind)
{
    const struct cluster_write *w = l->op->write;
    struct wlog_record *rec = &l->records[l->n_records++];

    *rec = (struct wlog_record){
        .kind = kind,
        .doublings = (uint8_t)local->node->dir.doublings,
        .slot = p->slot,
        .slot_lsn = ++local->slot_lsn[p->slot],
        .client = w->client_id,
        .sequence = w->sequence,
        .payload = kind == LOG_BATCH ? p->batch.bytes : NULL,
        .len = kind == LOG_BATCH ? p->batch.len : 0,
    };
    return rec;
}

/*
 * Memory ended within a piece: the rows before that are applied and seen, so they must be in the log, and no others,
 * or later writes of these keys would find something else at replay. Without memory for that, nothing more may be
 * written that could depend on them.
 */
static void log_applied(struct local *local, struct write_leg *l, const struct split_piece *p,
                        const struct write_result *r)
{
    struct error_info err;
    struct batch b;

    if (!(r->inserted + r->updated + r->deleted))
        return;
    if (split_first_rows(&p->batch, p->slot, r->taken, &l->applied, &b, &err)) {
        log_error("slot %u: memory ended within a write: writes are refused until a restart",
                  p->slot);
        atomic_store(&local->node->refusing, -ENOMEM);
        return;
    }
    struct wlog_record *rec = add_record(local, l, p, LOG_BATCH);
    rec->payload = b.bytes;
    rec->len = b.len;
    rec->client = rec->sequence = 0; /* a repetition is not answered by a part */
}

/* Slots that were one when the batch was applied have its counts together: the first of them to come tells. */
static bool tells_counts(const struct write_op *op, const struct split_piece *p, unsigned halvings)
{
    return p == op->split.pieces || p[-1].slot >> halvings != p->slot >> halvings;
}

/* Was the piece applied before? Its counts are added to the result. */
static bool was_applied(const struct local *local, const struct write_op *op,
                        const struct split_piece *p, struct write_result *result)
{
    const struct cluster_write *w = op->write;
    struct write_result r;
    unsigned halvings;

    if (!w->client_id)
        return false;
    write_result_clear(&r);
    if (!dedupe_find(&local->dedupe, w->client_id, w->sequence, p->slot, &r, &halvings))
        return false;
    if (tells_counts(op, p, halvings))
        add_result(result, &r);
    return true;
}

static int no_memory(struct error_info *err, const struct schema *s)
{
    return error_set(err, -ENOMEM, 1037,
                     "out of memory for a row of table '%s': the memory budget of the core is "
                     "spent; raise --memory",
                     s->name);
}

static int apply_piece(struct local *local, struct write_leg *l, const struct split_piece *p)
{
    const struct cluster_write *w = l->op->write;
    struct slot *slot = shard_slot(local->shard, w->schema->table_id, p->slot);
    struct write_result r;

    write_result_clear(&r);
    if (!slot || slot_schema(slot)->version < w->schema->version)
        return error_set(&l->error, -ESTALE, 1412,
                         "Table definition of '%s' has changed, please retry", w->schema->name);
    if (was_applied(local, l->op, p, l->result)) {
        add_record(local, l, p,
                   LOG_BARRIER); /* the first one may still be on its way to the disk */
        return 0;
    }
    int rc = slot_apply(slot, &p->batch, &r);
    add_piece_result(l, p, &r);
    if (rc == -EINVAL) { /* not a batch for this table: nothing was applied */
        l->error = r.errors[0].info;
        return rc;
    }
    if (rc) {
        log_applied(local, l, p, &r);
        if (rc == -ENOMEM)
            return no_memory(&l->error, w->schema);
        return error_set(&l->error, rc, 1114, "The table '%s' is full: a segment has 2^32 rows",
                         w->schema->name);
    }
    if (w->client_id)
        dedupe_add(&local->dedupe, w->client_id, w->sequence, p->slot, &r);
    /* with a sequence also when nothing changed: a repetition after a restart must find that out, too */
    if (r.inserted + r.updated + r.deleted || w->client_id)
        add_record(local, l, p, LOG_BATCH);
    else if (r.unchanged && local->unlogged)
        add_record(local, l, p, LOG_BARRIER); /* the rows it found may not be durable yet */
    return 0;
}

/* False: the leg waits. With an error in l->rc nothing is to be done with the pieces. */
static bool prepare_pieces(struct local *local, struct write_leg *l)
{
    if (l->rc)
        return local_prepare_end(local, &l->prepare);
    switch (local_prepare(local, &l->prepare, l->op->write->schema->table_id, l->pieces, l->n,
                          &l->error)) {
    case BLOCK_PENDING:
        return false;
    case BLOCK_FAILED:
        l->rc = l->error.code == 1037 ? -ENOMEM : -EIO;
        break;
    case BLOCK_READY:
        break;
    }
    return true;
}

static bool may_wait(const struct local *local, const struct write_leg *l)
{
    unsigned ended = atomic_load_explicit(&local->node->rounds_ended, memory_order_relaxed);

    return !l->tries || (l->tries < ROOM_TRIES && ended - l->rounds < ROOM_ROUNDS);
}

static void wait_for_room(struct local *local, struct write_leg *l)
{
    if (!l->tries++)
        l->rounds = atomic_load_explicit(&local->node->rounds_ended, memory_order_relaxed);
    timer_arm(local->reactor, &l->retry, ROOM_RETRY_NS);
}

/* False: the leg waits, or gets an error. What makes room is always let through. */
static bool find_room(struct local *local, struct write_leg *l)
{
    const struct cluster_write *w = l->op->write;
    uint64_t bytes = 0;

    if (w->batch.op == BATCH_DELETE)
        return true;
    for (uint32_t i = 0; i < l->n; i++)
        bytes += l->pieces[i]->batch.len;
    enum local_room room = local_make_room(local, bytes);
    if (room == LOCAL_ROOM_SOON && may_wait(local, l)) {
        wait_for_room(local, l);
        return false;
    }
    if (room == LOCAL_ROOM_NONE || room == LOCAL_ROOM_SOON)
        l->rc = no_memory(&l->error, w->schema);
    return true;
}

/*
 * Rows that were made before the table got columns have in these what all rows have that were there, whoever comes
 * first, and so they go into the log.
 */
static void complete_pieces(struct local *local, struct write_leg *l)
{
    const struct schema *made = l->op->write->schema, *now;
    const struct slot *slot = shard_slot(local->shard, made->table_id, l->pieces[0]->slot);
    size_t bytes = 0;

    if (!slot || slot_schema(slot)->version <= made->version) /* all slots change at once */
        return;
    now = slot_schema(slot);
    for (uint32_t i = 0; i < l->n && !l->rc; i++) {
        l->rc = split_complete(l->pieces[i], made, now, &l->error);
        bytes += piece_log_bytes(l->pieces[i]);
    }
    if (!l->rc)
        l->rc = check_log_bytes(bytes, &l->error);
}

static void apply_pieces(struct local *local, struct write_leg *l)
{
    if (!l->rc)
        complete_pieces(local, l);
    for (uint32_t i = 0; i < l->n && !l->rc; i++)
        l->rc = apply_piece(local, l, l->pieces[i]);
    if (!l->n_records) {
        leg_reply(local->reactor, &l->leg);
        return;
    }
    l->submit.done = shard_log_done;
    log_submit(local, &l->submit, l->records, l->n_records);
}

static void check_pieces(struct local *local, struct write_leg *l)
{
    for (uint32_t i = 0; i < l->n && !l->rc; i++) {
        const struct cluster_write *w = l->op->write;
        struct slot *slot = shard_slot(local->shard, w->schema->table_id, l->pieces[i]->slot);
        struct write_result r, before;
        write_result_clear(&r);
        write_result_clear(&before);
        bool repeated = was_applied(local, l->op, l->pieces[i], &before);
        int rc = 0;
        if (slot && !repeated) /* its own rows would be found */
            rc = slot_check(slot, &l->pieces[i]->batch, &r);
        if (rc == -ENOMEM)
            l->rc = error_set(&l->error, rc, 1037, "out of memory while keys were looked up");
        add_piece_result(l, l->pieces[i], &r);
    }
}

/* Of a statement whose rows are all here. False: one of them is refused, and so nothing is written. */
static bool passes_check(struct local *local, struct write_leg *l)
{
    if (l->op->stage != WRITE_AT_ONCE || l->rc)
        return true;
    check_pieces(local, l);
    if (l->rc || l->result->n_errors) {
        l->result->rejected = l->op->write->batch.rows;
        return false;
    }
    write_result_clear(l->result);
    return true;
}

static void shard_apply(struct leg *leg)
{
    struct write_leg *l = (struct write_leg *)leg;
    struct local *local = local_of(reactor_self());
    int refusing = atomic_load_explicit(&local->node->refusing, memory_order_relaxed);

    if (refusing)
        l->rc =
            error_set(&l->error, refusing, refusing == -ENOSPC ? 1021 : 1026,
                      "writes are refused: the log cannot be written (%s)", strerror(-refusing));
    timer_cancel(local->reactor, &l->retry);
    if (!l->rc && shard_is_changing(local->shard, l->op->write->schema->table_id)) {
        timer_arm(local->reactor, &l->retry, CHANGE_RETRY_NS);
        return;
    }
    if ((!l->rc && !find_room(local, l)) || !prepare_pieces(local, l))
        return;
    if (passes_check(local, l))
        apply_pieces(local, l);
    else
        leg_reply(local->reactor, leg);
    shard_freeze(local->shard, false);
}

static void shard_check(struct leg *leg)
{
    struct write_leg *l = (struct write_leg *)leg;
    struct local *local = local_of(reactor_self());

    if (!prepare_pieces(local, l))
        return;
    check_pieces(local, l);
    shard_freeze(local->shard, false);
    leg_reply(local->reactor, leg);
}

static void woken(struct task *t)
{
    struct write_leg *l =
        (struct write_leg *)((char *)t - offsetof(struct write_leg, prepare.wake));

    l->leg.run(&l->leg);
}

static void retried(struct timer *t)
{
    struct write_leg *l = (struct write_leg *)((char *)t - offsetof(struct write_leg, retry));

    l->leg.run(&l->leg);
}

static void leg_home(struct leg *leg)
{
    struct write_op *op = ((struct write_leg *)leg)->op;

    if (!--op->lent)
        write_dispatch(op);
}

static void lend_all(struct write_op *op, leg_fn *run)
{
    for (unsigned i = 0; i < op->n_legs; i++) {
        struct write_leg *l = &op->legs[i];
        if (!l->n)
            continue;
        l->leg.run = run;
        l->leg.done = leg_home;
        l->prepare = (struct local_prepare){.wake.run = woken};
        l->retry.fire = retried;
        l->tries = 0;
        write_result_clear(l->result);
        op->lent++;
    }
    for (unsigned i = 0; i < op->n_legs; i++)
        if (op->legs[i].n)
            leg_send(op->local->reactor, &op->legs[i].leg, i, LEG_REQUEST);
}

static void collect(struct write_op *op)
{
    struct cluster_write *w = op->write;

    for (unsigned i = 0; i < op->n_legs; i++) {
        if (op->legs[i].n && op->legs[i].result != &w->result)
            add_result(&w->result, op->legs[i].result);
        if (op->legs[i].rc && !w->rc) {
            w->rc = op->legs[i].rc;
            w->error = op->legs[i].error;
        }
    }
}

static void finish(struct write_op *op)
{
    op->stage = WRITE_DONE;
    reactor_task(op->local->reactor, &op->task, TASK_IO);
}

static void write_dispatch(struct write_op *op)
{
    collect(op);
    if (op->stage == WRITE_CHECK && !op->write->rc && !op->write->result.n_errors) {
        op->stage = WRITE_APPLY;
        write_result_clear(&op->write->result);
        lend_all(op, shard_apply);
        return;
    }
    if (op->stage == WRITE_CHECK) /* nothing is written when one row of the statement is refused */
        op->write->result.rejected = op->write->batch.rows;
    finish(op);
}

static void task_run(struct task *t)
{
    struct write_op *op = (struct write_op *)((char *)t - offsetof(struct write_op, task));
    struct cluster_write *w = op->write;

    for (unsigned i = 0; op->legs && i < op->n_legs; i++)
        buffer_fini(&op->legs[i].applied);
    split_fini(&op->split);
    arena_fini(&op->arena);
    free(op);
    w->done(w);
}

static int group_by_core(struct write_op *op)
{
    unsigned cores = op->n_legs;

    op->legs = arena_alloc(&op->arena, cores * sizeof(*op->legs));
    if (!op->legs)
        return -ENOMEM;
    for (unsigned i = 0; i < cores; i++)
        op->legs[i].op = op;
    for (uint32_t i = 0; i < op->split.n; i++)
        op->legs[shard_core_of_slot(op->split.pieces[i].slot, cores)].n++;
    for (unsigned i = 0; i < cores; i++) {
        struct write_leg *l = &op->legs[i];
        l->pieces = arena_alloc(&op->arena, (l->n + 1) * sizeof(*l->pieces));
        l->records = arena_alloc(&op->arena, (l->n + 1) * sizeof(*l->records));
        if (l->n == op->split.n) /* alone: no further 8 KiB to allocate and to add */
            l->result = &op->write->result;
        else if (l->n)
            l->result = arena_alloc_raw(&op->arena, sizeof(*l->result));
        if (!l->pieces || !l->records || (l->n && !l->result))
            return -ENOMEM;
        l->n = 0;
    }
    for (uint32_t i = 0; i < op->split.n; i++) {
        struct write_leg *l = &op->legs[shard_core_of_slot(op->split.pieces[i].slot, cores)];
        l->pieces[l->n++] = &op->split.pieces[i];
    }
    return 0;
}

static int check_legs(const struct write_op *op, struct error_info *err)
{
    int rc = 0;

    for (unsigned i = 0; i < op->n_legs && !rc; i++) {
        const struct write_leg *l = &op->legs[i];
        size_t bytes = 0;
        for (uint32_t k = 0; k < l->n; k++)
            bytes += piece_log_bytes(l->pieces[k]);
        rc = check_log_bytes(bytes, err);
    }
    return rc;
}

static bool has_one_core(const struct write_op *op)
{
    unsigned cores = 0;

    for (unsigned i = 0; i < op->n_legs; i++)
        cores += op->legs[i].n > 0;
    return cores == 1;
}

void local_write_start(struct cluster *c, struct cluster_write *w)
{
    struct local *l = (struct local *)c;
    struct write_op *op = calloc(1, sizeof(*op));
    struct hidden_keys keys = {l, w->client_id, w->sequence, 0};

    if (!op) {
        refuse_write(l->reactor, w);
        return;
    }
    op->local = l;
    op->write = w;
    op->n_legs = l->node->cores;
    op->task.run = task_run;
    arena_init(&op->arena, WRITE_ARENA_BYTES, NULL);
    w->rc = 0;
    write_result_clear(&w->result);
    w->error.text[0] = 0;
    w->rc = split_batch(w->schema, &w->batch, l->node->dir.hash_seed, l->node->dir.slot_bits,
                        hidden_key, &keys, &op->arena, &op->split, &w->error);
    if (!w->rc && group_by_core(op))
        w->rc = error_set(&w->error, -ENOMEM, 1037, "out of memory at the start of a write");
    if (!w->rc)
        w->rc = check_legs(op, &w->error);
    if (w->rc || !op->split.n) {
        finish(op);
        return;
    }
    if (w->check_first)
        op->stage = has_one_core(op) ? WRITE_AT_ONCE : WRITE_CHECK;
    else
        op->stage = WRITE_APPLY;
    lend_all(op, op->stage == WRITE_CHECK ? shard_check : shard_apply);
}

int local_replay_batch(struct local *l, const struct wlog_record *rec, struct error_info *err)
{
    struct batch b;
    struct write_result r;
    int rc = batch_open(rec->payload, rec->len, &b, err);

    if (rc)
        return rc;
    struct slot *slot = shard_slot(l->shard, b.table_id, rec->slot);
    if (!slot)
        return 0; /* the table was dropped later */
    rc = slot_prepare_now(slot, &b, err);
    if (rc)
        return rc;
    rc = slot_apply(slot, &b, &r);
    if (rc)
        return error_set(err, rc, 0,
                         "replay of the log: the memory budget of core %u is spent; raise --memory",
                         reactor_core(l->reactor));
    note_hidden_keys(l->node, &b);
    if (rec->client)
        dedupe_add(&l->dedupe, rec->client, rec->sequence, rec->slot, &r);
    l->slot_lsn[rec->slot] = rec->slot_lsn;
    return 0;
}
