#pragma once
/*
 * TLS for accepted streams: a filter (stream.h) over OpenSSL with memory BIOs, so that nothing blocks and no socket is
 * touched. TLS 1.2 and 1.3.
 */
#include <stdbool.h>
#include <stddef.h>

#include "reactor/stream.h"

/* Certificate and key. Shared by all cores, counts its references, constant. */
struct tls_context;
struct tls;

/* Reads PEM files: the certificate with its chain, and its key. Main thread. 0 or -EINVAL with a text. */
int tls_context_load(const char *cert_file, const char *key_file, struct tls_context **out,
                     char *err, size_t err_len);
/* A key pair and a certificate signed by itself, for this process. Main thread; about a millisecond. */
int tls_context_self_signed(const char *name, struct tls_context **out, char *err, size_t err_len);
struct tls_context *tls_context_get(struct tls_context *c);
void tls_context_put(struct tls_context *c); /* NULL is allowed */

/* The server's side of one connection, on the core of its stream. NULL: no memory. */
struct tls *tls_accept(struct tls_context *c);
/* For stream_set_filter, with the tls as state; frees it with the stream. */
extern const struct stream_filter tls_filter;
/* Frees one that was given to no stream. */
void tls_free(struct tls *t);
/* What was agreed on, "" before: names live as long as the program. */
const char *tls_cipher(const struct tls *t);
const char *tls_version(const struct tls *t);
