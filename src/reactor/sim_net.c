/*
 * Fake network: stream sockets between cores of the groups of a world. Bytes arrive in order after a
 * random time; a window bounds what is under way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/address.h"
#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "reactor/sim_impl.h"

enum {
    WINDOW = 256 * 1024,
    BACKLOG_MAX = 4096,
    LATENCY_MIN_NS = 1000,
    LATENCY_DEFAULT_NS = 100000
};

enum packet_kind { PACKET_DATA, PACKET_END, PACKET_RESET };

/* On its way. Owner: the event, or the list `held` of its receiver while the network is cut. */
struct sim_packet {
    struct list link;
    struct sim_socket *to;
    enum packet_kind kind;
    size_t len;
    uint8_t bytes[];
};

/* Owner: the world; `group` is the one whose core uses it. */
struct sim_socket {
    struct list link;
    struct reactor_group *group;
    struct sim *world;
    unsigned host, peer_host;
    uint16_t port, peer_port;
    bool listening, connected, end_sent, at_end;
    int error;               /* sticky: -ECONNRESET */
    struct sim_socket *peer; /* NULL once it closed */
    struct buffer received;
    uint64_t last_arrival_ns; /* of what this side sent: later packets do not overtake */
    size_t under_way;         /* bytes sent and not yet read by the peer */
    struct io_queue readers, writers;
    struct list held;
    struct list backlog, in_backlog; /* of a listener; membership in one */
};

void sim_packet_free(struct sim_packet *p)
{
    free(p);
}

static struct sim_socket *socket_new(struct sim *w, struct reactor_group *g)
{
    struct sim_socket *s = sim_alloc(sizeof *s);

    s->world = w;
    s->group = g;
    s->host = g->config.sim_host;
    buffer_init(&s->received, SIZE_MAX);
    list_init(&s->held);
    list_init(&s->backlog);
    list_init(&s->in_backlog);
    list_push_back(&w->sockets, &s->link);
    return s;
}

static struct sim_socket *socket_of(struct sim *w, int fd)
{
    struct sim_file *f = sim_fd_get(w, fd);

    return f ? f->socket : NULL;
}

static void wake_all(struct io_queue *q, int32_t res)
{
    struct io_op *op;

    while ((op = io_queue_pop(q)) != NULL)
        reactor_complete(op->owner, op, res);
}

static bool is_cut(const struct sim *w, const struct sim_socket *s)
{
    return w->cut[s->host][s->peer_host];
}

static void send_packet(struct sim_socket *from, enum packet_kind kind, const void *bytes,
                        size_t len)
{
    struct sim *w = from->world;
    struct sim_packet *p;
    uint64_t max = w->faults.net_latency_max_ns, at;

    if (!from->peer)
        return;
    p = sim_alloc(sizeof *p + len);
    list_init(&p->link);
    p->to = from->peer;
    p->kind = kind;
    p->len = len;
    if (len > 0)
        memcpy(p->bytes, bytes, len);
    at = w->now_ns + LATENCY_MIN_NS + sim_below(w, max ? max : LATENCY_DEFAULT_NS);
    if (at < from->last_arrival_ns)
        at = from->last_arrival_ns;
    from->last_arrival_ns = at;
    from->under_way += len;
    sim_schedule(w, at, (struct sim_event){.kind = SIM_ARRIVAL, .packet = p});
}

static void start_send(struct io_op *op, struct sim_socket *s)
{
    struct sim *w = s->world;
    size_t n = op->len;

    if (s->error || !s->peer || s->end_sent || !s->connected) {
        reactor_complete(op->owner, op, s->error ? s->error : -EPIPE);
        return;
    }
    if (sim_chance(w, w->faults.reset)) {
        send_packet(s, PACKET_RESET, NULL, 0);
        s->error = -ECONNRESET;
        wake_all(&s->readers, 0);
        reactor_complete(op->owner, op, -ECONNRESET);
        return;
    }
    if (s->under_way >= WINDOW) {
        io_queue_push(&s->writers, op);
        return;
    }
    n = n < WINDOW - s->under_way ? n : WINDOW - s->under_way;
    if (n > 1 && sim_chance(w, w->faults.short_receive))
        n = 1 + sim_below(w, n - 1);
    send_packet(s, PACKET_DATA, op->buf, n);
    reactor_complete(op->owner, op, (int32_t)n);
}

