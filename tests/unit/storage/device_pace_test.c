#include <criterion/criterion.h>
#include <inttypes.h>

#include "storage/device_pace.h"
#include "storage/wlog_format.h"

/* In no second more writes than the cap, and not much less. */
static void at_most(unsigned iops, bool durable, uint64_t bytes)
{
    struct device_pace p;
    uint64_t times[4096], now = 77, first = 0;
    unsigned n = 0, each;

    device_pace_init(&p, NULL, "/this/is/not/there", iops);
    each = device_pace_writes(&p, bytes, durable);
    for (; now < 3000000000 && n < 4096; now += 1000 + now % 1000000) {
        if (device_pace_take(&p, DEVICE_PACE_LOG, now, each))
            continue;
        for (times[n++] = now; times[n - 1] - times[first] >= 1000000000; first++)
            ;
        cr_assert_leq((n - first) * each, iops < 100 ? iops + each : iops, "cap %u, %u at %" PRIu64,
                      iops, each, now);
        if (n % 7 == 0)
            now += iops * 1000;
    }
    if (iops >= 40)
        cr_assert_geq(n * each, iops * 2, "cap %u: only %u writes in three seconds", iops,
                      n * each);
}

Test(device_pace, the_cap_holds_in_every_second)
{
    for (unsigned iops = 1; iops < 1500; iops += 1 + iops / 3) {
        at_most(iops, true, WLOG_UNIT);
        at_most(iops, true, 2 << 20);
        at_most(iops, false, 1 << 20);
    }
}

/* Checkpoints write as much as they can beside a log that writes as much as it can. */
static void side_by_side(unsigned iops, unsigned log_writes, unsigned data_writes, bool log_rests)
{
    enum { SECONDS = 4 };
    struct device_pace p;
    static uint64_t times[1 << 14];
    uint64_t log_at = 5, data_at = 5, wait, second = 1000000000;
    unsigned n = 0, first = 0, log = 0, data = 0;

    device_pace_init(&p, NULL, "/this/is/not/there", iops);
    while (log_at < SECONDS * second && data_at < SECONDS * second) {
        bool is_log = log_at <= data_at;
        uint64_t *at = is_log ? &log_at : &data_at, now = *at;
        unsigned writes = is_log ? log_writes : data_writes;

        wait = device_pace_take(&p, is_log ? DEVICE_PACE_LOG : DEVICE_PACE_DATA, now, writes);
        *at += wait ? wait : is_log && log_rests ? 20000000 : 50000;
        if (wait)
            continue;
        *(is_log ? &log : &data) += writes;
        for (unsigned i = 0; i < writes; i++)
            times[n++] = now;
        while (now - times[first] >= second)
            first++;
        cr_assert_leq(n - first, iops, "cap %u: %u in a second at %" PRIu64, iops, n - first, now);
    }
    cr_assert_geq((log + data) * 10, iops * SECONDS * 8, "cap %u: only %u", iops, log + data);
    cr_assert_geq(data * 12, iops * SECONDS, "cap %u: the data got %u", iops, data);
    if (!log_rests)
        cr_assert_geq(log, 4 * data, "the log comes first: %u, %u", log, data);
}

Test(device_pace, checkpoints_take_what_the_log_leaves_and_a_share)
{
    for (unsigned iops = 200; iops < 3000; iops += 200) {
        side_by_side(iops, 2, 4, false);
        side_by_side(iops, 2, 1, false);
        side_by_side(iops, 9, 5, false);
        side_by_side(iops, 2, 4, true);
    }
}

Test(device_pace, without_a_cap_nothing_waits)
{
    struct device_pace p;

    device_pace_init(&p, NULL, "/this/is/not/there", 0);
    for (unsigned i = 0; i < 1000; i++)
        cr_assert_eq(device_pace_take(&p, DEVICE_PACE_DATA, 1, 1000), 0);
    cr_assert_eq(device_pace_take(NULL, DEVICE_PACE_LOG, 1, 1000), 0);
}
