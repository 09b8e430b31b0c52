/* Verification: root, catalog and the order of things; data files and log are in verify_data.c and verify_log.c. */
#include "storage/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/catalog.h"
#include "storage/verify_impl.h"

enum { PROGRESS_BYTES = 4 << 20 };

static void tell(struct verify *v, const char *file, uint64_t offset, bool is_notice,
                 const char *fmt, va_list args)
{
    char what[600];

    vsnprintf(what, sizeof(what), fmt, args);
    if (is_notice)
        v->counts->notices++;
    else
        v->counts->findings++;
    v->config->found(v->config->ctx, &(struct verify_finding){file, offset, what, is_notice});
}

void verify_found(struct verify *v, const char *file, uint64_t offset, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    tell(v, file, offset, false, fmt, args);
    va_end(args);
    if (v->extents)
        verify_extents_found(v->extents, offset);
}

void verify_notice(struct verify *v, const char *file, uint64_t offset, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    tell(v, file, offset, true, fmt, args);
    va_end(args);
}

void verify_progress(struct verify *v, uint64_t bytes)
{
    v->done += bytes;
    if (!v->config->progress || (v->done - v->told < PROGRESS_BYTES && v->done < v->total))
        return;
    v->told = v->done;
    v->config->progress(v->config->ctx, v->done < v->total ? v->done : v->total, v->total);
}

void verify_path(const struct verify *v, char *out, size_t cap, const char *file)
{
    snprintf(out, cap, "%s/%s", v->config->dir, file);
}

bool verify_read(struct verify *v, int fd, const char *file, void *bytes, size_t n, uint64_t offset)
{
    size_t got = 0;

    while (got < n) {
        ssize_t k = pread(fd, (uint8_t *)bytes + got, n - got, (off_t)(offset + got));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            verify_found(v, file, offset + got, "%zu bytes cannot be read: %s", n - got,
                         k < 0 ? strerror(errno) : "the file ends before them");
            return false;
        }
        got += (size_t)k;
    }
    verify_progress(v, n);
    return true;
}

/* ---- root ---- */

/* The whole root, or NULL: *found says whether there is one. */
static uint8_t *read_root(struct verify *v, size_t *len, bool *found)
{
    char path[PATH_MAX];
    uint8_t *bytes = NULL;
    struct stat st;

    verify_path(v, path, sizeof(path), ROOT_FILE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *found = fd >= 0 || errno != ENOENT;
    if (fd < 0 || fstat(fd, &st)) {
        if (*found)
            verify_found(v, ROOT_FILE, 0, "cannot be opened: %s", strerror(errno));
        goto out;
    }
    *len = (size_t)st.st_size;
    if (st.st_size > ROOT_MAX_BYTES) {
        verify_found(v, ROOT_FILE, 0, "%" PRId64 " bytes; allowed are up to %d",
                     (int64_t)st.st_size, ROOT_MAX_BYTES);
        goto out;
    }
    bytes = malloc(*len + 1);
    if (!bytes)
        v->rc = -ENOMEM;
    if (bytes && !verify_read(v, fd, ROOT_FILE, bytes, *len, 0)) {
        free(bytes);
        bytes = NULL;
    }
out:
    if (fd >= 0)
        close(fd);
    return bytes;
}

static int note_head(void *ctx, const struct root_head *head)
{
    struct verify *v = ctx;
    struct error_info err = {0};

    v->head = *head;
    v->counts->has_checkpoint = true;
    v->counts->checkpoint_round = head->round;
    int rc = catalog_decode(head->catalog, head->catalog_len, &v->catalog, &err);
    if (rc)
        v->catalog = NULL;
    if (rc && rc != -ENOMEM)
        verify_found(v, ROOT_FILE, 0, "%s", err.text);
    return rc == -ENOMEM ? rc : 0;
}

static int note_size(void *ctx, const struct root_file *f)
{
    ((struct verify *)ctx)->total += 2 * f->bytes; /* chunks, and the extents that they are in */
    return 0;
}

static int check_file(void *ctx, const struct root_file *f)
{
    verify_data_file(ctx, f);
    return 0;
}

/* The decoder's message names the offset before it says what is wrong. */
static void root_is_damaged(struct verify *v, const char *text)
{
    uint64_t offset = 0;
    int used = 0;

    if (sscanf(text, ROOT_FILE ", offset %" SCNu64 ": %n", &offset, &used) < 1)
        used = 0;
    verify_found(v, ROOT_FILE, offset,
                 "%s; without it the data files cannot be told apart, only the log is looked at",
                 text + used);
}

static void verify_checkpoint(struct verify *v, uint8_t *bytes, size_t len)
{
    struct verify_data *d = verify_data_new(v);
    struct root_visitor v1 = {note_head, NULL, note_size, v}, v2 = {NULL, NULL, check_file, d};
    struct error_info err = {0};
    int rc = d ? root_decode(bytes, len, v->dir.id, &v1, &err) : -ENOMEM;

    if (!rc)
        rc = root_decode(bytes, len, v->dir.id, &v2, &err);
    if (rc == -ENOMEM)
        v->rc = rc;
    else if (rc)
        root_is_damaged(v, err.text);
    verify_data_free(d);
}

static int not_there(const char *dir, struct error_info *err)
{
    char path[PATH_MAX];

    /* datadir_open would make what is missing. */
    snprintf(path, sizeof(path), "%s/quanta.meta", dir);
    if (access(path, F_OK) == 0)
        return 0;
    return error_set(err, -errno, 0, "%s is no data directory: quanta.meta: %s", dir,
                     strerror(errno));
}

int verify_directory(const struct verify_config *config, struct verify_counts *counts,
                     struct error_info *err)
{
    struct verify v = {.config = config, .counts = counts, .dir.lock_fd = -1};
    bool has_root = false;
    uint8_t *root = NULL;
    size_t len = 0;
    int rc;

    *counts = (struct verify_counts){0};
    rc = not_there(config->dir, err);
    if (!rc)
        rc = datadir_open(config->dir, 0, &v.dir, err);
    if (rc && rc != -EBADMSG)
        return rc;
    v.total = verify_log_bytes(&v);
    if (rc)
        verify_found(&v, "quanta.meta", 0, "%s; only the log is looked at", err->text);
    else
        root = read_root(&v, &len, &has_root);
    if (root)
        verify_checkpoint(&v, root, len);
    if (!v.rc)
        verify_log(&v);
    catalog_put(v.catalog);
    free(root);
    datadir_close(&v.dir);
    return v.rc ? error_set(err, v.rc, 0, "out of memory") : 0;
}
