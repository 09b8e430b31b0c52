#include <criterion/criterion.h>
#include <errno.h>

#include "reactor/log.h"
#include "reactor/options.h"
#include "reactor/options_value.h"

static bool insecure;
static const char *dir, *io;
static uint64_t cores, memory;
static uint16_t port;

static const struct option_spec specs[] = {
    {"insecure", OPTION_FLAG, &insecure, NULL, "allow it", NULL},
    {"data-dir", OPTION_STRING, &dir, "DIR", "where", "DATA_DIR"},
    {"io", OPTION_STRING, &io, "auto|uring|epoll", "which", NULL},
    {"cores", OPTION_UINT, &cores, "N", "how many", NULL},
    {"memory", OPTION_BYTES, &memory, "BYTES", "how much", NULL},
    {"mysql-port", OPTION_PORT, &port, "PORT", "which", "PORT"},
};

static int status;
static size_t words;
static const char *positional[2];

static int parse(const char *a, const char *b, const char *c, const char *d)
{
    const struct option_set set = {
        "prog", "[flags]", "A test.", specs, sizeof specs / sizeof *specs, positional, 2};
    char *argv[6] = {(char *)"prog"};
    int argc = 1;
    const char *args[] = {a, b, c, d};

    insecure = false;
    dir = "./data";
    io = "auto";
    cores = memory = 0;
    port = 4000;
    for (int i = 0; i < 4 && args[i]; i++)
        argv[argc++] = (char *)args[i];
    return options_parse(&set, argc, argv, &words, &status);
}

Test(options, command_line)
{
    cr_assert(parse("--insecure", "--data-dir", "/x", "--memory=2G") == 0);
    cr_assert(insecure && memory == 2ull << 30 && words == 0);
    cr_assert_str_eq(dir, "/x");
    cr_assert(parse("one", "--cores=3", "--", "--two") == 0);
    cr_assert(words == 2 && cores == 3);
    cr_assert_str_eq(positional[1], "--two");
    cr_assert(parse("--log-level", "error", "--mysql-port", "0") == 0);
    cr_assert(log_level == LOG_ERROR && port == 0);
}

Test(options, mistakes_have_status_2)
{
    cr_assert(parse("--nothing", NULL, NULL, NULL) == 1 && status == 2);
    cr_assert(parse("-x", NULL, NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--cores", NULL, NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--cores", "-3", NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--cores", "3x", NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--io", "sim", NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--mysql-port", "65536", NULL, NULL) == 1 && status == 2);
    cr_assert(parse("--log-level", "loud", NULL, NULL) == 1 && status == 2);
    cr_assert(parse("a", "b", "c", NULL) == 1 && status == 2);
    cr_assert(parse("--help", "--nothing", NULL, NULL) == 1 && status == 0);
    cr_assert(parse("--version", NULL, NULL, NULL) == 1 && status == 0);
}

Test(options, environment_gives_way_to_the_command_line)
{
    setenv("QUANTA_CORES", "7", 1);
    setenv("DATA_DIR", "/from/env", 1);
    setenv("PORT", "1", 1);
    setenv("QUANTA_MYSQL_PORT", "2", 1);
    setenv("QUANTA_INSECURE", "", 1);
    cr_assert(parse("--cores", "2", NULL, NULL) == 0);
    cr_assert(cores == 2 && port == 2 && !insecure);
    cr_assert_str_eq(dir, "/from/env");
    setenv("QUANTA_CORES", "many", 1);
    cr_assert(parse(NULL, NULL, NULL, NULL) == 1 && status == 2);
}

Test(options, bytes)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},         {"4096", 4096},       {"64K", 65536}, {"64kb", 65536},
                {"64KiB", 65536}, {"1TiB", 1ull << 40}, {"7B", 7}};
    static const char *const bad[] = {"",          "K",     "-1",
                                      "1X",        "1KiBx", "99999999999999999999",
                                      "99999999P", " 1",    "1 K"};
    uint64_t v;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert(option_bytes_parse(good[i].text, &v) == 0 && v == good[i].value, "%s",
                  good[i].text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(option_bytes_parse(bad[i], &v) == -EINVAL, "%s", bad[i]);
    cr_assert(strncmp(version_text(), "quanta ", 7) == 0);
}
