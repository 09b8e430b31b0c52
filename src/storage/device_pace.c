#include "storage/device_pace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "reactor/io.h"
#include "storage/wlog_format.h"

enum {
    BURST_SHARE = 20,
    JOURNAL_SHARE = 16,
    DATA_SHARE = 8, /* one of so many device writes is not the log's */
    SMALL_CAP = 40,
    SECOND_NS = 1000000000
};

/* A fact of the device's queue, without its newline; false when there is no such device or fact. A partition has
 * its queue one level up. */
static bool read_fact(struct reactor *r, dev_t device, const char *name, char *out, size_t cap)
{
    static const char *const up[] = {"", "../"};

    for (unsigned i = 0; i < 2; i++) {
        char path[128];
        snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s", major(device),
                 minor(device), up[i], name);
        int fd = file_open(r, path, O_RDONLY | O_CLOEXEC, 0);
        if (fd < 0)
            continue;
        int64_t n = file_read_at(r, fd, out, cap - 1, 0);
        file_close(r, fd);
        if (n <= 0)
            continue;
        out[n] = 0;
        out[strcspn(out, "\n")] = 0;
        return true;
    }
    return false;
}

/* FUA writes of a direct overwrite need no flush; a cache that is not volatile never does. */
static bool needs_flush(struct reactor *r, const char *dir)
{
    struct stat st;
    char cache[32], fua[32];

    if (stat(dir, &st) || !read_fact(r, st.st_dev, "write_cache", cache, sizeof(cache)))
        return true;
    if (strcmp(cache, "write back"))
        return false;
    return !read_fact(r, st.st_dev, "fua", fua, sizeof(fua)) || strcmp(fua, "1");
}

static uint64_t read_number(struct reactor *r, dev_t device, const char *name)
{
    char text[32];

    return read_fact(r, device, name, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

/* Memory of a write may be scattered page by page. */
static uint64_t piece_of(struct reactor *r, const char *dir)
{
    struct stat st;
    uint64_t piece = DEVICE_PACE_PIECE_BYTES;

    if (stat(dir, &st))
        return piece;
    uint64_t most = read_number(r, st.st_dev, "max_sectors_kb") << 10;
    uint64_t scattered = read_number(r, st.st_dev, "max_segments") * WLOG_UNIT;
    if (most && most < piece)
        piece = most;
    return scattered && scattered < piece ? scattered : piece;
}

void device_pace_init(struct device_pace *p, struct reactor *r, const char *dir, unsigned iops)
{
    *p = (struct device_pace){0};
    if (!iops)
        return;
    p->flushes = needs_flush(r, dir);
    p->piece_bytes = piece_of(r, dir);
    unsigned burst = iops / BURST_SHARE, kept = iops / (iops < SMALL_CAP ? 4 : JOURNAL_SHARE) + 1;
    unsigned rate = iops > burst + kept ? iops - burst - kept : 1;
    p->interval_ns = (SECOND_NS + rate - 1) / rate;
    p->burst_ns = burst * p->interval_ns;
}

unsigned device_pace_writes(const struct device_pace *p, uint64_t bytes, bool durable)
{
    if (!p || !p->interval_ns)
        return 0;
    return (unsigned)((bytes + p->piece_bytes - 1) / p->piece_bytes) + (durable ? p->flushes : 0);
}

/* Adds to a time up to which all is worked off. */
static void work_off_later(_Atomic uint64_t *at, uint64_t now_ns, uint64_t cost_ns)
{
    uint64_t was = atomic_load_explicit(at, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(at, &was, (was < now_ns ? now_ns : was) + cost_ns,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

/* The same when that time is not after now + early; else the ns until then. */
static uint64_t try_take(_Atomic uint64_t *at, uint64_t now_ns, uint64_t early_ns, uint64_t cost_ns)
{
    uint64_t was = atomic_load_explicit(at, memory_order_relaxed);

    do {
        if (was > now_ns + early_ns)
            return was - early_ns - now_ns;
    } while (!atomic_compare_exchange_weak_explicit(at, &was,
                                                    (was < now_ns ? now_ns : was) + cost_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}

uint64_t device_pace_take(struct device_pace *p, enum device_pace_use use, uint64_t now_ns,
                          unsigned writes)
{
    if (!p || !p->interval_ns)
        return 0;
    uint64_t cost = writes * p->interval_ns, wait, share;

    if (use == DEVICE_PACE_LOG)
        return try_take(&p->free_ns, now_ns, p->burst_ns > cost ? p->burst_ns - cost : 0, cost);
    wait = try_take(&p->free_ns, now_ns, 0, cost); /* what the log leaves */
    if (!wait)
        return 0;
    share = try_take(&p->share_ns, now_ns, 0, cost * DATA_SHARE);
    if (share)
        return wait < share ? wait : share;
    work_off_later(&p->free_ns, now_ns, cost);
    return 0;
}

void device_pace_charge(struct device_pace *p, uint64_t now_ns, unsigned writes)
{
    if (p && p->interval_ns)
        work_off_later(&p->free_ns, now_ns, writes * p->interval_ns);
}
