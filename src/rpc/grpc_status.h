#pragma once
/* gRPC's status codes and the texts of its HTTP/2 fields. Stateless; any core. Source: gRPC over HTTP2 protocol. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum grpc_code {
    GRPC_OK,
    GRPC_CANCELLED,
    GRPC_UNKNOWN,
    GRPC_INVALID_ARGUMENT,
    GRPC_DEADLINE_EXCEEDED,
    GRPC_NOT_FOUND,
    GRPC_ALREADY_EXISTS,
    GRPC_PERMISSION_DENIED,
    GRPC_RESOURCE_EXHAUSTED,
    GRPC_FAILED_PRECONDITION,
    GRPC_ABORTED,
    GRPC_OUT_OF_RANGE,
    GRPC_UNIMPLEMENTED,
    GRPC_INTERNAL,
    GRPC_UNAVAILABLE,
    GRPC_DATA_LOSS,
    GRPC_UNAUTHENTICATED,
};

const char *grpc_code_name(enum grpc_code code); /* "UNAVAILABLE" */

/* Value of grpc-status: codes that nobody defined read as UNKNOWN. */
enum grpc_code grpc_code_parse(const char *text);

/* What a client makes of an HTTP status other than 200. */
enum grpc_code grpc_code_of_http(unsigned http_status);

/* What a client makes of a stream that was reset with this HTTP/2 error code. */
enum grpc_code grpc_code_of_h2(uint32_t h2_error);

/* grpc-message: percent-encodes what is not printable ASCII. Cuts to fit; always terminated. */
void grpc_message_encode(const char *text, char *out, size_t cap);
/* Back again; malformed sequences stay as they are. */
void grpc_message_decode(const char *text, char *out, size_t cap);

/* grpc-timeout: up to 8 digits and a unit. False when malformed. */
bool grpc_timeout_parse(const char *text, uint64_t *ns);
void grpc_timeout_print(uint64_t ns, char *out, size_t cap);
