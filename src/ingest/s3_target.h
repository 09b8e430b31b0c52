#pragma once
/* s3://bucket/key and what is asked for it: origin and path of requests. No I/O, any thread. */
#include <stdbool.h>

#include "ingest/s3_client.h"

struct s3_target {
    char origin[S3_HOST_MAX]; /* https://bucket.s3.region.amazonaws.com, or the endpoint */
    char path[S3_PATH_MAX];   /* /key or, with an endpoint, /bucket/key; encoded */
};

/* endpoint: http[s]://host[:port], or NULL for Amazon's. -EINVAL with error 1210. */
int s3_target_set(struct s3_target *t, const char *uri, const char *endpoint, const char *region,
                  struct error_info *err);

/* Whether the URI begins with an entry of the list "s3://bucket/prefix,…"; an entry ends at a slash of the URI. */
bool s3_target_is_allowed(const char *uri, const char *list);

/* Without a path behind host and port. */
bool s3_endpoint_is_sound(const char *endpoint);
