/* File operations, cancellation, more operations than ring entries. */
#include "cores.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/io_sim.h"
#include "reactor/list.h"

static struct gate done = GATE_INIT;

/* A staged operation as the log writer has: write, sync, read back, compare. */
enum file_stage { FILE_WRITE, FILE_SYNC, FILE_READ };

static struct {
    struct io_op op;
    enum file_stage stage;
    int fd;
    char path[64];
    uint8_t out[70000], in[70000];
} file;

static void file_step(struct io_op *op)
{
    struct reactor *r = reactor_self();

    cr_assert(!io_is_pending(op));
    switch (file.stage) {
    case FILE_WRITE:
        cr_assert(op->res == sizeof file.out, "%d", op->res);
        file.stage = FILE_SYNC;
        io_fdatasync(r, op, file.fd);
        cr_assert(io_is_pending(op));
        break;
    case FILE_SYNC:
        cr_assert(op->res == 0);
        file.stage = FILE_READ;
        io_read(r, op, file.fd, file.in, sizeof file.in, 4096);
        break;
    case FILE_READ:
        cr_assert(op->res == sizeof file.in);
        cr_assert(memcmp(file.in, file.out, sizeof file.in) == 0);
        gate_add(&done, 1);
        break;
    }
}

static int count_name(void *ctx, const char *name)
{
    if (strcmp(name, "renamed") == 0)
        ++*(int *)ctx;
    return 0;
}

static void file_start(struct reactor *r, void *ctx)
{
    char path[100];

    (void)ctx;
    cr_assert(file_mkdir(r, file.path) == 0 && file_mkdir(r, file.path) == 0);
    snprintf(path, sizeof path, "%s/a", file.path);
    cr_assert(file_open(r, path, O_RDWR, 0) == -ENOENT);
    file.fd = file_open(r, path, O_RDWR | O_CREAT, 0644);
    cr_assert(file.fd >= 0);
    cr_assert(file_allocate(r, file.fd, 0, 4096) == 0 && file_size(r, file.fd) == 4096);
    for (size_t i = 0; i < sizeof file.out; i++)
        file.out[i] = (uint8_t)(i * 31);
    file.stage = FILE_WRITE;
    file.op.done = file_step;
    io_write(r, &file.op, file.fd, file.out, sizeof file.out, 4096);
}

static void file_end(struct reactor *r, void *ctx)
{
    char path[100], other[100];
    int found = 0;

    (void)ctx;
    snprintf(path, sizeof path, "%s/a", file.path);
    snprintf(other, sizeof other, "%s/renamed", file.path);
    cr_assert(file_size(r, file.fd) == 4096 + sizeof file.out);
    cr_assert(file_read_at(r, file.fd, file.in, 100, 4096 + sizeof file.out - 10) == 10);
    cr_assert(file_truncate(r, file.fd, 5) == 0 && file_size(r, file.fd) == 5);
    cr_assert(file_sync(r, file.fd) == 0 && file_close(r, file.fd) == 0);
    cr_assert(file_rename(r, path, other) == 0 && file_sync_dir(r, file.path) == 0);
    cr_assert(file_list_dir(r, file.path, count_name, &found) == 0 && found == 1);
    cr_assert(file_unlink(r, other) == 0 && file_unlink(r, other) == -ENOENT);
    rmdir(file.path);
    gate_add(&done, 1);
}

static void write_sync_read(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    done.count = 0;
    snprintf(file.path, sizeof file.path, "/tmp/reactor-io-%d-%d", (int)getpid(), (int)io);
    reactor_post(reactor_group_get(g, 0), file_start, NULL);
    gate_wait(g, &done, 1);
    reactor_post(reactor_group_get(g, 0), file_end, NULL);
    gate_wait(g, &done, 2);
    cores_stop(g);
}
BACK_ENDS(io, write_sync_read)

enum { MANY = 3000 };
static struct io_op many[MANY];
static uint8_t many_bytes[MANY];
static int many_fd;

