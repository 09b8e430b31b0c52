#include "storage/slot_rewrite.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/reactor.h"
#include "storage/presence.h"
#include "storage/selection.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"
#include "storage/slot_write.h"

enum {
    STEP_BYTES = 1 << 20, /* of values gathered in a step, about */
    STEP_ROWS_MIN = 64,
    STEP_ROWS_MAX = 8192,
    COPIES_MAX = 2, /* times the rows it began with; then they come faster than they are copied */
};

/* Which rows of a block were copied. The n-th of them is row `first` + n of the new segment. */
struct rewrite_block {
    uint64_t *copied; /* BLOCK_WORDS words; NULL = none */
    uint32_t first;
};

struct slot_rewrite {  /* owner: who started it */
    struct slot *slot; /* not when it was given up */
    struct budget *budget;
    const struct schema *schema; /* of `to` */
    struct slot_part *part;      /* NULL: done or given up */
    struct slot_part *
        leave; /* what the old segment leaves with: made before, so that the exchange cannot fail */
    struct segment *to;
    struct key_table index; /* of `to` */
    struct rewrite_block *blocks;
    uint32_t cap_blocks;
    uint32_t at;        /* rows of the old segment before this one are done with */
    uint32_t step_rows; /* at most, in a step */
    uint32_t most;      /* rows of the old segment that it follows */
    int64_t **values;   /* by column position, as segment_append_rows wants them */
    uint8_t **present;
    uint8_t *masks; /* what present[] may point to, step_rows bytes a column */
    size_t buffers; /* bytes of the allocation behind values */
    uint64_t sel[BLOCK_WORDS];
    struct task *wake; /* waits for a block */
    struct slot_rewrite_stats stats;
    int rc;
    struct error_info error;
};

/* ---- begin and end ---- */

static uint32_t choose_rows(const struct slot *t, uint32_t asked)
{
    uint32_t rows = STEP_BYTES / ((sizeof(int64_t) + 1) * t->schema->n_columns);

    if (asked)
        return asked < BLOCK_ROWS ? asked : BLOCK_ROWS;
    return rows < STEP_ROWS_MIN ? STEP_ROWS_MIN : rows > STEP_ROWS_MAX ? STEP_ROWS_MAX : rows;
}

static int make_buffers(struct slot_rewrite *x)
{
    size_t n = x->slot->schema->n_columns, rows = (x->step_rows + 7) & ~7u;
    uint8_t *at;

    x->buffers = n * (2 * sizeof(void *) + rows * (sizeof(int64_t) + 1));
    at = slot_memory_new(x->slot->budget, x->buffers);
    if (!at)
        return -ENOMEM;
    x->values = (int64_t **)(void *)at;
    x->present = (uint8_t **)(void *)(at + n * sizeof(void *));
    at += 2 * n * sizeof(void *);
    for (size_t c = 0; c < n; c++, at += rows * sizeof(int64_t))
        x->values[c] = (int64_t *)(void *)at;
    x->masks = at;
    return 0;
}

/* Lets go of everything that was made for the part, and of the part. */
static void release(struct slot_rewrite *x)
{
    for (uint32_t i = 0; i < x->cap_blocks; i++)
        slot_memory_free(x->budget, x->blocks[i].copied, BLOCK_WORDS * sizeof(uint64_t));
    slot_memory_free(x->budget, x->blocks, x->cap_blocks * sizeof *x->blocks);
    slot_memory_free(x->budget, x->values, x->buffers);
    slot_memory_free(x->budget, x->leave, sizeof *x->leave);
    key_table_fini(&x->index);
    segment_put(x->to);
    if (x->part)
        x->part->rewrite = NULL;
    x->part = x->leave = NULL;
    x->blocks = NULL;
    x->cap_blocks = 0;
    x->values = NULL;
    x->to = NULL;
}

