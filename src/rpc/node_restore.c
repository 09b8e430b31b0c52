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
    uint32_t slot; /* the last one told */
};

static int take_head(void *ctx, const struct root_head *h)
{
    struct restore *x = ctx;
    struct node *n = x->node;
    struct catalog *c;
    int rc = catalog_decode(h->catalog, h->catalog_len, &c, x->err);

    if (rc)
        return rc;
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

    if (s->slot >> n->dir.slot_bits)
        return error_set(x->err, -EBADMSG, 0,
                         "the checkpoint has slot %u; the data directory has %u slots", s->slot,
                         1U << n->dir.slot_bits);
    struct local *l = n->locals[shard_core_of_slot(s->slot, n->cores)];
    x->slot = s->slot;
    l->slot_lsn[s->slot] = n->root_lsn[s->slot] = s->lsn;
    for (uint32_t i = 0; i < s->n_batches; i++) {
        const struct root_batch *b = &s->batches[i];
        struct write_result r = {.inserted = b->inserted,
                                 .updated = b->updated,
                                 .unchanged = b->unchanged,
                                 .deleted = b->deleted,
                                 .rejected = b->rejected};
        dedupe_add(&l->dedupe, b->client, b->sequence, s->slot, &r);
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

static int take_file(void *ctx, const struct root_file *f)
{
    struct restore *x = ctx;
    struct node *n = x->node;

    if (f->id.slot != x->slot)
        return error_set(x->err, -EBADMSG, 0, "the checkpoint has a file of slot %u at slot %u",
                         f->id.slot, x->slot);
    struct restore_share *share = &x->shares[shard_core_of_slot(f->id.slot, n->cores)];
    if (share->n == share->cap) {
        uint32_t cap = share->cap ? share->cap * 2 : 64;
        struct root_file *files = realloc(share->files, cap * sizeof(*files));
        if (!files)
            return error_set(x->err, -ENOMEM, 0, "out of memory for the files of the checkpoint");
        share->files = files;
        share->cap = cap;
    }
    share->files[share->n++] = *f;
    return note_id(x, &f->id);
}

static void load_share(struct restore_share *share)
{
    struct local *l = share->local;

    for (uint32_t i = 0; i < share->n && !share->rc; i++)
        share->rc = checkpoint_load_file(l->shard, l->store, &share->files[i], &share->error);
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

static bool is_named(void *ctx, const struct datafile_id *id)
{
    const struct node_restored *o = ctx;

    return o->n_ids && bsearch(id, o->ids, o->n_ids, sizeof(*o->ids), compare_ids);
}

/* The root's bytes: 0, -ENOENT when there is none. */
static int read_root(struct restore *x, uint8_t **bytes, size_t *len)
{
    char path[4096];
    int64_t got = 0;

    snprintf(path, sizeof(path), "%s/" ROOT_FILE, x->node->data_dir);
    int fd = file_open(x->reactor, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd == -ENOENT)
        return fd;
    int64_t size = fd < 0 ? fd : file_size(x->reactor, fd);
    *bytes = size >= 0 && size <= ROOT_MAX_BYTES ? malloc((size_t)size + 1) : NULL;
    for (*len = 0; *bytes && *len < (size_t)size; *len += (size_t)got) {
        got = file_read_at(x->reactor, fd, *bytes + *len, (size_t)size - *len, *len);
        if (got <= 0)
            break;
    }
    if (fd >= 0)
        file_close(x->reactor, fd);
    if (*bytes && *len == (size_t)size)
        return 0;
    int rc = size < 0 ? (int)size : got < 0 ? (int)got : size > ROOT_MAX_BYTES ? -EFBIG : -EIO;
    free(*bytes);
    return error_set(x->err, rc, 0, "checkpoint %s cannot be read: %s", path, strerror(-rc));
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
    int rc = read_root(&x, &bytes, &len);
    if (rc)
        return rc == -ENOENT ? 0 : rc;
    x.shares = calloc(n->cores, sizeof(*x.shares));
    for (unsigned i = 0; x.shares && i < n->cores; i++)
        x.shares[i].local = n->locals[i];
    rc = x.shares ? decode_root(&x, bytes, len)
                  : error_set(err, -ENOMEM, 0, "out of memory at start");
    if (!rc)
        rc = load_shares(&x);
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
