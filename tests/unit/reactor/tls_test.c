/* TLS as a filter: both ends in memory, bytes cut as a network would. */
#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactor/tls.h"

/* Our side as its stream sees it, and a client. */
struct pair {
    struct tls_context *context;
    struct tls *server;
    SSL_CTX *ctx;
    SSL *client;
    BIO *in, *out; /* of the client */
    struct buffer plain, wire;
    size_t step; /* bytes that reach the server at a time */
};

static void pair_init(struct pair *p, size_t step)
{
    char err[200] = "";

    *p = (struct pair){.step = step};
    cr_assert_eq(tls_context_self_signed("test", &p->context, err, sizeof err), 0, "%s", err);
    p->server = tls_accept(p->context);
    p->ctx = SSL_CTX_new(TLS_client_method());
    p->client = SSL_new(p->ctx);
    p->in = BIO_new(BIO_s_mem());
    p->out = BIO_new(BIO_s_mem());
    SSL_set_bio(p->client, p->in, p->out);
    SSL_set_connect_state(p->client);
    buffer_init(&p->plain, 64 << 10);
    buffer_init(&p->wire, 8 << 20);
}

static void pair_fini(struct pair *p)
{
    tls_filter.free(p->server);
    tls_context_put(p->context);
    SSL_free(p->client);
    SSL_CTX_free(p->ctx);
    buffer_fini(&p->plain);
    buffer_fini(&p->wire);
}

static void to_client(struct pair *p)
{
    if (p->wire.len)
        cr_assert_eq(BIO_write(p->in, p->wire.data, (int)p->wire.len), (int)p->wire.len);
    p->wire.len = 0;
}

/* What the client has to say goes to the server, and its answers back. */
static int to_server(struct pair *p)
{
    uint8_t bytes[4096];
    int n, rc = 0;

    while (rc == 0 && (n = BIO_read(p->out, bytes,
                                    (int)(p->step < sizeof bytes ? p->step : sizeof bytes))) > 0)
        rc = tls_filter.decrypt(p->server, bytes, (size_t)n, &p->plain, &p->wire);
    to_client(p);
    return rc;
}

static void shake_hands(struct pair *p)
{
    for (int i = 0; i < 10 && !SSL_is_init_finished(p->client); i++) {
        SSL_do_handshake(p->client);
        cr_assert_eq(to_server(p), 0);
    }
    cr_assert(SSL_is_init_finished(p->client));
    to_server(p);
}

static void speak(size_t step)
{
    static uint8_t sent[300000], got[300000];
    size_t total = 0;
    struct pair p;
    int n;

    pair_init(&p, step);
    cr_assert_str_eq(tls_cipher(p.server), "");
    shake_hands(&p);
    cr_assert_str_eq(tls_version(p.server), "TLSv1.3");
    cr_assert(strlen(tls_cipher(p.server)) > 5);
    cr_assert_eq(SSL_write(p.client, "SELECT 1", 8), 8);
    cr_assert_eq(to_server(&p), 0);
    cr_assert(p.plain.len == 8 && memcmp(p.plain.data, "SELECT 1", 8) == 0);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (uint8_t)(i * 7 + i / 255);
    cr_assert_eq(tls_filter.encrypt(p.server, sent, sizeof sent, &p.wire), 0);
    to_client(&p);
    while ((n = SSL_read(p.client, got + total, (int)(sizeof got - total))) > 0)
        total += (size_t)n;
    cr_assert(total == sizeof sent && memcmp(sent, got, sizeof sent) == 0);
    pair_fini(&p);
}

Test(tls, speaks)
{
    speak(4096);
}

Test(tls, speaks_byte_by_byte)
{
    speak(1);
}

Test(tls, nonsense_is_an_error)
{
    struct pair p;

    pair_init(&p, 100);
    cr_assert_lt(tls_filter.decrypt(p.server, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18,
                                    &p.plain, &p.wire),
                 0);
    pair_fini(&p);
    pair_init(&p, 100);
    cr_assert_lt(tls_filter.encrypt(p.server, (const uint8_t *)"x", 1, &p.wire), 0,
                 "nothing is sent before the handshake");
    pair_fini(&p);
}

Test(tls, changed_records_are_an_error)
{
    uint8_t bytes[200];
    struct pair p;
    int n;

    pair_init(&p, 4096);
    shake_hands(&p);
    SSL_write(p.client, "SELECT 1", 8);
    n = BIO_read(p.out, bytes, sizeof bytes);
    bytes[n - 1] ^= 1;
    cr_assert_lt(tls_filter.decrypt(p.server, bytes, (size_t)n, &p.plain, &p.wire), 0);
    cr_assert_eq(p.plain.len, 0);
    pair_fini(&p);
}

Test(tls, goodbye)
{
    struct pair p;

    pair_init(&p, 4096);
    shake_hands(&p);
    SSL_shutdown(p.client);
    cr_assert_eq(to_server(&p), 0);
    cr_assert_eq(p.plain.len, 0);
    pair_fini(&p);
}

/* The server's own end is told to the client, after what was sent before. */
Test(tls, says_goodbye)
{
    char got[8];
    struct pair p;

    pair_init(&p, 4096);
    cr_assert_eq(tls_filter.end(p.server, &p.wire),
                 0); /* nothing is told before hands are shaken */
    cr_assert_eq(p.wire.len, 0);
    shake_hands(&p);
    cr_assert_eq(tls_filter.encrypt(p.server, (const uint8_t *)"bye", 3, &p.wire), 0);
    cr_assert_eq(tls_filter.end(p.server, &p.wire), 0);
    to_client(&p);
    cr_assert_eq(SSL_read(p.client, got, sizeof got), 3);
    cr_assert_eq(SSL_get_error(p.client, SSL_read(p.client, got, sizeof got)),
                 SSL_ERROR_ZERO_RETURN);
    pair_fini(&p);
}

Test(tls, files_that_are_none)
{
    char name[] = "/tmp/tls-test-XXXXXX", err[300] = "";
    struct tls_context *c;
    int fd = mkstemp(name);

    cr_assert(fd >= 0 && write(fd, "x\n", 2) == 2);
    close(fd);
    cr_assert_lt(tls_context_load("/nowhere", name, &c, err, sizeof err), 0);
    cr_assert(strstr(err, "/nowhere holds no certificate"), "%s", err);
    cr_assert_lt(tls_context_load(name, name, &c, err, sizeof err), 0);
    cr_assert_null(c);
    unlink(name);
}
