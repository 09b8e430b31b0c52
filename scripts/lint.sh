#!/usr/bin/env bash
# Mechanical checks of the tree; the tables are in lint.conf. Prints one line per check, and before
# it every finding as file:line: message. With RESULTS=FILE the counts are added to that file.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
conf=scripts/lint.conf
findings=$(mktemp -d)
trap 'rm -rf "$findings"' EXIT

if git rev-parse --git-dir >/dev/null 2>&1; then
    list() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }
else
    list() { find . -path ./build -prune -o -type f -print | sed 's|^\./||' | while read -r f; do
        for p in "$@"; do [[ $f == $p ]] && echo "$f"; done; done; }
fi
mapfile -t sources < <(list '*.c' '*.h' | sort)
mapfile -t product < <(printf '%s\n' "${sources[@]}" | grep '^src/')

# The rows of one kind of lint.conf, without comments.
rows() { sed -E 's/(^|[[:space:]])#.*$//' "$conf" | awk -v kind="$1" '$1 == kind'; }

# Source text with comments and string contents blanked out, lines kept, as "file:line:text".
code_of() {
    awk '
        FNR == 1 { in_comment = 0 }
        {
            out = ""; s = $0; n = length(s); i = 1
            while (i <= n) {
                two = substr(s, i, 2); c = substr(s, i, 1)
                if (in_comment) {
                    if (two == "*/") { in_comment = 0; i += 2 } else i++
                    continue
                }
                if (two == "/*") { in_comment = 1; i += 2; continue }
                if (two == "//") break
                if (c == "\"" || c == "\047") {
                    out = out c; i++
                    while (i <= n && substr(s, i, 1) != c) i += substr(s, i, 1) == "\\" ? 2 : 1
                    out = out c; i++
                    continue
                }
                out = out c; i++
            }
            print FILENAME ":" FNR ":" out
        }' "$@"
}

check_format() {
    if ! command -v clang-format >/dev/null; then
        echo "clang-format is not installed (make deps-test)"
        return
    fi
    # It names every place; one line per file is enough to act on.
    printf '%s\0' "${sources[@]}" |
        xargs -0 -n 40 -P "$(nproc)" clang-format --dry-run --ferror-limit=1 2>&1 |
        sed -nE 's/^([^: ]+):[0-9]+:[0-9]+: .*clang-format.*/\1:1: make format/p' | sort -u ||
        echo "clang-format ended with an error"
}

check_banned() {
    local calls rest folder pattern
    code_of "${product[@]}" >"$findings/code"
    while read -r _ calls rest; do
        folder=src/
        case ${rest%% *} in
            reactor | storage | rpc | sql | ingest | page) folder=src/${rest%% *}/ rest=${rest#* } ;;
        esac
        pattern="(^|[^A-Za-z0-9_>.])($calls)[[:space:]]*\\("
        grep -E "^${folder}[^:]*:[0-9]+:" "$findings/code" |
            awk -v pattern="$pattern" -v rest="$(echo $rest)" '{
                text = $0; sub(/^[^:]*:[0-9]+:/, "", text)
                if (text ~ pattern && text !~ /^#/) {
                    split($0, part, ":"); gsub(/^ +/, "", text)
                    print part[1] ":" part[2] ": banned call: " text "  (use " rest ")"
                }
            }'
    done < <(rows banned)
}

check_folders() {
    rows allow >"$findings/allow"
    rows forbid >"$findings/forbid"
    grep -nE '^[[:space:]]*#[[:space:]]*include' "${product[@]}" /dev/null |
        awk -v allow="$findings/allow" -v forbid="$findings/forbid" '
        BEGIN {
            while ((getline line < allow) > 0) {
                n = split(line, w, /[ \t]+/)
                for (i = 3; i <= n; i++) may[w[2], w[i]] = 1
                known[w[2]] = 1
            }
            while ((getline line < forbid) > 0) { split(line, w, /[ \t]+/); never[w[2]] = w[3] }
        }
        {
            split($0, part, ":")
            n = split(part[1], path, "/")
            folder = n == 2 ? "programs" : path[2]
            place = part[1] ":" part[2]
            if (!(folder in known)) { print place ": folder " folder " is not in lint.conf"; next }
            if (match($0, /"[^"]+"/)) {
                name = substr($0, RSTART + 1, RLENGTH - 2)
                target = name; sub(/\/.*/, "", target)
                if (!((folder, target) in may))
                    print place ": " folder " may not include \"" name "\""
            } else if (match($0, /<[^>]+>/)) {
                name = substr($0, RSTART + 1, RLENGTH - 2)
                if (folder in never && name ~ ("^(" never[folder] ")$"))
                    print place ": " folder " may not include <" name ">"
            }
        }'
}

check_sizes() {
    rows long | awk '{ print $2 }' >"$findings/long"
    awk -v long="$findings/long" '
        BEGIN { while ((getline name < long) > 0) listed[name] = 1 }
        function file_end() {
            if (previous != "" && lines > 800 && !(previous in listed))
                print previous ":1: " lines " lines, more than 800"
        }
        FNR == 1 { file_end(); previous = FILENAME; start = 0; head = "" }
        { lines = FNR }
        # A function begins with a brace in the first column; its name is on the lines before it.
        /^[A-Za-z_]/ { head = $0 }
        /^\{/ { start = FNR; name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\}/ && start {
            length_of = FNR - start + 1
            if (length_of > 100 && !((FILENAME ":" name) in listed))
                print FILENAME ":" start ": function " name " has " length_of " lines, more than 100"
            start = 0
        }
        END { file_end() }' "${product[@]}"
}

# Hosts that this machine fetches packages from are its own configuration, not part of the project.
check_hosts() {
    local host
    { grep -rhoE 'https?://[^/ ]+' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null
        npm config get registry 2>/dev/null | grep -oE 'https?://[^/ ]+'; } |
        sed -E 's#https?://([^@]*@)?##' | sort -u | while read -r host; do
        list '*' | xargs -r grep -nIF -- "$host" /dev/null 2>/dev/null |
            awk -F: -v host="$host" '{ print $1 ":" $2 ": names the package host " host }'
    done
}

check_words() {
    grep -nIwE 'TO''DO|FIX''ME|XX''X|HA''CK' "${sources[@]}" /dev/null |
        awk -F: '{ print $1 ":" $2 ": says that it is unfinished" }'
    grep -nE '[[:space:]]+$' "${sources[@]}" /dev/null |
        awk -F: '{ print $1 ":" $2 ": white space at the end of the line" }'
    local header
    for header in $(printf '%s\n' "${product[@]}" | grep '\.h$'); do
        grep -q '^#pragma once' "$header" || echo "$header:1: no #pragma once"
    done
}

passed=0 failed=0
run_check() { # name, function
    local out
    out=$("$2")
    if [ -z "$out" ]; then
        passed=$((passed + 1))
        printf 'ok   lint/%s\n' "$1"
    else
        failed=$((failed + 1))
        printf '%s\n' "$out" | head -n "${LINT_MAX:-60}"
        printf 'FAIL lint/%s: %d findings\n' "$1" "$(printf '%s\n' "$out" | wc -l)"
    fi
}

if [ ${#product[@]} -eq 0 ]; then
    echo "lint: no sources under src/" >&2
    exit 1
fi
run_check format check_format
run_check banned check_banned
run_check folders check_folders
run_check sizes check_sizes
run_check hosts check_hosts
run_check words check_words
if [ -n "${RESULTS:-}" ]; then
    echo "$passed $failed 0" >>"$RESULTS"
fi
[ "$failed" -eq 0 ]