static void give_up(struct slot_rewrite *x, int rc)
{
    x->rc = rc;
    if (rc == -ENOMEM)
        error_set(&x->error, rc, 1037, "table %s: no memory to rewrite a partition",
                  x->slot->schema->name);
    else if (rc == -EBUSY)
        error_set(&x->error, rc, 1205,
                  "table %s: rows are written faster than a partition is rewritten",
                  x->slot->schema->name);
    else if (rc == -ECANCELED)
        error_set(&x->error, rc, 1105, "table %s: a partition went while it was rewritten",
                  x->slot->schema->name);
    else if (rc != -EIO)
        error_set(&x->error, rc, 1105, "table %s: a partition cannot be rewritten: %s",
                  x->slot->schema->name, strerror(-rc));
    release(x);
}

int slot_rewrite_start(struct slot *t, uint32_t i, uint32_t step_rows, struct slot_rewrite **out)
{
    struct segment_dicts dicts = {t->dicts, t->lists};
    struct slot_part *p = t->parts[i];
    struct slot_rewrite *x;
    uint32_t rows = segment_rows(p->segment);
    int rc;

    ASSERT(i < t->n_parts);
    if (p->rewrite || t->altering)
        return -EBUSY;
    x = slot_memory_zeroed(t->budget, sizeof *x);
    if (!x)
        return -ENOMEM;
    x->slot = t;
    x->budget = t->budget;
    x->schema = t->schema;
    x->step_rows = choose_rows(t, step_rows);
    x->most = rows < UINT32_MAX / COPIES_MAX ? rows * COPIES_MAX : UINT32_MAX;
    if (x->most < BLOCK_ROWS)
        x->most = BLOCK_ROWS;
    key_table_init(&x->index, t->budget);
    x->leave = slot_memory_zeroed(t->budget, sizeof *x->leave);
    rc = x->leave ? make_buffers(x) : -ENOMEM;
    if (rc == 0)
        rc = segment_new(t->schema, &dicts, p->partition, t->budget, &x->to);
    if (rc != 0) {
        release(x);
        slot_memory_free(t->budget, x, sizeof *x);
        return rc;
    }
    segment_set_store(x->to, t->store);
    x->part = p;
    p->rewrite = x;
    *out = x;
    return 0;
}

void slot_rewrite_free(struct slot_rewrite *x)
{
    if (!x)
        return;
    if (x->part && x->wake)
        segment_unwait(x->part->segment, x->wake);
    if (x->part)
        release(x);
    slot_memory_free(x->budget, x, sizeof *x);
}

void slot_rewrite_stop(struct slot_part *p)
{
    struct slot_rewrite *x = p->rewrite;
    struct store *store;

    if (!x)
        return;
    store = x->slot->store;
    give_up(x, -ECANCELED);
    if (!x->wake)
        return;
    segment_unwait(p->segment, x->wake);
    if (store && reactor_self() == store_reactor(store)) /* not when the program ends */
        reactor_task(store_reactor(store), x->wake, TASK_BULK);
}

/* ---- copying ---- */

