#pragma once
/*
 * The part of Criterion's interface that our tests use, on top of the small runner in
 * tests/unit/runner/runner.c.
 *
 * Criterion cannot start under ThreadSanitizer. For that variant, and for coverage, the Makefile
 * puts this folder in front of the include path, so the same test sources build against it.
 * Supported: Test and TestSuite with .init, .fini, .disabled, .signal, .exit_code, .timeout; the
 * cr_assert_*, cr_expect_* families below with their optional printf-style message; cr_fail,
 * cr_skip, cr_skip_test, cr_log_*. A test runs in a process of its own, as with Criterion.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct criterion_test_extra_data {
    void (*init)(void);
    void (*fini)(void);
    int signal;
    int exit_code;
    bool disabled;
    const char *description;
    double timeout; /* seconds; 0 = the runner's own limit */
    void *data;
};

/* Static, registered by a constructor before main, never changed after that. */
struct runner_test {
    const char *suite;
    const char *name; /* NULL: the defaults of a whole suite (TestSuite) */
    void (*run)(void);
    struct criterion_test_extra_data extra;
    struct runner_test *next;
};

void runner_add_test(struct runner_test *test);
/* Reports a failed check; does not return when `fatal`. */
void runner_fail(bool fatal, const char *file, int line, const char *what, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
_Noreturn void runner_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define RUNNER_REGISTER(Id, Suite, Name, Function, ...)                                  \
    static struct runner_test Id##_entry = {Suite, Name, Function, {__VA_ARGS__}, NULL}; \
    __attribute__((constructor)) static void Id##_register(void)                         \
    {                                                                                    \
        runner_add_test(&Id##_entry);                                                    \
    }                                                                                    \
    _Static_assert(1, "takes the semicolon")

#define Test(Suite, Name, ...)                                                          \
    static void Suite##_##Name##_impl(void);                                            \
    RUNNER_REGISTER(Suite##_##Name, #Suite, #Name, Suite##_##Name##_impl, __VA_ARGS__); \
    static void Suite##_##Name##_impl(void)

#define TestSuite(Name, ...) RUNNER_REGISTER(suite_##Name, #Name, NULL, NULL, __VA_ARGS__)

#define RUNNER_CHECK(Fatal, Condition, What, ...)                         \
    do {                                                                  \
        if (!(Condition))                                                 \
            runner_fail(Fatal, __FILE__, __LINE__, What, "" __VA_ARGS__); \
    } while (0)

#define RUNNER_STR(F, A, Op, B, ...) \
    RUNNER_CHECK(F, strcmp((A), (B)) Op 0, "strings " #A " " #Op " " #B, ##__VA_ARGS__)
#define RUNNER_ARR(F, A, Op, B, Size, ...) \
    RUNNER_CHECK(F, memcmp((A), (B), (Size)) Op 0, "bytes " #A " " #Op " " #B, ##__VA_ARGS__)
#define RUNNER_NEAR(F, A, B, Epsilon, Want, ...)                                      \
    RUNNER_CHECK(F, (((A) - (B) <= (Epsilon)) && ((B) - (A) <= (Epsilon))) == (Want), \
                 #A " near " #B, ##__VA_ARGS__)

#define cr_assert(C, ...) RUNNER_CHECK(true, C, #C, ##__VA_ARGS__)
#define cr_assert_not(C, ...) RUNNER_CHECK(true, !(C), "not " #C, ##__VA_ARGS__)
#define cr_assert_eq(A, B, ...) RUNNER_CHECK(true, (A) == (B), #A " == " #B, ##__VA_ARGS__)
#define cr_assert_neq(A, B, ...) RUNNER_CHECK(true, (A) != (B), #A " != " #B, ##__VA_ARGS__)
#define cr_assert_lt(A, B, ...) RUNNER_CHECK(true, (A) < (B), #A " < " #B, ##__VA_ARGS__)
#define cr_assert_leq(A, B, ...) RUNNER_CHECK(true, (A) <= (B), #A " <= " #B, ##__VA_ARGS__)
#define cr_assert_gt(A, B, ...) RUNNER_CHECK(true, (A) > (B), #A " > " #B, ##__VA_ARGS__)
#define cr_assert_geq(A, B, ...) RUNNER_CHECK(true, (A) >= (B), #A " >= " #B, ##__VA_ARGS__)
#define cr_assert_null(A, ...) RUNNER_CHECK(true, (A) == NULL, #A " == NULL", ##__VA_ARGS__)
#define cr_assert_not_null(A, ...) RUNNER_CHECK(true, (A) != NULL, #A " != NULL", ##__VA_ARGS__)
#define cr_assert_str_empty(A, ...) RUNNER_CHECK(true, *(A) == 0, #A " is empty", ##__VA_ARGS__)
#define cr_assert_str_not_empty(A, ...) \
    RUNNER_CHECK(true, *(A) != 0, #A " is not empty", ##__VA_ARGS__)
#define cr_assert_str_eq(A, B, ...) RUNNER_STR(true, A, ==, B, ##__VA_ARGS__)
#define cr_assert_str_neq(A, B, ...) RUNNER_STR(true, A, !=, B, ##__VA_ARGS__)
#define cr_assert_str_lt(A, B, ...) RUNNER_STR(true, A, <, B, ##__VA_ARGS__)
#define cr_assert_str_gt(A, B, ...) RUNNER_STR(true, A, >, B, ##__VA_ARGS__)
#define cr_assert_arr_eq(A, B, Size, ...) RUNNER_ARR(true, A, ==, B, Size, ##__VA_ARGS__)
#define cr_assert_arr_neq(A, B, Size, ...) RUNNER_ARR(true, A, !=, B, Size, ##__VA_ARGS__)
#define cr_assert_float_eq(A, B, Eps, ...) RUNNER_NEAR(true, A, B, Eps, true, ##__VA_ARGS__)
#define cr_assert_float_neq(A, B, Eps, ...) RUNNER_NEAR(true, A, B, Eps, false, ##__VA_ARGS__)
#define cr_assert_fail(...) RUNNER_CHECK(true, false, "reached", ##__VA_ARGS__)

#define cr_expect(C, ...) RUNNER_CHECK(false, C, #C, ##__VA_ARGS__)
#define cr_expect_not(C, ...) RUNNER_CHECK(false, !(C), "not " #C, ##__VA_ARGS__)
#define cr_expect_eq(A, B, ...) RUNNER_CHECK(false, (A) == (B), #A " == " #B, ##__VA_ARGS__)
#define cr_expect_neq(A, B, ...) RUNNER_CHECK(false, (A) != (B), #A " != " #B, ##__VA_ARGS__)
#define cr_expect_lt(A, B, ...) RUNNER_CHECK(false, (A) < (B), #A " < " #B, ##__VA_ARGS__)
#define cr_expect_leq(A, B, ...) RUNNER_CHECK(false, (A) <= (B), #A " <= " #B, ##__VA_ARGS__)
#define cr_expect_gt(A, B, ...) RUNNER_CHECK(false, (A) > (B), #A " > " #B, ##__VA_ARGS__)
#define cr_expect_geq(A, B, ...) RUNNER_CHECK(false, (A) >= (B), #A " >= " #B, ##__VA_ARGS__)
#define cr_expect_null(A, ...) RUNNER_CHECK(false, (A) == NULL, #A " == NULL", ##__VA_ARGS__)
#define cr_expect_not_null(A, ...) RUNNER_CHECK(false, (A) != NULL, #A " != NULL", ##__VA_ARGS__)
#define cr_expect_str_empty(A, ...) RUNNER_CHECK(false, *(A) == 0, #A " is empty", ##__VA_ARGS__)
#define cr_expect_str_not_empty(A, ...) \
    RUNNER_CHECK(false, *(A) != 0, #A " is not empty", ##__VA_ARGS__)
#define cr_expect_str_eq(A, B, ...) RUNNER_STR(false, A, ==, B, ##__VA_ARGS__)
#define cr_expect_str_neq(A, B, ...) RUNNER_STR(false, A, !=, B, ##__VA_ARGS__)
#define cr_expect_arr_eq(A, B, Size, ...) RUNNER_ARR(false, A, ==, B, Size, ##__VA_ARGS__)
#define cr_expect_arr_neq(A, B, Size, ...) RUNNER_ARR(false, A, !=, B, Size, ##__VA_ARGS__)
#define cr_expect_float_eq(A, B, Eps, ...) RUNNER_NEAR(false, A, B, Eps, true, ##__VA_ARGS__)
#define cr_expect_float_neq(A, B, Eps, ...) RUNNER_NEAR(false, A, B, Eps, false, ##__VA_ARGS__)
#define cr_expect_fail(...) RUNNER_CHECK(false, false, "reached", ##__VA_ARGS__)

#define cr_fail(...) RUNNER_CHECK(false, false, "cr_fail", ##__VA_ARGS__)
#define cr_fatal(...) RUNNER_CHECK(true, false, "cr_fatal", ##__VA_ARGS__)
#define cr_skip(...) runner_skip("" __VA_ARGS__)
#define cr_skip_test(...) runner_skip("" __VA_ARGS__)
#define cr_log_info(Format, ...) fprintf(stderr, Format "\n", ##__VA_ARGS__)
#define cr_log_warn(Format, ...) fprintf(stderr, Format "\n", ##__VA_ARGS__)
#define cr_log_error(Format, ...) fprintf(stderr, Format "\n", ##__VA_ARGS__)
