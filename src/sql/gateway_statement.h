#pragma once
/*
 * One statement from text to result: parsed and planned at once, executed in stages.
 *
 *   gateway_statement.c  stages and dispatch, simple statements
 *   gateway_refresh.c    which statements ask the nodes for their catalogs, before or after an error, and
 *                        are tried again
 *   select.c             queries
 *   dml_*.c              INSERT, LOAD DATA, UPDATE, DELETE; dml_join*.c of joins
 *   ddl.c                CREATE, DROP, TRUNCATE
 *   maintain.c           OPTIMIZE, CHECK TABLE and their like
 *   show*.c              SHOW and DESCRIBE, as queries of information_schema: show.h
 *   explain*.c           EXPLAIN: explain.h
 *   sysvar.c             SET
 *   gateway_transaction.c  BEGIN and its like
 *   gateway_prepared.c   PREPARE, EXECUTE and DEALLOCATE PREPARE
 *   select_into.c        SELECT ... INTO @variables
 *   select_export.c      SELECT ... INTO OUTFILE, DUMPFILE, 's3://...'
 *   gateway_kill.c       KILL
 *   gateway_timeout.c    time limits that clients ask for
 * Owner: the connection (or a test), on its core. Memory: one arena, charged to a budget of its
 * own.
 */
#include "sql/exec.h"
#include "sql/mysql_result.h"
#include "sql/parse.h"

struct statement;
struct dml_writer;
struct export_job;
struct export_port;
struct cell;
struct column;

/* Where results go: the MySQL connection, or a test. */
struct result_sink {
    /* 0 or -ENOBUFS / -ENOMEM (fatal). Columns and types live as long as the statement. */
    int (*begin)(struct result_sink *k, const struct mysql_column *columns,
                 const struct value_type *types, uint32_t n);
    /* One row; false: no room now, call again with the same row after the sink has called
     * statement_resume. */
    bool (*row)(struct result_sink *k, const struct datum *cells);
    void (*end)(struct result_sink *k, uint16_t warnings);
    void (*ok)(struct result_sink *k, uint64_t affected, uint64_t insert_id, uint16_t warnings,
               const char *info);
    void (*error)(struct result_sink *k, const struct mysql_error *e);
    /* LOAD DATA LOCAL: asks the client for a file, once, then for its next bytes, which load_take gets, perhaps before
     * this returns. -EPERM: the client does not give files; NULL: there is no client. */
    int (*ask_file)(struct result_sink *k, const char *name, size_t len);
    void (*ask_bytes)(struct result_sink *k);
};

enum statement_stage {
    STATEMENT_NEW,
    STATEMENT_SUBQUERIES,
    STATEMENT_RUN,     /* the kind's own steps */
    STATEMENT_EMIT,    /* rows in memory are being sent */
    STATEMENT_CLOSE,   /* waiting for cluster queries to close */
    STATEMENT_REFRESH, /* waiting for the newest catalog, before the first or a second try */
    STATEMENT_DONE,
};

/* Rows made by the gateway itself: EXPLAIN, SHOW CREATE TABLE. Owner: the statement. */
struct memory_result {
    struct mysql_column *columns;
    struct value_type *types;
    uint32_t n_columns;
    struct datum *cells;
    uint32_t n_rows, cap_rows, next;
};

/* What the engine needs to know of the world; per core. */
struct gateway_env {
    struct reactor *reactor;
    struct cluster *cluster;
    uint64_t statement_memory; /* bytes; 0 = a quarter of the core's budget, at least 256 MiB */
    uint64_t timeout_ns;       /* 0 = none */
    struct spill_space *spill; /* temporary files of the core; NULL = none */
    struct gateway *gateway;   /* processlist, KILL; may be NULL */
    const struct export_port *exports; /* of SELECT ... INTO; NULL = none */
};

struct statement {
    const struct gateway_env *env;
    struct gateway_session *session;
    struct result_sink *sink;
    void (*done)(struct statement *s); /* last call: the answer is complete, nothing is in flight */
    void *ctx;

    /* What a second try starts from. */
    struct budget budget;
    struct arena kept; /* the text, the array of parameters */
    const char *text;
    size_t text_len;
    struct parsed *parsed;      /* what the text is, when others need it too; or NULL */
    const struct datum *params; /* bytes are the caller's until done */
    const struct value_type *param_types;
    uint32_t n_params;
    bool describes;   /* only the columns of the result are wanted */
    bool asks_newest; /* the catalog is asked for before the first try */
    const char *
        next_text; /* the statement to come when this one is through: CREATE TABLE ... SELECT; or NULL */
    const char *made; /* the temporary table that was made for it; or NULL */
    uint64_t deadline_ns;
    int64_t now_us;
    uint8_t refreshes;  /* times the catalog was asked for */
    bool gateway_alone; /* does joins and computations: they were too large for the cores */
    struct cluster_refresh refresh;
    struct timer deadline;         /* between start and end, when there is one */
    struct timer nap;              /* armed while SLEEP() is waited for */
    struct export_job *export_job; /* opened once for all tries; or NULL */

    /* One try: zeroed before each, from here to the end. */
    enum statement_stage stage;
    bool is_held; /* the error waits: another try may make it go away */
    struct arena arena, scratch;
    struct mysql_error error;
    struct exec exec;
    struct bind bind;
    struct expr_ctx expr_ctx;
    struct sql_stmt *ast;
    bool has_begun; /* a result set has begun */
    bool answered;
    bool keeps_warnings; /* SHOW WARNINGS: those of the statement before */
    bool running;        /* inside statement_resume */
    /* sql_mode QUANTA. */
    bool hides_affected;     /* INSERT says 0 rows */
    bool counts_matched;     /* UPDATE says how many rows it found */
    const char *row_refusal; /* what is told of the first row that UPDATE finds; NULL = nothing */

