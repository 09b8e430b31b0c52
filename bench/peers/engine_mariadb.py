"""MariaDB, a private server, asked by `quanta-bench client` over its socket."""

import os

from engine import Engine, Missing, Worker, size_of
from engine_quanta import quanta  # also makes the modules of the tests known
import mariadb

TABLES = {
    "events": "id BIGINT PRIMARY KEY, ts DATETIME, device VARCHAR(10), country CHAR(4), event VARCHAR(3), "
              "content_id BIGINT, user_id VARCHAR(10), duration BIGINT, revenue DECIMAL(12,2), live BOOLEAN, "
              "KEY (ts), KEY (user_id), KEY (device, event, country)",
    "content": "content_id BIGINT PRIMARY KEY, title VARCHAR(20), category VARCHAR(3), year INT, rating DECIMAL(4,1)",
}
EVENTS_COLUMNS = "id, ts, device, country, event, content_id, user_id, duration, revenue"
BUFFER_BYTES = 6 << 30


class MariaDBEngine(Engine):
    """InnoDB, the whole table in its buffer pool, indexes for what they can do."""
    name = "MariaDB"
    wants_csv = True

    def __init__(self, place, rows):
        if not mariadb.is_available():
            raise Missing("mariadbd is not installed (make deps-test)")
        self.rows = rows
        self.server = mariadb.MariaDB(place).__enter__()
        self.pid = self.server.process.pid
        with self.server.connect() as conn, conn.cursor() as cur:
            cur.execute("SELECT version()")
            version = cur.fetchone()[0]
            cur.execute(f"SET GLOBAL innodb_buffer_pool_size = {BUFFER_BYTES}")
            cur.execute("SET GLOBAL max_statement_time = 0")
        self.note = f"MariaDB {version}, InnoDB with indexes, over its socket"
        self.worker = Worker([quanta.program("quanta-bench"), "client", "--socket", self.server.socket])

    def __exit__(self, *_):
        super().__exit__()
        self.server.stop()

    def load_table(self, table, files):
        last = f" ({EVENTS_COLUMNS}, @live) SET live = @live = 'true'" if table == "events" else ""
        with self.server.connect(local_infile=True) as conn, conn.cursor() as cur:
            cur.execute(f"CREATE TABLE {table} ({TABLES[table]}) COLLATE {mariadb.COLLATION}")
            cur.execute(f"LOAD DATA LOCAL INFILE '{files[table + '.csv']}' INTO TABLE {table} "
                        f"FIELDS TERMINATED BY ',' IGNORE 1 LINES{last}")

    def finish_load(self):
        with self.server.connect() as conn, conn.cursor() as cur:
            cur.execute("ANALYZE TABLE events, content")

    def sizes(self):
        return {"disk": size_of(os.path.join(self.server.folder, "data", "quanta"))}

    def statement(self, query, text):
        return None if query == "P1" else text  # a window function there, not an aggregate
