#pragma once
/*
 * The ring of a core: asynchronous file and socket operations behind one table of functions.
 *
 * Back ends: io_uring, epoll with a small I/O thread pool, and the simulator. An io_op is embedded
 * in the operation that waits for it; `user_data` of the kernel is its address, so it stays alive
 * until `done` ran, also after io_cancel. `done` runs on the submitting core, from the reactor loop,
 * never from inside a submit call.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct reactor;
struct io_op;

typedef void io_fn(struct io_op *op);

struct io_op {
    io_fn *done;       /* set by the caller before submitting */
    int32_t res;       /* result as io_uring gives it: >= 0 or -errno */
    uint8_t kind;      /* back end: which operation */
    uint8_t in_flight; /* back end: submitted and not completed */
    uint8_t cancelled; /* back end: io_cancel was called */
    uint8_t durable;   /* io_write_durable */
    int fd;
    void *buf;
    uint32_t len;
    uint64_t off;
    struct io_op *next;    /* back end: queues */
    const uint8_t *data;   /* io_recv: the bytes received, until the return of done */
    uint64_t deadline_ns;  /* simulator: when it completes */
    uint16_t buf_id;       /* back end: provided buffer */
    struct reactor *owner; /* back end: core to return to, for operations on helper threads */
};

/* True from submit until just before `done` runs. */
static inline bool io_is_pending(const struct io_op *op)
{
    return op->in_flight;
}

/* Submit calls cannot fail: a full submission queue makes the op wait in the core's own list. */
void io_read(struct reactor *r, struct io_op *op, int fd, void *buf, uint32_t len, uint64_t off);
void io_write(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len,
              uint64_t off);
/* A write to a file opened with O_DSYNC: on the medium when done. */
void io_write_durable(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len,
                      uint64_t off);
void io_fdatasync(struct reactor *r, struct io_op *op, int fd);
/* For folders (opened with O_RDONLY | O_DIRECTORY), whose names fdatasync need not make durable. */
void io_fsync(struct reactor *r, struct io_op *op, int fd);
void io_accept(struct reactor *r, struct io_op *op, int fd); /* res = new non-blocking socket */
/* sa stays valid until done, as every buffer. */
void io_connect(struct reactor *r, struct io_op *op, int fd, const struct sockaddr *sa,
                socklen_t n);
void io_send(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len);

/* Receives into a buffer of the core (taken only when bytes are there, so idle sockets hold none);
 * op->data[0..res) is valid until `done` returns. res 0 = end of stream. */
void io_recv(struct reactor *r, struct io_op *op, int fd);

/* Asks for early completion, with -ECANCELED unless it was already done. `done` still runs, later. */
void io_cancel(struct reactor *r, struct io_op *op);

/*
 * File system calls that are rare and may block (start-up, preallocation, rename); real in the
 * uring and epoll back ends, fake in the simulator. 0/-errno, or a value >= 0 where named.
 */
int file_open(struct reactor *r, const char *path, int flags, unsigned mode); /* fd */
int file_close(struct reactor *r, int fd);
int64_t file_size(struct reactor *r, int fd);
int file_allocate(struct reactor *r, int fd, uint64_t off, uint64_t len); /* zero-filled, on disk */
int file_truncate(struct reactor *r, int fd, uint64_t size);
int file_rename(struct reactor *r, const char *from, const char *to);
int file_unlink(struct reactor *r, const char *path);
int file_sync(struct reactor *r, int fd); /* blocking fdatasync */
int file_sync_dir(struct reactor *r, const char *path);
int file_mkdir(struct reactor *r, const char *path); /* 0 also when it exists */
/* Calls fn for each name; stops when fn answers non-zero and returns that. */
int file_list_dir(struct reactor *r, const char *path, int (*fn)(void *ctx, const char *name),
                  void *ctx);
/* Bytes that may still be written to the file system of a file, and all it has. */
int file_space(struct reactor *r, int fd, uint64_t *unused, uint64_t *total);
/* Blocking read for start-up only: bytes read (short at end of file) or -errno. */
int64_t file_read_at(struct reactor *r, int fd, void *buf, size_t len, uint64_t off);
/* Bytes that file_read_at will want soon, or that need not be kept in the system's cache: a hint. */
void file_advise(struct reactor *r, int fd, uint64_t off, uint64_t len, bool wanted);
/* Blocking write for start-up only, not durable before a sync: bytes written or -errno. */
int64_t file_write_at(struct reactor *r, int fd, const void *buf, size_t len, uint64_t off);
