#pragma once
/*
 * What a column definition says beyond SQL: in its COMMENT, "strategy=StringEnum scale=2 multivalued searchable
 * delim=| key=value key=\"value\"; text", or in options such as STRATEGY '..'. Owner: one statement on its core.
 */
#include "sql/gateway_statement.h"

enum { WISH_SETTINGS = 16 };

/* What may be said about a column beyond SQL. */
struct wish {
    const char *strategy;
    int scale;
    bool multi_valued, searchable;
    char delim;
    const char *text; /* the rest of the comment */
    struct {
        const char *key, *value;
    } settings[WISH_SETTINGS]; /* of the strategy, as in schema.yaml under configuration */
    unsigned n_settings;
};

/* Reads a comment; w->text is what is left of it. False: the statement has failed, as below. */
bool ddl_read_comment(struct statement *s, const char *comment, struct wish *w);
/* Reads options; those of other engines are passed over. */
bool ddl_read_options(struct statement *s, const struct sql_option *o, struct wish *w);
/* Text of a literal, in the statement's arena, or NULL. */
const char *ddl_literal_text(struct statement *s, const struct sql_expr *e);
