#pragma once
/* Between connection and calls. */
#include "rpc/grpc_call.h"
#include "rpc/grpc_conn.h"

/* Events of the codec that concern calls. */
extern const struct h2_events grpc_call_events;

/* Server: a request begins. NULL on -ENOMEM. */
struct grpc_call *grpc_call_new_served(struct grpc_conn *conn);

/* The connection is gone; err 0 or -errno of the stream. */
void grpc_call_lost(struct grpc_call *c, int err);
