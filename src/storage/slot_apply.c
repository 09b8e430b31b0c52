/* Slot: a write batch taken row by row in order, new rows appended in runs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/slot_archive.h"
#include "storage/slot_memory.h"
#include "storage/slot_rewrite.h"
#include "storage/slot_write.h"

static struct error_info *next_error(struct write_result *r, uint32_t row)
{
    if (r->n_errors == WRITE_MAX_ERRORS)
        return NULL;
    r->errors[r->n_errors].row = row;
    return &r->errors[r->n_errors++].info;
}

void slot_write_reject(struct slot_write *w, uint32_t i, int code, const char *fmt, ...)
{
    struct error_info *e = next_error(w->result, w->from + i);
    va_list args;

    w->result->rejected++;
    w->state[i] = WRITE_ROW_REJECTED;
    if (!e)
        return;
    e->code = code;
    va_start(args, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
}

static bool is_inserting(const struct batch *b)
{
    return b->op != BATCH_UPDATE && b->op != BATCH_DELETE;
}

static int64_t *key_code_at(const struct slot_write *w, unsigned part, uint32_t i)
{
    return &w->columns[w->keys.column[part]].values[i];
}

/* ---- new rows ---- */

/* Moves the waiting rows of every column together, unless they already are. */
static uint32_t gather_waiting(struct slot_write *w)
{
    uint32_t first = w->waiting[0], n = w->n_waiting;
    bool together = w->waiting[n - 1] - first == n - 1;

    for (unsigned c = 0; c < w->schema->n_columns; c++) {
        struct write_column *x = &w->columns[c];

        /* Rows up to the last waiting one are done with, so that the front of the chunk is free. */
        for (uint32_t k = 0; x->used && !together && k < n; k++) {
            x->values[k] = x->values[w->waiting[k]];
            x->present[k] = x->present[w->waiting[k]];
        }
        w->values[c] = x->values + (x->used && together ? first : 0);
        w->present[c] =
            x->used && !x->nulls ? NULL : x->present + (x->used && together ? first : 0);
    }
    return n;
}

/* Appends the rows that wait. What memory does not suffice for leaves the index again. */
static int flush(struct slot_write *w)
{
    uint32_t first, done, n;
    int rc;

    if (w->n_waiting == 0)
        return 0;
    n = gather_waiting(w);
    rc = segment_append_rows(w->part->segment, w->values, w->present, n, &first, &done);
    if (done < n)
        w->lost = w->waiting[done];
    for (uint32_t k = done; k < n && !w->ascending; k++)
        key_table_remove(&w->part->index, (uint32_t)w->hashes[w->waiting[k]].full, first + k);
    w->result->inserted += done;
    w->n_waiting = 0;
    return rc;
}

static int insert_row(struct slot_write *w, uint32_t i, struct slot_part *p)
{
    int rc = 0;

    if (!slot_write_check_required(w, i, true))
        return 0;
    if (w->part != p)
        rc = flush(w);
    if (rc == 0 && UINT32_MAX - w->n_waiting - 1 <= segment_rows(p->segment))
        rc = -ENOSPC;
    if (rc == 0)
        rc = key_table_insert(&p->index, (uint32_t)w->hashes[i].full,
                              segment_rows(p->segment) + w->n_waiting);
    if (rc != 0)
        return rc;
    w->part = p;
    w->waiting[w->n_waiting++] = i;
    return 0;
}

static void append_row(struct slot_write *w, uint32_t i)
{
    if (w->complete || slot_write_check_required(w, i, true))
        w->waiting[w->n_waiting++] = i;
}

/* Begins with a batch of ascending keys, if it is one. */
static int find_ascending(struct slot_write *w)
{
    struct slot_part *p = w->keys.time < 0 ? slot_part_find(w->slot, 0) : NULL;
    int rc;

    if (!slot_index_is_ascending(w->slot, p, w->batch, &w->keys) ||
        (p && UINT32_MAX - w->batch->rows - 1 <= segment_rows(p->segment)))
        return slot_index_finish(w->slot);
    rc = slot_part_open(w->slot, 0, &p);
    if (rc != 0)
        return rc;
    slot_index_let_wait(w->slot, p);
    w->ascending = w->part = w->last = p;
    return 0;
}

