#include "sql/spill_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/io.h"

enum {
    ADMIT_MIN = 256 << 10, /* an operator with less does not wait for others, */
    HELD_MIN = 1 << 20,    /* or does not spill */
    CORE_PART = 16,        /* of the core's memory is left over by one statement, */
    CORE_PART_SHARED = 8,  /* by several together */
    ADMIT_ROOM = 3 << 20,  /* for another one to begin: buffers and a table */
    RESERVE_MIN = 2 << 20, /* memory left over, or a quarter of little, */
    RESERVE_PART_LARGE = 4,
    RESERVE_MAX = 16 << 20, /* and no more than this */
    RETRY_MS = 10,          /* looks for memory that others have given back */
    BEGIN_ROOM = 8 << 20,   /* of the core's memory for each statement that may hold much */
};

/* As writes wait for memory. */
static const uint64_t WAIT_MAX_NS = 30 * 1000000000ull;

/* ---- life ---- */

static void resume(struct spill *s)
{
    if (!s->is_waiting)
        return;
    s->is_waiting = false;
    exec_wake(s->x);
}

static void retry(struct timer *t)
{
    resume((struct spill *)((char *)t - offsetof(struct spill, retry)));
}

bool spill_is_possible(const struct exec *x)
{
    return x->spill_space != NULL;
}

struct spill *spill_get(struct exec *x)
{
    if (x->spill)
        return x->spill;
    x->spill = calloc(1, sizeof *x->spill);
    if (!x->spill)
        return NULL;
    x->spill->x = x;
    x->spill->retry.fire = retry;
    list_init(&x->spill->queued);
    if (!x->spill_space->queue.next)
        list_init(&x->spill_space->queue);
    x->open_queries++; /* the statement outlives it */
    return x->spill;
}

static void gone(struct spill *s)
{
    struct exec *x = s->x;

    free(s);
    if (--x->open_queries == 0)
        exec_wake(x);
}

static void file_closed(struct spill_file *f)
{
    gone((struct spill *)((char *)f - offsetof(struct spill, file)));
}

static void close_when_idle(struct spill *s)
{
    if (!s->closing || s->in_flight)
        return;
    if (s->is_open)
        spill_file_close(&s->file, file_closed);
    else
        gone(s);
}

static void free_buffers(struct spill *s)
{
    while (s->unused) {
        struct spill_buffer *b = s->unused;
        s->unused = b->next;
        s->n_buffers--;
        budget_release(s->x->budget, sizeof *b);
        free(b);
    }
}

void spill_close(struct exec *x)
{
    struct spill *s = x->spill;

    if (!s)
        return;
    x->spill = NULL;
    s->closing = true;
    timer_cancel(x->reactor, &s->retry);
    list_remove(&s->queued);
    x->spill_space->begun -= s->has_begun;
    if (s->is_holder) {
        x->spill_space->holders--;
        x->spill_space->ended_ns = reactor_now_ns(x->reactor);
    }
    free_buffers(s);
    if (!s->is_open && !s->in_flight) { /* nothing was spilled: the statement need not wait */
        x->open_queries--;
        free(s);
        return;
    }
    close_when_idle(s);
}

/* ---- errors ---- */

void spill_fail(struct spill *s, int rc, bool writes)
{
    struct mysql_error *e = s->x->error;
    const char *name = s->is_open ? s->file.name : s->x->spill_space->dir;
    unsigned long long used = s->x->spill_space->used >> 20;

    if (e->code)
        return;
    if (rc == -EDQUOT)
        mysql_error_set_text(e, 1021,
                             "%s: statements of this core have spilled %llu MiB; --spill-limit "
                             "allows it %llu MiB",
                             name, used, (unsigned long long)(s->x->spill_space->limit >> 20));
    else if (rc == -ENOSPC)
        mysql_error_set_text(e, 1021,
                             "%s: the file system is full; statements of this core have spilled "
                             "%llu MiB, and room is kept for data and log",
                             name, used);
    else
        mysql_error_set_text(e, 1026, "%s: the temporary file cannot be %s: %s", name,
                             writes ? "written" : "read", strerror(-rc));
}

