#include "storage/filter.h"

#include <errno.h>
#include <string.h>

#include "storage/dict.h"
#include "storage/like.h"
#include "storage/selection.h"
#include "storage/words_search.h"

enum {
    STEP_WORK = 256 << 10, /* of a call of filter_grow: about bytes of dictionary entries */
    ENTRY_WORK = 16,       /* of an entry beside its bytes */
};

struct filter {
    const struct predicate *predicate;
    const struct column *column; /* leaves */
    struct filter **children;    /* AND, OR; of AND the cheap ones first */
    struct code_set
        codes; /* leaves on coded columns: of the dictionary's first codes.limit entries */
    const struct dict *dict;
    uint64_t *bits;              /* codes.bits */
    size_t words;                /* allocated */
    struct words_search *search; /* PREDICATE_WORDS */
    bool coded, list;
    bool bound;        /* codes have been looked at once */
    bool nothing;      /* no value of this slot can match */
    uint64_t *scratch; /* OR: two selections */
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

static bool is_int_member(const struct predicate *w, int64_t v)
{
    if (w->kind == PREDICATE_RANGE)
        return v >= w->lo && v <= w->hi;
    uint32_t lo = 0, hi = w->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (w->ints[mid] < v)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < w->n && w->ints[lo] == v;
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
        return is_int_member(w, dict_int(d, code));
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

/* The new codes of a slot's dictionary that satisfy a leaf. Equality looks up, the rest walks the dictionary. */
static int bind_codes(struct filter *f, struct arena *arena, uint64_t *work)
{
    const struct predicate *w = f->predicate;
    const struct dict *d = f->dict;
    uint32_t n = dict_count(d);
    int rc = reserve_bits(f, n, arena);

    if (rc)
        return rc;
    if (w->kind == PREDICATE_STRINGS) {
        f->codes.limit = n;
        for (uint32_t i = 0; i < w->n; i++) {
            uint32_t code;
            if (dict_find_bytes(d, w->strings[i].bytes, w->strings[i].len, &code))
                set_code(f, code);
        }
    } else if (w->kind == PREDICATE_INTS && w->n < n - f->codes.limit) {
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

static bool is_branch(const struct predicate *w)
{
    return w->kind == PREDICATE_AND || w->kind == PREDICATE_OR;
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
    if (is_branch(where))
        return bind_children(f, slot, arena);
    const struct dict *d = slot_dict(slot, where->column);
    f->column = &slot_schema(slot)->columns[where->column];
    f->list = f->column->layout == LAYOUT_LIST;
    f->coded = d && where->kind != PREDICATE_NULL;
    f->dict = d;
    if (where->kind != PREDICATE_WORDS)
        return 0;
    return words_search_new(slot, where->column, where->strings[0].bytes, where->strings[0].len,
                            arena, &f->search);
}

static int grow(struct filter *f, struct arena *arena, uint64_t *work)
{
    int rc = 0;

    if (f && f->coded && (!f->bound || dict_count(f->dict) > f->codes.limit))
        return bind_codes(f, arena, work);
    for (uint32_t i = 0; f && f->children && i < f->predicate->n && !rc; i++)
        rc = grow(f->children[i], arena, work);
    return rc;
}

int filter_grow(struct filter *f, struct arena *arena)
{
    uint64_t work = STEP_WORK;

    return grow(f, arena, &work);
}

static void filter_ints(const struct predicate *w, const struct colblock *c, uint64_t *sel)
{
    if (w->negate) {
        for (uint32_t i = 0; i < w->n; i++)
            colblock_filter_range(c, w->ints[i], w->ints[i], true, sel);
        if (!w->n)
            colblock_filter_null(c, false, sel);
        return;
    }
    uint64_t any[BLOCK_WORDS] = {0}, one[BLOCK_WORDS];
    int64_t min, max;
    bool bounded = colblock_bounds(c, &min, &max);
    for (uint32_t i = 0; bounded && i < w->n; i++) {
        if (w->ints[i] < min || w->ints[i] > max)
            continue;
        memcpy(one, sel, sizeof(one));
        colblock_filter_range(c, w->ints[i], w->ints[i], false, one);
        selection_or(any, one);
    }
    selection_and(sel, any);
}

/* A long IN list: decode once and look each value up, instead of one pass over the slices per value. */
static void filter_many_ints(const struct predicate *w, const struct colblock *c, uint64_t *sel)
{
    uint64_t line[BLOCK_WORDS];
    int64_t values[LINE_ROWS];
    uint8_t present[LINE_ROWS];

    for (unsigned at = 0; at < BLOCK_WORDS; at += LINE_ROWS / 64) {
        selection_clear_all(line);
        memcpy(line + at, sel + at, LINE_ROWS / 8);
        uint32_t n = colblock_decode(c, line, values, present), i = 0;
        for (unsigned w64 = at; n && w64 < at + LINE_ROWS / 64; w64++) {
            uint64_t keep = 0;
            for (uint64_t bits = sel[w64]; bits; bits &= bits - 1, i++)
                if (present[i] && is_int_member(w, values[i]) != w->negate)
                    keep |= bits & -bits;
            sel[w64] = keep;
        }
    }
}

static bool filter_range(const struct predicate *w, const struct colblock *c, uint64_t *sel)
{
    int64_t min, max;

    if (!colblock_bounds(c, &min, &max)) {
        selection_clear_all(sel);
        return true;
    }
    bool all = w->lo <= min && w->hi >= max, none = w->hi < min || w->lo > max || w->lo > w->hi;
    if (w->negate ? all : none) {
        selection_clear_all(sel);
        return true;
    }
    if (all || none) {
        if (colblock_has_nulls(c))
            colblock_filter_null(c, false, sel);
        return true;
    }
    colblock_filter_range(c, w->lo, w->hi, w->negate, sel);
    return false;
}

/* What a block's headers tell about its rows. */
enum verdict { VERDICT_NONE, VERDICT_ALL, VERDICT_SOME };

static enum verdict judge_range(const struct predicate *w, const struct colblock *c)
{
    int64_t min, max;

    if (!colblock_bounds(c, &min, &max))
        return VERDICT_NONE;
    bool all = w->lo <= min && w->hi >= max, none = w->hi < min || w->lo > max || w->lo > w->hi;
    if (w->negate ? all : none)
        return VERDICT_NONE;
    return (all || none) && !colblock_has_nulls(c) ? VERDICT_ALL : VERDICT_SOME;
}

static enum verdict judge_leaf(const struct filter *f, const struct block *b)
{
    const struct predicate *w = f->predicate;
    const struct colblock *c = b->columns[w->column];
    uint32_t n;

    if (!c)
        return w->kind == PREDICATE_NULL && !w->negate ? VERDICT_ALL : VERDICT_NONE;
    if (w->kind == PREDICATE_NULL)
        return colblock_has_nulls(c) ? VERDICT_SOME : w->negate ? VERDICT_ALL : VERDICT_NONE;
    if (f->coded && f->codes.count == 1 && !f->list && !w->negate &&
        colblock_code_rows(c, f->codes.only, &n))
        return !n ? VERDICT_NONE : n == b->rows ? VERDICT_ALL : VERDICT_SOME;
    return !f->coded && w->kind == PREDICATE_RANGE ? judge_range(w, c) : VERDICT_SOME;
}

static enum verdict judge(const struct filter *f, const struct block *b)
{
    if (!f)
        return VERDICT_ALL;
    if (f->nothing)
        return VERDICT_NONE;
    return f->children ? VERDICT_SOME : judge_leaf(f, b);
}

/* Rows of all the block that the leaf selects, from its headers. */
static bool leaf_rows(const struct filter *f, const struct block *b, uint32_t *n)
{
    const struct colblock *c = b->columns[f->predicate->column];

    return !f->children && f->coded && f->codes.count == 1 && !f->list && !f->predicate->negate &&
           colblock_code_rows(c, f->codes.only, n);
}

bool filter_count(const struct filter *f, const struct block *b, uint32_t *n)
{
    const struct filter *left = NULL;
    uint32_t n_children =
        f && f->children && f->predicate->kind == PREDICATE_AND ? f->predicate->n : 0;
    unsigned open = 0;

    *n = 0;
    for (uint32_t i = 0; i < (n_children ? n_children : 1); i++) {
        const struct filter *x = n_children ? f->children[i] : f;

        switch (judge(x, b)) {
        case VERDICT_NONE:
            return true;
        case VERDICT_SOME:
            left = x;
            open++;
            break;
        case VERDICT_ALL:
            break;
        }
    }
    if (!open)
        *n = b->rows;
    return !open || (open == 1 && leaf_rows(left, b, n));
}

static bool filter_leaf(const struct filter *f, const struct block *b, uint64_t *sel)
{
    const struct predicate *w = f->predicate;
    const struct colblock *c = b->columns[w->column];

    if (!c) { /* the block lacks the column: every value is NULL */
        if (w->kind == PREDICATE_NULL && !w->negate)
            return true;
        selection_clear_all(sel);
        return true;
    }
    if (w->kind == PREDICATE_NULL) {
        colblock_filter_null(c, !w->negate, sel);
        return false;
    }
    if (f->coded) {
        if (f->codes.count == 1 && !f->list)
            colblock_filter_code(c, f->codes.only, w->negate, sel);
        else
            colblock_filter_codes(c, &f->codes, w->negate, sel);
        return false;
    }
    if (w->kind == PREDICATE_RANGE)
        return filter_range(w, c, sel);
    if (w->n <= 8)
        filter_ints(w, c, sel);
    else
        filter_many_ints(w, c, sel);
    return false;
}

static bool filter_or(const struct filter *f, const struct block *b, uint64_t *sel)
{
    uint64_t *any = f->scratch, *one = f->scratch + BLOCK_WORDS;
    bool by_bounds = true;

    selection_clear_all(any);
    for (uint32_t i = 0; i < f->predicate->n; i++) {
        memcpy(one, sel, BLOCK_WORDS * sizeof(*one));
        by_bounds &= filter_block(f->children[i], b, one);
        selection_or(any, one);
    }
    selection_and(sel, any);
    return by_bounds;
}

bool filter_block(const struct filter *f, const struct block *b, uint64_t *sel)
{
    if (!f)
        return true;
    if (f->nothing) {
        selection_clear_all(sel);
        return true;
    }
    if (f->predicate->kind == PREDICATE_OR)
        return filter_or(f, b, sel);
    if (f->predicate->kind != PREDICATE_AND)
        return filter_leaf(f, b, sel);
    bool by_bounds = true;
    for (uint32_t i = 0; i < f->predicate->n; i++)
        if (judge(f->children[i], b) == VERDICT_NONE) {
            selection_clear_all(sel);
            return true;
        }
    for (uint32_t i = 0; i < f->predicate->n; i++) {
        by_bounds &= filter_block(f->children[i], b, sel);
        if (selection_is_empty(sel))
            return by_bounds;
    }
    return by_bounds;
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
    if (!is_branch(f->predicate))
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
    if (!is_branch(where)) {
        used[where->column] = true;
        return;
    }
    for (uint32_t i = 0; i < where->n; i++)
        filter_columns(where->children[i], used);
}
