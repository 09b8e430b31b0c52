#!/usr/bin/env bash
# Runs fuzz programs: `OUT=build/fuzz run-fuzz.sh NAME...`. Seeds come from tests/fuzz/corpus/NAME
# and stay as they are; what the fuzzer finds goes to OUT/corpus/NAME, inputs that failed to
# OUT/found. SECONDS_EACH and RUNS bound each target; FUZZ_SEED gives the same order of inputs each time. One line a
# target unless it fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
out=${OUT:-build/fuzz}
seconds=${SECONDS_EACH:-5}
jobs=${JOBS:-2}
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

run_one() {
    local name=$1 log=$results/$1.log seeds=tests/fuzz/corpus/$1 dictionary=tests/fuzz/$1.dict
    [ -f "$dictionary" ] || dictionary=tests/fuzz/${1%%_*}.dict # one of several targets
    mkdir -p "$out/corpus/$name" "$out/found"
    if [ ! -x "$out/fuzz/$name" ]; then
        echo "0 1 0" >>"$results/counts"
        printf 'FAIL fuzz/%s: was not built\n' "$name"
        return
    fi
    # The time limit ends the run; the number of runs keeps a quick target from being noise.
    if timeout --kill-after=5 $((seconds + 1200)) "$out/fuzz/$name" \
        -max_total_time="$seconds" -runs="${RUNS:-1000000}" -timeout=300 -rss_limit_mb=2048 \
        -artifact_prefix="$out/found/$name-" -print_final_stats=1 -verbosity=1 \
        ${FUZZ_SEED:+-seed="$FUZZ_SEED"} $([ -f "$dictionary" ] && echo "-dict=$dictionary") \
        "$out/corpus/$name" $([ -d "$seeds" ] && echo "$seeds") >"$log" 2>&1 </dev/null; then
        echo "1 0 0" >>"$results/counts"
        printf 'ok   fuzz/%s: %s inputs\n' "$name" \
            "$(sed -nE 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        echo "0 1 0" >>"$results/counts"
        { tail -n 80 "$log"; printf 'FAIL fuzz/%s: see %s/found\n' "$name" "$out"; } >"$log.report"
        cat "$log.report"
    fi
}

touch "$results/counts"
for name in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    run_one "$name" &
done
wait
if [ -n "${RESULTS:-}" ]; then
    cat "$results/counts" >>"$RESULTS"
fi
! grep -q '^0 1 0' "$results/counts"
