#!/usr/bin/python3
"""
The page for people in a real browser: without tables and with 200, results, charts, errors, ends of statements, a login.
PICTURES=DIR keeps pictures of it, for a look at them.
"""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from browser import CONTROL, ENTER, Browser
from support import Node, expect

import pymysql
import quanta

PICTURES = os.environ.get("PICTURES")
PHONE, DESK = (360, 740), (1280, 860)
# Combinations of a table of 10 rows with itself: far more than any test waits for.
ENDLESS = "SELECT count(*) FROM digits " + ", digits ".join("abcdefghijkl") + " WHERE a.d + b.d + c.d + l.d < 5"


def visit(browser, server, size=DESK):
    """The page with figures in it."""
    browser.window(*size)
    browser.open(f"http://localhost:{server.ports['http']}/")
    browser.script("sessionStorage.clear()")
    browser.open(f"http://localhost:{server.ports['http']}/")
    browser.wait(lambda: browser.text("#live") == "live", "the page is live")
    browser.wait(lambda: browser.text("#figure-rows b") not in ("", "…"), "figures")


def write(browser, sql):
    """A statement in the box, instead of what is there."""
    browser.clear("#sql")
    browser.type("#sql", sql)


def ask(browser, sql):
    """Runs a statement and waits for its end."""
    browser.script("document.querySelector('#result').replaceChildren()")
    write(browser, sql)
    browser.type("#sql", CONTROL + ENTER)
    browser.wait(lambda: browser.text("#result") and not browser.is_shown("#cancel"), f"an answer to {sql}")


def look_around(browser, name):
    """Nothing is wider than the window, nor cut where it cannot be scrolled to; phone and desk, light and dark."""
    for place, size in (("phone", PHONE), ("desk", DESK)):
        for dark in (False, True):
            browser.window(*size, dark)
            browser.wait(lambda s=size: browser.script("return innerWidth") == s[0], "the window's size")
            time.sleep(0.2)  # charts follow the width in the next frame
            over = browser.script("return document.documentElement.scrollWidth - innerWidth")
            expect(over <= 0, True, f"{name} at {size[0]}: {over} pixels too wide")
            expect(browser.script(CUT_OFF), [], f"{name} at {size[0]}: texts that are cut")
            if PICTURES:
                os.makedirs(PICTURES, exist_ok=True)
                browser.picture(os.path.join(PICTURES, f"{name}-{place}-{'dark' if dark else 'light'}.png"))
    browser.window(*DESK)


# Elements whose text does not fit, other than those that scroll or say so by an ellipsis.
CUT_OFF = """
return [...document.querySelectorAll('main:not([hidden]) *')].filter((e) => {
  const s = getComputedStyle(e);
  return e.clientWidth && e.scrollWidth > e.clientWidth + 1 && s.overflowX === 'hidden' && s.textOverflow !== 'ellipsis';
}).map((e) => e.tagName + '.' + e.className + ': ' + e.innerText);
"""


def test_without_tables(browser):
    with Node() as server:
        visit(browser, server)
        browser.wait(lambda: browser.is_shown("#tables-list .hint"), "a hint")
        expect("No tables yet" in browser.text("#tables-list"), True)
        expect(browser.is_shown("#tables-search"), False)
        look_around(browser, "empty")
        for i, wanted in ((1, "Done: 0 rows changed"), (2, "Done: 3 rows changed"), (3, "2 rows")):
            # The hint goes with the first table, the examples with it.
            example = EXAMPLES[i - 1]
            if i == 1:
                expect(browser.texts("#tables-list .hint button"), EXAMPLES)
                browser.click("#tables-list .hint button")
                expect(browser.script("return document.querySelector('#sql').value"), example)
                browser.click("#run")
                browser.wait(lambda: browser.text("#result-count"), "an answer")
            else:
                ask(browser, example)
            expect(browser.text("#result-count"), wanted)
        browser.wait(lambda: browser.texts("#tables-list summary .name") == ["visits"], "the table in the list")
        browser.wait(lambda: browser.text("#tables-list summary .muted").startswith("3 rows"), "its rows")
        browser.click("#tables-list summary")
        browser.wait(lambda: "amount" in browser.text(".inside"), "its columns")
        browser.click(".inside button")
        browser.wait(lambda: browser.text("#result-count") == "3 rows", "its rows as a result")