static void retry_writers(struct sim_socket *s)
{
    struct io_queue waiting = s->writers;
    struct io_op *op;

    s->writers = (struct io_queue){0};
    while ((op = io_queue_pop(&waiting)) != NULL)
        start_send(op, s);
}

static void packet_arrived(struct sim_packet *p)
{
    struct sim_socket *s = p->to;

    switch (p->kind) {
    case PACKET_DATA:
        ASSERT(buffer_append(&s->received, p->bytes, p->len) == 0);
        break;
    case PACKET_END:
        s->at_end = true;
        break;
    case PACKET_RESET:
        s->error = -ECONNRESET;
        if (s->peer)
            s->peer->peer = NULL;
        s->peer = NULL;
        wake_all(&s->writers, -ECONNRESET);
        break;
    }
    free(p);
    wake_all(&s->readers, 0);
}

void sim_net_arrive(struct sim *w, struct sim_packet *p)
{
    struct sim_socket *s = p->to;

    if (is_cut(w, s) || !list_is_empty(&s->held))
        list_push_back(&s->held, &p->link);
    else
        packet_arrived(p);
}

/* A packet's receiver went away. */
static bool is_packet_for(void *ctx, struct sim_event *e)
{
    if (!e->packet || e->packet->to != ctx)
        return false;
    free(e->packet);
    return true;
}

static void socket_free(struct sim_socket *s)
{
    struct sim *w = s->world;

    if (s->peer)
        s->peer->peer = NULL;
    sim_drop_events(w, is_packet_for, s);
    while (!list_is_empty(&s->held))
        free(container_of(list_pop_front(&s->held), struct sim_packet, link));
    list_remove(&s->in_backlog);
    list_remove(&s->link);
    buffer_fini(&s->received);
    free(s);
}

/* What the peer notices of a close: an end, or a reset when bytes were left unread. */
static void socket_close_sim(struct sim_socket *s, bool reset)
{
    while (!list_is_empty(&s->backlog)) {
        struct list *first = list_pop_front(&s->backlog);

        socket_close_sim(container_of(first, struct sim_socket, in_backlog), true);
    }
    if (s->connected && !s->error && (reset || s->received.len > 0))
        send_packet(s, PACKET_RESET, NULL, 0);
    else if (s->connected && !s->error && !s->end_sent)
        send_packet(s, PACKET_END, NULL, 0);
    socket_free(s);
}

static struct sim_socket *find_listener(struct sim *w, unsigned host, uint16_t port)
{
    struct sim_socket *found = NULL;
    uint64_t seen = 0;

    list_for_each(at, &w->sockets)
    {
        struct sim_socket *s = container_of(at, struct sim_socket, link);

        /* SO_REUSEPORT: any of those on the port, each as likely. */
        if (s->listening && s->host == host && s->port == port && sim_below(w, ++seen) == 0)
            found = s;
    }
    return found;
}

static void give_to_accept(struct sim_socket *listener, struct io_op *op)
{
    struct sim_socket *s =
        container_of(list_pop_front(&listener->backlog), struct sim_socket, in_backlog);

    reactor_complete(op->owner, op, sim_fd_new(listener->world, (struct sim_file){.socket = s}));
}

static int32_t connect_to(struct sim_socket *s, struct sim_socket *listener)
{
    struct sim_socket *other;
    unsigned waiting = 0;
    struct io_op *op;

    if (!listener)
        return -ECONNREFUSED;
    list_for_each(at, &listener->backlog)
    {
        waiting++;
    }
    if (waiting >= BACKLOG_MAX)
        return -ECONNREFUSED;
    other = socket_new(s->world, listener->group);
    other->peer = s;
    other->port = listener->port;
    other->peer_port = s->port;
    other->peer_host = s->host;
    s->peer = other;
    s->connected = other->connected = true;
    list_push_back(&listener->backlog, &other->in_backlog);
    op = io_queue_pop(&listener->readers);
    if (op)
        give_to_accept(listener, op);
    return 0;
}

