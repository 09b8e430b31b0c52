#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "export_parquet.h"
#include "ingest/export_file.h"
#include "ingest/export_stream.h"
#include "ingest/s3_target.h"
#include "ingest/s3_upload.h"
#include "reactor/reactor.h"

/* Owner: the statement, on its core. */
struct export_job {
    struct export_stream *stream;
    struct export_parquet *parquet; /* NULL: text */
};

static struct exports *exports_of(const struct export_port *port)
{
    return (struct exports *)((char *)port - offsetof(struct exports, port));
}

static void *make_object(const struct exports *x, const struct export_want *want,
                         struct error_info *err)
{
    struct s3_place place = {.uri = want->target,
                             .endpoint = x->s3_endpoint,
                             .region = want->region,
                             .role = want->role,
                             .acl = want->acl,
                             .kms_key = want->kms_key,
                             .content_type =
                                 want->is_parquet ? "application/vnd.apache.parquet" : "text/csv"};

    if (strncmp(want->target, "s3://", 5) != 0) {
        error_set(err, -EINVAL, 1210, "INTO '%.200s': allowed: s3://bucket/key", want->target);
        return NULL;
    }
    if (!x->objects || !s3_target_is_allowed(want->target, x->objects)) {
        error_set(err, -EPERM, 1290,
                  "The server is running with --export-s3 %.150s, so it cannot execute this "
                  "statement: INTO '%.150s'",
                  x->objects ? x->objects : "not set", want->target);
        return NULL;
    }
    return export_parquet_check(want, err) == 0 ? s3_upload_new(&place, err) : NULL;
}

/* The state of the backend that the statement asks for; NULL with the error. */
static void *make_target(const struct exports *x, const struct export_want *want,
                         const struct export_backend **backend, struct error_info *err)
{
    if (want->is_uri) {
        *backend = &s3_upload;
        return make_object(x, want, err);
    }
    if (!x->folder) {
        error_set(err, -EPERM, 1290,
                  "The MySQL server is running with the --secure-file-priv option so it cannot "
                  "execute this statement");
        return NULL;
    }
    *backend = &export_file;
    return export_file_new(x->folder, want->target, err);
}

static void job_drop(struct export_job *x)
{
    export_parquet_free(x->parquet);
    export_stream_drop(x->stream);
    free(x);
}

static struct export_job *job_open(const struct export_port *port, struct reactor *r,
                                   const struct export_want *want, void (*wake)(void *ctx),
                                   void *ctx, struct error_info *err)
{
    const struct export_backend *backend;
    void *state = make_target(exports_of(port), want, &backend, err);
    struct export_job *x = state ? calloc(1, sizeof *x) : NULL;

    if (!x) {
        if (state) {
            backend->free(state);
            error_set(err, -ENOMEM, 1041, "Out of memory");
        }
        return NULL;
    }
    if (export_stream_new(r, backend, state, wake, ctx, &x->stream, err) != 0) {
        free(x);
        return NULL;
    }
    if (!want->is_parquet)
        return x;
    x->parquet = export_parquet_new(want, reactor_budget(r), x->stream, err);
    if (x->parquet)
        return x;
    job_drop(x);
    return NULL;
}

static enum export_state job_state(struct export_job *x, struct error_info *err)
{
    switch (export_stream_stage(x->stream, err)) {
    case EXPORT_STREAM_OPENING:
        return EXPORT_OPENING;
    case EXPORT_STREAM_OPEN:
        return export_stream_is_full(x->stream) ? EXPORT_FULL : EXPORT_READY;
    case EXPORT_STREAM_DONE:
        return EXPORT_DONE;
    default:
        return EXPORT_FAILED;
    }
}

static int job_bytes(struct export_job *x, const void *bytes, size_t len, struct error_info *err)
{
    int rc = export_stream_write(x->stream, bytes, len);

    return rc == 0 ? 0 : error_set(err, rc, 1041, "Out of memory: blocks of an export");
}

static int job_row(struct export_job *x, const struct datum *cells, struct error_info *err)
{
    return export_parquet_row(x->parquet, cells, err);
}

static int job_finish(struct export_job *x, struct error_info *err)
{
    int rc = x->parquet ? export_parquet_finish(x->parquet, err) : 0;

    if (rc == 0)
        export_stream_finish(x->stream);
    return rc;
}

static bool is_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && (!path[n] || path[n] == '/' || n == 1);
}

/* Whoever may write files must not make those that a node takes for its own. A data directory that is not there yet is
 * no folder that is. */
static int keep_apart(const char *folder, const char *data_dir, struct error_info *err)
{
    char *exports = realpath(folder, NULL), *data = realpath(data_dir, NULL);
    bool is_same = exports && data && (is_within(exports, data) || is_within(data, exports));

    free(exports);
    free(data);
    return is_same
               ? error_set(
                     err, -EINVAL, 1105,
                     "--export-dir is %.300s; allowed is a folder that neither lies in the data "
                     "directory %.300s nor holds it",
                     folder, data_dir)
               : 0;
}

int exports_init(struct exports *x, const char *data_dir, struct error_info *err)
{
    struct stat st;

    if (x->folder && !*x->folder)
        x->folder = NULL;
    if (x->folder && (stat(x->folder, &st) != 0 || !S_ISDIR(st.st_mode)))
        return error_set(err, -ENOENT, 1105,
                         "--export-dir is %.300s; allowed is a folder that is there", x->folder);
    if (x->folder && data_dir && keep_apart(x->folder, data_dir, err) != 0)
        return -EINVAL;
    if (x->s3_endpoint && !*x->s3_endpoint)
        x->s3_endpoint = NULL;
    if (x->s3_endpoint && !s3_endpoint_is_sound(x->s3_endpoint))
        return error_set(err, -EINVAL, 1105,
                         "--s3-endpoint is %.200s; allowed is http[s]://host[:port]",
                         x->s3_endpoint);
    if (s3_client_global_init() != 0)
        return error_set(err, -EIO, 1105, "libcurl could not be started");
    x->port = (struct export_port){.folder = x->folder,
                                   .open = job_open,
                                   .state = job_state,
                                   .bytes = job_bytes,
                                   .row = job_row,
                                   .finish = job_finish,
                                   .drop = job_drop};
    return 0;
}
