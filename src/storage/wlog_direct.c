/*
 * A core that has an append while the log rests writes it itself: two ways between cores less. Only where appends come
 * one at a time: with more of them one core gathers the next group while it writes one.
 */
#include <errno.h>
#include <stddef.h>

#include "storage/device_pace.h"
#include "storage/wlog_impl.h"

enum { DIRECT_BYTES = 64 << 10 };

static size_t frame_bytes(const struct wlog_append *a)
{
    return (WLOG_FRAME_HEADER + wlog_append_bytes(a) + WLOG_UNIT - 1) & ~(size_t)(WLOG_UNIT - 1);
}

static bool is_allowed(struct wlog *l, size_t bytes)
{
    return l->offset + bytes <= l->direct_end;
}

static void give_turn(struct wlog *l)
{
    struct reactor *owner = l->reactor;

    if (wlog_turn_give(&l->turn))
        reactor_post_lent(owner, &l->handover, wlog_turn_came, l);
}

static void write_rest(struct wlog *l)
{
    io_write_durable(reactor_self(), &l->op, l->current.fd, l->frame.data + l->written,
                     (uint32_t)l->frame.len - l->written, l->offset + l->written);
}

static void direct_done(struct io_op *op)
{
    struct wlog *l = (struct wlog *)((char *)op - offsetof(struct wlog, op));
    struct wlog_append *a = l->direct;

    l->counts.device_writes++;
    l->written += op->res > 0 ? (uint32_t)op->res : 0;
    if (op->res > 0 && l->written < l->frame.len) {
        /* O_DIRECT goes on at a unit boundary; bytes written twice are the same bytes */
        l->written &= ~(uint32_t)(WLOG_UNIT - 1);
        device_pace_charge(l->pace, reactor_now_ns(reactor_self()),
                           wlog_writes_of(l, l->frame.len - l->written));
        write_rest(l);
        return;
    }
    l->direct = NULL;
    a->rc = op->res > 0 ? 0 : op->res < 0 ? op->res : -EIO;
    if (a->rc) {
        l->direct_rc = a->rc;
        reactor_post_lent(l->reactor, &l->handover, wlog_direct_failed, l);
    } else {
        wlog_frame_written(l);
        give_turn(l);
    }
    a->done(a);
}

static bool begin(struct wlog *l, struct wlog_append *a, size_t bytes)
{
    uint64_t first = l->counts.node_lsn;

    if (!is_allowed(l, bytes) ||
        device_pace_take(l->pace, DEVICE_PACE_LOG, reactor_now_ns(reactor_self()),
                         wlog_writes_of(l, bytes)))
        return false;
    a->next = NULL;
    if (wlog_build_frame(l, a, 1)) {
        l->counts.node_lsn = first;
        return false;
    }
    l->direct = a;
    l->written = 0;
    l->op.done = direct_done;
    write_rest(l);
    return true;
}

bool wlog_append_direct(struct wlog *l, struct wlog_append *a)
{
    size_t bytes = frame_bytes(a);

    if (bytes > DIRECT_BYTES || !is_allowed(l, bytes) || !wlog_turn_take(&l->turn))
        return false;
    if (begin(l, a, bytes))
        return true;
    give_turn(l);
    return false;
}