enum exec_state spill_state(struct exec *x, int rc, const char *what)
{
    if (rc == -EAGAIN)
        return EXEC_PENDING;
    return rc == -ENOMEM ? exec_no_memory(x, what) : EXEC_ERROR;
}

/* ---- buffers ---- */

static struct spill_buffer *new_buffer(struct spill *s)
{
    struct spill_buffer *b;

    if (budget_charge(s->x->budget, sizeof *b) != 0)
        return NULL;
    b = malloc(sizeof *b);
    if (!b) {
        budget_release(s->x->budget, sizeof *b);
        return NULL;
    }
    memset(b, 0, offsetof(struct spill_buffer, bytes));
    b->spill = s;
    s->n_buffers++;
    return b;
}

void spill_put_buffer(struct spill_buffer *b)
{
    struct spill *s = b->spill;

    if (s->closing || s->n_buffers > SPILL_BUFFERS) {
        s->n_buffers--;
        budget_release(s->x->budget, sizeof *b);
        free(b);
        return;
    }
    b->stream = NULL;
    b->next = s->unused;
    s->unused = b;
}

static int look_again(struct spill *s)
{
    s->is_waiting = true;
    timer_arm(s->x->reactor, &s->retry, (uint64_t)RETRY_MS * 1000000);
    return -EAGAIN;
}

/* Memory is short: others may give some back, unless it is the statement's own limit. */
static int wait_for_memory(struct spill *s, size_t n)
{
    const struct budget *own = s->x->budget;
    uint64_t now = reactor_now_ns(s->x->reactor);

    if (own->limit && own->used + n > own->limit)
        return -ENOMEM;
    if (!s->waits_since_ns)
        s->waits_since_ns = now;
    return now - s->waits_since_ns > WAIT_MAX_NS ? -ENOMEM : look_again(s);
}

int spill_want_buffers(struct spill *s, uint32_t n)
{
    uint32_t have = 0;

    for (const struct spill_buffer *b = s->unused; b && have < n; b = b->next)
        have++;
    for (; have < n; have++) {
        if (s->n_buffers >= SPILL_BUFFERS && s->in_flight) {
            s->is_waiting = true;
            return -EAGAIN;
        }
        struct spill_buffer *b = new_buffer(s);
        if (!b && s->in_flight) {
            s->is_waiting = true;
            return -EAGAIN;
        }
        if (!b)
            return wait_for_memory(s, sizeof *b);
        b->next = s->unused;
        s->unused = b;
    }
    s->waits_since_ns = 0;
    return 0;
}

struct spill_buffer *spill_take_buffer(struct spill *s, struct spill_stream *t)
{
    struct spill_buffer *b = s->unused;

    ASSERT(b);
    s->unused = b->next;
    b->stream = t;
    b->used = b->at = b->moved = 0;
    return b;
}

/* What stays free of the statement's memory: for a batch, its results, and what comes after. */
static uint64_t reserve(const struct budget *b, unsigned part)
{
    uint64_t least = b->limit / RESERVE_PART_LARGE, wanted = b->limit / part;

    if (part <= RESERVE_PART_LARGE)
        return wanted;
    if (least > RESERVE_MIN)
        least = RESERVE_MIN;
    return wanted < least ? least : wanted > RESERVE_MAX ? RESERVE_MAX : wanted;
}

/* Little is left of the core's memory when `more` is taken; several statements leave more for those that
 * begin. */
static bool is_core_short(const struct exec *x, uint64_t more)
{
    const struct budget *core = x->budget->parent;
    unsigned part = x->spill_space->holders > 1 ? CORE_PART_SHARED : CORE_PART;

    return core && core->limit && budget_room(core) < core->limit / part + more;
}

