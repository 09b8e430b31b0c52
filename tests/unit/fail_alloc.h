#pragma once
/*
 * Allocations of the product that fail when a test wants it: unit test programs are linked so that malloc and the like
 * come here first (those of shared libraries do not). Tests named torture_* let the 1st, the 2nd, the 3rd ... one fail,
 * once alone and once with all after it, until an operation ends without a failure:
 *
 *     FAIL_ALLOC_EACH(f) {
 *         make what the operation needs
 *         fail_alloc_arm(&f);
 *         rc = operation
 *         if (fail_alloc_disarm(&f)) it may have failed; else it must be right
 *         what is there must be whole and usable
 *     }
 *
 * Without TORTURE=all in the environment most of the later ones are left out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fail_alloc {
    uint64_t n;    /* this one fails, counted from 1 over all threads */
    bool and_more; /* and all after it */
    bool failed;   /* by the last round: some did */
    bool begun;
};

/* Advances to the next round: false after the last one. */
bool fail_alloc_next(struct fail_alloc *f);
void fail_alloc_arm(const struct fail_alloc *f);
/* Did any fail since? */
bool fail_alloc_disarm(struct fail_alloc *f);

#define FAIL_ALLOC_EACH(f) for (struct fail_alloc f = {0}; fail_alloc_next(&f);)

/* Never fails: for the test's own side of an operation. */
void *fail_alloc_real_realloc(void *old, size_t size);
