/* quanta-sim [--seed FIRST] [--count N] [--scenario NAME] [--verbose] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reactor/assert.h"
#include "reactor/log.h"
#include "reactor/options.h"
#include "scenario.h"

enum { SEEDS_EACH = 50 /* of a process */, SEEDS_TWICE = 10 /* one of so many is run again */ };

static struct scenario *scenarios;
static char running[128]; /* for the signal handler */

void scenario_add(struct scenario *s)
{
    struct scenario **at = &scenarios;

    while (*at && strcmp((*at)->name, s->name) < 0)
        at = &(*at)->next;
    s->next = *at;
    *at = s;
}

static int start_nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    return 0;
}

struct reactor_group *scenario_group(struct sim *w, struct sim_disk *disk, unsigned host,
                                     unsigned cores, unsigned ring_entries)
{
    struct reactor_config config = {.cores = cores,
                                    .io = REACTOR_IO_SIM,
                                    .ring_entries = ring_entries,
                                    .sim_seed = sim_random(w),
                                    .sim = w,
                                    .sim_disk = disk,
                                    .sim_host = host};
    struct reactor_group *g;
    char err[200];

    ASSERT(reactor_group_new(&config, &g, err, sizeof err) == 0);
    ASSERT(reactor_group_start(g, start_nothing, NULL) == 0);
    return g;
}

static bool is_set(void *flag)
{
    return *(const bool *)flag;
}

void scenario_run_until(struct reactor_group *g, const bool *flag)
{
    int rc = reactor_sim_run(g, is_set, (void *)flag, SCENARIO_STEPS_MAX);

    if (rc != 0)
        fprintf(stderr, "sim: %s\n",
                rc == -ETIME ? "everything waits and nothing can happen" : "no end in sight");
    ASSERT(rc == 0);
}

static void exit_core(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_exit(r);
}

void scenario_stop(struct reactor_group *g)
{
    reactor_group_stop(g, exit_core, NULL);
    reactor_group_free(g);
}

static void on_fault(int sig)
{
    static const char text[] = "sim: failed: ";

    if (write(STDERR_FILENO, text, sizeof text - 1) < 0 ||
        write(STDERR_FILENO, running, strlen(running)) < 0)
        _exit(1);
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Some seeds run twice: what differs between two runs is not under the simulator's control. */
static void run_seed(const struct scenario *s, uint64_t seed, bool twice, bool verbose)
{
    uint64_t hash;

    snprintf(running, sizeof running, "--scenario %s --seed %llu --count 1\n", s->name,
             (unsigned long long)seed);
    hash = s->run(seed);
    ASSERT(!twice || s->run(seed) == hash);
    if (verbose)
        printf("%s seed %llu hash %016llx\n", s->name, (unsigned long long)seed,
               (unsigned long long)hash);
}

static void run_seeds(const struct scenario *s, uint64_t first, uint64_t n, bool verbose)
{
    for (uint64_t seed = first; seed < first + n; seed++)
        run_seed(s, seed, seed % SEEDS_TWICE == 1, verbose);
}

/* Nodes that crash leave their memory behind: processes do not live long. False: one has failed, and said why. */
static bool run_all(const struct scenario *s, uint64_t first, uint64_t n, bool verbose)
{
    if (n <= SEEDS_EACH) {
        run_seeds(s, first, n, verbose);
        return true;
    }
    for (uint64_t done = 0; done < n; done += SEEDS_EACH) {
        uint64_t now = n - done < SEEDS_EACH ? n - done : SEEDS_EACH;
        int status = 0;
        pid_t child;

        fflush(NULL);
        child = fork();
        if (child == 0) {
            run_seeds(s, first + done, now, verbose);
            exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child) {
            perror("quanta-sim");
            return false;
        }
        if (status != 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static const int faults[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
    static uint64_t seed = 1, count = 100;
    static const char *only = NULL;
    static bool verbose;
    static const struct option_spec specs[] = {
        {"seed", OPTION_UINT, &seed, "N", "first seed", NULL},
        {"count", OPTION_UINT, &count, "N", "number of seeds", NULL},
        {"scenario", OPTION_STRING, &only, "NAME", "only this one", NULL},
        {"verbose", OPTION_FLAG, &verbose, NULL, "one line per run", NULL},
    };
    const struct option_set set = {.program = "quanta-sim",
                                   .synopsis = "[flags]",
                                   .description = "Runs the deterministic simulator.",
                                   .specs = specs,
                                   .count = sizeof specs / sizeof *specs};
    size_t words;
    unsigned ran = 0;
    int status;

    if (options_parse(&set, argc, argv, &words, &status) != 0)
        return status;
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++)
        signal(faults[i], on_fault);
    if (log_level == LOG_INFO)
        log_level = LOG_ERROR; /* a start line per group says nothing here */
    for (struct scenario *s = scenarios; s; s = s->next) {
        if (only && strcmp(only, s->name) != 0)
            continue;
        if (!run_all(s, seed, count, verbose))
            return 1;
        ran++;
        printf("ok %s: seeds %llu to %llu\n", s->name, (unsigned long long)seed,
               (unsigned long long)(seed + count - 1));
        if (s->report)
            s->report();
    }
    if (ran == 0)
        fprintf(stderr, "quanta-sim: no scenario '%s'\n", only ? only : "");
    return ran == 0 ? 2 : 0;
}
