#pragma once
/*
 * Signatures of AWS, version 4, over the headers of a request. No I/O, any thread.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
#include <stddef.h>
#include <stdint.h>

enum { S3_HEX = 65, S3_DATE = 17, S3_SIGN_HEADERS = 12 };

struct s3_header {
    const char *name, *value; /* name in lower case */
};

struct s3_to_sign {
    const char *method;
    const char *path;                /* encoded, from the first slash */
    const char *query;               /* encoded, sorted by name, name=value; "" for none */
    const struct s3_header *headers; /* all that are signed, sorted by name */
    unsigned n_headers;
    const char *payload_sha; /* hex */
    const char *region, *service;
    const char *date; /* YYYYMMDDTHHMMSSZ, as in x-amz-date */
};

/* The value of the header Authorization into out: 0, -ENOBUFS, or -EIO when the hash fails. */
int s3_sign(const struct s3_to_sign *q, const char *access_key, const char *secret_key, char *out,
            size_t cap);
/* SHA-256 in hex: 0 or -EIO. */
int s3_sha256(const void *bytes, size_t len, char hex[static S3_HEX]);
/* A time in seconds since 1970. */
void s3_date(int64_t seconds, char out[static S3_DATE]);
/* Percent-encodes all but letters, digits and -._~ and, if they are kept, slashes: 0 or -ENOBUFS. */
int s3_encode(const char *text, int keeps_slashes, char *out, size_t cap);
