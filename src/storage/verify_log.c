/*
 * Verification of the log: every group's checksum, every record, and that they follow each other without a gap. What a
 * start would cut, the torn last group that was never acknowledged, is a notice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/batch.h"
#include "storage/verify_impl.h"
#include "storage/wlog_format.h"

enum { LOG_MAX_FILE = 1 << 30 };

/* Where groups end and something else begins; damage if a group follows that does not fit. */
struct log_end {
    bool is_set, is_clean; /* clean: nothing was ever written behind it */
    char file[32];
    uint64_t offset;
    const char *what;
};

/* One walk over the log. */
struct log_walk {
    struct verify *v;
    uint64_t first, last;      /* generations found; 0 = none */
    uint64_t generation, next; /* of the file at hand; LSN of the next group, 0 = not known */
    char file[32];
    uint8_t *bytes;
    size_t len;
    struct log_end end;
    const char *record_wrong;
};

static bool parse_name(const char *name, uint64_t *generation)
{
    char again[32];

    if (sscanf(name, "log-%" SCNu64 ".qlg", generation) != 1 || *generation == 0)
        return false;
    snprintf(again, sizeof(again), "log-%08" PRIu64 ".qlg", *generation);
    return strcmp(name, again) == 0;
}

/* Each log file of the directory. */
static void each_file(const struct verify *v, void (*fn)(void *ctx, uint64_t generation), void *ctx)
{
    DIR *dir = opendir(v->config->dir);
    struct dirent *e;
    uint64_t generation;

    while (dir && (e = readdir(dir))) {
        if (parse_name(e->d_name, &generation))
            fn(ctx, generation);
    }
    if (dir)
        closedir(dir);
}

struct sizes {
    const struct verify *v;
    uint64_t bytes;
};

static void add_size(void *ctx, uint64_t generation)
{
    struct sizes *s = ctx;
    char name[32], path[PATH_MAX];
    struct stat st;

    snprintf(name, sizeof(name), "log-%08" PRIu64 ".qlg", generation);
    verify_path(s->v, path, sizeof(path), name);
    if (stat(path, &st) == 0)
        s->bytes += (uint64_t)st.st_size;
}

uint64_t verify_log_bytes(const struct verify *v)
{
    struct sizes s = {v, 0};

    each_file(v, add_size, &s);
    return s.bytes;
}

static void note_file(void *ctx, uint64_t generation)
{
    struct log_walk *w = ctx;

    if (!w->first || generation < w->first)
        w->first = generation;
    if (generation > w->last)
        w->last = generation;
}

static bool read_file(struct log_walk *w)
{
    char path[PATH_MAX];
    struct stat st;
    bool ok = false;

    snprintf(w->file, sizeof(w->file), "log-%08" PRIu64 ".qlg", w->generation);
    verify_path(w->v, path, sizeof(path), w->file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        verify_found(w->v, w->file, 0, "the file is needed, but cannot be opened: %s",
                     strerror(errno));
    } else if (st.st_size > LOG_MAX_FILE) {
        verify_found(w->v, w->file, 0, "%" PRId64 " bytes; allowed are up to %d",
                     (int64_t)st.st_size, LOG_MAX_FILE);
    } else {
        w->len = (size_t)st.st_size;
        free(w->bytes);
        w->bytes = aligned_alloc(WLOG_UNIT, (w->len + WLOG_UNIT) & ~(size_t)(WLOG_UNIT - 1));
        if (w->bytes)
            ok = verify_read(w->v, fd, w->file, w->bytes, w->len, 0);
        else
            w->v->rc = -ENOMEM;
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

static int check_record(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    static struct error_info err; /* its text outlives the call */
    struct log_walk *w = ctx;
    struct batch b;

    (void)node_lsn;
    w->v->counts->log_records++;
    if (rec->kind < LOG_BATCH || rec->kind > LOG_KINDS) {
        w->record_wrong = "a record of a kind that is not known";
        return -EBADMSG;
    }
    if (rec->kind != LOG_BATCH || batch_open(rec->payload, rec->len, &b, &err) == 0)
        return 0;
    w->record_wrong = err.text;
    return -EBADMSG;
}

/* Groups stopped before this one: nothing may be missing between. */
static void check_gap(struct log_walk *w, size_t at, const struct wlog_frame *f)
{
    bool fits = !w->next || f->first_lsn == w->next;
    bool next_file = w->end.is_set && strcmp(w->end.file, w->file) != 0;

    if (w->end.is_set && w->next && fits && next_file && !w->end.is_clean)
        verify_notice(w->v, w->end.file, w->end.offset,
                      "remains of a torn group (%s); nothing is missing, the log goes on in %s",
                      w->end.what, w->file);
    else if (w->end.is_set && !(fits && next_file && w->end.is_clean))
        verify_found(w->v, w->end.file, w->end.offset,
                     "%s, and a whole group with LSN %" PRIu64 " follows in %s at offset %zu",
                     w->end.what, f->first_lsn, w->file, at);
    else if (!fits)
        verify_found(w->v, w->file, at, "a group with LSN %" PRIu64 "; expected was %" PRIu64,
                     f->first_lsn, w->next);
    w->end.is_set = false;
}

static bool has_bytes(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i])
            return true;
    }
    return false;
}

