#pragma once
/*
 * The SQL type that a column was declared with, where it says more than the column's own type, scale and length. It bounds
 * what SQL statements write (sql/dml_limit.c) and is given back by SHOW CREATE TABLE; how rows are stored does not depend on
 * it, and the loader does not ask. Stateless; any core.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct column;
struct schema_fault;

enum declared_kind {
    DECLARED_NONE, /* by schema.yaml, or a type that says no more */
    DECLARED_TINYINT,
    DECLARED_SMALLINT,
    DECLARED_MEDIUMINT,
    DECLARED_INT,
    DECLARED_BIGINT,
    DECLARED_YEAR,
    DECLARED_DECIMAL,
    DECLARED_CHAR,
    DECLARED_TINYTEXT,
    DECLARED_TEXT,
    DECLARED_MEDIUMTEXT,
    DECLARED_LONGTEXT,
    DECLARED_JSON,
    DECLARED_ENUM,
    DECLARED_SET,
    DECLARED_COUNT
};

struct declared {
    uint8_t kind;
    bool is_unsigned;
    uint8_t precision; /* DECIMAL: digits, 1 to 18; else 0 */
};

enum { DECLARED_TEXT_BYTES = 40, DECLARED_MAX_PRECISION = 18 };

/* "smallint unsigned", "decimal(10)", "enum", as schema.yaml has it under sqlType. */
void declared_print(const struct declared *d, char out[static DECLARED_TEXT_BYTES]);
bool declared_parse(const char *text, struct declared *out);
/* The word alone: "smallint". */
const char *declared_name(enum declared_kind kind);

/* Least and greatest number that the column takes, in units of its scale. False: as many as it can store. */
bool declared_range(const struct column *c, int64_t *min, int64_t *max);
/* Bytes of the longest text; 0 = no limit. */
uint64_t declared_text_bytes(enum declared_kind kind);

/* Does the type fit column type and strategy? Derives what declared_find_member needs: 0, -EINVAL with the fault (column i),
 * -ENOMEM. */
int declared_check(struct column *c, int i, struct schema_fault *f);
/* Number of a member of ENUM or SET, or -1. Of a column that is checked. */
int64_t declared_find_member(const struct column *c, const char *text, size_t len);
/* Takes `next` all that rows of `old` may have? */
bool declared_holds(const struct column *old, const struct column *next);
