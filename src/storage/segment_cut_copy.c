/*
 * Segment: columns that a whole cut needs and that are on disk only. Their chunks are read from the old file and wait
 * aside, as they lie there, until they go into an extent: nothing is decoded, no column comes into memory for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "reactor/log.h"
#include "storage/segment_impl.h"

enum {
    FETCH_BYTES = 4 << 20, /* at a time; a chunk may be larger */
    FETCH_TRIES = 5,       /* of a chunk that is wrong in another way each time */
};

/* A chunk on its way. Owner: the cut; once that has ended, itself. */
struct segment_fetch {
    struct list link;
    struct segment *segment; /* NULL = the cut has ended */
    struct store_read read;
    uint32_t block;
    uint16_t column;
    uint8_t tries;
    uint8_t *wrong; /* what was read last, without its checksum; or NULL */
};

static void fetch_free(struct segment_fetch *f)
{
    list_remove(&f->link);
    store_file_put(f->read.file);
    free(f->wrong);
    free(f);
}

static void take(struct segment *g, struct segment_fetch *f)
{
    struct segment_block *b = g->blocks[f->block];
    struct segment_column *d = &b->disk[f->column];
    const struct chunk_ref *ref = &f->read.ref;
    uint8_t *copy;

    d->fetching = false;
    g->fetching_bytes -= ref->len;
    if (!d->in_cut || d->encoded || d->aside)
        return; /* given up, or it came into memory meanwhile */
    copy = f->read.rc == 0 ? malloc(ref->len) : NULL;
    if (!copy) {
        g->error = f->read.error;
        segment_cut_give_up(g, f->read.rc == 0 || f->read.rc == -ENOMEM ? -ENOMEM : -EIO);
        return;
    }
    if (!datafile_check_chunk(ref, f->read.bytes))
        log_error("%s, offset %" PRIu64 ": damaged: a chunk of %" PRIu32
                  " bytes does not have its checksum; it is copied as it is",
                  store_file_name(f->read.file), ref->offset, ref->len);
    memcpy(copy, f->read.bytes, ref->len);
    segment_cut_take_aside(g, d, copy, ref->len);
    d->raw = true;
    g->fetching_bytes += ref->len;
    d->cut = d->disk;
    b->pending--;
}

/* Only what is wrong in the same way twice lies so on disk, and may be copied: the rest is read again. True: it is on its
 * way. */
static bool read_again(struct segment *g, struct segment_fetch *f)
{
    struct store_read *x = &f->read;
    uint32_t len = x->ref.len;

    if (x->rc != 0 || datafile_check_chunk(&x->ref, x->bytes) ||
        (f->wrong && memcmp(f->wrong, x->bytes, len) == 0))
        return false;
    if (++f->tries == FETCH_TRIES) {
        x->rc = error_set(&x->error, -EIO, 1030,
                          "%s, offset %" PRIu64 ": a chunk of %" PRIu32
                          " bytes is read differently each time",
                          store_file_name(x->file), x->ref.offset, len);
        return false;
    }
    if (!f->wrong)
        f->wrong = malloc(len);
    if (!f->wrong) {
        x->rc = -ENOMEM;
        return false;
    }
    memcpy(f->wrong, x->bytes, len);
    store_read(g->store, x);
    return true;
}

static void fetched(struct store_read *x)
{
    struct segment_fetch *f = x->ctx;
    struct segment *g = f->segment;

    if (g && read_again(g, f))
        return;
    if (g) {
        take(g, f);
        reactor_task(store_reactor(g->store), g->cut_wake, TASK_BULK);
    }
    fetch_free(f);
}

static int request(struct segment *g, uint32_t block, unsigned column)
{
    struct segment_column *d = &g->blocks[block]->disk[column];
    struct segment_fetch *f = calloc(1, sizeof *f);

    if (!f)
        return -ENOMEM;
    f->segment = g;
    f->block = block;
    f->column = (uint16_t)column;
    f->read.file = store_file_get(g->file);
    f->read.ref = d->disk.ref;
    f->read.unchecked = true;
    f->read.done = fetched;
    f->read.ctx = f;
    list_push_back(&g->cut_fetches, &f->link);
    d->fetching = true;
    g->fetching_bytes += f->read.ref.len;
    store_read(g->store, &f->read);
    return 0;
}

static bool wants(const struct segment *g, const struct segment_block *b, unsigned column)
{
    const struct segment_column *d = &b->disk[column];

    return d->in_cut && !d->encoded && !d->aside && !d->fetching &&
           segment_column_absent(g, b, column);
}

void segment_cut_fetch(struct segment *g, struct task *wake)
{
    int rc = 0;

    ASSERT(g->cut && g->cut_left);
    if (!g->cut_fetches.next)
        list_init(&g->cut_fetches);
    g->cut_wake = wake;
    /* In the order in which they are encoded, which begins with the block at work. */
    for (uint32_t i = 0, at = g->cut_at; i < g->cut_blocks && rc == 0; i++) {
        struct segment_block *b = g->blocks[at];

        for (unsigned c = 0; c <= g->schema->n_columns && rc == 0; c++) {
            if (g->fetching_bytes >= FETCH_BYTES)
                return;
            if (wants(g, b, c))
                rc = request(g, at, c);
        }
        at = at + 1 < g->cut_blocks ? at + 1 : 0;
    }
    if (rc != 0 && list_is_empty(&g->cut_fetches)) {
        segment_cut_give_up(g, rc);
        reactor_task(store_reactor(g->store), wake, TASK_BULK);
    }
}

void segment_cut_end_fetches(struct segment *g)
{
    bool abandoned = g->store && store_is_abandoned(g->store);

    g->cut_wake = NULL;
    g->fetching_bytes = 0;
    if (!g->cut_fetches.next)
        return;
    list_for_each_safe(at, &g->cut_fetches)
    {
        struct segment_fetch *f = container_of(at, struct segment_fetch, link);

        g->blocks[f->block]->disk[f->column].fetching = false;
        list_remove(&f->link);
        f->segment = NULL;
        if (abandoned) { /* it never comes */
            free(f->read.memory);
            fetch_free(f);
        }
    }
}
