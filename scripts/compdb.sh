#!/usr/bin/env bash
# Turns the output of a dry run of make into a compilation database on stdout.
set -uo pipefail
directory=$(pwd)
awk -v directory="$directory" '
    BEGIN { print "[" }
    / -c -o [^ ]+ [^ ]+\.c$/ {
        file = $NF
        sub(/^.*; /, "")
        if (seen[file]++) next
        gsub(/\\/, "\\\\"); gsub(/"/, "\\\"")
        printf "%s{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s\"}", comma, directory, file, $0
        comma = ",\n"
    }
    END { print "\n]" }'
