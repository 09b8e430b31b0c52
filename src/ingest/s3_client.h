#pragma once
/*
 * Requests to an object store, signed, over libcurl, one after the other. Everything may wait: only for threads of their
 * own. Owner: one thread at a time.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/s3_sign.h"
#include "storage/type.h"

enum { S3_ANSWER_MAX = 64 << 10, S3_ETAG_MAX = 128, S3_HOST_MAX = 256, S3_PATH_MAX = 4096 };

/* Who asks. */
struct s3_identity {
    char access_key[160], secret_key[160], token[4096]; /* token: "" for none */
};

/* One request. Owner: the caller. */
struct s3_request {
    const char *method, *service;
    const char *origin;       /* "https://host[:port]" */
    const char *path, *query; /* encoded as in s3_to_sign */
    struct s3_header
        more[4]; /* further headers, sorted; names of x-amz-… behind "x-amz-date" sort last */
    unsigned n_more;
    const char *content_type; /* NULL: none */
    const void *body;
    size_t body_len;
};

struct s3_answer {
    long status;
    char etag[S3_ETAG_MAX]; /* "": none */
    char body[S3_ANSWER_MAX];
    size_t len;
};

struct s3_client;

/* cancelled ends a request soon; may be NULL. NULL: no memory. */
struct s3_client *s3_client_new(const char *region, const atomic_bool *cancelled);
void s3_client_free(struct s3_client *c);
/* From now on nothing is cancelled, and a request has so many seconds, in one try. */
void s3_client_limit(struct s3_client *c, long seconds);

/*
 * Asks, and asks again a few times when nobody answers or the store says that it is not its day. 0 with any other answer
 * of status 200 to 299; -EIO with error 1105 and what the store said, or why there was no answer.
 */
int s3_client_ask(struct s3_client *c, const struct s3_identity *who, const struct s3_request *q,
                  struct s3_answer *answer, struct error_info *err);

/* Once per process, before any thread: 0 or -EIO. */
int s3_client_global_init(void);
