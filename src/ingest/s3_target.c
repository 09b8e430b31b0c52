#include "ingest/s3_target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BUCKET_MAX = 63, KEY_MAX = 1024 };

static const char scheme[] = "s3://";

bool s3_endpoint_is_sound(const char *endpoint)
{
    size_t n = strncmp(endpoint, "http://", 7) == 0    ? 7
               : strncmp(endpoint, "https://", 8) == 0 ? 8
                                                       : 0;

    return n && endpoint[n] && strlen(endpoint) < S3_HOST_MAX &&
           !endpoint[n + strspn(endpoint + n, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789.-:[]")];
}

static bool is_bucket(const char *name, size_t n)
{
    return n >= 3 && n <= BUCKET_MAX && name[0] != '.' && name[0] != '-' && name[n - 1] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") >= n;
}

/* Some stores are folders of files, where these would lead elsewhere. */
static bool has_dots(const char *key)
{
    for (size_t n; *key; key += n + (key[n] == '/')) {
        n = strcspn(key, "/");
        if ((n == 1 && key[0] == '.') || (n == 2 && key[0] == '.' && key[1] == '.'))
            return true;
    }
    return false;
}

int s3_target_set(struct s3_target *t, const char *uri, const char *endpoint, const char *region,
                  struct error_info *err)
{
    const char *bucket = uri + sizeof scheme - 1;
    const char *key = strncmp(uri, scheme, sizeof scheme - 1) == 0 ? strchr(bucket, '/') : NULL;
    size_t n = key ? (size_t)(key - bucket) : 0, key_len = key ? strlen(++key) : 0;
    char plain[KEY_MAX + BUCKET_MAX + 3];
    int rc;

    if (!is_bucket(bucket, n) || !key_len || key_len > KEY_MAX || key[key_len - 1] == '/' ||
        has_dots(key))
        return error_set(err, -EINVAL, 1210,
                         "INTO '%.200s': allowed: s3://bucket/key, without '.' and '..' in the key",
                         uri);
    if (endpoint) { /* any host: the bucket is in the path */
        snprintf(t->origin, sizeof t->origin, "%s", endpoint);
        snprintf(plain, sizeof plain, "/%.*s/%s", (int)n, bucket, key);
    } else if (memchr(bucket, '.', n)) { /* no certificate is for hosts of so many parts */
        snprintf(t->origin, sizeof t->origin, "https://s3.%s.amazonaws.com", region);
        snprintf(plain, sizeof plain, "/%.*s/%s", (int)n, bucket, key);
    } else {
        snprintf(t->origin, sizeof t->origin, "https://%.*s.s3.%s.amazonaws.com", (int)n, bucket,
                 region);
        snprintf(plain, sizeof plain, "/%s", key);
    }
    rc = s3_encode(plain, true, t->path, sizeof t->path);
    return rc == 0 ? 0 : error_set(err, -EINVAL, 1210, "INTO '%.200s': the key is too long", uri);
}

static bool begins_with(const char *uri, const char *entry, size_t n)
{
    if (n < sizeof scheme - 1 || strncmp(uri, entry, n) != 0)
        return false;
    return entry[n - 1] == '/' || uri[n] == '/' || uri[n] == 0;
}

bool s3_target_is_allowed(const char *uri, const char *list)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        if (begins_with(uri, list, n))
            return true;
        list += n;
        list += *list == ',';
    }
    return false;
}
