#include "storage/shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "reactor/list.h"
#include "reactor/reactor.h"
#include "storage/figures.h"
#include "storage/slot_alter.h"
#include "storage/store.h"

/* A table on this core: its own slots only. Lives until dropped and no longer pinned. */
struct shard_table {
    struct schema *schema;
    struct schema *next;        /* it is about to have this definition, or NULL; then: */
    struct slot_alter **alters; /* one per slot */
    bool is_removing;           /* rows of it are about to go; all of them: */
    struct shard_table *fresh;  /* what takes its place */
    struct slot **slots;        /* ascending slot numbers */
    uint32_t n_slots;
    uint32_t pins;
    bool dropped; /* out of the list; freed at the last unpin */
};

enum {
    ALTER_SHARE = 16,     /* of the memory for rows that may be freed for new columns */
    BLOCKS_AT_A_TIME = 4, /* to free: well below a millisecond */
    LOAD_GIVES_WAY = 8, /* part of what is read in the background while somebody waits for a read */
};

/* Where shard_seal_quiet goes on. Owner: the shard. */
struct seal_place {
    uint64_t tick;
    uint32_t table, slot, segment;
};

struct shard { /* owner: its core */
    struct shard_config config;
    struct catalog *catalog;
    struct shard_table **tables;
    uint32_t n_tables;
    struct store *store;
    struct segment_room room;
    struct segment_traffic traffic;
    uint64_t tick;
    struct seal_place seal;
    bool frozen;             /* shard_freeze */
    struct segment *leaving; /* to be freed, a few blocks in a turn */
    struct task free_task;
    bool ending; /* shard_free */
};

static void adopt_slot(struct shard *s, struct slot *t)
{
    slot_set_tick(t, s->tick);
    slot_set_store(t, s->store);
    slot_set_room(t, s->store ? &s->room : NULL);
}

int shard_new(const struct shard_config *config, struct shard **out)
{
    struct shard *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->catalog = catalog_new();
    if (!s->catalog) {
        free(s);
        return -ENOMEM;
    }
    *out = s;
    return 0;
}

unsigned shard_slot_bits(const struct shard *s)
{
    return s->config.slot_bits;
}

void shard_set_slot_bits(struct shard *s, unsigned slot_bits)
{
    ASSERT(!s->n_tables);
    s->config.slot_bits = slot_bits;
}

void shard_raise_generation(struct shard *s, uint64_t generation)
{
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            slot_raise_generation(s->tables[i]->slots[k], generation);
}

/* The definition is not to be. */
static void table_keep(struct shard_table *t)
{
    for (uint32_t i = 0; i < t->n_slots && t->alters; i++)
        slot_alter_free(t->alters[i]);
    free(t->alters);
    t->alters = NULL;
    schema_put(t->next);
    t->next = NULL;
}

static void slots_free(struct shard_table *t)
{
    for (uint32_t i = 0; t && i < t->n_slots; i++)
        slot_free(t->slots[i]);
    if (t) {
        free(t->slots);
        schema_put(t->schema);
        free(t);
    }
}

static void table_free(struct shard_table *t)
{
    table_keep(t);
    slots_free(t->fresh);
    slots_free(t);
}

/* Who waits for columns of slots that scans still read must look anew: shard_unwait does not know these slots. */
static void wake_table(struct shard_table *t)
{
    for (uint32_t i = 0; i < t->n_slots; i++)
        slot_wake_all(t->slots[i]);
}

static void table_drop(struct shard_table *t)
{
    t->dropped = true;
    wake_table(t);
    if (!t->pins)
        table_free(t);
}

void shard_free(struct shard *s)
{
    if (!s)
        return;
    s->ending = true;
    for (uint32_t i = 0; i < s->n_tables; i++)
        table_drop(s->tables[i]);
    while (segment_leave_step(&s->leaving, UINT32_MAX))
        continue;
    free(s->tables);
    catalog_put(s->catalog);
    free(s);
}

