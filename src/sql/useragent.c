#include "sql/useragent.h"

#include <string.h>
#include <strings.h>

#define WORD(text) ((struct useragent_part){text, sizeof(text) - 1})

/* Products and entries looked at; more than any browser sends. */
enum { PRODUCTS_MAX = 32, ENTRIES_MAX = 16 };

struct product {
    struct useragent_part name, version;
};

/* name/version (comment; comment) name/version ... Owner: the stack of useragent_parse. */
struct reading {
    struct product products[PRODUCTS_MAX];
    unsigned n_products;
    struct useragent_part entries[ENTRIES_MAX]; /* of the first comment */
    unsigned n_entries;
};

static bool is(struct useragent_part p, const char *word)
{
    return p.len == strlen(word) && strncasecmp(p.s, word, p.len) == 0;
}

static bool begins(struct useragent_part p, const char *word)
{
    return p.len >= strlen(word) && strncasecmp(p.s, word, strlen(word)) == 0;
}

static struct useragent_part trimmed(const char *s, const char *end)
{
    for (; s < end && *s == ' '; s++)
        continue;
    while (s < end && end[-1] == ' ')
        end--;
    return (struct useragent_part){s, (size_t)(end - s)};
}

/* ---- reading ---- */

static const char *read_comment(struct reading *r, const char *s, const char *end)
{
    const char *from = ++s;
    unsigned depth = 1;
    bool keeps = r->n_entries == 0;

    for (; s < end && depth; s++) {
        depth += *s == '(';
        depth -= *s == ')';
        if ((depth && *s != ';') || !keeps)
            continue;
        struct useragent_part entry = trimmed(from, s);
        if (entry.len && r->n_entries < ENTRIES_MAX)
            r->entries[r->n_entries++] = entry;
        from = s + 1;
    }
    return s;
}

static const char *read_product(struct reading *r, const char *s, const char *end)
{
    const char *from = s, *slash = NULL;

    for (; s < end && *s != ' ' && *s != '('; s++)
        slash = *s == '/' && !slash ? s : slash;
    if (r->n_products < PRODUCTS_MAX) {
        struct product *p = &r->products[r->n_products++];
        p->name = (struct useragent_part){from, (size_t)((slash ? slash : s) - from)};
        p->version = slash ? (struct useragent_part){slash + 1, (size_t)(s - slash - 1)}
                           : (struct useragent_part){NULL, 0};
    }
    return s;
}

static void read_all(struct reading *r, const char *s, const char *end)
{
    r->n_products = r->n_entries = 0;
    while (s < end) {
        if (*s == ' ')
            s++;
        else
            s = *s == '(' ? read_comment(r, s, end) : read_product(r, s, end);
    }
}

static const struct product *product(const struct reading *r, const char *name)
{
    for (unsigned i = 0; i < r->n_products; i++)
        if (is(r->products[i].name, name))
            return &r->products[i];
    return NULL;
}

static const struct useragent_part *entry(const struct reading *r, const char *word)
{
    for (unsigned i = 0; i < r->n_entries; i++)
        if (begins(r->entries[i], word))
            return &r->entries[i];
    return NULL;
}

/* ---- rules ---- */

static bool is_bot(const char *s, size_t len)
{
    static const char *const words[] = {"bot",      "crawl",
                                        "spider",   "slurp",
                                        "curl/",    "wget/",
                                        "python",   "http://",
                                        "https://", "headless",
                                        "libwww",   "go-http-client",
                                        "monitor",  "facebookexternalhit"};

    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (size_t n = strlen(words[w]), i = 0; i + n <= len; i++)
            if (strncasecmp(s + i, words[w], n) == 0)
                return true;
    return false;
}

static void find_engine(const struct reading *r, struct useragent *u)
{
    static const char *const engines[] = {"AppleWebKit", "Presto", "Gecko"};
    const struct useragent_part *trident = entry(r, "Trident/");

    if (trident || entry(r, "MSIE ")) {
        u->engine = WORD("Trident");
        if (trident)
            u->engine_version = (struct useragent_part){trident->s + 8, trident->len - 8};
        return;
    }
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        const struct product *p = product(r, engines[i]);
        if (p) {
            u->engine = p->name;
            u->engine_version = p->version;
            return;
        }
    }
}

