#include "storage/wlog_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/io.h"
#include "reactor/log.h"
#include "storage/wlog_read.h"

enum {
    REPLAY_MAX_FILE = 1 << 30,
    REPLAY_PROGRESS_FILES = 16,
    FORGET_BYTES = 4 << 20, /* at a time */
};

struct replay {
    struct reactor *reactor;
    const char *dir;
    int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn);
    void *ctx;
    struct wlog_position at;
    uint64_t first, newest; /* generations found */
    uint64_t begin;         /* replay begins with it */
    uint64_t durable_next;  /* config.next_lsn */
    bool
        lsn_known; /* at.next_lsn is that of the next frame: not so before the first one of a released log */
    uint64_t loaded; /* generation of the file that is read */
    struct wlog_read file;
    size_t gone;         /* bytes of it that were replayed and forgotten */
    const uint8_t *last; /* the last group so far, in `file` or in `last_kept` */
    uint32_t last_bytes;
    uint64_t last_generation, last_offset;
    uint8_t *last_kept; /* of an earlier file */
    bool torn;
    struct error_info *err;
};

void wlog_path(char *out, size_t cap, const char *dir, uint64_t generation)
{
    snprintf(out, cap, "%s/log-%08" PRIu64 ".qlg", dir, generation);
}

static bool parse_name(const char *name, uint64_t *generation)
{
    char rest[8];

    return sscanf(name, "log-%8" SCNu64 "%7s", generation, rest) == 2 && !strcmp(rest, ".qlg") &&
           *generation;
}

static int note_file(void *ctx, const char *name)
{
    struct replay *p = ctx;
    uint64_t generation;

    if (!parse_name(name, &generation))
        return 0;
    if (!p->first || generation < p->first)
        p->first = generation;
    if (generation > p->newest)
        p->newest = generation;
    return 0;
}

/* Another file will be read: the last group stays in memory. */
static int put_away(struct replay *p)
{
    if (p->last && p->last_generation == p->loaded) {
        uint8_t *kept = malloc(p->last_bytes);
        if (!kept)
            return -ENOMEM;
        p->last = memcpy(kept, p->last, p->last_bytes);
        free(p->last_kept);
        p->last_kept = kept;
    }
    wlog_read_fini(&p->file);
    p->loaded = 0;
    p->gone = 0;
    return 0;
}

static int cannot_read(const struct replay *p, uint64_t generation, int rc)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, generation);
    return error_set(p->err, rc, 0, "log file %s cannot be read whole: %s", path, strerror(-rc));
}

static int read_file(struct replay *p, uint64_t generation)
{
    char path[4096];

    if (p->loaded == generation)
        return 0;
    int rc = put_away(p);
    if (rc)
        return cannot_read(p, generation, rc);
    wlog_path(path, sizeof(path), p->dir, generation);
    rc = wlog_read_open(&p->file, path, REPLAY_MAX_FILE);
    if (rc == -EFBIG)
        return error_set(p->err, -EBADMSG, 0, "log file %s has %zu bytes; allowed are up to %d",
                         path, p->file.len, REPLAY_MAX_FILE);
    if (rc)
        return error_set(p->err, rc, 0, "log file %s: %s", path, strerror(-rc));
    p->loaded = generation;
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

/* Looks on in the file that is read, which is forgotten on the way. */
static int look_on(struct replay *p, size_t from, uint64_t generation, uint64_t least_lsn,
                   struct later *out)
{
    struct wlog_frame frame;
    enum wlog_found found;

    for (size_t at = from; at + WLOG_UNIT <= p->file.len && !out->found; at += WLOG_UNIT) {
        int rc = wlog_read_frame(&p->file, at, &found, &frame, NULL);
        if (rc)
            return cannot_read(p, generation, rc);
        if (found == WLOG_TORN && generation == p->at.generation)
            out->remains = true;
        if (found == WLOG_FRAME && frame.generation == generation && frame.first_lsn >= least_lsn)
            note_frame(out, &frame);
        if (at - from >= FORGET_BYTES) {
            wlog_read_forget(&p->file, from, at);
            from = at;
        }
    }
    return 0;
}

/* Looks in this file and in later ones; afterwards the current file may no longer be in memory. */
static int find_later(struct replay *p, size_t from, struct later *out)
{
    *out = (struct later){0};
    int rc = look_on(p, from, p->at.generation, p->at.next_lsn, out);
    for (uint64_t g = p->at.generation + 1; g <= p->newest && !out->found && !rc; g++) {
        rc = read_file(p, g);
        if (!rc)
            rc = look_on(p, 0, g, 0, out);
        if (!rc)
            wlog_read_again(&p->file);
    }
    return rc;
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
    if (p->lsn_known && p->at.next_lsn < p->durable_next)
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s is damaged at offset %zu (%s), which is LSN %" PRIu64
                         "; the checkpoint was made at LSN %" PRIu64
                         ": restore the file; nothing was changed",
                         path, at, what, p->at.next_lsn, p->durable_next);
    log_warn("log: the last group in %s at offset %zu is torn (%s): cut; it was never acknowledged",
             path, at, what);
    p->at.offset = at;
    p->at.unwritten = p->torn = true;
    return cut(p);
}

