#!/usr/bin/env bash
# A tour for people: starts the all-in-one server on a temporary folder and free ports, loads a
# sample, asks it questions through the MySQL command line client, stops it. `make demo` calls it.
# DEMO_ROWS sets how many events are loaded.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${QUANTA_BIN_DIR:-$PWD/build/release/bin}
rows=${DEMO_ROWS:-200000}
schemas=conf/schemas
work=$(mktemp -d "${TMPDIR:-/tmp}/quanta-demo.XXXXXX")
server=

say() { printf '\n== %s\n' "$*"; }
die() {
    printf 'demo: %s\n' "$*" >&2
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
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

client=$(command -v mariadb || command -v mysql) || die "no MySQL command line client (make deps)"
[ -x "$bin/quanta" ] || die "$bin/quanta is missing (make)"

# Starts the server and sets mysql_port and grpc_port from its line "ready mysql=PORT grpc=PORT ...".
start_server() {
    local ready='' i
    : >"$work/server.out"
    "$bin/quanta" --data-dir "$work/data" --mysql-port 0 --grpc-port 0 --token-port 0 \
        --http-port 0 "$@" >"$work/server.out" 2>>"$work/server.log" </dev/null &
    server=$!
    for ((i = 0; i < 300; i++)); do
        ready=$(grep -m 1 '^ready ' "$work/server.out") && break
        kill -0 "$server" 2>/dev/null || die "the server ended at start"
        sleep 0.1
    done
    [ -n "$ready" ] || die "the server was not ready after 30 s"
    mysql_port=$(sed -nE 's/.* mysql=([0-9]+).*/\1/p' <<<"$ready")
    grpc_port=$(sed -nE 's/.* grpc=([0-9]+).*/\1/p' <<<"$ready")
    [ -n "$mysql_port" ] || die "the server named no MySQL port: $ready"
    printf '%s\n' "$ready"
}

stop_server() {
    local i
    kill -TERM "$server"
    for ((i = 0; i < 150; i++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -0 "$server" 2>/dev/null && die "the server did not stop within 15 s of SIGTERM"
    wait "$server" || die "the server ended with status $?"
    server=
}

sql() {
    "$client" --no-defaults --protocol=tcp --host=127.0.0.1 --port="$mysql_port" --user=demo \
        --database=quanta "$@" </dev/null || die "the client failed"
}

# Shows one statement, its result as a table and the time the client measured.
ask() {
    printf '\nquanta> %s\n' "$1"
    sql --table -vvv --execute="$1" |
        grep -vE '^(-*|Bye|Writing history.*)$' | tail -n +2
}

expect() { # statement, the only value
    local found
    found=$(sql --skip-column-names --batch --execute="$1")
    [ "$found" = "$2" ] || die "$1: expected $2, found $found"
}

load() { # table, rows
    "$bin/quanta-bench" gen --table "$1" --rows "$2" --seed 1 --out "$work/$1.parquet"
    "$bin/quanta-loader" --schema-dir "$schemas" --node "127.0.0.1:$grpc_port" --progress none \
        "$work/$1.parquet" "$1"
    expect "SELECT count(*) FROM $1" "$2"
}

tour_of_events() {
    say "loading $rows events from Parquet"
    load events "$rows"
    if [ -r "$schemas/content/schema.yaml" ]; then
        load content 100000
    fi

    say "counts and sums behind filters"
    ask "SELECT count(*) FROM events WHERE device='tv' AND country='C150' AND event='E3'"
    ask "SELECT sum(duration), avg(duration), count(*) FROM events"
    ask "SELECT sum(duration) FROM events WHERE device='tv' AND event IN ('E3','E4')"
    ask "SELECT count(*) FROM events WHERE duration BETWEEN 250000 AND 500000 AND live = true"
    say "groups and rankings"
    ask "SELECT country, count(*) AS c FROM events GROUP BY country ORDER BY c DESC, country LIMIT 10"
    ask "SELECT device, count(*), sum(revenue), avg(duration) FROM events GROUP BY device ORDER BY device"
    ask "SELECT count(DISTINCT user_id) FROM events WHERE device='tv'"
    say "time ranges and single rows"
    ask "SELECT count(*) FROM events WHERE ts >= '2026-02-01' AND ts < '2026-02-04' AND device='mobile'"
    ask "SELECT * FROM events WHERE id=$((rows / 3))"
    ask "SELECT id, ts, user_id, duration FROM events WHERE device='tv' AND country='C199' AND live = true ORDER BY id LIMIT 5"
    if [ -r "$schemas/content/schema.yaml" ]; then
        say "a join"
        ask "SELECT c.category, count(*), sum(e.revenue) FROM events e JOIN content c ON e.content_id = c.content_id WHERE c.year >= 2015 GROUP BY c.category ORDER BY c.category LIMIT 5"
    fi
    say "rows written now are seen by the next statement"
    ask "INSERT INTO events (id, ts, device, country, event, content_id, user_id, duration, revenue, live) VALUES ($rows, '2026-03-31 23:59:59', 'tv', 'C001', 'E0', 1, 'u1', 5, 0.99, true)"
    ask "UPDATE events SET duration = 6 WHERE id = $rows"
    ask "SELECT id, ts, device, duration, revenue FROM events WHERE id = $rows"
    kept="SELECT count(*) FROM events"
    kept_rows=$((rows + 1))
}

tour_of_inserts() {
    local values='' i
    say "a table, and a thousand rows in it"
    ask "CREATE TABLE visits (id INT PRIMARY KEY, city VARCHAR(32), seconds INT)"
    for ((i = 0; i < 1000; i++)); do
        values="$values${values:+, }($i, 'city$((i % 7))', $((i * 37 % 1000)))"
    done
    sql --execute="INSERT INTO visits (id, city, seconds) VALUES $values"
    say "counts behind filters"
    ask "SELECT count(*) FROM visits"
    ask "SELECT count(*) FROM visits WHERE city = 'city3'"
    ask "SELECT count(*) FROM visits WHERE city = 'city3' AND seconds > 500"
    kept="SELECT count(*) FROM visits"
    kept_rows=1000
}

say "starting quanta"
"$bin/quanta" --version
with_loader=
if [ -x "$bin/quanta-loader" ] && [ -x "$bin/quanta-bench" ] && [ -r "$schemas/events/schema.yaml" ]; then
    with_loader=1
    start_server --schema-dir "$schemas"
    tour_of_events
else
    start_server
    tour_of_inserts
fi

say "stopping and starting again: everything acknowledged is still there"
stop_server
start_server ${with_loader:+--schema-dir "$schemas"}
ask "$kept"
expect "$kept" "$kept_rows"
stop_server
say "done"
