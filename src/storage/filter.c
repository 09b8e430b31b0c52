/* Filter: bound to a slot; blocks ruled out before anything of them is read. */
#include "storage/filter_impl.h"

#include <errno.h>
#include <string.h>

#include "storage/dict.h"
#include "storage/like.h"
#include "storage/slot_disk.h"
#include "storage/words_search.h"

enum {
    STEP_WORK = 256 << 10, /* of a call of filter_grow: about bytes of dictionary entries */
    ENTRY_WORK = 16,       /* of an entry beside its bytes */
};

static int compare_bytes(const char *a, uint32_t a_len, const char *b, uint32_t b_len)
{
    int c = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return c ? c : (a_len > b_len) - (a_len < b_len);
}

static bool is_in_range(const struct predicate *w, const char *s, uint32_t len)
{
    const struct program_string *lo = &w->strings[0], *hi = &w->strings[1];

    if (lo->len != UINT32_MAX) {
        int c = compare_bytes(s, len, lo->bytes, lo->len);
        if (c < 0 || (c == 0 && w->lo_open))
            return false;
    }
    if (hi->len != UINT32_MAX) {
        int c = compare_bytes(s, len, hi->bytes, hi->len);
        if (c > 0 || (c == 0 && w->hi_open))
            return false;
    }
    return true;
}

static bool is_string_member(const struct predicate *w, const char *s, uint32_t len)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (compare_bytes(s, len, w->strings[i].bytes, w->strings[i].len) == 0)
            return true;
    return false;
}

static void spend(uint64_t *work, uint64_t n)
{
    *work -= n < *work ? n : *work;
}

/* Does one dictionary entry satisfy the leaf (without its negation)? */
static bool is_entry_match(const struct predicate *w, const struct dict *d, uint32_t code,
                           uint64_t *work)
{
    uint32_t len;

    spend(work, ENTRY_WORK);
    switch (w->kind) {
    case PREDICATE_STRINGS: {
        const char *s = dict_bytes(d, code, &len);
        spend(work, w->n);
        return is_string_member(w, s, len);
    }
    case PREDICATE_STRING_RANGE: {
        const char *s = dict_bytes(d, code, &len);
        return is_in_range(w, s, len);
    }
    case PREDICATE_LIKE: {
        const char *s = dict_bytes(d, code, &len);
        spend(work, len);
        return like_match(s, len, w->strings[0].bytes, w->strings[0].len, w->escape);
    }
    default:
        return filter_is_int_member(w, dict_int(d, code));
    }
}

static void set_code(struct filter *f, uint32_t code)
{
    if (f->bits[code >> 6] >> (code & 63) & 1)
        return;
    f->bits[code >> 6] |= 1ULL << (code & 63);
    f->codes.only = code;
    f->codes.count++;
}

static int reserve_bits(struct filter *f, uint32_t codes, struct arena *arena)
{
    size_t words = (size_t)codes / 64 + 1;

    if (words <= f->words)
        return 0;
    if (words < 2 * f->words) /* a dictionary that grows does so block by block */
        words = 2 * f->words;
    uint64_t *bits = arena_alloc(arena, words * sizeof(*bits));
    if (!bits)
        return -ENOMEM;
    if (f->words)
        memcpy(bits, f->bits, f->words * sizeof(*bits));
    f->codes.bits = f->bits = bits;
    f->words = words;
    return 0;
}

/* Codes from codes.limit to n, entry by entry: 0 or 1. */
static int walk_codes(struct filter *f, uint32_t n, uint64_t *work)
{
    for (; f->codes.limit < n; f->codes.limit++) {
        if (*work == 0)
            return 1;
        if (is_entry_match(f->predicate, f->dict, f->codes.limit, work))
            set_code(f, f->codes.limit);
    }
    return 0;
}

static int search_codes(struct filter *f, uint64_t *work)
{
    int rc = words_search_step(f->search, f->bits, &f->codes.limit, work);

    if (rc != 0)
        return rc;
    f->codes.count = 0;
    for (size_t i = 0; i <= f->codes.limit / 64; i++) {
        f->codes.count += (uint32_t)__builtin_popcountll(f->bits[i]);
        if (f->bits[i])
            f->codes.only = (uint32_t)(i * 64 + (size_t)__builtin_ctzll(f->bits[i]));
    }
    return 0;
}

/* Values that a start left out of the dictionary's table get there first, a step at a time: 1 = call again. Without
 * memory for it nothing is looked up. */
static int fill_dict(struct filter *f, uint64_t *work, struct error_info *err)
{
    struct error_info why;

    if (f->walks || !dict_is_unindexed(f->dict))
        return 0;
    enum block_state state = slot_fill_dicts(f->slot, &why);
    f->walks = state == BLOCK_FAILED && why.code == 1038;
    if (f->walks)
        return 0;
    if (state == BLOCK_FAILED) {
        if (err)
            *err = why;
        return -EBADMSG;
    }
    *work = 0;
    return dict_is_unindexed(f->dict);
}

/* The new codes of a slot's dictionary that satisfy a leaf. Equality looks up, the rest walks the dictionary. */
static int bind_codes(struct filter *f, struct arena *arena, uint64_t *work, struct error_info *err)
{
    const struct predicate *w = f->predicate;
    const struct dict *d = f->dict;
    uint32_t n = dict_count(d);
    int rc = reserve_bits(f, n, arena);

    if (!rc && (w->kind == PREDICATE_STRINGS || w->kind == PREDICATE_INTS))
        rc = fill_dict(f, work, err);
    if (rc)
        return rc;
    if (w->kind == PREDICATE_STRINGS && !f->walks) {
        f->codes.limit = n;
        for (uint32_t i = 0; i < w->n; i++) {
            uint32_t code;
            if (dict_find_bytes(d, w->strings[i].bytes, w->strings[i].len, &code))
                set_code(f, code);
        }
    } else if (w->kind == PREDICATE_INTS && !f->walks && w->n < n - f->codes.limit) {
        f->codes.limit = n;
        for (uint32_t i = 0; i < w->n; i++) {
            uint32_t code;
            if (dict_find_int(d, w->ints[i], &code))
                set_code(f, code);
        }
    } else {
        rc = w->kind == PREDICATE_WORDS ? search_codes(f, work) : walk_codes(f, n, work);
    }
    f->nothing = !w->negate && f->codes.count == 0;
    f->bound = rc == 0;
    return rc;
}

