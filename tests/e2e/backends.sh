#!/usr/bin/env bash
# I/O back ends: `--io epoll`, `--io uring`, and io_uring refused by a seccomp filter, where the
# server takes epoll and says so in one line. The same statements run on each. WITH_DEMO=1 runs the
# whole demo under the filter as well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${QUANTA_BIN_DIR:-$here/../../build/release/bin}
work=${TEST_TMP:-$(mktemp -d)}
client=$(command -v mariadb || command -v mysql) || { echo "no mariadb client (make deps)"; exit 77; }
server=

finish() {
    [ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true
    [ -n "${TEST_TMP:-}" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

die() {
    echo "$name: $*"
    sed 's/^/server: /' "$work/$name.log"
    exit 1
}

start() { # command before the program, arguments
    local before=$1 ready='' i
    shift
    : >"$work/$name.out"
    # shellcheck disable=SC2086  # the command is words
    $before "$bin/quanta" --data-dir "$work/$name" --mysql-port 0 --grpc-port 0 --token-port 0 \
        --http-port 0 "$@" >"$work/$name.out" 2>>"$work/$name.log" </dev/null &
    server=$!
    for ((i = 0; i < 200; i++)); do
        ready=$(grep -m 1 '^ready ' "$work/$name.out") && break
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    [ -n "$ready" ] || die "not ready after 20 s"
    port=$(sed -nE 's/.* mysql=([0-9]+).*/\1/p' <<<"$ready")
    http=$(sed -nE 's/.* http=([0-9]+).*/\1/p' <<<"$ready")
}

stop() {
    kill -TERM "$server"
    wait "$server" || die "ended with $? after SIGTERM"
    server=
}

sql() {
    "$client" --no-defaults --protocol=tcp --host=127.0.0.1 --port="$port" --user=x quanta -BN \
        --execute="$1" </dev/null || die "failed: $1"
}

expect() { # statement, answer
    local found
    found=$(sql "$1")
    [ "$found" = "$2" ] || die "$1: found $found, expected $2"
}

# Tables, rows, a result of many packets, connections beside each other, a restart.
statements() {
    local values i clients=()
    values=$(for ((i = 0; i < 5000; i++)); do printf '%s(%d, "text %d")' "${values:+,}" $i $((i % 10)); values=1; done)
    sql "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20))"
    sql "INSERT INTO t VALUES $values"
    expect "SELECT count(*) FROM t WHERE s = 'text 3'" 500
    [ "$(sql "SELECT * FROM t" | wc -l)" = 5000 ] || die "SELECT * has not 5,000 rows"
    for i in 1 2 3 4 5 6 7 8; do
        sql "INSERT INTO t VALUES ($((10000 + i)), 'more')" &
        clients+=($!)
    done
    for i in "${clients[@]}"; do wait "$i" || die "an INSERT beside others failed"; done
    expect "SELECT count(*) FROM t" 5008
    exec 3<>"/dev/tcp/127.0.0.1/$http"
    printf 'GET /healthz HTTP/1.1\r\n\r\n' >&3
    grep -q '200 OK' <&3 || die "/healthz has no answer"
    exec 3>&-
}

try() { # name, line of the log that names the back end, command before, arguments
    name=$1
    local line=$2 before=$3 number
    shift 3
    start "$before" "$@" || die "the server ended at start"
    number=$(grep -ciE -- "$line" "$work/$name.log" || true)
    [ "$number" = 1 ] || die "$number lines match '$line', expected one"
    statements
    stop
    start "$before" "$@" || die "the second start failed"
    expect "SELECT count(*) FROM t" 5008
    stop
}

name=build
[ -x "$bin/quanta" ] || { echo "$bin/quanta is missing"; exit 1; }
# The programs may be sanitized and this one not: it only has to start them.
${CC:-cc} -O1 -Wall -Wextra -o "$work/deny" "$here/lib/deny_io_uring.c"
"$work/deny" true || { echo "no seccomp filter can be installed here"; exit 77; }

try epoll 'io=epoll' '' --io epoll
try refused '(refused|not permitted|unavailable|denied).*io=epoll|io=epoll.*(refused|not permitted|unavailable|denied)' "$work/deny"

# Asked for by name it is not replaced in silence.
name=insists
: >"$work/$name.log"
if start "$work/deny" --io uring; then
    die "--io uring started where io_uring is refused"
fi
wait "$server" && die "--io uring ended with 0 where io_uring is refused"
server=
grep -qi 'io_uring' "$work/$name.log" || die "--io uring did not say what is wrong"

# The machine itself may refuse io_uring.
name=probe
if start '' --io uring; then
    stop
    try uring 'io=io_uring' '' --io uring
else
    server=
fi

if [ "${WITH_DEMO:-}" = 1 ]; then
    name=demo
    (cd "$here/../.." && "$work/deny" scripts/demo.sh) >"$work/$name.log" 2>&1 || die "the demo failed"
    grep -qE '(^|== )done' "$work/$name.log" || die "the demo did not come to its end"
fi
