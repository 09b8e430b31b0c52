#include "ingest/events_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/events_csv.h"
#include "ingest/gen_columns.h"
#include "ingest/tpch_csv.h"

/* Rows made at a time: their vectors fit into a core's second-level cache. */
#define BLOCK_ROWS 8192
#define COLUMNS_MAX 16
_Static_assert(COLUMNS_MAX >= EVENTS_COLUMNS_MAX && COLUMNS_MAX >= TPCH_COLUMNS_MAX,
               "room for columns");

/* The file being written. One thread; on the stack of events_file_write. */
struct output {
    int fd;
    uint64_t bytes;
    char *temp;
};

static int output_write(void *ctx, const void *bytes, size_t len)
{
    struct output *out = ctx;
    const char *from = bytes;
    while (len > 0) {
        ssize_t n = write(out->fd, from, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        from += n;
        len -= (size_t)n;
        out->bytes += (uint64_t)n;
    }
    return 0;
}

/* The next rows, from `at` on; *n = 0 at the end. */
static int fill(const struct events_job *job, uint64_t at, struct parquet_vector *vectors,
                size_t *n, struct parquet_error *err)
{
    if (job->tpch)
        return tpch_fill(job->tpch, BLOCK_ROWS, vectors, n, err);
    uint64_t left = job->spec.rows - at;
    *n = left < BLOCK_ROWS ? (size_t)left : BLOCK_ROWS;
    return *n ? events_table_fill(job->table, &job->spec, at, *n, vectors, err) : 0;
}

static int write_parquet_rows(const struct events_job *job, struct parquet_writer *writer,
                              struct parquet_vector *vectors, struct parquet_error *err)
{
    for (uint64_t at = 0;;) {
        size_t n;
        int rc = fill(job, at, vectors, &n, err);
        if (rc == 0 && !n)
            break;
        if (rc == 0)
            rc = parquet_writer_append(writer, vectors, n, err);
        at += n;
        if (rc == 0 && job->progress && (rc = job->progress(job->ctx, at)) < 0)
            parquet_fail(err, rc, "interrupted after %llu rows", (unsigned long long)at);
        if (rc < 0)
            return rc;
    }
    return parquet_writer_finish(writer, err);
}

static const struct parquet_column_spec *columns_of(const struct events_job *job, uint32_t *count)
{
    return job->tpch ? tpch_columns(job->tpch->table, count)
                     : events_table_columns(job->table, count);
}

static int write_parquet(const struct events_job *job, struct output *out,
                         struct parquet_error *err)
{
    uint32_t count;
    const struct parquet_column_spec *columns = columns_of(job, &count);
    struct parquet_sink sink = {.ctx = out, .write = output_write};
    struct parquet_writer_options options = {.codec = job->codec};
    struct parquet_vector vectors[COLUMNS_MAX];
    struct parquet_writer *writer;
    int rc = parquet_writer_new(&sink, columns, count, &options, err, &writer);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < count; i++)
        parquet_vector_init(&vectors[i], parquet_writer_kind(writer, i), false);
    rc = write_parquet_rows(job, writer, vectors, err);
    for (uint32_t i = 0; i < count; i++)
        parquet_vector_fini(&vectors[i]);
    parquet_writer_free(writer);
    return rc;
}

static int write_tpch_csv(const struct events_job *job, struct output *out,
                          struct parquet_error *err)
{
    struct parquet_vector vectors[TPCH_COLUMNS_MAX];
    struct parquet_buffer buf = {0};
    uint32_t count;
    size_t n = 1;
    const struct parquet_column_spec *columns = tpch_columns(job->tpch->table, &count);
    for (uint32_t i = 0; i < count; i++)
        parquet_vector_init(&vectors[i],
                            columns[i].physical == PARQUET_TYPE_BYTE_ARRAY ? PARQUET_KIND_BYTES
                                                                           : PARQUET_KIND_INT64,
                            false);
    int rc = job->has_header ? gen_csv_header(columns, count, &buf, err) : 0;
    for (uint64_t at = 0; rc == 0 && n; at += n) {
        if ((rc = tpch_fill(job->tpch, BLOCK_ROWS, vectors, &n, err)) == 0)
            rc = tpch_csv_rows(job->tpch->table, vectors, n, &buf, err);
        if (rc == 0 && (rc = output_write(out, buf.bytes, buf.len)) < 0)
            parquet_fail(err, rc, "writing %zu bytes failed: %s", buf.len, strerror(-rc));
        buf.len = 0;
        if (rc == 0 && job->progress && (rc = job->progress(job->ctx, at + n)) < 0)
            parquet_fail(err, rc, "interrupted after %llu rows", (unsigned long long)at + n);
    }
    for (uint32_t i = 0; i < count; i++)
        parquet_vector_fini(&vectors[i]);
    parquet_buffer_fini(&buf);
    return rc;
}

