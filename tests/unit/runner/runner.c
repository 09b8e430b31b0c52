/*
 * A small test runner with Criterion's command line and closing line, for the variants Criterion
 * cannot serve (see criterion/criterion.h). One process per test, --jobs of them at a time; the
 * parent never has a second thread, so that it may fork.
 */
#include "criterion/criterion.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    RUNNER_TIMEOUT_S = 900, /* of one test; a guard against hanging, not a measure */
    RUNNER_MESSAGE_MAX = 256,
    RUNNER_JOBS_MAX = 64,
};

/* What a test's process tells its parent, in memory they share; cleared before each test. */
struct runner_report {
    int failed;
    int skipped;
    char message[RUNNER_MESSAGE_MAX];
};

/* One test that runs. The parent's; a child uses only its report. */
struct runner_job {
    const struct runner_test *test; /* NULL: free */
    struct runner_report *report;
    pid_t pid;
    double start_s;
};

static struct runner_test *tests;
static struct runner_job jobs[RUNNER_JOBS_MAX];
static struct runner_report *report; /* in a child: its own */

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

static int counts[RUNNER_SKIPPED + 1];

static double clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum runner_outcome judge(const struct runner_job *job, int status)
{
    if (job->report->skipped)
        return RUNNER_SKIPPED;
    if (job->report->failed == 0 && ended_as_declared(job->test, status))
        return RUNNER_PASSED;
    if (WIFSIGNALED(status)) {
        fprintf(stderr, "[----] ended by signal %d (%s)\n", WTERMSIG(status),
                strsignal(WTERMSIG(status)));
        return RUNNER_CRASHED;
    }
    fprintf(stderr, "[----] exit status %d\n", WEXITSTATUS(status));
    return RUNNER_FAILED;
}

/* Counts a test and prints its line, in the form of Criterion's. */
static void conclude(const struct runner_test *test, enum runner_outcome outcome, double took_s,
                     const char *message)
{
    static const char *const labels[] = {"PASS", "FAIL", "CRASH", "SKIP"};
    counts[outcome]++;
    if (outcome == RUNNER_SKIPPED)
        fprintf(stderr, "[SKIP] %s::%s: %s\n", test->suite, test->name, message);
    else
        fprintf(stderr, "[%s] %s::%s: (%.2fs)\n", labels[outcome], test->suite, test->name, took_s);
}

/* Waits for any test to end and frees its job. False when none is running. */
static bool reap(int job_count)
{
    int status;
    pid_t pid;
    do {
        pid = wait(&status);
    } while (pid < 0 && errno == EINTR);
    if (pid < 0)
        return false;
    for (int i = 0; i < job_count; i++) {
        struct runner_job *job = &jobs[i];
        if (!job->test || job->pid != pid)
            continue;
        conclude(job->test, judge(job, status), clock_s() - job->start_s, job->report->message);
        job->test = NULL;
    }
    return true;
}

static struct runner_job *free_job(int job_count)
{
    for (;;) {
        for (int i = 0; i < job_count; i++) {
            if (!jobs[i].test)
                return &jobs[i];
        }
        reap(job_count);
    }
}

static void start_test(const struct runner_test *test, int job_count)
{
    if (test->extra.disabled || suite_extra(test->suite)->disabled) {
        conclude(test, RUNNER_SKIPPED, 0, "Test is disabled");
        return;
    }
    struct runner_job *job = free_job(job_count);
    memset(job->report, 0, sizeof *job->report);
    job->start_s = clock_s();
    fflush(NULL);
    job->pid = fork();
    if (job->pid < 0) {
        perror("fork");
        exit(1);
    }
    if (job->pid == 0) {
        report = job->report;
        run_in_child(test);
    }
    job->test = test;
}

/* Criterion's options we are called with; --verbose changes nothing here. */
static const char *parse_options(int argc, char **argv, int *job_count)
{
    static const struct option options[] = {
        {"filter", required_argument, NULL, 'F'},
        {"jobs", required_argument, NULL, 'j'},
        {"verbose", optional_argument, NULL, 'v'},
        {0},
    };
    const char *filter = "*";
    int option;
    *job_count = 1;
    while ((option = getopt_long(argc, argv, "j:", options, NULL)) != -1) {
        if (option == 'F')
            filter = optarg;
        else if (option == 'j')
            *job_count = (int)strtol(optarg, NULL, 10);
        else if (option == '?')
            exit(2);
    }
    if (*job_count < 1 || *job_count > RUNNER_JOBS_MAX) {
        fprintf(stderr, "--jobs: found %d, allowed: 1 to %d\n", *job_count, RUNNER_JOBS_MAX);
        exit(2);
    }
    return filter;
}

static void share_reports(int job_count)
{
    struct runner_report *reports = mmap(NULL, (size_t)job_count * sizeof *reports,
                                         PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reports == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    for (int i = 0; i < job_count; i++)
        jobs[i].report = &reports[i];
}

int main(int argc, char **argv)
{
    int job_count;
    const char *filter = parse_options(argc, argv, &job_count);

    share_reports(job_count);
    for (struct runner_test *t = tests; t; t = t->next) {
        char name[RUNNER_MESSAGE_MAX];
        if (!t->name)
            continue;
        snprintf(name, sizeof name, "%s/%s", t->suite, t->name);
        if (fnmatch(filter, name, 0) == 0)
            start_test(t, job_count);
    }
    while (reap(job_count))
        continue;
    int bad = counts[RUNNER_FAILED] + counts[RUNNER_CRASHED];
    fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n",
            counts[RUNNER_PASSED] + bad, counts[RUNNER_PASSED], counts[RUNNER_FAILED],
            counts[RUNNER_CRASHED]);
    return bad ? 1 : 0;
}