EXAMPLES = [
    "CREATE TABLE visits (id INT PRIMARY KEY, day DATE, country VARCHAR(2), amount DECIMAL(8,2))",
    "INSERT INTO visits VALUES (1, '2026-01-01', 'DE', 9.50), (2, '2026-01-01', 'FR', 20), (3, '2026-01-02', 'DE', NULL)",
    "SELECT country, count(*) AS visits, sum(amount) AS amount FROM visits GROUP BY country",
]


def test_results(browser, server):
    visit(browser, server)
    ask(browser, "SELECT id, name, price, day FROM films ORDER BY id")
    expect(browser.texts("#result thead th"), ["id\nint", "name\ntext", "price\ndecimal", "day\ndate"])
    expect(browser.texts("#result tbody td"),
           ["1", "<b>one</b>", "1.50", "2024-02-29", "2", "NULL", "-9007199254740993.25", "NULL"])
    expect(browser.script("return [...document.querySelectorAll('#result tbody tr:first-child td')]"
                          ".map((e) => getComputedStyle(e).textAlign)"), ["right", "left", "right", "left"])
    expect(browser.script("return document.querySelectorAll('#result .null').length"), 2)
    ask(browser, "SELECT '' AS empty, 'NULL' AS word, unhex('00ff') AS bytes, 12345678901234567890 AS big")
    expect(browser.texts("#result tbody td"), ["", "NULL", "0x00FF", "12345678901234567890"])
    expect(browser.script("return document.querySelectorAll('#result .null').length"), 0)
    ask(browser, "SELECT 1 WHERE 1 = 0")
    expect(browser.text("#result-count"), "0 rows")
    ask(browser, "SELECT 1 / 0 AS x")
    expect("Division by 0" in browser.text("#result") or browser.text("#result .null") == "NULL", True)
    # What is selected runs alone.
    write(browser, "SELECT 1 AS one; SELECT 2 AS two")
    browser.script("document.querySelector('#sql').setSelectionRange(17, 32)")
    browser.type("#sql", CONTROL + ENTER)
    browser.wait(lambda: browser.texts("#result thead th") == ["two\nint"], "the selected statement")


def test_many_rows(browser, server):
    visit(browser, server)
    ask(browser, "SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM digits a, digits b, digits c, digits e ORDER BY n")
    expect(browser.text("#result-count"), "10,000 rows")
    expect(browser.is_shown("#result .note"), False)
    drawn = "return document.querySelectorAll('#result tbody tr').length"
    expect(browser.script(drawn) < 1000, True)
    head = "return document.querySelector('#result th').getBoundingClientRect().top"
    top = browser.script(head)
    for _ in range(3):
        before = browser.script(drawn)
        browser.script("const e = document.querySelector('#result .scroll'); e.scrollTop = e.scrollHeight")
        browser.wait(lambda: browser.script(drawn) > before, "more rows come as they are scrolled to")
    expect(browser.script(head), top, "the head stays")
    ask(browser, "SELECT a.d AS n FROM digits a, digits b, digits c, digits e, digits f")
    expect(browser.text("#result-count"), "10,000 rows and more")
    expect("Only the first" in browser.text("#result .note"), True)
    ask(browser, "SELECT repeat('x', 100000) AS x FROM digits")
    expect("32 KiB" in browser.text("#result .note"), True)


