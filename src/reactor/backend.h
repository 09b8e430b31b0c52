#pragma once
/*
 * What stands behind io.h: one table per back end (io_uring, epoll, simulator).
 *
 * Contract of a back end: `submit` and `cancel` only queue; completions are put on r->completed by
 * `poll`, which also hands queued work to the kernel; the reactor then runs `done`.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "reactor/io.h"

enum io_kind {
    IO_NONE,
    IO_READ,
    IO_WRITE,
    IO_FDATASYNC,
    IO_FSYNC,
    IO_ACCEPT,
    IO_CONNECT,
    IO_SEND,
    IO_RECV,
};

/* Of a file, not of a socket. */
static inline bool io_is_file_op(const struct io_op *op)
{
    return op->kind >= IO_READ && op->kind <= IO_FSYNC;
}

/* Values of io_op.in_flight. */
enum io_flight {
    IO_IDLE,
    IO_QUEUED,        /* in a list of the core */
    IO_IN_KERNEL,     /* given away */
    IO_CANCEL_QUEUED, /* given away; the wish to cancel waits in a list of the core */
    IO_COMPLETED,     /* on r->completed */
};

enum { IO_NO_BUFFER = 0xffff, IO_RECV_BYTES = 16384 };

#define IO_WAIT_FOREVER UINT64_MAX

struct reactor_group;

/* Blocking file calls; see io.h for the meaning. */
struct file_backend {
    int (*open)(struct reactor *r, const char *path, int flags, unsigned mode);
    int (*close)(struct reactor *r, int fd);
    int64_t (*size)(struct reactor *r, int fd);
    int (*allocate)(struct reactor *r, int fd, uint64_t off, uint64_t len);
    int (*truncate)(struct reactor *r, int fd, uint64_t size);
    int (*rename)(struct reactor *r, const char *from, const char *to);
    int (*unlink)(struct reactor *r, const char *path);
    int (*sync)(struct reactor *r, int fd);
    int (*sync_dir)(struct reactor *r, const char *path);
    int (*mkdir)(struct reactor *r, const char *path);
    int (*list_dir)(struct reactor *r, const char *path, int (*fn)(void *ctx, const char *name),
                    void *ctx);
    int64_t (*read_at)(struct reactor *r, int fd, void *buf, size_t len, uint64_t off);
    void (*advise)(struct reactor *r, int fd, uint64_t off, uint64_t len,
                   bool wanted); /* or NULL */
    int64_t (*write_at)(struct reactor *r, int fd, const void *buf, size_t len, uint64_t off);
    int (*space)(struct reactor *r, int fd, uint64_t *unused,
                 uint64_t *total); /* or NULL: no end */
};

/* Sockets: the calls that neither block nor transfer bytes. */
struct socket_backend {
    int (*open)(struct reactor *r, int family); /* non-blocking stream socket for io_connect */
    /* Bound and listening with SO_REUSEPORT; *port: wanted (0 = any), then the one taken. */
    int (*listen)(struct reactor *r, const struct sockaddr *sa, socklen_t n, uint16_t *port);
    void (*shutdown)(struct reactor *r, int fd); /* no more sending */
    void (*close)(struct reactor *r, int fd);
    void (*options)(struct reactor *r, int fd); /* TCP_NODELAY, keep-alive */
    int (*peer)(struct reactor *r, int fd, struct sockaddr_storage *sa, socklen_t *n);
};

struct io_backend {
    const char *name;
    bool is_simulated; /* no threads: reactor_sim_run turns the cores */

    int (*group_init)(struct reactor_group *g, char *err, size_t err_len); /* may be NULL */
    void (*group_stop)(struct reactor_group *g); /* threads ended, cores still there; may be NULL */
    void (*group_fini)(struct reactor_group *g); /* cores are gone; may be NULL */
    int (*init)(struct reactor *r, char *err, size_t err_len); /* control thread */
    int (*start)(struct reactor *r);                           /* thread of the core */
    void (*fini)(struct reactor *r);                           /* control thread, core ended */

    void (*submit)(struct reactor *r, struct io_op *op);
    void (*cancel)(struct reactor *r, struct io_op *op);
    void (*flush)(struct reactor *r); /* hands queued work to the kernel */

    /* flush, then waits up to wait_ns (0 = not at all, IO_WAIT_FOREVER) for a completion or wake-up,
     * then moves completions to r->completed. */
    void (*poll)(struct reactor *r, uint64_t wait_ns);
    bool (*is_ready)(
        struct reactor *r); /* cheap look for completions while spinning; may be NULL */
    void (*wake)(struct reactor *from, struct reactor *to);

    /* Fills op->data just before `done`: false = not ready after all, op waits again, unless it was
     * cancelled. May be NULL. */
    bool (*receive)(struct reactor *r, struct io_op *op);
    void (*recycle)(struct reactor *r, uint16_t buf_id); /* after `done`; may be NULL */

    uint64_t (*now_ns)(struct reactor *r);
    int64_t (*wall_us)(struct reactor *r);

    const struct file_backend *files;
    const struct socket_backend *sockets;
};

extern const struct io_backend io_backend_uring, io_backend_epoll, io_backend_sim;
extern const struct file_backend file_backend_real;
extern const struct socket_backend socket_backend_real;

/* The functions of socket_backend_real, for back ends that add to them. */
int socket_open(struct reactor *r, int family);
int socket_listen(struct reactor *r, const struct sockaddr *sa, socklen_t n, uint16_t *port);
void socket_shutdown(struct reactor *r, int fd);
void socket_close(struct reactor *r, int fd);
void socket_options(struct reactor *r, int fd);
int socket_peer(struct reactor *r, int fd, struct sockaddr_storage *sa, socklen_t *n);

/* Clocks of the real back ends. */
uint64_t clock_now_ns(struct reactor *r);
int64_t clock_wall_us(struct reactor *r);
