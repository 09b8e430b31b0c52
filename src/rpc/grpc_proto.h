#pragma once
/*
 * Protobuf messages in and out of gRPC messages, with bounded memory: a short message can ask a decoder for a lot
 * of it. Stateless; any core.
 */
#include <protobuf-c/protobuf-c.h>

#include "reactor/arena.h"
#include "rpc/grpc_call.h"

/* Decodes; NULL when malformed or over `limit` bytes of memory. Freed by grpc_proto_free. */
void *grpc_proto_unpack(const ProtobufCMessageDescriptor *d, const uint8_t *bytes, size_t n,
                        size_t limit);
void grpc_proto_free(void *message);

/* Decodes into the arena, whose limit bounds it; nothing to free. NULL when malformed or over the limit. */
void *grpc_proto_unpack_arena(const ProtobufCMessageDescriptor *d, const uint8_t *bytes, size_t n,
                              struct arena *a);

/* The message as a gRPC message; NULL on -ENOMEM or above GRPC_MAX_MESSAGE. */
struct h2_chunk *grpc_proto_pack(const ProtobufCMessage *m);
