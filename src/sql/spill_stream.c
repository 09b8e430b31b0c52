#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sql/spill_internal.h"

enum {
    ROW_MAX = 1 << 30,
    BATCH_MAX = 1 << 20, /* bytes of strings in rows read at once, but for the last */
};

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
        spill_fail(s, rc, true);
        return rc == -ENOMEM ? -EIO : rc;
    }
    if (!note_piece(t, piece)) {
        spill_file_give(&s->file, piece);
        return -ENOMEM;
    }
    t->filling = NULL;
    t->writes++;
    spill_transfer(b, piece, true);
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
            t->filling = spill_take_buffer(t->spill, t);
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

    if (!t->spill && !(t->spill = spill_get(x)))
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        size += payload(&cells[i]);
    if (size > ROW_MAX)
        return -ENOMEM;
    uint64_t end = (t->filling ? t->filling->used : 0) + sizeof(uint32_t) + size;
    uint32_t more = (uint32_t)(end / SPILL_PIECE) + !t->filling;
    if (more && (rc = spill_want_buffers(t->spill, more)) != 0)
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
        spill_put_buffer(t->filling);
        t->filling = NULL;
    }
    return rc;
}

/* ---- reading ---- */

/* Starts to read the next piece into *b, when a buffer is at hand. */
static int read_piece(struct spill_stream *t, struct spill_buffer **b)
{
    uint64_t from = (uint64_t)t->next_piece * SPILL_PIECE, left = t->bytes - from;
    int rc = spill_want_buffers(t->spill, 1);

    if (rc != 0)
        return rc;
    *b = spill_take_buffer(t->spill, t);
    (*b)->used = left < SPILL_PIECE ? (uint32_t)left : SPILL_PIECE;
    spill_transfer(*b, t->pieces[t->next_piece++], false);
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
        if (!t->is_view)
            spill_file_give(&s->file, t->pieces[t->next_piece - (t->ahead ? 2 : 1)]);
        spill_put_buffer(t->reading);
        t->reading = t->ahead;
        t->ahead = NULL;
    }
    if (!t->reading) {
        if (t->next_piece == t->n_pieces) { /* a row that is longer than what was written */
            spill_fail(s, -EIO, false);
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
        spill_fail(t->spill, -EIO, false);
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

int spill_stream_view(struct spill_stream *t, const struct spill_stream *of)
{
    struct spill *s = of->spill;
    size_t bytes = of->n_pieces * sizeof *of->pieces;

    if (!of->rows)
        return 0;
    if (of->writes) {
        s->is_waiting = true;
        return s->x->error->code ? -EIO : -EAGAIN;
    }
    if (budget_charge(s->x->budget, bytes) != 0)
        return -ENOMEM;
    uint32_t *pieces = malloc(bytes);
    if (!pieces) {
        budget_release(s->x->budget, bytes);
        return -ENOMEM;
    }
    memcpy(pieces, of->pieces, bytes);
    *t = (struct spill_stream){.spill = s,
                               .rows = of->rows,
                               .bytes = of->bytes,
                               .pieces = pieces,
                               .n_pieces = of->n_pieces,
                               .cap_pieces = of->n_pieces,
                               .is_view = true};
    return 0;
}

/* Pieces that nothing reads or writes any more. */
static void give_pieces(struct spill_stream *t)
{
    uint32_t from = t->next_piece;

    if (t->writes || t->is_view)
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
        spill_put_buffer(b);
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
