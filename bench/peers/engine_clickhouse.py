"""ClickHouse, a server on a folder of its own, asked over its HTTP port."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from engine import Engine, Failed, fetch, size_of, with_loader

START_SECONDS = 60
CONFIG = """<yandex>
<logger><level>warning</level><log>{place}/log</log><errorlog>{place}/errors</errorlog></logger>
<http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
<path>{place}/data/</path><tmp_path>{place}/tmp/</tmp_path><timezone>UTC</timezone>
<keep_alive_timeout>86400</keep_alive_timeout><mark_cache_size>536870912</mark_cache_size><users_config>{place}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
</yandex>
"""
USERS = """<yandex><profiles><default><max_threads>{threads}</max_threads>
<max_memory_usage>17179869184</max_memory_usage></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
<quota>default</quota></default></users><quotas><default/></quotas></yandex>
"""
TABLES = {
    "events": "id Int64, ts DateTime, device String, country String, event String, content_id Int64, "
              "user_id String, duration Int64, revenue Decimal(12,2), live Enum8('false' = 0, 'true' = 1)",
    "content": "content_id Int64, title String, category String, year Int64, rating Decimal(4,1)",
}


def _free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class ClickHouse(Engine):
    """MergeTree tables ordered by their keys, statements in the words of this old version."""
    name = "ClickHouse"
    wants_csv = True

    def __init__(self, place, rows, threads):
        root, version = fetch("clickhouse")
        self.rows = rows
        self.note = f"ClickHouse {version}, {threads} threads, MergeTree, over its HTTP port"
        self.place = tempfile.mkdtemp(prefix="clickhouse-", dir=place)
        self.port = _free_port()
        for name, text in (("config.xml", CONFIG), ("users.xml", USERS)):
            with open(os.path.join(self.place, name), "w", encoding="ascii") as file:
                file.write(text.format(place=self.place, http=self.port, tcp=_free_port(), threads=threads))
        with open(os.path.join(self.place, "out"), "wb") as out:
            self.process = subprocess.Popen(
                with_loader(root, os.path.join(root, "usr/sbin/clickhouse-server"),
                            f"--config-file={self.place}/config.xml"),
                cwd=self.place, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.pid = self.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        self._wait()

    def _wait(self):
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask("SELECT 1")
                return
            except (OSError, http.client.HTTPException):
                self.connection.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    with open(os.path.join(self.place, "out"), errors="replace", encoding="utf-8") as file:
                        text = file.read()[-500:]
                    self.__exit__()
                    raise Failed("the server did not start: " + text) from None
                time.sleep(0.1)

    def __exit__(self, *_):
        self.connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def _ask(self, text, path="/", body=None):
        """The answer's bytes."""
        self.connection.request("POST", path, body=body if body is not None else text.encode())
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise Failed(data.decode(errors="replace")[:300])
        return data

    def load_table(self, table, files):
        columns = TABLES[table]
        key = columns.split()[0]
        self._ask(f"CREATE TABLE {table} ({columns}) ENGINE = MergeTree PARTITION BY tuple() ORDER BY {key}")
        with open(files[table + ".csv"], "rb") as file:
            self._ask("", f"/?query=INSERT%20INTO%20{table}%20FORMAT%20CSVWithNames", file)

    def finish_load(self):
        self._ask("OPTIMIZE TABLE events FINAL")

    def sizes(self):
        return {"disk": size_of(os.path.join(self.place, "data"))}

    def statement(self, query, text):
        if query == "P1":
            return None  # this version has no percentile that interpolates
        if query == "J1":
            year = re.search(r">= (\d+)", text)[1]
            return ("SELECT category, count(*), sum(revenue) FROM events ALL INNER JOIN (SELECT content_id, category "
                    f"FROM content WHERE year >= {year}) USING content_id GROUP BY category")
        text = text.replace("live = true", "live = 'true'")
        return re.sub(r"ts (>=|<) '([0-9-]+)'", r"ts \1 toDateTime('\2 00:00:00')", text)

    def time(self, query, text):
        text = self.statement(query, text)
        started = time.perf_counter()
        self._ask(text)
        return (time.perf_counter() - started) * 1e6

    def answer(self, query, text, path):
        with open(path, "wb") as file:
            file.write(self._ask(self.statement(query, text)))
