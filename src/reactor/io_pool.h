#pragma once
/*
 * Threads for file operations of back ends whose kernel interface would block: they run read, write
 * and fdatasync and return the op to its core. A pool is of one core, whose cpu its threads then share, so that waking
 * them interrupts no other; or of the cores of a group, any of which may call.
 */
#include <stdbool.h>

struct io_op;
struct io_pool;
struct reactor;

/* Threads start with the first operation. NULL = no memory. */
struct io_pool *io_pool_new(void);

/* Its cores have ended: waits for running operations, drops queued ones. */
void io_pool_free(struct io_pool *p);

/* op (IO_READ, IO_WRITE, IO_FDATASYNC) comes back by reactor_return_op(r, op). */
void io_pool_submit(struct io_pool *p, struct reactor *r, struct io_op *op);

/* True when op had not begun: it does not come back. Otherwise it runs to its end. */
bool io_pool_cancel(struct io_pool *p, struct io_op *op);