/* About what a leaf costs, so that conjuncts that are cheap or leave few rows go first. */
static unsigned rank(const struct filter *f)
{
    if (!f || f->nothing)
        return 0;
    if (f->children)
        return 5;
    if (f->coded)
        return f->column->layout == LAYOUT_CODED ? 4
               : f->predicate->kind == PREDICATE_STRINGS || f->predicate->kind == PREDICATE_INTS
                   ? f->predicate->n > 1
                   : 2;
    return f->predicate->kind == PREDICATE_NULL ? 1 : 3;
}

static void sort_children(struct filter *f)
{
    for (uint32_t i = 1; i < f->predicate->n; i++) {
        struct filter *x = f->children[i];
        uint32_t at = i;

        for (; at && rank(f->children[at - 1]) > rank(x); at--)
            f->children[at] = f->children[at - 1];
        f->children[at] = x;
    }
}

static int bind_children(struct filter *f, struct slot *slot, struct arena *arena)
{
    const struct predicate *w = f->predicate;

    f->children = arena_alloc(arena, w->n * sizeof(struct filter *) + 1);
    f->scratch =
        w->kind == PREDICATE_OR ? arena_alloc(arena, 2 * BLOCK_WORDS * sizeof(uint64_t)) : NULL;
    if (!f->children || (w->kind == PREDICATE_OR && !f->scratch))
        return -ENOMEM;
    for (uint32_t i = 0; i < w->n; i++) {
        int rc = filter_bind(w->children[i], slot, arena, &f->children[i]);
        if (rc)
            return rc;
    }
    if (w->kind == PREDICATE_AND)
        sort_children(f);
    return 0;
}

int filter_bind(const struct predicate *where, struct slot *slot, struct arena *arena,
                struct filter **out)
{
    *out = NULL;
    if (!where || where->kind == PREDICATE_TRUE)
        return 0;
    struct filter *f = arena_alloc(arena, sizeof(*f));
    if (!f)
        return -ENOMEM;
    f->predicate = where;
    *out = f;
    if (where->kind == PREDICATE_FALSE) {
        f->nothing = true;
        return 0;
    }
    if (filter_is_branch(where))
        return bind_children(f, slot, arena);
    const struct dict *d = slot_dict(slot, where->column);
    f->column = &slot_schema(slot)->columns[where->column];
    f->list = f->column->layout == LAYOUT_LIST;
    f->coded = d && where->kind != PREDICATE_NULL;
    f->dict = d;
    f->slot = slot;
    if (where->kind != PREDICATE_WORDS)
        return 0;
    return words_search_new(slot, where->column, where->strings[0].bytes, where->strings[0].len,
                            arena, &f->search);
}

static int grow(struct filter *f, struct arena *arena, uint64_t *work, struct error_info *err)
{
    int rc = 0;

    if (f && f->coded && (!f->bound || dict_count(f->dict) > f->codes.limit))
        return bind_codes(f, arena, work, err);
    for (uint32_t i = 0; f && f->children && i < f->predicate->n && !rc; i++)
        rc = grow(f->children[i], arena, work, err);
    return rc;
}

int filter_grow(struct filter *f, struct arena *arena, struct error_info *err)
{
    uint64_t work = STEP_WORK;

    return grow(f, arena, &work, err);
}

/* ---- before anything is read ---- */

static bool may_hold_ints(const struct predicate *w, int64_t min, int64_t max)
{
    for (uint32_t i = 0; i < w->n; i++)
        if (w->ints[i] >= min && w->ints[i] <= max)
            return true;
    return false;
}

static bool may_leaf_match(const struct filter *f, const struct segment *g, uint32_t block)
{
    const struct predicate *w = f->predicate;
    int64_t min, max;

    if (w->kind == PREDICATE_NULL || !segment_block_bounds(g, block, w->column, &min, &max))
        return true;
    if (f->coded)
        return f->list || w->negate || f->codes.count != 1 ||
               (f->codes.only >= min && f->codes.only <= max);
    if (w->kind == PREDICATE_RANGE && w->negate)
        return w->lo > min || w->hi < max;
    if (w->kind == PREDICATE_RANGE)
        return w->lo <= w->hi && w->hi >= min && w->lo <= max;
    return w->negate || may_hold_ints(w, min, max);
}

bool filter_may_match(const struct filter *f, const struct segment *g, uint32_t block)
{
    if (!f)
        return true;
    if (f->nothing)
        return false;
    if (!filter_is_branch(f->predicate))
        return may_leaf_match(f, g, block);
    bool all = f->predicate->kind == PREDICATE_AND;
    for (uint32_t i = 0; i < f->predicate->n; i++)
        if (filter_may_match(f->children[i], g, block) != all)
            return !all;
    return all;
}

void filter_columns(const struct predicate *where, bool *used)
{
    if (!where || where->kind == PREDICATE_TRUE || where->kind == PREDICATE_FALSE)
        return;
    if (!filter_is_branch(where)) {
        used[where->column] = true;
        return;
    }
    for (uint32_t i = 0; i < where->n; i++)
        filter_columns(where->children[i], used);
}