/* The first frame behind a checkpoint has the LSN at which its file began, at most that of the checkpoint. */
static bool fits_lsn(const struct replay *p, uint64_t first_lsn)
{
    if (p->lsn_known)
        return first_lsn == p->at.next_lsn;
    return first_lsn && (!p->durable_next || first_lsn <= p->durable_next);
}

static int replay_frame(struct replay *p, size_t at, const struct wlog_frame *frame)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    if (frame->generation != p->at.generation || !fits_lsn(p, frame->first_lsn))
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s: the group at offset %zu has generation %" PRIu64
                         ", LSN %" PRIu64 "; expected were generation %" PRIu64 ", LSN %" PRIu64,
                         path, at, frame->generation, frame->first_lsn, p->at.generation,
                         p->lsn_known ? p->at.next_lsn : p->durable_next);
    p->at.next_lsn = frame->first_lsn;
    p->lsn_known = true;
    int rc = wlog_frame_records(p->file.bytes + at, frame, p->apply, p->ctx);
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
    p->last = p->file.bytes + at;
    p->last_bytes = frame->bytes;
    p->last_generation = p->at.generation;
    p->last_offset = at;
    if (at - p->gone >= FORGET_BYTES) {
        wlog_read_forget(&p->file, p->gone, at);
        p->gone = at;
    }
    return 0;
}

/*
 * Nothing was ever written here, or nothing is missing: the log goes on at once in the next file. Remains before that
 * are of a group that a crash tore: a start cut it, and a power loss took the cut back whose sync had failed.
 */
static bool is_end(const struct replay *p, size_t at, bool zeros, const struct later *later)
{
    char path[4096];
    bool remains = !zeros || later->remains;

    if (!later->found)
        return !remains;
    if (later->generation == p->at.generation || !fits_lsn(p, later->first_lsn) ||
        (remains && !p->lsn_known))
        return false;
    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    if (remains)
        log_warn("log: remains of a torn group in %s at offset %zu; the log goes on without it in "
                 "file %" PRIu64 ", nothing is missing",
                 path, at, later->generation);
    return true;
}

/* Bytes behind the last whole unit: the file was cut. */
static bool has_rest(const struct replay *p, size_t at)
{
    for (; at < p->file.len; at++)
        if (p->file.bytes[at])
            return true;
    return false;
}

static int replay_file(struct replay *p)
{
    size_t at = 0;

    p->at.offset = 0;
    while (at + WLOG_UNIT <= p->file.len) {
        struct wlog_frame frame;
        struct later later;
        const char *what = "zeros";
        enum wlog_found found;
        int rc = wlog_read_frame(&p->file, at, &found, &frame, &what);
        if (rc)
            return cannot_read(p, p->at.generation, rc);
        rc = found == WLOG_FRAME ? replay_frame(p, at, &frame)
                                 : find_later(p, at + WLOG_UNIT, &later);
        if (rc)
            return rc;
        if (found != WLOG_FRAME)
            return is_end(p, at, found == WLOG_NOTHING, &later)
                       ? 0
                       : handle_damage(p, at, what, later.found);
        at += frame.bytes;
    }
    int rc = wlog_read_upto(&p->file, p->file.len);
    if (rc)
        return cannot_read(p, p->at.generation, rc);
    if (!has_rest(p, at))
        return 0;
    struct later later;
    rc = find_later(p, at + WLOG_UNIT, &later);
    if (rc)
        return rc;
    return is_end(p, at, false, &later)
               ? 0
               : handle_damage(p, at, "the file ends within a group", later.found);
}

/*
 * After kill -9 the group in flight may be in memory of the kernel only: it was read and applied, later groups will
 * stand behind it, so it must be as durable as they. A sync alone does not do: after one that failed, perhaps at an
 * earlier start, Linux takes the pages for clean and the next one for done. So the group is written once more.
 */