void sim_net_retry(struct sim *w, struct io_op *op)
{
    struct sim_socket *s = socket_of(w, op->fd);

    ASSERT(s);
    if (is_cut(w, s)) {
        io_queue_push(&s->writers, op); /* until healed or cancelled */
        return;
    }
    reactor_complete(op->owner, op, connect_to(s, find_listener(w, s->peer_host, s->peer_port)));
}

/* 127.x is the own host, 10.0.0.N another; -1 = no such host. */
static int host_of_address(const struct sim_socket *s, const struct sockaddr_storage *sa)
{
    uint32_t ip;

    if (address_is_loopback(sa))
        return (int)s->host;
    if (sa->ss_family != AF_INET)
        return -1;
    ip = ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr);
    return ip >> 8 == 10 << 16 && (ip & 0xff) < SIM_HOSTS ? (int)(ip & 0xff) : -1;
}

static void start_connect(struct sim *w, struct io_op *op, struct sim_socket *s)
{
    struct sockaddr_storage sa = {0};
    int host;

    memcpy(&sa, op->buf, op->len < sizeof sa ? op->len : sizeof sa);
    host = host_of_address(s, &sa);
    if (host < 0 || s->connected) {
        reactor_complete(op->owner, op, host < 0 ? -EHOSTUNREACH : -EISCONN);
        return;
    }
    s->peer_host = (unsigned)host;
    s->peer_port = address_port(&sa);
    s->port = w->next_port++;
    sim_schedule(w, w->now_ns + LATENCY_MIN_NS + sim_below(w, LATENCY_DEFAULT_NS),
                 (struct sim_event){.kind = SIM_RETRY, .op = op, .owner = op->owner});
}

void sim_net_start(struct reactor *r, struct io_op *op)
{
    struct sim *w = sim_of(r);
    struct sim_socket *s = socket_of(w, op->fd);

    if (!s) {
        reactor_complete(r, op, -EBADF);
        return;
    }
    switch ((enum io_kind)op->kind) {
    case IO_SEND:
        start_send(op, s);
        break;
    case IO_CONNECT:
        start_connect(w, op, s);
        break;
    case IO_ACCEPT:
        if (list_is_empty(&s->backlog))
            io_queue_push(&s->readers, op);
        else
            give_to_accept(s, op);
        break;
    default:
        ASSERT(op->kind == IO_RECV);
        if (s->received.len > 0 || s->at_end || s->error)
            reactor_complete(r, op, 0);
        else
            io_queue_push(&s->readers, op);
    }
}

void sim_net_cancel(struct sim *w, struct io_op *op)
{
    struct sim_socket *s = socket_of(w, op->fd);

    ASSERT(s);
    if (sim_unschedule(w, op) || io_queue_remove(&s->readers, op) ||
        io_queue_remove(&s->writers, op))
        reactor_complete(op->owner, op, -ECANCELED);
}

bool sim_net_receive(struct reactor *r, struct io_op *op)
{
    struct sim *w = sim_of(r);
    struct sim_core *c = r->io;
    struct sim_socket *s = socket_of(w, op->fd);
    size_t n = s ? s->received.len : 0;

    if (n == 0 && s && !s->at_end && !s->error) {
        if (op->cancelled) {
            op->res = -ECANCELED;
            return true;
        }
        op->in_flight = IO_IN_KERNEL;
        io_queue_push(&s->readers, op);
        return false;
    }
    n = n < sizeof c->received ? n : sizeof c->received;
    if (n > 1 && sim_chance(w, w->faults.short_receive))
        n = 1 + sim_below(w, n - 1);
    op->data = c->received;
    op->res = !s ? -EBADF : n > 0 ? (int32_t)n : s->at_end ? 0 : s->error;
    if (n > 0) {
        memcpy(c->received, s->received.data, n);
        buffer_consume(&s->received, n);
        if (s->peer) {
            s->peer->under_way -= n;
            retry_writers(s->peer);
        }
    }
    sim_note(w, (uint64_t)(uint32_t)op->res);
    return true;
}

