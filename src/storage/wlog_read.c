/* A log file in a mapping of its size, without a file behind it: pages take memory from their reading to their forgetting. */
#include "storage/wlog_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "reactor/io.h"

enum { READ_STEP = 4 << 20 };

void wlog_read_init(struct wlog_read *x, struct reactor *r)
{
    *x = (struct wlog_read){.reactor = r, .fd = -1};
}

void wlog_read_fini(struct wlog_read *x)
{
    if (x->fd >= 0)
        file_close(x->reactor, x->fd);
    if (x->bytes)
        munmap(x->bytes, x->len);
    wlog_read_init(x, x->reactor);
}

int wlog_read_open(struct wlog_read *x, const char *path, size_t most)
{
    wlog_read_fini(x);
    x->fd = file_open(x->reactor, path, O_RDONLY | O_CLOEXEC, 0);
    if (x->fd < 0)
        return x->fd;
    int64_t size = file_size(x->reactor, x->fd);
    if (size < 0)
        return (int)size;
    if ((uint64_t)size > most) {
        wlog_read_fini(x);
        x->len = (size_t)size;
        return -EFBIG;
    }
    if (!size)
        return 0;
    void *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (bytes == MAP_FAILED)
        return -ENOMEM;
    x->bytes = bytes;
    x->len = (size_t)size;
    return 0;
}

int wlog_read_upto(struct wlog_read *x, size_t end)
{
    while (x->have < end) {
        size_t n = x->len - x->have < READ_STEP ? x->len - x->have : READ_STEP;
        int64_t got = file_read_at(x->reactor, x->fd, x->bytes + x->have, n, x->have);
        if (got != (int64_t)n)
            return got < 0 ? (int)got : -EIO;
        x->have += n;
    }
    return 0;
}

int wlog_read_frame(struct wlog_read *x, size_t at, enum wlog_found *found,
                    struct wlog_frame *frame, const char **text)
{
    for (size_t step = WLOG_UNIT;; step = x->have - at + 1) {
        int rc = wlog_read_upto(x, x->len - at < step ? x->len : at + step);
        if (rc)
            return rc;
        *found = wlog_frame_read(x->bytes + at, x->have - at, frame, text);
        if (*found != WLOG_TORN || x->have == x->len)
            return 0;
    }
}

void wlog_read_forget(struct wlog_read *x, size_t from, size_t to)
{
    if (to > from)
        madvise(x->bytes + from, to - from, MADV_DONTNEED);
}

void wlog_read_again(struct wlog_read *x)
{
    wlog_read_forget(x, 0, x->have);
    x->have = 0;
}
