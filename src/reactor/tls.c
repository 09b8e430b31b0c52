/* TLS as a filter of streams: see tls.h. */
#include "reactor/tls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum {
    READ_STEP = 16 * 1024,   /* bytes: a record */
    WRITE_STEP = 128 * 1024, /* bytes encrypted before they are moved to the socket's buffer */
    VALID_YEARS = 10,
};

struct tls_context {
    atomic_uint references;
    SSL_CTX *ctx;
};

/* Owner: the stream's core; lives as long as the stream. */
struct tls {
    SSL *ssl;
    BIO *in, *out; /* of the ssl: bytes of the socket */
    bool ended;    /* the peer said so */
};

/* The first of OpenSSL's reasons; forgets the others. */
static const char *reason(char *text, size_t len)
{
    unsigned long code = ERR_get_error();

    ERR_error_string_n(code, text, len);
    ERR_clear_error();
    return code ? text : "no memory";
}

/* ---- contexts ---- */

static int context_new(struct tls_context **out)
{
    struct tls_context *c = calloc(1, sizeof *c);

    *out = c;
    if (!c)
        return -ENOMEM;
    c->references = 1;
    c->ctx = SSL_CTX_new(TLS_server_method());
    if (!c->ctx || SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1) {
        tls_context_put(c);
        *out = NULL;
        return -ENOMEM;
    }
    SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(c->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    /* Sessions are not resumed: MySQL's clients keep their connections. */
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(c->ctx, 0);
    return 0;
}

int tls_context_load(const char *cert_file, const char *key_file, struct tls_context **out,
                     char *err, size_t err_len)
{
    char text[200];
    int rc = context_new(out);

    if (rc != 0) {
        snprintf(err, err_len, "out of memory");
        return rc;
    }
    if (SSL_CTX_use_certificate_chain_file((*out)->ctx, cert_file) != 1)
        snprintf(err, err_len, "%s holds no certificate in PEM form: %s", cert_file,
                 reason(text, sizeof text));
    else if (SSL_CTX_use_PrivateKey_file((*out)->ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key((*out)->ctx) != 1)
        snprintf(err, err_len, "%s holds no key in PEM form that fits %s: %s", key_file, cert_file,
                 reason(text, sizeof text));
    else
        return 0;
    tls_context_put(*out);
    *out = NULL;
    return -EINVAL;
}

static bool set_name(X509 *cert, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(cert);

    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(cert, subject) == 1;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[8];
    uint64_t serial;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    memcpy(&serial, bytes, sizeof serial);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) == 1;
}

static bool sign_self(X509 *cert, EVP_PKEY *key, const char *name)
{
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -86400) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), 365 * VALID_YEARS, 0, NULL) &&
           X509_set_pubkey(cert, key) == 1 && set_name(cert, name) &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

int tls_context_self_signed(const char *name, struct tls_context **out, char *err, size_t err_len)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    char text[200];
    int rc = context_new(out);

    if (rc == 0 && (!key || !cert || !sign_self(cert, key, name) ||
                    SSL_CTX_use_certificate((*out)->ctx, cert) != 1 ||
                    SSL_CTX_use_PrivateKey((*out)->ctx, key) != 1)) {
        tls_context_put(*out);
        *out = NULL;
        rc = -EIO;
    }
    if (rc != 0)
        snprintf(err, err_len, "cannot make a certificate: %s", reason(text, sizeof text));
    X509_free(cert);
    EVP_PKEY_free(key);
    return rc;
}

struct tls_context *tls_context_get(struct tls_context *c)
{
    atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
    return c;
}

void tls_context_put(struct tls_context *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}

/* ---- connections ---- */

struct tls *tls_accept(struct tls_context *c)
{
    struct tls *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->ssl = SSL_new(c->ctx);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        SSL_free(t->ssl);
        free(t);
        return NULL;
    }
    SSL_set_bio(t->ssl, t->in, t->out); /* owns them */
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_free(struct tls *t)
{
    SSL_free(t->ssl);
    free(t);
}

static void filter_free(void *state)
{
    tls_free(state);
}

/* Moves what OpenSSL wrote to the buffer of the socket. */
static int take_output(struct tls *t, struct buffer *wire)
{
    size_t n = BIO_ctrl_pending(t->out);
    int rc = n ? buffer_reserve(wire, n) : 0;

    if (rc != 0 || n == 0)
        return rc;
    int got = BIO_read(t->out, wire->data + wire->len, (int)n);
    wire->len += got > 0 ? (size_t)got : 0;
    return 0;
}

/* Reads what can be read: 0 when more bytes are needed. */
static int read_plain(struct tls *t, struct buffer *plain)
{
    for (;;) {
        int rc = buffer_reserve(plain, READ_STEP), n;

        if (rc != 0)
            return rc;
        ERR_clear_error();
        n = SSL_read(t->ssl, plain->data + plain->len, READ_STEP);
        if (n > 0) {
            plain->len += (size_t)n;
            continue;
        }
        switch (SSL_get_error(t->ssl, n)) {
        case SSL_ERROR_WANT_READ:
            return 0;
        case SSL_ERROR_ZERO_RETURN: /* the end of the socket follows */
            t->ended = true;
            return 0;
        default:
            ERR_clear_error();
            return -EPROTO;
        }
    }
}

static int filter_decrypt(void *state, const uint8_t *bytes, size_t n, struct buffer *plain,
                          struct buffer *wire)
{
    struct tls *t = state;
    int rc, end;

    if (t->ended)
        return 0;
    if (BIO_write(t->in, bytes, (int)n) != (int)n)
        return -ENOMEM;
    rc = read_plain(t, plain);
    end = take_output(t, wire);
    return rc ? rc : end;
}

static int filter_encrypt(void *state, const uint8_t *bytes, size_t n, struct buffer *wire)
{
    struct tls *t = state;
    int rc = 0;

    while (n > 0 && rc == 0) {
        int written;

        ERR_clear_error();
        written = SSL_write(t->ssl, bytes, n < WRITE_STEP ? (int)n : WRITE_STEP);
        if (written <= 0) {
            ERR_clear_error();
            return -EPROTO; /* also: bytes before the handshake has ended */
        }
        bytes += written;
        n -= (size_t)written;
        rc = take_output(t, wire);
    }
    return rc;
}

/* close_notify (RFC 8446, 6.1), without which clients call the end an error of TLS. */
static int filter_end(void *state, struct buffer *wire)
{
    struct tls *t = state;

    if (!SSL_is_init_finished(t->ssl))
        return 0;
    (void)SSL_shutdown(t->ssl); /* the peer's is not waited for */
    ERR_clear_error();
    return take_output(t, wire);
}

const struct stream_filter tls_filter = {.decrypt = filter_decrypt,
                                         .encrypt = filter_encrypt,
                                         .end = filter_end,
                                         .free = filter_free};

const char *tls_cipher(const struct tls *t)
{
    return SSL_is_init_finished(t->ssl) ? SSL_get_cipher_name(t->ssl) : "";
}

const char *tls_version(const struct tls *t)
{
    return SSL_is_init_finished(t->ssl) ? SSL_get_version(t->ssl) : "";
}
