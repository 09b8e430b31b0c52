#include "storage/group_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "storage/number_set.h"

enum {
    KEY_SHORT = 15,  /* bytes that a key has room for */
    KEY_SMALL = 8,   /* that a word has */
    SMALL_AHEAD = 8, /* words: the next line of memory, which else is waited for */
    BLOCK_FIRST = 8,
    BLOCK_MOST = 512, /* groups of a block */
    WORDS_MAX = 64,
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bytes of a short key lie in order");

struct set_part {
    uint64_t *at, *end; /* where the next group goes, in the last block */
    struct group_set_block *first, *last;
    uint64_t n; /* groups, once settled */
};

struct group_set {
    unsigned words;
    struct arena arena; /* blocks, and places of long strings */
    bool count_only, has_null;
    uint64_t null[WORDS_MAX];
    struct set_part parts[GROUP_SET_PARTS], small[GROUP_SET_PARTS];
    struct number_set numbers;
};

struct group_set *group_set_new(unsigned words, struct budget *budget, uint64_t limit)
{
    struct group_set *s = calloc(1, sizeof(*s));

    ASSERT(words <= WORDS_MAX);
    if (!s)
        return NULL;
    s->words = words;
    arena_init(&s->arena, limit, budget);
    return s;
}

void group_set_count_only(struct group_set *s)
{
    ASSERT(!s->words);
    s->count_only = true;
}

void group_set_free(struct group_set *s)
{
    if (!s)
        return;
    arena_fini(&s->arena);
    free(s);
}

static uint64_t load8(const char *s)
{
    uint64_t v;

    memcpy(&v, s, sizeof(v));
    return v;
}

static uint64_t load4(const char *s)
{
    uint32_t v;

    memcpy(&v, s, sizeof(v));
    return v;
}

/* Reads may overlap: they put equal bytes into the same place. */
static void short_key(const char *s, uint32_t len, struct group_key *out)
{
    uint64_t low = 0, high = 0;

    if (len >= 8) {
        low = load8(s);
        if (len > 8)
            high = load8(s + len - 8) >> 8 * (16 - len);
    } else if (len >= 4) {
        low = load4(s) | load4(s + len - 4) << 8 * (len - 4);
    } else {
        for (uint32_t i = 0; i < len; i++)
            low |= (uint64_t)(uint8_t)s[i] << 8 * i;
    }
    *out = (struct group_key){low, high | (uint64_t)(len + 1) << GROUP_KEY_SHIFT};
}

static int long_key(struct group_set *s, const char *bytes, uint32_t len, struct group_key *out)
{
    struct group_key_place *p = arena_alloc(&s->arena, sizeof(*p));

    if (!p)
        return -ENOMEM;
    *p = (struct group_key_place){bytes, len};
    *out = (struct group_key){XXH3_64bits(bytes, len),
                              (uint64_t)(uintptr_t)p | (uint64_t)GROUP_KEY_LONG << GROUP_KEY_SHIFT};
    return 0;
}

static const struct group_key_place *place_of(const struct group_key *k)
{
    return (const struct group_key_place *)(uintptr_t)(k->high & ((1ull << GROUP_KEY_SHIFT) - 1));
}

bool group_key_equal_long(const struct group_key *a, const struct group_key *b)
{
    const struct group_key_place *x = place_of(a), *y = place_of(b);

    return x->len == y->len && !memcmp(x->bytes, y->bytes, x->len);
}

const char *group_key_bytes(const struct group_key *k, uint32_t *len)
{
    if (k->high >> GROUP_KEY_SHIFT == GROUP_KEY_LONG) {
        *len = place_of(k)->len;
        return place_of(k)->bytes;
    }
    *len = (uint32_t)(k->high >> GROUP_KEY_SHIFT) - 1;
    return (const char *)k;
}

static int grow_part(struct group_set *s, struct set_part *p, unsigned width)
{
    uint32_t cap = p->last ? p->last->cap * 2 : BLOCK_FIRST;
    struct group_set_block *b;

    if (cap > BLOCK_MOST)
        cap = BLOCK_MOST;
    b = arena_alloc(&s->arena, sizeof(*b) + (size_t)cap * width * sizeof(uint64_t));
    if (!b)
        return -ENOMEM;
    *b = (struct group_set_block){.n = cap, .cap = cap};
    if (p->last)
        p->last->next = b;
    else
        p->first = b;
    p->last = b;
    p->at = b->data;
    p->end = b->data + (size_t)cap * width;
    return 0;
}

static int add_small(struct group_set *s, uint64_t small)
{
    struct set_part *p = &s->small[group_small_hash(small) >> (64 - GROUP_SET_PART_BITS)];

    if (p->at == p->end && grow_part(s, p, 1))
        return -ENOMEM;
    __builtin_prefetch(p->at + SMALL_AHEAD, 1);
    *p->at++ = small;
    return 0;
}

int group_set_add(struct group_set *s, const char *bytes, uint32_t len, const uint64_t *counts)
{
    struct group_key k;
    uint32_t place;

    if (!s->words && len - 1 < KEY_SMALL && bytes[len - 1]) {
        short_key(bytes, len, &k);
        return s->count_only && number_set_place(k.low, len, &place)
                   ? number_set_add(&s->numbers, &s->arena, place)
                   : add_small(s, k.low);
    }
    if (len <= KEY_SHORT)
        short_key(bytes, len, &k);
    else if (long_key(s, bytes, len, &k))
        return -ENOMEM;
    struct set_part *p = &s->parts[group_key_hash(&k) >> (64 - GROUP_SET_PART_BITS)];
    if (p->at == p->end && grow_part(s, p, 2 + s->words))
        return -ENOMEM;
    uint64_t *to = p->at;
    to[0] = k.low;
    to[1] = k.high;
    for (unsigned w = 0; w < s->words; w++)
        to[2 + w] = counts[w];
    p->at = to + 2 + s->words;
    return 0;
}

bool group_set_takes_numbers(const struct group_set *s)
{
    return s->count_only;
}

int group_set_add_numbers(struct group_set *s, const uint32_t *places, uint32_t n)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && !rc; i++)
        rc = number_set_add(&s->numbers, &s->arena, places[i]);
    return rc;
}

static void settle(struct set_part *parts, unsigned width)
{
    for (struct set_part *p = parts; p < parts + GROUP_SET_PARTS; p++) {
        if (p->last)
            p->last->n = (uint32_t)((uint64_t)(p->at - p->last->data) / width);
        p->n = 0;
        for (const struct group_set_block *b = p->first; b; b = b->next)
            p->n += b->n;
    }
}

void group_set_settle(struct group_set *s)
{
    settle(s->parts, 2 + s->words);
    settle(s->small, 1);
    number_set_settle(&s->numbers);
}

void group_set_add_null(struct group_set *s, const uint64_t *counts)
{
    s->has_null = true;
    for (unsigned w = 0; w < s->words; w++)
        s->null[w] += counts[w];
}

unsigned group_set_words(const struct group_set *s)
{
    return s->words;
}

const struct group_set_block *group_set_part(const struct group_set *s, unsigned part, uint64_t *n)
{
    *n = s->parts[part].n;
    return s->parts[part].first;
}

const struct group_set_block *group_set_small(const struct group_set *s, unsigned part, uint64_t *n)
{
    *n = s->small[part].n;
    return s->small[part].first;
}

const struct number_set *group_set_numbers(const struct group_set *s)
{
    return &s->numbers;
}

const uint64_t *group_set_null(const struct group_set *s)
{
    return s->has_null ? s->null : NULL;
}