def test_charts(browser, server):
    visit(browser, server)
    ask(browser, "SELECT concat('group ', d) AS name, d * d - 20 AS a, IF(d = 5, NULL, d) AS b FROM digits ORDER BY d")
    browser.click("[data-view=chart]")
    expect(browser.texts(".legend span"), ["a", "b"])
    browser.wait(lambda: browser.script("return document.querySelectorAll('.chart .bar-mark').length") == 19, "bars")
    expect("group 7" in browser.script("return [...document.querySelectorAll('.chart title')].map((e) => e.textContent)[7]"),
           True)
    look_around(browser, "bars")
    ask(browser, "SELECT DATE_ADD('2026-01-01', INTERVAL a.d + 10 * b.d DAY) AS day, a.d * b.d AS n FROM digits a, digits b "
                 "ORDER BY day")
    browser.wait(lambda: browser.script("return document.querySelectorAll('.chart path.line').length") == 1, "a line")
    look_around(browser, "line")
    browser.click("[data-view=table]")
    expect(browser.is_shown("#result table"), True)
    ask(browser, "SELECT 'one' AS row_alone, 1 AS n")
    expect(browser.is_shown("[data-view=chart]"), False)


def test_errors(browser, server):
    visit(browser, server)
    ask(browser, "SELECT d\nFROM digits\nWHRE d = 1\nLIMIT 1")
    expect("Error 1064 (42000)" in browser.text("#result .problem"), True)
    expect(browser.text("#result .excerpt").split(), ["line", "3", "WHRE", "d", "=", "1"])
    expect(browser.text("#result .excerpt mark").startswith("d = 1"), True)
    look_around(browser, "error")
    browser.click("#result .excerpt")
    expect(browser.script("const e = document.querySelector('#sql'); return [document.activeElement === e, e.selectionStart]"),
           [True, 26])
    ask(browser, "SELECT * FROM no_such_table")
    expect("Error 1146 (42S02)" in browser.text("#result .problem") and "no_such_table" in browser.text("#result"), True)
    expect(browser.is_shown("#result .excerpt"), False)


def others(server):
    """Statements at work, without the one that asks."""
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("SELECT INFO FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND ID <> connection_id()")
        return [row[0] for row in cur.fetchall()]


def test_cancel(browser, server):
    visit(browser, server)
    for how in ("#cancel", None):
        write(browser, ENDLESS)
        browser.click("#run")
        browser.wait(lambda: others(server) == [ENDLESS], "it runs")
        browser.wait(lambda: "count(*)" in browser.text("#running-list code"), "it is shown as running")
        browser.wait(lambda: "Running for" in browser.text("#elapsed"), "its time")
        if how:
            look_around(browser, "running")
            browser.click(how)
        else:
            browser.type("#sql", "\ue00c")  # Escape
        browser.wait(lambda: "Cancelled after" in browser.text("#result"), "it is cancelled")
        browser.wait(lambda: others(server) == [], "nothing runs")
        browser.wait(lambda: "No statement runs now." in browser.text("#running-list"), "the list is empty")


def test_kill_of_another(browser, server):
    visit(browser, server)
    codes = []

    def run():
        try:
            with server.connect() as conn, conn.cursor() as cur:
                cur.execute(ENDLESS)
        except pymysql.err.MySQLError as error:
            codes.append(error.args[0])
    thread = threading.Thread(target=run)
    thread.start()
    browser.wait(lambda: browser.is_shown("#running-list button"), "the statement of a client")
    expect(browser.text("#running-count"), "1")
    browser.click("#running-list button")
    browser.wait(lambda: codes == [1317], "the client got its error")
    thread.join()
    browser.wait(lambda: not browser.is_shown("#running-list button"), "the list is empty")


def test_leaving_ends_a_statement(browser, server):
    visit(browser, server)
    write(browser, ENDLESS)
    browser.click("#run")
    browser.wait(lambda: others(server) == [ENDLESS], "it runs")
    browser.open("about:blank")
    browser.wait(lambda: others(server) == [], "nothing runs")


def test_figures_pause_when_hidden(browser, server):
    visit(browser, server)
    hide = ("Object.defineProperty(document, 'hidden', { configurable: true, get: () => arguments[0] }); "
            "document.dispatchEvent(new Event('visibilitychange'))").replace("arguments[0]", "%s")
    browser.script(hide % "true")
    expect(browser.text("#live"), "paused")
    browser.script("performance.clearResourceTimings()")
    asked = "return performance.getEntriesByType('resource').length"
    time.sleep(1)  # what was under way
    before = browser.script(asked)
    time.sleep(4)
    expect(browser.script(asked), before, "requests while hidden")
    browser.script(hide % "false")
    browser.wait(lambda: browser.text("#live") == "live" and browser.script(asked) > before, "it goes on")


