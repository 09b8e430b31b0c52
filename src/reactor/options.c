/* Command line and environment from one table. See options.h. */
#include "reactor/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "reactor/options_value.h"

enum { ENV_NAME_BYTES = 128 };

/* Log level as an option like the others; written into log_level at the end. */
static const char *level_text;
static const struct option_spec level_spec = {
    .name = "log-level",
    .kind = OPTION_STRING,
    .value = (void *)&level_text,
    .arg = "error|warn|info|debug",
    .help = "how much is written to stderr",
};

static const struct option_spec *spec_at(const struct option_set *set, size_t i)
{
    return i < set->count ? &set->specs[i] : &level_spec;
}

static const struct option_spec *spec_find(const struct option_set *set, const char *name,
                                           size_t len)
{
    for (size_t i = 0; i <= set->count; i++) {
        const struct option_spec *s = spec_at(set, i);

        if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
            return s;
    }
    return NULL;
}

static void env_name(const struct option_spec *s, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "QUANTA_%s", s->name);

    for (size_t i = 0; i < n && i + 1 < size; i++) {
        if (out[i] == '-')
            out[i] = '_';
        else if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    }
}

static int usage_error(const struct option_set *set, int *exit_status)
{
    fprintf(stderr, "Try '%s --help'.\n", set->program);
    *exit_status = 2;
    return 1;
}

/* Sets an option from text; on a mistake says where it came from ("--cores", "QUANTA_CORES"). */
static int set_from_text(const struct option_set *set, const struct option_spec *s,
                         const char *text, const char *origin, int *exit_status)
{
    char allowed[256];

    if (option_value_parse(s, text, allowed, sizeof allowed) == 0)
        return 0;
    fprintf(stderr, "%s: %s: found '%s', allowed: %s\n", set->program, origin, text, allowed);
    return usage_error(set, exit_status);
}

static int read_environment(const struct option_set *set, int *exit_status)
{
    for (size_t i = 0; i <= set->count; i++) {
        const struct option_spec *s = spec_at(set, i);
        char name[ENV_NAME_BYTES];
        const char *origin = s->env, *text = s->env ? getenv(s->env) : NULL;

        env_name(s, name, sizeof name);
        if (getenv(name)) {
            text = getenv(name);
            origin = name;
        }
        /* An empty variable counts as not set, as containers often pass them. */
        if (text && *text && set_from_text(set, s, text, origin, exit_status) != 0)
            return 1;
    }
    return 0;
}

static void print_defaults(const struct option_spec *s)
{
    char text[64];

    option_value_print(s, text, sizeof text);
    if (text[0])
        printf(" (default %s)", text);
}

static void print_help(const struct option_set *set)
{
    printf("usage: %s %s\n\n%s\n\n", set->program, set->synopsis, set->description);
    for (size_t i = 0; i <= set->count; i++) {
        const struct option_spec *s = spec_at(set, i);
        char flag[80];

        snprintf(flag, sizeof flag, "--%s%s%s", s->name, s->kind == OPTION_FLAG ? "" : " ",
                 s->kind == OPTION_FLAG ? ""
                 : s->arg               ? s->arg
                                        : "VALUE");
        printf(strlen(flag) < 30 ? "  %-30s %s" : "  %s\n                                 %s", flag,
               s->help);
        print_defaults(s);
        if (s->env)
            printf(" [%s]", s->env);
        printf("\n");
    }
    printf("  %-30s %s\n  %-30s %s\n", "--help", "this text", "--version",
           "version and build options");
    printf("\nEvery option is also read from the environment as QUANTA_<NAME>, for example "
           "QUANTA_LOG_LEVEL.\n");
}

/* One word that begins with "--"; *i moves on when the value is the next word. */
static int parse_option(const struct option_set *set, int argc, char **argv, int *i,
                        int *exit_status)
{
    const char *word = argv[*i] + 2, *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct option_spec *s = spec_find(set, word, len);
    char origin[ENV_NAME_BYTES];

    if (!s) {
        fprintf(stderr, "%s: unknown option '%s'\n", set->program, argv[*i]);
        return usage_error(set, exit_status);
    }
    snprintf(origin, sizeof origin, "--%s", s->name);
    if (equals)
        return set_from_text(set, s, equals + 1, origin, exit_status);
    if (s->kind == OPTION_FLAG)
        return set_from_text(set, s, "true", origin, exit_status);
    if (*i + 1 >= argc) {
        fprintf(stderr, "%s: %s: a value is missing: %s\n", set->program, origin,
                s->arg ? s->arg : "VALUE");
        return usage_error(set, exit_status);
    }
    return set_from_text(set, s, argv[++*i], origin, exit_status);
}

static int add_positional(const struct option_set *set, const char *word, size_t *n,
                          int *exit_status)
{
    if (*n >= set->positional_max) {
        fprintf(stderr, "%s: unexpected argument '%s'\n", set->program, word);
        return usage_error(set, exit_status);
    }
    set->positional[(*n)++] = word;
    return 0;
}

static int parse_words(const struct option_set *set, int argc, char **argv, size_t *n_positional,
                       int *exit_status)
{
    bool options_end = false;
    int rc = 0;

    for (int i = 1; i < argc && rc == 0; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (!options_end && strncmp(argv[i], "--", 2) == 0) {
            rc = parse_option(set, argc, argv, &i, exit_status);
        } else if (!options_end && argv[i][0] == '-' && argv[i][1]) {
            fprintf(stderr, "%s: unknown option '%s': options begin with --\n", set->program,
                    argv[i]);
            rc = usage_error(set, exit_status);
        } else {
            rc = add_positional(set, argv[i], n_positional, exit_status);
        }
    }
    return rc;
}

/* --help and --version work whatever else is on the line. */
static bool answers_question(const struct option_set *set, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(set);
            return true;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("%s\n", version_text());
            return true;
        }
    }
    return false;
}

int options_parse(const struct option_set *set, int argc, char **argv, size_t *n_positional,
                  int *exit_status)
{
    *n_positional = 0;
    *exit_status = 0;
    level_text = "info";
    if (answers_question(set, argc, argv))
        return 1;
    if (read_environment(set, exit_status) != 0 ||
        parse_words(set, argc, argv, n_positional, exit_status) != 0)
        return 1;
    return log_level_parse(level_text, &log_level) == 0 ? 0 : usage_error(set, exit_status);
}
