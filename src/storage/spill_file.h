#pragma once
/*
 * Temporary files for what does not fit into memory: pieces of one size, taken and given back by number. The file
 * loses its name as soon as it is open, so that nothing of it outlives the process; what a crash between
 * the two left goes at the next start. Reading and writing are the owner's, through the ring. Owner: a core.
 */
#include <stdint.h>

#include "reactor/list.h"
#include "reactor/reactor.h"

enum { SPILL_PIECE = 64 << 10 };

/* Where a core puts its temporary files, and how much it may. Zeroed but for dir and limit. Owner: the core's gateway, or a test. */
struct spill_space {
    const char *dir;   /* not owned */
    uint64_t limit;    /* bytes of all files of the core together; 0 = what the file system has */
    uint64_t used;     /* bytes the files have now */
    uint64_t written;  /* bytes ever handed out: for figures */
    uint64_t n_files;  /* made so far: names */
    uint32_t holders;  /* statements that hold buffers for temporary files, */
    uint64_t ended_ns; /* and when the last one ended */
    uint32_t begun;    /* statements that may come to hold much, */
    struct list queue; /* and those that wait to begin, in the order they came; sql/spill.c's */
};

/* One temporary file. Owner: who opened it, until closed was called. */
struct spill_file {
    struct reactor *reactor;
    struct spill_space *space;
    int fd;                   /* for io_read and io_write: piece n is at n * SPILL_PIECE */
    uint32_t n_pieces, asked; /* pieces it has; of so many the file system was asked */
    uint32_t *unused;         /* pieces given back */
    uint32_t n_unused, cap_unused;
    void (*closed)(struct spill_file *f);
    struct task task;
    char name[512];
};

/* Opens a new file in the space: 0 or -errno. */
int spill_file_open(struct spill_file *f, struct reactor *r, struct spill_space *space);
/* A piece to write: 0, -ENOSPC when the file system is nearly full, -EDQUOT at the limit of the space, -errno. */
int spill_file_take(struct spill_file *f, uint32_t *piece);
/* The piece is not needed any more; nothing reads or writes it now. */
void spill_file_give(struct spill_file *f, uint32_t piece);
/* Frees the file's space a step a turn, as a large file takes long; then calls closed, never at once. */
void spill_file_close(struct spill_file *f, void (*closed)(struct spill_file *f));

/* Makes the folder when it is missing and deletes what a crash left there. At start, core 0: 0 or -errno. */
int spill_folder_clean(struct reactor *r, const char *dir);
