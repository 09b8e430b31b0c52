#pragma once
/* Fields of a request or answer: names in lower case with values, in order. Owner: the call; one core. */
#include <stdbool.h>

#include "reactor/buffer.h"

enum { GRPC_METADATA_MAX_FIELDS = 64, GRPC_METADATA_MAX_BYTES = 16 * 1024 };

struct grpc_metadata {
    struct buffer bytes; /* name NUL value NUL ... */
    unsigned n;
};

void grpc_metadata_init(struct grpc_metadata *m);
void grpc_metadata_fini(struct grpc_metadata *m);

/* 0, -ENOBUFS over the bounds, -EINVAL with a NUL inside, -ENOMEM. */
int grpc_metadata_add(struct grpc_metadata *m, const char *name, size_t name_len, const char *value,
                      size_t value_len);
int grpc_metadata_put(struct grpc_metadata *m, const char *name, const char *value);
int grpc_metadata_put_u64(struct grpc_metadata *m, const char *name, uint64_t value);

/* Value of the first field of this name or NULL; valid until the next change. */
const char *grpc_metadata_get(const struct grpc_metadata *m, const char *name);
/* False when it is absent or not a decimal number. */
bool grpc_metadata_get_u64(const struct grpc_metadata *m, const char *name, uint64_t *value);

/* All fields: *at starts as 0; false at the end. */
bool grpc_metadata_next(const struct grpc_metadata *m, size_t *at, const char **name,
                        const char **value);
