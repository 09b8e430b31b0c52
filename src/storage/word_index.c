#include "storage/word_index.h"

#include <errno.h>
#include <string.h>

#include "storage/dict.h"
#include "storage/piece_pool.h"
#include "storage/slot_memory.h"
#include "storage/words.h"

enum {
    PAGE_BITS = 12,
    PAGE_ENTRIES = 1 << PAGE_BITS,
    BYTES_CODE = 5, /* of the largest difference */
    TEXT_WORK = 16, /* of a text beside its bytes */
    BYTE_WORK = 4,  /* a byte takes that many times as long as one that is only compared */
};

/* Codes of a word, ascending. The first one is `first`, the others are differences in bytes[]. */
struct postings {
    uint8_t *bytes;
    uint32_t len, cap;
    uint32_t count;
    uint32_t first, last;
};

struct word_index {
    const struct dict *texts;
    struct budget *budget;
    struct dict *words; /* codes of it are the numbers of words */
    struct postings **pages;
    uint32_t n_pages, cap_pages;
    struct piece_pool bytes; /* of all postings */
    uint32_t limit;          /* texts taken in */
    size_t memory;           /* bytes of this and the pages */
    struct words reader;
};

struct word_index *word_index_new(const struct dict *texts, uint64_t seed, struct budget *budget)
{
    struct word_index *x = slot_memory_zeroed(budget, sizeof *x);

    if (!x)
        return NULL;
    x->words = dict_new(DICT_BYTES, seed, budget);
    if (!x->words) {
        slot_memory_free(budget, x, sizeof *x);
        return NULL;
    }
    x->texts = texts;
    x->budget = budget;
    x->memory = sizeof *x;
    piece_pool_init(&x->bytes, budget);
    words_init(&x->reader);
    return x;
}

static struct postings *postings_of(const struct word_index *x, uint32_t number)
{
    return &x->pages[number >> PAGE_BITS][number & (PAGE_ENTRIES - 1)];
}

void word_index_free(struct word_index *x)
{
    if (!x)
        return;
    for (uint32_t i = 0; i < x->n_pages; i++)
        slot_memory_free(x->budget, x->pages[i], PAGE_ENTRIES * sizeof(struct postings));
    piece_pool_fini(&x->bytes);
    slot_memory_free(x->budget, x->pages, x->cap_pages * sizeof *x->pages);
    dict_free(x->words);
    slot_memory_free(x->budget, x, sizeof *x);
}

uint32_t word_index_limit(const struct word_index *x)
{
    return x->limit;
}

const struct dict *word_index_texts(const struct word_index *x)
{
    return x->texts;
}

size_t word_index_memory(const struct word_index *x)
{
    return x->memory + x->bytes.memory + dict_memory(x->words);
}

uint32_t word_index_words(const struct word_index *x)
{
    return dict_count(x->words);
}

bool word_index_find(const struct word_index *x, const char *word, uint32_t len, uint32_t *number)
{
    return dict_find_bytes(x->words, word, len, number);
}

const char *word_index_word(const struct word_index *x, uint32_t number, uint32_t *len)
{
    return dict_bytes(x->words, number, len);
}

/* ---- taking texts in ---- */

/* Room for the postings of one more word, before it gets its number. */
static int reserve_page(struct word_index *x)
{
    if (dict_count(x->words) < (uint64_t)x->n_pages << PAGE_BITS)
        return 0;
    if (x->n_pages == x->cap_pages) {
        uint32_t cap = x->cap_pages ? 2 * x->cap_pages : 8;
        void *pages = slot_memory_grow(x->budget, x->pages, x->cap_pages * sizeof *x->pages,
                                       cap * sizeof *x->pages);

        if (!pages)
            return -ENOMEM;
        x->memory += (cap - x->cap_pages) * sizeof *x->pages;
        x->pages = pages;
        x->cap_pages = cap;
    }
    x->pages[x->n_pages] = slot_memory_zeroed(x->budget, PAGE_ENTRIES * sizeof(struct postings));
    if (!x->pages[x->n_pages])
        return -ENOMEM;
    x->memory += PAGE_ENTRIES * sizeof(struct postings);
    x->n_pages++;
    return 0;
}

static int grow_postings(struct word_index *x, struct postings *p)
{
    uint64_t cap = piece_pool_size(p->cap + (uint64_t)p->cap / 2 + 1);
    uint8_t *bytes;

    if (cap > UINT32_MAX)
        return -ENOMEM;
    bytes = piece_pool_get(&x->bytes, cap);
    if (!bytes)
        return -ENOMEM;
    if (p->len)
        memcpy(bytes, p->bytes, p->len);
    piece_pool_put(&x->bytes, p->bytes, p->cap);
    p->bytes = bytes;
    p->cap = (uint32_t)cap;
    return 0;
}

static int add_code(struct word_index *x, uint32_t number, uint32_t code)
{
    struct postings *p = postings_of(x, number);
    uint32_t difference = code - p->last;

    if (p->count == 0) {
        p->first = p->last = code;
        p->count = 1;
        return 0;
    }
    if (difference == 0) /* again in the same text */
        return 0;
    if (p->cap - p->len < BYTES_CODE && grow_postings(x, p) != 0)
        return -ENOMEM;
    for (; difference >= 0x80; difference >>= 7)
        p->bytes[p->len++] = (uint8_t)(difference | 0x80);
    p->bytes[p->len++] = (uint8_t)difference;
    p->last = code;
    p->count++;
    return 0;
}

/* A text that was begun before memory ended begins again: words that have its code keep it. */
static int add_text(struct word_index *x, uint32_t code, uint64_t *work)
{
    uint32_t len, number;
    const char *text = dict_bytes(x->texts, code, &len);
    uint64_t cost = BYTE_WORK * ((uint64_t)len + TEXT_WORK);

    *work -= cost < *work ? cost : *work;
    words_begin(&x->reader, text, len);
    while (words_next(&x->reader)) {
        int rc = reserve_page(x);

        if (rc == 0)
            rc = dict_put_bytes(x->words, x->reader.word, x->reader.len, &number);
        if (rc == 0)
            rc = add_code(x, number, code);
        if (rc != 0)
            return -ENOMEM;
    }
    return 0;
}

int word_index_step(struct word_index *x, uint64_t *work)
{
    while (x->limit < dict_count(x->texts)) {
        if (*work == 0)
            return 1;
        if (add_text(x, x->limit, work) != 0)
            return -ENOMEM;
        x->limit++;
    }
    return 0;
}

/* ---- codes of a word ---- */

static uint32_t next_difference(const struct postings *p, uint32_t *at)
{
    uint32_t v = 0;
    unsigned shift = 0;
    uint8_t b;

    do {
        b = p->bytes[(*at)++];
        v |= (uint32_t)(b & 0x7f) << shift;
        shift += 7;
    } while (b & 0x80);
    return v;
}

bool word_index_mark(const struct word_index *x, uint32_t number, struct word_codes *at,
                     uint32_t limit, uint64_t *bits, uint64_t *work)
{
    const struct postings *p = postings_of(x, number);

    for (; at->done < p->count; at->done++) {
        if (*work == 0)
            return false;
        --*work;
        at->last = at->done ? at->last + next_difference(p, &at->at) : p->first;
        if (at->last >= limit)
            return true;
        bits[at->last >> 6] |= 1ULL << (at->last & 63);
    }
    return true;
}
