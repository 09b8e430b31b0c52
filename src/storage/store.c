/* The store's files: descriptors, folders, and which of them the root names. */
#include "storage/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/log.h"
#include "storage/store_impl.h"

enum { ER_CANT_CREATE = 1004, ER_CANT_OPEN = 1016, ER_READ = 1024 };

struct reactor *store_reactor(struct store *s)
{
    return s->reactor;
}

void store_set_pace(struct store *s, struct device_pace *pace)
{
    s->pace = pace;
}

void store_get_stats(const struct store *s, struct store_stats *out)
{
    *out = s->stats;
}

static void close_file(struct store_file *f)
{
    struct store *s = f->store;

    if (f->fd < 0)
        return;
    list_remove(&f->idle);
    if (!s->abandoned)
        file_close(s->reactor, f->fd);
    f->fd = -1;
    s->open--;
}

/* Closes files that nothing needs, longest unused first, until `keep` are open or all are needed. */
static void close_idle(struct store *s, unsigned keep)
{
    while (s->open > keep && !list_is_empty(&s->idle))
        close_file(container_of(s->idle.next, struct store_file, idle));
}

static int open_path(struct store *s, const char *path, int flags)
{
    int fd;

    if (!s->buffered) {
        fd = file_open(s->reactor, path, O_RDWR | O_CLOEXEC | O_DIRECT | flags, 0600);
        if (fd != -EINVAL)
            return fd;
        s->buffered = true;
        /* Some kernels make the file before they find that it cannot be opened so. */
        flags &= ~O_EXCL;
    }
    return file_open(s->reactor, path, O_RDWR | O_CLOEXEC | flags, 0600);
}

static int open_file(struct store_file *f, int flags)
{
    struct store *s = f->store;
    int fd = open_path(s, f->name, flags);

    if (fd == -EMFILE || fd == -ENFILE) {
        close_idle(s, 0);
        fd = open_path(s, f->name, flags);
    }
    if (fd < 0)
        return fd;
    f->fd = fd;
    s->open++;
    return 0;
}

int store_file_use(struct store_file *f)
{
    int rc = f->fd < 0 ? open_file(f, 0) : 0;

    if (rc == 0) {
        list_remove(&f->idle);
        f->busy++;
    }
    return rc;
}

void store_file_rest(struct store_file *f)
{
    ASSERT(f->busy > 0);
    /* Until its appends are synced a file stays open: errors of the device are told to its descriptor. */
    if (--f->busy > 0 || f->synced != f->appends)
        return;
    if (f->id.archived) { /* whoever moves it away gets its room at once */
        close_file(f);
        return;
    }
    list_push_back(&f->store->idle, &f->idle);
    close_idle(f->store, STORE_OPEN_FILES);
}

static struct store_file *file_new(struct store *s, const struct datafile_id *id, uint64_t bytes)
{
    char path[DATAFILE_PATH_MAX];
    struct store_file *f;
    size_t cap;

    datafile_path(path, sizeof(path), id);
    cap = strlen(s->dir) + 1 + strlen(path) + 1;
    f = calloc(1, sizeof(*f) + cap);
    if (!f)
        return NULL;
    f->store = s;
    f->id = *id;
    f->refs = 1;
    f->fd = -1;
    f->bytes = bytes;
    list_init(&f->idle);
    snprintf(f->name, cap, "%s/%s", s->dir, path);
    s->files++;
    return f;
}

int store_file_check_size(struct store_file *f, struct error_info *err)
{
    int64_t n = file_size(f->store->reactor, f->fd);

    if (n < 0)
        return error_set(err, (int)n, ER_READ, "size of %s: %s", f->name, strerror((int)-n));
    if ((uint64_t)n < f->bytes || f->bytes < DATAFILE_UNIT)
        return error_set(err, -EBADMSG, ER_READ, "%s has %lld bytes, %llu were expected", f->name,
                         (long long)n, (unsigned long long)f->bytes);
    return 0;
}

