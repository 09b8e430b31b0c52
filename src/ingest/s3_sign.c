#include "ingest/s3_sign.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SHA_BYTES = 32, CANONICAL_MAX = 16384 };

static void put_hex(const uint8_t *bytes, char hex[static S3_HEX])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < SHA_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * SHA_BYTES] = 0;
}

int s3_sha256(const void *bytes, size_t len, char hex[static S3_HEX])
{
    uint8_t sum[SHA_BYTES];

    if (!EVP_Digest(bytes, len, sum, NULL, EVP_sha256(), NULL))
        return -EIO;
    put_hex(sum, hex);
    return 0;
}

void s3_date(int64_t seconds, char out[static S3_DATE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, S3_DATE, "%Y%m%dT%H%M%SZ", &tm);
}

static int is_plain(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int s3_encode(const char *text, int keeps_slashes, char *out, size_t cap)
{
    size_t at = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (at + 4 > cap)
            return -ENOBUFS;
        if (is_plain(c) || (c == '/' && keeps_slashes))
            out[at++] = (char)c;
        else
            at += (size_t)snprintf(out + at, 4, "%%%02X", c);
    }
    if (at >= cap)
        return -ENOBUFS;
    out[at] = 0;
    return 0;
}

/* ---- the signature ---- */

/* Text that grows in a bounded place; n is `cap` or more when it did not fit. */
struct text {
    char *at;
    size_t n, cap;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = t->n < t->cap ? vsnprintf(t->at + t->n, t->cap - t->n, fmt, ap) : 0;
    va_end(ap);
    t->n += n > 0 ? (size_t)n : 0;
}

static void put_names(struct text *t, const struct s3_to_sign *q)
{
    for (unsigned i = 0; i < q->n_headers; i++)
        put(t, "%s%s", i ? ";" : "", q->headers[i].name);
}

static int hash_request(const struct s3_to_sign *q, char hex[static S3_HEX])
{
    char room[CANONICAL_MAX];
    struct text t = {room, 0, sizeof room};

    put(&t, "%s\n%s\n%s\n", q->method, q->path, q->query);
    for (unsigned i = 0; i < q->n_headers; i++)
        put(&t, "%s:%s\n", q->headers[i].name, q->headers[i].value);
    put(&t, "\n");
    put_names(&t, q);
    put(&t, "\n%s", q->payload_sha);
    return t.n < t.cap ? s3_sha256(room, t.n, hex) : -ENOBUFS;
}

static int mac(uint8_t *key, size_t key_len, const char *text)
{
    uint8_t out[SHA_BYTES];

    if (!HMAC(EVP_sha256(), key, (int)key_len, (const uint8_t *)text, strlen(text), out, NULL))
        return -EIO;
    memcpy(key, out, SHA_BYTES);
    return 0;
}

/* The secret, bound to day, region and service, over the text. */
static int sign_text(const struct s3_to_sign *q, const char *secret, const char *text,
                     char hex[static S3_HEX])
{
    uint8_t key[512];
    char day[9];
    int n = snprintf((char *)key, sizeof key, "AWS4%s", secret), rc = -ENOBUFS;

    if (n < (int)sizeof key) {
        memcpy(day, q->date, 8);
        day[8] = 0;
        rc = mac(key, (size_t)n, day);
        if (rc == 0)
            rc = mac(key, SHA_BYTES, q->region);
        if (rc == 0)
            rc = mac(key, SHA_BYTES, q->service);
        if (rc == 0)
            rc = mac(key, SHA_BYTES, "aws4_request");
        if (rc == 0)
            rc = mac(key, SHA_BYTES, text);
        put_hex(key, hex);
    }
    explicit_bzero(key, sizeof key);
    return rc;
}

int s3_sign(const struct s3_to_sign *q, const char *access_key, const char *secret_key, char *out,
            size_t cap)
{
    char request[S3_HEX], signature[S3_HEX], scope[128], text[512];
    struct text t = {out, 0, cap};
    int rc = hash_request(q, request);

    if (rc != 0)
        return rc;
    if (snprintf(scope, sizeof scope, "%.8s/%s/%s/aws4_request", q->date, q->region, q->service) >=
        (int)sizeof scope)
        return -ENOBUFS;
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", q->date, scope, request);
    rc = sign_text(q, secret_key, text, signature);
    if (rc != 0)
        return rc;
    put(&t, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=", access_key, scope);
    put_names(&t, q);
    put(&t, ",Signature=%s", signature);
    return t.n < t.cap ? 0 : -ENOBUFS;
}
