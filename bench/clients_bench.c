/*
 * Clients that send one small statement after the other, each waiting for its answer: `clients_bench --port P
 * --clients N --seconds S --table T` and either `--first ID` (inserts rows from this key on) or `--select ROWS` (reads
 * rows with random keys 1..ROWS). Speaks the MySQL protocol itself, all connections on one thread, so that little of
 * the machine goes to the client; its share of processor time is in the line it prints. Without --port it does
 * nothing: bench/inserts.py and bench/points.py start the servers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, PACKET_MAX = 65536, LATENCIES_MAX = 8 << 20 };

struct client { /* owner: main, until it ends */
    int fd;
    uint32_t got;
    uint64_t sent_ns;
    uint8_t in[1024];
};

static uint64_t next_id = 1, last_ns, rows, refused;
static uint64_t select_rows; /* 0 = inserts */
static char refusal[200];
static const char *table = "inserts";
static uint32_t *latencies;
static uint32_t n_latencies;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "clients_bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void send_packet(int fd, uint8_t sequence, const void *payload, size_t n)
{
    uint8_t packet[2048];

    if (n + 4 > sizeof(packet))
        die("statement too long");
    packet[0] = (uint8_t)n;
    packet[1] = (uint8_t)(n >> 8);
    packet[2] = (uint8_t)(n >> 16);
    packet[3] = sequence;
    memcpy(packet + 4, payload, n);
    if (send(fd, packet, n + 4, MSG_NOSIGNAL) != (ssize_t)(n + 4))
        die("send");
}

/* Blocking, for the handshake: bytes of the payload. */
static size_t read_packet(int fd, uint8_t *payload, uint8_t *sequence)
{
    uint8_t head[4];

    if (recv(fd, head, 4, MSG_WAITALL) != 4)
        die("handshake");
    size_t n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    if (n > PACKET_MAX || recv(fd, payload, n, MSG_WAITALL) != (ssize_t)n)
        die("handshake");
    *sequence = head[3];
    return n;
}

/* As root without a password, into the database quanta. */
static void log_in(int fd)
{
    /* protocol 4.1, database, secure connection, plug-in authentication */
    static const char answer[] = "\x08\x82\x08\x00" /* capabilities */
                                 "\x00\x00\x00\x01" /* longest packet */
                                 "\x2d"             /* utf8mb4 */
                                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                                 "root\0"
                                 "\0" /* no password */
                                 "quanta\0"
                                 "mysql_native_password";
    static uint8_t payload[PACKET_MAX];
    uint8_t sequence;

    read_packet(fd, payload, &sequence);
    send_packet(fd, (uint8_t)(sequence + 1), answer, sizeof(answer));
    size_t n = read_packet(fd, payload, &sequence);
    if (n && payload[0] == 0xfe) { /* another method: the empty password is the same for all */
        send_packet(fd, (uint8_t)(sequence + 1), "", 0);
        n = read_packet(fd, payload, &sequence);
    }
    if (!n || payload[0] != 0) {
        fprintf(stderr, "clients_bench: refused: %.*s\n", n > 9 ? (int)n - 9 : 0, payload + 9);
        exit(1);
    }
}

static void open_client(struct client *c, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    log_in(c->fd);
    fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
}

static int insert_text(char *text, size_t cap)
{
    uint64_t id = next_id++;

    return snprintf(text, cap,
                    "\x03INSERT INTO %s (id, a, s) VALUES (%" PRIu64 ", %" PRIu64
                    ", 'row number %" PRIu64 " of those')",
                    table, id, id * 2654435761u % 1000, id);
}

static int select_text(char *text, size_t cap)
{
    uint64_t x = next_id++ * 0x9e3779b97f4a7c15u; /* scattered over all keys */

    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return snprintf(text, cap, "\x03SELECT a, s FROM %s WHERE id = %" PRIu64, table,
                    (x ^ x >> 32) % select_rows + 1);
}

static void ask(struct client *c)
{
    char text[300];
    int n = select_rows ? select_text(text, sizeof(text)) : insert_text(text, sizeof(text));

    c->got = 0;
    c->sent_ns = now_ns();
    send_packet(c->fd, 0, text, (size_t)n);
}

