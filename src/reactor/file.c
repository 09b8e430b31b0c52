/* Blocking file calls: dispatch to the back end, and the real ones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "reactor/core.h"

int file_open(struct reactor *r, const char *path, int flags, unsigned mode)
{
    return r->backend->files->open(r, path, flags, mode);
}

int file_close(struct reactor *r, int fd)
{
    return r->backend->files->close(r, fd);
}

int64_t file_size(struct reactor *r, int fd)
{
    return r->backend->files->size(r, fd);
}

int file_allocate(struct reactor *r, int fd, uint64_t off, uint64_t len)
{
    return r->backend->files->allocate(r, fd, off, len);
}

int file_truncate(struct reactor *r, int fd, uint64_t size)
{
    return r->backend->files->truncate(r, fd, size);
}

int file_rename(struct reactor *r, const char *from, const char *to)
{
    return r->backend->files->rename(r, from, to);
}

int file_unlink(struct reactor *r, const char *path)
{
    return r->backend->files->unlink(r, path);
}

int file_sync(struct reactor *r, int fd)
{
    return r->backend->files->sync(r, fd);
}

int file_sync_dir(struct reactor *r, const char *path)
{
    return r->backend->files->sync_dir(r, path);
}

int file_mkdir(struct reactor *r, const char *path)
{
    return r->backend->files->mkdir(r, path);
}

int file_list_dir(struct reactor *r, const char *path, int (*fn)(void *ctx, const char *name),
                  void *ctx)
{
    return r->backend->files->list_dir(r, path, fn, ctx);
}

int64_t file_read_at(struct reactor *r, int fd, void *buf, size_t len, uint64_t off)
{
    return r->backend->files->read_at(r, fd, buf, len, off);
}

void file_advise(struct reactor *r, int fd, uint64_t off, uint64_t len, bool wanted)
{
    if (r->backend->files->advise)
        r->backend->files->advise(r, fd, off, len, wanted);
}

int64_t file_write_at(struct reactor *r, int fd, const void *buf, size_t len, uint64_t off)
{
    return r->backend->files->write_at(r, fd, buf, len, off);
}

int file_space(struct reactor *r, int fd, uint64_t *unused, uint64_t *total)
{
    *unused = *total = INT64_MAX;
    return r->backend->files->space ? r->backend->files->space(r, fd, unused, total) : 0;
}

static int result(int rc)
{
    return rc < 0 ? -errno : rc;
}

static int real_open(struct reactor *r, const char *path, int flags, unsigned mode)
{
    int fd;

    (void)r;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return result(fd);
}

static int real_close(struct reactor *r, int fd)
{
    (void)r;
    return result(close(fd));
}

static int64_t real_size(struct reactor *r, int fd)
{
    struct stat st;

    (void)r;
    return fstat(fd, &st) == 0 ? st.st_size : -errno;
}

/* For file systems without fallocate: zeros written where the file ends. */
static int write_zeros(int fd, uint64_t off, uint64_t len)
{
    static const uint8_t zeros[65536];
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -errno;
    if ((uint64_t)st.st_size > off) {
        uint64_t there = (uint64_t)st.st_size - off;

        if (there >= len)
            return 0;
        off += there;
        len -= there;
    }
    while (len > 0) {
        ssize_t n = pwrite(fd, zeros, len < sizeof zeros ? len : sizeof zeros, (off_t)off);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        off += (uint64_t)n;
        len -= (uint64_t)n;
    }
    return 0;
}

static int real_allocate(struct reactor *r, int fd, uint64_t off, uint64_t len)
{
    int rc;

    (void)r;
    if (len == 0)
        return 0;
    do
        rc = result(fallocate(fd, 0, (off_t)off, (off_t)len));
    while (rc == -EINTR);
    return rc == -EOPNOTSUPP || rc == -ENOSYS ? write_zeros(fd, off, len) : rc;
}

static int real_truncate(struct reactor *r, int fd, uint64_t size)
{
    (void)r;
    return result(ftruncate(fd, (off_t)size));
}

static int real_rename(struct reactor *r, const char *from, const char *to)
{
    (void)r;
    return result(rename(from, to));
}

static int real_unlink(struct reactor *r, const char *path)
{
    (void)r;
    return result(unlink(path));
}

static int real_sync(struct reactor *r, int fd)
{
    (void)r;
    return result(fdatasync(fd));
}

static int real_sync_dir(struct reactor *r, const char *path)
{
    int fd = real_open(r, path, O_RDONLY | O_DIRECTORY, 0), rc;

    if (fd < 0)
        return fd;
    rc = result(fsync(fd));
    close(fd);
    return rc;
}

static int real_mkdir(struct reactor *r, const char *path)
{
    struct stat st;

    (void)r;
    if (mkdir(path, 0777) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (stat(path, &st) != 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int real_list_dir(struct reactor *r, const char *path,
                         int (*fn)(void *ctx, const char *name), void *ctx)
{
    DIR *dir = opendir(path);
    int rc = 0;

    (void)r;
    if (!dir)
        return -errno;
    while (rc == 0) {
        struct dirent *entry;

        errno = 0;
        entry = readdir(dir);
        if (!entry) {
            rc = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = fn(ctx, entry->d_name);
    }
    closedir(dir);
    return rc;
}

static int64_t real_read_at(struct reactor *r, int fd, void *buf, size_t len, uint64_t off)
{
    size_t done = 0;

    (void)r;
    while (done < len) {
        ssize_t n = pread(fd, (uint8_t *)buf + done, len - done, (off_t)(off + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static void real_advise(struct reactor *r, int fd, uint64_t off, uint64_t len, bool wanted)
{
    (void)r;
    (void)posix_fadvise(fd, (off_t)off, (off_t)len,
                        wanted ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED);
}

static int64_t real_write_at(struct reactor *r, int fd, const void *buf, size_t len, uint64_t off)
{
    size_t done = 0;

    (void)r;
    while (done < len) {
        ssize_t n = pwrite(fd, (const uint8_t *)buf + done, len - done, (off_t)(off + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static int real_space(struct reactor *r, int fd, uint64_t *unused, uint64_t *total)
{
    struct statvfs st;

    (void)r;
    if (fstatvfs(fd, &st) != 0)
        return -errno;
    *unused = (uint64_t)st.f_bavail * st.f_frsize;
    *total = (uint64_t)st.f_blocks * st.f_frsize;
    return 0;
}

const struct file_backend file_backend_real = {
    .open = real_open,
    .close = real_close,
    .size = real_size,
    .allocate = real_allocate,
    .truncate = real_truncate,
    .rename = real_rename,
    .unlink = real_unlink,
    .sync = real_sync,
    .sync_dir = real_sync_dir,
    .mkdir = real_mkdir,
    .list_dir = real_list_dir,
    .read_at = real_read_at,
    .advise = real_advise,
    .write_at = real_write_at,
    .space = real_space,
};
