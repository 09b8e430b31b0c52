#include "sql/parsed.h"

#include <stdlib.h>

#include "reactor/assert.h"
#include "sql/parse.h"

enum {
    TEXT_MAX = 4 << 10, /* bytes; beyond them parsing is not what an execution takes long for */
    TREE_MAX = 64 << 10,
};

static bool can_keep(const struct sql_stmt *ast)
{
    switch (ast->kind) {
    case SQL_STMT_SELECT:
        return !ast->u.query->into;
    case SQL_STMT_INSERT:
    case SQL_STMT_UPDATE:
    case SQL_STMT_DELETE:
        return true;
    default:
        return false;
    }
}

struct parsed *parsed_new(const char *text, size_t len, unsigned flags, struct budget *budget)
{
    struct parsed *p = len > TEXT_MAX || (flags & SQL_PARSE_QUANTA) ? NULL : calloc(1, sizeof *p);
    struct parse_error pe;
    size_t consumed;

    if (!p)
        return NULL;
    p->refs = 1;
    p->flags = flags;
    p->len = len;
    arena_init(&p->arena, TREE_MAX, budget);
    p->text = arena_strndup(&p->arena, text, len);
    if (p->text && !sql_parse(&p->arena, p->text, len, flags, &p->ast, &consumed, &pe) &&
        consumed == len && can_keep(p->ast)) {
#ifdef QUANTA_DEBUG
        p->check = arena_hash(&p->arena);
#endif
        return p;
    }
    parsed_put(p);
    return NULL;
}

struct parsed *parsed_get(struct parsed *p)
{
    p->refs++;
    return p;
}

void parsed_put(struct parsed *p)
{
    if (!p || --p->refs)
        return;
    ASSERT_HOT(!p->check || p->check == arena_hash(&p->arena));
    arena_fini(&p->arena);
    free(p);
}