/* Of a chunk: also when some of its rows found no memory, none of the others has a larger key. */
static void note_ascending(struct slot_write *w)
{
    w->ascending->ascending = segment_rows(w->ascending->segment);
    w->ascending->top = batch_i64(&w->keys.in[0], w->from + w->n - 1);
}

/* ---- existing rows ---- */

static int delete_row(struct slot_write *w, struct slot_part *p, uint64_t hash, uint32_t row)
{
    int rc = segment_delete(p->segment, row);

    if (rc != 0)
        return rc;
    key_table_remove(&p->index, (uint32_t)hash, row);
    slot_rewrite_delete(p, row, hash);
    w->result->deleted++;
    return 0;
}

static int meet_row(struct slot_write *w, uint32_t i, struct slot_part *p, uint32_t row)
{
    char key[256];
    int rc;

    switch (w->batch->op) {
    case BATCH_INSERT:
        key_print(w->schema, &w->keys, w->from + i, key, sizeof key);
        slot_write_reject(w, i, 1062, "Duplicate entry '%s' for key 'PRIMARY'", key);
        return 0;
    case BATCH_IGNORE:
        w->result->unchanged++;
        return 0;
    default:
        break;
    }
    rc = flush(w); /* rows before this one come first, also when memory ends here */
    if (rc != 0)
        return rc;
    if (w->batch->op == BATCH_DELETE)
        return delete_row(w, p, w->hashes[i].full, row);
    return slot_write_change(w, i, p, row);
}

static struct slot_part *part_of_row(struct slot_write *w, uint32_t i, int64_t *partition)
{
    int part = w->keys.time;

    *partition =
        part < 0 ? 0 : slot_partition_of(w->schema, batch_i64(&w->keys.in[part], w->from + i));
    if (!w->last || w->last->partition != *partition)
        w->last = slot_part_find(w->slot, *partition);
    return w->last;
}

/*
 * A row whose key, as its hash tells, nobody has, is one step in the index. false: it needs a longer look, and nothing
 * is done.
 */
static bool add_new(struct slot_write *w, uint32_t i, struct slot_part *p)
{
    uint32_t rows = segment_rows(p->segment);

    if (!w->complete || (w->part != p && w->n_waiting) || UINT32_MAX - w->n_waiting - 1 <= rows ||
        !key_table_add_new(&p->index, (uint32_t)w->hashes[i].full, rows + w->n_waiting))
        return false;
    w->part = p;
    w->waiting[w->n_waiting++] = i;
    return true;
}

static int write_row(struct slot_write *w, uint32_t i)
{
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS], partition;
    struct slot_part *p = part_of_row(w, i, &partition);
    enum slot_lookup found = SLOT_NONE;
    uint32_t row;
    int rc;

    if (p && is_inserting(w->batch) && add_new(w, i, p))
        return 0;
    for (unsigned k = 0; k < w->keys.n; k++)
        codes[k] = *key_code_at(w, k, i);
    if (p) {
        found = slot_index_find(p, w->schema, w->hashes[i].full, codes, &row);
        if (found == SLOT_PENDING) {
            rc = flush(w);
            if (rc != 0)
                return rc;
            found = slot_index_find(p, w->schema, w->hashes[i].full, codes, &row);
        }
    }
    if (found == SLOT_FOUND)
        return meet_row(w, i, p, row);
    if (!is_inserting(w->batch))
        return 0;
    if (!p && slot_is_archived(w->slot, partition)) {
        struct error_info why;

        slot_archive_refusal(w->schema, &w->keys, w->from + i, partition, &why);
        slot_write_reject(w, i, why.code, "%s", why.text);
        return 0;
    }
    if (!p) {
        rc = slot_part_open(w->slot, partition, &p);
        if (rc != 0)
            return rc;
    }
    return insert_row(w, i, p);
}

/* ---- rows named without their time ---- */

