/*
 * SQL text from clients: every statement of the text is parsed; what parses is printed, parses again
 * and prints the same. The first byte chooses flags, the second the arena's limit, so that running
 * out of memory is met everywhere.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "sql/ast_print.h"
#include "sql/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses printed text, which is always in the default mode. */
static void print_again(struct arena *arena, const struct sql_stmt *stmt)
{
    struct parse_error error;
    struct sql_stmt *again;
    const char *first;
    const char *second;
    size_t length;
    if (sql_print_stmt(arena, stmt, &first, &length) < 0)
        return;
    int rc = sql_parse(arena, first, length, 0, &again, NULL, &error);
    /* Out of memory, or one level deeper than the limit by a pair of parentheses. */
    if (rc == -12 || rc == -7)
        return;
    ASSERT(rc == 0);
    ASSERT(again->kind == stmt->kind);
    if (sql_print_stmt(arena, again, &second, NULL) < 0)
        return;
    ASSERT(strcmp(first, second) == 0);
}

static void parse_all(const char *text, size_t size, unsigned flags, size_t limit)
{
    for (size_t at = 0; at < size;) {
        struct arena arena;
        struct parse_error error;
        struct sql_stmt *stmt;
        size_t end;
        arena_init(&arena, limit, NULL);
        int rc = sql_parse(&arena, text + at, size - at, flags, &stmt, &end, &error);
        ASSERT(rc == 0 || (error.code && error.text[0] && error.offset <= size - at));
        ASSERT(rc != 0 || (end > 0 && end <= size - at));
        if (rc == 0)
            print_again(&arena, stmt);
        arena_fini(&arena);
        if (rc < 0)
            return;
        at += end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    unsigned flags = data[0] & 15;
    size_t limit = data[1] < 16 ? (size_t)data[1] << 10 : (size_t)8 << 20;
    /* An exact copy, so that reading beyond the text is seen. */
    char *text = malloc(size - 2 ? size - 2 : 1);
    memcpy(text, data + 2, size - 2);
    parse_all(text, size - 2, flags, limit);
    struct arena arena;
    struct parse_error error;
    struct sql_expr *expr;
    arena_init(&arena, limit, NULL);
    sql_parse_expr(&arena, text, size - 2, flags, &expr, &error);
    arena_fini(&arena);
    free(text);
    return 0;
}
