#pragma once
/*
 * Rules of a table definition, shared by schema.yaml and CREATE TABLE. A broken rule is told as a
 * fault: where, which key, what was found, what is allowed; the reader of YAML adds file and line.
 * Stateless; any core.
 */
#include "storage/schema.h"

enum { SCHEMA_MAX_SCALE = 18, SCHEMA_MAX_VALUES = 20000 /* predefined enum values of a table */ };

struct schema_fault {
    int code;        /* MySQL error number */
    int column;      /* position, -1 = the table */
    int input;       /* position of a struct schema_input, or -1 */
    const char *key; /* as in schema.yaml */
    char found[120];
    char allowed[400];
};

/* Fills the fault and returns -EINVAL. `found` is clipped; NULL = nothing. */
int schema_fault_set(struct schema_fault *f, int code, int column, const char *key,
                     const char *found, const char *allowed, ...)
    __attribute__((format(printf, 6, 7)));

/*
 * Checks the definition and derives layouts, ids, key and hidden key column: 0, -EINVAL with a
 * fault, -ENOMEM.
 */
int schema_check(struct schema *s, struct schema_fault *f);

/*
 * Key texts: next name of "a + b" (trimmed; possibly empty), false at the end. *at starts as the
 * text.
 */
bool schema_next_part(const char **at, char separator, const char **name, size_t *len);

/* Strategies and types by name. */
bool strategy_find(const char *name, enum mapping *out);
bool strategy_is_column(enum mapping m); /* else its attribute is a struct schema_input */
/* A setting of the strategy as it is spelled, ASCII case ignored; NULL = it takes no such one. Plug-ins take
 * any. */
const char *strategy_setting(enum mapping m, const char *key);
bool strategy_fits(enum column_type t, enum mapping m);
void strategy_list(char *out, size_t cap);                         /* all available */
void strategy_list_for(enum column_type t, char *out, size_t cap); /* those that fit the type */
bool column_type_find(const char *name, enum column_type *out);
enum column_layout strategy_layout(enum column_type t, enum mapping m, bool multi_valued);
uint8_t strategy_tick_scale(enum mapping m); /* Sys*BSI: 0, 3 or 6 */

/* Frees what a column holds. */
void schema_column_fini(struct column *c);

/* May a table or column have the name? */
bool schema_is_name(const char *name);
bool schema_is_utf8(const char *s, size_t len);
