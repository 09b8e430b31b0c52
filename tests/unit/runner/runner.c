/*
 * A small test runner with Criterion's command line and closing line, for the variants Criterion
 * cannot serve (see criterion/criterion.h). One process per test, one test at a time, so that the
 * parent never has a second thread when it forks.
 */
#include "criterion/criterion.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RUNNER_TIMEOUT_S = 300,
    RUNNER_MESSAGE_MAX = 256,
};

/* What a test's process tells its parent: one page of shared memory, cleared before each test. */
struct runner_report {
    int failed;
    int skipped;
    char message[RUNNER_MESSAGE_MAX];
};

static struct runner_test *tests;
static struct runner_report *report;

void runner_add_test(struct runner_test *test)
{
    struct runner_test **end = &tests;
    while (*end)
        end = &(*end)->next;
    *end = test;
}

void runner_fail(bool fatal, const char *file, int line, const char *what, const char *format, ...)
{
    char message[RUNNER_MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fprintf(stderr, "[----] %s:%d: Assertion Failed\n[----]   %s\n", file, line,
            message[0] ? message : what);
    __atomic_add_fetch(&report->failed, 1, __ATOMIC_RELAXED);
    if (fatal)
        exit(1);
}

void runner_skip(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(report->message, sizeof report->message, format, args);
    va_end(args);
    report->skipped = 1;
    exit(0);
}

static const struct criterion_test_extra_data *suite_extra(const char *suite)
{
    static const struct criterion_test_extra_data none;
    for (struct runner_test *t = tests; t; t = t->next) {
        if (!t->name && strcmp(t->suite, suite) == 0)
            return &t->extra;
    }
    return &none;
}

static _Noreturn void run_in_child(const struct runner_test *test)
{
    const struct criterion_test_extra_data *suite = suite_extra(test->suite);
    double limit = test->extra.timeout > 0 ? test->extra.timeout : suite->timeout;
    alarm(limit > 0 ? (unsigned)limit + 1 : RUNNER_TIMEOUT_S);
    if (suite->init)
        suite->init();
    if (test->extra.init)
        test->extra.init();
    test->run();
    if (test->extra.fini)
        test->extra.fini();
    if (suite->fini)
        suite->fini();
    exit(report->failed ? 1 : 0);
}

/* True when the process ended the way the test declares: normally, by signal or by exit code. */
static bool ended_as_declared(const struct runner_test *test, int status)
{
    if (test->extra.signal)
        return WIFSIGNALED(status) && WTERMSIG(status) == test->extra.signal;
    return WIFEXITED(status) && WEXITSTATUS(status) == test->extra.exit_code;
}

enum runner_outcome {
    RUNNER_PASSED,
    RUNNER_FAILED,
    RUNNER_CRASHED,
    RUNNER_SKIPPED,
};

static enum runner_outcome run_test(const struct runner_test *test)
{
    memset(report, 0, sizeof *report);
    if (test->extra.disabled || suite_extra(test->suite)->disabled) {
        snprintf(report->message, sizeof report->message, "Test is disabled");
        return RUNNER_SKIPPED;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0)
        run_in_child(test);
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (report->skipped)
        return RUNNER_SKIPPED;
    if (report->failed == 0 && ended_as_declared(test, status))
        return RUNNER_PASSED;
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "[----] ended by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        return RUNNER_CRASHED;
    }
    fprintf(stderr, "[----] exit status %d\n", WEXITSTATUS(status));
    return RUNNER_FAILED;
}

/* Criterion's options we are called with; --jobs and --verbose change nothing here. */
static const char *parse_filter(int argc, char **argv)
{
    static const struct option options[] = {
        {"filter", required_argument, NULL, 'F'},
        {"jobs", required_argument, NULL, 'j'},
        {"verbose", optional_argument, NULL, 'v'},
        {0},
    };
    const char *filter = "*";
    int option;
    while ((option = getopt_long(argc, argv, "j:", options, NULL)) != -1) {
        if (option == 'F')
            filter = optarg;
        else if (option == '?')
            exit(2);
    }
    return filter;
}

int main(int argc, char **argv)
{
    const char *filter = parse_filter(argc, argv);
    int count[4] = {0};

    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    for (struct runner_test *t = tests; t; t = t->next) {
        static const char *const labels[] = {"PASS", "FAIL", "CRASH", "SKIP"};
        char name[RUNNER_MESSAGE_MAX];
        if (!t->name)
            continue;
        snprintf(name, sizeof name, "%s/%s", t->suite, t->name);
        if (fnmatch(filter, name, 0) != 0)
            continue;
        enum runner_outcome outcome = run_test(t);
        count[outcome]++;
        fprintf(stderr, "[%s] %s::%s%s%s\n", labels[outcome], t->suite, t->name,
                outcome == RUNNER_SKIPPED ? ": " : "", report->message);
    }
    int bad = count[RUNNER_FAILED] + count[RUNNER_CRASHED];
    fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n",
            count[RUNNER_PASSED] + bad, count[RUNNER_PASSED], count[RUNNER_FAILED],
            count[RUNNER_CRASHED]);
    return bad ? 1 : 0;
}
