#include "sql/spill.h"

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
    ROW_MAX = 1 << 30,
    BATCH_MAX = 1 << 20, /* bytes of strings in rows read at once, but for the last */
};

/* As writes wait for memory. */
static const uint64_t WAIT_MAX_NS = 30 * 1000000000ull;

/* A piece in memory. Owner: the spill; lent to a stream. */
struct spill_buffer {
    struct io_op op;
    struct spill *spill;
    struct spill_stream *stream; /* NULL: it was freed meanwhile */
    struct spill_buffer *next;   /* unused, or on its way */
    uint32_t used, at;           /* bytes in it; read so far */
    uint32_t moved;              /* written or read by the operations before this one */
    bool is_pending, is_write;
    uint8_t bytes[SPILL_PIECE];
};

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

static struct spill *get_spill(struct exec *x)
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

static void fail(struct spill *s, int rc, bool writes)
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

static void put_buffer(struct spill_buffer *b)
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

/* At least n buffers are unused: 0, -EAGAIN, -ENOMEM. */
static int want_buffers(struct spill *s, uint32_t n)
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

static struct spill_buffer *take_buffer(struct spill *s, struct spill_stream *t)
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
    struct spill *s = x->spill_space ? get_spill(x) : NULL;

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
    struct spill *s = get_spill(x);
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
        put_buffer(b);
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
        fail(s, op->res ? op->res : -EIO, b->is_write);
    b->at = 0;
    if (is_wanted && b->is_write)
        b->stream->writes--;
    if (!is_wanted || b->is_write)
        put_buffer(b);
    if (s->closing)
        close_when_idle(s);
    else
        resume(s);
}

static void begin(struct spill_buffer *b, uint32_t piece, bool is_write)
{
    b->at = piece;
    b->moved = 0;
    b->is_write = is_write;
    b->op.done = transferred;
    transfer(b);
}

static bool note_piece(struct spill_stream *t, uint32_t piece)
{
    struct budget *b = t->spill->x->budget;

    if (t->n_pieces == t->cap_pieces) {
        uint32_t cap = t->cap_pieces ? t->cap_pieces * 2 : 16;
        if (budget_charge(b, (cap - t->cap_pieces) * sizeof *t->pieces) != 0)
            return false;
        uint32_t *more = realloc(t->pieces, cap * sizeof *more);
        if (!more) {
            budget_release(b, (cap - t->cap_pieces) * sizeof *t->pieces);
            return false;
        }
        t->pieces = more;
        t->cap_pieces = cap;
    }
    t->pieces[t->n_pieces++] = piece;
    return true;
}

/* The stream's buffer goes to the file. */
static int flush(struct spill_stream *t)
{
    struct spill *s = t->spill;
    struct spill_buffer *b = t->filling;
    uint32_t piece;
    int rc = 0;

    if (!s->is_open) {
        rc = spill_file_open(&s->file, s->x->reactor, s->x->spill_space);
        s->is_open = rc == 0;
    }
    if (rc == 0)
        rc = spill_file_take(&s->file, &piece);
    if (rc != 0) {
        fail(s, rc, true);
        return rc == -ENOMEM ? -EIO : rc;
    }
    if (!note_piece(t, piece)) {
        spill_file_give(&s->file, piece);
        return -ENOMEM;
    }
    t->filling = NULL;
    t->writes++;
    begin(b, piece, true);
    return 0;
}

/* ---- writing ---- */

/* Bytes of a value behind its kind and scale. */
static uint32_t payload(const struct datum *d)
{
    switch (d->kind) {
    case DATUM_NULL:
        return 0;
    case DATUM_DECIMAL:
        return sizeof d->dec;
    case DATUM_STRING:
        return sizeof d->len + d->len;
    default:
        return sizeof d->i;
    }
}

