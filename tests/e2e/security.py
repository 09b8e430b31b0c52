#!/usr/bin/python3
"""Users and TLS: who gets in by which way, what is refused, files that change while the server runs; of `quanta`, and
of `quanta-proxy` in front of a node."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
import quanta
import wire
from support import Node, PORT_ZERO, Proxy, SET_UPS, expect, http_get, mariadb, wait_for

import pymysql
from pymysql import _auth
from pymysql.constants import COMMAND

DIR = support.folder("security-")
USERS = os.path.join(DIR, "users.yaml")
PASSWORDS = {"ann": "secret", "bob": "hid'den ü", "eve": "x" * 200}
NATIVE = ("bob",)
STARTS = {Node: ["quanta", "--data-dir", os.path.join(DIR, "none"), *PORT_ZERO],
          Proxy: ["quanta-proxy", "--node", "127.0.0.1:1", "--mysql-port", "0", "--token-port", "0", "--http-port", "0"]}


def secret(password, *flags):
    done = subprocess.run([quanta.program("quanta-admin"), "hash-password", *flags], check=True,
                          input=password + "\n", stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def write_users(passwords):
    """Replaces the file as an editor does."""
    lines = ["users:"]
    for name, password in passwords.items():
        lines += [f"  - name: {name}",
                  f"    password: \"{secret(password, *(['--native'] if name in NATIVE else []))}\""]
    with open(USERS + ".new", "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.chmod(USERS + ".new", 0o600)
    os.replace(USERS + ".new", USERS)


def login(server, user, password, tls=False, **options):
    """What the server says the user is called."""
    if tls:
        options["ssl"] = {"check_hostname": False, "verify_mode": "none"}
    with server.connect(user=user, password=password.encode(), **options) as conn, conn.cursor() as cur:
        cur.execute("SELECT user()")
        name = cur.fetchone()[0].split("@")[0]
        cur.execute("SHOW STATUS LIKE 'Ssl_version'")
        expect(cur.fetchone()[1], "TLSv1.3" if tls else "")
        return name


def refused(server, user, password, tls=False, code=1045):
    try:
        login(server, user, password, tls)
    except pymysql.MySQLError as error:
        expect(error.args[0], code, f"{user}: {error}")
        if code == 1045:
            expect(f"'{user}'@'127.0.0.1'" in error.args[1], True, error.args[1])
        return
    raise AssertionError(f"{user} got in with {password!r}")


def client(server, *arguments, user="ann", password="secret"):
    return mariadb(server.ports["mysql"], f"--user={user}", f"--password={password}", "-BN",
                   "-e", "SELECT 1", *arguments)


def test_passwords(server):
    for user, password in PASSWORDS.items():
        for tls in (False, True, False):
            expect(login(server, user, password, tls), user)
        for tls in (False, True):
            for wrong in ("", "secre", "secret ", password + "x", "\0", "y" * (300 if tls else 200)):
                refused(server, user, wrong, tls)
    refused(server, "ANN", "secret")


def test_nobody_is_treated_like_somebody(server):
    for name in ("carl", "dora", "emil", "fred", "gert", "hans"):
        refused(server, name, "secret")
        refused(server, name, "", True)


def test_plugins_of_the_command_line_client(server):
    for arguments in ((), ("--ssl",), ("--default-auth=mysql_native_password",),
                      ("--default-auth=caching_sha2_password",),
                      ("--ssl", "--default-auth=mysql_clear_password"),
                      ("--default-auth=mysql_clear_password",)):
        for user in ("ann", "bob"):
            done = client(server, *arguments, user=user, password=PASSWORDS[user])
            expect((done.stdout, done.stderr), ("1\n", ""), f"{user} {arguments}")
            done = client(server, *arguments, user=user, password="wrong")
            expect("ERROR 1045 (28000)" in done.stderr, True, f"{user} {arguments} {done.stderr}")


def test_password_is_not_told_in_the_clear(server):
    """Without TLS the client that insists on mysql_clear_password is asked for something else."""
    done = client(server, "--default-auth=mysql_clear_password", user="bob",
                  password=PASSWORDS["bob"])
    expect(done.stdout, "1\n")


def change_user(conn, user, password):
    """COM_CHANGE_USER, which PyMySQL has no call for; what the server answers last."""
    conn.user, conn.password = user.encode(), password.encode()
    proof = _auth.scramble_native_password(conn.password, conn.salt)
    conn._execute_command(COMMAND.COM_CHANGE_USER, user.encode() + b"\0" + bytes([len(proof)]) + proof +
                          b"quanta\0\x2d\0mysql_native_password\0")
    packet = conn._read_packet()
    if packet.is_auth_switch_request():
        packet.read_uint8()
        conn._process_auth(packet.read_string(), packet)


def test_change_user(server):
    for tls in (None, {"check_hostname": False}):
        with server.connect(user="ann", password="secret", ssl=tls) as conn, conn.cursor() as cur:
            cur.execute("SET @v = 1")
            for user in ("bob", "ann", "bob", "bob"):
                change_user(conn, user, PASSWORDS[user])
                cur.execute("SELECT user(), @v, database()")
                expect(cur.fetchone(), (f"{user}@127.0.0.1", None, "quanta"))
            try:
                change_user(conn, "ann", "wrong")
            except pymysql.MySQLError as error:
                expect(error.args[0], 1045)
            else:
                raise AssertionError("ann got in")


def test_file_is_read_again(server):
    with server.connect(user="ann", password="secret") as old:
        write_users({"ann": "changed", "fay": "new"})
        wait_for(lambda: succeeds(server, "fay", "new"), 10, "the new user")
        refused(server, "ann", "secret")
        expect(login(server, "ann", "changed"), "ann")
        refused(server, "bob", PASSWORDS["bob"])
        with old.cursor() as cur: # who is in stays
            cur.execute("SELECT 1")
        before = server.error_text().count("read again")
        os.kill(server.pid, signal.SIGHUP)
        wait_for(lambda: server.error_text().count("read again") > before, 10, "SIGHUP")
        with open(USERS, "w", encoding="utf-8") as file:
            file.write("users:\n  - name: ann\n    password: changed\n")
        wait_for(lambda: "users.yaml:3: password: allowed is" in server.error_text(), 10, "the error")
        expect(login(server, "ann", "changed"), "ann")
        expect("changed" in server.error_text().replace("has changed", ""), False, "told to the log")
    write_users(PASSWORDS)
    wait_for(lambda: succeeds(server, "bob", PASSWORDS["bob"]), 10, "the old users")


def succeeds(server, user, password):
    try:
        login(server, user, password)
    except pymysql.MySQLError:
        return False
    return True


def test_large_results_and_statements_over_tls(server):
    with server.connect(user="ann", password="secret",
                        ssl={"check_hostname": False}) as conn, conn.cursor() as cur:
        for size in (0, 1, 16383, 16384, 70000, 3 << 20, 17 << 20):
            text = "ab€" * (size // 5)
            cur.execute("SELECT %s, length(%s)", (text, text))
            expect(cur.fetchone() == (text, len(text.encode())), True, f"{size} bytes")


def test_nonsense_instead_of_tls(server):
    hello = bytes.fromhex("20000001008a0000000000002d" + "00" * 23)
    for rest in (b"", b"x" * 1000, b"\x16\x03\x01\xff\xff" + b"y" * 3000, hello):
        with socket.create_connection(("127.0.0.1", server.ports["mysql"])) as sock:
            sock.recv(1000)
            sock.sendall(hello + rest)
    expect(login(server, "ann", "secret", True), "ann")


def test_old_versions_of_tls_are_refused(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", server.ports["mysql"])) as sock:
        sock.recv(1000)
        sock.sendall(bytes.fromhex("20000001008a0000000000002d" + "00" * 23))
        with context.wrap_socket(sock) as secure:
            expect(secure.version(), "TLSv1.2")


def usage(set_up, *arguments):
    """Exit status and stderr of a start that must fail."""
    name, *usual = STARTS[set_up]
    done = subprocess.run([quanta.program(name), *usual, *arguments], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=support.HANG_SECONDS)
    return done.returncode, done.stderr


def other_flags_that_do_not_fit(set_up):
    for arguments, what in ((("--auth", "users"), "needs --users-file"),
                            (("--users-file", USERS), "--auth is off"),
                            (("--tls-cert", USERS), "one is missing"),
                            (("--auth", "maybe"), "off|users"),
                            (("--bind", "0.0.0.0"), "--insecure"),
                            (("--bind", "0.0.0.0", "--auth", "users", "--users-file", USERS,
                              "--tls", "off"), "--insecure")):
        status, text = usage(set_up, *arguments)
        expect((status, what in text), (2, True), text)
    for arguments, what in ((("--auth", "users", "--users-file", "/nowhere"), "/nowhere cannot be"),
                            (("--tls-cert", USERS, "--tls-key", USERS), "holds no certificate")):
        status, text = usage(set_up, *arguments)
        expect((status, what in text), (1, True), text)


def certificate(name):
    cert, key = os.path.join(DIR, name + ".pem"), os.path.join(DIR, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


def other_own_certificate_and_tls_for_all(set_up):
    if not shutil.which("openssl"):
        print("no openssl: a certificate of one's own is not tested")
        return
    cert, key = certificate("first")
    with set_up("--tls", "required", "--tls-cert", cert, "--tls-key", key) as server:
        trusted = {"ssl": {"ca": cert}, "user": "any"}
        with server.connect(**trusted) as conn, conn.cursor() as cur:
            cur.execute("SELECT @@require_secure_transport, @@have_ssl")
            expect(cur.fetchone(), (1, "YES"))
        refused(server, "any", "", code=3159)
        for name in (cert, key):
            shutil.copy(name, name + ".old")
        fresh = certificate("second")
        for new, name in zip(fresh, (cert, key)):
            os.replace(new, name)
        def works():
            try:
                server.connect(**trusted).close()
            except pymysql.MySQLError:
                return False
            return True
        wait_for(works, 10, "the new certificate")


def other_addresses_with_authentication(set_up):
    """Beyond loopback the MySQL port alone listens."""
    with set_up("--bind", "0.0.0.0", "--auth", "users", "--users-file", USERS) as server:
        expect(login(server, "ann", "secret", True), "ann")
        expect(http_get(server.ports["http"], "/healthz")[0], 200)
        address = own_address()
        if not address:
            print("no other address than loopback: the other ports are not tested")
            return
        socket.create_connection((address, server.ports["mysql"])).close()
        for port in ("grpc", "http"):
            if port not in server.ports:
                continue
            try:
                socket.create_connection((address, server.ports[port])).close()
            except OSError:
                continue
            raise AssertionError(f"the {port} port listens on {address}")


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
            address = sock.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


def other_tls_off(set_up):
    with set_up("--tls", "off") as server:
        done = mariadb(server.ports["mysql"], "--ssl", "-BN", "-e", "SELECT 1")
        expect(done.returncode != 0 or done.stdout == "1\n", True)
        expect(server.value("SELECT @@have_ssl"), "DISABLED")


def other_many_wrong_passwords(set_up):
    """After so many every login of the address waits for the one before, a second each; others do not."""
    with set_up("--auth", "users", "--users-file", USERS, "--login-failures", "3") as server:
        for _ in range(3):
            refused(server, "ann", "wrong")
        started = time.monotonic()
        refused(server, "ann", "wrong")
        expect(login(server, "ann", "secret"), "ann")
        expect(login(server, "bob", PASSWORDS["bob"]), "bob")
        expect(time.monotonic() - started >= 1.9, True, "three logins, two pauses")
        # Who leaves while it waits leaves nothing behind.
        links = []
        for _ in range(2):
            link = socket.create_connection(("127.0.0.1", server.ports["mysql"]), 10)
            wire.Wire.receive(SimpleNamespace(exactly=lambda n, link=link: link.recv(n, socket.MSG_WAITALL)))
            link.sendall(wire.packet(wire.login(user=b"bob"), 1))
            links.append(link)
        for link in links:
            link.close()
        with server.connect(user="ann", password=b"secret", bind_address="127.0.0.2") as conn:
            conn.ping(reconnect=False)


def main():
    support.need("quanta", "quanta-admin", "quanta-node", "quanta-proxy")
    failed = 0
    for set_up in SET_UPS:
        print(f"{STARTS[set_up][0]}:", flush=True)
        write_users(PASSWORDS)
        failed += support.run_functions(globals(), set_up, prefix="other_")
        with set_up("--auth", "users", "--users-file", USERS, "--login-failures", "0") as server:
            failed += support.run_functions(globals(), server, server=server)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
