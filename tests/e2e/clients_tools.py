#!/usr/bin/python3
"""Programs: the mariadb client, mycli, mariadb-dump and its restore, mariadb-import, sysbench."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import expect, mariadb, wait_for

ROW = "concat_ws('|', id, ifnull(price, 'NULL'), ifnull(day, 'NULL'), ifnull(at, 'NULL'), ifnull(name, 'NULL'), " \
      "ifnull(big, 'NULL'))"
INSERT = ("INSERT INTO m VALUES (1, -12.50, '2024-02-29', '2024-02-29 23:59:59.123456', 'Zürich 東京 🙂', "
          "-9007199254740993), (2, NULL, NULL, NULL, NULL, NULL), "
          "(3, 0, '1970-01-01', '1969-12-31', '', 0)")


def command(server, name, *arguments):
    """A program of MariaDB's with the server's address."""
    return [matrix.need_command(name), "--no-defaults", "--protocol=tcp", "--host=127.0.0.1",
            f"--port={server.ports['mysql']}", "--user=demo", *arguments]


def test_mariadb(server):
    script = (f"{matrix.CREATE};\n{INSERT};\n"
              f"SELECT concat('row ', {ROW}) FROM m ORDER BY id;\n"
              "PREPARE one FROM 'SELECT count(*) FROM m WHERE id > ? AND name = ?';\n"
              "SET @id = 0, @name = '';\nEXECUTE one USING @id, @name;\nDEALLOCATE PREPARE one;\n")
    done = mariadb(server.ports["mysql"], "quanta", "-BN", text=script)
    expect((done.returncode, done.stderr), (0, ""))
    expect(done.stdout.splitlines(), ["row " + row for row in matrix.ROWS] + ["1"])
    done = mariadb(server.ports["mysql"], "quanta", "-BN", "--quick", "-e", "SELECT id, price FROM large")
    pairs = [line.split("\t") for line in done.stdout.splitlines()]
    expect((len(pairs), sum(int(one) for one, _ in pairs)), (matrix.LARGE, matrix.LARGE * (matrix.LARGE + 1) // 2))
    done = mariadb(server.ports["mysql"], "quanta", "-BN", "--force",
                   text="SELECT * FROM nothing;\nINSERT INTO m (id) VALUES (1);\nSELECT nothing FROM m;\n")
    expect(re.findall(r"^ERROR (\d+) \((\w+)\)", done.stderr, re.M),
           [("1146", "42S02"), ("1062", "23000"), ("1054", "42S22")])
    reconnect(server)
    mariadb(server.ports["mysql"], "quanta", "-e", "DROP TABLE m")


def reconnect(server):
    """A client whose connection is killed says so; the next one connects."""
    with subprocess.Popen(command(server, "mariadb", "-BN", "--unbuffered", "quanta"), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as client:
        client.stdin.write("SELECT connection_id();\n")
        client.stdin.flush()
        first = int(client.stdout.readline())
        with server.connect() as conn:
            conn.cursor().execute(f"KILL {first}")
            wait_for(lambda: conn.cursor().execute("SELECT 1 FROM information_schema.processlist WHERE id = %s", first) == 0,
                     10, "it ends")
        _, err = client.communicate("SELECT 1;\n")
        assert client.returncode == 1 and re.search(r"ERROR (2013|2006)", err), err
    expect(mariadb(server.ports["mysql"], "quanta", "-BN", "-e", "SELECT 1").stdout, "1\n")


def test_dump_and_restore(server):
    mariadb(server.ports["mysql"], "quanta", text=f"{matrix.CREATE};\n{INSERT};\n")
    before = mariadb(server.ports["mysql"], "quanta", "-B", "-e", "SELECT * FROM m ORDER BY id; SHOW CREATE TABLE m")
    for options in ([], ["--single-transaction"], ["--skip-extended-insert", "--complete-insert"], ["--skip-opt"],
                    ["--order-by-primary", "--hex-blob"]):
        dump = matrix.run(command(server, "mariadb-dump", *options, "quanta", "m"))
        mariadb(server.ports["mysql"], "quanta", "-e", "DROP TABLE m")
        done = mariadb(server.ports["mysql"], "quanta", text=dump)
        expect((done.returncode, done.stderr), (0, ""), str(options))
        after = mariadb(server.ports["mysql"], "quanta", "-B", "-e",
                        "SELECT * FROM m ORDER BY id; SHOW CREATE TABLE m")
        expect(after.stdout, before.stdout, str(options))
    dump = matrix.run(command(server, "mariadb-dump", "quanta", "large"))
    done = mariadb(server.ports["mysql"], "quanta", text=dump.replace("`large`", "`restored`"))
    expect((done.returncode, done.stderr), (0, ""))
    expect(server.value("SELECT concat(count(*), ' ', sum(id), ' ', sum(price)) FROM restored"),
           matrix.SUMS.split(" ", 1)[1])
    everything = matrix.run(command(server, "mariadb-dump", "--all-databases"))
    assert "CREATE TABLE `restored`" in everything and "CREATE TABLE `m`" in everything
    mariadb(server.ports["mysql"], "quanta", "-e", "DROP TABLE m, restored")


def test_show_and_admin(server):
    found = matrix.run(command(server, "mariadb-show", "quanta"))
    assert re.search(r"^\| large +\|", found, re.M), found
    assert "mysqld is alive" in matrix.run(command(server, "mariadb-admin", "ping")).replace("mariadbd", "mysqld")
    assert "Uptime" in matrix.run(command(server, "mariadb-admin", "status"))
    assert "Threads_connected" in matrix.run(command(server, "mariadb-admin", "extended-status"))
    assert "demo" in matrix.run(command(server, "mariadb-admin", "processlist"))
    assert "large" in matrix.run(command(server, "mariadb-check", "quanta"))


def test_mycli(server):
    def mycli(statement):
        return matrix.run([matrix.need_command("mycli"), "-h", "127.0.0.1", "-P", str(server.ports["mysql"]),
                           "-u", "demo", "-D", "quanta", "--csv", "-e", statement],
                          env={"HOME": os.environ.get("TEST_TMP", "/tmp"), "LC_ALL": "C.UTF-8"})
    mycli(f"{matrix.CREATE}; {INSERT}")
    expect(mycli(f"SELECT {ROW} AS row_text FROM m ORDER BY id").replace('"', "").split("\n")[1:4], matrix.ROWS)
    assert len(mycli("SELECT id, name FROM large").splitlines()) == matrix.LARGE + 1
    try:
        mycli("SELECT * FROM nothing")
    except AssertionError as err:
        assert "1146" in str(err), err
    else:
        raise AssertionError("no error")
    mycli("DROP TABLE m")


def test_sysbench(server):
    """Reads and writes by key through statements prepared by the server, and connecting again each time."""
    def sysbench(script, *arguments):
        return matrix.run([matrix.need_command("sysbench"), script, "--db-driver=mysql", "--mysql-host=127.0.0.1",
                           f"--mysql-port={server.ports['mysql']}", "--mysql-user=root", "--mysql-db=quanta",
                           "--tables=2", "--table-size=1000", "--auto_inc=off", "--threads=4", *arguments])
    sysbench("oltp_read_write", "prepare")
    expect(server.value("SELECT count(*) FROM sbtest2"), 1000)
    for script, arguments in (("oltp_point_select", ()), ("oltp_read_only", ("--skip-trx=on",)),
                              ("oltp_read_only", ("--skip-trx=off", "--range-size=10")),
                              ("oltp_update_non_index", ()), ("oltp_read_write", ("--threads=1", "--skip-trx=on")),
                              ("oltp_read_write", ("--threads=1", "--db-ps-mode=disable"))): # deletes and inserts a key
        found = sysbench(script, "--time=1", "--events=0", *arguments, "run")
        done = int(re.search(r"transactions: +(\d+)", found).group(1))
        assert done > 10, (script, found)
        expect(re.search(r"ignored errors: +(\d+)", found).group(1), "0", script)
    sysbench("oltp_read_write", "cleanup")


if __name__ == "__main__":
    matrix.main(globals())
