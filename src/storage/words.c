#include "storage/words.h"

#include <string.h>
#include <utf8proc.h>

enum {
    SEPARATOR = 0,
    DROPPED = -1, /* cached: nothing is left of the character */
    CLASS_POINTS_FIRST = 10,
    CLASS_POINTS_LAST = 36,
    CLASS_ACCENTS_FIRST = 200,
    MAX_DECOMPOSED = 24, /* U+FDFA, the longest, has 18 */
};

static const utf8proc_option_t decomposed = UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE;
static const utf8proc_option_t folded_case =
    UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD;

/* Letters that have no decomposition but are taken for plain ones with a stroke, or for two. */
static const struct {
    int32_t letter;
    char plain[3];
} strokes[] = {
    {0xe6, "ae"}, {0xf8, "o"},  {0x111, "d"},  {0x127, "h"},
    {0x131, "i"}, {0x142, "l"}, {0x153, "oe"}, {0x167, "t"},
};

void words_init(struct words *w)
{
    w->at = w->end = NULL;
    w->n_pending = w->next_pending = 0;
    w->len = 0;
    w->full = false;
    memset(w->cache, 0, sizeof w->cache);
}

void words_begin(struct words *w, const char *text, size_t len)
{
    w->at = (const uint8_t *)text;
    w->end = w->at + len;
    w->n_pending = w->next_pending = 0;
}

/* ASCII letters and digits, folded; 0 for what separates. */
static inline uint8_t fold_ascii(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return c;
    if (c >= 'A' && c <= 'Z')
        return c | 0x20;
    return c >= '0' && c <= '9' ? c : 0;
}

bool words_is_inside(char byte)
{
    return (uint8_t)byte >= 0x80 || fold_ascii((uint8_t)byte);
}

static bool is_word_category(utf8proc_category_t c)
{
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_NO;
}

static bool is_mark(const utf8proc_property_t *p)
{
    return p->category >= UTF8PROC_CATEGORY_MN && p->category <= UTF8PROC_CATEGORY_ME;
}

/*
 * Marks that only colour a letter: accents, and the points of Hebrew and Arabic, which are written or left out at will.
 * The others (vowel signs of Indic scripts, Thai tones, voicing of Kana) make another letter of it and stay.
 */
static bool is_accent(const utf8proc_property_t *p)
{
    if (p->category == UTF8PROC_CATEGORY_ME)
        return true;
    return is_mark(p) &&
           (p->combining_class >= CLASS_ACCENTS_FIRST ||
            (p->combining_class >= CLASS_POINTS_FIRST && p->combining_class <= CLASS_POINTS_LAST));
}

static bool is_ideograph(int32_t c)
{
    return c >= 0x3005 &&
           ((c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
            (c >= 0x20000 && c <= 0x3ffff) || (c >= 0xf900 && c <= 0xfaff) || c <= 0x3007);
}

static void pend(struct words *w, int32_t c)
{
    if (w->n_pending < WORDS_PENDING)
        w->pending[w->n_pending++] = c;
}

/* A character whose case is folded already. */
static void pend_folded(struct words *w, int32_t c)
{
    const utf8proc_property_t *p = utf8proc_get_property(c);

    if (p->ignorable || is_accent(p))
        return;
    for (size_t i = 0; i < sizeof strokes / sizeof *strokes; i++) {
        if (strokes[i].letter == c) {
            for (const char *s = strokes[i].plain; *s; s++)
                pend(w, *s);
            return;
        }
    }
    pend(w, is_word_category((utf8proc_category_t)p->category) ? c : SEPARATOR);
}

/* Accents go first: the iota below a Greek vowel is one, but a letter once its case is folded. */
static void pend_character(struct words *w, int32_t c)
{
    int32_t plain[MAX_DECOMPOSED], folded[MAX_DECOMPOSED];
    int boundary = UTF8PROC_BOUNDCLASS_START;
    utf8proc_ssize_t n = utf8proc_decompose_char(c, plain, MAX_DECOMPOSED, decomposed, &boundary);

    for (utf8proc_ssize_t i = 0; i < n && n <= MAX_DECOMPOSED; i++) {
        if (is_accent(utf8proc_get_property(plain[i])))
            continue;
        utf8proc_ssize_t m =
            utf8proc_decompose_char(plain[i], folded, MAX_DECOMPOSED, folded_case, &boundary);
        for (utf8proc_ssize_t k = 0; k < m && m <= MAX_DECOMPOSED; k++)
            pend_folded(w, folded[k]);
    }
}

/* What becomes of a character above ASCII, into pending. */
static void fold_character(struct words *w, int32_t c)
{
    struct words_cached *cached = &w->cache[(uint32_t)c % WORDS_CACHE];
    const utf8proc_property_t *p;

    w->n_pending = w->next_pending = 0;
    if (cached->from == c) {
        if (cached->to != DROPPED)
            w->pending[w->n_pending++] = cached->to;
        return;
    }
    p = utf8proc_get_property(c);
    if (c == 0x200b) /* zero width, but a space between words */
        pend(w, SEPARATOR);
    else if (!p->ignorable && !is_word_category((utf8proc_category_t)p->category))
        pend(w, SEPARATOR);
    else if (!p->ignorable)
        pend_character(w, c);
    if (w->n_pending <= 1)
        *cached = (struct words_cached){c, w->n_pending ? w->pending[0] : DROPPED};
}

static void take_next(struct words *w)
{
    int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate(w->at, w->end - w->at, &c);

    if (n <= 0) {
        w->at++;
        w->n_pending = 1;
        w->next_pending = 0;
        w->pending[0] = SEPARATOR;
        return;
    }
    w->at += n;
    fold_character(w, c);
}

static void put(struct words *w, int32_t c)
{
    uint8_t bytes[4];
    utf8proc_ssize_t n;

    /* A mark belongs to the letter before it. */
    if (!w->len && c >= 0x80 && is_mark(utf8proc_get_property(c)))
        return;
    n = utf8proc_encode_char(c, bytes);
    if (w->full || w->len + (uint32_t)n > WORDS_MAX_BYTES) {
        w->full = true;
        return;
    }
    memcpy(w->word + w->len, bytes, (size_t)n);
    w->len += (uint32_t)n;
}

/* The pending characters: true when a word is complete. */
static bool take_pending(struct words *w)
{
    while (w->next_pending < w->n_pending) {
        int32_t c = w->pending[w->next_pending];

        if (is_ideograph(c) && w->len)
            return true;
        w->next_pending++;
        if (c != SEPARATOR)
            put(w, c);
        if (w->len && (c == SEPARATOR || is_ideograph(c)))
            return true;
    }
    return false;
}

bool words_next(struct words *w)
{
    w->len = 0;
    w->full = false;
    for (;;) {
        if (w->next_pending < w->n_pending && take_pending(w))
            return true;
        if (w->at == w->end)
            return w->len > 0;
        if (*w->at >= 0x80) {
            take_next(w);
            continue;
        }
        uint8_t c = fold_ascii(*w->at++);
        if (!c && w->len)
            return true;
        if (c && w->len < WORDS_MAX_BYTES && !w->full)
            w->word[w->len++] = (char)c;
        else if (c)
            w->full = true;
    }
}
