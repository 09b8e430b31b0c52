/* Files that several slots name after a split: who is the last of them. */
#include <stdlib.h>

#include "reactor/log.h"
#include "storage/store_impl.h"

struct store_shared {  /* owner: the files that have it, on any cores */
    atomic_uint open;  /* of them */
    atomic_uint named; /* by the newest root */
    atomic_uint *left; /* of all files, the sum of `named` */
};

struct store_shared *store_shared_new(unsigned files, atomic_uint *left)
{
    struct store_shared *x = malloc(sizeof(*x));

    if (!x)
        return NULL;
    atomic_init(&x->open, files);
    atomic_init(&x->named, files);
    x->left = left;
    atomic_fetch_add(left, files);
    return x;
}

void store_file_share(struct store_file *f, struct store_shared *shared)
{
    f->shared = shared;
}

bool store_file_is_shared(const struct store_file *f)
{
    return f->shared != NULL;
}

void store_file_unshare(struct store_file *f)
{
    if (atomic_fetch_sub(f->shared->left, 1) == 1)
        log_info("slots: the split has ended, every slot has files of its own");
}

void store_shared_unname(struct store_file *f)
{
    atomic_fetch_sub(&f->shared->named, 1);
    store_file_unshare(f);
}

void store_shared_close(struct store_shared *shared)
{
    if (atomic_fetch_sub(&shared->open, 1) == 1)
        free(shared);
}

bool store_shared_last(struct store_file *f)
{
    struct store_shared *x = f->shared;

    f->shared = NULL;
    if (atomic_fetch_sub(&x->open, 1) != 1)
        return false;
    bool is_named = atomic_load(&x->named) > 0;
    free(x);
    return !is_named;
}
