#pragma once
/* Inside of the store: files and folders (store.c), operations on them (store_io.c). */
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
    struct list idle; /* in store.idle when open and not busy */
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
    struct store_file **named;
    uint32_t n_named;
    struct list waiting, ended; /* store_read */
    unsigned reading;
    uint64_t reading_bytes; /* of all that did not end yet */
    struct task end_reads;
    struct store_stats stats;
};

/* Opens the file if it is closed, and keeps it open until store_file_rest. 0/-errno. */
int store_file_use(struct store_file *f);
void store_file_rest(struct store_file *f);
/* Is the open file as long as the root says? 0, -EBADMSG, -errno. */
int store_file_check_size(struct store_file *f, struct error_info *err);
