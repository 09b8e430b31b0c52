/* Queries of words and texts to look in: what is understood must print and parse to the same, and find the same. */
#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/words_query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words of a text are folded: as a text of their own each is itself. */
static void fold_again(const char *text, size_t len)
{
    static struct words w, again;
    size_t bytes = 0;

    words_init(&w);
    words_init(&again);
    words_begin(&w, text, len);
    while (words_next(&w)) {
        ASSERT(w.len > 0 && w.len <= WORDS_MAX_BYTES);
        words_begin(&again, w.word, w.len);
        ASSERT(words_next(&again));
        ASSERT(again.len == w.len && memcmp(again.word, w.word, w.len) == 0);
        ASSERT(!words_next(&again));
        bytes += w.len;
    }
    ASSERT(bytes <= 20 * len); /* a character stands for 18 at most */
}

static bool finds(const struct words_query *q, struct arena *a, const char *text, size_t len)
{
    struct words_match m;

    if (words_match_init(&m, q, a) != 0)
        return false;
    words_match_begin(&m);
    words_match_text(&m, text, len);
    return words_match_end(&m);
}

/* First byte: mode. Then the query, a zero byte, the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct words_query *q, *r;
    const char *query = (const char *)data + 1, *text, *once, *twice;
    size_t query_len, text_len;
    uint32_t len, len2;
    struct arena a;

    if (size < 1)
        return 0;
    text = memchr(query, 0, size - 1);
    query_len = text ? (size_t)(text - query) : size - 1;
    text_len = text ? size - 2 - query_len : 0;
    text = text ? text + 1 : "";
    fold_again(text, text_len);
    arena_init(&a, 4 << 20, NULL);
    int rc = words_query_parse(query, query_len, data[0] & 1, &a, &q);
    ASSERT(rc == 0 || rc == -E2BIG || rc == -EOPNOTSUPP);
    if (rc == 0) {
        once = words_query_print(q, &a, &len);
        ASSERT(once && words_query_parse(once, len, true, &a, &r) == 0);
        twice = words_query_print(r, &a, &len2);
        ASSERT(twice && len == len2 && memcmp(once, twice, len) == 0);
        ASSERT(finds(q, &a, text, text_len) == finds(r, &a, text, text_len));
    }
    arena_fini(&a);
    return 0;
}
