/* Affinity mask, cgroup limits, NUMA nodes. */
#include "reactor/topology.h"

#include <errno.h>
#include <numa.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CPUS_MAX = sizeof((struct topology *)0)->cpus / sizeof(int), PATH_BYTES = 512 };

static void read_affinity(struct topology *t)
{
    cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
    size_t size = CPU_ALLOC_SIZE(CPUS_MAX);

    t->cpu_count = 0;
    if (set && sched_getaffinity(0, size, set) == 0)
        for (int cpu = 0; cpu < CPUS_MAX; cpu++)
            if (CPU_ISSET_S((unsigned)cpu, size, set))
                t->cpus[t->cpu_count++] = cpu;
    CPU_FREE(set);
    if (t->cpu_count == 0) {
        t->cpu_count = 1;
        t->cpus[0] = 0;
    }
}

static bool read_text(const char *path, char *text, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        return false;
    n = fread(text, 1, size - 1, f);
    fclose(f);
    text[n] = 0;
    return n > 0;
}

/* Path of this process's cgroup: controller NULL = the unified hierarchy. */
static bool cgroup_path(const char *controller, char *path, size_t size)
{
    char line[PATH_BYTES];
    FILE *f = fopen("/proc/self/cgroup", "re");
    bool found = false;

    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        char *names = strchr(line, ':'), *dir = names ? strchr(names + 1, ':') : NULL;

        if (!dir)
            continue;
        *names++ = 0;
        *dir++ = 0;
        dir[strcspn(dir, "\n")] = 0;
        if (!controller) {
            found = *names == 0;
        } else {
            for (char *save, *name = strtok_r(names, ",", &save); name;
                 name = strtok_r(NULL, ",", &save))
                found |= strcmp(name, controller) == 0;
        }
        if (found)
            snprintf(path, size, "%s", dir);
    }
    fclose(f);
    return found;
}

/* Cuts the last element of a path; false at the root. */
static bool path_up(char *path)
{
    char *slash = strrchr(path, '/');

    if (!slash || path[1] == 0)
        return false;
    slash[slash == path ? 1 : 0] = 0;
    return true;
}

/* Calls fn with `file` of the cgroup and all above it: limits of every level hold. In a container
 * the root of the mount is the own group, which the walk reaches as well. */
static void cgroup_walk(const char *mount, const char *controller, const char *file,
                        void (*fn)(void *ctx, const char *dir, const char *text), void *ctx)
{
    char path[PATH_BYTES], dir[PATH_BYTES * 2], name[PATH_BYTES * 2 + 64], text[128];

    if (!cgroup_path(controller, path, sizeof path))
        return;
    do {
        snprintf(dir, sizeof dir, "%s%s", mount, path[1] ? path : "");
        snprintf(name, sizeof name, "%s/%s", dir, file);
        if (read_text(name, text, sizeof text))
            fn(ctx, dir, text);
    } while (path_up(path));
}

static void take_lower(unsigned *quota, unsigned found)
{
    if (found && (*quota == 0 || found < *quota))
        *quota = found;
}

static unsigned cpus_of_quota(long long quota, long long period)
{
    if (quota <= 0 || period <= 0)
        return 0;
    return (unsigned)((quota + period - 1) / period);
}

unsigned topology_parse_cpu_max(const char *text)
{
    long long quota, period;

    if (sscanf(text, "%lld %lld", &quota, &period) != 2)
        return 0; /* "max 100000" */
    return cpus_of_quota(quota, period);
}

static void on_cpu_max(void *ctx, const char *dir, const char *text)
{
    (void)dir;
    take_lower(ctx, topology_parse_cpu_max(text));
}

static void on_cfs_quota(void *ctx, const char *dir, const char *text)
{
    char name[PATH_BYTES * 2 + 64], period[64];

    snprintf(name, sizeof name, "%s/cpu.cfs_period_us", dir);
    if (read_text(name, period, sizeof period))
        take_lower(ctx, cpus_of_quota(strtoll(text, NULL, 10), strtoll(period, NULL, 10)));
}

static void on_memory(void *ctx, const char *dir, const char *text)
{
    uint64_t *memory = ctx;
    char *end;
    unsigned long long limit;

    (void)dir;
    errno = 0;
    limit = strtoull(text, &end, 10); /* "max" = none */
    if (end != text && errno == 0 && limit > 0 && limit < *memory)
        *memory = limit;
}

static void read_cgroup(struct topology *t)
{
    cgroup_walk("/sys/fs/cgroup", NULL, "cpu.max", on_cpu_max, &t->cpu_quota);
    cgroup_walk("/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_quota_us", on_cfs_quota, &t->cpu_quota);
    cgroup_walk("/sys/fs/cgroup", NULL, "memory.max", on_memory, &t->memory);
    cgroup_walk("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", on_memory, &t->memory);
}

void topology_read(struct topology *t)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    memset(t, 0, sizeof *t);
    read_affinity(t);
    t->memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 1ull << 30;
    read_cgroup(t);
    t->nodes = numa_available() >= 0 ? (unsigned)numa_num_configured_nodes() : 1;
    if (t->nodes == 0)
        t->nodes = 1;
}

unsigned topology_cores(const struct topology *t)
{
    unsigned n = t->cpu_count;

    if (t->cpu_quota && t->cpu_quota < n)
        n = t->cpu_quota;
    return n ? n : 1;
}

int topology_node_of_cpu(int cpu)
{
    int node = numa_available() >= 0 ? numa_node_of_cpu(cpu) : 0;

    return node < 0 ? 0 : node;
}

void topology_memory_local(void)
{
    if (numa_available() >= 0 && numa_num_configured_nodes() > 1)
        numa_set_localalloc();
}

static bool parse_number(const char **at, long *out)
{
    char *end;

    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *out = strtol(*at, &end, 10);
    *at = end;
    return errno == 0 && *out < CPUS_MAX;
}

int topology_parse_cpus(const char *list, int *cpus, unsigned max)
{
    bool seen[CPUS_MAX] = {false};
    unsigned n = 0;

    for (;;) {
        long first, last;

        if (!parse_number(&list, &first))
            return -EINVAL;
        last = first;
        if (*list == '-') {
            list++;
            if (!parse_number(&list, &last) || last < first)
                return -EINVAL;
        }
        for (long cpu = first; cpu <= last; cpu++) {
            if (seen[cpu] || n == max)
                return -EINVAL;
            seen[cpu] = true;
            cpus[n++] = (int)cpu;
        }
        if (*list == 0)
            return (int)n;
        if (*list++ != ',')
            return -EINVAL;
    }
}
