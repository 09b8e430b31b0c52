#include "ingest/export_stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/reactor.h"
#include "reactor/thread.h"

enum { BLOCKS_WAITING = 2 };

/* Owner: the core while it is filled and after it was written; between, the thread reads it. */
struct block {
    struct block *next;
    size_t len, cap;
    uint8_t bytes[];
};

/* Owner: the core; the part under the lock is shared with the thread. Lives until the thread has ended and the
 * core dropped it. */
struct export_stream {
    struct reactor *reactor;
    const struct export_backend *backend;
    void *state;
    void (*wake)(void *ctx); /* NULL: dropped */
    void *ctx;
    struct block *filling;
    uint64_t n_blocks; /* begun so far */
    unsigned n_waiting;
    enum export_stage stage;
    struct error_info error;
    pthread_t thread;
    bool has_ended;
    atomic_bool cancelled;
    struct post post;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct block *queue, **queue_end; /* to be written */
    struct block *spent;              /* written */
    bool is_finishing;                /* the queue gets no more */
    bool is_posted;                   /* the post is on its way to the core */
    bool is_over;                     /* the thread ends */
    enum export_stage thread_stage;
    struct error_info thread_error;
};

/* How many there are in the process. */
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t count_changed = PTHREAD_COND_INITIALIZER;
static unsigned count;

static bool count_up(void)
{
    pthread_mutex_lock(&count_lock);
    bool has_room = count < EXPORT_STREAMS_MAX;
    count += has_room;
    pthread_mutex_unlock(&count_lock);
    return has_room;
}

static void count_down(void)
{
    pthread_mutex_lock(&count_lock);
    count--;
    pthread_cond_broadcast(&count_changed);
    pthread_mutex_unlock(&count_lock);
}

void export_streams_wait(void)
{
    pthread_mutex_lock(&count_lock);
    while (count)
        pthread_cond_wait(&count_changed, &count_lock);
    pthread_mutex_unlock(&count_lock);
}

/* ---- on the core ---- */

static void free_blocks(struct export_stream *x, struct block *b)
{
    while (b) {
        struct block *next = b->next;
        budget_release(reactor_budget(x->reactor), b->cap);
        free(b);
        b = next;
    }
}

static void stream_free(struct export_stream *x)
{
    free_blocks(x, x->filling);
    free_blocks(x, x->queue);
    free_blocks(x, x->spent);
    pthread_mutex_destroy(&x->lock);
    pthread_cond_destroy(&x->changed);
    x->backend->free(x->state);
    free(x);
    count_down();
}

/* What the thread told. */
static void deliver(struct reactor *r, void *ctx)
{
    struct export_stream *x = ctx;
    struct block *spent;
    bool is_over;

    ASSERT(x->reactor == r);
    pthread_mutex_lock(&x->lock);
    x->is_posted = false;
    spent = x->spent;
    x->spent = NULL;
    if (x->stage != x->thread_stage)
        x->error = x->thread_error;
    x->stage = x->thread_stage;
    is_over = x->is_over;
    pthread_mutex_unlock(&x->lock);
    for (const struct block *b = spent; b; b = b->next)
        x->n_waiting--;
    free_blocks(x, spent);
    if (is_over) { /* it only has to return */
        pthread_join(x->thread, NULL);
        x->has_ended = true;
    }
    if (x->wake)
        x->wake(x->ctx);
    else if (is_over)
        stream_free(x);
}

enum export_stage export_stream_stage(const struct export_stream *x, struct error_info *err)
{
    if (x->stage == EXPORT_STREAM_FAILED)
        *err = x->error;
    return x->stage;
}

bool export_stream_is_full(const struct export_stream *x)
{
    return x->n_waiting >= BLOCKS_WAITING;
}

static int begin_block(struct export_stream *x)
{
    size_t cap = x->backend->block_bytes(x->n_blocks);

    if (budget_charge(reactor_budget(x->reactor), cap) != 0)
        return -ENOMEM;
    x->filling = malloc(sizeof *x->filling + cap);
    if (!x->filling) {
        budget_release(reactor_budget(x->reactor), cap);
        return -ENOMEM;
    }
    x->filling->next = NULL;
    x->filling->len = 0;
    x->filling->cap = cap;
    x->n_blocks++;
    return 0;
}

