#include "rpc/grpc_metadata.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void grpc_metadata_init(struct grpc_metadata *m)
{
    buffer_init(&m->bytes, GRPC_METADATA_MAX_BYTES);
    m->n = 0;
}

void grpc_metadata_fini(struct grpc_metadata *m)
{
    buffer_fini(&m->bytes);
    m->n = 0;
}

int grpc_metadata_add(struct grpc_metadata *m, const char *name, size_t name_len, const char *value,
                      size_t value_len)
{
    if (m->n >= GRPC_METADATA_MAX_FIELDS)
        return -ENOBUFS;
    if (memchr(name, 0, name_len) || memchr(value, 0, value_len))
        return -EINVAL;
    int rc = buffer_reserve(&m->bytes, name_len + value_len + 2);
    if (rc)
        return rc;
    char *at = (char *)m->bytes.data + m->bytes.len;
    memcpy(at, name, name_len);
    at[name_len] = 0;
    memcpy(at + name_len + 1, value, value_len);
    at[name_len + 1 + value_len] = 0;
    m->bytes.len += name_len + value_len + 2;
    m->n++;
    return 0;
}

int grpc_metadata_put(struct grpc_metadata *m, const char *name, const char *value)
{
    return grpc_metadata_add(m, name, strlen(name), value, strlen(value));
}

int grpc_metadata_put_u64(struct grpc_metadata *m, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return grpc_metadata_put(m, name, text);
}

bool grpc_metadata_next(const struct grpc_metadata *m, size_t *at, const char **name,
                        const char **value)
{
    if (*at >= m->bytes.len)
        return false;
    *name = (const char *)m->bytes.data + *at;
    *value = *name + strlen(*name) + 1;
    *at += (size_t)(*value - *name) + strlen(*value) + 1;
    return true;
}

const char *grpc_metadata_get(const struct grpc_metadata *m, const char *name)
{
    const char *n, *v;
    size_t at = 0;

    while (grpc_metadata_next(m, &at, &n, &v))
        if (!strcmp(n, name))
            return v;
    return NULL;
}

bool grpc_metadata_get_u64(const struct grpc_metadata *m, const char *name, uint64_t *value)
{
    const char *text = grpc_metadata_get(m, name);
    uint64_t v = 0;

    if (!text || !*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return true;
}