static int table_new(struct shard *s, struct schema *schema, struct shard_table **out)
{
    uint32_t all = 1U << s->config.slot_bits, n = 0;
    struct shard_table *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->schema = schema_get(schema);
    t->slots = calloc(all / s->config.cores + 1, sizeof(struct slot *));
    int rc = t->slots ? 0 : -ENOMEM;
    for (uint32_t i = s->config.core; i < all && !rc; i += s->config.cores) {
        ASSERT(shard_core_of_slot(i, s->config.cores) == s->config.core);
        rc = slot_new(schema, i, s->config.hash_seed, s->config.budget, &t->slots[n]);
        if (rc)
            break;
        adopt_slot(s, t->slots[n]);
        t->n_slots = ++n;
    }
    if (rc) {
        table_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

static struct shard_table *find_table(const struct shard *s, uint32_t table_id)
{
    for (uint32_t i = 0; i < s->n_tables; i++)
        if (s->tables[i]->schema->table_id == table_id)
            return s->tables[i];
    return NULL;
}

static int add_table(struct shard *s, struct schema *schema)
{
    struct shard_table **tables =
        realloc(s->tables, (s->n_tables + 1) * sizeof(struct shard_table *));

    if (!tables)
        return -ENOMEM;
    s->tables = tables;
    int rc = table_new(s, schema, &s->tables[s->n_tables]);
    if (!rc)
        s->n_tables++;
    return rc;
}

static int table_alter_once(struct shard_table *t, struct schema *next)
{
    int rc = 0;

    t->next = schema_get(next);
    t->alters = calloc(t->n_slots + 1, sizeof(struct slot_alter *));
    if (!t->alters)
        rc = -ENOMEM;
    for (uint32_t i = 0; i < t->n_slots && !rc; i++)
        rc = slot_alter_new(t->slots[i], next, &t->alters[i]);
    if (rc)
        table_keep(t);
    return rc;
}

/* New columns take little; when it is not there others give way. */
static int table_alter(struct shard *s, struct shard_table *t, struct schema *next)
{
    int rc = table_alter_once(t, next);

    if (rc == -ENOMEM && s->config.budget && !s->frozen &&
        shard_evict(s, s->config.budget->limit / ALTER_SHARE, s->tick))
        rc = table_alter_once(t, next);
    return rc;
}

static int prepare_table(struct shard *s, struct schema *schema)
{
    struct shard_table *t = find_table(s, schema->table_id);

    if (!t)
        return add_table(s, schema);
    if (t->schema->version == schema->version || (t->next && t->next->version == schema->version))
        return 0;
    ASSERT(!t->next);
    return table_alter(s, t, schema);
}

int shard_prepare_catalog(struct shard *s, const struct catalog *c)
{
    int rc = 0;

    for (uint32_t i = 0; i < c->n_tables && !rc; i++)
        rc = prepare_table(s, c->tables[i]);
    return rc;
}

void shard_extend(struct shard *s)
{
    for (uint32_t i = 0; i < s->n_tables; i++) {
        struct shard_table *t = s->tables[i];
        if (!t->next)
            continue;
        for (uint32_t k = 0; k < t->n_slots; k++)
            slot_alter_take(t->alters[k]);
        free(t->alters);
        t->alters = NULL;
        schema_put(t->schema);
        t->schema = t->next;
        t->next = NULL;
    }
}

bool shard_is_changing(const struct shard *s, uint32_t table_id)
{
    const struct shard_table *t = find_table(s, table_id);

    return t && (t->next || t->is_removing);
}

/* Definitions that are not in the catalog that holds are given up, the others taken. */
static void settle_tables(struct shard *s, const struct catalog *c)
{
    for (uint32_t i = 0; i < s->n_tables; i++) {
        struct shard_table *t = s->tables[i];
        const struct schema *holds = catalog_find_id(c, t->schema->table_id);
        if (t->next && !(holds && holds->version == t->next->version))
            table_keep(t);
    }
    shard_extend(s);
}

int shard_set_catalog(struct shard *s, struct catalog *c)
{
    int rc = shard_prepare_catalog(s, c);

    if (rc)
        return rc;
    settle_tables(s, c);
    for (uint32_t i = 0; i < s->n_tables;) {
        if (catalog_find_id(c, s->tables[i]->schema->table_id)) {
            i++;
            continue;
        }
        table_drop(s->tables[i]);
        s->tables[i] = s->tables[--s->n_tables];
    }
    struct catalog *old = s->catalog;
    s->catalog = catalog_get(c);
    catalog_put(old);
    return 0;
}

struct catalog *shard_catalog(struct shard *s)
{
    return s->catalog;
}

int shard_prepare_removal(struct shard *s, uint32_t table_id, bool all)
{
    struct shard_table *t = find_table(s, table_id);
    int rc = t ? 0 : -ENOENT;

    ASSERT(!t || (!t->is_removing && !t->next)); /* one change at a time */
    if (t && all)
        rc = table_new(s, t->schema, &t->fresh);
    if (!rc)
        t->is_removing = true;
    return rc;
}

void shard_drop_removal(struct shard *s, uint32_t table_id)
{
    struct shard_table *t = find_table(s, table_id);

    if (!t)
        return;
    slots_free(t->fresh);
    t->fresh = NULL;
    t->is_removing = false;
}

void shard_take_removal(struct shard *s, uint32_t table_id)
{
    uint32_t at = 0;

    while (at < s->n_tables && s->tables[at]->schema->table_id != table_id)
        at++;
    if (at == s->n_tables)
        return;
    struct shard_table *old = s->tables[at], *fresh = old->fresh;
    old->fresh = NULL;
    old->is_removing = false;
    if (!fresh)
        return;
    for (uint32_t k = 0; k < fresh->n_slots; k++)
        slot_succeed(fresh->slots[k], old->slots[k]);
    s->tables[at] = fresh;
    table_drop(old);
}

int shard_truncate(struct shard *s, uint32_t table_id)
{
    int rc = shard_prepare_removal(s, table_id, true);

    if (!rc)
        shard_take_removal(s, table_id);
    return rc;
}

int shard_truncate_slot(struct shard *s, uint32_t table_id, uint32_t slot)
{
    struct shard_table *t = find_table(s, table_id);
    struct slot *fresh;

    if (!t || slot >> s->config.slot_bits)
        return 0;
    ASSERT(!t->pins && shard_core_of_slot(slot, s->config.cores) == s->config.core);
    int rc = slot_new(t->schema, slot, s->config.hash_seed, s->config.budget, &fresh);
    if (rc)
        return rc;
    slot_succeed(fresh, t->slots[slot / s->config.cores]);
    slot_free(t->slots[slot / s->config.cores]);
    t->slots[slot / s->config.cores] = fresh;
    return 0;
}

bool shard_drop_partition(struct shard *s, uint32_t table_id, uint32_t slot, int64_t partition)
{
    struct slot *t = shard_slot(s, table_id, slot);

    return t && slot_drop_partition(t, partition);
}

void shard_drop_partition_all(struct shard *s, uint32_t table_id, int64_t partition)
{
    struct shard_table *t = find_table(s, table_id);

    for (uint32_t i = 0; t && i < t->n_slots; i++)
        (void)slot_drop_partition(t->slots[i], partition);
}

int shard_pin(struct shard *s, uint32_t table_id, struct shard_pin *out)
{
    struct shard_table *t = find_table(s, table_id);

    if (!t)
        return -ENOENT;
    t->pins++;
    *out = (struct shard_pin){t->slots, t->n_slots, t};
    return 0;
}

void shard_unpin(struct shard *s, struct shard_pin *pin)
{
    struct shard_table *t = pin->table;

    (void)s;
    ASSERT(t->pins > 0);
    if (!--t->pins && t->dropped)
        table_free(t);
    pin->table = NULL;
}

struct slot *shard_slot(struct shard *s, uint32_t table_id, uint32_t slot)
{
    struct shard_table *t = find_table(s, table_id);

    if (!t || slot >> s->config.slot_bits ||
        shard_core_of_slot(slot, s->config.cores) != s->config.core)
        return NULL;
    return t->slots[slot / s->config.cores];
}

static void set_tick(struct shard *s, uint64_t tick)
{
    s->tick = tick;
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            slot_set_tick(s->tables[i]->slots[k], tick);
}

static bool table_seal_quiet(struct shard_table *t, struct seal_place *at)
{
    for (; at->slot < t->n_slots; at->slot++, at->segment = 0)
        while (at->segment < slot_segments(t->slots[at->slot]))
            if (segment_seal_quiet(slot_segment(t->slots[at->slot], at->segment++), at->tick))
                return true;
    return false;
}

/* Within a tick it goes on after the last one sealed: with tens of thousands of them, looking at all from the first on
 * each time would be most of the work. What moves meanwhile has its turn at the next tick. */
bool shard_seal_quiet(struct shard *s, uint64_t tick)
{
    if (tick > s->tick)
        set_tick(s, tick);
    if (tick != s->seal.tick)
        s->seal = (struct seal_place){.tick = tick};
    for (; s->seal.table < s->n_tables; s->seal.table++, s->seal.slot = s->seal.segment = 0)
        if (table_seal_quiet(s->tables[s->seal.table], &s->seal))
            return true;
    return false;
}

void shard_table_figures(struct shard *s, uint32_t table_id, struct figures *out)
{
    struct figures_walk w = {.shard = s, .table_id = table_id};

    *out = (struct figures){0};
    (void)figures_walk_step(&w, UINT32_MAX, out);
}

void shard_get_traffic(const struct shard *s, struct segment_traffic *out)
{
    *out = s->traffic;
}

/* ---- disk and memory ---- */

static void room_make(void *ctx, size_t bytes)
{
    struct shard *s = ctx;
    uint64_t have = s->config.budget ? budget_room(s->config.budget) : UINT64_MAX;

    if (have < bytes && !s->frozen)
        (void)shard_evict(s, bytes - (size_t)have, s->tick);
}

static void free_run(struct task *t)
{
    struct shard *s = container_of(t, struct shard, free_task);

    if (segment_leave_step(&s->leaving, BLOCKS_AT_A_TIME))
        reactor_task(store_reactor(s->store), t, TASK_BULK);
}

static void room_leave(void *ctx, struct segment *g)
{
    struct shard *s = ctx;

    if (s->ending || reactor_self() != store_reactor(s->store)) { /* at the end or at the start */
        segment_put(g);
        return;
    }
    segment_leave(&s->leaving, g);
    if (s->leaving)
        reactor_task(store_reactor(s->store), &s->free_task, TASK_BULK);
}

/* What is to be freed anyway goes first: bytes freed. */
static size_t free_leaving(struct shard *s, size_t bytes)
{
    uint64_t room = s->leaving && s->config.budget ? budget_room(s->config.budget) : 0;
    size_t freed = 0;

    while (s->leaving && freed < bytes) {
        (void)segment_leave_step(&s->leaving, 1);
        if (s->config.budget)
            freed = budget_room(s->config.budget) - room;
    }
    return freed;
}

void shard_freeze(struct shard *s, bool frozen)
{
    s->frozen = frozen;
}

void shard_set_store(struct shard *s, struct store *store, size_t reserve)
{
    s->store = store;
    s->room = (struct segment_room){room_make, s, reserve, &s->traffic, room_leave};
    s->free_task.run = free_run;
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            adopt_slot(s, s->tables[i]->slots[k]);
}

static size_t evict(struct shard *s, size_t bytes, uint64_t tick, bool spare)
{
    size_t freed = free_leaving(s, bytes);
    uint32_t n = 0;

    if (freed >= bytes)
        return freed;
    for (uint32_t i = 0; i < s->n_tables; i++)
        n += s->tables[i]->n_slots;
    struct slot **all = malloc((n + 1) * sizeof(struct slot *));
    if (!all)
        return freed;
    n = 0;
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            all[n++] = s->tables[i]->slots[k];
    freed += slot_evict_many(all, n, bytes - freed, tick, spare);
    free(all);
    return freed;
}

size_t shard_evict(struct shard *s, size_t bytes, uint64_t tick)
{
    return evict(s, bytes, tick, false);
}

size_t shard_evict_unused(struct shard *s, size_t bytes)
{
    return evict(s, bytes, s->tick, true);
}

static bool has_room(const struct shard *s, uint64_t keep)
{
    return !s->config.budget || budget_room(s->config.budget) > keep;
}

/* Reads of several slots at a time, so that the device always has work. */
static enum block_state load_columns(struct shard *s, size_t in_flight, uint64_t keep,
                                     struct task *wake, struct error_info *err)
{
    enum block_state all = BLOCK_READY;

    if (store_awaited(s->store)) /* the device looks after statements first */
        in_flight /= LOAD_GIVES_WAY;
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++) {
            struct slot *t = s->tables[i]->slots[k];

            if (slot_is_loaded(t))
                continue;
            if (!has_room(s, keep) ||
                (all == BLOCK_PENDING && store_reading(s->store) >= in_flight))
                return all;
            enum block_state state = slot_load(t, in_flight, wake, err);
            if (state == BLOCK_PENDING || all == BLOCK_READY)
                all = state;
        }
    return all;
}

enum block_state shard_load(struct shard *s, size_t in_flight, uint64_t keep, struct task *wake,
                            struct error_info *err)
{
    return s->store ? load_columns(s, in_flight, keep, wake, err) : BLOCK_READY;
}

enum block_state shard_fill_dicts(struct shard *s, struct error_info *err)
{
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++) {
            enum block_state state = slot_fill_dicts(s->tables[i]->slots[k], err);

            if (state != BLOCK_READY)
                return state;
        }
    return BLOCK_READY;
}

