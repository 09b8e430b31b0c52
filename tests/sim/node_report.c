/* Figures of all seeds of the node scenario. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "node_work.h"
#include "reactor/assert.h"

/* Shared with the processes that run the seeds, one after the other. */
struct report {
    struct work_counts total;
    struct sim_disk_counts disks;
    uint64_t seeds, last;
    uint64_t least_operations, least_crashes; /* of a seed */
};

static struct report *report;

__attribute__((constructor)) static void make_report(void)
{
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(report != MAP_FAILED);
}

static uint64_t crashes(const struct work_counts *c)
{
    return c->power_losses + c->kills;
}

static void add(void *to, const void *from, size_t size)
{
    uint64_t *a = to;
    const uint64_t *b = from;

    for (size_t i = 0; i < size / sizeof *a; i++)
        a[i] += b[i];
}

void work_report(const struct work *w, uint64_t seed)
{
    const struct work_counts *c = &w->counts;

    if (report->seeds && seed == report->last)
        return;
    report->last = seed;
    if (report->seeds == 0 || work_operations(c) < report->least_operations)
        report->least_operations = work_operations(c);
    if (report->seeds == 0 || crashes(c) < report->least_crashes)
        report->least_crashes = crashes(c);
    report->seeds++;
    add(&report->total, c, sizeof *c);
    add(&report->disks, sim_disk_counts(w->host->sim), sizeof report->disks);
}

static void line(const char *name, uint64_t n)
{
    printf("  %-34s %14" PRIu64 "\n", name, n);
}

static void print_operations(const struct work_counts *c)
{
    static const char *const names[WORK_KINDS] = {
        [WORK_INSERT] = "INSERT",
        [WORK_IGNORE] = "INSERT IGNORE",
        [WORK_UPSERT] = "upsert",
        [WORK_REPLACE] = "REPLACE",
        [WORK_UPDATE] = "UPDATE",
        [WORK_DELETE] = "DELETE",
        [WORK_UPDATE_WHERE] = "  of UPDATE by a condition",
        [WORK_DELETE_WHERE] = "  of DELETE by a condition",
        [WORK_TWINS] = "  two of the same rows at once",
        [WORK_REPEAT] = "write sent again",
        [WORK_QUERY] = "SELECT",
        [WORK_CREATE] = "CREATE TABLE",
        [WORK_DROP] = "DROP TABLE",
        [WORK_TRUNCATE] = "TRUNCATE",
        [WORK_DROP_PARTITION] = "DROP PARTITION",
        [WORK_ARCHIVE] = "ARCHIVE PARTITION",
        [WORK_RESTORE] = "RESTORE PARTITION",
        [WORK_ALTER] = "ALTER TABLE ADD COLUMN",
        [WORK_REWRITE] = "OPTIMIZE TABLE",
        [WORK_LIST_PARTITIONS] = "list of partitions",
        [WORK_NOTHING] = "nothing to do (no operation)",
    };

    printf("operations\n");
    for (unsigned i = 0; i < WORK_KINDS; i++)
        line(names[i], c->kinds[i]);
    line("all that came to their end", work_operations(c));
    line("least of a seed", report->least_operations);
    line("ended with an error", c->failures);
    line("queries closed early", c->closed_early);
    line("rows acknowledged", c->rows_acknowledged);
    line("rows read and compared", c->rows_read);
}

static void print_lives(const struct work_counts *c)
{
    printf("lives of nodes\n");
    line("lives", c->lives);
    line("ended by power loss", c->power_losses);
    line("ended as by kill -9", c->kills);
    line("least of both of a seed", report->least_crashes);
    line("ended in order", c->clean_ends);
    line("starts that failed by faults", c->failed_boots);
    line("starts that split slots", c->splits);
    line("checkpoints", c->checkpoints);
    line("checkpoints given up", c->failed_checkpoints);
    line("log records", c->log_records);
    line("chunks read by statements", c->chunks_read);
}

static void print_faults(const struct sim_disk_counts *c)
{
    printf("faults of disks\n");
    line("reads with EIO", c->read_eio);
    line("reads with wrong bits", c->rotten_reads);
    line("short reads", c->short_reads);
    line("writes with EIO", c->write_eio);
    line("writes with ENOSPC", c->enospc);
    line("short writes", c->short_writes);
    line("writes torn by a crash", c->torn_writes);
    line("syncs with EIO", c->sync_eio);
    line("power losses", c->power_losses);
    line("unsynced sectors lost", c->lost_sectors);
    line("unsynced sectors kept", c->kept_sectors);
    line("unsynced file lengths lost", c->lost_lengths);
    line("unsynced changes of folders lost", c->lost_names);
    line("slow operations", c->slow);
    line("of reads", c->reads);
    line("of writes", c->writes);
    line("of syncs", c->syncs);
}

void work_print_report(void)
{
    printf("node: %" PRIu64 " seeds\n", report->seeds);
    print_operations(&report->total);
    print_lives(&report->total);
    print_faults(&report->disks);
}