/* The names that hide behind others come first; behind the rest is the one that gives them. */
static const struct {
    const char *token;
    struct useragent_part name;
} browsers[] = {
    {"EdgA", WORD("Edge")},
    {"EdgiOS", WORD("Edge")},
    {"Edg", WORD("Edge")},
    {"Edge", WORD("Edge")},
    {"OPR", WORD("Opera")},
    {"OPT", WORD("Opera")},
    {"SamsungBrowser", WORD("Samsung Internet")},
    {"YaBrowser", WORD("Yandex")},
    {"Vivaldi", WORD("Vivaldi")},
    {"UCBrowser", WORD("UCBrowser")},
    {"CriOS", WORD("Chrome")},
    {"FxiOS", WORD("Firefox")},
    {"Firefox", WORD("Firefox")},
    {"HeadlessChrome", WORD("Chrome")},
    {"Chromium", WORD("Chromium")},
    {"Chrome", WORD("Chrome")},
    {"Opera", WORD("Opera")},
};

static struct useragent_part version_of(const struct reading *r, const struct product *other)
{
    const struct product *p = product(r, "Version");

    return p ? p->version : other ? other->version : (struct useragent_part){NULL, 0};
}

static bool find_explorer(const struct reading *r, struct useragent *u)
{
    const struct useragent_part *msie = entry(r, "MSIE "), *rv = entry(r, "rv:");

    if (!msie && !entry(r, "Trident/"))
        return false;
    u->browser = WORD("Internet Explorer");
    if (msie)
        u->browser_version = (struct useragent_part){msie->s + 5, msie->len - 5};
    else if (rv)
        u->browser_version = (struct useragent_part){rv->s + 3, rv->len - 3};
    return true;
}

static void find_browser(const struct reading *r, struct useragent *u)
{
    const struct product *p;

    for (size_t i = 0; i < sizeof browsers / sizeof *browsers; i++) {
        if (!(p = product(r, browsers[i].token)))
            continue;
        u->browser = browsers[i].name;
        u->browser_version = is(p->name, "Opera") ? version_of(r, p) : p->version;
        return;
    }
    if (find_explorer(r, u))
        return;
    if ((p = product(r, "Safari"))) {
        u->browser = entry(r, "Android") ? WORD("Android") : WORD("Safari");
        u->browser_version = version_of(r, p);
    } else if (r->n_products && !is(r->products[0].name, "Mozilla")) {
        u->browser = r->products[0].name;
        u->browser_version = r->products[0].version;
    }
}

static struct useragent_part windows_name(struct useragent_part p)
{
    static const struct {
        const char *version;
        struct useragent_part name;
    } names[] = {
        {"Windows NT 10.0", WORD("Windows 10")},   {"Windows NT 6.3", WORD("Windows 8.1")},
        {"Windows NT 6.2", WORD("Windows 8")},     {"Windows NT 6.1", WORD("Windows 7")},
        {"Windows NT 6.0", WORD("Windows Vista")}, {"Windows NT 5.2", WORD("Windows XP")},
        {"Windows NT 5.1", WORD("Windows XP")},    {"Windows NT 5.0", WORD("Windows 2000")}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(p, names[i].version))
            return names[i].name;
    return p;
}

/* CPU iPhone OS 17_1 like Mac OS X: without the words around. */
static struct useragent_part apple_name(struct useragent_part p)
{
    static const char like[] = " like Mac OS X";
    const char *at = memmem(p.s, p.len, like, sizeof like - 1);

    if (at)
        p.len = (size_t)(at - p.s);
    if (begins(p, "CPU ")) {
        p.s += 4;
        p.len -= 4;
    }
    return p;
}

static void find_system(const struct reading *r, struct useragent *u)
{
    static const char *const systems[] = {"Windows", "Android", "CPU ",  "Intel Mac OS X",
                                          "PPC Mac", "Mac OS",  "CrOS",  "FreeBSD",
                                          "OpenBSD", "NetBSD",  "SunOS", "Linux"};
    const struct useragent_part *os = NULL;

    for (size_t i = 0; i < sizeof systems / sizeof *systems && !os; i++)
        os = entry(r, systems[i]);
    if (os)
        u->os = begins(*os, "Windows") ? windows_name(*os) : apple_name(*os);
    if (os && begins(*os, "Windows"))
        u->platform = WORD("Windows");
    else if (r->n_entries && !begins(r->entries[0], "compatible"))
        u->platform = begins(r->entries[0], "Linux") ? WORD("Linux") : r->entries[0];
}

void useragent_parse(const char *s, size_t len, struct useragent *u)
{
    struct reading r;

    memset(u, 0, sizeof *u);
    read_all(&r, s, s + len);
    if (r.n_products && is(r.products[0].name, "Mozilla"))
        u->mozilla = r.products[0].version;
    u->bot = is_bot(s, len);
    u->mobile = product(&r, "Mobile") || product(&r, "Mobi") || entry(&r, "Mobile") ||
                entry(&r, "iPhone") || entry(&r, "iPod") || entry(&r, "Windows Phone") ||
                memmem(s, len, "Opera Mini", 10) || memmem(s, len, "IEMobile", 8);
    find_engine(&r, u);
    find_browser(&r, u);
    find_system(&r, u);
}
