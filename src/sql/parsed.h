#pragma once
/*
 * A text parsed once for all executions of a prepared statement. Binding reads the tree and leaves it as it is. Counted,
 * as an execution may still end when its statement is gone. One core.
 */
#include "reactor/arena.h"
#include "sql/ast.h"

struct parsed {
    unsigned refs;
    unsigned flags;     /* enum sql_parse_flag it was parsed with */
    uint64_t check;     /* of the arena's bytes; debug builds */
    struct arena arena; /* text and tree */
    const char *text;
    size_t len;
    struct sql_stmt *ast;
};

/*
 * NULL when it is not worth it, or cannot be: a long text, an error, a statement whose tree is changed when it is bound,
 * no room in the budget (may be NULL), which the memory is charged to.
 */
struct parsed *parsed_new(const char *text, size_t len, unsigned flags, struct budget *budget);
struct parsed *parsed_get(struct parsed *p);
/* NULL is fine. */
void parsed_put(struct parsed *p);
