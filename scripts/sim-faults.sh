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

# Both ways: what make sees then is newer than what it has built.
plant() { # name, options of patch
    patch -d "$tree" -p1 -s --no-backup-if-mismatch "${@:2}" <"tests/sim/faults/$1.patch" >"$log" 2>&1
}

# One fault: its line of the table.
try() { # name
    local seed started=$SECONDS
    if ! plant "$1"; then
        tell "$1" "the patch does not apply"
        return 1
    fi
    if ! $make "${flags[@]}" -j"$(nproc)" "$sim" >"$log" 2>&1; then
        tail -n 20 "$log"
        tell "$1" "does not build"
        return 1
    fi
    "$sim" --scenario node --seed "${SEED:-1}" --count "$count" >"$log" 2>&1 </dev/null
    seed=$(grep -a -o 'failed: .*--seed [0-9]*' "$log" | grep -o '[0-9]*$' | head -n 1)
    if [ -z "$seed" ]; then
        tell "$1" "not found in $count seeds"
        return 1
    fi
    tell "$1" "found by seed $seed after $((SECONDS - started)) s: $(grep -a -m 1 -E '^(sim: |assertion failed: )' "$log" | cut -c 1-120)"
}

tree=$work/tree
log=$work/log
flags=(--no-print-directory -C "$tree" BUILD="$work/build" MODE=release CC="${CC:-gcc}")
mkdir "$tree"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$tree"
sim=$($make "${flags[@]}" print-SIM) || exit 1
if [ $# -eq 0 ]; then
    for f in tests/sim/faults/*.patch; do
        set -- "$@" "$(basename "$f" .patch)"
    done
fi
for name in "$@"; do
    try "$name" || status=1
    plant "$name" -R || cat "$log"
done
exit $status
