#!/usr/bin/env bash
# Runs end-to-end and peer tests: `run-e2e.sh [NAME...]`, all files of tests/e2e and executables of
# tests/peers without names. Each is started with
#   QUANTA_BIN_DIR  the programs under test          SHARED_DATA  sample data, or a missing folder
#   QUANTA_SRC_DIR  the top of the source tree       TEST_TMP     an empty folder of its own
#   NODE_PATH       the JavaScript modules for tests
#   SEED            what random tests draw from: 1 unless set, so that a run can be repeated; 0 = a new one each time
# and ends with 0 = passed, 77 = skipped (the last line says why), anything else = failed.
# A line "# alone" in its first ten lines keeps other tests from running beside it. A test that hangs is ended after
# half an hour, which "# timeout: SECONDS" in those lines raises and SLOWER=N multiplies: far above what any of them
# takes, as machines differ and may be busy.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
here=$PWD
export QUANTA_BIN_DIR=${BIN:+$(realpath -m "$BIN")}
export QUANTA_BIN_DIR=${QUANTA_BIN_DIR:-$here/build/release/bin}
export QUANTA_SRC_DIR=$here
export SHARED_DATA=${SHARED_DATA:-$(realpath -m "$here/../shared/data")}
export NODE_PATH=${NODE_PATH:-$(realpath -m "${DEPS:-build/deps}/node/node_modules")}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:halt_on_error=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$here/scripts/tsan.supp}
jobs=${JOBS:-2}
export SEED=${SEED:-1} QUANTA_SEED=${QUANTA_SEED:-1}

# Debian's python3 has Debian's modules; another one first in PATH may not.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3

if [ $# -gt 0 ]; then
    tests=()
    for name in "$@"; do
        for file in tests/e2e/"$name"* tests/peers/"$name"*; do
            [ -x "$file" ] && [ -f "$file" ] && tests+=("$file")
        done
    done
else
    mapfile -t tests < <({
        find tests/e2e -maxdepth 1 -type f
        find tests/peers -maxdepth 1 -type f -perm -u+x # beside modules
    } 2>/dev/null | sort)
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

run_one() {
    local file=$1 name status start limit out
    name=${file#tests/}
    out=$results/$(basename "$file")
    limit=$(sed -nE '1,10s/^(#|\/\/) timeout: ([0-9]+).*/\2/p' "$file" | head -n 1)
    limit=$((${limit:-1800} * ${SLOWER:-1}))
    start=$SECONDS
    export TEST_TMP
    TEST_TMP=$(mktemp -d "${TMPDIR:-/tmp}/quanta-test.XXXXXX")
    local command=("./$file")
    case $file in
        *.py) command=("$python" "$file") ;;
        *.js | *.cjs | *.mjs) command=(node "$file") ;;
    esac
    # RESULTS is the file of counts here, and one for tables to the programs under test.
    env -u RESULTS timeout --kill-after=10 "$limit" "${command[@]}" >"$out" 2>&1 </dev/null
    status=$?
    case $status in
        0)
            echo "1 0 0" >>"$results/counts"
            printf 'ok   %s: %d s\n' "$name" $((SECONDS - start))
            ;;
        77)
            echo "0 0 1" >>"$results/counts"
            printf 'SKIP %s: %s\n' "$name" "$(tail -n 1 "$out")"
            ;;
        *)
            echo "0 1 0" >>"$results/counts"
            { tail -n 200 "$out"
                [ $status -eq 124 ] && echo "(stopped after $limit s)"
                printf 'FAIL %s: exit status %d\n' "$name" "$status"
            } >"$out.report"
            cat "$out.report"
            ;;
    esac
    rm -rf "$TEST_TMP"
}

is_alone() { sed -n 1,10p "$1" | grep -qE '^(#|//) alone'; }

touch "$results/counts"
for file in "${tests[@]}"; do
    is_alone "$file" && continue
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n
    done
    run_one "$file" &
done
wait
for file in "${tests[@]}"; do
    is_alone "$file" && run_one "$file"
done

if [ -n "${RESULTS:-}" ]; then
    cat "$results/counts" >>"$RESULTS"
fi
! grep -q '^0 1 0' "$results/counts"
