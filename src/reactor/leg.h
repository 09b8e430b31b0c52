#pragma once
/*
 * Leg: one cross-core call, embedded in the operation that makes it and lent to the target core.
 *
 * Two SPSC rings per ordered pair of cores and class carry requests and responses. One credit per
 * request slot is held by the sender; the response ring is at least as large, so a response push
 * cannot fail. Without a credit the leg waits in the sender's list: leg_send cannot fail. Only the
 * origin frees the operation, after `done` ran for every leg it sent.
 *
 * Depth rule: code that works on a borrowed leg sends no leg of the same or a lower class.
 */
#include <stdint.h>

struct reactor;
struct leg;

/* Ring classes in the order in which they may nest: a request leg may send a log leg, not the reverse. */
enum leg_class { LEG_REQUEST, LEG_LOG, LEG_CLASSES };

typedef void leg_fn(struct leg *l);

struct leg {
    leg_fn *run;  /* on the target core; ends, now or later, in leg_reply */
    leg_fn *done; /* on the origin core */
    int rc;       /* result, by convention 0/-errno, set by the target */
    uint16_t origin, target;
    uint8_t class;
    uint8_t state;    /* idle, waiting for a credit, lent, returning */
    struct leg *next; /* sender's wait list */
};

/* Lends the leg to core `target` (may be the own core: then it goes through the task queue). */
void leg_send(struct reactor *r, struct leg *l, unsigned target, enum leg_class class);

/* On the target core: gives the leg back; it must not be touched afterwards. */
void leg_reply(struct reactor *r, struct leg *l);
