#!/usr/bin/env bash
# `make sim-faults`: is the simulator strong enough? Plants each fault of tests/sim/faults in a copy of the tree, builds
# it and runs seeds until a violation is found. Fails when a patch does not apply or nothing is found in $N seeds.
# Arguments: faults by name, all when there are none. CC and N as with make, SEED is the first seed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
make=${MAKE:-make}
count=${N:-1000}
DEPS=$(realpath -m "${DEPS:-build/deps}")
export DEPS
unset MAKEFLAGS MFLAGS MAKELEVEL
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

tell() { printf '%-28s %s\n' "$1" "$2"; }

# One fault: its line of the table.
try() { # name
    local tree=$work/tree build=$work/build log=$work/log seed started=$SECONDS
    rm -rf "$tree"
    mkdir "$tree"
    tar -c --exclude=./build --exclude=./.git . | tar -x -C "$tree"
    if ! patch -d "$tree" -p1 -s --no-backup-if-mismatch <"tests/sim/faults/$1.patch" >"$log" 2>&1; then
        tell "$1" "the patch does not apply"
        return 1
    fi
    local sim flags=(--no-print-directory -C "$tree" BUILD="$build" MODE=release CC="${CC:-gcc}")
    sim=$($make "${flags[@]}" print-SIM) || return 1
    if ! $make "${flags[@]}" -j"$(nproc)" "$sim" >"$log" 2>&1; then
        tail -n 20 "$log"
        tell "$1" "does not build"
        return 1
    fi
    if "$sim" --scenario node --seed "${SEED:-1}" --count "$count" >"$log" 2>&1 </dev/null; then
        tell "$1" "not found in $count seeds"
        return 1
    fi
    seed=$(grep -a -o 'failed: .*--seed [0-9]*' "$log" | grep -o '[0-9]*$' | head -n 1)
    tell "$1" "found by seed ${seed:-?} after $((SECONDS - started)) s: $(grep -a -m 1 -E '^(sim: |assertion failed: )' "$log" | cut -c 1-150)"
}

if [ $# -eq 0 ]; then
    for f in tests/sim/faults/*.patch; do
        set -- "$@" "$(basename "$f" .patch)"
    done
fi
for name in "$@"; do
    try "$name" || status=1
done
exit $status
