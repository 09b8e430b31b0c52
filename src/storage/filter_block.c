/* Filter: the rows of one block. */
#include <string.h>

#include "storage/container_meet.h"
#include "storage/filter_impl.h"
#include "storage/presence.h"
#include "storage/selection.h"

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
                if (present[i] && filter_is_int_member(w, values[i]) != w->negate)
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

/* What a block's headers tell about the rows of a condition. */
enum verdict {
    VERDICT_NONE,
    VERDICT_ALL,
    VERDICT_CONTAINER, /* those of one container, and of what lies behind its words */
    VERDICT_SOME,
};

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

static bool has_one_code(const struct filter *f)
{
    return f->coded && f->codes.count == 1 && !f->list && !f->predicate->negate;
}

static enum verdict judge_leaf(const struct filter *f, const struct block *b,
                               struct container_rows *rows)
{
    const struct predicate *w = f->predicate;
    const struct colblock *c = b->columns[w->column];

    if (!c)
        return w->kind == PREDICATE_NULL && !w->negate ? VERDICT_ALL : VERDICT_NONE;
    if (w->kind == PREDICATE_NULL)
        return colblock_has_nulls(c) ? VERDICT_SOME : w->negate ? VERDICT_ALL : VERDICT_NONE;
    if (has_one_code(f) && colblock_code_rows(c, f->codes.only, rows))
        return rows->tail           ? VERDICT_CONTAINER
               : !rows->n           ? VERDICT_NONE
               : rows->n == b->rows ? VERDICT_ALL
                                    : VERDICT_CONTAINER;
    return !f->coded && w->kind == PREDICATE_RANGE ? judge_range(w, c) : VERDICT_SOME;
}

static enum verdict judge(const struct filter *f, const struct block *b,
                          struct container_rows *rows)
{
    if (!f) /* TRUE */
        return VERDICT_ALL;
    if (f->nothing)
        return VERDICT_NONE;
    return f->children ? VERDICT_SOME : judge_leaf(f, b, rows);
}

/* What is left of a condition's conjuncts when those of one container each met. */
struct conjuncts {
    struct container_meet meet;
    const struct filter *met[CONTAINER_MEET_MAX]; /* the conjuncts in meet */
    uint32_t containers, some;                    /* of them */
    uint32_t n;                                   /* rows of the last container */
    uint32_t words, tail; /* of the block that containers tell of; rows behind */
    uint64_t left;        /* of the first 64, those that are not in meet */
};

static const struct filter *conjunct(const struct filter *f, uint32_t i)
{
    return f->predicate->kind == PREDICATE_AND ? f->children[i] : f;
}

/* 0: no conjunct to look at. */
static uint32_t n_conjuncts(const struct filter *f)
{
    return !f ? 0 : f->predicate->kind == PREDICATE_AND ? f->predicate->n : 1;
}

/* Into meet, when there is room and what is there tells of the same rows. */
static bool add_container(struct conjuncts *c, const struct filter *f,
                          const struct container_rows *rows)
{
    if (c->containers == CONTAINER_MEET_MAX - 1 ||
        (c->containers && (rows->words != c->words || rows->tail != c->tail)))
        return false;
    container_meet_add(&c->meet, rows);
    c->met[c->containers++] = f;
    c->n = rows->n;
    c->words = rows->words;
    c->tail = rows->tail;
    return true;
}

/* Of the rows behind the containers: sel, which begins with the first of them, &= those of all conjuncts in meet. */
static void filter_tail(const struct conjuncts *c, const struct block *b, uint64_t *sel)
{
    for (uint32_t i = 0; i < c->containers; i++)
        colblock_filter_tail_code(b->columns[c->met[i]->predicate->column], c->met[i]->codes.only,
                                  sel);
}

/* All of them that are live. */
static void fill_tail(const struct conjuncts *c, const struct block *b, uint64_t *sel)
{
    memset(sel, 0, presence_words(c->tail) * sizeof(*sel));
    presence_fill(sel, 0, c->tail);
    presence_and(sel, b->live ? b->live + c->words : NULL, presence_words(c->tail));
}

static uint32_t count_tail(const struct conjuncts *c, const struct block *b)
{
    uint64_t sel[BLOCK_WORDS];

    fill_tail(c, b, sel);
    filter_tail(c, b, sel);
    return presence_count(sel, presence_words(c->tail));
}

/* Is it a range, which the first line of a column tells about? Containers lie further away. */
static bool is_bounded(const struct filter *f)
{
    return f && !f->nothing && !f->children && !f->coded && f->predicate->kind == PREDICATE_RANGE;
}

/* What the headers tell about conjunct i goes into c; false: no row satisfies it. */
static bool judge_one(const struct filter *f, uint32_t i, const struct block *b,
                      struct conjuncts *c)
{
    struct container_rows rows;
    enum verdict v = judge(f, b, &rows);