static int check_file(struct store_file *f, struct error_info *err)
{
    struct store *s = f->store;
    uint8_t *unit;
    struct error_info why;
    int64_t n;
    int rc = store_file_check_size(f, err);

    if (rc != 0)
        return rc;
    unit = aligned_alloc(DATAFILE_UNIT, DATAFILE_UNIT);
    if (!unit)
        return error_set(err, -ENOMEM, 0, "out of memory opening %s", f->name);
    n = file_read_at(s->reactor, f->fd, unit, DATAFILE_UNIT, 0);
    if (n != DATAFILE_UNIT) {
        rc = n < 0 ? -EIO : -EBADMSG;
        error_set(err, rc, ER_READ, "reading %s at offset 0: %s", f->name,
                  n < 0 ? strerror((int)-n) : "the file ends in its header");
    } else {
        rc = datafile_check_header(unit, &f->id, s->directory_id, &why);
        if (rc != 0)
            error_set(err, rc, ER_READ, "%s: header at offset 0: %s", f->name, why.text);
    }
    free(unit);
    return rc;
}

int store_file_refer(struct store *s, const struct datafile_id *id, uint64_t bytes,
                     struct store_file **out)
{
    *out = file_new(s, id, bytes);
    return *out ? 0 : -ENOMEM;
}

int store_file_check(struct store_file *f, struct error_info *err)
{
    int rc = store_file_use(f);

    if (rc != 0)
        return error_set(err, rc, ER_CANT_OPEN, "opening %s: %s", f->name, strerror(-rc));
    rc = check_file(f, err);
    store_file_rest(f);
    return rc;
}

int store_file_open(struct store *s, const struct datafile_id *id, uint64_t bytes,
                    struct store_file **out, struct error_info *err)
{
    struct store_file *f;
    int rc = store_file_refer(s, id, bytes, &f);

    if (rc != 0)
        return error_set(err, -ENOMEM, 0, "out of memory opening a data file");
    rc = store_file_check(f, err);
    if (rc != 0) {
        store_file_put(f);
        return rc;
    }
    *out = f;
    return 0;
}

static struct store_folder *folder_of(struct store *s, const struct datafile_id *id)
{
    struct store_folder *x;

    list_for_each(at, &s->folders)
    {
        x = container_of(at, struct store_folder, link);
        if (x->table_id == id->table_id && x->slot == id->slot && x->archived == id->archived)
            return x;
    }
    x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    x->table_id = id->table_id;
    x->slot = id->slot;
    x->archived = id->archived;
    list_push_back(&s->folders, &x->link);
    return x;
}

/* Every folder on the way from the data directory to the file. */
static int make_folders(struct store_file *f)
{
    int rc = 0;

    for (char *slash = strchr(f->name + strlen(f->store->dir) + 1, '/'); slash && rc == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        rc = file_mkdir(f->store->reactor, f->name);
        *slash = '/';
    }
    return rc;
}

static bool is_named(const struct store *s, const struct datafile_id *id)
{
    for (uint32_t i = 0; i < s->n_named; i++) {
        if (store_is_same_file(&s->named[i]->id, id))
            return true;
    }
    return false;
}

/* Makes the file and, where they lack, its folders. */
static int make_file(struct store_file *f)
{
    int rc = open_file(f, O_CREAT | O_EXCL);

    if (rc == -ENOENT) {
        rc = make_folders(f);
        f->folder->parents_synced = false;
    } else if (rc == -EEXIST && !is_named(f->store, &f->id)) {
        rc = store_delete_now(f->store, &f->id);
        if (rc == -ENOENT)
            rc = file_unlink(f->store->reactor, f->name);
    } else {
        return rc;
    }
    return rc == 0 ? open_file(f, O_CREAT | O_EXCL) : rc;
}

static int create_file(struct store_file *f)
{
    int rc;

    f->folder = folder_of(f->store, &f->id);
    f->header = aligned_alloc(DATAFILE_UNIT, DATAFILE_UNIT);
    if (!f->folder || !f->header)
        return -ENOMEM;
    datafile_header(&f->id, f->store->directory_id, f->header);
    rc = make_file(f);
    if (rc == 0) {
        f->entry = ++f->folder->created;
        list_push_back(&f->store->idle, &f->idle);
        close_idle(f->store, STORE_OPEN_FILES);
    }
    return rc;
}

int store_file_create(struct store *s, const struct datafile_id *id, struct store_file **out,
                      struct error_info *err)
{
    struct store_file *f = file_new(s, id, DATAFILE_UNIT);
    int rc;

    if (!f)
        return error_set(err, -ENOMEM, 0, "out of memory making a data file");
    rc = create_file(f);
    if (rc != 0) {
        error_set(err, rc, ER_CANT_CREATE, "making %s: %s", f->name, strerror(-rc));
        store_file_put(f);
        return rc;
    }
    *out = f;
    return 0;
}

