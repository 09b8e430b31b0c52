/*
 * Small requests over loopback: an echo server on one core of ours (io_uring, epoll) against a plain
 * epoll loop, with the same clients in the same run. One JSON line per case.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "reactor/core.h"
#include "reactor/log.h"
#include "reactor/stream.h"

enum { MESSAGE = 64, CONNECTIONS_MAX = 256, RUN_MS = 1500 };

/* ---- client: one message in flight per connection ------------------------------------------ */

static double cpu_us(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* Of all threads but this one. */
static double server_cpu_us(void)
{
    return cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_us(CLOCK_THREAD_CPUTIME_ID);
}

static int dial(uint16_t port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof sa) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void client_run(const char *server, uint16_t port, unsigned connections)
{
    int epoll = epoll_create1(0), fds[CONNECTIONS_MAX];
    static char message[MESSAGE];
    uint64_t end, begin, requests = 0;
    double cpu;

    for (unsigned i = 0; i < connections; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fds[i] = dial(port)};

        epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &e);
        if (send(fds[i], message, MESSAGE, 0) != MESSAGE)
            exit(1);
    }
    begin = clock_now_ns(NULL);
    cpu = server_cpu_us();
    end = begin + RUN_MS * 1000000ull;
    while (clock_now_ns(NULL) < end) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 100);

        for (int i = 0; i < n; i++) {
            if (recv(events[i].data.fd, message, MESSAGE, 0) != MESSAGE ||
                send(events[i].data.fd, message, MESSAGE, 0) != MESSAGE)
                exit(1);
            requests++;
        }
    }
    cpu = server_cpu_us() - cpu;
    printf(
        "{\"bench\":\"reactor_echo\",\"server\":\"%s\",\"connections\":%u,\"requests_per_s\":%.0f,"
        "\"server_cpu_us_per_request\":%.2f}\n",
        server, connections, (double)requests / ((double)(clock_now_ns(NULL) - begin) / 1e9),
        cpu / (double)requests);
    fflush(stdout);
    for (unsigned i = 0; i < connections; i++)
        close(fds[i]);
    close(epoll);
}

/* ---- our server ------------------------------------------------------------------------------- */

static uint16_t port;

static void echo_data(struct stream *s, const uint8_t *bytes, size_t n)
{
    if (buffer_append(stream_out(s), bytes, n) != 0)
        stream_abort(s);
    stream_flush(s);
}

static void echo_closed(struct stream *s, int err)
{
    (void)err;
    listener_connection_closed(stream_ctx(s));
}

static const struct stream_handler echo_handler = {echo_data, NULL, echo_closed};

static void echo_accept(struct listener *l, int fd)
{
    struct stream *s;

    if (stream_new(listener_reactor(l), fd, 1 << 20, &echo_handler, l, &s) != 0)
        listener_connection_closed(l);
}

static int serve(struct reactor *r, void *ctx)
{
    struct listener *l;
    char err[200];
    int rc = listener_new(r, "127.0.0.1", 0, 0, echo_accept, NULL, &l, err, sizeof err);

    (void)ctx;
    if (rc == 0) {
        port = listener_port(l);
        reactor_set_local(r, LOCAL_TEST, l);
    }
    return rc;
}

static void stop(struct reactor *r, void *ctx)
{
    (void)ctx;
    listener_stop(reactor_get_local(r, LOCAL_TEST));
    reactor_exit(r);
}

static void our_server(enum reactor_io io)
{
    struct reactor_config config = {.cores = 1, .io = io};
    struct reactor_group *g;
    char err[200];

    if (reactor_group_new(&config, &g, err, sizeof err) != 0) {
        fprintf(stderr, "reactor_echo_bench: %s\n", err);
        return;
    }
    if (reactor_group_start(g, serve, NULL) != 0)
        exit(1);
    for (unsigned connections = 1; connections <= CONNECTIONS_MAX; connections *= 16)
        client_run(reactor_group_io_name(g), port, connections);
    reactor_group_stop(g, stop, NULL);
    reactor_group_free(g);
}

/* ---- the plain loop ---------------------------------------------------------------------------- */

static int plain_listener, plain_stop;

static void *plain_main(void *arg)
{
    int epoll = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = plain_listener}, events[64];
    char bytes[16384];
    int one = 1;

    (void)arg;
    epoll_ctl(epoll, EPOLL_CTL_ADD, plain_listener, &e);
    e.data.fd = plain_stop;
    epoll_ctl(epoll, EPOLL_CTL_ADD, plain_stop, &e);
    for (;;) {
        int n = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            ssize_t got;

            if (fd == plain_stop) {
                close(epoll);
                return NULL;
            }
            if (fd == plain_listener) {
                e.data.fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
                setsockopt(e.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
                continue;
            }
            got = recv(fd, bytes, sizeof bytes, 0);
            if (got <= 0 || send(fd, bytes, (size_t)got, MSG_NOSIGNAL) != got)
                close(fd);
        }
    }
}

static void plain_server(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    pthread_t thread;
    uint64_t one = 1;

    plain_listener = socket(AF_INET, SOCK_STREAM, 0);
    plain_stop = eventfd(0, 0);
    if (bind(plain_listener, (struct sockaddr *)&sa, sizeof sa) != 0 ||
        listen(plain_listener, 1024) != 0 ||
        getsockname(plain_listener, (struct sockaddr *)&sa, &n) != 0)
        exit(1);
    pthread_create(&thread, NULL, plain_main, NULL);
    for (unsigned connections = 1; connections <= CONNECTIONS_MAX; connections *= 16)
        client_run("plain epoll", ntohs(sa.sin_port), connections);
    if (write(plain_stop, &one, sizeof one) < 0)
        exit(1);
    pthread_join(thread, NULL);
    close(plain_listener);
    close(plain_stop);
}

int main(void)
{
    log_level = LOG_ERROR;
    plain_server();
    our_server(REACTOR_IO_URING);
    our_server(REACTOR_IO_EPOLL);
    return 0;
}
