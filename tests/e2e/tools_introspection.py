#!/usr/bin/python3
"""The statements that tools and drivers send when they connect and list tables: each is answered with the columns that
the tool reads and with what is true of the tables, or with the error that MySQL gives."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import support
from support import SET_UPS, expect

import pymysql

NAMES = ["films", "old", "studios"]
COLUMNS = ["id", "title", "studio", "price", "shown", "seen", "good"]


def fill(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE studios (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL)")
        cur.execute("CREATE TABLE films (id BIGINT PRIMARY KEY, title VARCHAR(100) NOT NULL COMMENT 'what it is called',"
                    " studio INT REFERENCES studios (id), price DECIMAL(10,2) DEFAULT 1, shown DATE, seen DATETIME(3),"
                    " good BOOLEAN, FULLTEXT KEY title (title)) COMMENT='all films'")
        cur.execute("CREATE VIEW old AS SELECT id, title FROM films WHERE shown < '2000-01-01'")
        cur.execute("INSERT INTO studios VALUES (1, 'one'), (2, 'two')")


class Tool:
    """A connection that asks as one tool does."""

    def __init__(self, server, database="quanta"):
        self.conn = server.connect(database=database, cursorclass=pymysql.cursors.DictCursor)
        self.names = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.conn.close()

    def ask(self, statement, *columns):
        """Rows by column; with columns those the answer must have, in that order."""
        with self.conn.cursor() as cur:
            cur.execute(statement)
            self.names = [d[0] for d in cur.description or ()]
            if columns:
                expect(self.names, list(columns), statement)
            return list(cur.fetchall())

    def one(self, statement, *columns):
        rows = self.ask(statement, *columns)
        expect(len(rows), 1, statement)
        return rows[0]

    def values(self, statement, column=None):
        """One column, the first unless named."""
        rows = self.ask(statement)
        found = [row[column or self.names[0]] for row in rows]
        return [v.decode() if isinstance(v, bytes) else v for v in found]

    def error(self, statement):
        try:
            self.ask(statement)
        except pymysql.MySQLError as refusal:
            return refusal.args[0]
        raise AssertionError(f"{statement} was answered")


def test_connector_j(server):
    """com.mysql.cj: at connect, then DatabaseMetaData both ways (useInformationSchema or not)."""
    with Tool(server) as tool:
        names = ("auto_increment_increment character_set_client character_set_connection character_set_results "
                 "character_set_server collation_server collation_connection init_connect interactive_timeout license "
                 "lower_case_table_names max_allowed_packet net_write_timeout performance_schema sql_mode "
                 "system_time_zone time_zone transaction_isolation wait_timeout").split()
        found = tool.one("/* mysql-connector-j-8.0.33 (Revision: 0) */SELECT  @@session.auto_increment_increment AS "
                         "auto_increment_increment, " + ", ".join(f"@@{n} AS {n}" for n in names[1:]), *names)
        expect((found["time_zone"], found["transaction_isolation"]), ("SYSTEM", "REPEATABLE-READ"))
        for statement in ("SET character_set_results = NULL", "SET autocommit=1", "SET sql_mode='STRICT_TRANS_TABLES'",
                          "set session transaction read write"):
            tool.ask(statement)
        expect(tool.values("select @@session.transaction_read_only"), [0])
        expect(tool.ask("SHOW FULL TABLES FROM `quanta` LIKE '%'", "Tables_in_quanta", "Table_type"),
               [{"Tables_in_quanta": n, "Table_type": "VIEW" if n == "old" else "BASE TABLE"} for n in NAMES])
        expect(tool.values("SHOW FULL COLUMNS FROM `films` FROM `quanta` LIKE '%'"), COLUMNS)
        keys = tool.ask("SHOW KEYS FROM `films` FROM `quanta`")
        expect([(k["Key_name"], k["Column_name"], k["Non_unique"], k["Null"], k["Index_type"]) for k in keys],
               [("PRIMARY", "id", 0, "", "BITMAP"), ("title", "title", 1, "", "FULLTEXT"),
                ("studio", "studio", 1, "YES", "BITMAP")])
        expect("FOREIGN KEY (`studio`) REFERENCES `studios` (`id`)" in
               tool.one("SHOW CREATE TABLE `quanta`.`films`", "Table", "Create Table")["Create Table"], True)
        expect(tool.ask("SHOW COLUMNS FROM `films` FROM `quanta` WHERE Extra LIKE '%on update CURRENT_TIMESTAMP%'"), [])
        expect(tool.ask("SELECT c.host, c.db, t.grantor, c.user, c.table_name, c.column_name, c.column_priv FROM "
                        "mysql.columns_priv c, mysql.tables_priv t WHERE c.host = t.host AND c.db = t.db AND "
                        "c.table_name = t.table_name AND c.db LIKE 'quanta' AND c.table_name ='films' AND "
                        "c.column_name LIKE '%' ORDER BY c.column_name, c.column_priv"), [])
        expect(tool.ask("SELECT host,db,table_name,grantor,user,table_priv FROM mysql.tables_priv WHERE db LIKE "
                        "'quanta' AND table_name LIKE '%'", "host", "db", "table_name", "grantor", "user",
                        "table_priv"), [])
        words = tool.values("SELECT WORD FROM INFORMATION_SCHEMA.KEYWORDS WHERE RESERVED=1 ORDER BY WORD")
        expect({"SELECT", "FROM", "WHERE"} <= set(words) and "COMMENT" not in words, True, str(words))
        found = tool.ask(
            "SELECT TABLE_SCHEMA AS TABLE_CAT, NULL AS TABLE_SCHEM, TABLE_NAME, CASE WHEN TABLE_TYPE='BASE TABLE' THEN "
            "CASE WHEN TABLE_SCHEMA = 'mysql' OR TABLE_SCHEMA = 'performance_schema' OR TABLE_SCHEMA = 'sys' THEN "
            "'SYSTEM TABLE' ELSE 'TABLE' END WHEN TABLE_TYPE='TEMPORARY' THEN 'LOCAL_TEMPORARY' ELSE TABLE_TYPE END AS "
            "TABLE_TYPE, TABLE_COMMENT AS REMARKS, NULL AS TYPE_CAT FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA "
            "= 'quanta' AND TABLE_NAME LIKE '%' HAVING TABLE_TYPE IN ('TABLE','VIEW',null,null,null) ORDER BY "
            "TABLE_TYPE, TABLE_SCHEMA, TABLE_NAME")
        expect([(r["TABLE_NAME"], r["TABLE_TYPE"], r["REMARKS"]) for r in found],
               [("films", "TABLE", "all films"), ("studios", "TABLE", ""), ("old", "VIEW", "VIEW")])
        key = tool.one(
            "SELECT A.REFERENCED_TABLE_NAME AS PKTABLE_NAME, A.REFERENCED_COLUMN_NAME AS PKCOLUMN_NAME, A.TABLE_NAME AS "
            "FKTABLE_NAME, A.COLUMN_NAME AS FKCOLUMN_NAME, A.ORDINAL_POSITION AS KEY_SEQ, CASE WHEN R.UPDATE_RULE="
            "'CASCADE' THEN 0 WHEN R.UPDATE_RULE='NO ACTION' THEN 3 ELSE 3 END AS UPDATE_RULE, A.CONSTRAINT_NAME AS "
            "FK_NAME, R.UNIQUE_CONSTRAINT_NAME AS PK_NAME, 7 AS DEFERRABILITY FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE "
            "A JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS B USING (CONSTRAINT_NAME, TABLE_NAME) LEFT JOIN "
            "INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS R ON R.CONSTRAINT_NAME = B.CONSTRAINT_NAME AND R.TABLE_NAME = "
            "B.TABLE_NAME AND R.CONSTRAINT_SCHEMA = B.TABLE_SCHEMA WHERE B.CONSTRAINT_TYPE = 'FOREIGN KEY' AND "
            "A.TABLE_SCHEMA LIKE 'quanta' AND A.TABLE_NAME='films' AND A.REFERENCED_TABLE_SCHEMA IS NOT NULL ORDER BY "
            "A.REFERENCED_TABLE_SCHEMA, A.REFERENCED_TABLE_NAME, A.ORDINAL_POSITION")
        expect([key[n] for n in ("PKTABLE_NAME", "PKCOLUMN_NAME", "FKTABLE_NAME", "FKCOLUMN_NAME", "PK_NAME")],
               ["studios", "id", "films", "studio", "PRIMARY"])
        for table in ("ROUTINES", "PARAMETERS", "COLUMN_PRIVILEGES"):
            expect(tool.ask(f"SELECT * FROM INFORMATION_SCHEMA.{table}"), [])


def test_mariadb_connector_j(server):
    with Tool(server) as tool:
        tool.one("SELECT @@max_allowed_packet,@@system_time_zone,@@time_zone,@@auto_increment_increment")
        found = tool.ask(
            "SELECT TABLE_SCHEMA TABLE_CAT, NULL TABLE_SCHEM, TABLE_NAME, COLUMN_NAME, CASE data_type WHEN 'bigint' THEN "
            "-5 WHEN 'int' THEN 4 WHEN 'varchar' THEN 12 WHEN 'decimal' THEN 3 WHEN 'date' THEN 91 WHEN 'datetime' THEN 93 "
            "WHEN 'tinyint' THEN IF(COLUMN_TYPE like 'tinyint(1)%',-7,-6) ELSE 1111 END DATA_TYPE, UCASE(IF(COLUMN_TYPE LIKE "
            "'%(%)%', CONCAT(SUBSTRING(COLUMN_TYPE,1, LOCATE('(',COLUMN_TYPE) - 1 ), SUBSTRING(COLUMN_TYPE,1+LOCATE(')',"
            " COLUMN_TYPE))), COLUMN_TYPE)) TYPE_NAME, NUMERIC_SCALE DECIMAL_DIGITS, IF(IS_NULLABLE = 'yes',1,0) "
            "NULLABLE, COLUMN_COMMENT REMARKS, COLUMN_DEFAULT COLUMN_DEF, ORDINAL_POSITION, IF(EXTRA = "
            "'auto_increment','YES','NO') IS_AUTOINCREMENT FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = "
            "'quanta' AND TABLE_NAME = 'films' ORDER BY TABLE_CAT, TABLE_SCHEM, TABLE_NAME, ORDINAL_POSITION")
        expect([(r["COLUMN_NAME"], r["DATA_TYPE"], r["TYPE_NAME"], r["NULLABLE"]) for r in found],
               [("id", -5, "BIGINT", 0), ("title", 12, "VARCHAR", 0), ("studio", 4, "INT", 1),
                ("price", 3, "DECIMAL", 1), ("shown", 91, "DATE", 1), ("seen", 93, "DATETIME", 1),
                ("good", -7, "TINYINT", 1)])
        found = tool.ask("SELECT A.TABLE_SCHEMA TABLE_CAT, A.TABLE_NAME, A.COLUMN_NAME, B.SEQ_IN_INDEX KEY_SEQ, "
                         "B.INDEX_NAME PK_NAME FROM INFORMATION_SCHEMA.COLUMNS A, INFORMATION_SCHEMA.STATISTICS B WHERE "
                         "A.COLUMN_KEY in ('PRI','pri') AND B.INDEX_NAME='PRIMARY' AND A.TABLE_SCHEMA = B.TABLE_SCHEMA "
                         "AND A.TABLE_NAME = B.TABLE_NAME AND A.COLUMN_NAME = B.COLUMN_NAME AND A.TABLE_SCHEMA = "
                         "'quanta' AND A.TABLE_NAME = 'films' ORDER BY A.COLUMN_NAME")
        expect([(r["COLUMN_NAME"], r["KEY_SEQ"]) for r in found], [("id", 1)])
        expect(tool.values("SELECT SCHEMA_NAME TABLE_CAT FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY 1"),
               ["information_schema", "quanta"])


def test_dbeaver(server):
    with Tool(server) as tool:
        expect("QUANTA" in tool.values("SHOW ENGINES"), True)
        expect("utf8mb4" in tool.values("SHOW CHARSET"), True)
        expect("utf8mb4_bin" in tool.values("SHOW COLLATION"), True)
        tool.ask("SHOW PLUGINS", "Name", "Status", "Type", "Library", "License")
        row = tool.one("SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME, DEFAULT_ENCRYPTION FROM "
                       "information_schema.SCHEMATA WHERE SCHEMA_NAME = 'quanta'")
        expect(row["DEFAULT_COLLATION_NAME"], "utf8mb4_bin")
        tool.one("SELECT * FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = 'information_schema' AND "
                 "t.TABLE_NAME = 'CHECK_CONSTRAINTS'")
        status = {r["Name"]: r for r in tool.ask("SHOW TABLE STATUS FROM `quanta`")}
        expect((sorted(status), status["films"]["Comment"], status["films"]["Engine"]), (NAMES, "all films", "QUANTA"))
        expect((status["old"]["Comment"], {status["old"][n] for n in tool.names[1:-1]}), ("VIEW", {None}))
        if server.name == "quanta": # a proxy tells what its node last told it
            expect(status["studios"]["Rows"], 2)
        expect(tool.values("SELECT kc.COLUMN_NAME FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE kc WHERE kc.TABLE_SCHEMA="
                           "'quanta' AND kc.REFERENCED_TABLE_NAME IS NULL AND kc.TABLE_NAME='films' ORDER BY "
                           "kc.CONSTRAINT_NAME,kc.ORDINAL_POSITION"), ["id"])
        for statement in ("SELECT * FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='quanta' ORDER BY ROUTINE_NAME",
                          "SELECT * FROM information_schema.TRIGGERS tm WHERE tm.EVENT_OBJECT_SCHEMA='quanta'",
                          "SELECT * FROM information_schema.EVENTS WHERE EVENT_SCHEMA='quanta'",
                          "SELECT * FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA='quanta' AND "
                          "PARTITION_NAME IS NOT NULL", "SHOW PROCEDURE STATUS WHERE Db = 'quanta'",
                          "SELECT cc.CONSTRAINT_NAME, cc.CHECK_CLAUSE, tc.TABLE_NAME FROM "
                          "information_schema.CHECK_CONSTRAINTS cc, information_schema.TABLE_CONSTRAINTS tc WHERE "
                          "cc.CONSTRAINT_SCHEMA='quanta' and cc.CONSTRAINT_NAME = tc.CONSTRAINT_NAME and "
                          "cc.CONSTRAINT_SCHEMA = tc.TABLE_SCHEMA"):
            expect(tool.ask(statement), [], statement)
        expect([r["User"] for r in tool.ask("SELECT * FROM mysql.user ORDER BY user")], ["root"])
        expect(tool.values("SHOW GRANTS"), ["GRANT ALL PRIVILEGES ON *.* TO `root`@`%`"])
        expect(tool.ask("SHOW GRANTS FOR 'ann'@'localhost'", "Grants for ann@localhost"),
               [{"Grants for ann@localhost": "GRANT ALL PRIVILEGES ON *.* TO `ann`@`localhost`"}])
        tool.ask("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def test_datagrip(server):
    with Tool(server) as tool:
        tool.one("select database(), schema(), left(user(),instr(concat(user(),'@'),'@')-1)")
        expect(tool.values("select schema_name from information_schema.schemata where schema_name = 'quanta'"),
               ["quanta"])
        found = tool.ask("select ordinal_position, column_name, column_type, column_default, generation_expression, "
                         "table_name, column_comment, is_nullable, extra, collation_name from "
                         "information_schema.columns where table_schema = 'quanta' order by table_name, "
                         "ordinal_position")
        expect([r["column_name"] for r in found if r["table_name"] == "films"], COLUMNS)
        expect(tool.values("select table_name from information_schema.tables where table_schema = 'quanta' and "
                           "table_type = 'VIEW'"), ["old"])
        expect("films" in tool.one("select table_name, view_definition, definer from information_schema.views where "
                                   "table_schema = 'quanta'")["view_definition"], True)
        for table in ("events", "triggers", "routines", "user_attributes", "role_table_grants",
                      "column_statistics", "st_geometry_columns", "resource_groups"):
            expect(tool.ask(f"select * from information_schema.{table}"), [])


def test_workbench(server):
    with Tool(server) as tool:
        for statement in ("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET CHARACTER SET utf8",
                          "SET NAMES utf8", "SET SQL_SAFE_UPDATES=1"):
            tool.ask(statement)
        expect(tool.one("SHOW SESSION VARIABLES LIKE 'lower_case_table_names'", "Variable_name", "Value")["Value"], "0")
        expect(tool.values("SHOW SESSION STATUS LIKE 'Ssl_cipher'", "Value"), [""])
        expect(tool.values("SHOW FULL TABLES FROM `quanta` WHERE Table_type != 'VIEW'"), ["films", "studios"])
        status = {r["Variable_name"]: r["Value"] for r in tool.ask("SHOW GLOBAL STATUS")}
        for name in ("Connections", "Queries", "Questions", "Threads_connected", "Threads_running", "Uptime"):
            expect(status[name].isdigit(), True, name)
        expect(tool.ask("SELECT VARIABLE_NAME FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Queries'"),
               [{"VARIABLE_NAME": "Queries"}])
        expect(tool.values("SHOW FULL PROCESSLIST", "Info"), ["SHOW FULL PROCESSLIST"])
        expect(len(tool.ask("SHOW PRIVILEGES", "Privilege", "Context", "Comment")), 6)
        expect(tool.ask("SHOW EVENTS FROM `quanta`", "Db", "Name", "Definer", "Time zone", "Type", "Execute at",
                        "Interval value", "Interval field", "Starts", "Ends", "Status", "Originator",
                        "character_set_client", "collation_connection", "Database Collation"), [])
        expect(tool.ask("SHOW INDEX FROM information_schema.TABLES"), [])


def test_status_counts_the_connections_of_all_cores(server):
    with Tool(server) as tool:
        others = [server.connect() for _ in range(8)] # by the kernel's hash on both cores
        try:
            status = {r["Variable_name"]: int(r["Value"]) for r in
                      tool.ask("SHOW STATUS LIKE 'Threads\\_%'")}
            expect((status["Threads_connected"], status["Threads_running"]), (9, 1))
        finally:
            for other in others:
                other.close()


def test_heidisql(server):
    with Tool(server, None) as tool:
        expect(tool.error("SELECT * FROM films"), 1046)
        tool.ask("SHOW VARIABLES")
        expect(tool.values("SHOW DATABASES"), ["information_schema", "quanta"])
        tool.ask("USE `quanta`")
        expect(tool.values("SELECT * FROM `information_schema`.`COLUMNS` WHERE TABLE_SCHEMA='quanta' AND "
                           "TABLE_NAME='films' ORDER BY ORDINAL_POSITION", "COLUMN_NAME"), COLUMNS)
        expect(tool.values("SHOW INDEXES FROM `films` FROM `quanta`", "Key_name"), ["PRIMARY", "title", "studio"])
        expect(tool.values("SELECT * FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA='quanta' "
                           "AND TABLE_NAME='films' AND REFERENCED_TABLE_NAME IS NOT NULL", "REFERENCED_TABLE_NAME"),
               ["studios"])
        for statement in ("SHOW TRIGGERS FROM `quanta`", "SHOW FUNCTION STATUS WHERE `Db`='quanta'",
                          "SHOW OPEN TABLES FROM `quanta` WHERE in_use!=0", "SHOW MASTER STATUS", "SHOW REPLICAS",
                          "SHOW SLAVE HOSTS", "SHOW BINLOG EVENTS"):
            expect(tool.ask(statement), [], statement)
        tool.ask("SHOW COLLATION")
        tool.ask("SELECT `DEFAULT_COLLATION_NAME` FROM `information_schema`.`SCHEMATA` WHERE `SCHEMA_NAME`='quanta'")


def test_phpmyadmin(server):
    with Tool(server) as tool:
        tool.one("SELECT @@version, @@version_comment")
        tool.ask("SET NAMES 'utf8mb4' COLLATE 'utf8mb4_general_ci'")
        expect(tool.values("SELECT CURRENT_USER()"), ["root@%"])
        expect(tool.values("SELECT 1 FROM mysql.user LIMIT 1"), [1])
        found = tool.ask(
            "SELECT *, `TABLE_SCHEMA` AS `Db`, `TABLE_NAME` AS `Name`, `TABLE_TYPE` AS `TABLE_TYPE`, `ENGINE` AS `Engine`, "
            "`TABLE_ROWS` AS `Rows`, `TABLE_COLLATION` AS `Collation`, `TABLE_COMMENT` AS `Comment` FROM "
            "`information_schema`.`TABLES` t WHERE `TABLE_SCHEMA` COLLATE utf8_bin IN ('quanta') ORDER BY Name ASC")
        expect([r["Name"] for r in found], NAMES)
        expect(tool.values("SELECT `TABLE_NAME` FROM `INFORMATION_SCHEMA`.`VIEWS` WHERE `TABLE_SCHEMA` = 'quanta' AND "
                           "`TABLE_NAME` = 'old' AND `IS_UPDATABLE` = 'YES'"), [])
        expect(tool.ask("SELECT QUERY_ID, SUM(DURATION) AS SUM_DURATION FROM INFORMATION_SCHEMA.PROFILING GROUP BY "
                        "QUERY_ID"), [])
        expect(tool.ask("SHOW PROFILES", "Query_ID", "Duration", "Query"), [])
        expect(tool.error("SHOW BINARY LOGS"), 1381)
        expect(tool.error("SHOW CREATE PROCEDURE p"), 1305)
        expect(tool.error("SHOW CREATE TRIGGER t"), 1360)
        expect(tool.error("SHOW CREATE EVENT e"), 1539)


def test_bi_tools(server):
    """Tableau, Power BI, Metabase, Superset, Grafana."""
    with Tool(server) as tool:
        expect(tool.values("SELECT `TABLE_NAME`,`TABLE_COMMENT`,IF(`TABLE_TYPE`='BASE TABLE','TABLE',`TABLE_TYPE`),"
                           "`TABLE_SCHEMA` FROM `INFORMATION_SCHEMA`.`TABLES` WHERE `TABLE_SCHEMA` LIKE 'quanta' AND ( "
                           "`TABLE_TYPE`='BASE TABLE' OR `TABLE_TYPE`='VIEW' ) ORDER BY TABLE_SCHEMA, TABLE_NAME"), NAMES)
        expect(len(tool.ask("SELECT `table_name`, `column_name` FROM `information_schema`.`columns` WHERE `data_type`="
                            "'enum' AND `table_schema`='quanta'")), 0)
        expect(tool.values("SELECT COLUMN_NAME, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM "
                           "INFORMATION_SCHEMA.KEY_COLUMN_USAGE WHERE TABLE_NAME = 'films' AND TABLE_SCHEMA = 'quanta' "
                           "AND REFERENCED_TABLE_NAME IS NOT NULL"), ["studio"])
        expect(sorted(tool.values("select t.TABLE_CATALOG, t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE from "
                           "INFORMATION_SCHEMA.TABLES as t where t.TABLE_SCHEMA = 'quanta'", "TABLE_NAME")), NAMES)
        expect(tool.values("SELECT table_name FROM information_schema.tables WHERE table_schema = database() ORDER BY "
                           "table_name"), NAMES) # Grafana's query builder
        expect(tool.values("SELECT quote(column_name) FROM information_schema.columns WHERE table_schema = 'quanta' AND "
                           "table_name = 'films' ORDER BY ordinal_position")[:2], ["'id'", "'title'"])
        expect(tool.values("SELECT @@GLOBAL.time_zone, @@system_time_zone, @@session.time_zone"), ["SYSTEM"])
        tool.ask("SET SESSION sql_mode='ANSI'")
        expect(tool.values('SELECT "name" FROM "quanta"."studios" ORDER BY "id"'), ["one", "two"])


def test_sqlalchemy_and_pandas(server):
    with Tool(server) as tool:
        for statement in ("SELECT DATABASE()", "SELECT @@transaction_isolation", "SHOW VARIABLES LIKE 'sql_mode'",
                          "SHOW VARIABLES LIKE 'lower_case_table_names'", "SELECT CAST('test plain returns' AS CHAR(60)) "
                          "AS anon_1", "SELECT CAST('test collated returns' AS CHAR CHARACTER SET utf8mb4) COLLATE "
                          "utf8mb4_bin AS anon_1", "ROLLBACK"):
            tool.ask(statement)
        expect(tool.values("SHOW FULL TABLES FROM `quanta`"), NAMES)
        tool.one("SHOW CREATE TABLE `quanta`.`old`")
        expect(tool.values("DESCRIBE `quanta`.`films`"), COLUMNS)
        expect(tool.error("DESCRIBE `quanta`.`nowhere`"), 1146)
        found = tool.ask("select table_schema, table_name, column_name from information_schema.columns where "
                         "(table_schema, table_name, lower(column_name)) in (('quanta', 'studios', 'id'))")
        expect(len(found), 1)


def test_django(server):
    with Tool(server) as tool:
        tool.one("SELECT VERSION(), @@sql_mode, @@default_storage_engine, @@sql_auto_is_null, @@lower_case_table_names, "
                 "CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL")
        expect(tool.values("SELECT table_name, table_type, table_comment FROM information_schema.tables WHERE "
                           "table_schema = DATABASE() ORDER BY table_name"), NAMES)
        expect(tool.values("SELECT column_name, data_type, CASE WHEN column_type LIKE '%% unsigned' THEN 1 ELSE 0 END AS "
                           "is_unsigned, column_comment FROM information_schema.columns WHERE table_name = 'films' AND "
                           "table_schema = DATABASE()"), COLUMNS)
        expect(len(tool.ask("SELECT kc.`constraint_name`, kc.`column_name`, kc.`referenced_table_name`, "
                            "kc.`referenced_column_name`, c.`constraint_type` FROM information_schema.key_column_usage "
                            "AS kc, information_schema.table_constraints AS c WHERE kc.table_schema = DATABASE() AND ( "
                            "kc.referenced_table_schema = DATABASE() OR kc.referenced_table_schema IS NULL ) AND "
                            "c.table_schema = kc.table_schema AND c.constraint_name = kc.constraint_name AND "
                            "c.constraint_type != 'CHECK' AND kc.table_name = 'films' AND c.table_name = 'films' ORDER BY "
                            "kc.`ordinal_position`")), 2)
        tool.ask("SHOW INDEX FROM `films`")


def test_prisma(server):
    with Tool(server) as tool:
        expect(tool.values("SELECT DISTINCT BINARY table_info.table_name AS table_name, table_info.create_options AS "
                           "create_options, table_info.table_comment AS table_comment FROM information_schema.tables AS "
                           "table_info JOIN information_schema.columns AS column_info ON BINARY column_info.table_name = "
                           "BINARY table_info.table_name WHERE table_info.table_schema = 'quanta' AND "
                           "column_info.table_schema = 'quanta' AND table_info.table_type = 'BASE TABLE' ORDER BY BINARY "
                           "table_info.table_name"), ["films", "studios"])
        found = tool.ask("SELECT column_name column_name, data_type data_type, column_type full_data_type, "
                         "character_maximum_length character_maximum_length, numeric_precision numeric_precision, "
                         "numeric_scale numeric_scale, datetime_precision datetime_precision, column_default "
                         "column_default, is_nullable is_nullable, extra extra, table_name table_name FROM "
                         "information_schema.columns WHERE table_schema = 'quanta' ORDER BY ordinal_position")
        expect([r["column_name"] for r in found if r["table_name"] == "films"], COLUMNS)
        expect(len(tool.ask("SELECT DISTINCT index_name AS index_name, non_unique AS non_unique, Binary column_name AS "
                            "column_name, seq_in_index AS seq_in_index, Binary table_name AS table_name, sub_part AS "
                            "partial, Binary collation AS column_order, expression IS NOT NULL AS is_expression, "
                            "index_type AS index_type FROM information_schema.statistics WHERE table_schema = 'quanta' "
                            "AND table_name = 'films' ORDER BY BINARY table_name, index_name")), 3)
        expect(tool.ask("SELECT kcu.constraint_name, kcu.column_name, kcu.referenced_table_name, rc.delete_rule "
                        "delete_rule, rc.update_rule update_rule, kcu.ordinal_position FROM "
                        "information_schema.key_column_usage AS kcu INNER JOIN "
                        "information_schema.referential_constraints AS rc ON BINARY kcu.constraint_name = BINARY "
                        "rc.constraint_name WHERE BINARY kcu.table_schema = 'quanta' AND BINARY rc.constraint_schema = "
                        "'quanta' AND kcu.referenced_column_name IS NOT NULL ORDER BY ordinal_position")[0]
               ["delete_rule"], "NO ACTION")


def test_debezium_and_airbyte(server):
    """A snapshot asks for a binary log first: MySQL without one gives no row, and an error for the list."""
    with Tool(server) as tool:
        for name in ("log_bin", "binlog_format", "gtid_mode", "server_id", "binlog_row_image"):
            tool.ask(f"SHOW GLOBAL VARIABLES LIKE '{name}'")
        for statement in ("SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"):
            expect(tool.ask(statement, "File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB", "Executed_Gtid_Set"), [])
        for statement in ("SHOW REPLICA STATUS", "SHOW SLAVE STATUS"):
            expect(tool.ask(statement), [])
            expect((len(tool.names), tool.names[0], "Seconds_Behind_Source" in tool.names), (60, "Replica_IO_State", True))
        for statement in ("FLUSH TABLES WITH READ LOCK", "START TRANSACTION WITH CONSISTENT SNAPSHOT",
                          "SELECT * FROM `quanta`.`studios` ORDER BY `id`", "COMMIT", "UNLOCK TABLES"):
            tool.ask(statement)


def test_show_with_filters(server):
    with Tool(server) as tool:
        for statement, wanted in (
                ("SHOW SCHEMAS LIKE 'q%'", ["quanta"]), ("SHOW TABLES LIKE 'f%'", ["films"]),
                ("SHOW TABLES WHERE Tables_in_quanta <> 'old'", ["films", "studios"]),
                ("SHOW FIELDS FROM films LIKE 't%'", ["title"]), ("SHOW COLUMNS IN films WHERE `Null` = 'NO'",
                                                                  ["id", "title"]),
                ("SHOW EXTENDED COLUMNS FROM films", COLUMNS), ("DESC films", COLUMNS), ("DESC films title", ["title"]),
                ("SHOW LOCAL VARIABLES WHERE Variable_name IN ('wait_timeout', 'port')", ["port", "wait_timeout"]),
                ("SHOW CHARACTER SET WHERE Maxlen = 1 AND Charset LIKE 'a%'", ["ascii"]),
                ("SHOW COLLATION WHERE Charset = 'binary'", ["binary"]), ("SHOW STORAGE ENGINES", ["QUANTA"]),
                ("SHOW TABLE STATUS WHERE Name='films'", ["films"]), ("SHOW WARNINGS LIMIT 5", []),
                ("SHOW COUNT(*) WARNINGS", [0]), ("SHOW COUNT(*) ERRORS", [0]), ("SHOW ERRORS LIMIT 1, 5", []),
                ("SHOW VARIABLES WHERE Variable_name = 'SQL_MODE'", ["sql_mode"]),
                ("SHOW TABLES FROM information_schema LIKE 'KEYW%'", ["KEYWORDS"])):
            expect(tool.values(statement), wanted, statement)
        for table in tool.values("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                                 "'information_schema'"):
            expect(re.fullmatch("[A-Z_]+", table) is not None, True, table)
            tool.ask(f"SELECT * FROM information_schema.{table}")
            names = tool.names
            expect(tool.values(f"DESCRIBE information_schema.{table}"), names, table)


def main():
    support.need("quanta", "quanta-node", "quanta-proxy")
    failed = 0
    for set_up in SET_UPS:
        with set_up() as server:
            print(f"{server.name}:", flush=True)
            fill(server)
            failed += support.run_functions(globals(), server, server=server)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
