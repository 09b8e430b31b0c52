#include "storage/words_search.h"

#include <errno.h>
#include <string.h>

#include "storage/dict.h"
#include "storage/slot_words.h"
#include "storage/word_index.h"

enum {
    INDEX_MIN = 512, /* texts from which an index is worth its memory */
    TEXT_WORK = 16,  /* of a text beside its bytes */
    BYTE_WORK = 2,   /* splitting into words takes longer than comparing */
    WORD_WORK = 4,   /* of a word of the index looked at */
};

enum search_stage { SEARCH_INDEX, SEARCH_TERMS, SEARCH_COMBINE, SEARCH_TEXTS };

/* Owner: the filter of a slot. */
struct words_search {
    struct slot *slot;
    const struct dict *texts;
    unsigned column;
    const struct words_query *query;
    struct words_match match;
    struct arena *arena;
    enum search_stage stage;
    uint64_t serial; /* of the index that the terms were looked up in so far */

    uint32_t limit;   /* codes that the index answers for */
    size_t n_bits;    /* 64-bit words of the sets below */
    uint64_t **found; /* by term */
    uint64_t *one;    /* texts with word k of a phrase */
    uint16_t term, k;
    uint32_t word; /* of the index: next candidate of a beginning */
    bool reading;  /* codes of `word` are being read */
    struct word_codes codes;
    uint32_t verify; /* next code of a phrase; UINT32_MAX = words are still looked up */
    size_t combined; /* 64-bit words done with */
};

int words_search_new(struct slot *t, unsigned column, const char *text, uint32_t len,
                     struct arena *a, struct words_search **out)
{
    struct words_search *x = arena_alloc(a, sizeof *x);
    int rc;

    if (!x)
        return -ENOMEM;
    x->slot = t;
    x->column = column;
    x->texts = slot_dict(t, column);
    x->arena = a;
    rc = words_query_parse(text, len, true, a, &x->query);
    if (rc != 0)
        return rc == -ENOMEM ? rc : -EINVAL;
    x->stage = dict_count(x->texts) < INDEX_MIN ? SEARCH_TEXTS : SEARCH_INDEX;
    *out = x;
    return words_match_init(&x->match, x->query, a);
}

static void spend(uint64_t *work, uint64_t n)
{
    *work -= n < *work ? n : *work;
}

/* ---- text by text ---- */

static void match_text(struct words_search *x, uint32_t code, uint64_t *work)
{
    uint32_t len;
    const char *text = dict_bytes(x->texts, code, &len);

    words_match_begin(&x->match);
    words_match_text(&x->match, text, len);
    spend(work, BYTE_WORK * ((uint64_t)len + TEXT_WORK));
}

static int step_texts(struct words_search *x, uint64_t *bits, uint32_t *limit, uint64_t *work)
{
    for (uint32_t n = dict_count(x->texts); *limit < n; ++*limit) {
        if (*work == 0)
            return 1;
        match_text(x, *limit, work);
        if (words_match_end(&x->match))
            bits[*limit >> 6] |= 1ULL << (*limit & 63);
    }
    return 0;
}

/* ---- by the index ---- */

static int sets_new(struct words_search *x)
{
    x->n_bits = x->limit / 64 + 1;
    x->one = arena_alloc(x->arena, x->n_bits * sizeof(uint64_t));
    x->found = arena_alloc(x->arena, (x->query->n_terms + 1u) * sizeof *x->found);
    if (!x->one || !x->found)
        return -ENOMEM;
    for (uint16_t i = 0; i < x->query->n_terms; i++)
        if (!(x->found[i] = arena_alloc(x->arena, x->n_bits * sizeof(uint64_t))))
            return -ENOMEM;
    return 0;
}

static void word_begin(struct words_search *x)
{
    x->word = 0;
    x->reading = false;
    x->codes = (struct word_codes){0};
}

static void term_begin(struct words_search *x, uint16_t term)
{
    x->term = term;
    x->k = 0;
    x->verify = UINT32_MAX;
    word_begin(x);
}

/* The index that the slot has now: another one than before begins anew. */
static struct word_index *index_now(struct words_search *x)
{
    uint64_t serial = 0;
    struct word_index *index = slot_words(x->slot, x->column, &serial);

    if (index && serial != x->serial) {
        x->serial = serial;
        x->stage = SEARCH_INDEX;
    }
    return index;
}

/* Without memory for an index, or for the sets, every text is looked at. */
static int step_index(struct words_search *x, struct word_index *index, bool room, uint64_t *work)
{
    int rc = room ? word_index_step(index, work) : -ENOMEM;

    if (rc > 0)
        return rc;
    if (!x->found) {
        x->limit = word_index_limit(index);
        if (rc == 0)
            rc = sets_new(x);
    }
    if (rc != 0) {
        x->stage = SEARCH_TEXTS;
        return 0;
    }
    for (uint16_t i = 0; i < x->query->n_terms; i++)
        memset(x->found[i], 0, x->n_bits * sizeof(uint64_t));
    memset(x->one, 0, x->n_bits * sizeof(uint64_t));
    term_begin(x, 0);
    x->stage = SEARCH_TERMS;
    return 0;
}

