#include "storage/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/io.h"

enum {
    ASK_PIECES = 256,      /* 16 MiB: how often the file system is asked */
    CLOSE_PIECES = 256,    /* freed in a turn: some 0.5 ms */
    NAMES = 100,           /* tried */
    RESERVE_PART = 16,     /* of the file system stays free for data and log, */
    RESERVE_MAX = 1 << 30, /* but no more than this */
};

static const char prefix[] = "spill-";

int spill_file_open(struct spill_file *f, struct reactor *r, struct spill_space *space)
{
    memset(f, 0, sizeof *f);
    f->reactor = r;
    f->space = space;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(f->name, sizeof f->name, "%s/%s%d-%u-%llu", space->dir, prefix, (int)getpid(),
                 reactor_core(r), (unsigned long long)space->n_files++);
        f->fd = file_open(r, f->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (f->fd != -EEXIST) /* left by a crash, or a link that somebody made */
            break;
    }
    if (f->fd < 0)
        return f->fd;
    int rc = file_unlink(r, f->name);
    if (rc != 0)
        file_close(r, f->fd);
    return rc;
}

/* The file system is asked for room for some more pieces. */
static int ask_room(struct spill_file *f)
{
    uint64_t unused, total, reserve;
    int rc = file_space(f->reactor, f->fd, &unused, &total);

    if (rc != 0)
        return rc;
    reserve = total / RESERVE_PART < RESERVE_MAX ? total / RESERVE_PART : RESERVE_MAX;
    if (unused < reserve + (uint64_t)ASK_PIECES * SPILL_PIECE)
        return -ENOSPC;
    f->asked += ASK_PIECES;
    return 0;
}

int spill_file_take(struct spill_file *f, uint32_t *piece)
{
    struct spill_space *s = f->space;

    if (f->n_unused) {
        *piece = f->unused[--f->n_unused];
        s->written += SPILL_PIECE;
        return 0;
    }
    if (s->limit && s->used + SPILL_PIECE > s->limit)
        return -EDQUOT;
    if (f->n_pieces == UINT32_MAX - ASK_PIECES)
        return -EFBIG;
    if (f->n_pieces == f->asked) {
        int rc = ask_room(f);
        if (rc != 0)
            return rc;
    }
    *piece = f->n_pieces++;
    s->used += SPILL_PIECE;
    s->written += SPILL_PIECE;
    return 0;
}

void spill_file_give(struct spill_file *f, uint32_t piece)
{
    if (f->n_unused == f->cap_unused) {
        uint32_t cap = f->cap_unused ? f->cap_unused * 2 : 64;
        uint32_t *more = realloc(f->unused, cap * sizeof *more);
        if (!more)
            return; /* the file is larger for it */
        f->unused = more;
        f->cap_unused = cap;
    }
    f->unused[f->n_unused++] = piece;
}

static void shrink(struct task *t)
{
    struct spill_file *f = (struct spill_file *)((char *)t - offsetof(struct spill_file, task));
    uint32_t n = f->n_pieces < CLOSE_PIECES ? f->n_pieces : CLOSE_PIECES;

    f->n_pieces -= n;
    f->space->used -= (uint64_t)n * SPILL_PIECE;
    if (f->n_pieces) {
        (void)file_truncate(f->reactor, f->fd, (uint64_t)f->n_pieces * SPILL_PIECE);
        reactor_task(f->reactor, &f->task, TASK_BULK);
        return;
    }
    file_close(f->reactor, f->fd);
    f->closed(f);
}

void spill_file_close(struct spill_file *f, void (*closed)(struct spill_file *f))
{
    free(f->unused);
    f->unused = NULL;
    f->closed = closed;
    f->task.run = shrink;
    reactor_task(f->reactor, &f->task, TASK_BULK);
}

struct clean_up {
    struct reactor *reactor;
    const char *dir;
};

static int delete_left(void *ctx, const char *name)
{
    struct clean_up *c = ctx;
    char path[600];

    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return 0;
    if (snprintf(path, sizeof path, "%s/%s", c->dir, name) >= (int)sizeof path)
        return -ENAMETOOLONG;
    return file_unlink(c->reactor, path);
}

int spill_folder_clean(struct reactor *r, const char *dir)
{
    struct clean_up c = {.reactor = r, .dir = dir};
    int rc = file_mkdir(r, dir);

    return rc != 0 ? rc : file_list_dir(r, dir, delete_left, &c);
}
