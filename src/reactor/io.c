/* The operations of io.h: fill the op, give it to the back end. */
#include "reactor/io.h"

#include <time.h>

#include "reactor/assert.h"
#include "reactor/core.h"

static void io_submit(struct reactor *r, struct io_op *op, enum io_kind kind, int fd)
{
    ASSERT_ON_CORE(r);
    ASSERT(op->done);
    ASSERT(op->in_flight == IO_IDLE);
    op->kind = (uint8_t)kind;
    op->fd = fd;
    op->res = 0;
    op->cancelled = false;
    op->next = NULL;
    op->data = NULL;
    op->buf_id = IO_NO_BUFFER;
    op->in_flight = IO_QUEUED;
    r->backend->submit(r, op);
}

void io_read(struct reactor *r, struct io_op *op, int fd, void *buf, uint32_t len, uint64_t off)
{
    op->buf = buf;
    op->len = len;
    op->off = off;
    io_submit(r, op, IO_READ, fd);
}

void io_write(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len,
              uint64_t off)
{
    op->buf = (void *)buf;
    op->len = len;
    op->off = off;
    op->durable = false;
    io_submit(r, op, IO_WRITE, fd);
}

void io_write_durable(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len,
                      uint64_t off)
{
    op->buf = (void *)buf;
    op->len = len;
    op->off = off;
    op->durable = true;
    io_submit(r, op, IO_WRITE, fd);
}

void io_fdatasync(struct reactor *r, struct io_op *op, int fd)
{
    io_submit(r, op, IO_FDATASYNC, fd);
}

void io_fsync(struct reactor *r, struct io_op *op, int fd)
{
    io_submit(r, op, IO_FSYNC, fd);
}

void io_accept(struct reactor *r, struct io_op *op, int fd)
{
    io_submit(r, op, IO_ACCEPT, fd);
}

void io_connect(struct reactor *r, struct io_op *op, int fd, const struct sockaddr *sa, socklen_t n)
{
    op->buf = (void *)sa;
    op->len = n;
    io_submit(r, op, IO_CONNECT, fd);
}

void io_send(struct reactor *r, struct io_op *op, int fd, const void *buf, uint32_t len)
{
    op->buf = (void *)buf;
    op->len = len;
    io_submit(r, op, IO_SEND, fd);
}

void io_recv(struct reactor *r, struct io_op *op, int fd)
{
    op->buf = NULL;
    op->len = IO_RECV_BYTES;
    io_submit(r, op, IO_RECV, fd);
}

void io_cancel(struct reactor *r, struct io_op *op)
{
    ASSERT_ON_CORE(r);
    if (op->in_flight == IO_IDLE || op->cancelled)
        return;
    op->cancelled = true;
    if (op->in_flight != IO_COMPLETED)
        r->backend->cancel(r, op);
}

bool io_queue_remove(struct io_queue *q, struct io_op *op)
{
    struct io_op *before = NULL;

    for (struct io_op *at = q->head; at; before = at, at = at->next) {
        if (at != op)
            continue;
        if (before)
            before->next = op->next;
        else
            q->head = op->next;
        if (q->tail == op)
            q->tail = before;
        op->next = NULL;
        return true;
    }
    return false;
}

uint64_t clock_now_ns(struct reactor *r)
{
    struct timespec ts;

    (void)r;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int64_t clock_wall_us(struct reactor *r)
{
    struct timespec ts;

    (void)r;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
