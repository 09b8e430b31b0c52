#pragma once
/*
 * Failed logins by address, of a process: who fails too often waits for the next try. A table of a fixed size: an entry
 * that has no place takes that of the address quiet for longest. Owner: the program; any core, no locks.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOGIN_THROTTLE_SETS = 1024, /* a power of two */
    LOGIN_THROTTLE_WAYS = 4,
    LOGIN_THROTTLE_FREE_DEFAULT = 20,
    LOGIN_THROTTLE_FREE_MAX = 200,
    LOGIN_THROTTLE_PAUSE_MS = 1000,   /* between two tries of an address that failed too often */
    LOGIN_THROTTLE_FORGET_MS = 60000, /* after the last of them */
};

struct login_throttle {
    uint32_t free; /* failures that cost nothing; 0 = all */
    _Atomic uint64_t entries[LOGIN_THROTTLE_SETS][LOGIN_THROTTLE_WAYS];
};

/* A try to log in begins: milliseconds it has to wait, with all before it; 0 = none. */
uint32_t login_throttle_wait(struct login_throttle *t, const char *address, size_t len,
                             uint64_t now_ns);
/* It failed. */
void login_throttle_failed(struct login_throttle *t, const char *address, size_t len,
                           uint64_t now_ns);
