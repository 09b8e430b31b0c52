/*
 * Which rows of an INSERT have keys that exist: the rows go by slot to the cores that own them, as those of a write,
 * but nothing is applied. A gateway asks all nodes this before it writes to any.
 */
#include <errno.h>
#include <stdlib.h>

#include "reactor/assert.h"
#include "rpc/local_prepare.h"
#include "rpc/refuse.h"
#include "rpc/service_impl.h"
#include "rpc/split.h"

enum { CHECK_ARENA_BYTES = 256 << 20 };

struct check_op;

struct check_leg {
    struct leg leg; /* first */
    struct check_op *op;
    struct write_result result;
    struct local_prepare prepare;
    bool stale; /* the table is another one on that core */
    int rc;     /* the keys could not be looked up: error tells */
    struct error_info error;
};

struct check_op { /* owner: the home core; freed before done */
    struct rpc_server *server;
    struct local *local;
    struct cluster_write *write;
    struct arena arena;
    struct split split;
    struct split_piece **pieces; /* all of it */
    struct task task;            /* runs done from the loop */
    unsigned lent;
    struct check_leg legs[]; /* one per core */
};

static void add_errors(struct write_result *to, const struct write_result *from,
                       const struct split_piece *p)
{
    for (uint32_t i = 0; i < from->n_errors && to->n_errors < WRITE_MAX_ERRORS; i++) {
        struct write_error *e = &to->errors[to->n_errors++];
        *e = from->errors[i];
        if (p && p->row_of)
            e->row = p->row_of[e->row];
    }
}

static bool is_mine(const struct local *local, const struct split_piece *p)
{
    return shard_core_of_slot(p->slot, local->node->cores) == reactor_core(local->reactor);
}

static void check_pieces(struct local *local, struct check_leg *l)
{
    const struct check_op *op = l->op;
    const struct schema *s = op->write->schema;

    for (uint32_t i = 0; i < op->split.n; i++) {
        const struct split_piece *p = &op->split.pieces[i];
        struct write_result r = {0};
        if (!is_mine(local, p))
            continue;
        struct slot *slot = shard_slot(local->shard, s->table_id, p->slot);
        if (!slot || slot_schema(slot)->version < s->version) {
            l->stale = true;
            break;
        }
        l->rc = slot_check(slot, &p->batch, &r);
        if (l->rc == -ENOMEM) {
            error_set(&l->error, l->rc, 1037, "out of memory while keys were looked up");
            break;
        }
        l->rc = 0; /* what a row is refused for is among the errors */
        add_errors(&l->result, &r, p);
    }
}

/* On a core with data: the pieces of its slots. */
static void leg_run(struct leg *leg)
{
    struct check_leg *l = (struct check_leg *)leg;
    struct local *local = local_of(reactor_self());

    const struct check_op *op = l->op;

    switch (local_prepare(local, &l->prepare, op->write->schema->table_id, op->pieces, op->split.n,
                          &l->error)) {
    case BLOCK_PENDING:
        return;
    case BLOCK_FAILED:
        l->rc = l->error.code == 1037 ? -ENOMEM : -EIO;
        break;
    case BLOCK_READY:
        check_pieces(local, l);
        shard_freeze(local->shard, false);
        break;
    }
    leg_reply(local->reactor, leg);
}

static void woken(struct task *t)
{
    leg_run(&container_of(t, struct check_leg, prepare.wake)->leg);
}

static void leg_home(struct leg *leg)
{
    struct check_leg *l = (struct check_leg *)leg;
    struct check_op *op = l->op;
    struct cluster_write *w = op->write;

    add_errors(&w->result, &l->result, NULL);
    if (l->stale && !w->rc)
        w->rc = error_set(&w->error, -ESTALE, 1412,
                          "Table definition of '%s' has changed, please retry", w->schema->name);
    if (l->rc && !w->rc) {
        w->rc = l->rc;
        w->error = l->error;
    }
    if (!--op->lent)
        reactor_task(op->local->reactor, &op->task, TASK_IO);
}

static void task_run(struct task *t)
{
    struct check_op *op = container_of(t, struct check_op, task);
    struct cluster_write *w = op->write;

    split_fini(&op->split);
    arena_fini(&op->arena);
    free(op);
    w->done(w);
}

/* As local_prepare wants them: it finds those of a core itself. */
static int list_pieces(struct check_op *op, struct error_info *err)
{
    op->pieces = arena_alloc(&op->arena, (op->split.n + 1) * sizeof(struct split_piece *));
    if (!op->pieces)
        return error_set(err, -ENOMEM, 1037, "out of memory at the start of a write");
    for (uint32_t i = 0; i < op->split.n; i++)
        op->pieces[i] = &op->split.pieces[i];
    return 0;
}

static void lend_all(struct check_op *op)
{
    unsigned cores = op->local->node->cores;

    op->lent = cores;
    for (unsigned i = 0; i < cores; i++) {
        op->legs[i].op = op;
        op->legs[i].leg.run = leg_run;
        op->legs[i].leg.done = leg_home;
        op->legs[i].prepare.wake.run = woken;
    }
    for (unsigned i = 0; i < cores; i++)
        leg_send(op->local->reactor, &op->legs[i].leg, i, LEG_REQUEST);
}

void service_check_start(struct rpc_server *s, struct cluster_write *w)
{
    struct local *l = local_of(s->r);
    struct check_op *op = calloc(1, sizeof(*op) + l->node->cores * sizeof(op->legs[0]));

    if (!op) {
        refuse_write(s->r, w);
        return;
    }
    op->server = s;
    op->local = l;
    op->write = w;
    op->task.run = task_run;
    arena_init(&op->arena, CHECK_ARENA_BYTES, NULL);
    w->rc = 0;
    w->result = (struct write_result){0};
    w->error.text[0] = 0;
    if (!schema_has_hidden_key(
            w->schema)) /* one that is generated is new: there is nothing to look for */
        w->rc = split_batch(w->schema, &w->batch, l->node->dir.hash_seed, l->node->dir.slot_bits,
                            NULL, NULL, &op->arena, &op->split, &w->error);
    if (!w->rc)
        w->rc = list_pieces(op, &w->error);
    if (w->rc || !op->split.n)
        reactor_task(l->reactor, &op->task, TASK_IO);
    else
        lend_all(op);
}
