#include "storage/group_union.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/budget.h"
#include "storage/number_set.h"

enum {
    UNION_CORES = 256,
    UNION_CHUNK = 1024,  /* values looked at together, from a multiple of it on */
    UNION_CHUNKS = 64,   /* looked at between two turns of the core's other work */
    UNION_GROUPS = 8192, /* joined there */
    UNION_AHEAD = 16,    /* small ones whose places are fetched together */
    UNION_PART = 64,     /* groups that a part costs beside its own, */
    UNION_PAGE = 8,      /* and a page of numbers of a set */
};

struct group_union {
    const struct program *program;
    struct budget *budget;
    struct group_whole from[UNION_CORES];
    unsigned n, share, shares;
    struct batch_builder *builder;
    struct buffer out;
    bool begun;       /* the group of NULL was given */
    int64_t at, last; /* arrays: next value; the last one of all */
    bool some;        /* arrays: there is a next value */
    unsigned part;    /* sets: the part at hand or to come, */
    bool part_open;   /* joined up to */
    unsigned joining; /* these: those of a set, its small ones, those of the next set */
    const struct group_set_block *block;
    uint64_t *groups; /* key and counts of each */
    uint64_t n_groups, next, cap;
    uint32_t *buckets; /* 1 + group */
    uint64_t n_buckets, charged, counted;
    bool counts;      /* only their number is asked for, and small ones are looked for in: */
    uint64_t *smalls; /* 0 = none */
    uint64_t n_smalls, room, cap_smalls; /* of the part; room is a power of two */
    uint32_t page;                       /* of numbers, the next one */
};

int group_union_new(const struct program *p, const struct schema *s, struct budget *budget,
                    struct group_union **out)
{
    struct group_union *u = calloc(1, sizeof(*u));
    int rc = 0;

    if (!u)
        return -ENOMEM;
    u->program = p;
    u->budget = budget;
    u->shares = 1;
    buffer_init(&u->out, BATCH_MAX_BYTES);
    u->builder = batch_builder_new(budget);
    for (unsigned i = 0; u->builder && i < program_outputs(p) && rc >= 0; i++)
        rc = batch_builder_add_column(u->builder, (uint16_t)i, program_output_kind(p, s, i), 0);
    if (!u->builder || rc < 0) {
        group_union_free(u);
        return -ENOMEM;
    }
    *out = u;
    return 0;
}

void group_union_free(struct group_union *u)
{
    if (!u)
        return;
    if (u->budget)
        budget_release(u->budget, u->charged);
    batch_builder_free(u->builder);
    buffer_fini(&u->out);
    free(u->groups);
    free(u->buckets);
    free(u->smalls);
    free(u);
}

int group_union_add(struct group_union *u, const struct group_whole *w)
{
    int64_t first, last;

    ASSERT(u->n < UNION_CORES && !u->begun);
    u->from[u->n++] = *w;
    if (!w->arrays || !group_dense_span(w->arrays, &first, &last))
        return 0;
    u->at = u->some && u->at < first ? u->at : first;
    u->last = u->some && u->last > last ? u->last : last;
    u->some = true;
    return 0;
}

void group_union_share(struct group_union *u, unsigned part, unsigned parts)
{
    u->share = u->part = part;
    u->shares = parts;
}

/* ---- arrays ---- */

static int put_sum(struct group_union *u, unsigned a, const struct group_sum *s)
{
    unsigned column = u->program->n_columns + a;

    if (u->program->aggregates[a].kind != AGGREGATE_SUM)
        return batch_builder_put_i64(u->builder, column, s->count);
    return s->count ? batch_builder_put_i128(u->builder, column, s->sum) : 0;
}

static struct aggregate_state state_of(const struct group_union *u, const struct group_sum *sums,
                                       unsigned aggregate)
{
    const struct group_sum *s = &sums[aggregate];
    bool sum = u->program->aggregates[aggregate].kind == AGGREGATE_SUM;

    return (struct aggregate_state){.number = sum ? s->sum : s->count,
                                    .present = !sum || s->count > 0};
}

