#include "ingest/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

/* Owner: the stream. */
struct file {
    char *folder, *rest; /* rest: below the folder */
    const char *name;    /* the last part of rest */
    int dir, fd;
};

static int refuse(struct error_info *err)
{
    return error_set(err, -EPERM, 1290,
                     "The MySQL server is running with the --secure-file-priv option so it cannot "
                     "execute this statement");
}

static void file_free(void *state)
{
    struct file *f = state;

    if (f->fd >= 0)
        close(f->fd);
    if (f->dir >= 0)
        close(f->dir);
    free(f->folder);
    free(f->rest);
    free(f);
}

/* What follows the folder in an absolute path, or the path; NULL: elsewhere. */
static const char *below(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    if (*path != '/')
        return path;
    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (strncmp(path, folder, n) != 0 || (path[n] != '/' && folder[n - 1] != '/'))
        return NULL;
    path += n;
    return path + strspn(path, "/");
}

/* Each part is a name; none leads up. */
static bool is_plain(const char *rest)
{
    size_t n = strlen(rest);

    if (!n || rest[n - 1] == '/')
        return false;
    while (*rest) {
        n = strcspn(rest, "/");
        if (n == 2 && rest[0] == '.' && rest[1] == '.')
            return false;
        rest += n;
        rest += strspn(rest, "/");
    }
    return true;
}

void *export_file_new(const char *folder, const char *path, struct error_info *err)
{
    const char *rest = below(folder, path);
    struct file *f;

    if (!rest || !is_plain(rest)) {
        refuse(err);
        return NULL;
    }
    f = calloc(1, sizeof *f);
    if (!f) {
        error_set(err, -ENOMEM, 1041, "Out of memory");
        return NULL;
    }
    f->dir = f->fd = -1;
    f->folder = strdup(folder);
    f->rest = strdup(rest);
    if (f->folder && f->rest)
        return f;
    file_free(f);
    error_set(err, -ENOMEM, 1041, "Out of memory");
    return NULL;
}

static int fail(struct file *f, int rc, struct error_info *err)
{
    if (rc == -EEXIST)
        return error_set(err, rc, 1086, "File '%s' already exists", f->rest);
    if (rc == -ELOOP || rc == -ENOTDIR)
        return refuse(err);
    return error_set(err, rc, 1, "Can't create/write to file '%s' (OS errno %d - %s)", f->rest, -rc,
                     strerror(-rc));
}

/* One folder further down; O_NOFOLLOW: what is a link is refused, also one made a moment ago. */
static int enter(struct file *f, char *name)
{
    int next = openat(f->dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (next < 0)
        return -errno;
    close(f->dir);
    f->dir = next;
    return 0;
}

static int walk(struct file *f)
{
    char *at = f->rest, *slash;

    f->dir = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0)
        return -errno;
    while ((slash = strchr(at, '/'))) {
        *slash = 0;
        int rc = *at ? enter(f, at) : 0;
        *slash = '/';
        if (rc != 0)
            return rc;
        at = slash + 1;
    }
    f->name = at;
    return 0;
}

static int file_begin(void *state, const atomic_bool *cancelled, struct error_info *err)
{
    struct file *f = state;
    int rc = walk(f);

    (void)cancelled;
    if (rc != 0)
        return fail(f, rc, err);
    f->fd = openat(f->dir, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    return f->fd < 0 ? fail(f, -errno, err) : 0;
}

static int file_block(void *state, const void *bytes, size_t len, struct error_info *err)
{
    struct file *f = state;
    const char *at = bytes;

    while (len) {
        ssize_t n = write(f->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int rc = n < 0 ? -errno : -EIO;
            return error_set(err, rc, 3, "Error writing file '%s' (OS errno %d - %s)", f->rest, -rc,
                             strerror(-rc));
        }
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int file_end(void *state, struct error_info *err)
{
    struct file *f = state;
    int rc = close(f->fd) == 0 ? 0 : -errno;

    f->fd = -1;
    return rc == 0 ? 0
                   : error_set(err, rc, 3, "Error writing file '%s' (OS errno %d - %s)", f->rest,
                               -rc, strerror(-rc));
}

static void file_abort(void *state)
{
    struct file *f = state;

    (void)unlinkat(f->dir, f->name, 0);
}

static size_t file_block_bytes(uint64_t number)
{
    (void)number;
    return BLOCK_BYTES;
}

const struct export_backend export_file = {.open = file_begin,
                                           .block = file_block,
                                           .finish = file_end,
                                           .abort = file_abort,
                                           .block_bytes = file_block_bytes,
                                           .free = file_free};
