#pragma once
/* What the files of quanta_mode.h share. All nodes are of the statement's arena; NULL or false: the error is set. */
#include "sql/gateway_statement.h"
#include "storage/catalog.h"

/* The rewriting of one statement. Owner: the stack of quanta_mode_apply. */
struct quanta_mode {
    struct statement *s;
    struct sql_table *from; /* of the SELECT or the table at hand: where names are looked up */
    unsigned n_joins;       /* derived tables made so far, for their names */
};

/* A node with n operands, its text that of `at`. */
struct sql_expr *mode_node(struct quanta_mode *m, enum sql_expr_kind kind, unsigned op,
                           unsigned flags, const struct sql_expr *at, struct sql_expr **args,
                           uint32_t n);
/* a AND b; either may be NULL. */
struct sql_expr *mode_and(struct quanta_mode *m, struct sql_expr *a, struct sql_expr *b);
/* NULL, or a parameter that is. */
bool mode_is_null(const struct quanta_mode *m, const struct sql_expr *e);

/* The table behind a column's name, and its column when the table is not a derived one; NULL: none has it. */
struct sql_table *mode_find(const struct quanta_mode *m, const struct sql_column_ref *ref,
                            const struct column **column);
/* The definition of a table, NULL for other databases and unknown names. */
const struct schema *mode_schema(const struct quanta_mode *m, const char *db, const char *name);

/* A condition as the mode means it. */
struct sql_expr *mode_condition(struct quanta_mode *m, struct sql_expr *e);

bool mode_query(struct quanta_mode *m, struct sql_query *q);
/* Parts of WHERE that are joins; what is left of it. m->from becomes the new FROM. */
bool mode_in_joins(struct quanta_mode *m, struct sql_select *select);
/* After the condition was rewritten: what it says of the right side of an OUTER JOIN goes into the join. */
bool mode_outer_joins(struct quanta_mode *m, struct sql_select *select);

bool mode_insert(struct quanta_mode *m, struct sql_insert *insert);
bool mode_update(struct quanta_mode *m, struct sql_update *update);
bool mode_delete(struct quanta_mode *m, struct sql_delete *delete_);

/* 1105, as all errors of the first Quanta. false */
bool mode_refuse(struct quanta_mode *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
