/* JSON texts and paths: what is read, printed, refused. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "sql/json.h"

static const char *print(struct arena *a, const char *text, enum json_style style)
{
    struct json *v = json_parse(a, text, strlen(text));
    size_t len;
    const char *s = v ? json_print(a, v, style, &len) : NULL;

    return s ? arena_strndup(a, s, len) : "none";
}

Test(json, printed)
{
    struct arena a;

    arena_init(&a, SIZE_MAX, NULL);
    cr_expect_str_eq(print(&a, " {\"a\":1.10,\"b\" : [ ] ,\"c\":{}}", JSON_LOOSE),
                     "{\"a\": 1.10, \"b\": [], \"c\": {}}");
    cr_expect_str_eq(print(&a, "[1, true,null , \"\\u00e9\"]", JSON_COMPACT),
                     "[1,true,null,\"\\u00e9\"]");
    cr_expect_str_eq(print(&a, "[1,{\"a\":[]}]", JSON_DETAILED),
                     "[\n    1,\n    {\n        \"a\": \n        [\n        ]\n    }\n]");
    cr_expect_str_eq(print(&a, "\"\\\"\"", JSON_LOOSE), "\"\\\"\"");
    arena_fini(&a);
}

Test(json, refused)
{
    static const char *const wrong[] = {"",        " ",           "[1,]",     "{\"a\"}",
                                        "{a:1}",   "01",          "1.",       "1e",
                                        "+1",      "nul",         "tru",      "\"a",
                                        "\"\\x\"", "\"\\u12g4\"", "[1",       "[1] 2",
                                        "{\"a\":", "{\"a\":1,",   "\"a\nb\"", "[1}",
                                        "-",       "'a'",         "NaN",      "[,1]",
                                        "{,}",     "{\"a\":1 2}", "\"\\u123", "]"};
    struct arena a;
    char deep[2 * JSON_MAX_DEPTH + 3];

    arena_init(&a, SIZE_MAX, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *exact = malloc(strlen(wrong[i]) + 1); /* so that reading beyond is seen */
        memcpy(exact, wrong[i], strlen(wrong[i]));
        cr_expect_null(json_parse(&a, exact, strlen(wrong[i])), "%s", wrong[i]);
        free(exact);
    }
    memset(deep, '[', JSON_MAX_DEPTH);
    memset(deep + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    cr_expect_not_null(json_parse(&a, deep, 2 * JSON_MAX_DEPTH));
    memset(deep, '[', JSON_MAX_DEPTH + 1);
    memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
    cr_expect_null(json_parse(&a, deep, 2 * JSON_MAX_DEPTH + 2));
    arena_fini(&a);
}

Test(json, paths)
{
    static const char *const right[] = {"$",   " $ . a ", "$[0]",         "$[last-1 to last]",
                                        "$.*", "$**.a",   "$.\"a b\"[*]", "$[-1]"};
    static const char *const wrong[] = {"",      "a",       "$.",           "$[",   "$[a]",
                                        "$[1",   "$**",     "$.a.",         "$..a", "$.\"a",
                                        "$[-0]", "$[1 to]", "$**.a**.a**.a"};
    struct json_path p;

    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        cr_expect_eq(json_path_parse(&p, right[i], strlen(right[i])), 0, "%s", right[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_neq(json_path_parse(&p, wrong[i], strlen(wrong[i])), 0, "%s", wrong[i]);
}

Test(json, strings)
{
    struct arena a;
    size_t len;

    arena_init(&a, SIZE_MAX, NULL);
    const char *text = "\"\\ud83d\\ude00 \\ud83d \\n\\/\"";
    struct json *v = json_parse(&a, text, strlen(text));
    const char *s = json_unescape(&a, v, &len);
    /* A pair is one character, half of one U+FFFD. */
    cr_expect(len == 11 && !memcmp(s, "\xf0\x9f\x98\x80 \xef\xbf\xbd \n/", len), "%.*s", (int)len,
              s);
    s = json_quote(&a, "a\"\\\n\x01", 5, &len);
    cr_expect(len == 15 && !memcmp(s, "\"a\\\"\\\\\\n\\u0001\"", len), "%.*s", (int)len, s);
    arena_fini(&a);
}

/* Comparing each with each would keep a core busy for as long as a client likes. */
Test(json, work_is_bounded)
{
    enum { COUNT = 5000 };
    char *p = malloc(2 * COUNT + 2), *q = malloc(2 * COUNT + 2);
    uint64_t left = JSON_MAX_WORK;
    struct arena a;

    arena_init(&a, SIZE_MAX, NULL);
    for (int i = 0; i < COUNT; i++) {
        memcpy(p + 2 * i, i ? ",1" : "[1", 2);
        memcpy(q + 2 * i, i ? ",1" : "[1", 2);
    }
    p[2 * COUNT] = q[2 * COUNT] = ']';
    struct json *in = json_parse(&a, p, 2 * COUNT + 1), *of = json_parse(&a, q, 2 * COUNT + 1);
    cr_assert(in && of);
    cr_expect(json_contains(&a, in, of, &left));
    cr_expect_gt(left, 0);
    left = COUNT;
    cr_expect_not(json_is_equal(&a, in, of, &left)); /* it says so by what is left */
    cr_expect_eq(left, 0);
    left = JSON_MAX_WORK;
    for (int i = 0; i < COUNT; i++)
        q[2 * i + 1] = '2';
    p[2 * COUNT - 1] = '2'; /* the last one */
    in = json_parse(&a, p, 2 * COUNT + 1);
    of = json_parse(&a, q, 2 * COUNT + 1);
    json_contains(&a, in, of, &left);
    cr_expect_eq(left, 0);
    arena_fini(&a);
    free(p);
    free(q);
}
