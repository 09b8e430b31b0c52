#pragma once
/* Fake disk, shared by sim_disk.c (contents) and sim_names.c (directories). */
#include "reactor/sim_impl.h"

/* A file's contents. Owner: whoever holds references: names, changes, descriptors. */
struct sim_inode {
    unsigned references;
    uint8_t *bytes;   /* as a reader sees them */
    uint8_t *durable; /* as they would survive a power loss */
    uint8_t *dirty;   /* per sector: bytes differ from what was synced */
    size_t size, durable_size, cap;
    uint64_t dirty_first, dirty_end; /* sectors; end 0 = none */
};

/* One name. inode NULL = a directory. */
struct sim_name {
    struct list link;
    struct sim_inode *inode;
    char path[];
};

struct sim_disk {
    struct sim *world;
    uint64_t bytes_max;
    struct list names, durable_names; /* struct sim_name, in the order of creation */
    struct list changes;              /* of names, not yet durable, oldest first */
};

struct sim_inode *sim_inode_new(void);
void sim_inode_put(struct sim_inode *i);

struct sim_name *sim_name_find(struct list *names, const char *path);
/* open(2) as far as names go: *out with a reference of its own. */
int sim_name_open(struct sim_disk *d, const char *path, int flags, struct sim_inode **out);
int sim_name_rename(struct reactor *r, const char *from, const char *to);
int sim_name_unlink(struct reactor *r, const char *path);
bool sim_name_is_dir(struct sim_disk *d, const char *path);
int sim_name_sync_dir(struct reactor *r, const char *path);
int sim_name_mkdir(struct reactor *r, const char *path);
int sim_name_list_dir(struct reactor *r, const char *path, int (*fn)(void *ctx, const char *name),
                      void *ctx);
/* Some of the changes that were not synced, from the oldest on, survive; the names are then these. */
void sim_names_power_loss(struct sim_disk *d);
