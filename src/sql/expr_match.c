/* MATCH ... AGAINST over the texts of a row: 1 or 0, never NULL. */
#include <string.h>

#include "sql/expr.h"
#include "sql/function.h"
#include "storage/words_query.h"

/* One column: each value of a multi-valued one is a text, so that phrases end with it. */
static void match_values(struct words_match *m, const char *s, size_t len, char delim)
{
    const char *end = s + len;

    while (delim && s < end) {
        const char *q = memchr(s, delim, (size_t)(end - s));

        if (!q)
            break;
        words_match_text(m, s, (size_t)(q - s));
        s = q + 1;
    }
    words_match_text(m, s, (size_t)(end - s));
}

static void eval_match(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct words_match *m = e->state;

    if (!m) {
        expr_fail(x, out, 1041);
        return;
    }
    words_match_begin(m);
    for (uint32_t i = 0; i + 1 < e->n_args; i++) {
        const struct expr *column = e->args[i];
        struct datum d;
        size_t len;

        expr_eval(column, x, &d);
        if (d.kind == DATUM_NULL)
            continue;
        const char *s = function_text(x, &d, &column->type, &len);
        if (s)
            match_values(m, s, len, column->kind == EXPR_COLUMN ? column->delim : 0);
    }
    datum_set_int(out, words_match_end(m));
}

void expr_prepare_match(struct expr *e, struct arena *a)
{
    struct words_match *m = arena_alloc(a, sizeof *m);

    e->state = m && words_match_init(m, e->u.words, a) == 0 ? m : NULL;
    e->type = value_type_int(1);
    e->type.not_null = true;
    e->eval = eval_match;
}
