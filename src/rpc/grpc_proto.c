#include "rpc/grpc_proto.h"

#include <stdlib.h>

struct bounded { /* lives during one decoding */
    ProtobufCAllocator base;
    size_t left;
};

static void *bounded_alloc(void *ctx, size_t size)
{
    struct bounded *b = ctx;

    if (size > b->left)
        return NULL;
    b->left -= size;
    return malloc(size);
}

static void bounded_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

void *grpc_proto_unpack(const ProtobufCMessageDescriptor *d, const uint8_t *bytes, size_t n,
                        size_t limit)
{
    struct bounded b = {{bounded_alloc, bounded_free, &b}, limit};

    return protobuf_c_message_unpack(d, &b.base, n, bytes);
}

void grpc_proto_free(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message,
                                         NULL); /* the standard allocator frees by free, as ours */
}

static void *arena_get(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void arena_keep(void *ctx, void *p)
{
    (void)ctx, (void)p;
}

void *grpc_proto_unpack_arena(const ProtobufCMessageDescriptor *d, const uint8_t *bytes, size_t n,
                              struct arena *a)
{
    ProtobufCAllocator allocator = {arena_get, arena_keep, a};

    return protobuf_c_message_unpack(d, &allocator, n, bytes);
}

struct h2_chunk *grpc_proto_pack(const ProtobufCMessage *m)
{
    uint8_t *body;
    struct h2_chunk *c = grpc_message_new(protobuf_c_message_get_packed_size(m), &body);

    if (c)
        protobuf_c_message_pack(m, body);
    return c;
}