static int put_bytes(struct spill_stream *t, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    while (n) {
        if (!t->filling)
            t->filling = take_buffer(t->spill, t);
        struct spill_buffer *b = t->filling;
        uint32_t room = SPILL_PIECE - b->used, take = n < room ? (uint32_t)n : room;
        memcpy(b->bytes + b->used, p, take);
        b->used += take;
        p += take;
        n -= take;
        if (b->used == SPILL_PIECE) {
            int rc = flush(t);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int put_value(struct spill_stream *t, const struct datum *d)
{
    uint8_t head[2] = {d->kind, d->scale};
    int rc = put_bytes(t, head, sizeof head);

    if (rc == 0 && d->kind == DATUM_STRING && (rc = put_bytes(t, &d->len, sizeof d->len)) == 0)
        return put_bytes(t, d->s, d->len);
    if (rc == 0 && d->kind == DATUM_DECIMAL)
        return put_bytes(t, &d->dec, sizeof d->dec);
    if (rc == 0 && d->kind != DATUM_NULL && d->kind != DATUM_STRING)
        return put_bytes(t, &d->i, sizeof d->i);
    return rc;
}

int spill_write(struct exec *x, struct spill_stream *t, const struct datum *cells, uint32_t n)
{
    uint64_t size = 2ull * n;
    int rc;

    if (!t->spill && !(t->spill = get_spill(x)))
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        size += payload(&cells[i]);
    if (size > ROW_MAX)
        return -ENOMEM;
    uint64_t end = (t->filling ? t->filling->used : 0) + sizeof(uint32_t) + size;
    uint32_t more = (uint32_t)(end / SPILL_PIECE) + !t->filling;
    if (more && (rc = want_buffers(t->spill, more)) != 0)
        return rc;
    uint32_t head = (uint32_t)size;
    rc = put_bytes(t, &head, sizeof head);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = put_value(t, &cells[i]);
    t->bytes += sizeof head + size;
    t->rows++;
    return rc;
}

int spill_finish(struct spill_stream *t)
{
    int rc = 0;

    if (t->filling && t->filling->used)
        rc = flush(t);
    if (rc == 0 && t->filling) {
        put_buffer(t->filling);
        t->filling = NULL;
    }
    return rc;
}

/* ---- reading ---- */

/* Starts to read the next piece into *b, when a buffer is at hand. */
static int read_piece(struct spill_stream *t, struct spill_buffer **b)
{
    uint64_t from = (uint64_t)t->next_piece * SPILL_PIECE, left = t->bytes - from;
    int rc = want_buffers(t->spill, 1);

    if (rc != 0)
        return rc;
    *b = take_buffer(t->spill, t);
    (*b)->used = left < SPILL_PIECE ? (uint32_t)left : SPILL_PIECE;
    begin(*b, t->pieces[t->next_piece++], false);
    return 0;
}

/* There are bytes at hand: 0, -EAGAIN or an error. */
static int want_bytes(struct spill_stream *t)
{
    struct spill *s = t->spill;
    int rc;

    if (s->x->error->code)
        return -EIO;
    if (t->reading && !t->reading->is_pending && t->reading->at < t->reading->used)
        return 0;
    if (t->reading && !t->reading->is_pending) {
        spill_file_give(&s->file, t->pieces[t->next_piece - (t->ahead ? 2 : 1)]);
        put_buffer(t->reading);
        t->reading = t->ahead;
        t->ahead = NULL;
    }
    if (!t->reading) {
        if (t->next_piece == t->n_pieces) { /* a row that is longer than what was written */
            fail(s, -EIO, false);
            return -EIO;
        }
        if ((rc = read_piece(t, &t->reading)) != 0)
            return rc;
    }
    if (!t->ahead && t->next_piece < t->n_pieces && s->unused)
        (void)read_piece(t, &t->ahead);
    if (!t->reading->is_pending)
        return 0;
    s->is_waiting = true;
    return -EAGAIN;
}

static bool want_row_room(struct spill_stream *t, uint32_t n)
{
    struct budget *b = t->spill->x->budget;

    if (n <= t->row_cap)
        return true;
    if (budget_charge(b, n - t->row_cap) != 0)
        return false;
    uint8_t *more = realloc(t->row, n);
    if (!more) {
        budget_release(b, n - t->row_cap);
        return false;
    }
    t->row = more;
    t->row_cap = n;
    return true;
}

/* n bytes in a row at *out, valid until the next call. */
static int gather(struct spill_stream *t, uint32_t n, const uint8_t **out)
{
    int rc = n ? want_bytes(t) : 0;

    if (rc != 0)
        return rc;
    if (n && !t->row_len && t->reading->used - t->reading->at >= n) {
        *out = t->reading->bytes + t->reading->at;
        t->reading->at += n;
        return 0;
    }
    if (!want_row_room(t, n))
        return -ENOMEM;
    while (t->row_len < n) {
        if ((rc = want_bytes(t)) != 0)
            return rc;
        struct spill_buffer *b = t->reading;
        uint32_t left = b->used - b->at, take = n - t->row_len < left ? n - t->row_len : left;
        memcpy(t->row + t->row_len, b->bytes + b->at, take);
        b->at += take;
        t->row_len += take;
    }
    t->row_len = 0;
    *out = t->row;
    return 0;
}

/* One value from the bytes: 0, -EIO when they are none, -ENOMEM. */
static int get_value(const uint8_t **p, const uint8_t *end, struct datum *d, struct arena *a)
{
    uint32_t n;

    if (end - *p < 2 || (*p)[0] > DATUM_TIME)
        return -EIO;
    memset(d, 0, sizeof *d);
    d->kind = (*p)[0];
    d->scale = (*p)[1];
    *p += 2;
    n = d->kind == DATUM_STRING ? sizeof n : payload(d);
    if (end - *p < (ptrdiff_t)n)
        return -EIO;
    if (d->kind != DATUM_STRING) {
        memcpy(d->kind == DATUM_DECIMAL ? (void *)&d->dec : (void *)&d->i, *p, n);
        *p += n;
        return 0;
    }
    memcpy(&n, *p, sizeof n);
    *p += sizeof n;
    if ((uint64_t)(end - *p) < n)
        return -EIO;
    const char *s = arena_strndup(a, (const char *)*p, n);
    if (!s)
        return -ENOMEM;
    datum_set_string(d, s, n);
    *p += n;
    return 0;
}

int spill_read(struct spill_stream *t, struct datum *cells, uint32_t n, struct arena *a)
{
    const uint8_t *p = NULL;
    int rc = 0;

    if (t->rows_read == t->rows)
        return 0;
    if (t->writes) { /* its last pieces are on their way */
        t->spill->is_waiting = true;
        return t->spill->x->error->code ? -EIO : -EAGAIN;
    }
    if (!t->row_size) {
        if ((rc = gather(t, sizeof t->row_size, &p)) != 0)
            return rc;
        memcpy(&t->row_size, p, sizeof t->row_size);
        t->row_size = t->row_size < t->bytes ? t->row_size + 1 : UINT32_MAX;
    }
    if (t->row_size == UINT32_MAX)
        rc = -EIO;
    else if ((rc = gather(t, t->row_size - 1, &p)) != 0)
        return rc;
    const uint8_t *end = p + (rc == 0 ? t->row_size - 1 : 0);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = get_value(&p, end, &cells[i], a);
    if (rc == -EIO || (rc == 0 && p != end)) {
        fail(t->spill, -EIO, false);
        return -EIO;
    }
    t->row_size = 0;
    t->rows_read++;
    return rc == 0 ? 1 : rc;
}

enum exec_state spill_read_rows(struct spill_stream *t, struct rowset *out, struct datum *cells,
                                uint32_t width, struct arena *a, const char *what)
{
    uint32_t n = 0;
    int rc = 1;

    arena_reset(a); /* may keep a chunk of any size */
    size_t kept = a->used;
    while (n < ROWSET_ROWS && a->used - kept < BATCH_MAX &&
           (rc = spill_read(t, cells + (size_t)n * width, width, a)) == 1)
        n++;
    *out = (struct rowset){.cells = cells, .rows = n, .width = width};
    if (rc < 0 && (rc != -EAGAIN || !n)) {
        out->rows = 0;
        return spill_state(t->spill->x, rc, what);
    }
    return n ? EXEC_ROWS : EXEC_END;
}

/* Pieces that nothing reads or writes any more. */
static void give_pieces(struct spill_stream *t)
{
    uint32_t from = t->next_piece;

    if (t->writes)
        return;
    if (!t->ahead && t->reading && !t->reading->is_pending)
        from--;
    for (; from < t->n_pieces; from++)
        spill_file_give(&t->spill->file, t->pieces[from]);
}

static void drop_buffer(struct spill_buffer *b)
{
    if (b && b->is_pending)
        b->stream = NULL; /* comes back by itself */
    else if (b)
        put_buffer(b);
}

void spill_stream_free(struct spill_stream *t)
{
    struct spill *s = t->spill;

    if (!s)
        return;
    give_pieces(t);
    for (struct spill_buffer *b = s->flying; b; b = b->next)
        if (b->stream == t)
            b->stream = NULL;
    drop_buffer(t->filling);
    drop_buffer(t->reading);
    drop_buffer(t->ahead);
    budget_release(s->x->budget, t->row_cap + t->cap_pieces * sizeof *t->pieces);
    free(t->row);
    free(t->pieces);
    memset(t, 0, sizeof *t);
}
