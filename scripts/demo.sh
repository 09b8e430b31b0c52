#!/usr/bin/env bash
# A tour for people: starts the all-in-one server on a temporary folder and free ports, loads a
# sample through the loader, asks it questions through the MySQL command line client, kills it,
# starts it again, stops it. `make demo` calls it. Every answer that can be known before is checked.
# DEMO_ROWS sets how many events are loaded (default 1000000), DEMO_KEEP=1 keeps the folder.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${QUANTA_BIN_DIR:-$PWD/build/release/bin}
rows=${DEMO_ROWS:-1000000}
schemas=conf/schemas
work=$(mktemp -d "${TMPDIR:-/tmp}/quanta-demo.XXXXXX")
server=
step=0
began=$SECONDS

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

title() { # what this step shows
    step=$((step + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
note() { printf '%s   %s%s\n' "$dim" "$1" "$plain"; }
shell_line() { printf '\n%s$ %s%s\n' "$bold" "$1" "$plain"; }

die() {
    printf '\ndemo: %s\n' "$*" >&2
    if [ -s "$work/server.log" ]; then
        printf 'demo: last lines of the server:\n' >&2
        tail -n 20 "$work/server.log" >&2
    fi
    exit 1
}

cleanup() {
    if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    if [ -n "${DEMO_KEEP:-}" ]; then
        printf 'demo: kept %s\n' "$work"
    else
        rm -rf "$work"
    fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM

client=$(command -v mariadb || command -v mysql) || die "no MySQL command line client (make deps)"
for program in quanta quanta-loader quanta-bench; do
    [ -x "$bin/$program" ] || die "$bin/$program is missing (make)"
done
case $rows in '' | *[!0-9]*) die "DEMO_ROWS is '$rows'; a number is needed" ;; esac
[ "$rows" -ge 1000 ] || die "DEMO_ROWS is $rows; at least 1000 are needed"

# Starts the server and sets mysql_port, grpc_port and http_port from the line it prints when it
# serves: "ready mysql=PORT grpc=PORT token=PORT http=PORT".
start_server() {
    local ready='' i
    shell_line "quanta --data-dir DIR --schema-dir $schemas"
    : >"$work/server.out"
    : >"$work/server.log"
    "$bin/quanta" --data-dir "$work/data" --schema-dir "$schemas" --mysql-port 0 --grpc-port 0 \
        --token-port 0 --http-port 0 >"$work/server.out" 2>"$work/server.log" </dev/null &
    server=$!
    for ((i = 0; i < 600; i++)); do
        ready=$(grep -m 1 '^ready ' "$work/server.out") && break
        kill -0 "$server" 2>/dev/null || die "the server ended at start"
        sleep 0.05
    done
    [ -n "$ready" ] || die "the server was not ready after 30 s"
    mysql_port=$(port_of mysql "$ready")
    grpc_port=$(port_of grpc "$ready")
    http_port=$(port_of http "$ready")
    [ -n "$mysql_port$grpc_port" ] || die "the server named no ports: $ready"
    sed "s|$work/data|DIR|" "$work/server.log"
    printf '%s\n' "$ready"
}

port_of() { sed -nE "s/.* $1=([0-9]+).*/\1/p" <<<"$2"; }

stop_server() {
    local i
    shell_line "kill -TERM \$(pidof quanta)"
    kill -TERM "$server"
    for ((i = 0; i < 300; i++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    kill -0 "$server" 2>/dev/null && die "the server did not stop within 15 s of SIGTERM"
    wait "$server" || die "the server ended with status $?"
    server=
    printf 'stopped, exit status 0\n'
}

# No good-byes: the process is gone before it could write another byte.
kill_server() {
    shell_line "kill -KILL \$(pidof quanta)"
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    server=
    printf 'killed\n'
}

sql() {
    "$client" --no-defaults --protocol=tcp --host=127.0.0.1 --port="$mysql_port" --user=demo \
        --database=quanta "$@" </dev/null || die "the client failed"
}

# Shows one statement, its result as a table and the time the client measured. A second argument is
# the only value that the answer may be.
ask() {
    printf '\n%squanta> %s;%s\n' "$bold" "$1" "$plain"
    sql --table -vvv --execute="$1" >"$work/answer"
    # The client repeats the statement between two lines of dashes; what follows is the answer.
    awk '/^-+$/ { dashes++; next } dashes >= 2 && NF && $0 != "Bye" && !/^Writing history/' \
        "$work/answer"
    [ $# -lt 2 ] || expect "$1" "$2"
}

expect() { # statement, the only value
    local found
    found=$(sql --skip-column-names --batch --execute="$1")
    [ "$found" = "$2" ] || die "$1: expected $2, found $found"
}

# The answer for the million events that seed 1 makes; any other number of rows has others.
ask_million() { # statement, answer for a million events
    if [ "$rows" = 1000000 ]; then ask "$1" "$2"; else ask "$1"; fi
}

load() { # table, rows
    shell_line "quanta-bench gen --table $1 --rows $2 --out $1.parquet"
    "$bin/quanta-bench" gen --table "$1" --rows "$2" --seed 1 --out "$work/$1.parquet" 2>&1 |
        sed "s|$work/||"
    shell_line "quanta-loader --node 127.0.0.1:$grpc_port $1.parquet $1"
    "$bin/quanta-loader" --node "127.0.0.1:$grpc_port" --progress none "$work/$1.parquet" "$1" ||
        die "the loader ended with status $?"
    expect "SELECT count(*) FROM $1" "$2"
}

title "Start: node, gateway and MySQL port in one process"
"$bin/quanta" --version
start_server

title "Load: $rows events and 100000 titles, from Parquet files"
load events "$rows"
load content 100000

title "Filters: bitmaps, ANDed where they lie"
ask_million "SELECT count(*) FROM events WHERE device='tv' AND country='C150' AND event='E3'" 77
ask_million "SELECT count(*) FROM events WHERE duration BETWEEN 250000 AND 500000 AND live = true" 25028
ask_million "SELECT count(*) FROM events WHERE ts >= '2026-02-01' AND ts < '2026-02-04' AND device='mobile'" 4119

title "Sums: straight from bit slices, exact to the cent"
ask "SELECT count(*), sum(duration), avg(duration), sum(revenue), max(revenue) FROM events"
ask_million "SELECT sum(duration) FROM events WHERE device='tv' AND event IN ('E3','E4')" 10537115550

title "Groups and rankings"
ask "SELECT device, count(*), sum(revenue), avg(duration) FROM events GROUP BY device ORDER BY device"
ask "SELECT country, count(*) AS c FROM events GROUP BY country ORDER BY c DESC, country LIMIT 5"
ask "SELECT topn(country, 3) FROM events WHERE device='tv'"
ask_million "SELECT count(DISTINCT user_id) FROM events WHERE device='tv'" 123371

title "Single rows, by key and by name"
ask "SELECT * FROM events WHERE id=$((rows / 3))"
ask_million "SELECT count(*) FROM events WHERE user_id='u117231'" 5

title "A join: what the events are about"
ask "SELECT c.category, count(*), sum(e.revenue) FROM events e JOIN content c ON e.content_id = c.content_id WHERE c.year >= 2015 GROUP BY c.category ORDER BY c.category LIMIT 5"

title "How it was done: each core works on its own rows"
ask "EXPLAIN ANALYZE SELECT device, count(*) FROM events WHERE event='E3' AND duration > 900000 GROUP BY device"

title "A table of your own, with several values in a column"
ask "CREATE TABLE films (id INT PRIMARY KEY, title VARCHAR(80), tags SET('drama','comedy','war'), price DECIMAL(8,2), seen DATETIME)"
ask "INSERT INTO films VALUES (1, 'First', 'drama,war', 9.99, '2026-03-01 20:15:00'), (2, 'Second', 'comedy', 0.10, NULL), (3, 'Third', 'war', 0.20, '2026-03-02 18:00:00')"
ask "SELECT id, title, tags FROM films WHERE tags = 'war' ORDER BY id"
ask "SELECT tags, count(*), sum(price) FROM films GROUP BY tags ORDER BY tags"

title "Writes are seen by the next statement"
ask "INSERT INTO events (id, ts, device, country, event, content_id, user_id, duration, revenue, live) VALUES ($rows, '2026-03-31 23:59:59', 'tv', 'C001', 'E0', 1, 'u1', 5, 0.99, true)"
ask "UPDATE events SET duration = 6 WHERE id = $rows"
ask "SELECT duration FROM events WHERE id = $rows" 6
ask "DELETE FROM films WHERE id = 2"

title "Killed in mid-flight: what was acknowledged is there again"
kill_server
start_server
ask "SELECT count(*) FROM events" $((rows + 1))
ask "SELECT duration FROM events WHERE id = $rows" 6
ask "SELECT count(*) FROM films" 2

title "Watched from outside"
if command -v curl >/dev/null; then
    shell_line "curl http://127.0.0.1:$http_port/metrics"
    curl -fsS "http://127.0.0.1:$http_port/metrics" | grep -v '^#'
else
    note "http://127.0.0.1:$http_port/metrics is for Prometheus (no curl here to show it)"
fi

title "Stop"
stop_server
printf '\n%sdone%s in %d s. Your own server: make run, then\n' "$bold" "$plain" $((SECONDS - began))
printf '  mariadb --host=127.0.0.1 --port=4000 --user=me quanta\n'
