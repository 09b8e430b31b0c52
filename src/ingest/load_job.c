#include "ingest/load_job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ingest/load_rows.h"
#include "reactor/assert.h"
#include "reactor/reactor.h"
#include "rpc/cluster.h"

struct load_job;

struct load_write { /* a batch on its way */
    struct cluster_write write;
    struct buffer bytes;
    struct load_job *job;
    uint64_t first_row; /* in the file, of the batch */
    uint32_t *places;   /* of its rows after that; NULL = one after the other */
    bool busy;
};

enum job_stage { JOB_NEXT_FILE, JOB_READ, JOB_DRAIN, JOB_ENDED };

struct load_job { /* owner: its core; freed before done */
    struct reactor *reactor;
    struct load *load;
    enum job_stage stage;
    struct task task;
    int fd;
    const char *path;
    unsigned pass; /* over the file: 0 = its rows, k = those of child k - 1 */
    uint64_t file_bytes, file_rows, rows_read, bytes_reported;
    struct parquet_reader *reader;
    struct load_rows *rows;
    struct load_write writes[LOAD_WINDOW];
    unsigned in_flight;
    void (*done)(void *ctx);
    void *ctx;
};

void load_init(struct load *l, const struct load_config *config)
{
    memset(l, 0, sizeof(*l));
    l->config = *config;
    pthread_mutex_init(&l->lock, NULL);
}

static void fail(struct load_job *j, const char *text)
{
    struct load *l = j->load;

    pthread_mutex_lock(&l->lock);
    if (!atomic_load(&l->failed))
        snprintf(l->error, sizeof(l->error), "%s%s%s", j->path ? j->path : "", j->path ? ": " : "",
                 text);
    atomic_store(&l->failed, true);
    pthread_mutex_unlock(&l->lock);
}

static void reject(struct load_job *j, uint64_t row, const struct error_info *why)
{
    struct load *l = j->load;

    atomic_fetch_add(&l->rejected, 1);
    pthread_mutex_lock(&l->lock);
    if (l->config.rejects)
        fprintf(l->config.rejects, "%s:%" PRIu64 ": %s\n", j->path, row, why->text);
    pthread_mutex_unlock(&l->lock);
    if (atomic_fetch_add(&l->reported, 1) < LOAD_MAX_REPORTED)
        fprintf(stderr, "rejected: %s row %" PRIu64 ": %s\n", j->path, row, why->text);
}

static void reject_row(void *ctx, uint64_t row, const struct error_info *why)
{
    reject(ctx, row, why);
}

