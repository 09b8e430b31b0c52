/* Rendezvous hashing: an even spread, the same for every order of the list, and little movement. */
#include "rpc/slotmap.h"

#include <criterion/criterion.h>

static const char *const names[] = {"node-a", "node-b", "node-c", "node-d", "node-e"};

enum { BITS = 12, SLOTS = 1 << BITS };

Test(slotmap, spreads_evenly)
{
    struct slotmap m;
    unsigned count[5] = {0};

    cr_assert_eq(slotmap_init(&m, names, 5, BITS), 0);
    for (unsigned s = 0; s < SLOTS; s++)
        count[m.node_of[s]]++;
    for (unsigned i = 0; i < 5; i++)
        cr_assert(count[i] > SLOTS / 5 * 8 / 10 && count[i] < SLOTS / 5 * 12 / 10, "%s has %u",
                  names[i], count[i]);
    slotmap_fini(&m);
}

Test(slotmap, does_not_depend_on_the_order_of_the_list)
{
    const char *const turned[] = {"node-e", "node-d", "node-c", "node-b", "node-a"};
    struct slotmap m, n;

    cr_assert_eq(slotmap_init(&m, names, 5, BITS), 0);
    cr_assert_eq(slotmap_init(&n, turned, 5, BITS), 0);
    for (unsigned s = 0; s < SLOTS; s++)
        cr_assert_str_eq(names[m.node_of[s]], turned[n.node_of[s]]);
    slotmap_fini(&m);
    slotmap_fini(&n);
}

Test(slotmap, a_new_node_takes_its_share_and_nothing_else_moves)
{
    struct slotmap four, five;
    unsigned moved = 0;

    cr_assert_eq(slotmap_init(&four, names, 4, BITS), 0);
    cr_assert_eq(slotmap_init(&five, names, 5, BITS), 0);
    for (unsigned s = 0; s < SLOTS; s++) {
        if (five.node_of[s] == 4)
            moved++;
        else
            cr_assert_eq(four.node_of[s], five.node_of[s]);
    }
    cr_assert(moved > 0 && moved < SLOTS / 4);
    slotmap_fini(&four);
    slotmap_fini(&five);
}

Test(slotmap, one_node_owns_all)
{
    struct slotmap m;

    cr_assert_eq(slotmap_init(&m, names, 1, 0), 0);
    cr_assert_eq(m.node_of[0], 0);
    slotmap_fini(&m);
}
