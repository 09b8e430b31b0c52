#include "storage/words_query.h"

#include <errno.h>
#include <string.h>

/* Where parsing is. Owner: one call of words_query_parse. */
struct parser {
    struct arena *arena;
    struct words reader;
    const char *at, *end;
    struct words_term *terms;
    struct words_node *nodes;
    struct words_string *words; /* of all terms, in a row */
    uint32_t n_words, n_terms, n_nodes;
    uint16_t open[WORDS_QUERY_MAX_DEPTH + 1]; /* groups */
    unsigned depth;
};

enum { MAX_NODES = 2 * WORDS_QUERY_MAX_WORDS + 1 };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_same_term(const struct words_term *a, const struct words_term *b)
{
    if (a->n != b->n || a->prefix != b->prefix)
        return false;
    for (uint16_t i = 0; i < a->n; i++)
        if (a->words[i].len != b->words[i].len ||
            memcmp(a->words[i].bytes, b->words[i].bytes, a->words[i].len) != 0)
            return false;
    return true;
}

static int add_node(struct parser *p, enum words_sign sign, bool group, uint32_t term)
{
    if (p->n_nodes == MAX_NODES)
        return -E2BIG;
    p->nodes[p->n_nodes] = (struct words_node){(uint8_t)sign, group, (uint16_t)term, 0};
    p->n_nodes++;
    p->nodes[p->n_nodes - 1].end = (uint16_t)p->n_nodes;
    return 0;
}

/* The words since `first` as a term, or the term that is the same. */
static int add_term(struct parser *p, uint32_t first, bool prefix, enum words_sign sign)
{
    struct words_term t = {p->words + first, (uint16_t)(p->n_words - first), prefix};

    if (p->n_words == first)
        return 0;
    for (uint32_t i = 0; i < p->n_terms; i++) {
        if (is_same_term(&p->terms[i], &t)) {
            p->n_words = first;
            return add_node(p, sign, false, i);
        }
    }
    p->terms[p->n_terms++] = t;
    return add_node(p, sign, false, p->n_terms - 1);
}

static int add_word(struct parser *p)
{
    char *bytes;

    if (p->n_words == WORDS_QUERY_MAX_WORDS)
        return -E2BIG;
    bytes = arena_strndup(p->arena, p->reader.word, p->reader.len);
    if (!bytes)
        return -ENOMEM;
    p->words[p->n_words++] = (struct words_string){bytes, p->reader.len};
    return 0;
}

/* A text whose words have to follow each other. */
static int add_phrase(struct parser *p, const char *text, const char *end, bool prefix,
                      enum words_sign sign)
{
    uint32_t first = p->n_words;

    words_begin(&p->reader, text, (size_t)(end - text));
    while (words_next(&p->reader)) {
        int rc = p->n_words - first == WORDS_QUERY_MAX_PHRASE ? -E2BIG : add_word(p);

        if (rc != 0)
            return rc;
    }
    return add_term(p, first, prefix && end > text && words_is_inside(end[-1]), sign);
}

