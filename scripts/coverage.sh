#!/usr/bin/env bash
# Runs the unit tests of the coverage build and prints line coverage by file: `OUT=build/coverage`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
out=${OUT:-build/coverage}
find "$out" -name '*.gcda' -delete
failed=0
for program in "$out"/tests/unit/* "$out"/tests/property; do
    [ -x "$program" ] || continue
    scripts/run-unit.sh "$program" || failed=1
done
# gcov prints "File 'src/x.c'" and then "Lines executed:81.25% of 64".
# From the notes, not the counts: a file that no test reaches is there with 0 %.
find "$out/obj/src" -name '*.gcno' -print0 | xargs -0 -r gcov -n 2>/dev/null | awk '
    /^File / { file = $2; gsub(/\047/, "", file) }
    /^Lines executed:/ && file ~ /^src\// {
        split($2, part, /[:%]/); n = $NF
        if (!(file in lines) || part[2] * n / 100 > hit[file]) hit[file] = part[2] * n / 100
        lines[file] = n; file = ""
    }
    END {
        for (f in lines) {
            printf "%6.1f%% of %5d lines  %s\n", 100 * hit[f] / lines[f], lines[f], f | "sort -k5"
            all += lines[f]; covered += hit[f]
        }
        close("sort -k5")
        if (all) printf "%6.1f%% of %5d lines  in all\n", 100 * covered / all, all
    }'
exit $failed
