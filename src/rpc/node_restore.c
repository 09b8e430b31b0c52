#include "rpc/node_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/io.h"
#include "reactor/log.h"
#include "rpc/local_ddl.h"
#include "storage/checkpoint.h"

/* What a core takes over. Owner: the call of node_restore, which waits for all of them. */
struct restore_share {
    struct local *local;
    struct post post;
    struct root_file *files; /* in the root's order */
    uint32_t n, cap;
    int rc;
    struct error_info error;
    sem_t *done;
};

struct restore { /* owner: the call of node_restore */
    struct node *node;
    struct restore_share *shares; /* one per core */
    struct reactor *reactor;
    struct error_info *err;
    struct node_restored *out;
    uint32_t slot;       /* the last one told */
    unsigned halvings;   /* of its slots since it was made */
    uint64_t generation; /* the highest of its files */
};

static int take_head(void *ctx, const struct root_head *h)
{
    struct restore *x = ctx;
    struct node *n = x->node;
    struct catalog *c;
    int rc = catalog_decode(h->catalog, h->catalog_len, &c, x->err);

    if (rc)
        return rc;
    if (h->doublings > n->dir.doublings) {
        catalog_put(c);
        return error_set(x->err, -EBADMSG, 0,
                         "its slots were doubled %u times, those of the data directory %u",
                         h->doublings, n->dir.doublings);
    }
    x->halvings = n->dir.doublings - h->doublings;
    x->out->log_generation = h->log_generation;
    n->root_round = h->round;
    n->definitions_lsn = h->definitions_lsn;
    int64_t key_ms = (int64_t)(h->wall_us / 1000) - HIDDEN_KEY_EPOCH_MS;
    for (unsigned i = 0; i < n->cores; i++) {
        n->locals[i]->key_ms = key_ms > 0 ? key_ms : 0;
        n->locals[i]->key_n = (1U << HIDDEN_KEY_NUMBER_BITS) - 1;
    }
    rc = local_take_catalog(n, c);
    return rc ? error_set(x->err, rc, 0, "out of memory for the tables of the checkpoint") : 0;
}

static int take_slot(void *ctx, const struct root_slot *s)
{
    struct restore *x = ctx;
    struct node *n = x->node;

    if (s->slot >> (n->dir.slot_bits - x->halvings))
        return error_set(x->err, -EBADMSG, 0,
                         "the checkpoint has slot %u; the data directory has %u slots", s->slot,
                         1U << (n->dir.slot_bits - x->halvings));
    x->slot = s->slot;
    for (uint32_t k = 0, slot = s->slot << x->halvings; k < 1U << x->halvings; k++, slot++) {
        struct local *l = n->locals[shard_core_of_slot(slot, n->cores)];

        l->slot_lsn[slot] = n->root_lsn[slot] = s->lsn;
        for (uint32_t i = 0; i < s->n_batches; i++)
            dedupe_restore(&l->dedupe, slot, &s->batches[i]);
    }
    return 0;
}

static int note_id(struct restore *x, const struct datafile_id *id)
{
    struct node_restored *o = x->out;

    if (o->n_ids == o->cap_ids) {
        uint32_t cap = o->cap_ids ? o->cap_ids * 2 : 64;
        struct datafile_id *ids = realloc(o->ids, cap * sizeof(*ids));
        if (!ids)
            return error_set(x->err, -ENOMEM, 0, "out of memory for the files of the checkpoint");
        o->ids = ids;
        o->cap_ids = cap;
    }
    o->ids[o->n_ids++] = *id;
    return 0;
}

static int add_file(struct restore *x, const struct root_file *f)
{
    struct restore_share *share = &x->shares[shard_core_of_slot(f->slot, x->node->cores)];

    if (share->n == share->cap) {
        uint32_t cap = share->cap ? share->cap * 2 : 64;
        struct root_file *files = realloc(share->files, cap * sizeof(*files));
        if (!files)
            return error_set(x->err, -ENOMEM, 0, "out of memory for the files of the checkpoint");
        share->files = files;
        share->cap = cap;
    }
    share->files[share->n++] = *f;
    return 0;
}

