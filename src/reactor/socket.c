/* Sockets of the real back ends. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reactor/address.h"
#include "reactor/core.h"

enum { LISTEN_BACKLOG = 4096 };

int socket_open(struct reactor *r, int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)r;
    return fd < 0 ? -errno : fd;
}

static int bind_and_listen(int fd, const struct sockaddr *sa, socklen_t n, uint16_t *port)
{
    struct sockaddr_storage bound;
    socklen_t bound_len = sizeof bound;
    int one = 1, zero = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0)
        return -errno;
    if (sa->sa_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero) != 0)
        return -errno;
    if (bind(fd, sa, n) != 0 || listen(fd, LISTEN_BACKLOG) != 0)
        return -errno;
    if (getsockname(fd, (struct sockaddr *)&bound, &bound_len) != 0)
        return -errno;
    *port = address_port(&bound);
    return 0;
}

/*
 * SO_REUSEPORT lets every process of the user share a port, so a second server would start without an
 * error and take half of the connections. Before its first socket on a port a group therefore tries an
 * exclusive bind.
 */
static int check_port_free(struct reactor *r, const struct sockaddr *sa, socklen_t n)
{
    int fd = socket_open(r, sa->sa_family), one = 1, rc = 0;

    if (fd < 0)
        return fd;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 || bind(fd, sa, n) != 0)
        rc = -errno;
    close(fd);
    return rc;
}

static int listen_locked(struct reactor *r, const struct sockaddr *sa, socklen_t n, uint16_t *port)
{
    uint64_t *ports = r->group->ports;
    bool ours = *port != 0 && (ports[*port / 64] >> (*port % 64) & 1);
    int rc = *port == 0 || ours ? 0 : check_port_free(r, sa, n);
    int fd = rc != 0 ? rc : socket_open(r, sa->sa_family);

    if (fd < 0)
        return fd;
    rc = bind_and_listen(fd, sa, n, port);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    ports[*port / 64] |= 1ull << (*port % 64);
    return fd;
}

int socket_listen(struct reactor *r, const struct sockaddr *sa, socklen_t n, uint16_t *port)
{
    int fd;

    pthread_mutex_lock(&r->group->lock);
    fd = listen_locked(r, sa, n, port);
    pthread_mutex_unlock(&r->group->lock);
    return fd;
}

void socket_shutdown(struct reactor *r, int fd)
{
    (void)r;
    shutdown(fd, SHUT_WR);
}

void socket_close(struct reactor *r, int fd)
{
    (void)r;
    close(fd);
}

void socket_options(struct reactor *r, int fd)
{
    int one = 1;

    /* Not TCP sockets (tests use socket pairs) refuse these, which does not matter. */
    (void)r;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
}

int socket_peer(struct reactor *r, int fd, struct sockaddr_storage *sa, socklen_t *n)
{
    (void)r;
    *n = sizeof *sa;
    return getpeername(fd, (struct sockaddr *)sa, n) == 0 ? 0 : -errno;
}

const struct socket_backend socket_backend_real = {
    .open = socket_open,
    .listen = socket_listen,
    .shutdown = socket_shutdown,
    .close = socket_close,
    .options = socket_options,
    .peer = socket_peer,
};
