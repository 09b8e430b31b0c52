/*
 * Names of the fake disk. A change is durable once its directory was synced; at a power loss the
 * others survive up to a random one, in order, as with a journaling file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/sim_disk.h"

enum { PATH_BYTES = 1024 };

enum change_kind { CHANGE_PUT, CHANGE_REMOVE, CHANGE_RENAME };

/* Owner: the disk's list. */
struct name_change {
    struct list link;
    enum change_kind kind;
    struct sim_inode *inode; /* PUT: the file, NULL = directory */
    char path[PATH_BYTES];
    char to[PATH_BYTES]; /* RENAME */
};

/* Without double and trailing slashes: "a//b/" and "a/b" are the same name. */
static int normalize(const char *path, char *out)
{
    size_t n = 0;

    for (; *path; path++) {
        if (*path == '/' && ((n > 0 && out[n - 1] == '/') || path[1] == 0))
            continue;
        if (n + 1 >= PATH_BYTES)
            return -ENAMETOOLONG;
        out[n++] = *path;
    }
    out[n] = 0;
    return 0;
}

static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

struct sim_name *sim_name_find(struct list *names, const char *path)
{
    char wanted[PATH_BYTES];

    if (normalize(path, wanted) != 0)
        return NULL;
    list_for_each(at, names)
    {
        struct sim_name *n = container_of(at, struct sim_name, link);

        if (strcmp(n->path, wanted) == 0)
            return n;
    }
    return NULL;
}

static void remove_name(struct sim_name *n)
{
    list_remove(&n->link);
    sim_inode_put(n->inode);
    free(n);
}

/* Sets path to inode (takes a reference), replacing what had the name. */
static void put_name(struct list *names, const char *path, struct sim_inode *inode)
{
    struct sim_name *old = sim_name_find(names, path);
    size_t len = strlen(path) + 1;
    struct sim_name *n = sim_alloc(sizeof *n + len);

    memcpy(n->path, path, len);
    n->inode = inode;
    if (inode)
        inode->references++;
    if (old)
        remove_name(old);
    list_push_back(names, &n->link);
}

static void apply(struct list *names, const struct name_change *c)
{
    struct sim_name *n = sim_name_find(names, c->path);
    struct sim_inode *inode;

    switch (c->kind) {
    case CHANGE_PUT:
        put_name(names, c->path, c->inode);
        break;
    case CHANGE_REMOVE:
        if (n)
            remove_name(n);
        break;
    case CHANGE_RENAME:
        if (!n)
            break;
        inode = n->inode;
        if (inode)
            inode->references++;
        remove_name(n);
        put_name(names, c->to, inode);
        sim_inode_put(inode);
        break;
    }
}

static void free_change(struct name_change *c)
{
    list_remove(&c->link);
    sim_inode_put(c->inode);
    free(c);
}

/* Makes a change now and notes it for the day the directory is synced. */
static void change(struct sim_disk *d, enum change_kind kind, const char *path, const char *to,
                   struct sim_inode *inode)
{
    struct name_change *c = sim_alloc(sizeof *c);

    c->kind = kind;
    snprintf(c->path, sizeof c->path, "%s", path);
    snprintf(c->to, sizeof c->to, "%s", to);
    c->inode = inode;
    if (inode)
        inode->references++;
    list_push_back(&d->changes, &c->link);
    apply(&d->names, c);
}

static bool has_dir(struct list *names, const char *path, size_t len)
{
    char dir[PATH_BYTES];
    struct sim_name *n;

    if (len == 0 || (len == 1 && path[0] == '.'))
        return true;
    snprintf(dir, sizeof dir, "%.*s", (int)len, path);
    n = sim_name_find(names, dir);
    return n && !n->inode;
}

static bool dir_exists(struct sim_disk *d, const char *path, size_t len)
{
    return has_dir(&d->names, path, len);
}

int sim_name_open(struct sim_disk *d, const char *path, int flags, struct sim_inode **out)
{
    char name[PATH_BYTES];
    struct sim_name *n;
    int rc = normalize(path, name);

    if (rc != 0)
        return rc;
    n = sim_name_find(&d->names, name);
    if (n && !n->inode)
        return -EISDIR;
    if (n && (flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (n) {
        *out = n->inode;
        (*out)->references++;
        return 0;
    }
    if (!(flags & O_CREAT) || !dir_exists(d, name, parent_length(name)))
        return -ENOENT;
    *out = sim_inode_new();
    change(d, CHANGE_PUT, name, "", *out);
    return 0;
}

int sim_name_mkdir(struct reactor *r, const char *path)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    char name[PATH_BYTES];
    struct sim_name *n;
    int rc = normalize(path, name);

    if (rc != 0)
        return rc;
    n = sim_name_find(&d->names, name);
    if (n)
        return n->inode ? -ENOTDIR : 0;
    change(d, CHANGE_PUT, name, "", NULL);
    return 0;
}

int sim_name_unlink(struct reactor *r, const char *path)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    char name[PATH_BYTES];
    int rc = normalize(path, name);
    struct sim_name *n = rc == 0 ? sim_name_find(&d->names, name) : NULL;

    if (rc != 0 || !n)
        return rc != 0 ? rc : -ENOENT;
    if (!n->inode)
        return -EISDIR;
    change(d, CHANGE_REMOVE, name, "", NULL);
    return 0;
}