static int write_csv(const struct events_job *job, struct output *out, struct parquet_error *err)
{
    struct parquet_buffer buf = {0};
    uint32_t count;
    if (job->tpch)
        return write_tpch_csv(job, out, err);
    const struct parquet_column_spec *columns = events_table_columns(job->table, &count);
    int rc = job->has_header ? gen_csv_header(columns, count, &buf, err) : 0;
    for (uint64_t at = 0; at < job->spec.rows && rc == 0;) {
        uint64_t left = job->spec.rows - at;
        size_t n = left < BLOCK_ROWS ? (size_t)left : BLOCK_ROWS;
        rc = events_csv_rows(job->table, &job->spec, at, n, &buf, err);
        at += n;
        if (rc == 0 && (rc = output_write(out, buf.bytes, buf.len)) < 0)
            parquet_fail(err, rc, "writing %zu bytes failed: %s", buf.len, strerror(-rc));
        buf.len = 0;
        if (rc == 0 && job->progress && (rc = job->progress(job->ctx, at)) < 0)
            parquet_fail(err, rc, "interrupted after %llu rows", (unsigned long long)at);
    }
    /* A table without rows still has its header. */
    if (rc == 0 && buf.len > 0 && (rc = output_write(out, buf.bytes, buf.len)) < 0)
        parquet_fail(err, rc, "writing %zu bytes failed: %s", buf.len, strerror(-rc));
    parquet_buffer_fini(&buf);
    return rc;
}

static int open_temp(struct output *out, const char *path, struct parquet_error *err)
{
    if (asprintf(&out->temp, "%s.tmp-%ld", path, (long)getpid()) < 0) {
        out->temp = NULL;
        return parquet_fail_memory(err, "a file name");
    }
    out->fd = open(out->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out->fd < 0) {
        int rc = parquet_fail(err, -errno, "creating %s failed: %s", out->temp, strerror(errno));
        free(out->temp);
        out->temp = NULL;
        return rc;
    }
    return 0;
}

static int sync_folder(const char *path, struct parquet_error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return parquet_fail_memory(err, "a file name");
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder; the file is complete then as well. */
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(copy);
    return 0;
}

/* Makes the temporary file the file, after it has reached the disk. */
static int publish(struct output *out, const char *path, struct parquet_error *err)
{
    if (fsync(out->fd) < 0)
        return parquet_fail(err, -errno, "syncing %s failed: %s", out->temp, strerror(errno));
    if (rename(out->temp, path) < 0)
        return parquet_fail(err, -errno, "renaming %s to %s failed: %s", out->temp, path,
                            strerror(errno));
    free(out->temp);
    out->temp = NULL;
    return sync_folder(path, err);
}

int events_file_write(const struct events_job *job, uint64_t *bytes, struct parquet_error *err)
{
    struct output out = {.fd = -1};
    int rc = open_temp(&out, job->path, err);
    if (rc < 0)
        return rc;
    rc = job->format == EVENTS_FORMAT_CSV ? write_csv(job, &out, err)
                                          : write_parquet(job, &out, err);
    if (rc == 0)
        rc = publish(&out, job->path, err);
    close(out.fd);
    if (out.temp) {
        unlink(out.temp);
        free(out.temp);
    }
    *bytes = out.bytes;
    return rc;
}
