/*
 * Definition changes: one at a time on the log's core. For CREATE every core first makes its slots, for ALTER the new
 * columns, for TRUNCATE the empty slots, which may fail for want of memory (what is written to the table meanwhile
 * waits); the change is then logged, ALTER puts the columns into the slots of every core, and then every core takes over
 * the new catalog, or lets go the rows that TRUNCATE or DROP PARTITION names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/local.h"
#include "rpc/local_ddl.h"
#include "rpc/local_removal.h"
#include "rpc/local_rewrite.h"
#include "rpc/refuse.h"
#include "storage/catalog_rename.h"

struct ddl_leg {
    struct leg leg; /* first */
    struct ddl_op *op;
    struct log_submit submit;
    struct wlog_record barrier;
};

enum ddl_stage {
    DDL_PREPARE, /* every core makes new slots or columns */
    DDL_LOG,
    DDL_EXTEND, /* ALTER: the slots get them, before any statement can know them */
    DDL_TAKE,   /* every core takes over the catalog, or lets the rows go */
    DDL_UNDO,   /* every core drops what it prepared */
};

struct ddl_op {     /* made by the home core, run by the log's core, freed by the home core */
    struct leg leg; /* first: home core -> log's core */
    struct local *home;
    enum ddl_stage stage;
    struct cluster_ddl *ddl;
    struct schema *schema; /* CREATE, ALTER: the caller may give its reference back at once */
    struct catalog *next_catalog;
    struct removal removal; /* TRUNCATE, DROP PARTITION */
    char *yaml;
    struct wlog_record record;
    struct wlog_append append;
    struct ddl_op *next; /* waiting on the log's core */
    unsigned lent;
    int rc;
    struct error_info error;
    struct ddl_leg *legs; /* one per core */
};

static void run_first(struct node *n);

static void run_next(struct node *n)
{
    if (n->ddl && !n->ddl_running && !n->ddl_held)
        run_first(n);
}

void local_ddl_hold(struct node *n, bool hold)
{
    n->ddl_held = hold;
    run_next(n);
}

static void op_ended(struct ddl_op *op)
{
    struct node *n = op->home->node;

    ASSERT(n->ddl == op);
    n->ddl = op->next;
    n->ddl_running = false;
    n->ddl_ended++;
    leg_reply(reactor_self(), &op->leg);
    run_next(n);
}

static void ddl_free(struct ddl_op *op)
{
    if (op->schema)
        schema_put(op->schema);
    if (op->next_catalog)
        catalog_put(op->next_catalog);
    removal_fini(&op->removal);
    free(op->legs);
    free(op->yaml);
    free(op);
}

static void op_home(struct leg *leg)
{
    struct ddl_op *op = (struct ddl_op *)leg;
    struct cluster_ddl *d = op->ddl;

    d->rc = op->rc;
    d->error = op->error;
    ddl_free(op);
    d->done(d);
}

/* --- CREATE, DROP: prepare, log, then hand out the catalog --- */

static int log_failed(struct ddl_op *op, int rc)
{
    return error_set(&op->error, rc, rc == -ENOSPC ? 1021 : 1026, "the log cannot be written: %s",
                     strerror(-rc));
}

static void log_definition(struct ddl_op *op);
static void hand_out(struct ddl_op *op, enum ddl_stage stage);

static void catalog_home(struct leg *leg)
{
    struct ddl_op *op = ((struct ddl_leg *)leg)->op;

    if (leg->rc && !op->rc)
        op->rc = leg->rc == -ENOMEM
                     ? error_set(&op->error, leg->rc, 1037,
                                 "a core has not the memory for the table: %s", strerror(-leg->rc))
                     : log_failed(op, leg->rc);
    if (--op->lent)
        return;
    if (op->stage == DDL_EXTEND)
        hand_out(op, DDL_TAKE);
    else if (op->stage != DDL_PREPARE)
        op_ended(op);
    else if (op->rc)
        hand_out(op, DDL_UNDO);
    else
        log_definition(op);
}

static void barrier_logged(struct log_submit *s)
{
    struct ddl_leg *l = (struct ddl_leg *)((char *)s - offsetof(struct ddl_leg, submit));

    l->leg.rc = s->rc;
    leg_reply(reactor_self(), &l->leg);
}

