#include "sql/useragent.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_part(struct useragent_part p, const char *text)
{
    cr_expect(p.len == strlen(text) && memcmp(p.s ? p.s : "", text, p.len) == 0,
              "'%.*s' instead of '%s'", (int)p.len, p.s ? p.s : "", text);
}

/* engine, browser with version, system, platform */
static void check(const char *text, const char *engine, const char *browser, const char *version,
                  const char *os, const char *platform)
{
    struct useragent u;

    useragent_parse(text, strlen(text), &u);
    expect_part(u.engine, engine);
    expect_part(u.browser, browser);
    expect_part(u.browser_version, version);
    expect_part(u.os, os);
    expect_part(u.platform, platform);
}

Test(useragent, browsers)
{
    check("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
          "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.1",
          "AppleWebKit", "Edge", "120.0.1", "Windows 10", "Windows");
    check("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
          "like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
          "AppleWebKit", "Safari", "17.1", "iPhone OS 17_1", "iPhone");
    check("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Trident",
          "Internet Explorer", "11.0", "Windows 7", "Windows");
    check("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "Trident", "Internet Explorer",
          "6.0", "Windows XP", "Windows");
    check("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Gecko",
          "Firefox", "121.0", "Linux x86_64", "X11");
    check("Opera/9.80 (X11; Linux i686; U; en) Presto/2.12 Version/12.16", "Presto", "Opera",
          "12.16", "Linux i686", "X11");
}

Test(useragent, robots_and_phones)
{
    const char *bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    const char *phone = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like "
                        "Gecko) Chrome/120.0.0.0 Mobile Safari/537.36";
    struct useragent u;

    useragent_parse(bot, strlen(bot), &u);
    cr_expect(u.bot && !u.mobile);
    useragent_parse(phone, strlen(phone), &u);
    cr_expect(!u.bot && u.mobile);
    expect_part(u.mozilla, "5.0");
}

Test(useragent, anything_ends)
{
    struct useragent u;
    char text[4096];

    for (int c = 0; c < 256; c++) {
        memset(text, c, sizeof text);
        useragent_parse(text, sizeof text, &u);
        memcpy(text, "Mozilla/5.0 (", 13);
        useragent_parse(text, sizeof text, &u);
    }
    useragent_parse("", 0, &u);
    cr_expect(u.browser.len == 0);
    for (size_t i = 0; i + 2 < sizeof text; i += 3)
        memcpy(text + i, "(a;", 3);
    useragent_parse(text, sizeof text, &u);
}
