#include "storage/wlog_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/io.h"
#include "reactor/log.h"
#include "storage/wlog_format.h"

enum { REPLAY_MAX_FILE = 1 << 30, REPLAY_PROGRESS_FILES = 16 };

struct replay {
    struct reactor *reactor;
    const char *dir;
    int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn);
    void *ctx;
    struct wlog_position at;
    uint64_t first, last; /* generations found */
    uint8_t *bytes;       /* the current file */
    size_t len;
    bool torn;
    struct error_info *err;
};

void wlog_path(char *out, size_t cap, const char *dir, uint64_t generation)
{
    snprintf(out, cap, "%s/log-%08" PRIu64 ".qlg", dir, generation);
}

static int note_file(void *ctx, const char *name)
{
    struct replay *p = ctx;
    uint64_t generation;
    char rest[8];

    if (sscanf(name, "log-%8" SCNu64 "%7s", &generation, rest) != 2 || strcmp(rest, ".qlg") ||
        !generation)
        return 0;
    if (!p->first || generation < p->first)
        p->first = generation;
    if (generation > p->last)
        p->last = generation;
    return 0;
}

static int read_file(struct replay *p, uint64_t generation)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, generation);
    int fd = file_open(p->reactor, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return error_set(p->err, fd, 0, "log file %s: %s", path, strerror(-fd));
    int64_t size = file_size(p->reactor, fd);
    if (size < 0 || size > REPLAY_MAX_FILE) {
        file_close(p->reactor, fd);
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s has %" PRId64 " bytes; allowed are up to %d", path, size,
                         REPLAY_MAX_FILE);
    }
    free(p->bytes);
    p->bytes = aligned_alloc(WLOG_UNIT, ((size_t)size + WLOG_UNIT) & ~(size_t)(WLOG_UNIT - 1));
    p->len = (size_t)size;
    int64_t n = p->bytes ? file_read_at(p->reactor, fd, p->bytes, p->len, 0) : -ENOMEM;
    file_close(p->reactor, fd);
    if (n != size)
        return error_set(p->err, n < 0 ? (int)n : -EIO, 0, "log file %s cannot be read whole: %s",
                         path, n < 0 ? strerror((int)-n) : "short read");
    return 0;
}

/* What stands behind a place where no frame starts. */
struct later {
    bool found;          /* a whole frame: what is missing or damaged before it is not a torn end */
    uint64_t generation; /* of its file */
    uint64_t first_lsn;
    bool remains; /* bytes in the same file that are no frame */
};

static void note_frame(struct later *out, const struct wlog_frame *frame)
{
    out->found = true;
    out->generation = frame->generation;
    out->first_lsn = frame->first_lsn;
}

/* Looks in this file and in later ones; afterwards the current file may no longer be in memory. */
static int find_later(struct replay *p, size_t from, struct later *out)
{
    struct wlog_frame frame;

    *out = (struct later){0};
    for (size_t at = from; at + WLOG_UNIT <= p->len && !out->found; at += WLOG_UNIT) {
        enum wlog_found found = wlog_frame_read(p->bytes + at, p->len - at, &frame, NULL);
        if (found == WLOG_TORN)
            out->remains = true;
        if (found == WLOG_FRAME && frame.generation == p->at.generation &&
            frame.first_lsn >= p->at.next_lsn)
            note_frame(out, &frame);
    }
    for (uint64_t g = p->at.generation + 1; g <= p->last && !out->found; g++) {
        int rc = read_file(p, g);
        if (rc)
            return rc;
        for (size_t at = 0; at + WLOG_UNIT <= p->len && !out->found; at += WLOG_UNIT)
            if (wlog_frame_read(p->bytes + at, p->len - at, &frame, NULL) == WLOG_FRAME &&
                frame.generation == g)
                note_frame(out, &frame);
    }
    return 0;
}

/* Zeros the torn group so that no later start takes its remains for damage. */
static int cut(struct replay *p)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    int fd = file_open(p->reactor, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return error_set(p->err, fd, 0, "log file %s: %s", path, strerror(-fd));
    int64_t size = file_size(p->reactor, fd);
    int rc = size < 0 ? (int)size : file_truncate(p->reactor, fd, p->at.offset);
    if (!rc)
        rc = file_allocate(p->reactor, fd, 0, (uint64_t)size);
    if (!rc)
        rc = file_sync(p->reactor, fd);
    file_close(p->reactor, fd);
    return rc ? error_set(p->err, rc, 0, "log file %s: cannot cut the torn end: %s", path,
                          strerror(-rc))
              : 0;
}