/* Gives the block at hand, if any, to the thread. */
static void pass_on(struct export_stream *x, bool is_last)
{
    pthread_mutex_lock(&x->lock);
    if (x->filling) {
        *x->queue_end = x->filling;
        x->queue_end = &x->filling->next;
        x->n_waiting++;
    }
    x->filling = NULL;
    x->is_finishing |= is_last;
    pthread_cond_signal(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

int export_stream_write(struct export_stream *x, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;

    while (len) {
        if (!x->filling && begin_block(x) != 0)
            return -ENOMEM;
        struct block *b = x->filling;
        size_t n = len < b->cap - b->len ? len : b->cap - b->len;
        memcpy(b->bytes + b->len, from, n);
        b->len += n;
        from += n;
        len -= n;
        if (b->len == b->cap)
            pass_on(x, false);
    }
    return 0;
}

void export_stream_finish(struct export_stream *x)
{
    pass_on(x, true);
}

void export_stream_drop(struct export_stream *x)
{
    x->wake = NULL;
    if (x->has_ended) {
        stream_free(x);
        return;
    }
    atomic_store(&x->cancelled, true);
    pthread_mutex_lock(&x->lock);
    pthread_cond_signal(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

/* ---- on the thread ---- */

/* Tells the core; under the lock, as the core frees the stream when it has heard of the end. */
static void tell(struct export_stream *x)
{
    if (x->is_posted)
        return;
    x->is_posted = true;
    reactor_post_lent(x->reactor, &x->post, deliver, x);
}

static void set_stage(struct export_stream *x, enum export_stage stage,
                      const struct error_info *err, bool is_over)
{
    pthread_mutex_lock(&x->lock);
    x->thread_stage = stage;
    if (err)
        x->thread_error = *err;
    x->is_over = is_over;
    tell(x);
    pthread_mutex_unlock(&x->lock);
}

/* The next block; NULL at the end or when it is cancelled. */
static struct block *next_block(struct export_stream *x)
{
    struct block *b;

    pthread_mutex_lock(&x->lock);
    while (!x->queue && !x->is_finishing && !atomic_load(&x->cancelled))
        pthread_cond_wait(&x->changed, &x->lock);
    b = atomic_load(&x->cancelled) ? NULL : x->queue;
    if (b) {
        x->queue = b->next;
        if (!x->queue)
            x->queue_end = &x->queue;
    }
    pthread_mutex_unlock(&x->lock);
    return b;
}

static int write_block(struct export_stream *x, struct block *b, struct error_info *err)
{
    int rc = x->backend->block(x->state, b->bytes, b->len, err);

    pthread_mutex_lock(&x->lock);
    b->next = x->spent;
    x->spent = b;
    tell(x);
    pthread_mutex_unlock(&x->lock);
    return rc;
}

static void *stream_main(void *arg)
{
    struct export_stream *x = arg;
    struct error_info err = {0};
    struct block *b;

    pthread_setname_np(pthread_self(), "export");
    if (x->backend->open(x->state, &x->cancelled, &err) != 0) {
        set_stage(x, EXPORT_STREAM_FAILED, &err, true);
        return NULL;
    }
    set_stage(x, EXPORT_STREAM_OPEN, NULL, false);
    int rc = 0;
    while (rc == 0 && (b = next_block(x)))
        rc = write_block(x, b, &err);
    if (rc == 0 && atomic_load(&x->cancelled))
        rc = error_set(&err, -ECANCELED, 1317, "Query execution was interrupted");
    if (rc == 0)
        rc = x->backend->finish(x->state, &err);
    if (rc != 0)
        x->backend->abort(x->state);
    set_stage(x, rc == 0 ? EXPORT_STREAM_DONE : EXPORT_STREAM_FAILED, &err, true);
    return NULL;
}

/* ---- start ---- */

static int start(struct export_stream *x, struct error_info *err)
{
    int rc = thread_create_quiet(&x->thread, stream_main, x);

    if (rc != 0)
        error_set(err, rc, 1135, "Can't create a new thread (errno %d)", -rc);
    return rc;
}

int export_stream_new(struct reactor *r, const struct export_backend *backend, void *state,
                      void (*wake)(void *ctx), void *ctx, struct export_stream **out,
                      struct error_info *err)
{
    struct export_stream *x;

    if (!count_up()) {
        backend->free(state);
        return error_set(err, -EBUSY, 1041, "exports at once: found %d; allowed: %d",
                         EXPORT_STREAMS_MAX + 1, EXPORT_STREAMS_MAX);
    }
    x = calloc(1, sizeof *x);
    if (!x) {
        backend->free(state);
        count_down();
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    }
    x->reactor = r;
    x->backend = backend;
    x->state = state;
    x->wake = wake;
    x->ctx = ctx;
    x->queue_end = &x->queue;
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->changed, NULL);
    int rc = start(x, err);
    if (rc != 0) {
        stream_free(x);
        return rc;
    }
    *out = x;
    return 0;
}
