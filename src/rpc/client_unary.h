#pragma once
/* A call of one request and one answer. Owner: the caller, whose struct embeds it, until done; one core. */
#include "rpc/grpc_channel.h"
#include "rpc/grpc_proto.h"
#include "storage/type.h"

struct client_unary {
    /* set by the caller */
    const ProtobufCMessageDescriptor *reply_type;
    void (*done)(struct client_unary *u); /* exactly once, from the loop */
    const char *who;                      /* server's name for messages; lives until done */
    void *ctx;
    /* in done */
    void *reply; /* decoded; NULL with an error; freed after done returned */
    int rc;
    struct error_info error;
    /* inside */
    struct grpc_call *call;
};

/* 0, -ENOTCONN, -ENOMEM: then done does not run. deadline_ns: monotonic. */
int client_unary_start(struct client_unary *u, struct grpc_channel *ch, const char *path,
                       const struct grpc_metadata *fields, uint64_t deadline_ns,
                       const ProtobufCMessage *request);

/* done follows, with an error. No-op when none is running. */
void client_unary_cancel(struct client_unary *u);