static void check_group(struct log_walk *w, size_t at, const struct wlog_frame *f)
{
    size_t used = WLOG_FRAME_HEADER + (size_t)f->payload;

    check_gap(w, at, f);
    /* A start does not mind: the bytes mean nothing. */
    if (has_bytes(w->bytes + at + used, f->bytes - used))
        verify_found(w->v, w->file, at + used, "the zeros behind the group's records are damaged");
    w->record_wrong = "the records do not fit the group";
    if (wlog_frame_records(w->bytes + at, f, check_record, w))
        verify_found(w->v, w->file, at, "%s", w->record_wrong);
    w->next = f->first_lsn + f->records;
    w->v->counts->log_groups++;
    w->v->counts->log_bytes += f->bytes;
}

/* A frame of this file that can follow? */
static bool is_ours(const struct log_walk *w, const struct wlog_frame *f)
{
    return f->generation == w->generation && (!w->next || f->first_lsn >= w->next);
}

static void note_end(struct log_walk *w, size_t at, bool zeros, const char *what)
{
    bool new_file = w->end.is_set && strcmp(w->end.file, w->file) != 0;

    /* The file before ended as it should. */
    if (new_file && w->end.is_clean && !zeros)
        w->end.is_set = false;
    if (w->end.is_set) {
        w->end.is_clean &= zeros;
        return;
    }
    w->end = (struct log_end){.is_set = true,
                              .is_clean = zeros,
                              .offset = at,
                              .what = zeros ? "zeros" : what};
    memcpy(w->end.file, w->file, sizeof(w->end.file));
}

static void check_file(struct log_walk *w)
{
    size_t at = 0;

    while (at + WLOG_UNIT <= w->len) {
        struct wlog_frame f = {0};
        const char *what = "";
        enum wlog_found found = wlog_frame_read(w->bytes + at, w->len - at, &f, &what);

        if (found == WLOG_FRAME && is_ours(w, &f)) {
            check_group(w, at, &f);
            at += f.bytes;
            continue;
        }
        if (found != WLOG_FRAME)
            note_end(w, at, found == WLOG_NOTHING, what);
        else if (!w->end.is_set)
            verify_found(w->v, w->file, at,
                         "a group of generation %" PRIu64 ", LSN %" PRIu64
                         "; expected were generation %" PRIu64 ", LSN %" PRIu64,
                         f.generation, f.first_lsn, w->generation, w->next);
        at += found == WLOG_FRAME ? f.bytes : WLOG_UNIT;
    }
    if (has_bytes(w->bytes + at, w->len - at))
        note_end(w, at, false, "the file ends within a group");
}

/* First generation that counts, and whether it is there. */
static bool find_begin(struct log_walk *w)
{
    const struct verify *v = w->v;
    uint64_t begin = v->counts->has_checkpoint ? v->head.log_generation : 1;
    char name[32];

    begin = begin ? begin : 1;
    if (!v->counts->has_checkpoint && v->counts->findings)
        begin = w->first; /* the root or the meta file is damaged: no saying what it needs */
    if (!w->last && begin <= 1)
        return false;
    if (w->last < begin || w->first > begin) {
        snprintf(name, sizeof(name), "log-%08" PRIu64 ".qlg", begin);
        verify_found(w->v, name, 0, "the file is missing; %s begins with it",
                     v->counts->has_checkpoint ? "what the checkpoint needs of the log"
                                               : "a log without checkpoint");
        begin = w->first;
    }
    if (begin == 1)
        w->next = 1;
    w->generation = begin;
    return w->last != 0 && begin != 0;
}

/* Does the root tell of more than the log? */
static bool is_cut_short(const struct log_walk *w)
{
    return w->v->counts->has_checkpoint && w->next && w->next < w->v->head.definitions_lsn;
}

void verify_log(struct verify *v)
{
    struct log_walk w = {.v = v};

    each_file(v, note_file, &w);
    if (!find_begin(&w))
        return;
    for (; w.generation <= w.last && !v->rc; w.generation++) {
        if (w.generation < w.first)
            continue;
        if (!read_file(&w)) {
            w.next = 0;
            w.end.is_set = false;
            continue;
        }
        v->counts->log_files++;
        check_file(&w);
    }
    free(w.bytes);
    if (is_cut_short(&w))
        verify_found(v, w.end.is_set ? w.end.file : w.file, w.end.is_set ? w.end.offset : w.len,
                     "the log ends (%s) before LSN %" PRIu64
                     "; the checkpoint was made at LSN %" PRIu64,
                     w.end.is_set ? w.end.what : "of its file", w.next, v->head.definitions_lsn);
    else if (w.end.is_set && !w.end.is_clean)
        verify_notice(v, w.end.file, w.end.offset,
                      "the last group is torn (%s): it was never acknowledged, the next start "
                      "cuts it",
                      w.end.what);
}
