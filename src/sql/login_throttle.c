#include "sql/login_throttle.h"

#include <stdbool.h>
#include <xxhash.h>

enum { FAILURES_MOST = 255, TICK_MS = 10 };

/*
 * An entry in one word: 24 bits of the address's hash, failures, and a time of 32 bits in ticks of 10 ms: of the last
 * failure, or, once there were too many, when the next try may be. 0 = empty.
 */
struct entry {
    uint32_t tag, failures, at;
};

static struct entry unpack(uint64_t word)
{
    return (struct entry){(uint32_t)(word >> 40), (uint32_t)(word >> 32) & 255, (uint32_t)word};
}

static uint64_t pack(struct entry e)
{
    return (uint64_t)e.tag << 40 | (uint64_t)e.failures << 32 | e.at;
}

static uint32_t ticks(uint64_t now_ns)
{
    return (uint32_t)(now_ns / 1000000 / TICK_MS);
}

/* The clock of 32 bits goes round after 497 days. */
static bool is_forgotten(struct entry e, uint32_t now)
{
    return !e.failures || (int32_t)(now - e.at) > LOGIN_THROTTLE_FORGET_MS / TICK_MS;
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 40) | 1;
}

/* The entry of an address; NULL: it has none. */
static _Atomic uint64_t *find(struct login_throttle *t, uint64_t hash, uint32_t now)
{
    _Atomic uint64_t *set = t->entries[hash & (LOGIN_THROTTLE_SETS - 1)];

    for (int i = 0; i < LOGIN_THROTTLE_WAYS; i++) {
        struct entry e = unpack(atomic_load_explicit(&set[i], memory_order_relaxed));
        if (e.tag == tag_of(hash) && !is_forgotten(e, now))
            return &set[i];
    }
    return NULL;
}

/* The place for a new one. */
static _Atomic uint64_t *oldest(struct login_throttle *t, uint64_t hash, uint32_t now)
{
    _Atomic uint64_t *set = t->entries[hash & (LOGIN_THROTTLE_SETS - 1)], *best = set;
    int64_t most = INT64_MIN;

    for (int i = 0; i < LOGIN_THROTTLE_WAYS; i++) {
        struct entry e = unpack(atomic_load_explicit(&set[i], memory_order_relaxed));
        int64_t age = is_forgotten(e, now) ? INT64_MAX : (int32_t)(now - e.at);
        if (age > most) {
            most = age;
            best = &set[i];
        }
    }
    return best;
}

uint32_t login_throttle_wait(struct login_throttle *t, const char *address, size_t len,
                             uint64_t now_ns)
{
    uint32_t now = ticks(now_ns), from;
    uint64_t hash = XXH3_64bits(address, len), was;
    _Atomic uint64_t *place = t->free ? find(t, hash, now) : NULL;
    struct entry e;

    if (!place)
        return 0;
    was = atomic_load_explicit(place, memory_order_relaxed);
    do {
        e = unpack(was);
        if (e.tag != tag_of(hash) || e.failures < t->free)
            return 0;
        from = (int32_t)(e.at - now) > 0 ? e.at : now;
        e.at = from + LOGIN_THROTTLE_PAUSE_MS / TICK_MS;
    } while (!atomic_compare_exchange_weak(place, &was, pack(e)));
    return (from - now) * TICK_MS;
}

void login_throttle_failed(struct login_throttle *t, const char *address, size_t len,
                           uint64_t now_ns)
{
    uint32_t now = ticks(now_ns);
    uint64_t hash = XXH3_64bits(address, len), was;
    _Atomic uint64_t *place = find(t, hash, now);
    struct entry e;

    if (!t->free)
        return;
    if (!place)
        place = oldest(t, hash, now);
    was = atomic_load_explicit(place, memory_order_relaxed);
    do {
        e = unpack(was);
        if (e.tag != tag_of(hash) || is_forgotten(e, now))
            e = (struct entry){.tag = tag_of(hash), .at = now};
        e.failures += e.failures < FAILURES_MOST;
        if ((int32_t)(now - e.at) > 0)
            e.at = now;
    } while (!atomic_compare_exchange_weak(place, &was, pack(e)));
}