static bool is_change(const struct ddl_op *op)
{
    return op->ddl->kind == CLUSTER_ALTER_TABLE || op->ddl->kind == CLUSTER_RENAME_TABLE;
}

static bool is_removal(const struct ddl_op *op)
{
    return op->ddl->kind == CLUSTER_TRUNCATE_TABLE || op->ddl->kind == CLUSTER_DROP_PARTITION;
}

/* Rows that were written before stand before the change in the log: replay gives new columns their value in the rows
 * that it finds then, and lets these go. */
static bool must_follow_rows(const struct ddl_op *op, enum ddl_stage stage)
{
    return stage == DDL_PREPARE && (is_removal(op) || is_change(op));
}

static int remove_rows(struct local *l, const struct ddl_op *op)
{
    if (op->stage == DDL_PREPARE)
        return removal_prepare(l, &op->removal);
    if (op->stage == DDL_TAKE)
        removal_take(l, &op->removal);
    else
        removal_undo(l, &op->removal);
    return 0;
}

static void catalog_take(struct leg *leg)
{
    struct local *l = local_of(reactor_self());
    struct ddl_leg *x = (struct ddl_leg *)leg;
    const struct ddl_op *op = x->op;

    if (is_removal(op))
        leg->rc = remove_rows(l, op);
    else if (op->stage == DDL_PREPARE)
        leg->rc = shard_prepare_catalog(l->shard, op->next_catalog);
    else if (op->stage == DDL_EXTEND)
        shard_extend(l->shard);
    else
        leg->rc = shard_set_catalog(l->shard, op->stage == DDL_TAKE ? op->next_catalog
                                                                    : shard_catalog(l->shard));
    if (leg->rc || !must_follow_rows(op, op->stage)) {
        leg_reply(l->reactor, leg);
        return;
    }
    x->barrier = (struct wlog_record){.kind = LOG_BARRIER, .slot = BATCH_SLOT_ANY};
    x->submit.done = barrier_logged;
    log_submit(l, &x->submit, &x->barrier, 1);
}

static void hand_out(struct ddl_op *op, enum ddl_stage stage)
{
    op->stage = stage;
    op->lent = op->home->node->cores;
    for (unsigned i = 0; i < op->home->node->cores; i++) {
        op->legs[i].op = op;
        op->legs[i].leg.run = catalog_take;
        op->legs[i].leg.done = catalog_home;
    }
    for (unsigned i = 0; i < op->home->node->cores; i++)
        leg_send(reactor_self(), &op->legs[i].leg, i,
                 must_follow_rows(op, stage) ? LEG_REQUEST : LEG_LOG);
}

static void definition_logged(struct wlog_append *a)
{
    struct ddl_op *op = (struct ddl_op *)((char *)a - offsetof(struct ddl_op, append));

    if (a->rc) {
        op->rc = log_failed(op, a->rc);
        hand_out(op, DDL_UNDO);
        return;
    }
    hand_out(op, is_change(op) ? DDL_EXTEND : DDL_TAKE);
}

static void log_definition(struct ddl_op *op)
{
    static const uint8_t kinds[] = {[CLUSTER_CREATE_TABLE] = LOG_CREATE_TABLE,
                                    [CLUSTER_DROP_TABLE] = LOG_DROP_TABLE,
                                    [CLUSTER_ALTER_TABLE] = LOG_ALTER_TABLE,
                                    [CLUSTER_RENAME_TABLE] = LOG_RENAME_TABLE};

    op->stage = DDL_LOG;
    op->append.done = definition_logged;
    if (is_removal(op)) {
        op->append.records = op->removal.records;
        op->append.n = op->removal.n;
    } else {
        op->record = (struct wlog_record){.kind = kinds[op->ddl->kind],
                                          .slot = BATCH_SLOT_ANY,
                                          .payload = op->yaml,
                                          .len = (uint32_t)strlen(op->yaml)};
        op->append.records = &op->record;
        op->append.n = 1;
    }
    wlog_append(op->home->node->log, &op->append);
}

