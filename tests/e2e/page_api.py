#!/usr/bin/python3
"""What the page asks the server, without a browser: answers, their bounds, who is refused, a proxy's page."""

import http.client
import json
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import Node, expect, http_get, wait_for

import quanta

JSON = {"Content-Type": "application/json"}
ENDLESS = "SELECT count(*) FROM digits " + ", digits ".join("abcdefghijkl") + " WHERE a.d + b.d + c.d + l.d < 5"


def send(server, method, path, body=None, headers=None, host=None):
    """(status, headers in lower case, body) of a request."""
    conn = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=quanta.HANG_SECONDS)
    text = json.dumps(body) if isinstance(body, dict) else body
    conn.request(method, path, body=text, headers={**(JSON if body is not None else {}), **(headers or {}),
                                                   **({"Host": host} if host else {})})
    answer = conn.getresponse()
    data = answer.read().decode()
    conn.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, data


def post(server, path, body, **headers):
    """The JSON object that is the answer."""
    return json.loads(send(server, "POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})[2])


def query(server, sql, **headers):
    return post(server, "/api/query", {"sql": sql}, **headers)


def test_values(server):
    told = query(server, "SELECT id, name, price, day, at, t, bytes, json_object('a', 1) j, 1e0 / 3 f FROM kinds ORDER BY id")
    expect([(c["name"], c["type"]) for c in told["columns"]],
           [("id", "int"), ("name", "text"), ("price", "decimal"), ("day", "date"), ("at", "datetime"), ("t", "time"),
            ("bytes", "binary"), ("j", "json"), ("f", "double")])
    expect(told["rows"], [["1", "a\"b\\c\n<ü 🙂>", "-9007199254740993.25", "2024-02-29", "2024-02-29 23:59:59.123456",
                           "25:00:00", "0x00FF", "{\"a\": 1}", "0.3333333333333333"],
                          ["2", None, None, None, None, None, "0x00FF", "{\"a\": 1}", "0.3333333333333333"]])
    expect((told["more"], told["cut"], told["warning_count"]), (False, False, 0))
    # The same texts as those of MySQL clients.
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT concat(price), concat(at) FROM kinds WHERE id = 1")
        expect(list(cur.fetchone()), [told["rows"][0][2], told["rows"][0][4]])
    expect(query(server, "SELECT 18446744073709551615 a, -1 b;")["rows"], [["18446744073709551615", "-1"]])


def test_changes_and_errors(server):
    expect(query(server, "CREATE TABLE c (id INT PRIMARY KEY, v INT)")["affected"], 0)
    expect(query(server, "INSERT INTO c VALUES (1, 1), (2, 2)")["affected"], 2)
    told = query(server, "UPDATE c SET v = v WHERE id = 1")
    expect((told["affected"], "Rows matched: 1" in told["info"]), (0, True))
    expect(query(server, "INSERT INTO c VALUES (1, 1)")["error"]["code"], 1062)
    expect(query(server, "DROP TABLE c")["affected"], 0)
    error = query(server, "SELECT 1\nFORM c")["error"]
    expect((error["code"], error["state"], "at line 2" in error["text"]), (1064, "42000", True))
    expect(query(server, "SELECT 1; SELECT 2")["error"]["code"], 1064)
    expect(query(server, "")["error"]["code"], 1065)
    expect(query(server, "SELECT * FROM nowhere")["error"]["code"], 1146)
    expect("error" in query(server, "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE kinds"), True)
    # A session of its own for each.
    query(server, "SET @a = 1")
    expect(query(server, "SELECT @a")["rows"], [[None]])
    expect(query(server, "SELECT database(), user()")["rows"][0][0], "quanta")
    told = query(server, "DROP TABLE IF EXISTS nowhere")
    expect([(w["level"], w["code"]) for w in told["warnings"]], [("Note", 1051)])
    expect(query(server, "SELECT SLEEP(0)").keys() >= {"ms"}, True)


def test_bounds(server):
    four = "FROM digits a, digits b, digits c, digits d"
    told = query(server, f"SELECT 1 {four}")
    expect((len(told["rows"]), told["more"]), (10000, False))
    told = query(server, f"SELECT 1 {four}, digits e")
    expect((len(told["rows"]), told["more"]), (10000, True))
    told = query(server, f"SELECT repeat('x', 20000) {four}")
    expect((100 < len(told["rows"]) < 300, told["more"]), (True, True))
    told = query(server, "SELECT repeat('ü', 100000), 1")
    expect((told["cut"], len(told["rows"][0][0])), (True, 16384))
    expect(send(server, "POST", "/api/query", json.dumps({"sql": "SELECT '" + "x" * 300000 + "'"}))[0], 413)
    long = query(server, "SELECT length('" + "x" * 200000 + "')")
    expect(long["rows"], [["200000"]])
    expect(others(server), [])


def others(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND ID <> connection_id()")
        return [row[0] for row in cur.fetchall()]


def test_many_at_once(server):
    """Eight statements run, one more is refused, looks and KILL still work."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(query(server, ENDLESS))) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(others(server)) == 8, 10, "eight statements run")
    status, _, body = send(server, "POST", "/api/query", {"sql": "SELECT 1"})
    expect((status, json.loads(body)["error"]["code"]), (503, 1040))
    shown = json.loads(send(server, "GET", "/api/statements")[2])["rows"]
    expect([row[6] for row in shown], [ENDLESS] * 8)
    for number in others(server):
        expect(post(server, "/api/kill", {"id": number}).get("affected"), 0)
    for thread in threads:
        thread.join()
    expect([a["error"]["code"] for a in answers], [1317] * 8)
    wait_for(lambda: "rows" in query(server, "SELECT 1"), 10, "there is room again")
    expect(post(server, "/api/kill", {"id": 1})["error"]["code"], 1094)


def test_who_leaves_ends_a_statement(server):
    for _ in range(20):
        conn = http.client.HTTPConnection("127.0.0.1", server.ports["http"])
        conn.request("POST", "/api/query", body=json.dumps({"sql": ENDLESS}), headers=JSON)
        wait_for(lambda: len(others(server)) == 1, 10, "it runs")
        conn.close()
        wait_for(lambda: not others(server), 10, "it has ended")


def test_limits_of_statements(server):
    told = query(server, "SELECT /*+ MAX_EXECUTION_TIME(50) */ " + ENDLESS[7:])
    expect(told["error"]["code"], 3024)


def test_looks(server):
    names = [row[0] for row in json.loads(send(server, "GET", "/api/tables")[2])["rows"]]
    expect({"digits", "kinds", "by_day"} <= set(names), True)
    rows = {row[0]: row for row in json.loads(send(server, "GET", "/api/tables")[2])["rows"]}
    expect((rows["digits"][1:3], rows["digits"][4]), (["BASE TABLE", "10"], "0"))
    expect(rows["by_day"][4], "2")
    expect(rows["odd_view"][1], "VIEW")
    expect([row[0] for row in post(server, "/api/columns", {"table": "digits"})["rows"]], ["d"])
    expect(len(post(server, "/api/partitions", {"table": "by_day"})["rows"]), 2)
    expect(post(server, "/api/columns", {"table": "x' OR '1'='1"})["rows"], [])
    expect(post(server, "/api/columns", {})["error"]["text"], "the body has to have \"table\", a name")


def test_refusals(server):
    good = {"sql": "SELECT 1"}
    for method, path, body, headers, host, status in (
            ("GET", "/", None, {}, "evil.example", 421),
            ("GET", "/api/tables", None, {}, "evil.example:2112", 421),
            ("GET", "/api/tables", None, {}, "localhost:9", 200),
            ("GET", "/api/tables?x=1", None, {}, None, 400),
            ("GET", "/api/tables", None, {"Sec-Fetch-Site": "cross-site"}, None, 403),
            ("GET", "/api/query", None, {}, None, 405),
            ("GET", "/api/nothing", None, {}, None, 404),
            ("POST", "/api/tables", {}, {}, None, 405),
            ("POST", "/api/query", good, {"Origin": "http://evil.example"}, None, 403),
            ("POST", "/api/query", good, {"Origin": "null"}, None, 403),
            ("POST", "/api/query", good, {"Content-Type": "text/plain"}, None, 415),
            ("POST", "/api/query", good, {"Content-Type": "application/x-www-form-urlencoded"}, None, 415),
            ("POST", "/api/query", "[1]", {}, None, 400),
            ("POST", "/api/query", "{\"sql\":1}", {}, None, 400),
            ("POST", "/api/query", "{\"sql\":", {}, None, 400),
            ("POST", "/api/query", "[" * 100000, {}, None, 400),
            ("OPTIONS", "/api/query", None, {}, None, 405),
            ("DELETE", "/api/query", None, {}, None, 405),
            ("POST", "/", good, {}, None, 405),
            ("POST", "/metrics", good, {}, None, 405)):
        found, told, text = send(server, method, path, body, headers, host)
        expect(found, status, f"{method} {path} {headers} {host}: {text}")
        expect(any(name.startswith("access-control") for name in told), False)
    _, told, _ = send(server, "GET", "/")
    expect("default-src 'none'" in told["content-security-policy"], True)
    expect((told["x-content-type-options"], told["cache-control"]), ("nosniff", "no-store"))
    expect(send(server, "GET", "/healthz", host="evil.example")[0], 200)


def test_where_it_is_on(_):
    for flags, host, status in (((), None, 200), (("--page", "off"), None, 404),
                                (("--bind", "0.0.0.0", "--insecure"), None, 404),
                                (("--bind", "0.0.0.0", "--insecure", "--page", "on"), None, 200),
                                (("--page-host", "db.example,other"), "db.example:80", 200),
                                (("--page-host", "db.example,other"), "db.exampl", 421)):
        with Node(*flags) as server:
            found, _, text = send(server, "GET", "/", host=host)
            expect(found, status, f"{flags}: {text}")
            expect(send(server, "POST", "/api/query", {"sql": "SELECT 1"}, host=host)[0], status)
            expect(http_get(server.ports["http"], "/healthz")[0], 200)


def write_users(path, **passwords):
    lines = ["users:"]
    for name, password in passwords.items():
        done = subprocess.run([quanta.program("quanta-admin"), "hash-password"], check=True, input=password + "\n",
                              stdout=subprocess.PIPE, text=True)
        lines += [f"  - name: {name}", f"    password: \"{done.stdout.strip()}\""]
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
    os.chmod(path + ".new", 0o600)
    os.replace(path + ".new", path)


def test_logins(_):
    users = os.path.join(support.folder("users-"), "users.yaml")
    write_users(users, ann="secret", bob="other")
    with Node("--auth", "users", "--users-file", users) as server:
        expect(json.loads(send(server, "GET", "/api/session")[2])["asks_users"], True)
        for path in ("/api/tables", "/api/statements"):
            expect(send(server, "GET", path)[0], 401)
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer " + "0" * 64}):
            expect(send(server, "POST", "/api/query", {"sql": "SELECT 1"}, headers)[0], 401)
        for name, word in (("ann", "wrong"), ("ann", ""), ("nobody", "secret"), ("bob", "secret"), ("", "")):
            expect(send(server, "POST", "/api/login", {"user": name, "password": word})[0], 403)
        tokens = {name: post(server, "/api/login", {"user": name, "password": word})["token"]
                  for name, word in (("ann", "secret"), ("bob", "other"))}
        for name, token in tokens.items():
            expect(query(server, "SELECT user()", Authorization=f"Bearer {token}")["rows"][0][0].split("@")[0], name)
        expect(json.loads(send(server, "GET", "/api/session", headers={"Authorization": f"Bearer {tokens['bob']}"})[2])["user"],
               "bob")
        post(server, "/api/logout", {}, Authorization=f"Bearer {tokens['ann']}")
        expect(query(server, "SELECT 1", Authorization=f"Bearer {tokens['ann']}")["error"]["text"], "log in first")
        # A user who is gone is out, as soon as the file was read.
        write_users(users, ann="secret")
        wait_for(lambda: "error" in query(server, "SELECT 1", Authorization=f"Bearer {tokens['bob']}"), 5, "bob is out")


def test_proxy(server):
    with quanta.Server("quanta-proxy", "--node", f"127.0.0.1:{server.ports['grpc']}", "--mysql-port", 0,
                       "--token-port", 0, "--http-port", 0) as proxy:
        expect(query(proxy, "SELECT sum(d) FROM digits")["rows"], [["45"]])
        rows = {row[0]: row for row in json.loads(send(proxy, "GET", "/api/tables")[2])["rows"]}
        expect(rows["digits"][1], "BASE TABLE")  # its rows are an estimate there
        expect(json.loads(send(proxy, "GET", "/api/session")[2])["program"], "quanta-proxy")


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        cur.execute("CREATE VIEW kinds AS SELECT 1 AS id, 'a\"b\\\\c\\n<ü 🙂>' AS name, CAST('-9007199254740993.25' AS DECIMAL(30,2)) "
                    "AS price, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 23:59:59.123456' AS at, TIME '25:00:00' AS t, "
                    "unhex('00ff') AS bytes UNION ALL SELECT 2, NULL, NULL, NULL, NULL, NULL, unhex('00ff')")
        cur.execute("CREATE VIEW odd_view AS SELECT d FROM digits WHERE d % 2 = 1")
        cur.execute("CREATE TABLE by_day (id INT PRIMARY KEY, at DATETIME) time_quantum_type='YMD' "
                    "time_quantum_field='at'")
        cur.execute("INSERT INTO by_day VALUES (1, '2026-01-01 01:00:00'), (2, '2026-01-02 02:00:00')")


if __name__ == "__main__":
    support.need("quanta", "quanta-proxy", "quanta-admin")
    with Node() as main:
        prepare(main)
        support.run_tests(globals(), main, server=main)
