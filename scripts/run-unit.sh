#!/usr/bin/env bash
# Runs one unit test program: `run-unit.sh PROGRAM`. Prints one line when all is well, everything
# the program said when not. T=SUITE/TEST (a pattern) runs a part. With RESULTS=FILE the counts are
# added to that file as "passed failed skipped". Tests run in the top folder of the source tree and
# find sample data through SHARED_DATA.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
name=${program##*/tests/}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

export QUANTA_SRC_DIR=${QUANTA_SRC_DIR:-$(dirname "$here")}
export SHARED_DATA=${SHARED_DATA:-$(realpath -m "$QUANTA_SRC_DIR/../shared/data")}
# Statements to try the parser on, where the collection is at hand.
cases=$(realpath -m "$QUANTA_SRC_DIR/../shared/spec/sqlrunner_cases.md")
if [ -z "${QUANTA_SQL_CASES:-}" ] && [ -r "$cases" ]; then
    export QUANTA_SQL_CASES=$cases
fi
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=0:second_deadlock_stack=1:suppressions=$here/tsan.supp}

# Some tests hold more than the 1,024 files that a login may have open at first.
files=$(ulimit -Hn)
if [ "$files" = unlimited ] || [ "$files" -gt 65536 ]; then
    files=65536
fi
ulimit -Sn "$files"

start=$SECONDS
# A program that hangs is a failure; the limit is far above what any of them takes, also on a
# machine that does much else at the same time.
timeout --kill-after=10 "${UNIT_TIMEOUT:-5400}" "$program" --verbose --jobs "${JOBS:-2}" \
    ${T:+--filter "$T"} >"$log" 2>&1 </dev/null
status=$?

# Both runners close with: Synthesis: Tested: 3 | Passing: 3 | Failing: 0 | Crashing: 0
counts=$(sed -E 's/\x1b\[[0-9;]*m//g' "$log" | awk '
    /Synthesis:/ {
        for (i = 1; i < NF; i++) {
            if ($i == "Passing:") pass = $(i + 1)
            if ($i == "Failing:") fail = $(i + 1)
            if ($i == "Crashing:") crash = $(i + 1)
        }
        found = 1
    }
    /^\[SKIP\]/ { skip++ }
    END { if (found) printf "%d %d %d", pass, fail + crash, skip }')
# Died before it could count, or found no test in itself.
if [ -z "$counts" ] || [ "$counts" = "0 0 0" ]; then
    counts="0 1 0"
fi
read -r passed failed skipped <<<"$counts"
# A test's process that leaked says so after the runner has counted it as passed. Its report has the
# test's function in it, SUITE_TEST_impl, unless the stack was cut. Tests that failed may leak.
leaks=$(awk '
    function leave() {
        if (in_report && !(test in failed)) print test
        in_report = 0
    }
    NR == FNR {
        if (match($0, /\[FAIL\] [A-Za-z0-9_]+::[A-Za-z0-9_]+/)) {
            name = substr($0, RSTART + 7, RLENGTH - 7)
            sub(/::/, "_", name)
            failed[name]
        }
        next
    }
    /ERROR: LeakSanitizer/ { leave(); in_report = 1; test = "(a test without a name in the report)"; next }
    in_report && match($0, / in [A-Za-z0-9_]+_impl /) { test = substr($0, RSTART + 4, RLENGTH - 10) }
    /^SUMMARY: / { leave() }
    END { leave() }' "$log" "$log")
if [ -n "$leaks" ]; then
    leaked=$(wc -l <<<"$leaks")
    [ "$leaked" -le "$passed" ] || leaked=$passed
    passed=$((passed - leaked))
    failed=$((failed + leaked))
fi
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
if [ -n "${RESULTS:-}" ]; then
    echo "$passed $failed $skipped" >>"$RESULTS"
fi
if [ "$failed" -ne 0 ]; then
    grep -vE '\[(RUN |PASS)\]' "$log"
    [ -z "$leaks" ] || sed 's/^/LEAK /' <<<"$leaks"
    printf 'FAIL %s: %d passed, %d failed (exit status %d)\n' "$name" "$passed" "$failed" "$status"
    exit 1
fi
grep '^\[SKIP\]' "$log"
printf 'ok   %s: %d tests, %d s\n' "$name" "$passed" $((SECONDS - start))