enum block_state shard_load_index(struct shard *s, uint64_t keep, struct error_info *err)
{
    for (uint32_t i = 0; s->store && i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots && has_room(s, keep); k++) {
            enum block_state state = slot_load_index(s->tables[i]->slots[k], err);

            if (state != BLOCK_READY)
                return state;
        }
    return BLOCK_READY;
}

bool shard_wants_index(const struct shard *s, uint64_t keep)
{
    for (uint32_t i = 0; s->store && i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            if (slot_wants_index(s->tables[i]->slots[k]) && has_room(s, keep))
                return true;
    return false;
}

bool shard_is_loaded(const struct shard *s)
{
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            if (!slot_is_loaded(s->tables[i]->slots[k]))
                return false;
    return true;
}

void shard_unwait(struct shard *s, const struct task *wake)
{
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++)
            slot_unwait(s->tables[i]->slots[k], wake);
}

void shard_get_memory(const struct shard *s, struct shard_memory *out)
{
    *out = (struct shard_memory){0};
    for (uint32_t i = 0; i < s->n_tables; i++)
        for (uint32_t k = 0; k < s->tables[i]->n_slots; k++) {
            size_t clean, changed, indexes;
            slot_residency(s->tables[i]->slots[k], &clean, &changed, &indexes);
            out->clean += clean;
            out->changed += changed;
            out->indexes += indexes;
            out->total += slot_memory(s->tables[i]->slots[k]);
        }
}
