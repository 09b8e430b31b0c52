#include "storage/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { META_MAX = 512 };

/* Makes a folder whose name is still there after a power loss; an existing one is fine. */
static int make_durable(const char *path, unsigned mode)
{
    char parent[PATH_MAX];

    if (mkdir(path, mode))
        return errno == EEXIST ? 0 : -errno;
    memcpy(parent, path, strlen(path) + 1);
    int fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 || fsync(fd) ? -errno : 0;
    if (fd >= 0)
        close(fd);
    return rc;
}

static int make_parents(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(part))
        return -ENAMETOOLONG;
    memcpy(part, path, len + 1);
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        int rc = make_durable(part, 0755);
        if (rc)
            return rc;
        *p = '/';
    }
    return make_durable(part, 0700);
}

static int lock_directory(const char *path, struct datadir *d, struct error_info *err)
{
    char file[PATH_MAX];

    snprintf(file, sizeof(file), "%s/quanta.lock", path);
    d->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock_fd < 0)
        return error_set(err, -errno, 0, "cannot open %s: %s", file, strerror(errno));
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB)) {
        int rc = -errno;
        close(d->lock_fd);
        d->lock_fd = -1;
        return error_set(err, rc, 0, "data directory %s is in use by another process", path);
    }
    return 0;
}

/* The whole text of quanta.meta; its last line has the checksum of those before. */
static int print_meta(const struct datadir *d, char out[META_MAX])
{
    int n = snprintf(out, META_MAX,
                     "quanta data directory\nversion: %u\nslot_bits: %u\nhash_seed: %016" PRIx64
                     "\nid: %s\n",
                     d->version, d->slot_bits, d->hash_seed, d->id);

    if (d->version > DATADIR_UNSPLIT)
        n += snprintf(out + n, META_MAX - (size_t)n, "doublings: %u\n", d->doublings);
    return n + snprintf(out + n, META_MAX - (size_t)n, "checksum: %016" PRIx64 "\n",
                        (uint64_t)XXH3_64bits(out, (size_t)n));
}

static int parse_meta(const char *file, const char *text, struct datadir *d, struct error_info *err)
{
    char again[META_MAX];

    if (sscanf(text, "quanta data directory\nversion: %9" SCNu32, &d->version) != 1)
        return error_set(err, -EBADMSG, 0, "%s is damaged: it does not begin with its version",
                         file);
    if (d->version < DATADIR_OLDEST || d->version > DATADIR_VERSION)
        return error_set(err, -EBADMSG, 0,
                         "%s has format version %u; this program reads versions %d to %d", file,
                         d->version, DATADIR_OLDEST, DATADIR_VERSION);
    if (sscanf(text, "%*[^:]: %*u slot_bits: %9u hash_seed: %16" SCNx64 " id: %32s", &d->slot_bits,
               &d->hash_seed, d->id) != 3)
        return error_set(err, -EBADMSG, 0,
                         "%s is damaged: expected version, slot_bits, hash_seed, id and checksum",
                         file);
    const char *doublings = strstr(text, "\ndoublings: ");
    if (d->version > DATADIR_UNSPLIT &&
        (!doublings || sscanf(doublings, " doublings: %9u", &d->doublings) != 1))
        return error_set(err, -EBADMSG, 0, "%s is damaged: expected doublings", file);
    print_meta(d, again);
    if (strcmp(text, again))
        return error_set(err, -EBADMSG, 0, "%s is damaged: its checksum is not that of its bytes",
                         file);
    if (d->slot_bits > DATADIR_MAX_SLOT_BITS)
        return error_set(err, -EBADMSG, 0, "%s has slot_bits %u; allowed are 0 to %d", file,
                         d->slot_bits, DATADIR_MAX_SLOT_BITS);
    if (d->doublings > d->slot_bits)
        return error_set(err, -EBADMSG, 0, "%s has doublings %u; allowed are 0 to %u", file,
                         d->doublings, d->slot_bits);
    return 0;
}

static int read_meta(const char *file, struct datadir *d, struct error_info *err)
{
    char text[META_MAX] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    int rc = n < 0 ? -errno : 0;
    close(fd);
    if (rc)
        return error_set(err, rc, 0, "cannot read %s: %s", file, strerror(-rc));
    return parse_meta(file, text, d, err);
}

static int write_meta(const char *path, const char *file, const struct datadir *d)
{
    char text[META_MAX], tmp[PATH_MAX + 8];

    snprintf(tmp, sizeof(tmp), "%s.new", file);
    int n = print_meta(d, text);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int rc = write(fd, text, (size_t)n) == n && !fsync(fd) ? 0 : errno ? -errno : -EIO;
    close(fd);
    if (!rc && rename(tmp, file))
        rc = -errno;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!rc && (dir < 0 || fsync(dir)))
        rc = -errno;
    if (dir >= 0)
        close(dir);
    return rc;
}

int datadir_write_meta(const char *path, const struct datadir *d)
{
    char file[PATH_MAX];

    snprintf(file, sizeof(file), "%s/quanta.meta", path);
    return write_meta(path, file, d);
}

int datadir_upgrade(const char *path, struct datadir *d)
{
    if (d->version >= DATADIR_UNSPLIT)
        return 0;
    d->version = DATADIR_UNSPLIT;
    return datadir_write_meta(path, d);
}

static int create_meta(const char *path, const char *file, unsigned slot_bits, struct datadir *d)
{
    uint64_t random[3];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -EIO;
    d->version = DATADIR_UNSPLIT;
    d->slot_bits = slot_bits;
    d->hash_seed = random[0];
    snprintf(d->id, sizeof(d->id), "%016" PRIx64 "%016" PRIx64, random[1], random[2]);
    return write_meta(path, file, d);
}

/* Is there a log? Then the directory was in use, and its seed and slots must not be made anew. */
static bool has_log(const char *path)
{
    char pattern[PATH_MAX];
    glob_t found;

    snprintf(pattern, sizeof(pattern), "%s/log-*.qlg", path);
    bool any = !glob(pattern, GLOB_NOSORT, NULL, &found);
    if (any)
        globfree(&found);
    return any;
}

static int refuse_without_meta(const char *path, struct datadir *d, struct error_info *err)
{
    datadir_close(d);
    return error_set(err, -EBADMSG, 0,
                     "data directory %s has a log but no quanta.meta, which says how its rows are "
                     "placed: restore that file",
                     path);
}

int datadir_open(const char *path, unsigned wanted_slot_bits, struct datadir *out,
                 struct error_info *err)
{
    char file[PATH_MAX];

    memset(out, 0, sizeof(*out));
    out->lock_fd = -1;
    int rc = make_parents(path);
    if (rc)
        return error_set(err, rc, 0, "cannot make data directory %s: %s", path, strerror(-rc));
    rc = lock_directory(path, out, err);
    if (rc)
        return rc;
    snprintf(file, sizeof(file), "%s/quanta.meta", path);
    err->text[0] = 0;
    rc = read_meta(file, out, err);
    if (rc == -ENOENT && has_log(path))
        return refuse_without_meta(path, out, err);
    if (rc == -ENOENT)
        rc = create_meta(path, file, wanted_slot_bits, out);
    if (rc) {
        datadir_close(out);
        return err->text[0] ? rc
                            : error_set(err, rc, 0, "cannot write %s: %s", file, strerror(-rc));
    }
    return 0;
}

void datadir_close(struct datadir *d)
{
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    d->lock_fd = -1;
}