    if (v == VERDICT_NONE)
        return false;
    if (v == VERDICT_CONTAINER && i < 64 && add_container(c, f, &rows))
        return true;
    if (v != VERDICT_ALL) {
        c->some++;
        c->left |= i < 64 ? 1ULL << i : 0;
    }
    return true;
}

/* False: no row satisfies all of them. Ranges are asked first: a block out of them costs no look at containers. */
static bool judge_all(const struct filter *f, const struct block *b, struct conjuncts *c)
{
    uint32_t n = n_conjuncts(f), bounded = 0;

    container_meet_init(&c->meet);
    c->containers = c->some = c->n = c->tail = 0;
    c->left = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!is_bounded(conjunct(f, i)))
            continue;
        bounded++;
        if (!judge_one(conjunct(f, i), i, b, c))
            return false;
    }
    for (uint32_t i = 0; i < n && bounded < n; i++)
        if (!is_bounded(conjunct(f, i)) && !judge_one(conjunct(f, i), i, b, c))
            return false;
    return true;
}

void filter_prefetch(const struct filter *f, const struct block *b)
{
    for (uint32_t i = 0; i < n_conjuncts(f); i++) {
        const struct filter *leaf = conjunct(f, i);
        if (!leaf || leaf->children || !has_one_code(leaf))
            continue;
        const struct colblock *c = b->columns[leaf->predicate->column];
        if (c)
            colblock_prefetch_code(c, leaf->codes.only);
    }
}

bool filter_foresee(const struct filter *f, const struct block *b, struct container_meet *next)
{
    struct conjuncts c;

    if (!f || !judge_all(f, b, &c) || !c.containers)
        return false;
    *next = c.meet;
    return true;
}

enum filter_counted filter_count(const struct filter *f, const struct block *b, bool meet,
                                 const struct container_meet *next, uint32_t *n)
{
    struct conjuncts c;

    *n = 0;
    if (!judge_all(f, b, &c))
        return FILTER_BY_HEADERS;
    if (c.some)
        return FILTER_UNCOUNTED;
    if (!c.containers || (c.containers == 1 && !b->live && !c.tail)) {
        *n = c.containers ? c.n : b->live_count;
        return FILTER_BY_HEADERS;
    }
    if (!meet)
        return FILTER_UNCOUNTED;
    if (b->live)
        container_meet_add_bitset(&c.meet, b->live);
    *n = c.containers == 1 && !b->live ? c.n : container_meet_rows(&c.meet, next, NULL);
    if (c.tail)
        *n += count_tail(&c, b);
    return FILTER_MET;
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
            colblock_filter_code(b->columns[w->column], f->codes.only, w->negate, sel);
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

/* One conjunct, or a condition that has only one. */
static bool filter_one(const struct filter *f, const struct block *b, uint64_t *sel)
{
    if (f->nothing) {
        selection_clear_all(sel);
        return true;
    }
    if (f->predicate->kind == PREDICATE_AND)
        return filter_block(f, b, sel);
    return f->predicate->kind == PREDICATE_OR ? filter_or(f, b, sel) : filter_leaf(f, b, sel);
}

/* The conjuncts that are left, cheap ones first. */
static bool filter_left(const struct filter *f, const struct block *b, uint64_t left, uint64_t *sel)
{
    bool by_bounds = true;

    for (uint32_t i = 0; i < n_conjuncts(f); i++) {
        if (i < 64 ? !(left >> i & 1) : !conjunct(f, i))
            continue;
        by_bounds &= filter_one(conjunct(f, i), b, sel);
        if (selection_is_empty(sel))
            break;
    }
    return by_bounds;
}

bool filter_block(const struct filter *f, const struct block *b, uint64_t *sel)
{
    struct conjuncts c;

    if (!judge_all(f, b, &c)) {
        selection_clear_all(sel);
        return true;
    }
    if (c.containers) {
        uint64_t tail[BLOCK_WORDS];
        size_t bytes = presence_words(c.tail) * sizeof(*tail);

        memcpy(tail, sel + c.words, bytes);
        container_meet_add_bitset(&c.meet, sel);
        container_meet_rows(&c.meet, NULL, sel);
        filter_tail(&c, b, tail);
        memcpy(sel + c.words, tail, bytes);
    }
    return filter_left(f, b, c.left, sel) && !c.containers;
}

bool filter_rows(const struct filter *f, const struct block *b, uint32_t from, uint32_t to,
                 const struct container_meet *next, uint64_t *sel)
{
    struct conjuncts c;

    if (from >= to || !judge_all(f, b, &c)) {
        selection_clear_all(sel);
        return true;
    }
    if (c.containers) {
        if (b->live)
            container_meet_add_bitset(&c.meet, b->live);
        container_meet_rows(&c.meet, next, sel);
        if (c.tail) {
            fill_tail(&c, b, sel + c.words);
            filter_tail(&c, b, sel + c.words);
        }
        selection_cut(sel, from, to);
    } else {
        selection_fill(sel, from, to);
        if (b->live)
            selection_and(sel, b->live);
    }
    return filter_left(f, b, c.left, sel) && !c.containers;
}
