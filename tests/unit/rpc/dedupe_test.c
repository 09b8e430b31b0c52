/* Memory of applied batches: found by client, sequence and slot; of a slot the oldest go first. */
#include <criterion/criterion.h>

#include "rpc/dedupe.h"
#include "storage/root.h"

static struct dedupe d;
static unsigned halvings;

static void setup(void)
{
    cr_assert_eq(dedupe_init(&d, 8, 1, 0), 0);
}

static void teardown(void)
{
    dedupe_fini(&d);
}

TestSuite(dedupe, .init = setup, .fini = teardown);

static void add(uint64_t client, uint64_t sequence, uint32_t slot, uint64_t inserted)
{
    struct write_result r = {
        .inserted = inserted, .updated = 2, .unchanged = 3, .deleted = 4, .rejected = 5};

    dedupe_add(&d, client, sequence, slot, &r);
}

static bool find(uint64_t client, uint64_t sequence, uint32_t slot, struct write_result *r)
{
    *r = (struct write_result){0};
    return dedupe_find(&d, client, sequence, slot, r, &halvings);
}

Test(dedupe, the_earlier_answer_is_added)
{
    struct write_result r = {.inserted = 100};

    add(7, 1, 3, 11);
    cr_assert(dedupe_find(&d, 7, 1, 3, &r, &halvings));
    cr_assert_eq(r.inserted, 111);
    cr_assert(r.updated == 2 && r.unchanged == 3 && r.deleted == 4 && r.rejected == 5);
}

/* Slots 4 to 7 came of slot 1 of two: each has its batch, with the counts of all four. */
Test(dedupe, batches_of_a_slot_that_was_split)
{
    struct root_batch b = {.client = 7, .sequence = 1, .inserted = 11}, copy;
    struct write_result r;

    d.doublings = 2;
    for (uint32_t slot = 4; slot < 8; slot++)
        dedupe_restore(&d, slot, &b);
    cr_assert(find(7, 1, 6, &r) && r.inserted == 11);
    cr_assert_eq(halvings, 2);
    cr_assert_eq(dedupe_copy(&d, 6, &copy), 1);
    cr_assert_eq(copy.doublings, 0, "also after the next checkpoint");
    add(7, 2, 6, 1);
    cr_assert(find(7, 2, 6, &r));
    cr_assert_eq(halvings, 0);
}

Test(dedupe, client_sequence_and_slot_all_count)
{
    struct write_result r;

    cr_assert(!find(7, 1, 3, &r));
    add(7, 1, 3, 1);
    cr_assert(!find(8, 1, 3, &r));
    cr_assert(!find(7, 2, 3, &r));
    cr_assert(!find(7, 1, 4, &r));
    cr_assert(find(7, 1, 3, &r));
}

Test(dedupe, the_oldest_entries_of_a_slot_are_forgotten_one_by_one)
{
    struct write_result r;

    for (uint64_t i = 0; i < 3 * (uint64_t)d.n + 17; i++) {
        add(i % 50, i, 5, i);
        uint64_t oldest = i >= d.n ? i - d.n + 1 : 0;
        for (uint64_t k = oldest; k <= i; k++) {
            cr_assert(find(k % 50, k, 5, &r), "entry %lu after %lu", (unsigned long)k,
                      (unsigned long)i);
            cr_assert_eq(r.inserted, k);
        }
        cr_assert(!oldest || !find((oldest - 1) % 50, oldest - 1, 5, &r));
    }
}

/* However many batches others got: a core with more slots than before the restart forgets none of them. */
Test(dedupe, slots_do_not_take_from_each_other)
{
    struct write_result r;

    for (uint32_t slot = 0; slot < 8; slot++)
        for (uint32_t i = 0; i < d.n; i++)
            add(1, i, slot, i);
    for (uint32_t i = 0; i < 5 * d.n; i++)
        add(2, i, 7, i);
    for (uint32_t slot = 0; slot < 7; slot++)
        for (uint32_t i = 0; i < d.n; i++)
            cr_assert(find(1, i, slot, &r) && r.inserted == i, "slot %u, batch %u", slot, i);
    cr_assert(!find(1, d.n - 1, 7, &r));
}

Test(dedupe, copies_are_the_newest_in_order)
{
    struct root_batch out[DEDUPE_MAX_BATCHES];

    for (uint32_t i = 0; i < 10; i++)
        add(3, i, 2, i);
    cr_assert_eq(dedupe_count(&d, 2), 10);
    cr_assert_eq(dedupe_copy(&d, 2, out), 10);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert(out[i].client == 3 && out[i].sequence == i && out[i].deleted == 4);
    for (uint32_t i = 10; i < d.n + 5; i++)
        add(3, i, 2, i);
    cr_assert_eq(dedupe_copy(&d, 2, out), d.n);
    for (uint32_t i = 0; i < d.n; i++)
        cr_assert_eq(out[i].sequence, i + 5);
    cr_assert_eq(dedupe_count(&d, 1), 0);
}

Test(dedupe, very_many_slots_have_fewer_each)
{
    struct dedupe large;

    cr_assert_eq(d.n, DEDUPE_MAX_BATCHES);
    cr_assert_eq(dedupe_init(&large, 1 << 16, 2, 0), 0);
    cr_assert_eq(large.n, DEDUPE_MIN_BATCHES);
    dedupe_add(&large, 4, 4, (1 << 16) - 1, &(struct write_result){.inserted = 9});
    cr_assert_eq(dedupe_count(&large, (1 << 16) - 1), 1);
    dedupe_fini(&large);
}