static int make_room_for(struct slot_rewrite *x, uint32_t block)
{
    struct slot *t = x->slot;
    struct rewrite_block *grown, *b;
    uint32_t cap = x->cap_blocks ? x->cap_blocks : 8;

    while (cap <= block)
        cap *= 2;
    if (cap > x->cap_blocks) {
        grown = slot_memory_grow(t->budget, x->blocks, x->cap_blocks * sizeof *grown,
                                 cap * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        memset(grown + x->cap_blocks, 0, (cap - x->cap_blocks) * sizeof *grown);
        x->blocks = grown;
        x->cap_blocks = cap;
    }
    b = &x->blocks[block];
    if (!b->copied) {
        b->copied = slot_memory_zeroed(t->budget, BLOCK_WORDS * sizeof *b->copied);
        b->first = segment_rows(x->to);
    }
    return b->copied ? 0 : -ENOMEM;
}

/* Values of the selected rows; their number is n. */
static void gather(struct slot_rewrite *x, const struct block *b, uint32_t n)
{
    for (unsigned c = 0; c < x->slot->schema->n_columns; c++) {
        uint8_t *mask = x->masks + (size_t)c * ((x->step_rows + 7) & ~7u);

        x->present[c] = mask;
        if (!b->columns[c]) { /* the segment lacks it: NULL in every row */
            memset(x->values[c], 0, n * sizeof(int64_t));
            memset(mask, 0, n);
            continue;
        }
        (void)colblock_decode(b->columns[c], x->sel, x->values[c], mask);
        if (!colblock_has_nulls(b->columns[c]))
            x->present[c] = NULL;
    }
}

static int index_rows(struct slot_rewrite *x, uint32_t first, uint32_t n)
{
    const struct schema *s = x->slot->schema;
    int64_t *keys[SCHEMA_MAX_KEY_COLUMNS];
    int rc = 0;

    for (unsigned i = 0; i < s->n_key; i++)
        keys[i] = x->values[s->key[i]];
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = key_table_insert(&x->index, (uint32_t)slot_index_hash(x->slot, keys, i), first + i);
    return rc;
}

/* Rows [from, to) of a block, which is in memory. */
static int copy_rows(struct slot_rewrite *x, uint32_t block, const struct block *b, uint32_t from,
                     uint32_t to)
{
    uint32_t n, first, done;
    int rc;

    selection_fill(x->sel, from, to);
    if (b->live)
        selection_and(x->sel, b->live);
    n = selection_count(x->sel);
    if (n > 0) {
        rc = make_room_for(x, block);
        if (rc != 0)
            return rc;
        gather(x, b, n);
        rc = segment_append_rows(x->to, x->values, x->present, n, &first, &done);
        if (rc == 0)
            rc = index_rows(x, first, n);
        if (rc != 0)
            return rc;
        selection_or(x->blocks[block].copied, x->sel);
        x->stats.rows += n;
    }
    x->at += to - from;
    return 0;
}

/* ---- the exchange ---- */

static void publish(struct slot_rewrite *x)
{
    struct slot *t = x->slot;
    struct slot_part *p = x->part, *leave = x->leave;
    struct segment *old = p->segment;

    x->stats.reclaimed = segment_rows(old) - segment_rows(x->to);
    leave->partition = p->partition;
    leave->segment = old;
    key_table_init(&leave->index, t->budget);
    segment_attach(old, NULL, &t->tick, t->room); /* what it lacks no longer counts */
    leave->next = t->leaving;
    t->leaving = leave;
    p->segment = x->to;
    segment_attach(p->segment, &t->absent, &t->tick, t->room);
    segment_touch(p->segment, segment_used_tick(old));
    key_table_fini(&p->index);
    p->index = x->index;
    key_table_init(&x->index, t->budget);
    t->unindexed -= p->unindexed;
    p->unindexed = false;
    p->index_at = p->index_row = 0;
    p->waits = false;
    p->ascending = 0; /* its rows are fewer now: as many as then would be others */
    x->leave = NULL;
    x->to = NULL;
    release(x);
    if (segment_rows(p->segment) == 0) /* nothing is left of it */
        (void)slot_drop_partition(t, p->partition);
    else
        slot_reap(t, false);
}

/* Passes over blocks without a live row, whatever they have on disk. False: all rows are done. */
static bool find_rows(struct slot_rewrite *x)
{
    const struct segment *g = x->part->segment;

    while (x->at < segment_rows(g)) {
        uint32_t block = x->at / BLOCK_ROWS;
        struct block b;

        segment_block_peek(g, block, &b);
        if (b.live_count > 0)
            return true;
        x->at = block * BLOCK_ROWS + b.rows;
    }
    return false;
}

static enum slot_rewrite_state copy_some(struct slot_rewrite *x, struct task *wake)
{
    struct segment *g = x->part->segment;
    uint32_t block = x->at / BLOCK_ROWS, from = x->at % BLOCK_ROWS, to;
    struct block b;
    int rc;

    switch (segment_block_want(g, block, NULL, wake, &b)) {
    case BLOCK_PENDING:
        x->wake = wake;
        return SLOT_REWRITE_WAIT;
    case BLOCK_FAILED:
        x->error = *segment_error(g);
        give_up(x, -EIO);
        return SLOT_REWRITE_ENDED;
    case BLOCK_READY:
        break;
    }
    to = b.rows - from > x->step_rows ? from + x->step_rows : b.rows;
    rc = copy_rows(x, block, &b, from, to);
    if (rc != 0) {
        give_up(x, rc);
        return SLOT_REWRITE_ENDED;
    }
    segment_block_hold(g, block, to < b.rows);
    return SLOT_REWRITE_AGAIN;
}

enum slot_rewrite_state slot_rewrite_step(struct slot_rewrite *x, struct task *wake)
{
    enum slot_rewrite_state state = SLOT_REWRITE_AGAIN;

    x->wake = NULL;
    if (!x->part)
        return SLOT_REWRITE_ENDED;
    if (x->schema != x->slot->schema || segment_rows(x->part->segment) > x->most) {
        give_up(x, x->schema != x->slot->schema ? -ECANCELED : -EBUSY);
        return SLOT_REWRITE_ENDED;
    }
    if (find_rows(x))
        state = copy_some(x, wake);
    if (state != SLOT_REWRITE_AGAIN || find_rows(x))
        return state;
    publish(x);
    return SLOT_REWRITE_DONE;
}

/* ---- writes meanwhile ---- */

/* Row of the new segment; false: it was not copied, a later step brings it as it is then. */
static bool find_copy(const struct slot_rewrite *x, uint32_t row, uint32_t *copy)
{
    uint32_t block = row / BLOCK_ROWS, word = row % BLOCK_ROWS / 64;
    const struct rewrite_block *b;
    uint64_t bit = 1ull << row % 64;

    if (block >= x->cap_blocks || !x->blocks[block].copied)
        return false;
    b = &x->blocks[block];
    if (!(b->copied[word] & bit))
        return false;
    *copy = b->first + presence_count(b->copied, word) +
            (uint32_t)__builtin_popcountll(b->copied[word] & (bit - 1));
    return true;
}

void slot_rewrite_delete(struct slot_part *p, uint32_t row, uint64_t hash)
{
    struct slot_rewrite *x = p->rewrite;
    uint32_t copy;
    int rc;

    if (!x || !find_copy(x, row, &copy))
        return;
    rc = segment_delete(x->to, copy);
    if (rc == 0)
        key_table_remove(&x->index, (uint32_t)hash, copy);
    else
        give_up(x, rc); /* the row is deleted where it counts */
}

void slot_rewrite_change(struct slot_part *p, uint32_t row, const struct write_change *changes,
                         uint32_t n)
{
    struct slot_rewrite *x = p->rewrite;
    uint32_t copy;
    int rc = 0;

    if (!x || !find_copy(x, row, &copy))
        return;
    if (x->schema != x->slot->schema)
        rc = -ECANCELED; /* columns have other positions now */
    for (uint32_t i = 0; i < n && rc == 0; i++)
        rc = segment_set(x->to, copy, changes[i].column, changes[i].value, changes[i].present);
    if (rc != 0)
        give_up(x, rc);
}

/* ---- figures ---- */

void slot_rewrite_get_stats(const struct slot_rewrite *x, struct slot_rewrite_stats *out)
{
    *out = x->stats;
}

const struct error_info *slot_rewrite_error(const struct slot_rewrite *x)
{
    return &x->error;
}

int slot_rewrite_rc(const struct slot_rewrite *x)
{
    return x->rc;
}

size_t slot_rewrite_memory(const struct slot_rewrite *x)
{
    size_t n = sizeof *x + x->buffers + x->index.memory + segment_memory(x->to) +
               x->cap_blocks * sizeof *x->blocks;

    for (uint32_t i = 0; i < x->cap_blocks; i++)
        n += x->blocks[i].copied ? BLOCK_WORDS * sizeof(uint64_t) : 0;
    return n;
}

void slot_rewrite_peek(const struct slot *t, uint32_t i, struct slot_rewrite_part *out)
{
    enum { INDEX_BYTES = 24 /* of a row, while a table grows */ };
    const struct segment *g = t->parts[i]->segment;
    uint64_t memory = segment_memory(g), file = segment_file_live(g), rows = segment_rows(g);

    *out = (struct slot_rewrite_part){.partition = t->parts[i]->partition,
                                      .rows = segment_rows(g),
                                      .live = segment_live(g),
                                      .written = t->parts[i]->written,
                                      .shared = segment_is_shared(g)};
    if (rows)
        out->bytes = (memory > file ? memory : file) * out->live / rows + STEP_BYTES +
                     (uint64_t)out->live * INDEX_BYTES;
}