static int parse_natural(struct parser *p)
{
    words_begin(&p->reader, p->at, (size_t)(p->end - p->at));
    while (words_next(&p->reader)) {
        uint32_t first = p->n_words;
        int rc = add_word(p);

        if (rc == 0)
            rc = add_term(p, first, false, WORDS_MAY);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int open_group(struct parser *p, enum words_sign sign)
{
    int rc = p->depth == WORDS_QUERY_MAX_DEPTH ? -E2BIG : add_node(p, sign, true, 0);

    if (rc == 0)
        p->open[++p->depth] = (uint16_t)(p->n_nodes - 1);
    return rc;
}

/* A group without members asks for nothing, as if it were not there. */
static void close_group(struct parser *p)
{
    uint16_t group = p->open[p->depth];

    if (p->depth == 0)
        return;
    p->depth--;
    if (p->n_nodes == group + 1u)
        p->n_nodes = group;
    else
        p->nodes[group].end = (uint16_t)p->n_nodes;
}

static int parse_quoted(struct parser *p, enum words_sign sign)
{
    const char *text = ++p->at, *end = memchr(text, '"', (size_t)(p->end - text));
    bool prefix;

    if (!end)
        end = p->end;
    p->at = end < p->end ? end + 1 : end;
    for (const char *s = p->at; s < p->end && (is_space(*s) || *s == '@'); s++)
        if (*s == '@')
            return -EOPNOTSUPP;
    prefix = end > text && end[-1] == '*';
    return add_phrase(p, text, end - prefix, prefix, sign);
}

/* Up to a space, or to what begins something else. An asterisk ends the word whose beginning it is. */
static int parse_bare(struct parser *p, enum words_sign sign)
{
    const char *text = p->at;
    bool prefix;

    while (p->at < p->end && !is_space(*p->at) && *p->at != '"' && *p->at != '(' && *p->at != ')' &&
           *p->at != '*')
        p->at++;
    prefix = p->at < p->end && *p->at == '*';
    const char *end = p->at;
    p->at += prefix;
    return add_phrase(p, text, end, prefix, sign);
}

/* Signs before a member; of several the last one counts. Those that only change the rank change nothing. */
static enum words_sign parse_signs(struct parser *p)
{
    enum words_sign sign = WORDS_MAY;

    for (; p->at < p->end && (is_space(*p->at) || strchr("+-<>~", *p->at)); p->at++) {
        if (!*p->at)
            break;
        if (is_space(*p->at))
            sign = WORDS_MAY;
        else if (*p->at == '+')
            sign = WORDS_MUST;
        else if (*p->at == '-')
            sign = WORDS_MUST_NOT;
    }
    return sign;
}

static int parse_boolean(struct parser *p)
{
    int rc = 0;

    while (rc == 0) {
        enum words_sign sign = parse_signs(p);

        if (p->at == p->end)
            break;
        if (*p->at == '(') {
            p->at++;
            rc = open_group(p, sign);
        } else if (*p->at == ')') {
            p->at++;
            close_group(p);
        } else if (*p->at == '"') {
            rc = parse_quoted(p, sign);
        } else {
            rc = parse_bare(p, sign);
        }
    }
    while (p->depth)
        close_group(p);
    return rc;
}

int words_query_parse(const char *text, size_t len, bool boolean, struct arena *a,
                      const struct words_query **out)
{
    struct words_query *q = arena_alloc(a, sizeof *q);
    struct parser *p = arena_alloc(a, sizeof *p);
    int rc;

    if (len > WORDS_QUERY_MAX_BYTES)
        return -E2BIG;
    if (!q || !p)
        return -ENOMEM;
    *p = (struct parser){.arena = a, .at = text, .end = text + len};
    p->terms = arena_alloc(a, WORDS_QUERY_MAX_WORDS * sizeof *p->terms);
    p->words = arena_alloc(a, WORDS_QUERY_MAX_WORDS * sizeof *p->words);
    p->nodes = arena_alloc(a, MAX_NODES * sizeof *p->nodes);
    if (!p->terms || !p->words || !p->nodes)
        return -ENOMEM;
    words_init(&p->reader);
    (void)add_node(p, WORDS_MUST, true, 0);
    rc = boolean ? parse_boolean(p) : parse_natural(p);
    if (rc != 0)
        return rc;
    p->nodes[0].end = (uint16_t)p->n_nodes;
    *q = (struct words_query){p->terms, (uint16_t)p->n_terms, (uint16_t)p->n_nodes, p->nodes};
    *out = q;
    return 0;
}

/* ---- as text ---- */

static void put_text(char *out, uint32_t *len, const char *text, uint32_t n)
{
    if (out)
        memcpy(out + *len, text, n);
    *len += n;
}

static void put_term(char *out, uint32_t *len, const struct words_term *t)
{
    if (t->n > 1)
        put_text(out, len, "\"", 1);
    for (uint16_t i = 0; i < t->n; i++) {
        if (i)
            put_text(out, len, " ", 1);
        put_text(out, len, t->words[i].bytes, t->words[i].len);
    }
    if (t->prefix)
        put_text(out, len, "*", 1);
    if (t->n > 1)
        put_text(out, len, "\"", 1);
}

static void put_query(char *out, uint32_t *len, const struct words_query *q)
{
    uint16_t ends[WORDS_QUERY_MAX_DEPTH + 1];
    unsigned depth = 0;

    for (uint16_t i = 1; i < q->n_nodes; i++) {
        const struct words_node *n = &q->nodes[i];

        for (; depth && ends[depth] == i; depth--)
            put_text(out, len, ")", 1);
        if (i > 1 && !q->nodes[i - 1].group)
            put_text(out, len, " ", 1);
        if (n->sign != WORDS_MAY)
            put_text(out, len, n->sign == WORDS_MUST ? "+" : "-", 1);
        if (n->group) {
            put_text(out, len, "(", 1);
            ends[++depth] = n->end;
        } else {
            put_term(out, len, &q->terms[n->term]);
        }
    }
    for (; depth; depth--)
        put_text(out, len, ")", 1);
}

const char *words_query_print(const struct words_query *q, struct arena *a, uint32_t *len)
{
    char *out;

    *len = 0;
    put_query(NULL, len, q);
    out = arena_alloc(a, *len + 1);
    if (!out)
        return NULL;
    *len = 0;
    put_query(out, len, q);
    out[*len] = 0;
    return out;
}

const char *words_term_print(const struct words_term *t, struct arena *a, uint32_t *len)
{
    char *out;

    *len = 0;
    put_term(NULL, len, t);
    out = arena_alloc(a, *len + 1);
    if (!out)
        return NULL;
    *len = 0;
    put_term(out, len, t);
    out[*len] = 0;
    return out;
}

/* ---- against texts ---- */

static bool group_holds(const struct words_query *q, uint16_t group, const uint64_t *found)
{
    bool must = false, any = false;

    for (uint16_t i = group + 1; i < q->nodes[group].end; i = q->nodes[i].end) {
        const struct words_node *n = &q->nodes[i];
        bool holds =
            n->group ? group_holds(q, i, found) : found[n->term / 64] >> (n->term % 64) & 1;

        if (n->sign == WORDS_MUST_NOT ? holds : n->sign == WORDS_MUST && !holds)
            return false;
        must |= n->sign == WORDS_MUST;
        any |= n->sign == WORDS_MAY && holds;
    }
    return must || any;
}

bool words_query_holds(const struct words_query *q, const uint64_t *found)
{
    return group_holds(q, 0, found);
}

bool words_term_fits(const struct words_term *t, uint16_t k, const char *word, uint32_t len)
{
    const struct words_string *s = &t->words[k];
    bool beginning = t->prefix && k == t->n - 1;

    return (beginning ? len >= s->len : len == s->len) && memcmp(word, s->bytes, s->len) == 0;
}

int words_match_init(struct words_match *m, const struct words_query *q, struct arena *a)
{
    m->query = q;
    words_init(&m->reader);
    m->reached = arena_alloc(a, (q->n_terms + 1u) * sizeof *m->reached);
    return m->reached ? 0 : -ENOMEM;
}

void words_match_begin(struct words_match *m)
{
    memset(m->found, 0, sizeof m->found);
}

/* The word comes next: phrases that it continues go on, the others end. */
static void take_word(struct words_match *m)
{
    const struct words_query *q = m->query;

    for (uint16_t i = 0; i < q->n_terms; i++) {
        const struct words_term *t = &q->terms[i];
        uint64_t begun = m->reached[i] << 1 | 1, goes_on = 0;

        for (uint16_t k = 0; k < t->n; k++)
            if (begun >> k & 1 && words_term_fits(t, k, m->reader.word, m->reader.len))
                goes_on |= 1ULL << k;
        m->reached[i] = goes_on;
        if (goes_on >> (t->n - 1) & 1)
            m->found[i / 64] |= 1ULL << (i % 64);
    }
}

void words_match_text(struct words_match *m, const char *text, size_t len)
{
    memset(m->reached, 0, m->query->n_terms * sizeof *m->reached);
    words_begin(&m->reader, text, len);
    while (words_next(&m->reader))
        take_word(m);
}

bool words_match_has(const struct words_match *m, uint16_t term)
{
    return m->found[term / 64] >> (term % 64) & 1;
}

bool words_match_end(const struct words_match *m)
{
    return words_query_holds(m->query, m->found);
}
