/*
 * A log on a disk with faults: records are appended, synced, acknowledged; the power goes at a random
 * moment. After each boot every acknowledged record is there, whole and in order; what follows the last
 * whole record is cut off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/io.h"
#include "reactor/list.h"
#include "scenario.h"

enum { RECORD_BYTES = 700, BOOTS = 6, RECORDS_MAX = 40 };

struct record {
    uint64_t number;
    uint64_t check;
    uint8_t body[RECORD_BYTES - 16];
};

enum log_stage { LOG_WRITE, LOG_SYNC };

struct log {
    struct io_op op;
    enum log_stage stage;
    struct record record;
    uint32_t written; /* of the record: writes may be short */
    uint64_t next;    /* number of the record being appended */
    int fd;
    bool done, opened;
};

static uint64_t acknowledged; /* outlives the node, as a client's memory would */

static uint64_t check_of(const struct record *r)
{
    uint64_t h = r->number * 0x9e3779b97f4a7c15ull + 1;

    for (size_t i = 0; i < sizeof r->body; i++)
        h = (h ^ r->body[i]) * 0x100000001b3ull;
    return h;
}

static void append(struct reactor *r, struct log *l)
{
    l->record.number = l->next;
    memset(l->record.body, (int)(l->next % 251), sizeof l->record.body);
    l->record.check = check_of(&l->record);
    l->written = 0;
    l->stage = LOG_WRITE;
    io_write(r, &l->op, l->fd, &l->record, sizeof l->record, l->next * sizeof l->record);
}

static void log_resume(struct io_op *op)
{
    struct log *l = container_of(op, struct log, op);
    struct reactor *r = reactor_self();

    /* A failed sync leaves the pages in an unknown state: the only safe reaction is to stop writing. */
    if (op->res < 0) {
        l->done = true;
        return;
    }
    if (l->stage == LOG_SYNC) {
        l->next++;
        if (l->next > acknowledged)
            acknowledged = l->next;
        if (l->next % RECORDS_MAX == 0)
            l->done = true;
        else
            append(r, l);
        return;
    }
    l->written += (uint32_t)op->res;
    if (l->written < sizeof l->record) {
        io_write(r, op, l->fd, (uint8_t *)&l->record + l->written,
                 (uint32_t)sizeof l->record - l->written, l->next * sizeof l->record + l->written);
        return;
    }
    l->stage = LOG_SYNC;
    io_fdatasync(r, op, l->fd);
}

/* Reads what is there: l->next = number of whole records. */
static void recover(struct reactor *r, struct log *l)
{
    struct record rec;

    for (l->next = 0;; l->next++) {
        int64_t n = file_read_at(r, l->fd, &rec, sizeof rec, l->next * sizeof rec);

        if (n != sizeof rec || rec.number != l->next || rec.check != check_of(&rec))
            break;
    }
    ASSERT(l->next >= acknowledged);
    ASSERT(file_truncate(r, l->fd, l->next * sizeof rec) == 0);
    ASSERT(file_sync(r, l->fd) == 0);
}

static void boot(struct reactor *r, void *ctx)
{
    struct log *l = ctx;

    ASSERT(file_mkdir(r, "data") == 0 && file_sync_dir(r, "") == 0);
    l->fd = file_open(r, "data/log", O_RDWR | O_CREAT, 0644);
    ASSERT(l->fd >= 0 && file_sync_dir(r, "data") == 0);
    recover(r, l);
    l->op.done = log_resume;
    l->opened = true;
    /* The last whole record may be one whose sync failed: it can be read, but is not on the medium, and
     * a sync alone would not bring it there. Writing it once more does. */
    if (l->next > 0)
        l->next--;
    append(r, l);
}

static bool ended_or_random(void *ctx)
{
    struct {
        struct log *log;
        uint64_t stop_at;
        struct sim *w;
    } *c = ctx;

    return c->log->done || sim_steps(c->w) >= c->stop_at;
}

SCENARIO(reactor_log)
{
    static const struct sim_faults none, faults = {
                                             .write_eio = 2000,
                                             .sync_eio = 2000,
                                             .short_write = 100000,
                                         };
    struct sim *w = sim_new(seed);
    struct sim_disk *disk = sim_disk_new(w, 0);
    uint64_t hash;

    acknowledged = 0;
    for (int i = 0; i < BOOTS; i++) {
        struct reactor_group *g;
        struct log *l = calloc(1, sizeof *l);
        struct {
            struct log *log;
            uint64_t stop_at;
            struct sim *w;
        } ctx = {l, sim_steps(w) + 1 + sim_random(w) % 150, w};

        ASSERT(l);
        sim_set_faults(w, &none);
        g = scenario_group(w, disk, 0, 1, 0);
        reactor_post(reactor_group_get(g, 0), boot, l);
        scenario_run_until(g, &l->opened);
        sim_set_faults(w, &faults);
        ASSERT(reactor_sim_run(g, ended_or_random, &ctx, SCENARIO_STEPS_MAX) == 0);
        if (sim_random(w) % 4 == 0)
            sim_kill(g);
        else
            sim_crash(g);
        reactor_group_free(g);
        free(l);
    }
    hash = sim_trace_hash(w) ^ acknowledged;
    sim_disk_free(disk);
    sim_free(w);
    return hash;
}