def test_200_tables(browser):
    with Node() as server:
        with server.connect() as conn, conn.cursor() as cur:
            for i in range(200):
                cur.execute(f"CREATE TABLE table_{i:03}{'_with_a_rather_long_name' if i % 7 == 0 else ''} "
                            "(id INT PRIMARY KEY, at DATETIME, v DECIMAL(8,2))")
            cur.execute("INSERT INTO table_001 VALUES " + ", ".join(f"({i}, now(), {i})" for i in range(2000)))
        visit(browser, server)
        expect(browser.text("#tables-count"), "200")
        expect(len(browser.texts("#tables-list summary")), 200)
        browser.wait(lambda: "2,000 in 200 tables" in browser.text("#figure-rows"), "the sum of rows")
        look_around(browser, "many")
        browser.type("#tables-search", "LE_11")
        browser.wait(lambda: browser.text("#tables-count") == "10 of 200", "what was searched for")
        expect(browser.texts("#tables-list .name")[0], "table_110")
        browser.clear("#tables-search")
        browser.type("#tables-search", "no such")
        browser.wait(lambda: "No table has such a name" in browser.text("#tables-list"), "nothing")


def test_login(browser):
    users = os.path.join(support.folder("users-"), "users.yaml")
    with open(users, "w", encoding="utf-8") as out:
        out.write("users:\n" + "".join(f"  - name: {name}\n    password: \"{hashed(*flags)}\"\n"
                                       for name, flags in LOGINS.items()))
    os.chmod(users, 0o600)
    with Node("--auth", "users", "--users-file", users) as server:
        for name in LOGINS:
            browser.window(*DESK)
            browser.open(f"http://localhost:{server.ports['http']}/")
            browser.wait(lambda: browser.is_shown("#login-form"), "the login")
            expect(browser.is_shown("#page"), False)
            if name == "ann":
                look_around(browser, "login")
            browser.type("#login-user", name)
            browser.type("#login-password", "wrong" + ENTER)
            browser.wait(lambda: "not right" in browser.text("#login-error"), "a refusal")
            browser.type("#login-password", "secret" + ENTER)
            browser.wait(lambda: browser.is_shown("#page") and browser.text("#who") == name, "the page")
            ask(browser, "SELECT user() AS u")
            expect(browser.text("#result tbody td").split("@")[0], name)
            browser.click("#logout")


LOGINS = {"ann": (), "bob": ("--native",)}


def hashed(*flags):
    return subprocess.run([quanta.program("quanta-admin"), "hash-password", *flags], check=True, input="secret\n",
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def prepare(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE digits (d INT PRIMARY KEY)")
        cur.executemany("INSERT INTO digits VALUES (%s)", [(d,) for d in range(10)])
        cur.execute("CREATE TABLE films (id INT PRIMARY KEY, name VARCHAR(20), price DECIMAL(18,2), day DATE)")
        cur.execute("INSERT INTO films VALUES (1, '<b>one</b>', 1.5, '2024-02-29'), (2, NULL, -9007199254740993.25, NULL)")


def test_no_complaints(browser, server):
    """Of the console, in all that went before: a policy that is broken, an error of the script."""
    visit(browser, server)
    # Servers that end, and browsers that leave, are noticed, too.
    expect([line for line in browser.complaints() if "net::ERR_" not in line and " 403 " not in line], [])


def main():
    support.need("quanta", "quanta-admin")
    own_server = (test_without_tables, test_200_tables, test_login)
    with Browser() as browser, Node() as server:
        prepare(server)
        tests = {name: (lambda f=function: f(browser) if f in own_server else f(browser, server))
                 for name, function in globals().items() if name.startswith("test_")}
        support.run_tests(tests, server=server)


if __name__ == "__main__":
    main()
