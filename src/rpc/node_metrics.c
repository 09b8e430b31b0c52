#include "rpc/node_metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "reactor/buffer.h"
#include "reactor/jemalloc.h"
#include "reactor/stats.h"
#include "rpc/core_figures.h"
#include "rpc/local.h"
#include "storage/block_heap.h"

/* Member of a struct as a metric. */
struct metric {
    const char *name, *type, *help;
    size_t offset;
};

#define COUNTER "counter"
#define GAUGE "gauge"

static void put_head(struct buffer *out, const struct metric *m)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, m->type);
}

static void put_one(struct buffer *out, const char *name, const char *type, const char *help,
                    uint64_t v)
{
    put_head(out, &(struct metric){name, type, help, 0});
    buffer_printf(out, "%s %" PRIu64 "\n", name, v);
}

static uint64_t member(const void *base, const struct metric *m)
{
    return *(const uint64_t *)(const void *)((const char *)base + m->offset);
}

/* --- by core --- */

static const struct metric core_metrics[] = {
#define M(field) offsetof(struct core_figures, field)
    {"quanta_core_memory_bytes", GAUGE, "Bytes charged to a core's budget.", M(core.used)},
    {"quanta_core_memory_peak_bytes", GAUGE, "Most bytes charged since the start.", M(core.peak)},
    {"quanta_core_memory_limit_bytes", GAUGE, "A core's share of --memory.", M(core.limit)},
    {"quanta_core_data_memory_bytes", GAUGE, "Of these, charged for rows.", M(data.used)},
    {"quanta_core_data_memory_limit_bytes", GAUGE, "What rows may take.", M(data.limit)},
    {"quanta_columns_read_total", COUNTER, "Columns of blocks read into memory.", M(traffic.read)},
    {"quanta_column_read_bytes_total", COUNTER, "Their bytes on disk.", M(traffic.read_bytes)},
    {"quanta_columns_evicted_total", COUNTER, "Columns of blocks that left memory.",
     M(traffic.evicted)},
    {"quanta_column_evicted_bytes_total", COUNTER, "Their bytes in memory.",
     M(traffic.evicted_bytes)},
    {"quanta_indexes_dropped_total", COUNTER, "Key indexes that left memory.",
     M(traffic.indexes_dropped)},
    {"quanta_data_reads_total", COUNTER, "Reads of data files.", M(store.reads)},
    {"quanta_data_read_bytes_total", COUNTER, "Bytes read from data files.", M(store.read_bytes)},
    {"quanta_data_writes_total", COUNTER, "Writes to data files.", M(store.writes)},
    {"quanta_data_write_bytes_total", COUNTER, "Bytes written to data files.",
     M(store.write_bytes)},
    {"quanta_data_syncs_total", COUNTER, "Syncs of data files and their folders.", M(store.syncs)},
#undef M
};