int sim_name_rename(struct reactor *r, const char *from, const char *to)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    char name[PATH_BYTES], target[PATH_BYTES];
    struct sim_name *n, *old;
    int rc = normalize(from, name);

    if (rc == 0)
        rc = normalize(to, target);
    if (rc != 0)
        return rc;
    n = sim_name_find(&d->names, name);
    old = sim_name_find(&d->names, target);
    if (!n || !dir_exists(d, target, parent_length(target)))
        return -ENOENT;
    if (!n->inode) {
        /* Names below a directory hold its whole path, so moving one is not offered. */
        return -EISDIR;
    }
    if (old && !old->inode)
        return -EISDIR;
    if (n != old)
        change(d, CHANGE_RENAME, name, target, NULL);
    return 0;
}

bool sim_name_is_dir(struct sim_disk *d, const char *path)
{
    char dir[PATH_BYTES];

    return normalize(path, dir) == 0 && dir_exists(d, dir, strlen(dir));
}

static bool is_in_dir(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return parent_length(path) == n && memcmp(path, dir, n) == 0;
}

int sim_name_sync_dir(struct reactor *r, const char *path)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    char dir[PATH_BYTES];
    int rc = normalize(path, dir);

    if (rc != 0)
        return rc;
    if (!dir_exists(d, dir, strlen(dir)))
        return -ENOENT;
    sim_of(r)->counts.syncs++;
    if (sim_chance(sim_of(r), sim_of(r)->faults.sync_eio)) {
        sim_of(r)->counts.sync_eio++;
        return -EIO;
    }
    if (strcmp(dir, ".") == 0)
        dir[0] = 0;
    list_for_each_safe(at, &d->changes)
    {
        struct name_change *c = container_of(at, struct name_change, link);

        if (!is_in_dir(c->path, dir) && !is_in_dir(c->to, dir) && strcmp(c->path, dir) != 0)
            continue;
        apply(&d->durable_names, c);
        free_change(c);
    }
    return 0;
}

int sim_name_list_dir(struct reactor *r, const char *path, int (*fn)(void *ctx, const char *name),
                      void *ctx)
{
    struct sim_disk *d = sim_node_of(r)->disk;
    char dir[PATH_BYTES];
    int rc = normalize(path, dir);

    if (rc != 0)
        return rc;
    if (!dir_exists(d, dir, strlen(dir)))
        return -ENOENT;
    if (strcmp(dir, ".") == 0)
        dir[0] = 0;
    /* fn may unlink the name it is told. */
    list_for_each_safe(at, &d->names)
    {
        struct sim_name *n = container_of(at, struct sim_name, link);
        size_t skip = strlen(dir) + (dir[0] != 0);

        if (rc == 0 && is_in_dir(n->path, dir)) {
            char name[PATH_BYTES];

            snprintf(name, sizeof name, "%s", n->path + skip);
            rc = fn(ctx, name);
        }
    }
    return rc;
}

static void free_names(struct list *names)
{
    list_for_each_safe(at, names)
    {
        remove_name(container_of(at, struct sim_name, link));
    }
}

/* Names in folders whose own names were lost cannot be reached. */
static void remove_orphans(struct list *names)
{
    bool found = true;

    while (found) {
        found = false;
        list_for_each_safe(at, names)
        {
            struct sim_name *n = container_of(at, struct sim_name, link);

            if (has_dir(names, n->path, parent_length(n->path)))
                continue;
            remove_name(n);
            found = true;
        }
    }
}

void sim_names_power_loss(struct sim_disk *d)
{
    uint64_t changes = 0, kept;

    list_for_each(at, &d->changes)
    {
        changes++;
    }
    kept = sim_below(d->world, changes + 1);
    d->world->counts.lost_names += changes - kept;
    list_for_each_safe(at, &d->changes)
    {
        struct name_change *c = container_of(at, struct name_change, link);

        if (kept > 0) {
            apply(&d->durable_names, c);
            kept--;
        }
        free_change(c);
    }
    remove_orphans(&d->durable_names);
    free_names(&d->names);
    list_for_each(at, &d->durable_names)
    {
        struct sim_name *n = container_of(at, struct sim_name, link);

        put_name(&d->names, n->path, n->inode);
    }
}

void sim_disk_free(struct sim_disk *d)
{
    if (!d)
        return;
    list_for_each_safe(at, &d->changes)
    {
        free_change(container_of(at, struct name_change, link));
    }
    free_names(&d->names);
    free_names(&d->durable_names);
    free(d);
}