/* May the statement go on waiting for those that hold much? */
static bool may_wait(struct spill *s)
{
    const struct spill_space *space = s->x->spill_space;
    uint64_t now = reactor_now_ns(s->x->reactor);

    if (!s->waits_since_ns)
        s->waits_since_ns = now;
    return now - (space->ended_ns > s->waits_since_ns ? space->ended_ns : s->waits_since_ns) <
           WAIT_MAX_NS;
}

/* There is memory for it, and nobody waits who came before. */
static bool may_begin(struct spill *s)
{
    struct spill_space *space = s->x->spill_space;
    const struct budget *core = s->x->budget->parent;
    const struct list *first = list_first(&space->queue);

    if (first && first != &s->queued)
        return false;
    return !core || !core->limit || !space->begun ||
           (space->begun + 1ull) * BEGIN_ROOM <= core->limit;
}

int spill_begin(struct exec *x)
{
    struct spill *s = x->spill_space ? spill_get(x) : NULL;

    if (!s || s->has_begun)
        return 0;
    if (!may_begin(s) && may_wait(s)) {
        if (list_is_empty(&s->queued))
            list_push_back(&x->spill_space->queue, &s->queued);
        return look_again(s);
    }
    list_remove(&s->queued);
    s->waits_since_ns = 0;
    s->has_begun = true;
    x->spill_space->begun++;
    return 0;
}

int spill_admit(struct exec *x, size_t held)
{
    if (!x->spill_space || held < ADMIT_MIN)
        return 0;
    struct spill *s = spill_get(x);
    if (!s || s->is_holder)
        return 0;
    if (x->spill_space->holders && is_core_short(x, ADMIT_ROOM) && may_wait(s))
        return look_again(s);
    s->waits_since_ns = 0;
    s->is_holder = true;
    x->spill_space->holders++;
    while (s->n_buffers < SPILL_BUFFERS) {
        struct spill_buffer *b = new_buffer(s);
        if (!b)
            break;
        spill_put_buffer(b);
    }
    return 0;
}

bool spill_is_due(struct exec *x, size_t held, size_t more, unsigned part)
{
    if (!x->spill_space || held < HELD_MIN)
        return false;
    return budget_room(x->budget) < reserve(x->budget, part) + more || is_core_short(x, more);
}

/* ---- input and output ---- */

static void transfer(struct spill_buffer *b)
{
    struct spill *s = b->spill;
    uint64_t off = (uint64_t)b->at * SPILL_PIECE + b->moved;

    s->in_flight++;
    b->is_pending = true;
    b->next = s->flying;
    s->flying = b;
    if (b->is_write)
        io_write(s->x->reactor, &b->op, s->file.fd, b->bytes + b->moved, b->used - b->moved, off);
    else
        io_read(s->x->reactor, &b->op, s->file.fd, b->bytes + b->moved, b->used - b->moved, off);
}

/* While it is on its way `at` is the piece; afterwards, of a buffer that was read, the place. */
static void transferred(struct io_op *op)
{
    struct spill_buffer *b = (struct spill_buffer *)op;
    struct spill *s = b->spill;
    bool is_wanted = b->stream != NULL;
    struct spill_buffer **at = &s->flying;

    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    s->in_flight--;
    b->is_pending = false;
    if (op->res > 0 && b->moved + (uint32_t)op->res < b->used) {
        b->moved += (uint32_t)op->res;
        transfer(b);
        return;
    }
    if (op->res <= 0 && !s->closing)
        spill_fail(s, op->res ? op->res : -EIO, b->is_write);
    b->at = 0;
    if (is_wanted && b->is_write)
        b->stream->writes--;
    if (!is_wanted || b->is_write)
        spill_put_buffer(b);
    if (s->closing)
        close_when_idle(s);
    else
        resume(s);
}

void spill_transfer(struct spill_buffer *b, uint32_t piece, bool is_write)
{
    b->at = piece;
    b->moved = 0;
    b->is_write = is_write;
    b->op.done = transferred;
    transfer(b);
}
