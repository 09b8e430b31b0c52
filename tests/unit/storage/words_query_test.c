/* Queries of words: parsing, printing, matching texts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "storage/words_query.h"

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 64 << 20, NULL);
}

static void teardown(void)
{
    arena_fini(&arena);
}

TestSuite(words_query, .init = setup, .fini = teardown);

static int parse(const char *text, bool boolean, const struct words_query **q)
{
    return words_query_parse(text, strlen(text), boolean, &arena, q);
}

static const char *printed(const char *text, bool boolean)
{
    const struct words_query *q;
    uint32_t len;

    cr_assert_eq(parse(text, boolean, &q), 0, "%s", text);
    const char *out = words_query_print(q, &arena, &len);
    cr_assert_eq(strlen(out), len);
    return out;
}

static bool holds(const char *query, bool boolean, const char *text)
{
    const struct words_query *q;
    struct words_match m;

    cr_assert_eq(parse(query, boolean, &q), 0, "%s", query);
    cr_assert_eq(words_match_init(&m, q, &arena), 0);
    words_match_begin(&m);
    words_match_text(&m, text, strlen(text));
    return words_match_end(&m);
}

Test(words_query, texts_are_understood)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"", ""},
        {"one Two", "one two"},
        {"+one -two three*", "+one -two three*"},
        {"+One +one one", "+one +one one"},
        {"\"One, two\" three", "\"one two\" three"},
        {"\"open end", "\"open end\""},
        {"\"one\"", "one"},
        {"\"\" \"--\" ()", ""},
        {"+(one two) -(three (four five))", "+(one two) -(three (four five))"},
        {"+(one (two", "+(one (two))"},
        {"one) two", "one two"},
        {"(()) one", "one"},
        {"+ one - two", "one two"},
        {"+-one -+two", "-one +two"},
        {"<one >two ~three", "one two three"},
        {"one-two +l'\xc3\xa9t\xc3\xa9", "\"one two\" +\"l ete\""},
        {"wo*rd* *", "wo* rd*"},
        {"foo-ba*", "\"foo ba*\""},
        {"\"foo ba*\"", "\"foo ba*\""},
        {"\"ba*\"", "ba*"},
        {"foo-*", "foo"},
        {"+\xe6\x9d\xb1\xe4\xba\xac", "+\"\xe6\x9d\xb1 \xe4\xba\xac\""},
        {"one@two", "\"one two\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *out = printed(cases[i].text, true);
        cr_expect_str_eq(out, cases[i].printed, "%s: %s", cases[i].text, out);
        cr_expect_str_eq(printed(out, true), out, "%s", out);
    }
    cr_assert_str_eq(printed("+one -two \"three* (four)", false), "one two three four");
}

Test(words_query, limits)
{
    const struct words_query *q;
    char text[WORDS_QUERY_MAX_BYTES + 2];

    memset(text, ' ', sizeof text);
    cr_assert_eq(words_query_parse(text, WORDS_QUERY_MAX_BYTES, true, &arena, &q), 0);
    cr_assert_eq(words_query_parse(text, WORDS_QUERY_MAX_BYTES + 1, true, &arena, &q), -E2BIG);
    /* words: the same one again is no other */
    size_t n = 0;
    for (int i = 0; i < WORDS_QUERY_MAX_WORDS; i++)
        n += (size_t)sprintf(text + n, "w%d w%d ", i, i);
    cr_assert_eq(words_query_parse(text, n, true, &arena, &q), -E2BIG, "nodes");
    n = 0;
    for (int i = 0; i < WORDS_QUERY_MAX_WORDS; i++)
        n += (size_t)sprintf(text + n, "w%d ", i);
    cr_assert_eq(words_query_parse(text, n, true, &arena, &q), 0);
    cr_assert_eq(q->n_terms, WORDS_QUERY_MAX_WORDS);
    n += (size_t)sprintf(text + n, "more");
    cr_assert_eq(words_query_parse(text, n, true, &arena, &q), -E2BIG);
    cr_assert_eq(words_query_parse(text, n, false, &arena, &q), -E2BIG);
    n = (size_t)sprintf(text, "\"");
    for (int i = 0; i < WORDS_QUERY_MAX_PHRASE; i++)
        n += (size_t)sprintf(text + n, "w%d ", i);
    cr_assert_eq(words_query_parse(text, n, true, &arena, &q), 0);
    n += (size_t)sprintf(text + n, "more");
    cr_assert_eq(words_query_parse(text, n, true, &arena, &q), -E2BIG);
    cr_assert_eq(parse("((((((((a))))))))", true, &q), 0);
    cr_assert_eq(parse("(((((((((a)))))))))", true, &q), -E2BIG);
    cr_assert_eq(parse("\"a b\" @8", true, &q), -EOPNOTSUPP);
    cr_assert_eq(parse("\"a b\"@8", true, &q), -EOPNOTSUPP);
}

Test(words_query, what_holds)
{
    static const struct {
        const char *query, *text;
        bool boolean, holds;
    } cases[] = {
        {"apple pie", "an APPLE", false, true},
        {"apple pie", "a cake", false, false},
        {"", "a cake", false, false},
        {"", "", true, false},
        {"apple pie", "pie", true, true},
        {"+apple pie", "pie", true, false},
        {"+apple pie", "apple", true, true},
        {"+apple +pie", "apple", true, false},
        {"+apple +pie", "pie of apple", true, true},
        {"+apple -pie", "pie of apple", true, false},
        {"apple -pie", "cake", true, false},
        {"apple -pie", "apple cake", true, true},
        {"-pie", "apple", true, false},
        {"appl*", "apples", true, true},
        {"appl*", "snapple", true, false},
        {"appl", "apples", true, false},
        {"\"apple pie\"", "an apple pie", true, true},
        {"\"apple pie\"", "pie apple", true, false},
        {"\"apple pie\"", "apple of pie", true, false},
        {"\"apple pie\"", "Apple, pie!", true, true},
        {"\"a b a c\"", "a b a b a c", true, true},
        {"\"a a b\"", "a a a b", true, true},
        {"\"apple pi*\"", "apple pie", true, true},
        {"\"app* pie\"", "apple pie", true, false},
        {"+(apple pear) +pie", "pear pie", true, true},
        {"+(apple pear) +pie", "pie", true, false},
        {"+apple -(pie cake)", "apple cake", true, false},
        {"+apple -(pie cake)", "apple tart", true, true},
        {"(+a +b) (+c +d)", "c a d", true, true},
        {"(+a +b) (+c +d)", "a c", true, false},
        {"+ecole",
         "\xc3\x89"
         "cole",
         true, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(holds(cases[i].query, cases[i].boolean, cases[i].text), cases[i].holds,
                     "%s: %s", cases[i].query, cases[i].text);
}

Test(words_query, phrases_do_not_cross_texts)
{
    const struct words_query *q;
    struct words_match m;

    cr_assert_eq(parse("+\"a b\" c", true, &q), 0);
    cr_assert_eq(words_match_init(&m, q, &arena), 0);
    words_match_begin(&m);
    words_match_text(&m, "x a", 3);
    words_match_text(&m, "b c", 3);
    cr_assert_not(words_match_end(&m));
    words_match_text(&m, "a b", 3);
    cr_assert(words_match_end(&m));
    words_match_begin(&m);
    cr_assert_not(words_match_end(&m));
}
