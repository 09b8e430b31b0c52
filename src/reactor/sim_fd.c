/* Descriptors of the simulator: numbers for files and sockets, lowest free one first. */
#include <stdlib.h>

#include "reactor/assert.h"
#include "reactor/sim_impl.h"

static bool is_free(const struct sim_file *f)
{
    return !f->inode && !f->socket;
}

int sim_fd_new(struct sim *w, struct sim_file file)
{
    unsigned i = 0;

    while (i < w->files_len && !is_free(&w->files[i]))
        i++;
    if (i == w->files_cap) {
        w->files_cap = w->files_cap ? w->files_cap * 2 : 64;
        w->files = realloc(w->files, w->files_cap * sizeof *w->files);
        ASSERT(w->files);
    }
    if (i == w->files_len)
        w->files_len++;
    w->files[i] = file;
    return SIM_FD_FIRST + (int)i;
}

struct sim_file *sim_fd_get(struct sim *w, int fd)
{
    unsigned i = (unsigned)(fd - SIM_FD_FIRST);

    return fd >= SIM_FD_FIRST && i < w->files_len && !is_free(&w->files[i]) ? &w->files[i] : NULL;
}

void sim_fd_free(struct sim *w, int fd)
{
    unsigned i = (unsigned)(fd - SIM_FD_FIRST);

    ASSERT(fd >= SIM_FD_FIRST && i < w->files_len);
    sim_disk_close_file(w, &w->files[i]);
    w->files[i] = (struct sim_file){0};
}
