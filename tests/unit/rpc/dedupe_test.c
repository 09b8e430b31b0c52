/* Memory of applied batches: found by client, sequence and slot; the oldest go first. */
#include <criterion/criterion.h>

#include "rpc/dedupe.h"

static struct dedupe d;

static void setup(void)
{
    cr_assert_eq(dedupe_init(&d, 8), 0);
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
    return dedupe_find(&d, client, sequence, slot, r);
}

Test(dedupe, the_earlier_answer_is_added)
{
    struct write_result r = {.inserted = 100};

    add(7, 1, 3, 11);
    cr_assert(dedupe_find(&d, 7, 1, 3, &r));
    cr_assert_eq(r.inserted, 111);
    cr_assert(r.updated == 2 && r.unchanged == 3 && r.deleted == 4 && r.rejected == 5);
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

Test(dedupe, the_oldest_entries_are_forgotten_one_by_one)
{
    struct write_result r;

    for (uint64_t i = 0; i < 3 * (uint64_t)d.n + 17; i++) {
        add(i % 50, i, (uint32_t)(i % 9), i);
        if (i % 1000 == 999 || i < 2) {
            uint64_t oldest = i >= d.n ? i - d.n + 1 : 0;
            for (uint64_t k = oldest; k <= i; k++) {
                cr_assert(find(k % 50, k, (uint32_t)(k % 9), &r), "entry %lu after %lu",
                          (unsigned long)k, (unsigned long)i);
                cr_assert_eq(r.inserted, k);
            }
            cr_assert(!oldest ||
                      !find((oldest - 1) % 50, oldest - 1, (uint32_t)((oldest - 1) % 9), &r));
        }
    }
}

/* Many pairs that differ in one thing only share buckets now and then: all are found. */
Test(dedupe, neighbours_do_not_hide_each_other)
{
    struct write_result r;

    for (uint32_t i = 0; i < 1000; i++) {
        add(1, 1, i, i);
        add(1, i + 2, 0, i);
        add(i + 2, 1, 0, i);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert(find(1, 1, i, &r) && r.inserted == i);
        cr_assert(find(1, i + 2, 0, &r) && r.inserted == i);
        cr_assert(find(i + 2, 1, 0, &r) && r.inserted == i);
    }
}

/* A batch takes an entry per slot: cores with many slots remember more. */
Test(dedupe, it_grows_with_the_slots)
{
    struct dedupe large;

    cr_assert_eq(d.n, DEDUPE_MIN_ENTRIES);
    cr_assert_eq(dedupe_init(&large, 1 << 12), 0);
    cr_assert_geq(large.n / DEDUPE_BATCHES, 1 << 12);
    dedupe_fini(&large);
    cr_assert_eq(dedupe_init(&large, 1 << 16), 0);
    cr_assert_eq(large.n, DEDUPE_MAX_ENTRIES);
    dedupe_fini(&large);
}
