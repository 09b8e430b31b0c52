#pragma once
/*
 * Assertions that stay on in release builds.
 *
 * ASSERT is for programmer errors: the process cannot go on with a broken invariant. Operating
 * errors (disk full, bad input, a peer that went away) are returned as -errno instead.
 */

/* Prints file, line, condition and the core's last trace entries to stderr, then traps. */
_Noreturn void assert_failed(const char *file, int line, const char *cond);

#define ASSERT(cond) \
    (__builtin_expect(!!(cond), 1) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))

/* Checks too dear for release loops; compiled in for debug and simulation builds only. */
#ifdef QUANTA_DEBUG
#define ASSERT_HOT(cond) ASSERT(cond)
#else
#define ASSERT_HOT(cond) ((void)sizeof(!(cond)))
#endif
