#pragma once
/*
 * What a search asks of the words of a row, as MySQL's AGAINST says it. Natural mode: any of the words. Boolean mode:
 * +must, -must not, perhaps, beginning*, "words in this order", (groups). A row is found when it has all that must and
 * none that must not be there and, where nothing must, at least one of the others. Memory: an arena of the caller.
 */
#include "reactor/arena.h"
#include "storage/words.h"

enum {
    WORDS_QUERY_MAX_BYTES = 16 << 10, /* text of a query */
    WORDS_QUERY_MAX_WORDS = 256,      /* in all its terms */
    WORDS_QUERY_MAX_PHRASE = 64,      /* words of a term */
    WORDS_QUERY_MAX_DEPTH = 8,        /* groups in groups */
};

struct words_string {
    const char *bytes; /* folded */
    uint32_t len;
};

/* Words that follow each other; one word is a phrase of one. */
struct words_term {
    const struct words_string *words;
    uint16_t n;
    bool prefix; /* the last one is the beginning of a word */
};

enum words_sign { WORDS_MAY, WORDS_MUST, WORDS_MUST_NOT };

/* The tree in prefix order: a group is followed by its members, up to node `end`. */
struct words_node {
    uint8_t sign; /* enum words_sign */
    bool group;
    uint16_t term; /* else: position among the terms */
    uint16_t end;  /* node after the last that belongs to this one */
};

struct words_query {
    const struct words_term *terms; /* each once */
    uint16_t n_terms, n_nodes;
    const struct words_node *nodes; /* the first one is the group of all */
};

/* 0; -E2BIG when the text, its words, a phrase or the depth of groups is over its limit; -EOPNOTSUPP for a distance
 * behind a phrase ("a b" @8); -ENOMEM. */
int words_query_parse(const char *text, size_t len, bool boolean, struct arena *a,
                      const struct words_query **out);

/* The query as text that gives the same one in boolean mode, NUL-terminated; NULL = -ENOMEM. */
const char *words_query_print(const struct words_query *q, struct arena *a, uint32_t *len);
/* The same of a query that asks for this one term. */
const char *words_term_print(const struct words_term *t, struct arena *a, uint32_t *len);

/* Does the query hold, given the terms that were found (a bit each, found[term / 64])? */
bool words_query_holds(const struct words_query *q, const uint64_t *found);

/* One word against word k of a term. */
bool words_term_fits(const struct words_term *t, uint16_t k, const char *word, uint32_t len);

/* ---- against texts ---- */

/* Matcher: looks for the terms in the texts of a row. Owner: the caller; memory: the arena given. */
struct words_match {
    const struct words_query *query;
    struct words reader;
    uint64_t found[WORDS_QUERY_MAX_WORDS / 64];
    uint64_t *reached; /* by term: phrases begun, a bit per word that has come */
};

int words_match_init(struct words_match *m, const struct words_query *q, struct arena *a);
void words_match_begin(struct words_match *m); /* a row */
void words_match_text(struct words_match *m, const char *text, size_t len);
bool words_match_has(const struct words_match *m, uint16_t term);
bool words_match_end(const struct words_match *m);
