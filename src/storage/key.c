/* Row keys: canonical bytes, hashes, comparison, text. */
#include "storage/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "reactor/assert.h"
#include "storage/mapping.h"

enum {
    SHORT_BYTES = 256, /* keys up to this are put together on the stack and hashed in one call */
    PART_HEAD = 5,     /* tag and length of a string part */
    INT_PART = 9,
    HASH_ROWS = 512, /* key cells widened at a time */
};

enum batch_kind key_batch_kind(const struct column *c)
{
    if (c->layout == LAYOUT_LIST)
        return BATCH_LIST;
    return c->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
}

int key_columns_find(const struct schema *s, const struct batch *b, struct key_columns *out,
                     struct error_info *err)
{
    out->n = s->n_key;
    out->time = -1;
    out->time_value = NULL;
    out->place = s->place;
    out->n_place = s->n_place;
    out->is_sharded = s->shard_key != NULL;
    for (unsigned i = 0; i < s->n_key; i++) {
        const struct column *c = &s->columns[s->key[i]];
        int at = batch_find_column(b, c->id);

        out->column[i] = s->key[i];
        out->given[i] = at >= 0;
        if (s->time_column == s->key[i])
            out->time = (int)i;
        if (at < 0)
            continue;
        batch_column_at(b, (unsigned)at, &out->in[i]);
        if (out->in[i].kind != key_batch_kind(c))
            return error_set(err, -EINVAL, 1105,
                             "table %s: key column '%s' came as kind %u, allowed is kind %u",
                             s->name, c->name, out->in[i].kind, key_batch_kind(c));
    }
    return 0;
}

int key_find_missing(const struct key_columns *k, uint32_t row, bool skip_time)
{
    for (unsigned i = 0; i < k->n; i++) {
        if (skip_time && (int)i == k->time)
            continue;
        if (!k->given[i] || !batch_is_present(&k->in[i], row))
            return (int)i;
    }
    return -1;
}

static bool is_part_there(const struct key_columns *k, unsigned part)
{
    return k->given[part] || ((int)part == k->time && k->time_value);
}

/* Canonical bytes of one part: those after the head stay where they are for strings. */
static uint32_t part_head(const struct key_columns *k, unsigned part, uint32_t row,
                          uint8_t head[INT_PART], const char **tail, uint32_t *tail_len)
{
    const struct batch_column *c = &k->in[part];
    bool fixed = (int)part == k->time && k->time_value;

    *tail_len = 0;
    if (fixed || c->kind == BATCH_I64) {
        int64_t v = fixed ? *k->time_value : batch_i64(c, row);

        head[0] = 'i';
        memcpy(head + 1, &v, sizeof v);
        return INT_PART;
    }
    *tail = batch_bytes(c, row, tail_len);
    head[0] = 's';
    memcpy(head + 1, tail_len, sizeof *tail_len);
    return PART_HEAD;
}

static uint64_t hash_long(const struct key_columns *k, uint64_t seed, uint32_t row,
                          const uint8_t *parts, unsigned n)
{
    XXH3_state_t state;

    XXH3_INITSTATE(&state);
    XXH3_64bits_reset_withSeed(&state, seed);
    for (unsigned i = 0; i < n; i++) {
        uint8_t head[INT_PART];
        const char *tail = NULL;
        uint32_t len, tail_len;

        if (!is_part_there(k, parts[i]))
            continue;
        len = part_head(k, parts[i], row, head, &tail, &tail_len);
        XXH3_64bits_update(&state, head, len);
        if (tail_len)
            XXH3_64bits_update(&state, tail, tail_len);
    }
    return XXH3_64bits_digest(&state);
}

/* Of those of these parts that are there. */
static uint64_t hash_parts(const struct key_columns *k, uint64_t seed, uint32_t row,
                           const uint8_t *parts, unsigned n)
{
    uint8_t bytes[SHORT_BYTES + INT_PART];
    size_t at = 0;

    for (unsigned i = 0; i < n; i++) {
        const char *tail = NULL;
        uint32_t tail_len;

        if (!is_part_there(k, parts[i]))
            continue;
        if (at > SHORT_BYTES)
            return hash_long(k, seed, row, parts, n);
        at += part_head(k, parts[i], row, bytes + at, &tail, &tail_len);
        if (tail_len > SHORT_BYTES || at + tail_len > SHORT_BYTES)
            return hash_long(k, seed, row, parts, n);
        if (tail_len)
            memcpy(bytes + at, tail, tail_len);
        at += tail_len;
    }
    return XXH3_64bits_withSeed(bytes, at, seed);
}