static void many_done(struct io_op *op)
{
    cr_assert(op->res == 1, "%d", op->res);
    gate_add(&done, 1);
}

static void many_start(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(file_mkdir(r, "/tmp") == 0); /* the simulated disk is empty */
    many_fd = file_open(r, file.path, O_RDWR | O_CREAT, 0644);
    cr_assert(many_fd >= 0);
    for (int i = 0; i < MANY; i++) {
        many_bytes[i] = (uint8_t)i;
        many[i].done = many_done;
        io_write(r, &many[i], many_fd, &many_bytes[i], 1, (uint64_t)i);
    }
}

static void many_check(struct reactor *r, void *ctx)
{
    static uint8_t in[MANY];

    (void)ctx;
    cr_assert(file_read_at(r, many_fd, in, MANY, 0) == MANY && memcmp(in, many_bytes, MANY) == 0);
    file_close(r, many_fd);
    file_unlink(r, file.path);
    gate_add(&done, 1);
}

/* More than submission entries: the rest waits in the core's list. */
static void more_operations_than_entries(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    done.count = 0;
    snprintf(file.path, sizeof file.path, "/tmp/reactor-many-%d-%d", (int)getpid(), (int)io);
    reactor_post(reactor_group_get(g, 0), many_start, NULL);
    gate_wait(g, &done, MANY);
    reactor_post(reactor_group_get(g, 0), many_check, NULL);
    gate_wait(g, &done, MANY + 1);
    cores_stop(g);
}
BACK_ENDS(io, more_operations_than_entries)

static int pair[600][2];
static struct io_op waiting[600];

static void cancelled_done(struct io_op *op)
{
    cr_assert(op->res == -ECANCELED, "%d", op->res);
    cr_assert(!io_is_pending(op));
    gate_add(&done, 1);
}

static void cancel_all(struct reactor *r, void *ctx)
{
    (void)ctx;
    for (int i = 0; i < 600; i++) {
        io_cancel(r, &waiting[i]);
        io_cancel(r, &waiting[i]); /* a second time changes nothing */
        cr_assert(io_is_pending(&waiting[i]));
    }
}

static void recv_and_wait(struct reactor *r, void *ctx)
{
    for (int i = 0; i < 600; i++) {
        waiting[i] = (struct io_op){.done = cancelled_done};
        io_recv(r, &waiting[i], pair[i][0]);
    }
    if (ctx)
        cancel_all(r, NULL); /* before they ever reached the kernel */
}

static void cancel_in_flight(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    done.count = 0;
    for (int i = 0; i < 600; i++)
        cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair[i]) == 0);
    reactor_post(reactor_group_get(g, 0), recv_and_wait, NULL);
    reactor_post(reactor_group_get(g, 0), cancel_all, NULL);
    gate_wait(g, &done, 600);
    reactor_post(reactor_group_get(g, 0), recv_and_wait, g);
    gate_wait(g, &done, 1200);
    cores_stop(g);
    for (int i = 0; i < 600; i++) {
        close(pair[i][0]);
        close(pair[i][1]);
    }
}

Test(io, cancel_in_flight_uring)
{
    cancel_in_flight(REACTOR_IO_URING);
}

Test(io, cancel_in_flight_epoll)
{
    cancel_in_flight(REACTOR_IO_EPOLL);
}

static struct io_op bad;

static void bad_done(struct io_op *op)
{
    cr_assert(op->res == -EBADF, "%d", op->res);
    gate_add(&done, 1);
}

static void bad_start(struct reactor *r, void *ctx)
{
    (void)ctx;
    bad.done = bad_done;
    io_read(r, &bad, 999999, many_bytes, 1, 0);
}

static void errors_come_as_results(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    done.count = 0;
    reactor_post(reactor_group_get(g, 0), bad_start, NULL);
    gate_wait(g, &done, 1);
    cores_stop(g);
}
BACK_ENDS(io, errors_come_as_results)
