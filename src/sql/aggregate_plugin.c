/* Aggregates of plug-ins: states of a fixed size in the memory of the groups. */
#include <errno.h>
#include <string.h>

#include "sql/aggregate.h"
#include "sql/function_plugin.h"

enum { WHY_BYTES = 300 };

static void fail(struct expr_ctx *x, const struct aggregate_call *c, char why[static WHY_BYTES])
{
    struct datum none;

    why[WHY_BYTES - 1] = 0;
    function_plugin_fail(x, &none, c->plugin->signature.name, why);
}

/* The state, made for the first row; NULL: no memory. */
static void *own_state(struct aggregate_state *s, const struct aggregate_call *c,
                       struct expr_ctx *x, struct arena *a)
{
    char why[WHY_BYTES] = "";

    if (s->own)
        return s->own;
    s->own = arena_alloc(a, c->plugin->state_size);
    if (s->own && c->plugin->init && c->plugin->init(s->own, why, sizeof why) != 0)
        fail(x, c, why);
    return s->own;
}

int aggregate_plugin_step(struct aggregate_state *s, const struct aggregate_call *c,
                          struct expr_ctx *x, const struct datum *value, struct arena *a)
{
    const struct quanta_function_signature *f = &c->plugin->signature;
    struct quanta_plugin_value args[QUANTA_FUNCTION_ARGS_MAX];
    char why[WHY_BYTES] = "";

    for (uint32_t i = 0; i < c->n_args; i++) {
        struct datum d;
        if (value)
            d = *value;
        else
            expr_eval(c->args[i], x, &d);
        if (expr_has_failed(x) || !function_plugin_give(x, c->args[i], &d, f->args[i], &args[i]))
            return 0; /* the error is in x */
        if (args[i].kind == QUANTA_PLUGIN_NULL && !(f->flags & QUANTA_FUNCTION_TAKES_NULL))
            return 0;
    }
    void *state = own_state(s, c, x, a);
    if (!state)
        return -ENOMEM;
    if (!expr_has_failed(x) && c->plugin->step(state, args, c->n_args, why, sizeof why) != 0)
        fail(x, c, why);
    return 0;
}

void aggregate_plugin_finish(struct aggregate_state *s, const struct aggregate_call *c,
                             struct expr_ctx *x, struct datum *out)
{
    const struct quanta_function_signature *f = &c->plugin->signature;
    size_t room_size = f->result == QUANTA_PLUGIN_TEXT ? f->length : 0;
    struct quanta_plugin_value v = {0};
    char why[WHY_BYTES] = "";
    char *room = expr_alloc(x, room_size + 1);
    void *state = own_state(s, c, x, x->scratch);

    datum_set_null(out);
    if (!room || !state || expr_has_failed(x))
        return;
    if (c->plugin->final(state, &v, room, room_size, why, sizeof why) != 0)
        fail(x, c, why);
    else
        function_plugin_take(x, f, &v, out);
}
