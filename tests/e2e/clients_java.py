#!/usr/bin/python3
"""MariaDB Connector/J: Debian's package, with statements prepared by the server and by the client."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support
from support import expect

JAR = "/usr/share/java/mariadb-java-client.jar"
PROGRAM = r"""
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;

public class Client {
    static String text(Object v) { return v == null ? "NULL" : v.toString(); }

    static String moment(Timestamp t) {
        if (t == null)
            return "NULL";
        return t.toLocalDateTime().format(
            java.time.format.DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS"));
    }

    static void insert(Connection c) throws SQLException {
        try (PreparedStatement s = c.prepareStatement("INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)")) {
            s.setInt(1, 1);
            s.setBigDecimal(2, new BigDecimal("-12.50"));
            s.setDate(3, java.sql.Date.valueOf("2024-02-29"));
            s.setTimestamp(4, Timestamp.valueOf("2024-02-29 23:59:59.123456"));
            s.setString(5, "Zürich 東京 🙂");
            s.setLong(6, -9007199254740993L);
            s.addBatch();
            s.setInt(1, 2);
            s.setNull(2, Types.DECIMAL);
            s.setNull(3, Types.DATE);
            s.setNull(4, Types.TIMESTAMP);
            s.setNull(5, Types.VARCHAR);
            s.setNull(6, Types.BIGINT);
            s.addBatch();
            s.setInt(1, 3);
            s.setDouble(2, 0);
            s.setString(3, "1970-01-01");
            s.setObject(4, java.time.LocalDateTime.of(1969, 12, 31, 0, 0));
            s.setBytes(5, new byte[0]);
            s.setShort(6, (short) 0);
            s.addBatch();
            if (s.executeBatch().length != 3)
                System.out.println("batch");
        }
    }

    static void rows(Connection c) throws SQLException {
        try (PreparedStatement s =
                 c.prepareStatement("SELECT id, price, day, at, name, big FROM m WHERE id > ? ORDER BY id")) {
            s.setInt(1, 0);
            ResultSet r = s.executeQuery();
            while (r.next())
                System.out.println("row " + r.getInt(1) + "|" + text(r.getBigDecimal(2)) + "|" + text(r.getDate(3))
                                   + "|" + moment(r.getTimestamp(4)) + "|" + text(r.getString(5)) + "|"
                                   + text(r.getObject(6)));
        }
    }

    static void large(Connection c) throws SQLException {
        try (Statement s = c.createStatement()) {
            s.setFetchSize(1000);
            ResultSet r = s.executeQuery("SELECT id, price, name FROM large");
            long n = 0, ids = 0;
            BigDecimal sum = BigDecimal.ZERO;
            while (r.next()) {
                if (!r.getString("name").equals("row " + r.getLong("id")))
                    System.out.println("name " + r.getLong("id"));
                n++;
                ids += r.getLong(1);
                sum = sum.add(r.getBigDecimal(2));
            }
            System.out.println("large " + n + " " + ids + " " + sum);
        }
    }

    static void fails(Connection c) {
        for (String text : new String[] {"SELECT * FROM nothing WHERE id = ?", "INSERT INTO m (id) VALUES (?)",
                                         "SELECT nothing FROM m WHERE id = ?"}) {
            try (PreparedStatement s = c.prepareStatement(text)) {
                s.setInt(1, 1);
                s.execute();
                System.out.println("no error");
            } catch (SQLException e) {
                System.out.println("error " + e.getErrorCode() + " " + e.getSQLState());
            }
        }
    }

    static void reconnect(String url, Connection c) throws SQLException {
        ResultSet r = c.createStatement().executeQuery("SELECT connection_id()");
        r.next();
        try (Connection other = DriverManager.getConnection(url)) {
            other.createStatement().execute("KILL " + r.getLong(1));
        }
        try {
            c.createStatement().execute("SELECT 1");
            System.out.println("still there");
        } catch (SQLException e) {
            if (c.isValid(1))
                System.out.println("valid");
        }
        try (Connection again = DriverManager.getConnection(url); Statement s = again.createStatement()) {
            s.execute("DROP TABLE m");
            System.out.println("reconnected");
        }
    }

    static List<String> names(ResultSet r, String... columns) throws SQLException {
        List<String> found = new ArrayList<>();
        while (r.next()) {
            String line = "";
            for (String column : columns)
                line += (line.isEmpty() ? "" : ":") + r.getString(column);
            found.add(line);
        }
        return found;
    }

    static void metadata(Connection c) throws SQLException {
        DatabaseMetaData d = c.getMetaData();
        System.out.println(names(d.getCatalogs(), "TABLE_CAT"));
        System.out.println(names(d.getTables("quanta", null, "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME", "TABLE_TYPE"));
        System.out.println(names(d.getColumns("quanta", null, "child", "%"), "COLUMN_NAME", "TYPE_NAME", "IS_NULLABLE"));
        System.out.println(names(d.getPrimaryKeys("quanta", null, "child"), "COLUMN_NAME", "KEY_SEQ"));
        System.out.println(names(d.getImportedKeys("quanta", null, "child"), "FKCOLUMN_NAME", "PKTABLE_NAME", "PKCOLUMN_NAME"));
        System.out.println(names(d.getExportedKeys("quanta", null, "parent"), "FKTABLE_NAME", "FKCOLUMN_NAME"));
        System.out.println(names(d.getIndexInfo("quanta", null, "child", true, false), "INDEX_NAME", "COLUMN_NAME"));
        System.out.println(names(d.getProcedures("quanta", null, "%"), "PROCEDURE_NAME"));
        System.out.println(names(d.getFunctions("quanta", null, "%"), "FUNCTION_NAME"));
        System.out.println(names(d.getTablePrivileges("quanta", null, "child"), "PRIVILEGE"));
        System.out.println(names(d.getBestRowIdentifier("quanta", null, "child", 0, true), "COLUMN_NAME"));
        System.out.println(names(d.getTableTypes(), "TABLE_TYPE").contains("TABLE") + " " + d.getDatabaseMajorVersion()
                           + " " + d.getUserName().startsWith("root"));
    }

    public static void main(String[] args) throws Exception {
        System.setOut(new java.io.PrintStream(System.out, true, "UTF-8"));
        try (Connection c = DriverManager.getConnection(args[0])) {
            if (args[1].equals("metadata")) {
                metadata(c);
                return;
            }
            c.createStatement().execute(args[1]);
            insert(c);
            rows(c);
            large(c);
            fails(c);
            reconnect(args[0], c);
        }
    }
}
"""


def compiled():
    """A folder with the client's class."""
    folder = support.folder("java-")
    with open(os.path.join(folder, "Client.java"), "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    matrix.run([matrix.need_command("javac"), "-encoding", "UTF-8", "Client.java"], folder=folder)
    return folder


def java(server, options, argument):
    """The command that runs the client."""
    return ["java", "-XX:TieredStopAtLevel=1", "-Duser.timezone=UTC", "-cp", f"{CLASSES}:{JAR}", "Client",
            f"jdbc:mariadb://127.0.0.1:{server.ports['mysql']}/quanta?user=root{options}", argument]


def test_java(server):
    for options in ("&useServerPrepStmts=true", "", "&useServerPrepStmts=true&useBatchMultiSend=false",
                    "&rewriteBatchedStatements=true"):
        matrix.check(server, java(server, options, matrix.CREATE))


def test_metadata(server):
    with server.connect() as conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE parent (code VARCHAR(8) PRIMARY KEY, name VARCHAR(20))")
        cur.execute("CREATE TABLE child (id INT PRIMARY KEY, code VARCHAR(8) REFERENCES parent (code), paid DECIMAL(8,2))")
        found = matrix.run(java(server, "", "metadata")).splitlines()
        cur.execute("DROP TABLE child")
        cur.execute("DROP TABLE parent")
    expect(found, ["[information_schema, quanta]",
                   "[child:TABLE, digits:TABLE, large:TABLE, parent:TABLE]",
                   "[id:INT:NO, code:VARCHAR:YES, paid:DECIMAL:YES]",
                   "[id:1]", "[code:parent:code]", "[child:code]", "[PRIMARY:id]", "[]", "[]", "[]", "[id]",
                   "true 8 true"])


if __name__ == "__main__":
    matrix.need_command("javac")
    matrix.need_file(JAR, "MariaDB Connector/J")
    CLASSES = compiled()
    try:
        matrix.main(globals())
    finally:
        shutil.rmtree(CLASSES, ignore_errors=True)
