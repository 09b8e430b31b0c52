#include "rpc/client_unary.h"

#include <errno.h>

#include "rpc/service_error.h"

enum { REPLY_MEMORY_MIN = 1 << 20, REPLY_MEMORY_FACTOR = 32 };

static void on_message(struct grpc_call *c, const uint8_t *bytes, size_t n)
{
    struct client_unary *u = c->ctx;

    if (u->reply) {
        grpc_call_cancel(c, GRPC_INTERNAL, "more than one answer");
        return;
    }
    u->reply =
        grpc_proto_unpack(u->reply_type, bytes, n, REPLY_MEMORY_MIN + n * REPLY_MEMORY_FACTOR);
    if (!u->reply) {
        grpc_call_cancel(c, GRPC_INTERNAL, "the answer is malformed");
        return;
    }
    grpc_call_read(c);
}

static void on_closed(struct grpc_call *c)
{
    struct client_unary *u = c->ctx;
    void *reply;

    u->call = NULL;
    if (c->status != GRPC_OK)
        u->rc = service_error_of(c, u->who, &u->error);
    else if (!u->reply)
        u->rc = error_set(&u->error, -EIO, 1105, "%s: no answer in a call that ended well", u->who);
    reply = u->reply;
    if (u->rc)
        u->reply = NULL;
    u->done(u); /* u may be gone */
    grpc_proto_free(reply);
}

int client_unary_start(struct client_unary *u, struct grpc_channel *ch, const char *path,
                       const struct grpc_metadata *fields, uint64_t deadline_ns,
                       const ProtobufCMessage *request)
{
    static const struct grpc_call_handler handler = {.on_message = on_message,
                                                     .on_closed = on_closed};
    struct h2_chunk *m = grpc_proto_pack(request);

    u->reply = NULL;
    u->rc = 0;
    u->error.text[0] = 0;
    if (!m)
        return -ENOMEM;
    int rc = grpc_channel_call(ch, path, fields, deadline_ns, &handler, u, &u->call);
    if (rc) {
        h2_chunk_free(m);
        return rc;
    }
    grpc_call_send(u->call, m);
    grpc_call_end_sending(u->call);
    grpc_call_read(u->call);
    return 0;
}

void client_unary_cancel(struct client_unary *u)
{
    if (u->call)
        grpc_call_cancel(u->call, GRPC_CANCELLED, "given up");
}
