#include "rpc/service_error.h"

#include <errno.h>

enum grpc_code service_code_of(int mysql_code)
{
    switch (mysql_code) {
    case 1412: /* ER_TABLE_DEF_CHANGED */
        return GRPC_FAILED_PRECONDITION;
    case 1146: /* ER_NO_SUCH_TABLE */
    case 1051: /* ER_BAD_TABLE_ERROR */
    case 1824: /* ER_FK_CANNOT_OPEN_PARENT */
        return GRPC_NOT_FOUND;
    case 1050: /* ER_TABLE_EXISTS_ERROR */
        return GRPC_ALREADY_EXISTS;
    case 1317: /* ER_QUERY_INTERRUPTED */
        return GRPC_ABORTED;
    case 3024: /* ER_QUERY_TIMEOUT */
        return GRPC_DEADLINE_EXCEEDED;
    case 1021: /* ER_DISK_FULL */
    case 1037: /* ER_OUTOFMEMORY */
    case 1038: /* ER_OUT_OF_SORTMEMORY */
        return GRPC_RESOURCE_EXHAUSTED;
    default:
        return GRPC_UNKNOWN;
    }
}

int service_error_of(const struct grpc_call *c, const char *who, struct error_info *err)
{
    uint64_t code = 0, reason = 0;
    const struct grpc_metadata *m =
        grpc_metadata_get(&c->trailers, SERVICE_ERROR_CODE) ? &c->trailers : &c->fields;

    if (grpc_metadata_get_u64(m, SERVICE_ERROR_CODE, &code) && code <= UINT16_MAX) {
        grpc_metadata_get_u64(m, SERVICE_ERROR_REASON, &reason);
        return error_set(err, reason && reason < 4096 ? -(int)reason : -EIO, (int)code, "%s",
                         c->text);
    }
    switch (c->status) {
    case GRPC_UNAVAILABLE:
        return error_set(err, -ECONNRESET, 1105, "%s: %s", who, c->text);
    case GRPC_DEADLINE_EXCEEDED:
        return error_set(
            err, -ETIME, 3024,
            "Query execution was interrupted, maximum statement execution time exceeded");
    default:
        return error_set(err, -EIO, 1105, "%s: %s: %s", who, grpc_code_name(c->status), c->text);
    }
}