static int write_again(struct replay *p)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->last_generation);
    int fd = file_open(p->reactor, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    int64_t n = file_write_at(p->reactor, fd, p->last, p->last_bytes, p->last_offset);
    int rc = n < 0 ? (int)n : n < p->last_bytes ? -EIO : file_sync(p->reactor, fd);
    file_close(p->reactor, fd);
    return rc;
}

static int sync_end(struct replay *p)
{
    int rc = p->last ? write_again(p) : 0;

    if (!rc)
        rc = file_sync_dir(p->reactor, p->dir);
    return rc ? error_set(p->err, rc, 0, "the log in %s cannot be synced: %s", p->dir,
                          strerror(-rc))
              : 0;
}

/* Where replay begins; -ENOENT names the file that should be there. */
static int find_begin(struct replay *p, uint64_t first_generation)
{
    char path[4096];

    p->begin = first_generation ? first_generation : 1;
    p->lsn_known = p->begin == 1;
    if (!p->newest && p->begin == 1)
        return 0;
    if (p->newest >= p->begin && (p->first <= p->begin))
        return 0;
    wlog_path(path, sizeof(path), p->dir, p->begin);
    return error_set(p->err, -ENOENT, 0,
                     "log file %s is missing: %s begins with it; restore the file", path,
                     first_generation ? "what the checkpoint needs" : "a log without checkpoint");
}

/* Files before the checkpoint, left when the node went before it had deleted them. */
static int delete_old(void *ctx, const char *name)
{
    struct replay *p = ctx;
    char path[4096];
    uint64_t generation;

    if (!parse_name(name, &generation) || generation >= p->begin)
        return 0;
    wlog_path(path, sizeof(path), p->dir, generation);
    int rc = file_unlink(p->reactor, path);
    if (rc)
        log_warn("log: %s is no longer needed and cannot be deleted: %s", path, strerror(-rc));
    return 0;
}

/* All files were read: is that all that was ever written? */
static int check_end(struct replay *p)
{
    char path[4096];

    wlog_path(path, sizeof(path), p->dir, p->at.generation);
    if (p->at.generation && p->at.groups && p->at.next_lsn < p->durable_next)
        return error_set(p->err, -EBADMSG, 0,
                         "log file %s ends at offset %" PRIu64 " with LSN %" PRIu64
                         "; the checkpoint was made at LSN %" PRIu64 ": restore the file",
                         path, p->at.offset, p->at.next_lsn - 1, p->durable_next);
    if (p->at.next_lsn < p->durable_next)
        p->at.next_lsn = p->durable_next;
    return 0;
}

static int replay_files(struct replay *p)
{
    int rc = 0;

    wlog_held_init(&p->at.held, p->begin);
    for (uint64_t g = p->begin; g <= p->newest && !rc && !p->torn; g++) {
        p->at.generation = g;
        rc = read_file(p, g);
        if (!rc)
            rc = replay_file(p);
        if (!rc && g != p->newest && !p->torn) {
            rc = wlog_held_reserve(&p->at.held);
            if (!rc)
                wlog_held_add(&p->at.held, p->at.offset);
        }
        if (!rc && g != p->newest &&
            (g - p->begin) % REPLAY_PROGRESS_FILES == REPLAY_PROGRESS_FILES - 1)
            log_info("log: replayed file %" PRIu64 " of %" PRIu64 ", %" PRIu64 " records",
                     g - p->begin + 1, p->newest - p->begin + 1, p->at.records);
    }
    return rc;
}

int wlog_replay(struct reactor *r, const struct wlog_config *config,
                int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                void *ctx, struct wlog_position *end, struct error_info *err)
{
    struct replay p = {.reactor = r,
                       .dir = config->dir,
                       .apply = apply,
                       .ctx = ctx,
                       .err = err,
                       .durable_next = config->next_lsn,
                       .at.next_lsn = 1};

    err->text[0] = 0;
    wlog_read_init(&p.file, r);
    int rc = file_list_dir(r, p.dir, note_file, &p);
    if (rc)
        return error_set(err, rc, 0, "data directory %s: %s", p.dir, strerror(-rc));
    rc = find_begin(&p, config->first_generation);
    if (!rc)
        rc = replay_files(&p);
    if (!rc)
        rc = check_end(&p);
    if (!rc && p.first && p.first < p.begin)
        file_list_dir(r, p.dir, delete_old, &p);
    if (!rc && p.newest)
        rc = sync_end(&p);
    wlog_read_fini(&p.file);
    free(p.last_kept);
    if (rc)
        wlog_held_fini(&p.at.held);
    *end = p.at;
    return rc;
}
