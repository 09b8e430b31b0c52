/* Choosing a back end, starting and stopping, values per core, the watchdog's and log's odds and ends. */
#include "cores.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reactor/leg.h"
#include "unit/fail_alloc.h"

/* As Docker's default profile does. */
static void refuse_io_uring(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* number of the system call */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    cr_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    cr_assert(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

Test(group, refused_io_uring_means_epoll)
{
    struct reactor_config config = {.cores = 2, .io = REACTOR_IO_AUTO};
    struct reactor_group *g;
    char err[200];

    log_level = LOG_ERROR;
    refuse_io_uring();
    cr_assert(reactor_group_new(&config, &g, err, sizeof err) == 0);
    cr_assert_str_eq(reactor_group_io_name(g), "epoll");
    cr_assert(reactor_group_start(g, cores_start_nothing, NULL) == 0);
    cores_stop(g);
    config.io = REACTOR_IO_URING;
    cr_assert(reactor_group_new(&config, &g, err, sizeof err) == -EPERM && !g);
    cr_assert(strstr(err, "seccomp"), "%s", err);
}

Test(group, bad_configurations)
{
    static const struct reactor_config bad[] = {{.cpus = "0-"},
                                                {.cores = 257},
                                                {.cores = 1, .ring_entries = 3},
                                                {.cores = 1, .ring_entries = 1 << 20}};
    struct reactor_group *g;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char err[200] = "";

        cr_assert(reactor_group_new(&bad[i], &g, err, sizeof err) == -EINVAL && !g && err[0]);
    }
}

static int start_fails_on_2(struct reactor *r, void *ctx)
{
    __atomic_add_fetch((int *)ctx, 1, __ATOMIC_RELAXED);
    return reactor_core(r) == 2 ? -EACCES : 0;
}

static void start_error_stops_all(enum reactor_io io)
{
    struct reactor_config config = {.cores = 4, .io = io};
    struct reactor_group *g = cores_new(&config);
    int started = 0;

    cr_assert(reactor_group_start(g, start_fails_on_2, &started) == -EACCES);
    cr_assert(started == (io == REACTOR_IO_SIM ? 3 : 4));
    reactor_group_stop(g, cores_exit, NULL); /* harmless */
    reactor_group_free(g);
}
BACK_ENDS(group, start_error_stops_all)

static struct gate gate = GATE_INIT;

static int start_checks(struct reactor *r, void *ctx)
{
    cr_assert(reactor_self() == r && reactor_count(r) == 3 && reactor_group_of(r) != NULL);
    /* A sixteenth of 3,000,000 is for the process itself. */
    cr_assert(reactor_core(r) < 3 && reactor_budget(r)->limit == 937500);
    cr_assert(reactor_random(r) != reactor_random(r) && reactor_now_ns(r) + 1 > 0);
    cr_assert(reactor_wall_us(r) > 1700000000000000);
    reactor_set_local(r, LOCAL_SHARD, ctx);
    reactor_set_local(r, LOCAL_HTTP, r);
    cr_assert(reactor_get_local(r, LOCAL_SHARD) == ctx && !reactor_get_local(r, LOCAL_SQL));
    gate_add(ctx, 1);
    return 0;
}

static void start_runs_on_every_core(enum reactor_io io)
{
    struct reactor_config config = {.cores = 3, .io = io, .memory = 3000000};
    struct reactor_group *g = cores_new(&config);

    gate.count = 0;
    cr_assert(reactor_self() == NULL);
    cr_assert(reactor_group_start(g, start_checks, &gate) == 0);
    cr_assert(gate.count == 3 && reactor_group_count(g) == 3);
    cores_stop(g);
}
BACK_ENDS(group, start_runs_on_every_core)

/* ---- a core that exits in the turn in which it answers: the answer still arrives -------------- */

static struct leg last_leg;

static void answer_and_exit(struct leg *l)
{
    leg_reply(reactor_self(), l);
    reactor_exit(reactor_self());
}

static void last_answer(struct leg *l)
{
    (void)l;
    gate_add(&gate, 1);
    reactor_exit(reactor_self());
}

static void send_last(struct reactor *r, void *ctx)
{
    (void)ctx;
    last_leg = (struct leg){.run = answer_and_exit, .done = last_answer};
    leg_send(r, &last_leg, 1, LEG_REQUEST);
}

static void nothing(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
}

static void exit_does_not_swallow_an_answer(enum reactor_io io)
{
    for (int i = 0; i < 100; i++) {
        struct reactor_group *g = cores_start(io, 2, 0);

        gate.count = 0;
        reactor_post(reactor_group_get(g, 0), send_last, NULL);
        gate_wait(g, &gate, 1);
        reactor_group_stop(g, nothing, NULL);
        reactor_group_free(g);
    }
}
BACK_ENDS(group, exit_does_not_swallow_an_answer)

/* ---- two groups with different back ends in one process ---------------------------------------- */

static struct reactor_group *left, *right;

static void post_back(struct reactor *r, void *ctx)
{
    long *n = ctx;

    gate_add(&gate, 1);
    if (--*n > 0)
        reactor_post(reactor_group_get(reactor_group_of(r) == left ? right : left, 0), post_back,
                     n);
}

Test(group, posts_between_groups)
{
    long n = 2000;

    left = cores_start(REACTOR_IO_AUTO, 1, 0);
    right = cores_start(REACTOR_IO_EPOLL, 1, 0);
    gate.count = 0;
    reactor_post(reactor_group_get(left, 0), post_back, &n);
    gate_wait(left, &gate, 2000);
    cores_stop(left);
    cores_stop(right);
}

/* Without memory a post is refused; one in the caller's memory arrives, and the cores end. */
Test(group, posts_without_memory)
{
    struct fail_alloc none = {.n = 1, .and_more = true};
    struct reactor_group *g = cores_start(REACTOR_IO_EPOLL, 1, 0);
    struct post post;
    long n = 1;

    gate.count = 0;
    fail_alloc_arm(&none);
    int rc = reactor_post(reactor_group_get(g, 0), post_back, &n);
    reactor_post_lent(reactor_group_get(g, 0), &post, post_back, &n);
    cr_assert(fail_alloc_disarm(&none));
    cr_assert_eq(rc, -ENOMEM);
    gate_wait(g, &gate, 1);
    cores_stop(g);
}

/* ---- bulk tasks leave room for I/O tasks ---------------------------------------------------------- */

static struct task bulk, io_task;
static int bulk_runs, io_runs;

static void run_io(struct task *t)
{
    if (++io_runs < 50)
        reactor_task(reactor_self(), t, TASK_IO);
}

static void run_bulk(struct task *t)
{
    if (++bulk_runs < 200)
        reactor_task(reactor_self(), t, TASK_BULK);
    else
        gate_add(&gate, 1);
    cr_assert(bulk_runs <= io_runs + 1 || io_runs == 50);
}

static void start_tasks(struct reactor *r, void *ctx)
{
    (void)ctx;
    bulk.run = run_bulk;
    io_task.run = run_io;
    bulk_runs = io_runs = 0;
    reactor_task(r, &bulk, TASK_BULK);
    reactor_task(r, &bulk, TASK_BULK);
    reactor_task(r, &io_task, TASK_IO);
}

static void tasks_of_both_classes(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    gate.count = 0;
    reactor_post(reactor_group_get(g, 0), start_tasks, NULL);
    gate_wait(g, &gate, 1);
    cr_assert(io_runs == 50);
    cores_stop(g);
}
BACK_ENDS(group, tasks_of_both_classes)

/* ---- idle tasks wait for all others, but not for ever --------------------------------------------- */

static struct task idle_task, endless;
static int idle_runs;
static uint64_t idle_since_ns;

static void run_idle(struct task *t)
{
    struct reactor *r = reactor_self();

    /* Before the others ended only because it took them so long. */
    cr_assert((bulk_runs == 200 && io_runs == 50) ||
              reactor_now_ns(r) - idle_since_ns >= 5000000u * ((unsigned)idle_runs + 1));
    if (++idle_runs < 20)
        reactor_task(r, t, TASK_IDLE);
    else
        gate_add(&gate, 1);
}

static void start_idle(struct reactor *r, void *ctx)
{
    idle_task.run = run_idle;
    idle_runs = 0;
    idle_since_ns = reactor_now_ns(r);
    reactor_task(r, &idle_task, TASK_IDLE);
    start_tasks(r, ctx);
}

static void run_endless(struct task *t)
{
    if (idle_runs < 3)
        reactor_task(reactor_self(), t, TASK_BULK);
    else
        gate_add(&gate, 1);
}

static void run_idle_beside(struct task *t)
{
    if (++idle_runs < 3)
        reactor_task(reactor_self(), t, TASK_IDLE);
}

static void start_endless(struct reactor *r, void *ctx)
{
    (void)ctx;
    endless.run = run_endless;
    idle_task.run = run_idle_beside;
    idle_runs = 0;
    reactor_task(r, &endless, TASK_BULK);
    reactor_task(r, &idle_task, TASK_IDLE);
}

static void idle_tasks_come_last(enum reactor_io io)
{
    struct reactor_group *g = cores_start(io, 1, 0);

    gate.count = 0;
    reactor_post(reactor_group_get(g, 0), start_idle, NULL);
    gate_wait(g, &gate, 2);
    cr_assert(idle_runs == 20);
    gate.count = 0;
    reactor_post(reactor_group_get(g, 0), start_endless, NULL);
    gate_wait(g, &gate, 1);
    cores_stop(g);
}
BACK_ENDS(group, idle_tasks_come_last)

/* ---- what a failure leaves on stderr -------------------------------------------------------------- */

static size_t stderr_of(void (*fn)(void), char *text, size_t size)
{
    int fds[2], saved = dup(2);
    ssize_t n;

    cr_assert(pipe(fds) == 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0);
    dup2(fds[1], 2);
    fn();
    dup2(saved, 2);
    n = read(fds[0], text, size - 1);
    text[n > 0 ? n : 0] = 0;
    close(fds[0]);
    close(fds[1]);
    close(saved);
    return n > 0 ? (size_t)n : 0;
}

static void log_three(void)
{
    log_level = LOG_WARN;
    log_set_core(7);
    log_warn("table %s:\nforged line", "orders");
    log_info("not shown");
    log_error("%04000d", 1);
    log_set_core(-1);
}

Test(group, log_lines_are_single_lines)
{
    char text[8000];

    stderr_of(log_three, text, sizeof text);
    cr_assert(strstr(text, " warn  [7] table orders:?forged line\n"));
    cr_assert(!strstr(text, "not shown"));
    cr_assert(text[strlen(text) - 1] == '\n' &&
              strchr(strchr(text, '\n') + 1, '\n') == text + strlen(text) - 1);
}

static void trace_some(void)
{
    static struct trace_ring ring;
    static const uint64_t now = 5000001;

    ring.clock = &now;
    trace_set_ring(&ring);
    for (uint64_t i = 0; i < 1000; i++)
        trace_note("step", i, 1);
    trace_print(2, 3);
    trace_set_ring(NULL);
    trace_note("nowhere", 0, 0);
}

Test(group, trace_keeps_the_newest)
{
    char text[2000];

    stderr_of(trace_some, text, sizeof text);
    cr_assert(strstr(text, "5.000001 ms step") && strstr(text, "0x3e5 0x1\n") &&
              strstr(text, "0x3e7 0x1\n"));
    cr_assert(!strstr(text, "0x3e4 "));
}

static void stand_still(struct reactor *r, void *ctx)
{
    (void)r;
    nanosleep(&(struct timespec){.tv_sec = 3, .tv_nsec = 300000000}, NULL);
    gate_add(ctx, 1);
}

static void stall(void)
{
    struct reactor_group *g = cores_start(REACTOR_IO_AUTO, 2, 0);

    gate.count = 0;
    reactor_post(reactor_group_get(g, 1), stand_still, &gate);
    gate_wait(g, &gate, 1);
    cores_stop(g);
}

Test(group, watchdog_reports_a_stall_once)
{
    char text[4000], *line;

    stderr_of(stall, text, sizeof text);
    line = strstr(text, "core 1 has not turned for");
    cr_assert(line && !strstr(line + 10, "core 1 has not turned"), "%s", text);
}

static int failing_start(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    ASSERT(1 + 1 == 3);
    return 0;
}

Test(group, assertions_end_the_process, .signal = SIGILL)
{
    struct reactor_config config = {.cores = 1, .io = REACTOR_IO_EPOLL};

    reactor_group_start(cores_new(&config), failing_start, NULL);
}
