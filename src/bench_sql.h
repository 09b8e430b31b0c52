#pragma once
/*
 * A client of a MySQL server through libmariadb. The library is looked for when the first connection is made: only who
 * measures needs it. Main thread, blocking.
 */
#include <stdint.h>
#include <stdio.h>

struct bench_sql;

/* Where the server is. Strings live as long as the connection. */
struct bench_sql_address {
    const char *host; /* an address; without effect beside socket */
    uint16_t port;
    const char *socket; /* NULL: over TCP */
    const char *user, *database;
};

/* What holds without flags: from the environment, else the database quanta on this machine. The port stays 0. */
void bench_sql_address_default(struct bench_sql_address *address);

/* Of one statement. */
struct bench_sql_answer {
    double seconds; /* from sending the statement to having the last row */
    uint64_t rows;
    uint64_t hash;         /* of all cells, in any order of rows */
    uint64_t ordered_hash; /* and in this order */
    char first[200];       /* cells of the first row, parted by blanks; cut */
};

/* Connects. NULL after a line on stderr that says why not. */
struct bench_sql *bench_sql_new(const struct bench_sql_address *address);
void bench_sql_free(struct bench_sql *sql);

/* Runs a statement and takes all its rows, timed; hashes stay 0. -EIO: bench_sql_error tells. */
int bench_sql_time(struct bench_sql *sql, const char *text, struct bench_sql_answer *answer);

/*
 * Runs a statement for what it answers: hashes are set, and with a file the rows are written there, cells parted by
 * tabs, NULL as \N. -EIO as above, or that of the file.
 */
int bench_sql_ask(struct bench_sql *sql, const char *text, FILE *file,
                  struct bench_sql_answer *answer);

/* Why the last statement failed; until the next one. */
const char *bench_sql_error(const struct bench_sql *sql);

/* Hash of the line of a row as bench_sql_ask builds it, for who knows what the rows must be. */
uint64_t bench_sql_hash_row(const char *line, size_t length);

/* Adds a row's hash to those of an answer. */
void bench_sql_add_row(struct bench_sql_answer *answer, uint64_t row_hash);
