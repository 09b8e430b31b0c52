#pragma once
/* What the machine and the container give to this process. Control thread, at start. */
#include <stddef.h>
#include <stdint.h>

struct topology {
    unsigned cpu_count; /* cpus of the affinity mask */
    int cpus[1024];     /* their numbers, ascending */
    unsigned cpu_quota; /* whole cpus of the cgroup quota, rounded up; 0 = none */
    uint64_t memory;    /* bytes: the machine's, or the cgroup's limit when lower */
    unsigned nodes;     /* NUMA nodes; 1 without NUMA */
};

/* Reads affinity mask, cgroup v1/v2 limits and memory. Cannot fail: what is unreadable counts as absent. */
void topology_read(struct topology *t);

/* Cores to start: cpus of the mask, not more than the quota; at least 1. */
unsigned topology_cores(const struct topology *t);

/* NUMA node of a cpu; 0 without NUMA. */
int topology_node_of_cpu(int cpu);

/* Memory of this thread comes from the node it runs on. */
void topology_memory_local(void);

/* Parses "0-3,8" into cpus[max]: number of cpus, or -EINVAL with nothing promised about cpus. */
int topology_parse_cpus(const char *list, int *cpus, unsigned max);

/* Internal, for tests: whole cpus from the text of cpu.max ("150000 100000" or "max 100000"); 0 = none. */
unsigned topology_parse_cpu_max(const char *text);