/* Next word of the index that word k of the term stands for, from x->word on: false = no more; *again: no more work. */
static bool next_word(struct words_search *x, const struct word_index *index,
                      const struct words_term *t, bool *again, uint64_t *work)
{
    const struct words_string *s = &t->words[x->k];

    *again = false;
    if (!(t->prefix && x->k == t->n - 1))
        return word_index_find(index, s->bytes, s->len, &x->word);
    for (uint32_t n = word_index_words(index); x->word < n; x->word++) {
        uint32_t len;
        const char *word = word_index_word(index, x->word, &len);

        if (words_term_fits(t, x->k, word, len))
            return true;
        if (*work == 0) {
            *again = true;
            return false;
        }
        spend(work, WORD_WORK);
    }
    return false;
}

/* Texts with word k into `into`: true when all are in. */
static bool step_word(struct words_search *x, const struct word_index *index,
                      const struct words_term *t, uint64_t *into, uint64_t *work)
{
    bool exact = !(t->prefix && x->k == t->n - 1), again;

    for (;;) {
        if (!x->reading && !next_word(x, index, t, &again, work))
            return !again;
        x->reading = true;
        if (!word_index_mark(index, x->word, &x->codes, x->limit, into, work))
            return false;
        x->reading = false;
        x->codes = (struct word_codes){0};
        if (exact)
            return true;
        x->word++;
    }
}

/* Texts that have all words of a phrase: do they have them in its order? */
static bool verify_phrase(struct words_search *x, uint64_t *set, uint64_t *work)
{
    for (; x->verify < x->limit; x->verify++) {
        uint64_t rest = set[x->verify >> 6] >> (x->verify & 63);

        if (!rest) {
            x->verify |= 63;
            continue;
        }
        x->verify += (uint32_t)__builtin_ctzll(rest);
        if (*work == 0)
            return false;
        match_text(x, x->verify, work);
        if (!words_match_has(&x->match, x->term))
            set[x->verify >> 6] &= ~(1ULL << (x->verify & 63));
    }
    return true;
}

/* One term's texts: true when they are known. */
static bool step_term(struct words_search *x, const struct word_index *index, uint64_t *work)
{
    const struct words_term *t = &x->query->terms[x->term];
    uint64_t *set = x->found[x->term];

    for (; x->k < t->n; x->k++) {
        if (!step_word(x, index, t, x->k ? x->one : set, work))
            return false;
        for (size_t i = 0; x->k && i < x->n_bits; i++) {
            set[i] &= x->one[i];
            x->one[i] = 0;
        }
        word_begin(x);
    }
    if (t->n == 1)
        return true;
    if (x->verify == UINT32_MAX)
        x->verify = 0;
    return verify_phrase(x, set, work);
}

static int step_terms(struct words_search *x, const struct word_index *index, uint64_t *work)
{
    while (x->term < x->query->n_terms) {
        if (!step_term(x, index, work))
            return 1;
        term_begin(x, x->term + 1);
    }
    x->stage = SEARCH_COMBINE;
    return 0;
}

/* The group's value for 64 texts at once. */
static uint64_t combine(const struct words_search *x, uint16_t group, size_t at)
{
    const struct words_query *q = x->query;
    uint64_t must = ~0ULL, must_not = 0, may = 0;
    bool has_must = false;

    for (uint16_t i = group + 1; i < q->nodes[group].end; i = q->nodes[i].end) {
        const struct words_node *n = &q->nodes[i];
        uint64_t v = n->group ? combine(x, i, at) : x->found[n->term][at];

        has_must |= n->sign == WORDS_MUST;
        if (n->sign == WORDS_MUST)
            must &= v;
        else if (n->sign == WORDS_MUST_NOT)
            must_not |= v;
        else
            may |= v;
    }
    return (has_must ? must : may) & ~must_not;
}

static int step_combine(struct words_search *x, uint64_t *bits, uint32_t *limit, uint64_t *work)
{
    for (; x->combined < x->n_bits; x->combined++) {
        if (*work == 0)
            return 1;
        spend(work, x->query->n_nodes);
        bits[x->combined] |= combine(x, 0, x->combined);
    }
    *limit = x->limit;
    x->stage = SEARCH_TEXTS;
    return 0;
}

int words_search_step(struct words_search *x, uint64_t *bits, uint32_t *limit, uint64_t *work)
{
    struct word_index *index;
    int rc = 0;

    while (rc == 0 && (x->stage == SEARCH_INDEX || x->stage == SEARCH_TERMS)) {
        /* Making room may evict indexes, so it comes first. */
        bool room = x->stage == SEARCH_TERMS || slot_words_room(x->slot);

        index = index_now(x);
        if (!index)
            x->stage = SEARCH_TEXTS;
        else if (x->stage == SEARCH_INDEX)
            rc = step_index(x, index, room, work);
        else
            rc = step_terms(x, index, work);
    }
    if (rc == 0 && x->stage == SEARCH_COMBINE)
        rc = step_combine(x, bits, limit, work);
    if (rc == 0)
        rc = step_texts(x, bits, limit, work);
    return rc;
}
