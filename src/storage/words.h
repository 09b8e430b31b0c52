#pragma once
/*
 * Text as words, for search: runs of letters, digits and combining marks, folded so that case and accents do not
 * count. Compatibility forms count as what they stand for; every Chinese ideograph is a word of its own. Bytes that
 * are no UTF-8 separate words. Stateless but for the reader; any core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WORDS_MAX_BYTES =
        252, /* of a folded word; what is longer is cut there, in texts and in queries alike */
    WORDS_PENDING = 64, /* characters that one may decompose to, with room to spare */
    WORDS_CACHE = 128,
};

/* Foldings of characters met before: `from` becomes the one character `to`. */
struct words_cached {
    int32_t from, to;
};

/* Reader of the words of one text after the other. Owner: the caller. */
struct words {
    const uint8_t *at, *end;
    int32_t pending[WORDS_PENDING]; /* folded characters still to come; 0 = separator */
    uint32_t n_pending, next_pending;
    bool full; /* the word reached its longest */
    uint32_t len;
    char word[WORDS_MAX_BYTES];
    struct words_cached cache[WORDS_CACHE];
};

void words_init(struct words *w);
/* The text must live until its last word has been read. */
void words_begin(struct words *w, const char *text, size_t len);
/* The next word into w->word and w->len (1 to WORDS_MAX_BYTES): false = there is no more. */
bool words_next(struct words *w);

/* Does the byte belong to a word, or to a character above ASCII, which may? */
bool words_is_inside(char byte);
