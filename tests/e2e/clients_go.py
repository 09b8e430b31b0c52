#!/usr/bin/python3
"""go-sql-driver/mysql, with database/sql: Debian's package, compiled without the network."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import matrix
import support

SOURCES = "/usr/share/gocode/src/github.com/go-sql-driver/mysql"
PROGRAM = r"""package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func text(v sql.NullString) string {
	if v.Valid {
		return v.String
	}
	return "NULL"
}

func moment(v sql.NullTime, layout string) string {
	if v.Valid {
		return v.Time.Format(layout)
	}
	return "NULL"
}

func rows(db *sql.DB) {
	at := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	insert, err := db.Prepare("INSERT INTO m VALUES (?, ?, ?, ?, ?, ?)")
	check(err)
	defer insert.Close()
	for _, row := range [][]interface{}{
		{1, "-12.50", at.Truncate(24 * time.Hour), at, "Zürich 東京 🙂", int64(-9007199254740993)},
		{2, nil, nil, nil, nil, nil},
		{3, 0.0, "1970-01-01", time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), []byte(""), uint64(0)}} {
		done, err := insert.Exec(row...)
		check(err)
		if n, _ := done.RowsAffected(); n != 1 {
			fmt.Println("affected", n)
		}
	}
	found, err := db.Query("SELECT id, price, day, at, name, big FROM m WHERE id > ? ORDER BY id", 0)
	check(err)
	defer found.Close()
	for found.Next() {
		var id int
		var price, name, big sql.NullString
		var day, at sql.NullTime
		check(found.Scan(&id, &price, &day, &at, &name, &big))
		fmt.Printf("row %d|%s|%s|%s|%s|%s\n", id, text(price), moment(day, "2006-01-02"),
			moment(at, "2006-01-02 15:04:05.000000"), text(name), text(big))
	}
	check(found.Err())
}

func large(db *sql.DB) {
	found, err := db.Query("SELECT id, price, name FROM large")
	check(err)
	defer found.Close()
	var n, ids, cents int64
	for found.Next() {
		var id int64
		var price float64
		var name string
		check(found.Scan(&id, &price, &name))
		if name != fmt.Sprintf("row %d", id) {
			fmt.Println("name", id, name)
		}
		n++
		ids += id
		cents += int64(price*100 + 0.5)
	}
	check(found.Err())
	fmt.Printf("large %d %d %d.%02d\n", n, ids, cents/100, cents%100)
}

func fails(db *sql.DB) {
	for _, statement := range []string{"SELECT * FROM nothing WHERE id = ?", "INSERT INTO m (id) VALUES (?)",
		"SELECT nothing FROM m WHERE id = ?"} {
		_, err := db.Exec(statement, 1)
		var known *mysql.MySQLError
		states := map[uint16]string{1146: "42S02", 1062: "23000", 1054: "42S22"} // the driver drops them
		if errors.As(err, &known) {
			fmt.Println("error", known.Number, states[known.Number])
		} else {
			fmt.Println(err)
		}
	}
}

func reconnect(db, other *sql.DB) {
	db.SetMaxOpenConns(1)
	var id, again int
	check(db.QueryRow("SELECT connection_id()").Scan(&id))
	_, err := other.Exec(fmt.Sprintf("KILL %d", id))
	check(err)
	for i := 0; i < 3; i++ { // what was sent on the dead one fails once
		if err = db.QueryRow("SELECT connection_id()").Scan(&again); err == nil {
			break
		}
	}
	check(err)
	if again != id {
		fmt.Println("reconnected")
	}
}

func main() {
	mysql.SetLogger(quiet{})
	db, err := sql.Open("mysql", os.Args[1])
	check(err)
	other, err := sql.Open("mysql", os.Args[1])
	check(err)
	_, err = db.Exec(os.Args[2])
	check(err)
	rows(db)
	large(db)
	fails(db)
	reconnect(db, other)
	_, err = db.Exec("DROP TABLE m")
	check(err)
}

type quiet struct{}

func (quiet) Print(v ...interface{}) {}
"""


def test_go(server):
    folder = support.folder("go-")
    with open(os.path.join(folder, "main.go"), "w", encoding="utf-8") as file:
        file.write(PROGRAM)
    program = os.path.join(folder, "client")
    matrix.run([matrix.need_command("go"), "build", "-o", program, "main.go"], folder=folder,
               env={"GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "",
                    "GOCACHE": os.path.join(folder, "cache"), "HOME": folder})
    for more in ("", "&interpolateParams=true", "&clientFoundRows=true"):
        source = f"root@tcp(127.0.0.1:{server.ports['mysql']})/quanta?parseTime=true{more}"
        matrix.check(server, [program, source, matrix.CREATE])


if __name__ == "__main__":
    matrix.need_command("go")
    matrix.need_file(SOURCES, "go-sql-driver/mysql")
    matrix.main(globals())
