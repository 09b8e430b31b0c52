#include <criterion/criterion.h>
#include <errno.h>

#include "reactor/budget.h"

Test(budget, a_charge_counts_on_every_level_or_none)
{
    struct budget core, op;

    budget_init(&core, "core", 100, NULL);
    budget_init(&op, "operation", 80, &core);
    cr_assert(budget_charge(&op, 50) == 0);
    cr_assert(budget_charge(&op, 40) == -ENOMEM);
    cr_assert(op.used == 50 && core.used == 50);
    cr_assert(budget_charge(&core, 45) == 0);
    cr_assert(budget_room(&op) == 5);
    cr_assert(budget_least_limit(&op) == 80 && budget_least_limit(&core) == 100);
    core.limit = 60;
    cr_assert(budget_least_limit(&op) == 60);
    core.limit = 100;
    cr_assert(budget_charge(&op, 6) == -ENOMEM && op.used == 50);
    budget_charge_always(&op, 40);
    cr_assert(budget_room(&op) == 0 && core.used == 135 && core.peak == 135);
    budget_release(&op, 90);
    cr_assert(op.used == 0 && core.used == 45);
}

Test(budget, no_limit_of_its_own)
{
    struct budget b;

    budget_init(&b, "free", 0, NULL);
    cr_assert(budget_charge(&b, UINT64_MAX / 2) == 0);
    cr_assert(budget_charge(&b, UINT64_MAX / 2) == 0);
    cr_assert(budget_charge(&b, 100) == -ENOMEM);
}