/* Full key hash of an existing row: the batch's key cells and the row's time. */
static uint64_t hash_with_time(const struct slot_write *w, uint32_t i, struct segment *g,
                               uint32_t row)
{
    struct key_columns k = w->keys;
    struct key_hash hash;
    int64_t time = 0;

    (void)segment_value(g, row, (unsigned)w->schema->time_column, &time);
    k.time_value = &time;
    key_hash_row(&k, w->slot->seed, w->from + i, &hash);
    return hash.full;
}

/* Updates or deletes every row with the key, in all partitions. */
static int write_timeless(struct slot_write *w, uint32_t i)
{
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS] = {0};

    for (unsigned k = 0; k < w->keys.n; k++) {
        if (w->keys.given[k])
            codes[k] = *key_code_at(w, k, i);
    }
    for (uint32_t part = 0; part < w->slot->n_parts; part++) {
        struct slot_part *p = w->slot->parts[part];

        for (uint32_t row = 0; slot_scan_key(p->segment, w->schema, codes, &row); row++) {
            int rc;

            if (w->batch->op == BATCH_DELETE)
                rc = delete_row(w, p, hash_with_time(w, i, p->segment, row), row);
            else
                rc = slot_write_change(w, i, p, row);
            p->written = w->slot->tick;
            if (rc != 0)
                return rc;
            if (w->state[i] == WRITE_ROW_REJECTED)
                return 0;
        }
    }
    return 0;
}

/* ---- the batch ---- */

/* A chunk was left half-way: refusals of rows that were not reached do not count. */
static void forget_rows(struct slot_write *w, uint32_t from)
{
    struct write_result *r = w->result;

    for (uint32_t i = from; i < w->n; i++)
        r->rejected -= w->state[i] == WRITE_ROW_REJECTED;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < r->n_errors; k++) {
        if (r->errors[k].row < w->from + from)
            r->errors[kept++] = r->errors[k];
    }
    r->n_errors = kept;
}

static int write_chunk(struct slot_write *w)
{
    int rc, flushed;
    uint32_t taken = 0;

    memset(w->state, WRITE_ROW_OPEN, w->n);
    w->lost = UINT32_MAX;
    rc = slot_write_encode(w);
    for (uint32_t i = 0; rc == 0 && i < w->n; i++) {
        uint64_t before = w->result->updated + w->result->deleted;

        if (w->last && !w->ascending && i + WRITE_PREFETCH < w->n)
            key_table_prefetch(&w->last->index, (uint32_t)w->hashes[i + WRITE_PREFETCH].full);
        if (w->state[i] == WRITE_ROW_OPEN && w->ascending)
            append_row(w, i);
        else if (w->state[i] == WRITE_ROW_OPEN)
            rc = w->timeless ? write_timeless(w, i) : write_row(w, i);
        taken += rc == 0 || before != w->result->updated + w->result->deleted;
    }
    /* The rows that wait came before the one that failed. */
    flushed = flush(w);
    if (w->ascending)
        note_ascending(w);
    if (w->lost < taken)
        taken = w->lost;
    w->result->taken = w->from + taken;
    if (w->last) {
        segment_touch(w->last->segment, w->slot->tick);
        w->last->written = w->last->index_used = w->slot->tick;
    }
    if (taken < w->n)
        forget_rows(w, taken);
    return rc ? rc : flushed;
}

/*
 * Finds the batch's columns in the schema: -EINVAL with a text when one is not there or of another
 * kind.
 */
static int find_columns(struct slot_write *w, struct error_info *err)
{
    const struct schema *s = w->schema;

    for (unsigned at = 0; at < w->batch->columns; at++) {
        struct batch_column in;
        int c;

        batch_column_at(w->batch, at, &in);
        c = schema_find_column_id(s, in.id);
        if (c < 0)
            return error_set(err, -EINVAL, 1054, "table %s has no column with id %u", s->name,
                             in.id);
        if (in.kind != key_batch_kind(&s->columns[c]))
            return error_set(err, -EINVAL, 1105,
                             "table %s: column '%s' came as kind %u, allowed is kind %u", s->name,
                             s->columns[c].name, in.kind, key_batch_kind(&s->columns[c]));
        w->columns[c].in = in;
        w->columns[c].given = true;
        w->columns[c].used = w->batch->op != BATCH_DELETE || s->columns[c].in_key;
    }
    return key_columns_find(s, w->batch, &w->keys, err);
}