struct store_file *store_file_get(struct store_file *f)
{
    f->refs++;
    return f;
}

void store_file_put(struct store_file *f)
{
    struct store *s;

    if (!f || --f->refs > 0)
        return;
    s = f->store;
    ASSERT(f->busy == 0 || s->abandoned);
    close_file(f);
    if (f->shared)
        f->dropped = store_shared_last(f);
    if (!f->dropped || s->abandoned) {
        store_free_file(f);
        return;
    }
    store_delete(f);
}

void store_file_drop(struct store_file *f)
{
    f->dropped = true;
}

const struct datafile_id *store_file_id(const struct store_file *f)
{
    return &f->id;
}

uint64_t store_file_bytes(const struct store_file *f)
{
    return f->bytes;
}

const char *store_file_name(const struct store_file *f)
{
    return f->name;
}

void store_file_set_directory(struct store_file *f, const struct chunk_ref *ref, uint64_t bytes)
{
    f->directory = *ref;
    f->directory_bytes = bytes;
}

void store_file_directory(const struct store_file *f, struct chunk_ref *ref, uint64_t *bytes)
{
    *ref = f->directory;
    *bytes = f->directory_bytes;
}

void store_file_shrink(struct store_file *f)
{
    int rc;

    /* Chunks before that length may be on their way to readers. */
    ASSERT(!f->appending || f->store->abandoned);
    if (f->store->abandoned || !f->directory.offset || f->bytes == f->directory_bytes)
        return;
    rc = store_file_use(f);
    if (rc == 0) {
        rc = file_truncate(f->store->reactor, f->fd, f->directory_bytes);
        store_file_rest(f);
    }
    if (rc == 0)
        f->bytes = f->directory_bytes;
    else
        log_warn("storage: shortening %s: %s", f->name, strerror(-rc));
}

int store_add_named(struct store *s, struct store_file *f)
{
    /* Grown at powers of two. */
    if ((s->n_named & (s->n_named - 1)) == 0) {
        uint32_t cap = s->n_named ? s->n_named * 2 : 1;
        struct store_file **grown = realloc(s->named, cap * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        s->named = grown;
    }
    s->named[s->n_named++] = store_file_get(f);
    return 0;
}

void store_set_named(struct store *s, struct store_file **files, uint32_t n)
{
    struct store_file **old = s->named;
    uint32_t n_old = s->n_named;

    s->marks++;
    for (uint32_t i = 0; i < n; i++)
        files[i]->mark = s->marks;
    s->named = files;
    s->n_named = n;
    for (uint32_t i = 0; i < n_old; i++) {
        if (old[i]->mark != s->marks && old[i]->shared)
            store_shared_unname(old[i]);
        else if (old[i]->mark != s->marks)
            store_file_drop(old[i]);
        store_file_put(old[i]);
    }
    free(old);
}

int store_new(struct reactor *r, const char *data_dir, const char directory_id[33],
              struct store **out)
{
    struct store *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->dir = strdup(data_dir);
    if (!s->dir) {
        free(s);
        return -ENOMEM;
    }
    s->reactor = r;
    memcpy(s->directory_id, directory_id, sizeof(s->directory_id));
    list_init(&s->idle);
    list_init(&s->dropped);
    s->delete.run = store_delete_run;
    s->delete_turn.fire = store_delete_turn;
    list_init(&s->folders);
    list_init(&s->waiting);
    list_init(&s->ended);
    *out = s;
    return 0;
}

static void free_folders(struct store *s)
{
    list_for_each_safe(at, &s->folders)
    {
        free(container_of(at, struct store_folder, link));
    }
}

void store_abandon(struct store *s)
{
    s->abandoned = true;
}

bool store_is_abandoned(const struct store *s)
{
    return s->abandoned;
}

bool store_is_quiet(const struct store *s)
{
    return !s->reading && list_is_empty(&s->waiting) && list_is_empty(&s->ended);
}

void store_free(struct store *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_named; i++)
        store_file_put(s->named[i]);
    store_delete_all(s);
    ASSERT(s->abandoned || (s->files == 0 && s->reading == 0));
    ASSERT(s->abandoned || (list_is_empty(&s->waiting) && list_is_empty(&s->ended)));
    free(s->named);
    free_folders(s);
    free(s->dir);
    free(s);
}
