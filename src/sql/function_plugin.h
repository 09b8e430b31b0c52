#pragma once
/*
 * Functions of SQL that plug-ins bring (storage/quanta_plugin.h). Loaded before the cores start, constant then.
 */
#include "sql/function.h"
#include "storage/quanta_plugin.h"
#include "storage/type.h"

struct aggregate_call;
struct aggregate_state;

/* Takes in the functions of the plug-ins in a list "a,b". Main thread, once. 0, or -errno with the error: a plug-in is
 * missing, a description makes no sense, or a name is taken. */
int function_plugins_load(const char *list, struct error_info *err);

/* By name, any case; NULL when there is none. */
const struct function *function_plugin_find(const char *name, size_t len);
const struct quanta_plugin_aggregate *aggregate_plugin_find(const char *name);

/* All of them, functions first: the signature and its plug-in; false behind the last. */
bool function_plugin_at(size_t i, const struct quanta_function_signature **signature,
                        const char **plugin, bool *is_aggregate);

/* Type of results. */
struct value_type function_plugin_type(const struct quanta_function_signature *s);

/* ---- values ---- */

/* A value of the expression as the plug-in wants it; false: out of range or no memory, with the error in x. */
bool function_plugin_give(struct expr_ctx *x, const struct expr *e, const struct datum *d,
                          uint32_t kind, struct quanta_plugin_value *out);
/* What the plug-in made; wrong kinds, bytes that are no UTF-8 and the like are errors. */
void function_plugin_take(struct expr_ctx *x, const struct quanta_function_signature *s,
                          const struct quanta_plugin_value *v, struct datum *out);
/* Error 3200 with the plug-in's words. */
void function_plugin_fail(struct expr_ctx *x, struct datum *out, const char *name, const char *why);

/* ---- aggregates (aggregate_plugin.c) ---- */

/* A row; `value` is that of the only argument when it is known already, or NULL. 0, -ENOMEM. */
int aggregate_plugin_step(struct aggregate_state *s, const struct aggregate_call *c,
                          struct expr_ctx *x, const struct datum *value, struct arena *a);
void aggregate_plugin_finish(struct aggregate_state *s, const struct aggregate_call *c,
                             struct expr_ctx *x, struct datum *out);
