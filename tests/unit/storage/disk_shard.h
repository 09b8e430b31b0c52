#pragma once
/* A shard whose slot 3 is the world's, with its catalog. */
#include "storage/catalog.h"
#include "storage/shard.h"
#include "unit/storage/disk_world.h"

static struct shard *shard_of_world(struct world *w, struct catalog **catalog)
{
    struct shard_config config = {.cores = 1, .slot_bits = 2, .hash_seed = 42};
    struct catalog *empty = catalog_new();
    struct shard *s;

    w->schema->table_id = 0;
    cr_assert_eq(catalog_with_table(empty, w->schema, catalog), 0);
    w->schema->table_id = (*catalog)->tables[0]->table_id;
    catalog_put(empty);
    config.budget = &w->budget;
    cr_assert_eq(shard_new(&config, &s), 0);
    cr_assert_eq(shard_set_catalog(s, *catalog), 0);
    shard_set_store(s, w->store, 1 << 20);
    slot_free(w->slot);
    w->slot = shard_slot(s, w->schema->table_id, 3);
    return s;
}

static void end_shard(struct world *w, struct shard *s, struct catalog *catalog)
{
    world_settle(w); /* what it frees in steps */
    shard_free(s);
    catalog_put(catalog);
    cr_assert_eq(slot_new(w->schema, 3, 42, &w->budget, &w->slot), 0);
    world_fini(w);
}
