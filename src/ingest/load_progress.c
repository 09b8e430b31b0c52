#include "ingest/load_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

enum load_progress_kind load_progress_choose(const char *option)
{
    if (!strcmp(option, "bar"))
        return LOAD_PROGRESS_BAR;
    if (!strcmp(option, "json"))
        return LOAD_PROGRESS_JSON;
    return !strcmp(option, "auto") && isatty(STDERR_FILENO) ? LOAD_PROGRESS_BAR
                                                            : LOAD_PROGRESS_NONE;
}

static void show_bar(double share, uint64_t rows, unsigned files, unsigned all, double seconds)
{
    char bar[BAR_WIDTH + 1];
    int filled = (int)(share * BAR_WIDTH);

    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = 0;
    double left = share > 0.01 ? seconds / share - seconds : 0;
    fprintf(stderr, "\r[%s] %3.0f %%  %" PRIu64 " rows  %.0f rows/s  file %u of %u  %.0f s left ",
            bar, share * 100, rows, seconds > 0 ? (double)rows / seconds : 0,
            files < all ? files + 1 : all, all, left);
    fflush(stderr);
}

void load_progress_show(enum load_progress_kind kind, struct load *l, double seconds)
{
    uint64_t rows = atomic_load(&l->rows), bytes = atomic_load(&l->bytes_done);
    unsigned files = atomic_load(&l->files_done);
    double share = l->config.files.bytes ? (double)bytes / (double)l->config.files.bytes : 1;

    if (share > 1)
        share = 1;
    if (kind == LOAD_PROGRESS_BAR)
        show_bar(share, rows, files, l->config.files.n, seconds);
    else if (kind == LOAD_PROGRESS_JSON)
        fprintf(stderr,
                "{\"rows\":%" PRIu64 ",\"rejected\":%" PRIu64
                ",\"files_done\":%u,\"files\":%u,\"share\":%.3f,\"seconds\":%.1f}\n",
                rows, (uint64_t)atomic_load(&l->rejected), files, l->config.files.n, share,
                seconds);
}

void load_progress_end(enum load_progress_kind kind)
{
    if (kind == LOAD_PROGRESS_BAR)
        fputc('\n', stderr);
}