static int take_file(void *ctx, const struct root_file *f)
{
    struct restore *x = ctx;
    struct root_file one = *f;
    int rc = 0;

    if (f->slot != x->slot)
        return error_set(x->err, -EBADMSG, 0, "the checkpoint has a file of slot %u at slot %u",
                         f->slot, x->slot);
    if (f->id.archived && x->halvings)
        return error_set(x->err, -ENOTSUP, 0,
                         "slot %u has an archived partition, but was split since", x->slot);
    if (x->generation < f->id.generation)
        x->generation = f->id.generation;
    one.shared |= x->halvings > 0;
    for (uint32_t k = 0; k < 1U << x->halvings && !rc; k++) {
        one.slot = (f->slot << x->halvings) + k;
        rc = add_file(x, &one);
    }
    return rc ? rc : note_id(x, &f->id);
}

static void load_share(struct restore_share *share)
{
    struct local *l = share->local;

    for (uint32_t i = 0; i < share->n; i++) {
        struct root_file *f = &share->files[i];

        if (!share->rc)
            share->rc = checkpoint_load_file(l->shard, l->store, f, &share->error);
        else if (f->sharing)
            store_shared_close(f->sharing);
    }
}

static void share_posted(struct reactor *r, void *ctx)
{
    struct restore_share *share = ctx;

    (void)r;
    load_share(share);
    sem_post(share->done);
}

/* Dictionaries are what takes time. Every core loads its own where it has a thread, else this one does it for all. */
static int load_shares(struct restore *x)
{
    struct node *n = x->node;
    sem_t done;

    sem_init(&done, 0, 0);
    for (unsigned i = 0; i < n->cores; i++) {
        x->shares[i].done = &done;
        if (n->config.cores_run && i != reactor_core(x->reactor))
            reactor_post_lent(n->locals[i]->reactor, &x->shares[i].post, share_posted,
                              &x->shares[i]);
    }
    for (unsigned i = 0; i < n->cores; i++)
        if (!n->config.cores_run || i == reactor_core(x->reactor))
            load_share(&x->shares[i]);
    for (unsigned i = 1; n->config.cores_run && i < n->cores; i++)
        while (sem_wait(&done))
            continue;
    sem_destroy(&done);
    for (unsigned i = 0; i < n->cores; i++)
        if (x->shares[i].rc) {
            *x->err = x->shares[i].error;
            return x->shares[i].rc;
        }
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    const struct datafile_id *x = a, *y = b;

    if (x->table_id != y->table_id)
        return x->table_id < y->table_id ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->partition != y->partition)
        return x->partition < y->partition ? -1 : 1;
    return (x->generation > y->generation) - (x->generation < y->generation);
}

static int compare_files(const void *a, const void *b)
{
    const struct root_file *const *x = a, *const *y = b;

    return compare_ids(&(*x)->id, &(*y)->id);
}

/* All that name the same file know of each other. */
static int share_files(struct node *n, struct root_file **files, uint32_t count)
{
    uint32_t end;

    if (count)
        qsort(files, count, sizeof(*files), compare_files);
    for (uint32_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && !compare_ids(&files[i]->id, &files[end]->id); end++)
            continue;
        struct store_shared *shared = store_shared_new(end - i, &n->shared_files);
        if (!shared)
            return -ENOMEM;
        for (uint32_t k = i; k < end; k++)
            files[k]->sharing = shared;
    }
    return 0;
}

static int find_shared(struct restore *x)
{
    struct root_file **files;
    uint32_t all = 0, n = 0;

    for (unsigned i = 0; i < x->node->cores; i++)
        all += x->shares[i].n;
    files = malloc((all + 1) * sizeof(*files));
    for (unsigned i = 0; files && i < x->node->cores; i++)
        for (uint32_t k = 0; k < x->shares[i].n; k++)
            if (x->shares[i].files[k].shared)
                files[n++] = &x->shares[i].files[k];
    int rc = files ? share_files(x->node, files, n) : -ENOMEM;
    free(files);
    return rc ? error_set(x->err, rc, 0, "out of memory for the files of the checkpoint") : 0;
}