static int read_at(void *ctx, void *buf, size_t len, uint64_t off)
{
    int fd = ((struct load_job *)ctx)->fd;

    for (size_t done = 0; done < len;) {
        ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(off + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static void close_file(struct load_job *j)
{
    load_rows_free(j->rows);
    parquet_reader_free(j->reader);
    if (j->fd >= 0)
        close(j->fd);
    j->rows = NULL;
    j->reader = NULL;
    j->fd = -1;
}

static int open_reader(struct load_job *j, struct error_info *err)
{
    struct parquet_source source = {.ctx = j, .read_at = read_at};
    struct parquet_error perr;
    struct stat st;

    j->fd = open(j->path, O_RDONLY | O_CLOEXEC);
    if (j->fd < 0 || fstat(j->fd, &st))
        return error_set(err, -errno, 0, "%s", strerror(errno));
    source.size = j->file_bytes = (uint64_t)st.st_size;
    int rc = parquet_reader_open(&source, &perr, &j->reader);
    if (rc)
        return error_set(err, rc, 0, "%s", perr.text);
    j->file_rows = parquet_reader_row_count(j->reader);
    return 0;
}

/* Table of the pass over the file. */
static struct schema *schema_of(const struct load_job *j)
{
    const struct load_config *c = &j->load->config;

    return j->pass ? c->children[j->pass - 1].schema : c->schema;
}

/* -ENOENT: nothing to do in this pass. */
static int open_file(struct load_job *j)
{
    const struct load_config *c = &j->load->config;
    struct load_rows_config rows = {.schema = schema_of(j),
                                    .element = j->pass ? c->children[j->pass - 1].source : NULL,
                                    .parent = j->pass ? c->schema : NULL,
                                    .ignore_source_path = c->ignore_source_path,
                                    .nerd_capitalization = c->nerd_capitalization,
                                    .reject = reject_row,
                                    .ctx = j};
    struct error_info err;
    int rc = open_reader(j, &err);

    if (!rc)
        rc = load_rows_new(&rows, j->reader, &j->rows, &err);
    if (rc && (rc != -ENOENT || !j->pass || !j->reader))
        fail(j, err.text);
    if (rc)
        close_file(j);
    j->rows_read = j->bytes_reported = 0;
    return rc;
}

static void note_progress(struct load_job *j, uint32_t rows)
{
    if (j->pass)
        return; /* the file counts once */
    j->rows_read += rows;
    uint64_t bytes =
        j->file_rows
            ? (uint64_t)((double)j->file_bytes * (double)j->rows_read / (double)j->file_rows)
            : j->file_bytes;

    if (bytes > j->file_bytes)
        bytes = j->file_bytes;
    atomic_fetch_add(&j->load->bytes_done, bytes - j->bytes_reported);
    j->bytes_reported = bytes;
}

static void wake(struct load_job *j)
{
    reactor_task(j->reactor, &j->task, TASK_BULK);
}

static void write_done(struct cluster_write *cw)
{
    struct load_write *w = cw->ctx;
    struct load_job *j = w->job;
    struct load *l = j->load;

    if (cw->rc) { /* of what it did the log may hold nothing */
        fail(j, cw->error.text);
    } else {
        atomic_fetch_add(&l->inserted, cw->result.inserted);
        atomic_fetch_add(&l->updated, cw->result.updated + cw->result.unchanged);
    }
    for (uint32_t i = 0; i < cw->result.n_errors; i++)
        reject(j,
               w->first_row +
                   (w->places ? w->places[cw->result.errors[i].row] : cw->result.errors[i].row),
               &cw->result.errors[i].info);
    if (cw->result.rejected > cw->result.n_errors)
        atomic_fetch_add(&l->rejected, cw->result.rejected - cw->result.n_errors);
    free(w->places);
    w->places = NULL;
    w->busy = false;
    buffer_reset(&w->bytes, 1 << 20);
    j->in_flight--;
    wake(j);
}

static void start_write(struct load_job *j, struct load_write *w, uint32_t rows)
{
    struct error_info err;

    if (j->load->config.dry_run) {
        buffer_reset(&w->bytes, 1 << 20);
        free(w->places);
        w->places = NULL;
        return;
    }
    w->write = (struct cluster_write){.schema = schema_of(j),
                                      .may_be_old = true,
                                      .done = write_done,
                                      .ctx = w};
    int rc = batch_open(w->bytes.data, w->bytes.len, &w->write.batch, &err);
    ASSERT(!rc && w->write.batch.rows == rows);
    w->busy = true;
    j->in_flight++;
    cluster_write_start(cluster_of(j->reactor), &w->write);
}

static struct load_write *find_idle(struct load_job *j)
{
    for (unsigned i = 0; i < LOAD_WINDOW; i++)
        if (!j->writes[i].busy)
            return &j->writes[i];
    return NULL;
}

/* Reads and sends one batch. READY while there may be more. */
static enum step read_batch(struct load_job *j)
{
    struct load_write *w = find_idle(j);
    struct error_info err;
    uint32_t rows, rejected;

    if (!w)
        return STEP_PENDING; /* write_done wakes */
    int rc = load_rows_next(j->rows, j->load->config.batch_rows, &w->bytes, &rows, &rejected, &err);
    w->first_row = load_rows_first_row(j->rows);
    if (rc)
        fail(j, err.text);
    note_progress(j, rows + rejected);
    atomic_fetch_add(&j->load->rows, rows + rejected);
    if (!rc && rows && (rejected || j->pass) && !(w->places = malloc(rows * sizeof(*w->places)))) {
        fail(j, "out of memory");
        rc = -ENOMEM;
    }
    if (w->places)
        memcpy(w->places, load_rows_places(j->rows), rows * sizeof(*w->places));
    if (!rc && rows)
        start_write(j, w, rows);
    if (rc || (!rows && !rejected))
        j->stage = JOB_DRAIN;
    return STEP_READY;
}

static enum step drain(struct load_job *j)
{
    if (j->in_flight)
        return STEP_PENDING;
    close_file(j);
    j->stage = JOB_NEXT_FILE;
    if (atomic_load(&j->load->failed))
        return STEP_READY;
    if (j->pass < j->load->config.n_children) {
        j->pass++;
        j->stage = open_file(j) ? JOB_DRAIN : JOB_READ;
        return STEP_READY;
    }
    atomic_fetch_add(&j->load->files_done, 1);
    return STEP_READY;
}

static enum step next_file(struct load_job *j)
{
    struct load *l = j->load;
    unsigned i = atomic_fetch_add(&l->next_file, 1);

    j->path = NULL;
    if (i >= l->config.files.n || atomic_load(&l->failed)) {
        j->stage = JOB_ENDED;
        return STEP_READY;
    }
    j->path = l->config.files.paths[i];
    j->pass = 0;
    j->stage = open_file(j) ? JOB_DRAIN : JOB_READ;
    return STEP_READY;
}

static void end(struct load_job *j)
{
    void (*done)(void *ctx) = j->done;
    void *ctx = j->ctx;

    for (unsigned i = 0; i < LOAD_WINDOW; i++)
        buffer_fini(&j->writes[i].bytes);
    free(j);
    done(ctx);
}

static void job_dispatch(struct task *t)
{
    struct load_job *j = (struct load_job *)((char *)t - offsetof(struct load_job, task));
    enum step step = STEP_PENDING;

    if (j->stage == JOB_READ && atomic_load(&j->load->failed))
        j->stage = JOB_DRAIN;
    switch (j->stage) {
    case JOB_NEXT_FILE:
        step = next_file(j);
        break;
    case JOB_READ:
        step = read_batch(j);
        break;
    case JOB_DRAIN:
        step = drain(j);
        break;
    case JOB_ENDED:
        end(j);
        return;
    }
    if (step == STEP_READY)
        wake(j);
}

int load_job_start(struct reactor *r, struct load *l, void (*done)(void *ctx), void *ctx)
{
    struct load_job *j = calloc(1, sizeof(*j));

    if (!j)
        return -ENOMEM;
    j->reactor = r;
    j->load = l;
    j->fd = -1;
    j->done = done;
    j->ctx = ctx;
    j->task.run = job_dispatch;
    for (unsigned i = 0; i < LOAD_WINDOW; i++) {
        j->writes[i].job = j;
        buffer_init(&j->writes[i].bytes, BATCH_MAX_BYTES);
    }
    wake(j);
    return 0;
}
