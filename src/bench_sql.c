#include "bench_sql.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "bench.h"

#define LIBRARY "libmariadb.so.3" /* its functions and their types stay as long as this number */
#define MULTIPLIER 0x9e3779b97f4a7c15u /* odd: no row of an ordered hash is lost */

/* Functions of the library; its structs are only ever pointers here. Process-wide. */
static struct {
    void *(*init)(void *);
    void *(*real_connect)(void *, const char *host, const char *user, const char *password,
                          const char *database, unsigned port, const char *socket, unsigned long);
    int (*real_query)(void *, const char *, unsigned long);
    void *(*use_result)(void *);
    char **(*fetch_row)(void *);
    unsigned long *(*fetch_lengths)(void *);
    unsigned (*num_fields)(void *);
    void (*free_result)(void *);
    const char *(*error)(void *);
    unsigned (*get_errno)(void *);
    void (*close)(void *);
} lib;

struct bench_sql { /* main thread */
    void *mysql;
    char *line; /* of a row */
    size_t cap;
};

static bool has_library(void)
{
    static const struct {
        const char *name;
        void *to;
    } functions[] = {
        {"mysql_init", &lib.init},
        {"mysql_real_connect", &lib.real_connect},
        {"mysql_real_query", &lib.real_query},
        {"mysql_use_result", &lib.use_result},
        {"mysql_fetch_row", &lib.fetch_row},
        {"mysql_fetch_lengths", &lib.fetch_lengths},
        {"mysql_num_fields", &lib.num_fields},
        {"mysql_free_result", &lib.free_result},
        {"mysql_error", &lib.error},
        {"mysql_errno", &lib.get_errno},
        {"mysql_close", &lib.close},
    };
    void *handle = lib.init ? NULL : dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (lib.init)
        return true;
    if (!handle) {
        fprintf(stderr, "quanta-bench: %s (Debian package libmariadb3)\n", dlerror());
        return false;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *found = dlsym(handle, functions[i].name);
        if (!found) {
            fprintf(stderr, "quanta-bench: %s has no %s\n", LIBRARY, functions[i].name);
            lib.init = NULL;
            return false;
        }
        memcpy(functions[i].to, &found, sizeof(found));
    }
    return true;
}

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *value = bench_from_environment(name);

    return value ? value : otherwise;
}

void bench_sql_address_default(struct bench_sql_address *address)
{
    *address = (struct bench_sql_address){
        .host = from_environment("QUANTA_HOST", "127.0.0.1"),
        .socket = from_environment("QUANTA_SOCKET", NULL),
        .user = from_environment("QUANTA_USER", "root"),
        .database = from_environment("QUANTA_DATABASE", "quanta"),
    };
}

struct bench_sql *bench_sql_new(const struct bench_sql_address *address)
{
    struct bench_sql *sql = has_library() ? calloc(1, sizeof(*sql)) : NULL;

    if (!sql)
        return NULL;
    sql->mysql = lib.init(NULL);
    if (sql->mysql &&
        lib.real_connect(sql->mysql, address->socket ? "localhost" : address->host, address->user,
                         "", address->database, address->port, address->socket, 0))
        return sql;
    fprintf(stderr, "quanta-bench: cannot connect to %s: %s\n",
            address->socket ? address->socket : address->host,
            sql->mysql ? lib.error(sql->mysql) : "out of memory");
    bench_sql_free(sql);
    return NULL;
}

void bench_sql_free(struct bench_sql *sql)
{
    if (!sql)
        return;
    if (sql->mysql)
        lib.close(sql->mysql);
    free(sql->line);
    free(sql);
}

const char *bench_sql_error(const struct bench_sql *sql)
{
    return lib.error(sql->mysql);
}

uint64_t bench_sql_hash_row(const char *line, size_t length)
{
    return XXH3_64bits(line, length);
}

void bench_sql_add_row(struct bench_sql_answer *answer, uint64_t row_hash)
{
    answer->rows++;
    answer->hash += row_hash;
    answer->ordered_hash = answer->ordered_hash * MULTIPLIER + row_hash;
}

/* The cells in sql->line: its length, or -ENOMEM. */
static ssize_t build_line(struct bench_sql *sql, char **row, const unsigned long *lengths,
                          unsigned n)
{
    size_t need = 0, at = 0;

    for (unsigned i = 0; i < n; i++)
        need += (row[i] ? lengths[i] : 2) + 1;
    if (need > sql->cap) {
        char *more = realloc(sql->line, 2 * need);
        if (!more)
            return -ENOMEM;
        sql->line = more;
        sql->cap = 2 * need;
    }
    for (unsigned i = 0; i < n; i++) {
        size_t length = row[i] ? lengths[i] : 2;
        memcpy(sql->line + at, row[i] ? row[i] : "\\N", length);
        at += length;
        sql->line[at++] = '\t';
    }
    return (ssize_t)at - 1;
}

static void keep_first(struct bench_sql_answer *answer, const char *line, size_t length)
{
    size_t n = length < sizeof(answer->first) ? length : sizeof(answer->first) - 1;

    for (size_t i = 0; i < n; i++)
        answer->first[i] = line[i] == '\t' ? ' ' : line[i];
    answer->first[n] = '\0';
}

static int take_row(struct bench_sql *sql, char **row, const unsigned long *lengths, unsigned n,
                    FILE *file, struct bench_sql_answer *answer)
{
    ssize_t length = build_line(sql, row, lengths, n);

    if (length < 0)
        return (int)length;
    if (!answer->rows)
        keep_first(answer, sql->line, (size_t)length);
    bench_sql_add_row(answer, bench_sql_hash_row(sql->line, (size_t)length));
    sql->line[length] = '\n';
    if (file && fwrite(sql->line, (size_t)length + 1, 1, file) != 1)
        return -errno;
    return 0;
}

/* Rows of the answer to the end, whatever becomes of them: the connection stays usable. */
static int take_rows(struct bench_sql *sql, bool wants_rows, FILE *file,
                     struct bench_sql_answer *answer)
{
    void *result = lib.use_result(sql->mysql);
    unsigned n = result ? lib.num_fields(result) : 0;
    int rc = 0;

    if (!result)
        return lib.get_errno(sql->mysql) ? -EIO : 0;
    for (char **row; (row = lib.fetch_row(result));) {
        if (!wants_rows)
            answer->rows++;
        else if (rc == 0)
            rc = take_row(sql, row, lib.fetch_lengths(result), n, file, answer);
    }
    if (lib.get_errno(sql->mysql))
        rc = -EIO;
    lib.free_result(result);
    return rc;
}

static int run(struct bench_sql *sql, const char *text, bool wants_rows, FILE *file,
               struct bench_sql_answer *answer)
{
    size_t length = strlen(text);

    *answer = (struct bench_sql_answer){0};
    double start = bench_now_seconds();
    if (lib.real_query(sql->mysql, text, length))
        return -EIO;
    int rc = take_rows(sql, wants_rows, file, answer);
    answer->seconds = bench_now_seconds() - start;
    return rc;
}

int bench_sql_time(struct bench_sql *sql, const char *text, struct bench_sql_answer *answer)
{
    return run(sql, text, false, NULL, answer);
}

int bench_sql_ask(struct bench_sql *sql, const char *text, FILE *file,
                  struct bench_sql_answer *answer)
{
    return run(sql, text, true, file, answer);
}
