#pragma once
/* Errors of the cluster as ends of gRPC calls and back: one code and text from the node's core to the user. */
#include "rpc/grpc_call.h"
#include "storage/type.h"

#define SERVICE_CATALOG_VERSION "quanta-catalog-version"
#define SERVICE_ERROR_CODE "quanta-error-code"
#define SERVICE_ERROR_REASON "quanta-error-reason"
#define SERVICE_USER "quanta-user"
#define SERVICE_EPOCH "quanta-epoch"

/* The gRPC code that fits a MySQL error number best. */
enum grpc_code service_code_of(int mysql_code);

/* Client: fills err from a call that ended with another status than OK; who: "node a (host:port)". Returns the
 * reason as -errno: the node's, -ECONNRESET when the connection was lost, -ETIME at the deadline, else -EIO. */
int service_error_of(const struct grpc_call *c, const char *who, struct error_info *err);