    /* Queries. */
    struct bound_query *query;
    struct plan *plan;
    struct exec_op *op, *other_op; /* other_op: looking up keys */
    struct rowset rows;            /* being sent */
    uint32_t row;
    struct mysql_column *columns;
    struct value_type *types;
    uint32_t n_columns;
    bool query_ended; /* its last rows came, perhaps SLEEP() is still waited for */
    uint64_t rows_sent;
    /* SQL_CALC_FOUND_ROWS: all rows are made and counted, the LIMIT is applied when they are sent. */
    bool counts_all;
    uint64_t rows_made, send_from, send_count;
    bool explain_analyze;

    struct memory_result memory;

    /* The rest of its kind: called in STATEMENT_RUN until READY. */
    enum step (*run)(struct statement *s);
    void *state;
    void (*stop)(
        struct statement *s); /* the statement ends: what is in flight should, too; or NULL */
    void (*fini)(struct statement *s); /* frees what state holds beyond arenas; or NULL */
    struct dml_writer *writers;        /* dml_writer_init; freed at the end */
    struct cell *list_items;           /* room for dml_store */
    bool takes_near; /* values that do not fit are stored as near as can be, with a warning */
};

/* Prepares a statement over text (copied into its arena) and its parse tree's first statement;
 * *consumed tells where the next begins. Does not run it. Parameters may be NULL. */
void statement_init(struct statement *s, const struct gateway_env *env,
                    struct gateway_session *session, struct result_sink *sink);
void statement_fini(struct statement *s);

/* Parses; 0 or -EINVAL with s->error. */
int statement_parse(struct statement *s, const char *text, size_t len, size_t *consumed);
/* The same of what is parsed already. */
void statement_take_parsed(struct statement *s, struct parsed *p);
/* Starts executing what was parsed. The answer goes to the sink, then done is called, perhaps
 * before this returns. The arrays are copied; bytes of strings stay the caller's, until done. */
void statement_start(struct statement *s, const struct datum *params,
                     const struct value_type *param_types, uint32_t n_params);
/* The sink has room again, or a time has come. Any time between start and done. */
void statement_resume(struct statement *s);
/* Ends it early: error 1317 unless code says otherwise; done still comes. */
void statement_cancel(struct statement *s, unsigned code, const char *text);

/* For COM_STMT_PREPARE: finds the columns of the result, without running. Nothing is answered but
 * an error; in done s->columns and s->n_columns tell, when s->error.code is 0. */
void statement_describe(struct statement *s);

/* ---- for the kinds ---- */

void statement_ok(struct statement *s, uint64_t affected, uint64_t insert_id, const char *info);
void statement_fail(struct statement *s, unsigned code, ...);
/* Printf in the arena; NULL with the error set. */
char *statement_printf(struct statement *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void *statement_alloc(struct statement *s, size_t n);
void *statement_alloc_raw(struct statement *s, size_t n); /* not zeroed */

/* Waits for what SLEEP() asked for since the last time: true while it does, statement_resume comes then. */
bool statement_naps(struct statement *s);

/* Queries: bind and plan; false with the error. */
bool select_prepare(struct statement *s, const struct sql_query *q);
bool select_open(struct statement *s);
/* The next row is only counted: SQL_CALC_FOUND_ROWS, and beyond the LIMIT. */
bool select_passes_over(const struct statement *s);
enum step select_run(struct statement *s);
/* Result column of a query for the protocol. */
bool select_columns(struct statement *s, const struct bound_query *q);
void mysql_column_of_type(struct mysql_column *m, const struct value_type *t);

/* Rows in memory. */
bool memory_result_begin(struct statement *s, uint32_t n_columns);
void memory_result_column(struct statement *s, uint32_t i, const char *name,
                          struct value_type type);
struct datum *memory_result_row(struct statement *s); /* NULLs to fill in; NULL with the error */

bool dml_insert_prepare(struct statement *s);
bool load_prepare(struct statement *s);
/* The next bytes of the file that ask_bytes asked for; none: its end. Copied. */
void load_take(struct statement *s, const void *bytes, size_t len);
bool dml_update_prepare(struct statement *s);
bool dml_delete_prepare(struct statement *s);
bool ddl_prepare(struct statement *s);
/* Comment of a column in SHOW CREATE TABLE, quoted. */
const char *show_column_comment(struct statement *s, const struct column *c);
bool maintain_prepare(struct statement *s);
bool show_prepare(struct statement *s, const struct sql_show *show);
bool explain_prepare(struct statement *s);
bool explain_finish(struct statement *s); /* EXPLAIN ANALYZE: after the query ran */
bool sysvar_prepare_set(struct statement *s);
bool transaction_prepare(struct statement *s);
/* PREPARE, DEALLOCATE. */
bool prepared_statement(struct statement *s);
/* EXECUTE: puts the prepared text, parsed, and its parameters in place of the statement; false with the error. */
bool prepared_execute(struct statement *s);
/* Between select_prepare and the first row: the answer goes to variables. */
bool select_into(struct statement *s, const struct sql_into *into);
bool kill_prepare(struct statement *s);
/* False with the error in START TRANSACTION READ ONLY. */
bool transaction_allows_write(struct statement *s);
/* Time limit of the session or of a hint in the statement's text, ns; 0 = none. */
uint64_t statement_own_timeout(const struct statement *s);

/* The statement tells what exists: an old catalog would make it wrong without an error. */
bool refresh_comes_first(const struct statement *s);
/* It failed with an error that an old catalog may be the reason of, before anything was answered or
 * written. */
bool refresh_may_help(const struct statement *s);
/* Joins were too large for the cores, before anything was answered or written. */
bool gateway_alone_may_help(const struct statement *s);