/* Of all columns with codes. */
static size_t count_values(const struct batch *b)
{
    struct batch_column c;
    size_t n = 0;

    for (unsigned at = 0; at < b->columns; at++) {
        batch_column_at(b, at, &c);
        n += c.n_values;
    }
    return n;
}

/* Rows of the largest chunk, up to a multiple of 8, so that what stands behind bytes is aligned. */
static size_t chunk_rows(const struct batch *b)
{
    return b->rows < WRITE_CHUNK ? (b->rows + 7) & ~7u : WRITE_CHUNK;
}

/* What there is once per row of a chunk: places it from `at` on, its bytes. */
static size_t place_rows(struct slot_write *w, uint8_t *at, size_t rows)
{
    uint8_t *from = at;

    w->hashes = (struct key_hash *)(void *)at;
    at += rows * sizeof *w->hashes;
    w->texts = (const char **)(void *)at;
    at += rows * sizeof *w->texts;
    w->waiting = (uint32_t *)(void *)at;
    at += rows * sizeof *w->waiting;
    w->lens = (uint32_t *)(void *)at;
    at += rows * sizeof *w->lens;
    w->codes = (uint32_t *)(void *)at;
    at += rows * sizeof *w->codes;
    w->state = at;
    at += rows * sizeof *w->state;
    return (size_t)(at - from);
}

/*
 * One allocation for the whole write, small for few rows: buffers for the columns the batch has, one
 * pair of NULLs for all others.
 */
static struct slot_write *write_new(struct slot *t, const struct batch *b)
{
    size_t columns = t->schema->n_columns, rows = chunk_rows(b);
    size_t given = b->columns < columns ? b->columns : columns;
    size_t buffers = (given + 1) * rows * (sizeof(int64_t) + 1);
    size_t codes = count_values(b) * sizeof(uint32_t);
    size_t tables =
        columns * (sizeof(struct write_column) + 2 * sizeof(void *) + sizeof(struct write_change));
    size_t each = sizeof(struct key_hash) + sizeof(char *) + 3 * sizeof(uint32_t) + 1;
    size_t bytes = sizeof(struct slot_write) + rows * each + tables + buffers + codes;
    struct slot_write *w = slot_memory_new(t->budget, bytes);
    uint8_t *at;

    if (!w)
        return NULL;
    w->bytes = bytes;
    w->slot = t;
    w->schema = t->schema;
    w->batch = b;
    w->part = w->last = w->ascending = NULL;
    w->n_waiting = 0;
    at = (uint8_t *)(w + 1);
    at += place_rows(w, at, rows);
    w->columns = memset(at, 0, tables);
    at += columns * sizeof *w->columns;
    w->values = (int64_t **)(void *)at;
    at += columns * sizeof *w->values;
    w->present = (uint8_t **)(void *)at;
    at += columns * sizeof *w->present;
    w->changes = (struct write_change *)(void *)at;
    return w;
}

static void place_buffers(struct slot_write *w)
{
    size_t columns = w->schema->n_columns;
    size_t rows = chunk_rows(w->batch);
    size_t each = rows * (sizeof(int64_t) + 1);
    uint8_t *nulls = memset(w->changes + columns, 0, each), *at = nulls + each;

    for (size_t c = 0; c < columns; c++) {
        uint8_t *mine = w->columns[c].used ? at : nulls;

        w->columns[c].values = (int64_t *)(void *)mine;
        w->columns[c].present = mine + rows * sizeof(int64_t);
        if (w->columns[c].used)
            at += each;
    }
    for (size_t c = 0; c < columns; c++) { /* rows are a multiple of 8, so these are aligned */
        size_t bytes = w->columns[c].in.n_values * sizeof(uint32_t);

        w->columns[c].codes = memset(at, 0xff, bytes);
        at += bytes;
    }
    ASSERT(at <= (uint8_t *)w + w->bytes);
}

