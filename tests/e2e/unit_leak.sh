#!/usr/bin/env bash
# A unit test that does all it should but leaks is a failure, named in what run-unit.sh prints.
set -uo pipefail

run_unit=$QUANTA_SRC_DIR/scripts/run-unit.sh
mkdir -p "$TEST_TMP/tests"
cat >"$TEST_TMP/leak_test.c" <<'END'
#include <criterion/criterion.h>
#include <stdlib.h>
Test(store, is_fine) {}
#ifdef LEAK
Test(store, leaks_a_name)
{
    char *volatile name = malloc(33);
    name = NULL;
    cr_expect_null(name);
}
#endif
END

make_program() { # name, flags
    local program=$TEST_TMP/tests/$1
    shift
    "${CC:-gcc}" -g -fsanitize=address -o "$program" "$TEST_TMP/leak_test.c" "$@" -lcriterion
}

if ! make_program clean; then
    echo "no compiler with Criterion and AddressSanitizer"
    exit 77
fi
make_program leaking -DLEAK || exit 1

export RESULTS=$TEST_TMP/counts ASAN_OPTIONS=detect_leaks=1
"$run_unit" "$TEST_TMP/tests/clean" || exit 1
if "$run_unit" "$TEST_TMP/tests/leaking" >"$TEST_TMP/said"; then
    cat "$TEST_TMP/said"
    echo "a test that leaks passed"
    exit 1
fi
grep -q '^LEAK store_leaks_a_name$' "$TEST_TMP/said" || { cat "$TEST_TMP/said"; exit 1; }
[ "$(cat "$RESULTS")" = $'1 0 0\n1 1 0' ] || { cat "$RESULTS"; exit 1; }