static bool is_named(void *ctx, const struct datafile_id *id)
{
    const struct node_restored *o = ctx;

    return o->n_ids && bsearch(id, o->ids, o->n_ids, sizeof(*o->ids), compare_ids);
}

int node_read_root(struct node *n, struct reactor *r, uint8_t **bytes, size_t *len,
                   struct error_info *err)
{
    char path[4096];
    int64_t got = 0;

    snprintf(path, sizeof(path), "%s/" ROOT_FILE, n->data_dir);
    int fd = file_open(r, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd == -ENOENT)
        return fd;
    int64_t size = fd < 0 ? fd : file_size(r, fd);
    *bytes = size >= 0 && size <= ROOT_MAX_BYTES ? malloc((size_t)size + 1) : NULL;
    for (*len = 0; *bytes && *len < (size_t)size; *len += (size_t)got) {
        got = file_read_at(r, fd, *bytes + *len, (size_t)size - *len, *len);
        if (got <= 0)
            break;
    }
    if (fd >= 0)
        file_close(r, fd);
    if (*bytes && *len == (size_t)size)
        return 0;
    int rc = size < 0 ? (int)size : got < 0 ? (int)got : size > ROOT_MAX_BYTES ? -EFBIG : -EIO;
    free(*bytes);
    *bytes = NULL;
    return error_set(err, rc, 0, "checkpoint %s cannot be read: %s", path, strerror(-rc));
}

static int decode_root(struct restore *x, const uint8_t *bytes, size_t len)
{
    const struct root_visitor v = {take_head, take_slot, take_file, x};
    struct error_info why;

    int rc = root_decode(bytes, len, x->node->dir.id, &v, x->err);
    if (rc) {
        why = *x->err;
        error_set(x->err, rc, 0, "checkpoint %s/" ROOT_FILE ": %s", x->node->data_dir, why.text);
    }
    return rc;
}

int node_restore(struct node *n, struct reactor *r, struct node_restored *out,
                 struct error_info *err)
{
    struct restore x = {.node = n, .reactor = r, .err = err, .out = out};
    uint8_t *bytes = NULL;
    size_t len;

    *out = (struct node_restored){.log_generation = 1};
    err->text[0] = 0;
    n->definitions_lsn = 1;
    n->root_lsn = calloc((size_t)1 << n->dir.slot_bits, sizeof(*n->root_lsn));
    if (!n->root_lsn)
        return error_set(err, -ENOMEM, 0, "out of memory at start");
    int rc = node_read_root(n, r, &bytes, &len, err);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    x.shares = calloc(n->cores, sizeof(*x.shares));
    for (unsigned i = 0; x.shares && i < n->cores; i++)
        x.shares[i].local = n->locals[i];
    rc = x.shares ? decode_root(&x, bytes, len)
                  : error_set(err, -ENOMEM, 0, "out of memory at start");
    if (!rc)
        rc = find_shared(&x);
    if (!rc)
        rc = load_shares(&x);
    for (unsigned i = 0; !rc && n->dir.doublings && i < n->cores; i++)
        shard_raise_generation(n->locals[i]->shard,
                               x.generation); /* no slot makes a file that another has */
    for (unsigned i = 0; x.shares && i < n->cores; i++)
        free(x.shares[i].files);
    free(x.shares);
    free(bytes);
    if (!rc)
        log_info("checkpoint %" PRIu64 " taken over: %" PRIu32 " data files", n->root_round,
                 out->n_ids);
    return rc;
}

int node_restore_tidy(struct node *n, struct reactor *r, struct node_restored *restored, bool keep,
                      struct error_info *err)
{
    int rc = 0;

    if (restored->n_ids)
        qsort(restored->ids, restored->n_ids, sizeof(*restored->ids), compare_ids);
    if (!keep)
        rc = checkpoint_sweep(r, n->data_dir, is_named, restored);
    free(restored->ids);
    restored->ids = NULL;
    return rc ? error_set(err, rc, 0, "data files in %s cannot be tidied up: %s", n->data_dir,
                          strerror(-rc))
              : 0;
}