int slot_apply(struct slot *t, const struct batch *b, struct write_result *result)
{
    struct slot_write *w;
    int rc;

    write_result_clear(result);
    if (b->op == BATCH_DATA || b->op > BATCH_IGNORE)
        return error_set(next_error(result, 0), -EINVAL, 1105,
                         "table %s: operation %u is none that writes", t->schema->name, b->op);
    if (b->rows == 0)
        return 0;
    w = write_new(t, b);
    if (!w)
        return -ENOMEM;
    w->result = result;
    rc = find_columns(w, &result->errors[0].info);
    if (rc != 0) {
        result->n_errors = 1;
        result->rejected = b->rows;
    } else {
        place_buffers(w);
        w->timeless = !is_inserting(b) && w->keys.time >= 0 && !w->keys.given[w->keys.time];
        rc = find_ascending(w);
    }
    for (w->from = 0; rc == 0 && w->from < b->rows; w->from += WRITE_CHUNK) {
        w->n = b->rows - w->from < WRITE_CHUNK ? b->rows - w->from : WRITE_CHUNK;
        rc = write_chunk(w);
    }
    slot_memory_free(t->budget, w, w->bytes);
    return rc;
}

static int64_t partition_of(const struct slot *t, const struct key_columns *k, uint32_t row)
{
    return k->time < 0 ? 0 : slot_partition_of(t->schema, batch_i64(&k->in[k->time], row));
}

/*
 * Does a batch row have the key of an earlier one? Rows are entered under their hash as they are
 * seen.
 */
static int check_batch_row(struct key_table *seen, const struct key_columns *k,
                           const struct key_hash *hash, uint32_t row, bool *found)
{
    struct key_walk walk = key_table_walk(seen, (uint32_t)hash->full);
    uint32_t other;

    *found = false;
    while (!*found && key_walk_next(&walk, &other))
        *found = key_rows_equal(k, other, row);
    return *found ? 0 : key_table_insert(seen, (uint32_t)hash->full, row);
}

static bool is_row_there(const struct slot *t, const struct key_columns *k,
                         const struct key_hash *hash, uint32_t row)
{
    int64_t codes[SCHEMA_MAX_KEY_COLUMNS];
    struct slot_part *p = slot_part_find(t, partition_of(t, k, row));
    uint32_t found;

    for (unsigned i = 0; p && i < k->n; i++) {
        if (!slot_key_code(t, k, i, row, &codes[i]))
            return false;
    }
    return p && slot_index_find(p, t->schema, hash->full, codes, &found) == SLOT_FOUND;
}

int slot_check(struct slot *t, const struct batch *b, struct write_result *result)
{
    struct key_table seen;
    struct key_columns k;
    int rc = 0;

    write_result_clear(result);
    if (b->op != BATCH_INSERT)
        return 0;
    rc = key_columns_find(t->schema, b, &k, &result->errors[0].info);
    if (rc != 0) {
        result->n_errors = 1;
        return rc;
    }
    key_table_init(&seen, t->budget);
    rc = slot_index_finish(t);
    for (uint32_t row = 0; row < b->rows && rc == 0 && !result->rejected; row++) {
        struct key_hash hash;
        bool twice = false;
        char key[256];

        if (key_find_missing(&k, row, false) >= 0)
            continue; /* refused too, but not as a duplicate */
        if (slot_is_archived(t, partition_of(t, &k, row))) {
            result->rejected = 1;
            slot_archive_refusal(t->schema, &k, row, partition_of(t, &k, row),
                                 next_error(result, row));
            continue;
        }
        key_hash_row(&k, t->seed, row, &hash);
        if (!is_row_there(t, &k, &hash, row))
            rc = check_batch_row(&seen, &k, &hash, row, &twice);
        else
            twice = true;
        if (rc == 0 && twice) {
            key_print(t->schema, &k, row, key, sizeof key);
            result->rejected = 1;
            error_set(next_error(result, row), 0, 1062, "Duplicate entry '%s' for key 'PRIMARY'",
                      key);
        }
    }
    key_table_fini(&seen);
    return rc;
}