static bool is_sum_cut(const struct group_union *u, const struct group_sum *sums,
                       const struct partial_cut *cut)
{
    const struct program *p = u->program;
    struct aggregate_state state;

    for (unsigned i = 0; i < p->n_having; i++) {
        state = state_of(u, sums, p->having[i].aggregate);
        if (partial_is_left_out(p, &p->having[i], &state))
            return true;
    }
    if (!cut->has_bound)
        return false;
    state = state_of(u, sums, cut->aggregate);
    return partial_is_cut(cut, &state);
}

/* The group of a value, NULL = that of NULL, when it has rows. */
static int put_value(struct group_union *u, const int64_t *value, const struct partial_cut *cut)
{
    struct group_sum sums[PROGRAM_MAX_AGGREGATES];
    bool any = false;
    int rc = 0;

    memset(sums, 0, u->program->n_aggregates * sizeof(*sums));
    for (unsigned i = 0; i < u->n; i++)
        any |= group_dense_read(u->from[i].arrays, value, sums);
    if (!any || (cut && is_sum_cut(u, sums, cut)))
        return 0;
    if (value)
        rc = batch_builder_put_i64(u->builder, 0, *value);
    for (unsigned a = 0; a < u->program->n_aggregates && !rc; a++)
        rc = put_sum(u, a, &sums[a]);
    return rc ? rc : batch_builder_end_row(u->builder);
}

/* rows[i] = rows of value u->at + i for n values. */
static void read_rows(const struct group_union *u, uint32_t n, uint64_t *rows)
{
    memset(rows, 0, n * sizeof(*rows));
    for (unsigned i = 0; i < u->n; i++)
        group_dense_add_rows(u->from[i].arrays, u->at, n, rows);
}

/* To the next value of any core that is not before u->at. */
static void skip_gap(struct group_union *u)
{
    int64_t first, last, next = u->last;

    for (unsigned i = 0; i < u->n; i++) {
        if (!group_dense_span(u->from[i].arrays, &first, &last) || last < u->at)
            continue;
        if (first <= u->at)
            return;
        next = first < next ? first : next;
    }
    u->at = next;
}

/* Values of the chunk at hand; false: others have it. */
static bool open_chunk(const struct group_union *u, uint32_t *n)
{
    uint64_t left = (uint64_t)u->last - (uint64_t)u->at;

    *n = UNION_CHUNK - (uint32_t)((uint64_t)u->at % UNION_CHUNK);
    if (left < *n)
        *n = (uint32_t)left + 1;
    return (uint64_t)u->at / UNION_CHUNK % u->shares == u->share;
}

static void pass_chunk(struct group_union *u, uint32_t n)
{
    u->some = (uint64_t)u->last - (uint64_t)u->at >= n;
    u->at += u->some ? n : 0;
    if (u->some)
        skip_gap(u);
}

static void narrow_rows(uint64_t *least, uint64_t *most, __int128 lo, __int128 hi)
{
    *least = lo > *least ? (uint64_t)lo : *least;
    *most = hi < 0 ? 0 : hi < *most ? (uint64_t)hi : *most;
}

/* Groups that HAVING or the first thing in the order tells by their number of rows need not be read to be cut off. */
static void bound_rows(const struct group_union *u, const struct partial_cut *cut, uint64_t *least,
                       uint64_t *most)
{
    const struct program *p = u->program;

    *least = 1;
    *most = UINT64_MAX;
    for (unsigned i = 0; cut && i < p->n_having; i++)
        if (p->aggregates[p->having[i].aggregate].kind == AGGREGATE_COUNT_ROWS)
            narrow_rows(least, most, p->having[i].lo, p->having[i].hi);
    if (!cut || !cut->has_bound || p->aggregates[cut->aggregate].kind != AGGREGATE_COUNT_ROWS)
        return;
    if (cut->descending)
        narrow_rows(least, most, cut->bound, INT64_MAX);
    else
        narrow_rows(least, most, 0, cut->bound);
}

