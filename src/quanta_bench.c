/* quanta-bench: makes the data of the benchmarks, and measures a server with it. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "build_info.h"

static const char usage_text[] =
    "usage: quanta-bench gen|run|client [options]\n"
    "\n"
    "  gen       writes a table of the `events` work to a file\n"
    "  run       asks a server the statements of a work set, checks and times the answers\n"
    "  client    times statements that come from stdin\n"
    "\n"
    "quanta-bench COMMAND --help tells more. Every flag is also read from the environment as\n"
    "QUANTA_<FLAG>, such as QUANTA_ROWS.\n"
    "\n"
    "  --help, --version\n";

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"gen", bench_gen_main},
        {"run", bench_run_main},
        {"client", bench_client_main},
    };
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        return fputs(usage_text, stdout) < 0 ? BENCH_FAILED : BENCH_OK;
    if (strcmp(command, "--version") == 0) {
        printf("quanta-bench %s (%s; %s)\n", QUANTA_VERSION, QUANTA_REVISION, QUANTA_BUILD_OPTIONS);
        return BENCH_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(command, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return bench_usage_error(*command ? "unknown command '%s', known are gen, run and client"
                                      : "a command is missing%s",
                             command);
}