static int prepare_create(struct ddl_op *op, struct catalog *now)
{
    const struct schema *s = op->schema;

    if (catalog_find(now, s->name, strlen(s->name)))
        return error_set(&op->error, -EEXIST, 1050, "Table '%s' already exists", s->name);
    int rc = catalog_check_parents(now, s, &op->error);
    if (rc)
        return rc;
    rc = catalog_with_table(now, op->schema, &op->next_catalog);
    if (!rc && !(op->yaml = schema_print_yaml(s)))
        rc = -ENOMEM;
    return rc ? error_set(&op->error, rc, 0, "table %s cannot be created: %s", s->name,
                          strerror(-rc))
              : 0;
}

static int take_successor(struct ddl_op *op, struct catalog *now, struct schema *next)
{
    int rc = catalog_check_parents(now, next, &op->error);

    if (rc)
        return rc;
    rc = catalog_with_table(now, next, &op->next_catalog);
    if (!rc && !(op->yaml = schema_print_yaml(next)))
        rc = -ENOMEM;
    return rc ? error_set(&op->error, rc, 0, "table %s cannot be altered: %s", next->name,
                          strerror(-rc))
              : 0;
}

/* 1: the table is as it shall be. */
static int prepare_alter(struct ddl_op *op, struct catalog *now)
{
    const char *name = op->schema->name;
    const struct schema *old = catalog_find(now, name, strlen(name));
    struct schema *next;

    if (!old && schema_is_view(op->schema)) /* CREATE OR REPLACE VIEW */
        return prepare_create(op, now);
    if (!old)
        return error_set(&op->error, -ENOENT, 1146, "Table 'quanta.%s' doesn't exist", name);
    int rc = schema_copy(op->schema, &next, &op->error); /* the caller shares its own */
    if (rc)
        return rc;
    rc = schema_succeed(old, next, reactor_wall_us(reactor_self()), NULL, NULL, &op->error);
    if (!rc)
        rc = take_successor(op, now, next);
    schema_put(next);
    return rc;
}

static int prepare_rename(struct ddl_op *op, struct catalog *now)
{
    const struct cluster_ddl *d = op->ddl;
    int rc = catalog_with_names(now, d->renames, d->n_renames, &op->next_catalog, &op->error);

    if (!rc && !(op->yaml = catalog_renames_print(d->renames, d->n_renames)))
        rc = error_set(&op->error, -ENOMEM, 1037, "out of memory for the names of tables");
    return rc;
}

/* A parent may not go while a child refers to it. */
static const struct schema *find_child(const struct catalog *c, const char *parent)
{
    for (uint32_t t = 0; t < c->n_tables; t++)
        for (uint16_t i = 0; i < c->tables[t]->n_columns; i++) {
            const char *p = c->tables[t]->columns[i].parent_table;
            if (p && !strcmp(p, parent) && strcmp(c->tables[t]->name, parent))
                return c->tables[t];
        }
    return NULL;
}

static int prepare_drop(struct ddl_op *op, struct catalog *now)
{
    const struct schema *child = find_child(now, op->ddl->name);

    if (child)
        return error_set(&op->error, -EBUSY, 3730,
                         "Cannot drop table '%s': table '%s' refers to it", op->ddl->name,
                         child->name);
    int rc = catalog_without_table(now, op->ddl->name, &op->next_catalog);
    if (rc == -ENOENT)
        return error_set(&op->error, rc, 1051, "Unknown table 'quanta.%s'", op->ddl->name);
    if (!rc && !(op->yaml = strdup(op->ddl->name)))
        rc = -ENOMEM;
    return rc ? error_set(&op->error, rc, 0, "table %s cannot be dropped: %s", op->ddl->name,
                          strerror(-rc))
              : 0;
}

/* 1: there is nothing to do. */
static int prepare_removal(struct ddl_op *op, const struct catalog *now)
{
    int rc = removal_init(&op->removal, now, op->ddl, &op->error);

    return rc || op->removal.n ? rc : 1;
}

/* --- the queue on the log's core --- */

