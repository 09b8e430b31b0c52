/* Large statements: memory per value and linear time. */
#include <stdlib.h>
#include <time.h>

#include "parse_test_util.h"

/* Processor time of this thread: other load on the machine does not count. */
static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* An INSERT of at least `size` bytes; *rows_out rows of four values. */
static char *insert_text(size_t size, size_t *length_out, uint32_t *rows_out)
{
    char *text = malloc(size + 256);
    size_t n = (size_t)sprintf(text, "INSERT INTO events (id, name, price, flag) VALUES ");
    uint32_t rows = 0;
    while (n < size) {
        n += (size_t)sprintf(text + n, "%s(%u,'user%u',-%u.25,NULL)", rows ? "," : "", rows, rows,
                             rows % 1000);
        rows++;
    }
    *length_out = n;
    *rows_out = rows;
    return text;
}

static double parse_insert(size_t size, size_t arena_limit)
{
    size_t length;
    uint32_t rows;
    char *text = insert_text(size, &length, &rows);
    struct arena arena;
    struct sql_stmt *stmt;
    struct parse_error error;
    arena_init(&arena, arena_limit, NULL);
    double start = now_ns();
    int rc = sql_parse(&arena, text, length, 0, &stmt, NULL, &error);
    double took = now_ns() - start;
    cr_assert_eq(rc, 0, "%s", error.text);
    cr_expect_eq(stmt->u.insert->row_count, rows);
    double bytes = (double)arena.used / (4.0 * rows);
    cr_log_info("%zu bytes, %u rows: %.1f ns/byte, %.1f arena bytes/value", length, rows,
                took / (double)length, bytes);
    cr_expect_lt(bytes, 64.0, "%.1f bytes per value", bytes);
    uint32_t seen = 0;
    for (struct sql_row *row = stmt->u.insert->rows; row; row = row->next) {
        cr_assert_eq(row->count, 4);
        cr_assert_eq(row->values->v.integer, seen);
        seen++;
    }
    cr_expect_eq(seen, rows);
    arena_fini(&arena);
    free(text);
    return took / (double)length;
}

Test(parse_bulk, insert_of_16_mib)
{
    double small = parse_insert((size_t)1 << 20, (size_t)64 << 20);
    double large = parse_insert((size_t)16 << 20, (size_t)512 << 20);
    /* Linear: sixteen times the text must not cost much more per byte; caches excuse some. */
    cr_expect_lt(large, small * 4 + 20, "%.1f and %.1f ns/byte", small, large);
}

static double parse_string(size_t size)
{
    char *text = malloc(size + 32);
    size_t n = (size_t)sprintf(text, "select '");
    memset(text + n, 'x', size);
    n += size;
    text[n++] = '\'';
    struct parsed p;
    double start = now_ns();
    parsed_init(&p, text, n, 0);
    double took = now_ns() - start;
    cr_assert_eq(p.rc, 0, "%s", p.error.text);
    cr_expect_eq(p.stmt->u.query->terms->select->items->expr->count, size);
    /* It is not copied. */
    cr_expect_lt(p.arena.used, (size_t)1 << 20);
    parsed_fini(&p);
    free(text);
    return took / (double)n;
}

/* One token larger than the scanner's buffer: linear, as above. */
Test(parse_bulk, string_of_16_mib)
{
    double small = parse_string((size_t)1 << 20);
    double large = parse_string((size_t)16 << 20);
    cr_expect_lt(large, small * 4 + 20, "%.1f and %.1f ns/byte", small, large);
}

/* Nanoseconds per statement of a text of `size` bytes. */
static double parse_many(size_t size)
{
    char *text = malloc(size + 64);
    size_t n = 0;
    while (n < size) {
        n += (size_t)sprintf(text + n, "select a from t where b = %zu;\n", n);
    }
    double start = now_ns();
    size_t count = 0;
    for (size_t at = 0; at < n; count++) {
        struct parsed p;
        parsed_init(&p, text + at, n - at, 0);
        cr_assert_eq(p.rc, 0, "%s", p.error.text);
        at += p.end;
        parsed_fini(&p);
    }
    double took = now_ns() - start;
    cr_log_info("%zu statements: %.0f ns each", count, took / (double)count);
    free(text);
    return took / (double)count;
}

/* Many statements in one text: each costs its own length only. */
Test(parse_bulk, many_statements)
{
    double small = parse_many((size_t)1 << 18);
    double large = parse_many((size_t)4 << 20);
    cr_expect_lt(large, small * 4 + 2000, "%.0f and %.0f ns each", small, large);
}
