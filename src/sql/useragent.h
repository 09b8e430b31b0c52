#pragma once
/*
 * What a browser or robot says of itself in User-Agent, taken apart by rules: no list of devices, so what says nothing
 * of a feature has none of it. Pure, any core; parts point into the text or to constants.
 */
#include <stdbool.h>
#include <stddef.h>

struct useragent_part {
    const char *s;
    size_t len;
};

struct useragent {
    bool bot, mobile;
    struct useragent_part mozilla;  /* version of the first product when it is Mozilla */
    struct useragent_part platform; /* X11, Macintosh, iPhone, Windows, Linux */
    struct useragent_part os; /* Windows 10, Intel Mac OS X 10_15_7, Android 14, Linux x86_64 */
    struct useragent_part engine, engine_version;
    struct useragent_part browser, browser_version;
};

void useragent_parse(const char *s, size_t len, struct useragent *u);
