/*
 * The codec against real clients over loopback: the mariadb program, PyMySQL, and DBD::MariaDB,
 * which uses the binary protocol. A tiny server on this thread answers a few canned statements; the
 * client's output is compared. Tests skip when the client is not installed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mysql_test_util.h"
#include "sql/mysql_auth.h"
#include "sql/mysql_error.h"

enum {
    BIG_TEXT = 20 * 1024 * 1024,
    MANY_ROWS = 200000,
    PATIENCE_MS = 60000,
};

/* A server for one client: what it demands at login, and the statement it has not finished. */
struct server {
    int listener, client;
    uint16_t port;
    struct mysql_session_config cfg;
    enum mysql_auth_plugin switch_to; /* MYSQL_AUTH_UNKNOWN: no switch */
    const char *password;             /* NULL: none */
    bool is_switched;
    struct mysql_session s;
    struct buffer out;
    struct mysql_result rows; /* of the long result */
    int next_row;             /* MANY_ROWS or more: none is running */
    size_t most_out;          /* largest output seen */
    int n_logins;
};

static void server_init(struct server *sv)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(addr);

    *sv = (struct server){.client = -1, .switch_to = MYSQL_AUTH_UNKNOWN, .next_row = MANY_ROWS};
    sv->cfg.connection_id = 42;
    memcpy(sv->cfg.salt, test_salt, sizeof(test_salt));
    sv->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(sv->listener, 0);
    cr_assert_eq(bind(sv->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    cr_assert_eq(listen(sv->listener, 4), 0);
    cr_assert_eq(getsockname(sv->listener, (struct sockaddr *)&addr, &len), 0);
    sv->port = ntohs(addr.sin_port);
}

/* ---- canned answers ---- */

static const struct mysql_column type_columns[] = {
    {.name = "i", .type = MYSQL_TYPE_LONGLONG, .flags = MYSQL_COLUMN_NOT_NULL},
    {.name = "u", .type = MYSQL_TYPE_LONGLONG, .flags = MYSQL_COLUMN_UNSIGNED},
    {.name = "t", .type = MYSQL_TYPE_TINY},
    {.name = "d", .type = MYSQL_TYPE_NEWDECIMAL, .decimals = 2},
    {.name = "f", .type = MYSQL_TYPE_DOUBLE, .decimals = MYSQL_DECIMALS_NOT_FIXED},
    {.name = "s", .type = MYSQL_TYPE_VAR_STRING},
    {.name = "day", .type = MYSQL_TYPE_DATE},
    {.name = "at", .type = MYSQL_TYPE_DATETIME, .decimals = 3},
    {.name = "n", .type = MYSQL_TYPE_VAR_STRING},
};

static void write_types(struct server *sv, enum mysql_row_mode mode)
{
    struct mysql_result res;

    cr_assert_eq(mysql_result_begin(&res, &sv->s.wire, type_columns, 9, mode, 2), 0);
    for (int row = 0; row < 2; row++) {
        mysql_row_begin(&res);
        mysql_row_int64(&res, row ? INT64_MIN : INT64_MAX);
        mysql_row_uint64(&res, UINT64_MAX);
        mysql_row_int64(&res, -7);
        mysql_row_decimal128(&res, -123456, 2);
        mysql_row_double(&res, 0.1);
        mysql_row_string(&res, "Zürich", strlen("Zürich"));
        mysql_row_date(&res, 19034);
        mysql_row_datetime(&res, INT64_C(1644575052123456));
        mysql_row_null(&res);
        cr_assert_eq(mysql_row_end(&res), 0);
    }
    cr_assert_eq(mysql_result_end(&res, 0, 2), 0);
}

static void write_one(struct server *sv, const char *text, size_t len, uint16_t more)
{
    static const struct mysql_column column = {.name = "v",
                                               .type = MYSQL_TYPE_LONG_BLOB,
                                               .charset = MYSQL_CHARSET_UTF8MB4_GENERAL_CI};
    struct mysql_result res;

    cr_assert_eq(mysql_result_begin(&res, &sv->s.wire, &column, 1, MYSQL_TEXT, 2 | more), 0);
    mysql_row_begin(&res);
    mysql_row_string(&res, text, len);
    cr_assert_eq(mysql_row_end(&res), 0);
    cr_assert_eq(mysql_result_end(&res, 0, 2 | more), 0);
}

static void write_big(struct server *sv)
{
    char *text = malloc(BIG_TEXT);

    for (size_t i = 0; i < BIG_TEXT; i++)
        text[i] = (char)('a' + i % 26);
    write_one(sv, text, BIG_TEXT, 0);
    free(text);
}

static const struct mysql_column many_column = {.name = "n", .type = MYSQL_TYPE_LONGLONG};

/* Appends rows until the output is full; called again once it has been sent. */
static void write_many(struct server *sv)
{
    while (sv->next_row < MANY_ROWS && !mysql_wire_is_full(&sv->s.wire)) {
        mysql_row_begin(&sv->rows);
        mysql_row_int64(&sv->rows, sv->next_row++);
        cr_assert_eq(mysql_row_end(&sv->rows), 0);
    }
    if (sv->next_row == MANY_ROWS)
        cr_assert_eq(mysql_result_end(&sv->rows, 0, 2), 0);
}

static void write_error(struct server *sv, const char *table)
{
    struct mysql_error err;

    mysql_error_set(&err, MYSQL_ER_NO_SUCH_TABLE, "quanta", table);
    cr_assert_eq(mysql_err(&sv->s.wire, err.code, err.sqlstate, err.text), 0);
}

static bool starts_with(struct mysql_text text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static void answer_query(struct server *sv, struct mysql_text sql)
{
    if (starts_with(sql, "select types")) {
        write_types(sv, MYSQL_TEXT);
    } else if (starts_with(sql, "select big")) {
        write_big(sv);
    } else if (starts_with(sql, "select many")) {
        cr_assert_eq(mysql_result_begin(&sv->rows, &sv->s.wire, &many_column, 1, MYSQL_TEXT, 2), 0);
        sv->next_row = 0;
        write_many(sv);
    } else if (starts_with(sql, "select two")) {
        write_one(sv, "first", 5, MYSQL_STATUS_MORE_RESULTS);
        write_one(sv, "second", 6, 0);
    } else if (starts_with(sql, "select length")) {
        char text[32];
        int n = snprintf(text, sizeof(text), "%zu", sql.len);

        write_one(sv, text, (size_t)n, 0);
    } else if (starts_with(sql, "select bad")) {
        write_error(sv, "bad");
    } else if (starts_with(sql, "insert")) {
        cr_assert_eq(mysql_ok(&sv->s.wire, 3, 77, 2, 1, "Records: 3"), 0);
    } else if (starts_with(sql, "select")) {
        write_one(sv, "other", 5, 0);
    } else {
        cr_assert_eq(mysql_ok(&sv->s.wire, 0, 0, 2, 0, NULL), 0);
    }
}

/* Prepared: "select types" with no, "select echo ?, ?" with two parameters, returned as text. */
static void answer_prepare(struct server *sv, struct mysql_text sql)
{
    static const struct mysql_column echo[2] = {{.name = "a", .type = MYSQL_TYPE_VAR_STRING},
                                                {.name = "b", .type = MYSQL_TYPE_VAR_STRING}};
    uint32_t id;

    if (starts_with(sql, "select types"))
        cr_assert_eq(mysql_session_prepared(&sv->s, 0, type_columns, 9, &id), 0);
    else if (starts_with(sql, "select echo"))
        cr_assert_eq(mysql_session_prepared(&sv->s, 2, echo, 2, &id), 0);
    else
        write_error(sv, "unprepared");
}

static void write_param(struct mysql_result *res, const struct mysql_param *param)
{
    switch (param->kind) {
    case MYSQL_PARAM_NULL:
        mysql_row_null(res);
        break;
    case MYSQL_PARAM_INT:
        mysql_row_int64(res, param->v.i);
        break;
    case MYSQL_PARAM_UINT:
        mysql_row_uint64(res, param->v.u);
        break;
    case MYSQL_PARAM_DOUBLE:
        mysql_row_double(res, param->v.d);
        break;
    case MYSQL_PARAM_BYTES:
        mysql_row_string(res, param->v.bytes.data, param->v.bytes.len);
        break;
    default:
        mysql_row_string(res, "time", 4);
        break;
    }
}

static void answer_execute(struct server *sv, const struct mysql_event *ev)
{
    static const struct mysql_column echo[2] = {{.name = "a", .type = MYSQL_TYPE_VAR_STRING},
                                                {.name = "b", .type = MYSQL_TYPE_VAR_STRING}};
    struct mysql_result res;

    if (ev->u.execute.n_params == 0) {
        write_types(sv, MYSQL_BINARY);
        return;
    }
    cr_assert_eq(mysql_result_begin(&res, &sv->s.wire, echo, 2, MYSQL_BINARY, 2), 0);
    mysql_row_begin(&res);
    write_param(&res, &ev->u.execute.params[0]);
    write_param(&res, &ev->u.execute.params[1]);
    cr_assert_eq(mysql_row_end(&res), 0);
    cr_assert_eq(mysql_result_end(&res, 0, 2), 0);
}

static bool password_is_right(struct server *sv, const struct mysql_event_auth *auth)
{
    uint8_t hash[MYSQL_SHA2_HASH_LEN];
    const uint8_t *reply = (const uint8_t *)auth->response.data;

    if (!sv->password)
        return auth->response.len == 0;
    if (auth->plugin == MYSQL_AUTH_NATIVE) {
        mysql_auth_native_hash(sv->password, strlen(sv->password), hash);
        return mysql_auth_native_verify(reply, auth->response.len, mysql_session_salt(&sv->s),
                                        hash);
    }
    mysql_auth_sha2_hash(sv->password, strlen(sv->password), hash);
    return mysql_auth_sha2_verify(reply, auth->response.len, mysql_session_salt(&sv->s), hash);
}

static void answer_login(struct server *sv, const struct mysql_event_auth *auth)
{
    const uint8_t salt[MYSQL_SALT_LEN] = "abcdefghijklmnopqrst";

    if (sv->switch_to != MYSQL_AUTH_UNKNOWN && !sv->is_switched) {
        sv->is_switched = true;
        cr_assert_eq(mysql_session_auth_switch(&sv->s, sv->switch_to, salt), 0);
    } else if (!password_is_right(sv, auth)) {
        cr_assert_eq(mysql_session_auth_err(&sv->s, 1045, "Access denied for user 'ana'"), 0);
    } else {
        sv->n_logins++;
        cr_assert_eq(mysql_session_auth_ok(&sv->s), 0);
    }
}

static void answer(struct server *sv, const struct mysql_event *ev)
{
    switch (ev->kind) {
    case MYSQL_EVENT_AUTH:
    case MYSQL_EVENT_CHANGE_USER:
        answer_login(sv, &ev->u.auth);
        break;
    case MYSQL_EVENT_QUERY:
        answer_query(sv, ev->u.text);
        break;
    case MYSQL_EVENT_STMT_PREPARE:
        answer_prepare(sv, ev->u.text);
        break;
    case MYSQL_EVENT_STMT_EXECUTE:
        answer_execute(sv, ev);
        break;
    case MYSQL_EVENT_FIELD_LIST:
        cr_assert_eq(mysql_field_list(&sv->s.wire, type_columns, 9, 2), 0);
        break;
    case MYSQL_EVENT_STATISTICS:
        cr_assert_eq(mysql_text(&sv->s.wire, "Uptime: 1"), 0);
        break;
    case MYSQL_EVENT_SET_OPTION:
        cr_assert_eq(mysql_eof(&sv->s.wire, 2, 0), 0);
        break;
    case MYSQL_EVENT_UNKNOWN:
        cr_assert_eq(mysql_err(&sv->s.wire, 1047, NULL, "Unknown command"), 0);
        break;
    case MYSQL_EVENT_QUIT:
    case MYSQL_EVENT_STMT_CLOSE:
    case MYSQL_EVENT_STMT_LONG_DATA:
        break;
    default:
        cr_assert_eq(mysql_ok(&sv->s.wire, 0, 0, 2, 0, NULL), 0);
        break;
    }
}

/* ---- the loop ---- */

static void send_all(struct server *sv)
{
    size_t sent = 0;

    if (sv->out.len > sv->most_out)
        sv->most_out = sv->out.len;
    while (sent < sv->out.len) {
        ssize_t n = send(sv->client, sv->out.data + sent, sv->out.len - sent, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    sv->out.len = 0;
}

static void serve_bytes(struct server *sv, const uint8_t *bytes, size_t len)
{
    struct mysql_event ev;

    for (;;) {
        size_t n = mysql_session_feed(&sv->s, bytes, len);

        bytes += n;
        len -= n;
        if (mysql_session_next(&sv->s, &ev) == MYSQL_EVENT_NONE) {
            if (n == 0 || len == 0)
                break;
            continue;
        }
        answer(sv, &ev);
        while (sv->next_row < MANY_ROWS) {
            send_all(sv);
            write_many(sv);
        }
    }
    send_all(sv);
}

static void serve_client(struct server *sv)
{
    uint8_t bytes[16384];
    ssize_t n;

    buffer_init(&sv->out, 64u << 20);
    mysql_session_init(&sv->s, &sv->cfg, &sv->out);
    cr_assert_eq(mysql_session_greet(&sv->s), 0);
    send_all(sv);
    while (!mysql_session_is_closed(&sv->s) && (n = read(sv->client, bytes, sizeof(bytes))) > 0)
        serve_bytes(sv, bytes, (size_t)n);
    mysql_session_fini(&sv->s);
    buffer_fini(&sv->out);
    close(sv->client);
}

/* Runs a client program with its output in a memory file and serves it until it ends. Returns the
 * output, NUL-terminated, malloc'ed; stores the exit status. */
static char *run_client(struct server *sv, const char *const argv[], size_t *len, int *status)
{
    int output = memfd_create("client", MFD_CLOEXEC);
    struct pollfd pfd = {.fd = sv->listener, .events = POLLIN};
    int waited = 0;
    pid_t pid;
    char *text;

    cr_assert_geq(output, 0);
    pid = fork();
    if (pid == 0) {
        setenv("ASAN_OPTIONS", "", 1);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    cr_assert_gt(pid, 0);
    while (waitpid(pid, status, WNOHANG) == 0) {
        cr_assert_lt(waited, PATIENCE_MS, "the client hangs");
        if (poll(&pfd, 1, 20) <= 0) {
            waited += 20;
            continue;
        }
        sv->client = accept4(sv->listener, NULL, NULL, SOCK_CLOEXEC);
        cr_assert_geq(sv->client, 0);
        serve_client(sv);
    }
    *len = (size_t)lseek(output, 0, SEEK_END);
    text = malloc(*len + 1);
    cr_assert_eq(pread(output, text, *len, 0), (ssize_t)*len);
    text[*len] = '\0';
    close(output);
    *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    return text;
}

static bool has_program(const char *probe)
{
    return system(probe) == 0;
}

/* Runs the mariadb client with a statement; `extra` is one more option or NULL. */
static char *run_mariadb(struct server *sv, const char *sql, const char *extra, size_t *len,
                         int *status)
{
    char port[16];
    const char *argv[16] = {
        "mariadb", "--no-defaults", "--protocol=TCP", "-h127.0.0.1",
        port,      "-uana",         "--batch",        "--max-allowed-packet=67108864"};
    int n = 8;

    snprintf(port, sizeof(port), "-P%u", sv->port);
    if (extra)
        argv[n++] = extra;
    argv[n++] = "-e";
    argv[n++] = sql;
    argv[n++] = "quanta";
    return run_client(sv, argv, len, status);
}

#define SKIP_WITHOUT(PROBE, NAME)                         \
    do {                                                  \
        if (!has_program("exec >/dev/null 2>&1; " PROBE)) \
            cr_skip_test("no %s here", NAME);             \
    } while (0)

#define MARIADB_PROBE "mariadb --version"
#define PYMYSQL_PROBE "/usr/bin/python3 -c 'import pymysql'"
#define PERL_PROBE "perl -MDBD::MariaDB -e 1"

/* Runs the mariadb client and compares its whole output. */
static void check_mariadb(struct server *sv, const char *sql, const char *extra, int want_status,
                          const char *want)
{
    size_t len;
    int status;
    char *text = run_mariadb(sv, sql, extra, &len, &status);

    cr_assert_str_eq(text, want);
    cr_assert_eq(status, want_status);
    free(text);
    close(sv->listener);
}

#define TYPES_HEAD "i\tu\tt\td\tf\ts\tday\tat\tn\n"
#define TYPES_TAIL                                                                              \
    "\t18446744073709551615\t-7\t-1234.56\t0.1\tZürich\t2022-02-11\t2022-02-11 10:24:12.123\t" \
    "NULL\n"

Test(mysql_client, mariadb_text_result)
{
    struct server sv;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    check_mariadb(&sv, "select types", NULL, 0,
                  TYPES_HEAD "9223372036854775807" TYPES_TAIL "-9223372036854775808" TYPES_TAIL);
    cr_assert_eq(sv.n_logins, 1);
}

Test(mysql_client, mariadb_several_results_and_counts)
{
    struct server sv;
    size_t len;
    int status;
    char *text;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    text = run_mariadb(&sv, "select two; use other; insert x; do 1", "-vvv", &len, &status);
    cr_assert_eq(status, 0, "%s", text);
    cr_assert(strstr(text, "| first |") && strstr(text, "| second |"), "%s", text);
    cr_assert(strstr(text, "Query OK, 3 rows affected, 1 warning"), "%s", text);
    cr_assert(strstr(text, "\nRecords: 3\n"), "%s", text);
    cr_assert(strstr(text, "Query OK, 0 rows affected"), "%s", text);
    free(text);
}

Test(mysql_client, mariadb_error)
{
    struct server sv;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    check_mariadb(&sv, "select bad", NULL, 1,
                  "--------------\nselect bad\n--------------\n\n"
                  "ERROR 1146 (42S02) at line 1: Table 'quanta.bad' doesn't exist\n");
}

Test(mysql_client, mariadb_row_of_20_mib)
{
    struct server sv;
    size_t len;
    int status;
    char *text;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    text = run_mariadb(&sv, "select big", NULL, &len, &status);
    cr_assert(status == 0 && len == 2 + BIG_TEXT + 1, "%zu", len);
    for (size_t i = 0; i < BIG_TEXT; i++)
        cr_assert_eq(text[2 + i], (char)('a' + i % 26));
    free(text);
}

Test(mysql_client, mariadb_many_rows_in_little_memory)
{
    struct server sv;
    size_t len;
    int status;
    char *text, *end;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    text = run_mariadb(&sv, "select many", "--quick", &len, &status);
    cr_assert_eq(status, 0);
    cr_assert_eq(strncmp(text, "n\n0\n1\n", 6), 0);
    end = text + len - strlen("\n199999\n");
    cr_assert_str_eq(end, "\n199999\n");
    cr_assert_leq(sv.most_out, MYSQL_OUT_HIGH_WATER + 100);
    free(text);
}

Test(mysql_client, mariadb_passwords)
{
    struct server sv;

    SKIP_WITHOUT(MARIADB_PROBE, "mariadb");
    server_init(&sv);
    sv.password = "secret";
    check_mariadb(&sv, "select x", "-psecret", 0, "v\nother\n");
    server_init(&sv);
    sv.password = "secret";
    check_mariadb(&sv, "select x", "-pwrong", 1,
                  "ERROR 1045 (28000): Access denied for user 'ana'\n");
    server_init(&sv);
    sv.password = "secret";
    sv.cfg.plugin = MYSQL_AUTH_CACHING_SHA2;
    check_mariadb(&sv, "select x", "-psecret", 0, "v\nother\n");
    server_init(&sv);
    sv.password = "secret";
    sv.cfg.plugin = MYSQL_AUTH_CACHING_SHA2;
    sv.switch_to = MYSQL_AUTH_NATIVE;
    check_mariadb(&sv, "select x", "-psecret", 0, "v\nother\n");
    server_init(&sv);
    sv.switch_to = MYSQL_AUTH_CACHING_SHA2;
    check_mariadb(&sv, "select x", NULL, 0, "v\nother\n");
}

/* Runs an interpreter with a script that has %u for the port; compares the whole output. */
static void check_script(struct server *sv, const char *program, const char *option,
                         const char *script, const char *want)
{
    char *text, *source = malloc(strlen(script) + 16);
    const char *argv[] = {program, option, source, NULL};
    size_t len;
    int status;

    snprintf(source, strlen(script) + 16, script, sv->port);
    text = run_client(sv, argv, &len, &status);
    cr_assert_str_eq(text, want);
    cr_assert_eq(status, 0);
    free(text);
    free(source);
    close(sv->listener);
}

Test(mysql_client, pymysql)
{
    static const char script[] =
        "import pymysql\n"
        "c = pymysql.connect(host='127.0.0.1', port=%u, user='ana', database='quanta')\n"
        "k = c.cursor()\n"
        "k.execute('select types'); print(k.fetchall()[0])\n"
        "k.execute('select big'); v = k.fetchone()[0]; print(len(v), v[:3])\n"
        "k.execute('select length' + ' ' * 17000000); print(k.fetchone())\n"
        "print(k.execute('insert x'), k.lastrowid)\n"
        "try:\n"
        "    k.execute('select bad')\n"
        "except pymysql.ProgrammingError as e:\n"
        "    print(e.args)\n"
        "c.ping(); c.select_db('quanta'); print(c.server_version)\n"
        "c.close()\n";
    struct server sv;

    SKIP_WITHOUT(PYMYSQL_PROBE, "PyMySQL");
    server_init(&sv);
    check_script(&sv, "/usr/bin/python3", "-c", script,
                 "(9223372036854775807, 18446744073709551615, -7, Decimal('-1234.56'), 0.1, "
                 "'Zürich', datetime.date(2022, 2, 11), "
                 "datetime.datetime(2022, 2, 11, 10, 24, 12, 123000), None)\n"
                 "20971520 abc\n"
                 "('17000013',)\n"
                 "3 77\n"
                 "(1146, \"Table 'quanta.bad' doesn't exist\")\n"
                 "8.0.34-Quanta\n");
}

Test(mysql_client, pymysql_passwords)
{
    static const char script[] =
        "import pymysql\n"
        "c = pymysql.connect(host='127.0.0.1', port=%u, user='ana', password='secret')\n"
        "k = c.cursor(); k.execute('select x'); print(k.fetchall())\n";
    struct server sv;

    SKIP_WITHOUT(PYMYSQL_PROBE, "PyMySQL");
    /* Not the switch from native to caching_sha2: PyMySQL before pull request 1200 takes the NUL
     * behind the salt for a part of it. */
    for (int i = 0; i < 3; i++) {
        server_init(&sv);
        sv.password = "secret";
        sv.cfg.plugin = i > 0 ? MYSQL_AUTH_CACHING_SHA2 : MYSQL_AUTH_NATIVE;
        if (i == 2)
            sv.switch_to = MYSQL_AUTH_NATIVE;
        check_script(&sv, "/usr/bin/python3", "-c", script, "(('other',),)\n");
    }
}

Test(mysql_client, dbd_mariadb_binary_protocol)
{
    static const char script[] =
        "use DBI; binmode STDOUT;\n"
        "my $d = DBI->connect('DBI:MariaDB:database=quanta;host=127.0.0.1;port=%u;"
        "mariadb_server_prepare=1', 'ana', '', {RaiseError => 1, PrintError => 0});\n"
        "my $s = $d->prepare('select types'); $s->execute;\n"
        "my @r = $s->fetchrow_array; utf8::encode($_) for grep defined, @r;\n"
        "print join('|', map { defined $_ ? $_ : 'NULL' } @r), qq(\\n);\n"
        "$s->finish;\n"
        "$s = $d->prepare('select echo ?, ?');\n"
        "$s->bind_param(1, 7, DBI::SQL_INTEGER); $s->bind_param(2, 'b' x 70000);\n"
        "$s->execute; @r = $s->fetchrow_array; print $r[0], ' ', length $r[1], qq(\\n);\n"
        "$s->execute(-3, undef); @r = $s->fetchrow_array;\n"
        "print $r[0], ' ', defined $r[1] ? 1 : 0, qq(\\n);\n"
        "eval { $d->prepare('nonsense')->execute }; print $d->err, qq(\\n);\n"
        "print $d->ping, qq(\\n); $d->disconnect;\n";
    struct server sv;

    SKIP_WITHOUT(PERL_PROBE, "DBD::MariaDB");
    server_init(&sv);
    check_script(&sv, "perl", "-e", script,
                 "9223372036854775807|18446744073709551615|-7|-1234.56|0.1|Zürich|2022-02-11|"
                 "2022-02-11 10:24:12.123|NULL\n"
                 "7 70000\n"
                 "-3 0\n"
                 "1146\n"
                 "1\n");
}
