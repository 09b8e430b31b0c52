#include "reactor/io_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/thread.h"

/* Enough to keep a disk queue busy while one thread sits in fdatasync. */
enum { POOL_THREADS = 4 };

struct io_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct io_queue queue;
    unsigned threads, idle;
    bool stopping;
    pthread_t ids[POOL_THREADS];
};

static int32_t run_op(const struct io_op *op)
{
    ssize_t n;

    do {
        switch ((enum io_kind)op->kind) {
        case IO_READ:
            n = pread(op->fd, op->buf, op->len, (off_t)op->off);
            break;
        case IO_WRITE:
            n = pwrite(op->fd, op->buf, op->len, (off_t)op->off);
            break;
        case IO_FDATASYNC:
            n = fdatasync(op->fd);
            break;
        case IO_FSYNC:
            n = fsync(op->fd);
            break;
        default:
            n = -1;
            errno = EINVAL;
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : (int32_t)n;
}

static void *pool_main(void *arg)
{
    struct io_pool *p = arg;
    struct io_op *op;

    pthread_setname_np(pthread_self(), "file-io");
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        op = io_queue_pop(&p->queue);
        if (!op) {
            p->idle++;
            pthread_cond_wait(&p->changed, &p->lock);
            p->idle--;
            continue;
        }
        pthread_mutex_unlock(&p->lock);
        op->res = run_op(op);
        reactor_return_op(op->owner, op);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct io_pool *io_pool_new(void)
{
    struct io_pool *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    return p;
}

void io_pool_free(struct io_pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
}

void io_pool_submit(struct io_pool *p, struct reactor *r, struct io_op *op)
{
    bool no_thread;

    op->owner = r;
    r->helped++;
    pthread_mutex_lock(&p->lock);
    io_queue_push(&p->queue, op);
    if (p->idle == 0 && p->threads < POOL_THREADS &&
        thread_create_quiet(&p->ids[p->threads], pool_main, p) == 0)
        p->threads++;
    no_thread = p->threads == 0 && io_queue_remove(&p->queue, op);
    pthread_mutex_unlock(&p->lock);
    pthread_cond_signal(&p->changed); /* not before, or who wakes would wait for the lock */
    if (no_thread) {
        log_warn("reactor: no thread for file operations, core %u runs them itself", r->core);
        op->res = run_op(op);
        reactor_return_op(r, op);
    }
}

bool io_pool_cancel(struct io_pool *p, struct io_op *op)
{
    bool removed;

    pthread_mutex_lock(&p->lock);
    removed = io_queue_remove(&p->queue, op);
    pthread_mutex_unlock(&p->lock);
    op->owner->helped -= removed;
    return removed;
}