/*
 * Is the whole answer there: an OK or an error, or a result set up to its second EOF packet? *counts: it is what was
 * asked for (a result with a row).
 */
static bool is_whole(const struct client *c, bool *counts)
{
    unsigned packets = 0, ends = 0;

    for (uint32_t at = 0; at + 5 <= c->got; packets++) {
        const uint8_t *p = c->in + at;
        uint32_t length = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
        if (at + 4 + length > c->got)
            return false;
        if (packets == 0 && (p[4] == 0 || p[4] == 0xff)) {
            *counts = p[4] == 0 && !select_rows;
            return true;
        }
        ends += p[4] == 0xfe && length < 9;
        *counts = packets > 4; /* count, two columns, end, row, end */
        if (ends == 2)
            return true;
        at += 4 + length;
    }
    return false;
}

static bool take(struct client *c)
{
    bool counts;
    ssize_t n = recv(c->fd, c->in + c->got, sizeof(c->in) - c->got, 0);

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        die("the server went away");
    c->got += (uint32_t)n;
    if (!is_whole(c, &counts))
        return false;
    last_ns = now_ns();
    if (counts) {
        rows++;
        if (n_latencies < LATENCIES_MAX)
            latencies[n_latencies++] = (uint32_t)((last_ns - c->sent_ns) / 100);
    } else if (!refused++) {
        snprintf(refusal, sizeof(refusal), "%.*s", c->got > 13 ? (int)c->got - 13 : 0, c->in + 13);
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double latency_us(double share)
{
    return n_latencies ? latencies[(uint32_t)(share * (n_latencies - 1))] / 10.0 : 0;
}

static void run(struct client *clients, unsigned n, double seconds)
{
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256];
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9);
    unsigned waiting = n;

    for (unsigned i = 0; i < n; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &clients[i]};
        if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, clients[i].fd, &e))
            die("epoll");
        ask(&clients[i]);
    }
    while (waiting) {
        int ready = epoll_wait(poll_fd, events, 256, 30000);
        if (ready <= 0)
            die("no answer within 30 s");
        for (int i = 0; i < ready; i++) {
            struct client *c = events[i].data.ptr;
            if (!take(c))
                continue;
            if (last_ns < end)
                ask(c);
            else
                waiting--;
        }
    }
    close(poll_fd);
}

int main(int argc, char **argv)
{
    unsigned port = 0, n = 1;
    double seconds = 5;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--port"))
            port = (unsigned)atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--clients"))
            n = (unsigned)atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--seconds"))
            seconds = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--table"))
            table = argv[i + 1];
        else if (!strcmp(argv[i], "--first"))
            next_id = strtoull(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--select"))
            select_rows = strtoull(argv[i + 1], NULL, 10);
    }
    if (!port)
        return 0;
    if (n < 1 || n > CLIENTS_MAX)
        return 2;
    struct client *clients = calloc(n, sizeof(*clients));
    latencies = malloc(LATENCIES_MAX * sizeof(*latencies));
    if (!clients || !latencies)
        die("memory");
    for (unsigned i = 0; i < n; i++)
        open_client(&clients[i], (uint16_t)port);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    uint64_t start = now_ns();
    run(clients, n, seconds);
    double took = (double)(last_ns - start) / 1e9;
    getrusage(RUSAGE_SELF, &after);
    double cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
                          before.ru_stime.tv_sec) +
                 (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                          after.ru_stime.tv_usec - before.ru_stime.tv_usec) /
                     1e6;
    qsort(latencies, n_latencies, sizeof(*latencies), by_value);
    printf("{\"clients\":%u,\"rows\":%" PRIu64
           ",\"seconds\":%.3f,\"rows_per_s\":%.0f,\"p50_us\":%.1f,"
           "\"p99_us\":%.1f,\"max_us\":%.1f,\"client_cpu\":%.2f,\"refused\":%" PRIu64
           ",\"refusal\":\"%s\",\"next\":%" PRIu64 "}\n",
           n, rows, took, (double)rows / took, latency_us(0.5), latency_us(0.99), latency_us(1),
           cpu / took, refused, refusal, next_id);
    for (unsigned i = 0; i < n; i++)
        close(clients[i].fd);
    free(clients);
    free(latencies);
    return 0;
}