void key_hash_row(const struct key_columns *k, uint64_t seed, uint32_t row, struct key_hash *out)
{
    static const uint8_t all[SCHEMA_MAX_KEY_COLUMNS] = {0, 1, 2, 3, 4, 5, 6, 7};
    bool is_timed = k->time >= 0 && is_part_there(k, (unsigned)k->time);

    out->place = hash_parts(k, seed, row, k->place, k->n_place);
    out->full = is_timed || k->is_sharded ? hash_parts(k, seed, row, all, k->n) : out->place;
}

/* The commonest key by far: a loop with a hash of known length in it. */
static bool is_one_int(const struct key_columns *k)
{
    return k->n == 1 && k->time < 0 && !k->is_sharded && k->given[0] && k->in[0].kind == BATCH_I64;
}

static void hash_ints(const struct key_columns *k, uint64_t seed, uint32_t from, uint32_t n,
                      struct key_hash *out)
{
    uint8_t bytes[INT_PART] = {'i'};
    int64_t v[HASH_ROWS];

    for (uint32_t done = 0, step; done < n; done += step) {
        step = n - done < HASH_ROWS ? n - done : HASH_ROWS;
        batch_read_i64(&k->in[0], from + done, step, v);
        for (uint32_t i = 0; i < step; i++) {
            memcpy(bytes + 1, &v[i], sizeof v[i]);
            out[done + i].place = out[done + i].full =
                XXH3_64bits_withSeed(bytes, sizeof bytes, seed);
        }
    }
}

void key_hash_many(const struct key_columns *k, uint64_t seed, uint32_t from, uint32_t n,
                   struct key_hash *out)
{
    if (is_one_int(k)) {
        hash_ints(k, seed, from, n, out);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        key_hash_row(k, seed, from + i, &out[i]);
}

bool key_can_miss(const struct key_columns *k)
{
    for (unsigned i = 0; i < k->n; i++) {
        if (!k->given[i] || k->in[i].presence)
            return true;
    }
    return false;
}

uint64_t key_hash_place(const struct key_columns *k, uint64_t seed, uint32_t row)
{
    return hash_parts(k, seed, row, k->place, k->n_place);
}

int key_hash_rows(const struct schema *s, const struct batch *b, uint64_t seed, uint32_t from,
                  uint32_t n, struct key_hash *out, struct error_info *err)
{
    struct key_columns k;
    int rc = key_columns_find(s, b, &k, err);
    /*
     * Rows to change or delete may be named without their time: they are then looked for in every
     * partition.
     */
    bool skip_time =
        (b->op == BATCH_UPDATE || b->op == BATCH_DELETE) && k.time >= 0 && !k.given[k.time];

    if (rc != 0)
        return rc;
    ASSERT(from <= b->rows && n <= b->rows - from);
    for (uint32_t i = 0; key_can_miss(&k) && i < n; i++) {
        int missing = key_find_missing(&k, from + i, skip_time);

        if (missing >= 0)
            return error_set(err, -EINVAL, k.given[missing] ? 1048 : 1364,
                             "table %s, row %u: key column '%s' has no value, allowed are values "
                             "other than NULL",
                             s->name, from + i, s->columns[k.column[missing]].name);
    }
    key_hash_many(&k, seed, from, n, out);
    return 0;
}

bool key_rows_equal(const struct key_columns *k, uint32_t a, uint32_t b)
{
    for (unsigned i = 0; i < k->n; i++) {
        const struct batch_column *c = &k->in[i];
        uint32_t n, m;
        const char *p, *q;

        if (!k->given[i])
            continue;
        if (c->kind == BATCH_I64) {
            if (batch_i64(c, a) != batch_i64(c, b))
                return false;
            continue;
        }
        p = batch_bytes(c, a, &n);
        q = batch_bytes(c, b, &m);
        if (n != m || (n && memcmp(p, q, n) != 0))
            return false;
    }
    return true;
}

void key_print(const struct schema *s, const struct key_columns *k, uint32_t row, char *out,
               size_t cap)
{
    size_t at = 0;

    out[0] = 0;
    for (unsigned i = 0; i < k->n && at + 2 < cap; i++) {
        struct cell cell = {.present = true};

        if (!k->given[i])
            continue;
        if (k->in[i].kind == BATCH_I64)
            cell.i64 = batch_i64(&k->in[i], row);
        else
            cell.bytes = batch_bytes(&k->in[i], row, &cell.len);
        if (at)
            out[at++] = '-';
        at += mapping_print(&s->columns[k->column[i]], &cell, out + at, cap - at - 1);
        out[at] = 0;
    }
}
