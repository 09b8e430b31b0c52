#!/usr/bin/env bash
# Benchmarks of the tree as it is against those of another revision: `bench-compare.sh REVISION
# [NAME...]`, called by `make bench-compare`. The other revision is unpacked and built below
# BUILD/bench-base. Both run ROUNDS times in turns, so that a busy minute hits both; of each figure
# the median counts. A benchmark that only one of the two has is left out. Without names the events work follows, each
# query alternately on both (ROWS=1000000).
set -euo pipefail
cd "$(dirname "$0")/.."
make=${MAKE:-make}
build=${BUILD:-build}
rounds=${ROUNDS:-3}
deps=$(realpath -m "${DEPS:-build/deps}")
unset MAKEFLAGS MFLAGS MAKELEVEL

revision=$(git rev-parse --short=10 --verify "${1:?a revision is needed: BASE=...}^{commit}")
shift
base=$(realpath -m "$build/bench-base/$revision")
if [ ! -e "$base/Makefile" ]; then
    mkdir -p "$base"
    git archive "$revision" | tar -x -C "$base"
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

names=("$@")
[ ${#names[@]} -gt 0 ] || read -ra names <<<"$($make -s --no-print-directory print-BENCH_NAMES)"
both=()
for name in "${names[@]}"; do
    [ -e "$base/bench/$name.c" ] && [ -e "bench/$name.c" ] && both+=("$name")
done
whole=$#
[ ${#both[@]} -gt 0 ] || { echo "no benchmark of these in both: ${names[*]}" >&2; exit 1; }

new=$(realpath -m "$build/release/bench")
old=$base/build/release/bench
printf 'building %s and the tree\n' "$revision" >&2
$make -s --no-print-directory -j"$(nproc)" BUILD="$build" all "${both[@]/#/$build/release/bench/}" >&2
$make -s --no-print-directory -C "$base" -j"$(nproc)" BUILD=build DEPS="$deps" \
    all "${both[@]/#/build/release/bench/}" >&2

for ((round = 0; round < rounds; round++)); do
    for name in "${both[@]}"; do
        "$old/$name" >>"$results/old"
        "$new/$name" >>"$results/new"
    done
done

python3 - "$results/old" "$results/new" <<'PYTHON'
import json, re, statistics, sys

# Fields that are measured; all others together name the case.
MEASURE = re.compile(r"_per_|^ns_|_(ns|us|ms|s)$")

def read(path):
    figures = {}
    for line in open(path):
        if not line.startswith("{"):
            continue
        case = json.loads(line)
        name = " ".join(str(v) for k, v in case.items() if not MEASURE.search(k))
        for key, value in case.items():
            if MEASURE.search(key):
                figures.setdefault((name, key), []).append(value)
    return {k: statistics.median(v) for k, v in figures.items()}

old, new = read(sys.argv[1]), read(sys.argv[2])
for name, key in new:
    a, b = old.get((name, key)), new[name, key]
    if a:
        print(f"{name:56s} {key:26s} {a:14.6g} {b:14.6g} {100 * (b / a - 1):+7.1f} %")
PYTHON

[ "$whole" -gt 0 ] && exit 0
echo
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3
QUANTA_BIN_DIR=$(realpath -m "$build/release/bin") ROWS=${ROWS:-1000000} \
    "$python" bench/peers/main.py --base "$base/build/release/bin" --out "$(realpath -m "$build")/bench"