static void run_first(struct node *n)
{
    struct ddl_op *op = n->ddl;
    struct catalog *now = shard_catalog(local_of(reactor_self())->shard);
    int refusing = atomic_load(&n->refusing);

    n->ddl_running = true;
    if (refusing)
        op->rc = error_set(&op->error, refusing, refusing == -ENOSPC ? 1021 : 1026,
                           "the log cannot be written: %s", strerror(-refusing));
    else if (is_removal(op))
        op->rc = prepare_removal(op, now);
    else if (op->ddl->kind == CLUSTER_ALTER_TABLE)
        op->rc = prepare_alter(op, now);
    else if (op->ddl->kind == CLUSTER_RENAME_TABLE)
        op->rc = prepare_rename(op, now);
    else
        op->rc =
            op->ddl->kind == CLUSTER_CREATE_TABLE ? prepare_create(op, now) : prepare_drop(op, now);
    if (op->rc) {
        op->rc = op->rc < 0 ? op->rc : 0;
        op_ended(op);
    } else if (op->ddl->kind == CLUSTER_DROP_TABLE) {
        log_definition(op);
    } else {
        hand_out(op, DDL_PREPARE);
    }
}

static void op_run(struct leg *leg)
{
    struct ddl_op *op = (struct ddl_op *)leg;
    struct node *n = op->home->node;

    op->next = NULL;
    if (n->ddl)
        n->ddl_last->next = op;
    else
        n->ddl = op;
    n->ddl_last = op;
    run_next(n);
}

void local_ddl_start(struct cluster *c, struct cluster_ddl *d)
{
    struct local *l = (struct local *)c;

    if (d->kind == CLUSTER_ARCHIVE_PARTITION || d->kind == CLUSTER_RESTORE_PARTITION) {
        local_partition_start(l, d);
        return;
    }
    if (d->kind == CLUSTER_REWRITE_TABLE) {
        local_rewrite_start(l, d);
        return;
    }
    struct ddl_op *op = calloc(1, sizeof(*op));

    if (!op || !(op->legs = calloc(l->node->cores, sizeof(*op->legs)))) {
        free(op);
        refuse_ddl(l->reactor, d);
        return;
    }
    op->home = l;
    op->ddl = d;
    if (d->kind == CLUSTER_CREATE_TABLE || d->kind == CLUSTER_ALTER_TABLE)
        op->schema = schema_get(d->schema);
    op->leg.run = op_run;
    op->leg.done = op_home;
    leg_send(l->reactor, &op->leg, NODE_LOG_CORE, LEG_REQUEST);
}

/* --- replay --- */

int local_take_catalog(struct node *n, struct catalog *next)
{
    int rc = 0;

    for (unsigned i = 0; i < n->cores && !rc; i++)
        rc = shard_set_catalog(n->locals[i]->shard, next);
    catalog_put(next);
    return rc;
}

int local_replay_create(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    struct catalog *next;
    struct schema *s;
    int rc = schema_parse_yaml("log", rec->payload, rec->len, NULL, NULL, &s, err);

    if (rc)
        return rc;
    rc = catalog_with_table(shard_catalog(n->locals[NODE_LOG_CORE]->shard), s, &next);
    schema_put(s);
    return rc ? rc : local_take_catalog(n, next);
}

int local_replay_rename(struct node *n, const struct wlog_record *rec, struct error_info *err)
{
    struct catalog_rename list[CATALOG_MAX_RENAMES];
    char *text = strndup(rec->payload, rec->len);
    struct catalog *next;
    uint32_t count;
    int rc = text ? catalog_renames_parse(text, list, &count) : -ENOMEM;

    if (!rc)
        rc = catalog_with_names(shard_catalog(n->locals[NODE_LOG_CORE]->shard), list, count, &next,
                                err);
    free(text);
    return rc ? rc : local_take_catalog(n, next);
}

int local_replay_drop(struct node *n, const struct wlog_record *rec)
{
    struct catalog *next;
    char name[SCHEMA_MAX_NAME + 1] = "";

    if (rec->len > SCHEMA_MAX_NAME)
        return -EBADMSG;
    memcpy(name, rec->payload, rec->len);
    int rc = catalog_without_table(shard_catalog(n->locals[NODE_LOG_CORE]->shard), name, &next);
    return rc ? rc : local_take_catalog(n, next);
}

/* Of a log in which every slot had its own. */
int local_replay_truncate(struct local *l, const struct wlog_record *rec)
{
    uint32_t table_id;

    if (rec->len != sizeof(table_id))
        return -EBADMSG;
    memcpy(&table_id, rec->payload, sizeof(table_id));
    l->slot_lsn[rec->slot] = rec->slot_lsn;
    return shard_truncate_slot(l->shard, table_id, rec->slot);
}