void sim_net_close_group(struct sim *w, struct reactor_group *g)
{
    /* Closing one may free others (a backlog), so the search starts again each time. */
    for (bool again = true; again;) {
        again = false;
        for (unsigned i = 0; i < w->files_len && !again; i++) {
            struct sim_socket *s = w->files[i].socket;

            if (s && s->group == g) {
                w->files[i].socket = NULL;
                sim_fd_free(w, SIM_FD_FIRST + (int)i);
                socket_close_sim(s, true);
                again = true;
            }
        }
    }
}

void sim_net_cut(struct sim *w, unsigned host_a, unsigned host_b, bool cut)
{
    ASSERT(host_a < SIM_HOSTS && host_b < SIM_HOSTS);
    w->cut[host_a][host_b] = w->cut[host_b][host_a] = cut;
    if (cut)
        return;
    list_for_each(at, &w->sockets)
    {
        struct sim_socket *s = container_of(at, struct sim_socket, link);

        if (is_cut(w, s))
            continue;
        while (!list_is_empty(&s->held))
            packet_arrived(container_of(list_pop_front(&s->held), struct sim_packet, link));
        while (!s->connected && s->writers.head) {
            struct io_op *op = io_queue_pop(&s->writers);

            sim_schedule(w, w->now_ns,
                         (struct sim_event){.kind = SIM_RETRY, .op = op, .owner = op->owner});
        }
    }
}

void sim_net_reset(struct sim *w, unsigned host_a, unsigned host_b)
{
    list_for_each(at, &w->sockets)
    {
        struct sim_socket *s = container_of(at, struct sim_socket, link);

        if (!s->connected || s->error || s->host != host_a || s->peer_host != host_b)
            continue;
        send_packet(s, PACKET_RESET, NULL, 0);
        s->error = -ECONNRESET;
        wake_all(&s->readers, 0);
        wake_all(&s->writers, -ECONNRESET);
    }
}

static int net_open(struct reactor *r, int family)
{
    (void)family;
    return sim_fd_new(sim_of(r), (struct sim_file){.socket = socket_new(sim_of(r), r->group)});
}

static int net_listen(struct reactor *r, const struct sockaddr *sa, socklen_t n, uint16_t *port)
{
    struct sim_socket *s = socket_new(sim_of(r), r->group);
    struct sockaddr_storage address = {0};

    memcpy(&address, sa, n < sizeof address ? n : sizeof address);
    s->listening = true;
    s->port = address_port(&address);
    if (s->port == 0)
        s->port = sim_of(r)->next_port++;
    *port = s->port;
    return sim_fd_new(sim_of(r), (struct sim_file){.socket = s});
}

static void net_shutdown(struct reactor *r, int fd)
{
    struct sim_socket *s = socket_of(sim_of(r), fd);

    if (s && s->connected && !s->end_sent && !s->error) {
        send_packet(s, PACKET_END, NULL, 0);
        s->end_sent = true;
    }
}

static void net_close(struct reactor *r, int fd)
{
    struct sim_socket *s = socket_of(sim_of(r), fd);

    if (!s)
        return;
    ASSERT(!s->readers.head && !s->writers.head);
    sim_fd_free(sim_of(r), fd);
    socket_close_sim(s, false);
}

static void net_options(struct reactor *r, int fd)
{
    (void)r;
    (void)fd;
}

static int net_peer(struct reactor *r, int fd, struct sockaddr_storage *sa, socklen_t *n)
{
    struct sim_socket *s = socket_of(sim_of(r), fd);
    struct sockaddr_in *v4 = (struct sockaddr_in *)sa;

    if (!s || !s->connected)
        return -ENOTCONN;
    memset(sa, 0, sizeof *sa);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(s->peer_port);
    v4->sin_addr.s_addr =
        htonl(s->peer_host == s->host ? INADDR_LOOPBACK : 10u << 24 | s->peer_host);
    *n = sizeof *v4;
    return 0;
}

const struct socket_backend socket_backend_sim = {
    .open = net_open,
    .listen = net_listen,
    .shutdown = net_shutdown,
    .close = net_close,
    .options = net_options,
    .peer = net_peer,
};
