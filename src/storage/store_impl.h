#pragma once
/* Inside of the store: files and folders (store.c), operations on them (store_io.c), deleting them (store_delete.c). */
#include "reactor/reactor.h"
#include "storage/store.h"

/* Folder of a slot in which files were made. Owner: the store, until it ends. */
struct store_folder {
    struct list link;
    uint32_t table_id, slot;
    bool archived;
    uint64_t created, synced; /* files made in it; how many of them have durable names */
    bool parents_synced;      /* its own name is durable, and those of the folders above */
};

struct store_file { /* owner: its references */
    struct store *store;
    struct datafile_id id;
    unsigned refs, busy; /* busy: operations that need fd */
    int fd;              /* -1 = closed for now */
    uint64_t bytes;
    struct chunk_ref directory; /* of the durable root */
    uint64_t directory_bytes;
    struct store_folder *folder; /* new files only */
    uint64_t entry;              /* its number among those made in the folder */
    uint64_t appends, synced;    /* ended appends; how many of them were synced */
    uint8_t *header;             /* not yet written */
    uint64_t mark;               /* store_set_named */
    bool appending, dropped;
    struct store_shared *shared; /* or NULL */
    struct list
        idle; /* in store.idle when open and not busy, in store.dropped when nobody has it */
    char name[];
};

struct store { /* owner: the core */
    struct reactor *reactor;
    struct device_pace *pace; /* or NULL */
    char *dir;
    char directory_id[33];
    bool buffered;        /* the file system has no O_DIRECT */
    bool abandoned;       /* store_abandon */
    unsigned files, open; /* that exist; with a descriptor */
    uint64_t marks;
    struct list idle, folders; /* idle: longest unused first */
    struct list dropped;       /* files to delete */
    struct task delete;        /* one of them */
    struct timer delete_turn;  /* for the device */
    bool ending;               /* store_stop */
    struct store_file **named;
    uint32_t n_named;
    struct list waiting, ended; /* store_read */
    unsigned reading;
    uint64_t reading_bytes; /* of all that did not end yet */
    uint64_t awaited_bytes; /* of these, without store_read.ahead */
    struct task end_reads;
    struct store_stats stats;
};

/* Opens the file if it is closed, and keeps it open until store_file_rest. 0/-errno. */
int store_file_use(struct store_file *f);
void store_file_rest(struct store_file *f);
/* A chunk through a descriptor of the file, which is in use: as store_read_now. */
int store_read_from(struct store_file *f, int fd, const struct chunk_ref *ref, uint8_t **bytes,
                    struct error_info *err);
/* Is the open file as long as the root says? 0, -EBADMSG, -errno. */
int store_file_check_size(struct store_file *f, struct error_info *err);

/* The newest root names it no more. */
void store_shared_unname(struct store_file *f);
/* The last reference of this core went: true when it was the last of all, and no root names the file. */
bool store_shared_last(struct store_file *f);

static inline bool store_is_same_file(const struct datafile_id *a, const struct datafile_id *b)
{
    return a->kind == b->kind && a->table_id == b->table_id && a->slot == b->slot &&
           a->partition == b->partition && a->generation == b->generation &&
           a->archived == b->archived;
}

void store_free_file(struct store_file *f); /* closed */
/* Takes over the closed file and deletes it from the disk in its turn. */
void store_delete(struct store_file *f);
task_fn store_delete_run;
timer_fn store_delete_turn;
/* Deletes the file with this id now when it waits for its turn: -ENOENT when none does. */
int store_delete_now(struct store *s, const struct datafile_id *id);
void store_delete_all(struct store *s);
