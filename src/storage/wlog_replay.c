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

/* Is there a whole frame behind a damaged place, in this file or a later one? Then the damage is not a torn end. */
static int find_later_frame(struct replay *p, size_t from, bool *found)
{
    struct wlog_frame frame;

    *found = false;
    for (size_t at = from; at < p->len && !*found; at += WLOG_UNIT)
        *found = wlog_frame_read(p->bytes + at, p->len - at, &frame, NULL) == WLOG_FRAME &&
                 frame.generation == p->at.generation && frame.first_lsn >= p->at.next_lsn;
    for (uint64_t g = p->at.generation + 1; g <= p->last && !*found; g++) {
        int rc = read_file(p, g);
        if (rc)
            return rc;
        *found =
            p->len >= WLOG_UNIT && wlog_frame_read(p->bytes, p->len, &frame, NULL) == WLOG_FRAME;
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

static int handle_damage(struct replay *p, size_t at, const char *what)
{
    char path[4096];
    bool later;
    uint64_t generation = p->at.generation;

    wlog_path(path, sizeof(path), p->dir, generation);
    int rc = find_later_frame(p, at + WLOG_UNIT, &later);
    if (rc)
        return rc;
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

static int replay_file(struct replay *p)
{
    size_t at = 0;

    p->at.offset = 0;
    while (at + WLOG_UNIT <= p->len) {
        struct wlog_frame frame;
        const char *what;
        enum wlog_found found = wlog_frame_read(p->bytes + at, p->len - at, &frame, &what);
        if (found == WLOG_TORN)
            return handle_damage(p, at, what);
        if (found == WLOG_NOTHING) {
            bool later;
            int rc = find_later_frame(p, at + WLOG_UNIT, &later);
            if (rc || !later)
                return rc;
            if (p->at.generation <
                p->last) /* a frame in the next file: its LSN tells whether one is missing here */
                return read_file(p, p->at.generation);
            return handle_damage(p, at, "zeros");
        }
        int rc = replay_frame(p, at, &frame);
        if (rc)
            return rc;
        at += frame.bytes;
    }
    return 0;
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
    *end = p.at;
    return rc;
}
