#!/usr/bin/env bash
# `make test`: builds the variants, runs every test, closes with one line of counts. Called by make,
# which passes MAKE, MODE, SAN, BUILD and DEPS.
#
# Without SAN: lint; unit and property tests and the simulator under AddressSanitizer and
# UndefinedBehaviorSanitizer; end-to-end tests against the release programs; a short run of each
# fuzz target. With SAN: unit tests and end-to-end tests of that variant.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
build=${BUILD:-build}
export DEPS=${DEPS:-build/deps}
unset MAKEFLAGS MFLAGS MAKELEVEL
RESULTS=$(mktemp)
export RESULTS
trap 'rm -f "$RESULTS"' EXIT
cores=$(nproc)
started=$SECONDS
# What random tests draw from: the same each time, so that a change is judged by what it does. With SEED=N they
# draw other things.
export SEED=${SEED:-1}
export QUANTA_SEED=${QUANTA_SEED:-$SEED} TEST_SEED=${TEST_SEED:-$SEED}

phase() { printf -- '-- %s (%d s)\n' "$*" $((SECONDS - started)); }

# Builds quietly; a build that fails counts as one failed test and shows the compiler's words.
build() { # what it is, make arguments
    local what=$1 log
    shift
    log=$(mktemp)
    if $make --no-print-directory -j"$cores" BUILD="$build" "$@" >"$log" 2>&1 </dev/null; then
        rm -f "$log"
        return 0
    fi
    grep -vE '^  (CC|AR|LINK|BISON|FLEX|RE2C|PROTO) ' "$log" | tail -n 60
    rm -f "$log"
    echo "FAIL build of $what"
    echo "0 1 0" >>"$RESULTS"
    return 1
}

value() { $make --no-print-directory BUILD="$build" "$@" </dev/null; }

# Programs made with ThreadSanitizer cannot start where the kernel randomizes addresses widely.
without_aslr=
if [[ ${SAN:-} == *thread* ]] && [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ] &&
    setarch -R true 2>/dev/null; then
    without_aslr="setarch -R"
fi

run_units() { # make arguments naming the variant
    local program
    for program in $(value "$@" print-UNIT_BINS); do
        $without_aslr scripts/run-unit.sh "$program"
    done
}

run_sim() { # folder of programs
    local log
    [ -x "$1/quanta-sim" ] || return 0
    log=$(mktemp)
    if timeout 5400 "$1/quanta-sim" --seed 1 --count "${SIM_COUNT:-30}" >"$log" 2>&1 </dev/null; then
        echo "1 0 0" >>"$RESULTS"
        echo "ok   sim: ${SIM_COUNT:-30} seeds"
    else
        echo "0 1 0" >>"$RESULTS"
        tail -n 60 "$log"
        echo "FAIL sim"
    fi
    rm -f "$log"
}

if [ -n "${SAN:-}" ]; then
    variant=(MODE="${MODE:-release}" SAN="$SAN")
    bin=$(value "${variant[@]}" print-BIN)
    phase "building with $SAN"
    build "programs with $SAN" "${variant[@]}" all && built=1 || built=
    if build "unit tests with $SAN" "${variant[@]}" unit-bins; then
        phase "unit tests"
        run_units "${variant[@]}"
    fi
    if [ -n "$built" ]; then
        phase "simulator"
        run_sim "$bin"
        phase "end-to-end tests"
        # A sample of the statements that the run without sanitizers compares.
        export QUANTA_STATEMENTS=${QUANTA_STATEMENTS:-200} QUANTA_CHANGES=${QUANTA_CHANGES:-40}
        BIN=$bin SLOWER=4 $without_aslr scripts/run-e2e.sh
    fi
else
    checked=(MODE=debug SAN=address,undefined)
    phase "lint"
    scripts/lint.sh
    phase "building release"
    build "release programs" MODE=release WERROR=-Werror all && built=1 || built=
    phase "building with address,undefined"
    if build "unit tests" "${checked[@]}" all unit-bins; then
        phase "unit tests"
        run_units "${checked[@]}"
        phase "simulator"
        run_sim "$(value "${checked[@]}" print-BIN)"
    fi
    if [ -n "$built" ]; then
        phase "end-to-end tests"
        BIN=$(value MODE=release print-BIN) scripts/run-e2e.sh
    fi
    phase "fuzz targets"
    if build "fuzz targets" fuzz-bins; then
        OUT=$build/fuzz FUZZ_SEED=$SEED SECONDS_EACH=${FUZZ_SECONDS:-5} scripts/run-fuzz.sh $(value print-FUZZ_NAMES)
    fi
fi

phase "done"
awk '{ p += $1; f += $2; s += $3 }
    END { printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0 }' "$RESULTS"
