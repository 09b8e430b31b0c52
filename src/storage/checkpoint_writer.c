/* Writer of a checkpoint's extents: two of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/checkpoint_impl.h"

/* The largest chunk in an extent of its own, and what pads it. */
#define EXTENT_LIMIT (DATAFILE_MAX_CHUNK + CHECKPOINT_EXTENT_BYTES)

void checkpoint_writer_init(struct checkpoint_writer *w, struct store *store, struct task *wake)
{
    *w = (struct checkpoint_writer){.store = store, .wake = wake};
    for (unsigned i = 0; i < 2; i++)
        buffer_init(&w->extents[i], EXTENT_LIMIT);
    budget_charge_always(reactor_budget(store_reactor(store)), 2 * CHECKPOINT_EXTENT_BYTES);
}

void checkpoint_writer_fini(struct checkpoint_writer *w)
{
    if (!store_is_abandoned(w->store)) {
        ASSERT(!w->writing);
        budget_release(reactor_budget(store_reactor(w->store)), 2 * CHECKPOINT_EXTENT_BYTES);
    }
    for (unsigned i = 0; i < 2; i++)
        buffer_fini(&w->extents[i]);
}

static bool is_aligned(const struct buffer *b)
{
    return (uintptr_t)b->data % DATAFILE_UNIT == 0;
}

int checkpoint_writer_extent(struct checkpoint_writer *w, struct buffer **extent)
{
    struct buffer *b = &w->extents[w->fill];

    if (!b->data) {
        b->data = aligned_alloc(DATAFILE_UNIT, CHECKPOINT_EXTENT_BYTES);
        if (!b->data)
            return -ENOMEM;
        b->cap = CHECKPOINT_EXTENT_BYTES;
    }
    *extent = b;
    return 0;
}

uint64_t checkpoint_writer_at(const struct checkpoint_writer *w)
{
    uint64_t ahead = w->writing && w->append.file == w->file ? w->append.len : 0;

    return store_file_bytes(w->file) + ahead;
}

int checkpoint_writer_seal(struct checkpoint_writer *w)
{
    int rc = w->sealed ? 0 : datafile_seal(&w->extents[w->fill], checkpoint_writer_at(w));

    w->sealed |= rc == 0;
    return rc;
}

/* Memory for the device: growing has moved the bytes to any place. */
static int align(struct buffer *b)
{
    uint8_t *aligned;

    if (is_aligned(b))
        return 0;
    aligned = aligned_alloc(DATAFILE_UNIT, b->len);
    if (!aligned)
        return -ENOMEM;
    memcpy(aligned, b->data, b->len);
    free(b->data);
    b->data = aligned;
    b->cap = b->len;
    return 0;
}

static void written(struct store_append *a)
{
    struct checkpoint_writer *w = container_of(a, struct checkpoint_writer, append);
    struct buffer *b = &w->extents[!w->fill];

    w->writing = false;
    w->rc = a->rc;
    buffer_reset(b, 2 * CHECKPOINT_EXTENT_BYTES);
    if (!is_aligned(b) || b->cap < CHECKPOINT_EXTENT_BYTES)
        buffer_fini(b);
    reactor_task(store_reactor(w->store), w->wake, TASK_BULK);
}

enum step checkpoint_writer_push(struct checkpoint_writer *w, int *rc)
{
    struct buffer *b = &w->extents[w->fill];

    *rc = w->rc;
    if (*rc != 0 || b->len == 0)
        return STEP_READY;
    if (w->writing)
        return STEP_PENDING;
    *rc = checkpoint_writer_seal(w);
    if (*rc == 0)
        *rc = align(b);
    if (*rc != 0)
        return STEP_READY;
    w->append =
        (struct store_append){.file = w->file, .bytes = b->data, .len = b->len, .done = written};
    w->writing = true;
    w->sealed = false;
    w->fill = !w->fill;
    w->bytes += b->len;
    store_append(w->store, &w->append);
    return STEP_READY;
}
