/* Words of texts: splitting and folding. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "storage/words.h"

static struct words w;

/* The words of a text with a bar between them. */
static const char *split(const char *text, size_t len)
{
    static char out[8192];
    size_t n = 0;

    words_begin(&w, text, len);
    while (words_next(&w)) {
        cr_assert(w.len > 0 && w.len <= WORDS_MAX_BYTES);
        cr_assert_lt(n + w.len + 2, sizeof out);
        if (n)
            out[n++] = '|';
        memcpy(out + n, w.word, w.len);
        n += w.len;
    }
    out[n] = 0;
    return out;
}

Test(words, texts_and_their_words)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {" \t,.;-_!?'\"", ""},
        {"one", "one"},
        {"One  TWO,three.", "one|two|three"},
        {"foo_bar-baz/qux", "foo|bar|baz|qux"},
        {"don't O'Neil l'\xc3\xa9t\xc3\xa9", "don|t|o|neil|l|ete"},
        {"it\xe2\x80\x99s", "it|s"}, /* typographic apostrophe */
        {"a1 2b 3 4,5 007", "a1|2b|3|4|5|007"},
        /* German */
        {"Stra\xc3\x9f"
         "e STRASSE \xe1\xba\x9e",
         "strasse|strasse|ss"},
        {"M\xc3\xbcller \xc3\x84rger \xc3\x96l", "muller|arger|ol"},
        /* French */
        {"\xc3\x89l\xc3\xa8ve \xc3\xa7"
         "a c\xc5\x93ur No\xc3\xabl \xc3\x86",
         "eleve|ca|coeur|noel|ae"},
        /* Polish, Danish, Turkish, Vietnamese */
        {"\xc5\x81\xc3\xb3"
         "d\xc5\xba K\xc3\xb8"
         "benhavn",
         "lodz|kobenhavn"},
        {"\xc4\xb0stanbul \xc4\xb1l\xc4\xb1k", "istanbul|ilik"},
        {"\xc4\x90\xe1\xba\xbf vi\xe1\xbb\x87t", "de|viet"},
        /* Greek: tonos, final sigma, iota below */
        {"\xce\x9f\xce\x94\xce\x9f\xce\xa3 \xce\xbf\xce\xb4\xcf\x8c\xcf\x82",
         "\xce\xbf\xce\xb4\xce\xbf\xcf\x83|\xce\xbf\xce\xb4\xce\xbf\xcf\x83"},
        {"\xe1\xbe\xb3\xe1\xbe\xbc", "\xce\xb1\xce\xb1"},
        /* Cyrillic: io is ie, short i is i */
        {"\xd0\x81\xd0\xbb\xd0\xba\xd0\xb0 \xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0",
         "\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0|\xd0\xb5\xd0\xbb\xd0\xba\xd0\xb0"},
        {"\xd0\x9c\xd0\xbe\xd0\xb9", "\xd0\xbc\xd0\xbe\xd0\xb8"},
        /* combining sequences: e acute in two characters; two accents; one that begins nothing */
        {"cafe\xcc\x81 e\xcc\xa3\xcc\x82 \xcc\x81"
         "a",
         "cafe|e|a"},
        /* Hebrew and Arabic points are left out */
        {"\xd7\xa9\xd6\xb8\xd7\x9c\xd7\x95\xd6\xb9\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"},
        {"\xd9\x83\xd9\x90\xd8\xaa\xd8\xa7\xd8\xa8", "\xd9\x83\xd8\xaa\xd8\xa7\xd8\xa8"},
        /* Hindi: the vowel sign stays */
        {"\xe0\xa4\x95\xe0\xa5\x80 \xe0\xa4\x95\xe0\xa4\xbe",
         "\xe0\xa4\x95\xe0\xa5\x80|\xe0\xa4\x95\xe0\xa4\xbe"},
        /* ideographs one by one, Kana in runs, digits between */
        {"\xe6\x9d\xb1\xe4\xba\xac\xe3\x81\xab\xe8\xa1\x8c\xe3\x81\x8d",
         "\xe6\x9d\xb1|\xe4\xba\xac|\xe3\x81\xab|\xe8\xa1\x8c|\xe3\x81\x8d"},
        {"ab\xe6\x9d\xb1"
         "3\xe4\xba\xac",
         "ab|\xe6\x9d\xb1|3|\xe4\xba\xac"},
        {"\xe3\x81\x8c", "\xe3\x81\x8b\xe3\x82\x99"}, /* voiced */
        /* compatibility: full width, ligature, superscript, half */
        {"\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\x93 \xef\xac\x81n x\xc2\xb2 \xc2\xbd", "ab3|fin|x2|1|2"},
        /* soft hyphen and joiner are nothing, zero width space is a space */
        {"soft\xc2\xadly a\xe2\x80\x8d"
         "b c\xe2\x80\x8b"
         "d",
         "softly|ab|c|d"},
        {"\xf0\x9f\x98\x80 smile\xf0\x9f\x98\x80s \xe2\x84\xa2", "smile|s"},
        /* bytes that are no UTF-8: alone, cut, overlong, surrogate */
        {"a\xff"
         "b\xc3",
         "a|b"},
        {"a\xc0\x80"
         "b\xed\xa0\x80"
         "c\xf5\x80\x80\x80"
         "d",
         "a|b|c|d"},
    };

    words_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_str_eq(split(cases[i].text, strlen(cases[i].text)), cases[i].words,
                         "case %zu: %s", i, split(cases[i].text, strlen(cases[i].text)));
}

Test(words, zero_bytes_separate)
{
    words_init(&w);
    cr_assert_str_eq(split("a\0b", 3), "a|b");
}

Test(words, long_words_are_cut_at_a_character)
{
    char text[1000];

    words_init(&w);
    memset(text, 'a', sizeof text);
    words_begin(&w, text, sizeof text);
    cr_assert(words_next(&w));
    cr_assert_eq(w.len, WORDS_MAX_BYTES);
    cr_assert_not(words_next(&w));
    text[0] = 'b';
    for (size_t i = 1; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xce\xb1", 2);
    words_begin(&w, text, sizeof text - 1);
    cr_assert(words_next(&w));
    cr_assert_eq(w.len, WORDS_MAX_BYTES - 1);
    cr_assert_not(words_next(&w));
}

Test(words, a_mebibyte)
{
    size_t len = 1 << 20, n = 0;
    char *text = malloc(len);

    for (size_t i = 0; i < len; i++)
        text[i] = i % 8 == 7 ? ' ' : (char)('a' + i % 26);
    words_init(&w);
    words_begin(&w, text, len);
    for (; words_next(&w); n++)
        cr_assert_eq(w.len, 7);
    cr_assert_eq(n, len / 8);
    memset(text, 0xe6, len); /* never a character */
    words_begin(&w, text, len);
    cr_assert_not(words_next(&w));
    free(text);
}

/* What was folded once is folded: texts of queries are folded twice on their way. */
Test(words, folding_again_changes_nothing)
{
    uint8_t bytes[4];
    char once[8192];

    words_init(&w);
    for (int32_t c = 1; c < 0x110000; c++) {
        if (!utf8proc_codepoint_valid(c))
            continue;
        utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);
        strcpy(once, split((const char *)bytes, (size_t)n));
        cr_expect_str_eq(split(once, strlen(once)), once, "U+%04X", (unsigned)c);
    }
}
