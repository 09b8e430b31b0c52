/* Plug-ins that are not there. One that is there: tests/e2e/strategies.py, which compiles it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/plugin.h"

Test(plugin, names_stay_in_the_directory)
{
    static const char *const good[] = {"a", "example", "Luhn_2-b", "0"};
    static const char *const bad[] = {"", "../a", "a/b", "a.so", ".", "a b", "ä", "a\n"};
    char name[PLUGIN_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(plugin_is_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(!plugin_is_name(bad[i]), "%s", bad[i]);
    memset(name, 'a', sizeof name);
    name[PLUGIN_NAME_MAX + 1] = 0;
    cr_expect(!plugin_is_name(name));
    name[PLUGIN_NAME_MAX] = 0;
    cr_expect(plugin_is_name(name));
}

static void expect_missing(const char *plugin, int rc, const char *word)
{
    const struct quanta_plugin_mapper *mapper = NULL;
    struct error_info err = {0};

    cr_expect_eq(plugin_find(plugin, "x", &mapper, &err), rc, "%s", err.text);
    cr_expect_null(mapper);
    cr_expect(strstr(err.text, word), "%s", err.text);
}

Test(plugin, missing)
{
    char dir[] = "/tmp/quanta-plugin-XXXXXX", path[64];
    FILE *file;

    expect_missing("example", -EPERM, "--plugin-dir");
    cr_assert_not_null(mkdtemp(dir));
    plugin_set_directory(dir);
    cr_assert_str_eq(plugin_directory(), dir);
    expect_missing("../example", -EINVAL, "letters");
    expect_missing("example", -ENOENT, "example.so");
    snprintf(path, sizeof path, "%s/broken.so", dir);
    file = fopen(path, "w");
    cr_assert(file && fputs("no shared object", file) >= 0 && fclose(file) == 0);
    expect_missing("broken", -ENOENT, "broken.so");
    cr_assert(unlink(path) == 0 && rmdir(dir) == 0);
    plugin_set_directory("");
    cr_assert_null(plugin_directory());
}