static int put_values(struct group_union *u, uint32_t n, const struct partial_cut *cut)
{
    uint64_t rows[UNION_CHUNK], least, most;
    int rc = 0;

    bound_rows(u, cut, &least, &most);
    read_rows(u, n, rows);
    for (uint32_t i = 0; i < n && !rc; i++) {
        int64_t value = u->at + (int64_t)i;
        if (rows[i] >= least && rows[i] <= most)
            rc = put_value(u, &value, cut);
    }
    return rc;
}

static int next_values(struct group_union *u, uint32_t max_rows, const struct partial_cut *cut)
{
    int rc = u->begun || u->share ? 0 : put_value(u, NULL, cut);
    uint32_t n;

    u->begun = true;
    for (unsigned left = UNION_CHUNKS; !rc && u->some && left &&
                                       (!batch_builder_rows(u->builder) ||
                                        batch_builder_rows(u->builder) + UNION_CHUNK <= max_rows);
         left--) {
        if (open_chunk(u, &n))
            rc = put_values(u, n, cut);
        pass_chunk(u, n);
    }
    return rc ? rc : u->some && !batch_builder_rows(u->builder) ? -EAGAIN : 0;
}

static int count_values(struct group_union *u)
{
    uint64_t rows[UNION_CHUNK];
    uint32_t n;

    for (unsigned left = UNION_CHUNKS; u->some && left; left--) {
        bool own = open_chunk(u, &n);
        if (own)
            read_rows(u, n, rows);
        for (uint32_t i = 0; own && i < n; i++)
            u->counted += rows[i] > 0;
        pass_chunk(u, n);
    }
    return u->some ? -EAGAIN : 0;
}

/* ---- sets ---- */

static int grow(struct group_union *u, void *array, uint64_t old, uint64_t bytes)
{
    if (u->budget && budget_charge(u->budget, bytes))
        return -ENOMEM;
    void *p = malloc(bytes);
    if (!p) {
        if (u->budget)
            budget_release(u->budget, bytes);
        return -ENOMEM;
    }
    free(*(void **)array);
    *(void **)array = p;
    if (u->budget)
        budget_release(u->budget, old);
    u->charged += bytes - old;
    return 0;
}

/* Room for n groups of a part, none there yet. */
static int begin_part(struct group_union *u, uint64_t n, unsigned width)
{
    uint64_t buckets = 64;
    int rc = 0;

    while (buckets < n * 2)
        buckets *= 2;
    if (n >= UINT32_MAX)
        return -ENOMEM;
    if (n > u->cap) {
        rc = grow(u, &u->groups, u->cap * width * sizeof(*u->groups),
                  n * width * sizeof(*u->groups));
        u->cap = rc ? u->cap : n;
    }
    if (!rc && buckets > u->n_buckets) {
        rc =
            grow(u, &u->buckets, u->n_buckets * sizeof(*u->buckets), buckets * sizeof(*u->buckets));
        u->n_buckets = rc ? u->n_buckets : buckets;
    }
    if (!rc)
        memset(u->buckets, 0, u->n_buckets * sizeof(*u->buckets));
    u->n_groups = u->next = 0;
    return rc;
}

static void join_group(struct group_union *u, const uint64_t *from, unsigned words)
{
    const struct group_key *key = (const struct group_key *)from;
    uint64_t mask = u->n_buckets - 1, at = group_key_hash(key) & mask;

    for (; u->buckets[at]; at = (at + 1) & mask) {
        uint64_t *to = &u->groups[(uint64_t)(u->buckets[at] - 1) * (2 + words)];
        if (!group_key_equal(key, (const struct group_key *)to))
            continue;
        for (unsigned w = 2; w < 2 + words; w++)
            to[w] += from[w];
        return;
    }
    memcpy(&u->groups[u->n_groups * (2 + words)], from, (2 + words) * sizeof(*from));
    u->buckets[at] = (uint32_t)++u->n_groups;
}