static int handle_damage(struct replay *p, size_t at, const char *what, bool later)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    if (later)
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s is damaged at offset %zu (%s) and whole groups follow: "
                         "restore the file; nothing was changed",
                         path, at, what);
    log_warn("log: the last group in %s at offset %zu is torn (%s): cut; it was never acknowledged",
             path, at, what);
    p->at.offset = at;
    p->torn = true;
    return cut(p);
}

static int replay_frame(struct replay *p, size_t at, const struct wlog_frame *frame)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    if (frame->generation != p->at.generation || frame->first_lsn != p->at.next_lsn)
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s: the group at offset %zu has generation %" PRIu64
                         ", LSN %" PRIu64 "; expected were generation %" PRIu64 ", LSN %" PRIu64,
                         path, at, frame->generation, frame->first_lsn, p->at.generation,
                         p->at.next_lsn);
    int rc = wlog_frame_records(p->bytes + at, frame, p->apply, p->ctx);
    if (rc)
        return p->err->text[0]
                   ? rc
                   : error_set(
                         p->err, rc, 0,
                         "log file %s: a record of the group at offset %zu cannot be applied: %s",
                         path, at, strerror(-rc));
    p->at.next_lsn += frame->records;
    p->at.records += frame->records;
    p->at.groups++;
    p->at.offset = at + frame->bytes;
    return 0;
}

/* Nothing was ever written here: the log ends, or goes on at once in the next file. */
static bool is_clean_end(const struct replay *p, const struct later *later)
{
    if (later->found)
        return later->generation != p->at.generation && later->first_lsn == p->at.next_lsn;
    return !later->remains;
}

/* Bytes behind the last whole unit: the file was cut. */
static bool has_rest(const struct replay *p, size_t at)
{
    for (; at < p->len; at++)
        if (p->bytes[at])
            return true;
    return false;
}

static int replay_file(struct replay *p)
{
    size_t at = 0;

    p->at.offset = 0;
    while (at + WLOG_UNIT <= p->len) {
        struct wlog_frame frame;
        struct later later;
        const char *what;
        enum wlog_found found = wlog_frame_read(p->bytes + at, p->len - at, &frame, &what);
        int rc = found == WLOG_FRAME ? replay_frame(p, at, &frame)
                                     : find_later(p, at + WLOG_UNIT, &later);
        if (rc)
            return rc;
        if (found != WLOG_FRAME)
            return found == WLOG_NOTHING && is_clean_end(p, &later)
                       ? 0
                       : handle_damage(p, at, found == WLOG_NOTHING ? "zeros" : what, later.found);
        at += frame.bytes;
    }
    if (!has_rest(p, at))
        return 0;
    struct later later;
    int rc = find_later(p, at + WLOG_UNIT, &later);
    return rc ? rc : handle_damage(p, at, "the file ends within a group", later.found);
}

/*
 * After kill -9 the group in flight may be in memory of the kernel only: it was read and applied, later groups will
 * stand behind it, so it must be as durable as they. It is in the last file, or before it when that is not in use yet.
 */
static int sync_end(struct replay *p)
{
    char path[4096];
    int rc = 0;

    for (uint64_t g = p->last > p->first ? p->last - 1 : p->first; g && g <= p->last && !rc; g++) {
        wlog_path(path, sizeof(path), p->dir, g);
        int fd = file_open(p->reactor, path, O_WRONLY | O_CLOEXEC, 0);
        rc = fd < 0 ? fd : file_sync(p->reactor, fd);
        if (fd >= 0)
            file_close(p->reactor, fd);
    }
    if (!rc)
        rc = file_sync_dir(p->reactor, p->dir);
    return rc ? error_set(p->err, rc, 0, "the log in %s cannot be synced: %s", p->dir,
                          strerror(-rc))
              : 0;
}

int wlog_replay(struct reactor *r, const char *dir,
                int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                void *ctx, struct wlog_position *end, struct error_info *err)
{
    struct replay p = {
        .reactor = r, .dir = dir, .apply = apply, .ctx = ctx, .err = err, .at.next_lsn = 1};

    err->text[0] = 0;
    int rc = file_list_dir(r, dir, note_file, &p);
    if (rc)
        return error_set(err, rc, 0, "data directory %s: %s", dir, strerror(-rc));
    for (uint64_t g = p.first; g && g <= p.last && !rc && !p.torn; g++) {
        p.at.generation = g;
        rc = read_file(&p, g);
        if (!rc)
            rc = replay_file(&p);
        if (!rc && g != p.last &&
            (g - p.first) % REPLAY_PROGRESS_FILES == REPLAY_PROGRESS_FILES - 1)
            log_info("log: replayed file %" PRIu64 " of %" PRIu64 ", %" PRIu64 " records",
                     g - p.first + 1, p.last - p.first + 1, p.at.records);
    }
    free(p.bytes);
    if (!rc)
        rc = sync_end(&p);
    *end = p.at;
    return rc;
}