static const struct metric reactor_metrics[] = {
#define M(field) offsetof(struct reactor_stats, field)
    {"quanta_core_turns_total", COUNTER, "Passes of a core's loop.", M(turns)},
    {"quanta_core_busy_nanoseconds_total", COUNTER, "Time a core did not wait.", M(busy_ns)},
    {"quanta_core_tasks_total", COUNTER, "Tasks run.", M(tasks)},
    {"quanta_core_legs_sent_total", COUNTER, "Calls to other cores.", M(legs_sent)},
    {"quanta_core_legs_waited_total", COUNTER, "Of these, calls that waited for a free place.",
     M(legs_waited)},
    {"quanta_core_io_total", COUNTER, "I/O operations completed.", M(io_ops)},
    {"quanta_core_io_errors_total", COUNTER, "Of these, with an error.", M(io_errors)},
#undef M
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static void put_cores(struct reactor *r, bool has_rows, const struct figures_set *set,
                      struct buffer *out)
{
    for (unsigned k = 0; k < COUNT_OF(core_metrics); k++) {
        const struct metric *m = &core_metrics[k];

        if (!has_rows && m->offset >= sizeof(struct budget))
            break;
        put_head(out, m);
        for (unsigned i = 0; i < set->n_cores; i++)
            buffer_printf(out, "%s{core=\"%u\"} %" PRIu64 "\n", m->name, i,
                          member(&set->cores[i], m));
    }
    for (unsigned k = 0; k < COUNT_OF(reactor_metrics); k++) {
        put_head(out, &reactor_metrics[k]);
        for (unsigned i = 0; i < set->n_cores; i++) {
            struct reactor_stats stats;

            reactor_get_stats(reactor_group_get(reactor_group_of(r), i), &stats);
            buffer_printf(out, "%s{core=\"%u\"} %" PRIu64 "\n", reactor_metrics[k].name, i,
                          member(&stats, &reactor_metrics[k]));
        }
    }
}

/* --- by table --- */

static const struct metric table_metrics[] = {
#define M(field) offsetof(struct figures, field)
    {"quanta_table_rows", GAUGE, "Live rows.", M(rows)},
    {"quanta_table_deleted_rows", GAUGE, "Deleted rows that still take space.", M(deleted)},
    {"quanta_table_segments", GAUGE, "Segments.", M(segments)},
    {"quanta_table_blocks", GAUGE, "Blocks.", M(blocks)},
    {"quanta_table_columns_absent", GAUGE, "Columns of blocks that are on disk only.", M(absent)},
    {"quanta_table_absent_bytes", GAUGE, "Their bytes on disk.", M(absent_bytes)},
    {"quanta_table_disk_bytes", GAUGE, "Bytes of data files.", M(disk)},
    {"quanta_table_disk_dead_bytes", GAUGE, "Of these, bytes that nothing refers to.", M(dead)},
#undef M
};

static const struct {
    const char *kind;
    size_t offset;
} memory_kinds[] = {{"clean", offsetof(struct figures, clean)},
                    {"changed", offsetof(struct figures, changed)},
                    {"indexes", offsetof(struct figures, indexes)},
                    {"dictionaries", offsetof(struct figures, dicts)},
                    {"other", offsetof(struct figures, rest)}};

/* Table of the figures told. Owner: one printing. */
struct told_table {
    const char *name;
    uint32_t at; /* position in the catalog */
    struct figures sum;
};

static int compare_memory(const void *a, const void *b)
{
    uint64_t x = figures_memory(&((const struct told_table *)a)->sum);
    uint64_t y = figures_memory(&((const struct told_table *)b)->sum);

    return (x < y) - (x > y);
}

/* A table's name has no character that the format would want quoted. */
static void put_table_line(struct buffer *out, const char *name, const struct told_table *t,
                           const char *label, const char *value, uint64_t v)
{
    buffer_printf(out, "%s{table=\"%s\"", name, t->name);
    if (label)
        buffer_printf(out, ",%s=\"%s\"", label, value);
    buffer_printf(out, "} %" PRIu64 "\n", v);
}

static void put_memory_kinds(struct buffer *out, const struct told_table *list, uint32_t n)
{
    static const struct metric m = {"quanta_table_memory_bytes", GAUGE,
                                    "Memory of a table, by what it is for.", 0};

    put_head(out, &m);
    for (uint32_t i = 0; i < n; i++)
        for (unsigned k = 0; k < COUNT_OF(memory_kinds); k++)
            put_table_line(out, m.name, &list[i], "kind", memory_kinds[k].kind,
                           member(&list[i].sum,
                                  &(struct metric){.offset = memory_kinds[k].offset}));
}

static void put_memory_cores(struct buffer *out, const struct figures_set *set,
                             const struct told_table *list, uint32_t n)
{
    static const struct metric m = {"quanta_table_core_memory_bytes", GAUGE,
                                    "Memory of a table on a core.", 0};
    char core[12];

    if (n * set->n_cores > METRICS_MAX_CORE_TABLES)
        return;
    put_head(out, &m);
    for (uint32_t i = 0; i < n; i++)
        for (unsigned k = 0; k < set->n_cores; k++) {
            snprintf(core, sizeof(core), "%u", k);
            put_table_line(out, m.name, &list[i], "core", core,
                           figures_memory(&set->cores[k].tables[list[i].at]));
        }
}

static void put_tables(const struct figures_set *set, struct buffer *out)
{
    uint32_t n = set->catalog->n_tables;
    struct told_table *list = calloc(n + 1, sizeof(*list));

    put_one(out, "quanta_tables", GAUGE, "Tables.", n);
    if (!list)
        return;
    for (uint32_t i = 0; i < n; i++) {
        list[i].name = set->catalog->tables[i]->name;
        list[i].at = i;
        figures_set_table(set, i, &list[i].sum);
    }
    qsort(list, n, sizeof(*list), compare_memory);
    if (n > METRICS_MAX_TABLES)
        n = METRICS_MAX_TABLES;
    for (unsigned k = 0; k < COUNT_OF(table_metrics); k++) {
        put_head(out, &table_metrics[k]);
        for (uint32_t i = 0; i < n; i++)
            put_table_line(out, table_metrics[k].name, &list[i], NULL, NULL,
                           member(&list[i].sum, &table_metrics[k]));
    }
    put_memory_kinds(out, list, n);
    put_memory_cores(out, set, list, n);
    free(list);
}

/* --- of the node --- */

static void put_log(const struct node *n, struct buffer *out)
{
    struct wlog_stats s;

    node_log_stats(n, &s);
    put_one(out, "quanta_log_records_total", COUNTER, "Durable records in the log.", s.durable_lsn);
    put_one(out, "quanta_log_groups_total", COUNTER, "Groups written since the start.", s.groups);
    put_one(out, "quanta_log_bytes_total", COUNTER, "Bytes written to the log since the start.",
            s.bytes);
    put_one(out, "quanta_log_device_writes_total", COUNTER, "Writes of the log to the device.",
            s.device_writes);
    put_one(out, "quanta_log_held_bytes", GAUGE, "Log that a restart would replay.",
            n->log ? wlog_bytes_held(n->log) : 0);
}

static void put_checkpoints(const struct node *n, struct buffer *out)
{
    struct node_checkpoint_stats s;

    node_checkpoint_stats(n, &s);
    put_one(out, "quanta_checkpoints_total", COUNTER, "Checkpoints completed since the start.",
            s.rounds);
    put_one(out, "quanta_checkpoints_failed_total", COUNTER,
            "Checkpoints put off or failed since the start.", s.failed);
    put_one(out, "quanta_checkpoint_bytes_total", COUNTER, "Bytes written by checkpoints.",
            s.bytes);
    put_one(out, "quanta_checkpoint_timestamp_seconds", GAUGE,
            "When the last checkpoint was made, in seconds since 1970; 0: none since the start.",
            s.wall_us / 1000000);
}

static void put_rewrites(const struct node *n, struct buffer *out)
{
    struct node_rewrite_stats s;

    node_rewrite_stats(n, &s);
    put_one(out, "quanta_rewrites_total", COUNTER,
            "Partitions rewritten without their deleted rows since the start.", s.done);
    put_one(out, "quanta_rewrites_failed_total", COUNTER,
            "Rewrites of partitions given up since the start.", s.given_up);
    put_one(out, "quanta_rewrite_rows_reclaimed_total", COUNTER,
            "Deleted rows that rewrites have removed since the start.", s.reclaimed);
    put_one(out, "quanta_slots", GAUGE, "Slots of every table.", 1ULL << node_slot_bits(n));
    put_one(out, "quanta_slot_split_files", GAUGE,
            "Data files that slots still share since they were split; 0: all have their own.",
            node_shared_files(n));
}

void node_metrics_print(struct reactor *r, struct node *node, const struct figures_set *set,
                        struct buffer *out)
{
    uint64_t allocated, resident, used, held;

    if (jemalloc_get_stats(&allocated, &resident)) {
        block_heap_figures(&used, &held);
        put_one(out, "quanta_memory_allocated_bytes", GAUGE,
                "Bytes allocated by the process, whether charged to a budget or not.",
                allocated + used);
        put_one(out, "quanta_memory_resident_bytes", GAUGE,
                "Bytes the allocator keeps in memory, those ready for the next use included.",
                resident + held);
    }
    put_cores(r, node != NULL, set, out);
    if (!node)
        return;
    put_tables(set, out);
    put_log(node, out);
    put_checkpoints(node, out);
    put_rewrites(node, out);
}