/* Room for n small ones of a part, none there yet. */
static int begin_smalls(struct group_union *u, uint64_t n)
{
    int rc = 0;

    for (u->room = 64; u->room < n + n / 2;)
        u->room *= 2;
    if (u->room > u->cap_smalls) {
        rc = grow(u, &u->smalls, u->cap_smalls * sizeof(*u->smalls), u->room * sizeof(*u->smalls));
        u->cap_smalls = rc ? u->cap_smalls : u->room;
    }
    if (!rc)
        memset(u->smalls, 0, u->room * sizeof(*u->smalls));
    u->n_smalls = 0;
    return rc;
}

static int open_part(struct group_union *u)
{
    uint64_t all = 0, smalls = 0, n;

    for (unsigned i = 0; i < u->n; i++) {
        group_set_part(u->from[i].set, u->part, &n);
        all += n;
        group_set_small(u->from[i].set, u->part, &n);
        smalls += n;
    }
    u->joining = 0;
    u->block = NULL;
    if (u->counts && begin_smalls(u, smalls))
        return -ENOMEM;
    return begin_part(u, all + (u->counts ? 0 : smalls), 2 + group_set_words(u->from[0].set));
}

static void count_smalls(struct group_union *u, const uint64_t *smalls, uint32_t n)
{
    uint64_t mask = u->room - 1, at[UNION_AHEAD];

    for (uint32_t from = 0; from < n; from += UNION_AHEAD) {
        uint32_t some = n - from < UNION_AHEAD ? n - from : UNION_AHEAD;

        for (uint32_t i = 0; i < some; i++) {
            at[i] = group_small_hash(smalls[from + i]) & mask;
            __builtin_prefetch(&u->smalls[at[i]], 1);
        }
        for (uint32_t i = 0; i < some; i++) {
            uint64_t small = smalls[from + i], k = at[i];

            while (u->smalls[k] && u->smalls[k] != small)
                k = (k + 1) & mask;
            u->n_smalls += !u->smalls[k];
            u->smalls[k] = small;
        }
    }
}

static void join_block(struct group_union *u, const struct group_set_block *b, bool small)
{
    unsigned words = group_set_words(u->from[0].set);

    if (small && u->counts) {
        count_smalls(u, b->data, b->n);
        return;
    }
    for (uint32_t k = 0; k < b->n; k++) {
        struct group_key key;

        if (small)
            key = group_small_key(b->data[k]);
        join_group(u, small ? (const uint64_t *)&key : &b->data[(size_t)k * (2 + words)], words);
    }
}

/* Some more groups of the part at hand, of all sets: 1 when it is complete, 0, -errno. */
static int join_part(struct group_union *u, int64_t *left)
{
    uint64_t n;
    int rc = u->part_open ? 0 : open_part(u);

    if (rc)
        return rc;
    u->part_open = true;
    *left -= UNION_PART;
    for (; u->joining<2 * u->n && * left> 0; u->joining += !u->block) {
        const struct group_set *s = u->from[u->joining / 2].set;
        bool small = u->joining % 2;

        u->block = u->block ? u->block->next
                   : small  ? group_set_small(s, u->part, &n)
                            : group_set_part(s, u->part, &n);
        if (u->block)
            join_block(u, u->block, small);
        *left -= u->block ? u->block->n : 0;
    }
    if (u->joining < 2 * u->n)
        return 0;
    u->part_open = false;
    u->part += u->shares;
    return 1;
}

static bool is_count_cut(const struct group_union *u, const uint64_t *counts,
                         const struct partial_cut *cut)
{
    const struct program *p = u->program;
    struct aggregate_state state = {.present = true};

    for (unsigned i = 0; i < p->n_having; i++) {
        state.number = (int64_t)counts[p->having[i].aggregate];
        if (partial_is_left_out(p, &p->having[i], &state))
            return true;
    }
    if (!cut->has_bound)
        return false;
    state.number = (int64_t)counts[cut->aggregate];
    return partial_is_cut(cut, &state);
}

