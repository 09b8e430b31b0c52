#include <criterion/criterion.h>
#include <errno.h>

#include "reactor/topology.h"

Test(topology, cpu_lists)
{
    int cpus[8];

    cr_assert(topology_parse_cpus("0-3,8", cpus, 8) == 5);
    cr_assert(cpus[0] == 0 && cpus[3] == 3 && cpus[4] == 8);
    cr_assert(topology_parse_cpus("5", cpus, 8) == 1 && cpus[0] == 5);
    cr_assert(topology_parse_cpus("", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("1,", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("3-1", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("1,1", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("0-8", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("99999999999", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("-1", cpus, 8) == -EINVAL);
    cr_assert(topology_parse_cpus("a", cpus, 8) == -EINVAL);
}

Test(topology, quotas_round_up_to_whole_cpus)
{
    cr_assert(topology_parse_cpu_max("max 100000") == 0);
    cr_assert(topology_parse_cpu_max("100000 100000") == 1);
    cr_assert(topology_parse_cpu_max("150000 100000") == 2);
    cr_assert(topology_parse_cpu_max("50000 100000") == 1);
    cr_assert(topology_parse_cpu_max("") == 0);
}

Test(topology, this_machine_has_something)
{
    struct topology t;

    topology_read(&t);
    cr_assert(t.cpu_count >= 1 && t.memory > 1 << 20 && t.nodes >= 1);
    cr_assert(topology_cores(&t) >= 1 && topology_cores(&t) <= t.cpu_count);
    t.cpu_quota = 1;
    cr_assert(topology_cores(&t) == 1);
}
