/* Failed logins by address: free ones, the pause between later ones, forgetting, and a table that does not grow. */
#include "sql/login_throttle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND UINT64_C(1000000000)

static const char here[] = "192.0.2.1", there[] = "192.0.2.2";

static uint32_t wait_for(struct login_throttle *t, const char *address, uint64_t at_ns)
{
    return login_throttle_wait(t, address, strlen(address), at_ns);
}

static void fail(struct login_throttle *t, const char *address, uint64_t at_ns)
{
    login_throttle_failed(t, address, strlen(address), at_ns);
}

Test(login_throttle, waits_after_the_free_ones)
{
    struct login_throttle *t = calloc(1, sizeof *t);
    uint64_t now = 5 * SECOND;

    t->free = 3;
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(wait_for(t, here, now), 0);
        fail(t, here, now);
    }
    cr_assert_eq(wait_for(t, here, now), 0, "the first one begins the pause");
    cr_assert_eq(wait_for(t, here, now), 1000);
    cr_assert_eq(wait_for(t, here, now), 2000, "side by side they wait for each other");
    cr_assert_eq(wait_for(t, there, now), 0);
    cr_assert_eq(wait_for(t, here, now + 10 * SECOND), 0);
    cr_assert_eq(wait_for(t, here, now + 10 * SECOND + SECOND / 2), 500);
    fail(t, here, now + 11 * SECOND);
    cr_assert_eq(wait_for(t, here, now + 73 * SECOND), 0, "forgotten after a minute");
    cr_assert_eq(wait_for(t, here, now + 73 * SECOND), 0);
    free(t);
}

Test(login_throttle, off)
{
    struct login_throttle *t = calloc(1, sizeof *t);

    for (int i = 0; i < 1000; i++) {
        fail(t, here, SECOND);
        cr_assert_eq(wait_for(t, here, SECOND), 0);
    }
    free(t);
}

/* More addresses than it has room for: those of late are known, and an entry counts for nobody else. */
Test(login_throttle, many_addresses)
{
    enum { MANY = 100000 };
    struct login_throttle *t = calloc(1, sizeof *t);
    char address[32];
    unsigned known = 0;

    t->free = 1;
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        fail(t, address, SECOND * 10 + i * 100000);
    }
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(address, sizeof address, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        wait_for(t, address, SECOND * 20);
        known += wait_for(t, address, SECOND * 20) > 0;
    }
    cr_assert_leq(known, LOGIN_THROTTLE_SETS * LOGIN_THROTTLE_WAYS);
    cr_assert_geq(known, LOGIN_THROTTLE_SETS);
    free(t);
}