static int put_counts(struct group_union *u, const uint64_t *counts)
{
    int rc = 0;

    for (unsigned a = 0; a < u->program->n_aggregates && !rc; a++)
        rc = batch_builder_put_i64(u->builder, 1 + a, (int64_t)counts[a]);
    return rc ? rc : batch_builder_end_row(u->builder);
}

static int put_null(struct group_union *u, const struct partial_cut *cut)
{
    uint64_t counts[PROGRAM_MAX_AGGREGATES] = {0};
    bool any = false;

    for (unsigned i = 0; i < u->n; i++) {
        const uint64_t *from = group_set_null(u->from[i].set);
        any |= from != NULL;
        for (unsigned a = 0; from && a < u->program->n_aggregates; a++)
            counts[a] += from[a];
    }
    return any && !(cut && is_count_cut(u, counts, cut)) ? put_counts(u, counts) : 0;
}

static int next_strings(struct group_union *u, uint32_t max_rows, const struct partial_cut *cut)
{
    unsigned width = 2 + group_set_words(u->from[0].set);
    int64_t left = UNION_GROUPS;
    int rc = u->begun || u->share ? 0 : put_null(u, cut);

    u->begun = true;
    while (!rc && batch_builder_rows(u->builder) < max_rows &&
           batch_builder_bytes(u->builder) < BATCH_MAX_BYTES / 4) {
        if (u->part_open || u->next == u->n_groups) {
            if (u->part >= GROUP_SET_PARTS)
                break;
            if (left <= 0)
                return batch_builder_rows(u->builder) ? 0 : -EAGAIN;
            rc = join_part(u, &left);
            rc = rc < 0 ? rc : 0;
            continue;
        }
        const uint64_t *g = &u->groups[u->next++ * width];
        uint32_t len;
        if (cut && is_count_cut(u, g + 2, cut))
            continue;
        const char *bytes = group_key_bytes((const struct group_key *)g, &len);
        rc = batch_builder_put_bytes(u->builder, 0, bytes, len);
        if (!rc)
            rc = put_counts(u, g + 2);
    }
    return rc;
}

/* ---- both ---- */

int group_union_next(struct group_union *u, uint32_t max_rows, const struct partial_cut *cut,
                     struct batch *out)
{
    struct error_info err;

    batch_builder_reset(u->builder);
    if (!u->n)
        return 0;
    int rc = u->from[0].set ? next_strings(u, max_rows, cut) : next_values(u, max_rows, cut);
    if (rc || !batch_builder_rows(u->builder))
        return rc;
    u->out.len = 0;
    rc =
        batch_builder_finish(u->builder, BATCH_DATA, u->program->table_id, BATCH_SLOT_ANY, &u->out);
    if (!rc)
        rc = batch_open(u->out.data, u->out.len, out, &err);
    return rc ? rc : 1;
}

/* Some more pages. False: that were all. */
static bool count_numbers(struct group_union *u, int64_t *left)
{
    const struct number_set *sets[UNION_CORES];

    for (unsigned i = 0; i < u->n; i++)
        sets[i] = group_set_numbers(u->from[i].set);
    for (; *left > 0; --*left) {
        u->page = number_sets_next(sets, u->n, u->page);
        if (u->page == NUMBER_PAGES)
            return false;
        if (u->page % u->shares == u->share) {
            u->counted += number_sets_count(sets, u->n, u->page);
            *left -= UNION_PAGE * (int64_t)u->n;
        }
        u->page++;
    }
    return true;
}

static int count_strings(struct group_union *u)
{
    int64_t left = UNION_GROUPS;

    u->counts = true;
    if (count_numbers(u, &left))
        return -EAGAIN;
    while (u->part < GROUP_SET_PARTS && left > 0) {
        int rc = join_part(u, &left);
        if (rc < 0)
            return rc;
        if (rc)
            u->counted += u->n_groups + u->n_smalls;
    }
    return u->part < GROUP_SET_PARTS ? -EAGAIN : 0;
}

int group_union_count(struct group_union *u, uint64_t *n)
{
    int rc = !u->n ? 0 : u->from[0].set ? count_strings(u) : count_values(u);

    *n = u->counted;
    return rc;
}
