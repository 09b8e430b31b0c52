#pragma once
/*
 * Table definition. Built once from schema.yaml, CREATE TABLE or a log record, then immutable and shared
 * by all cores by reference count (atomic). Spec: schema keys of the original, node.md section 1.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "storage/declared.h"
#include "storage/type.h"

enum {
    SCHEMA_MAX_COLUMNS = 1024,
    SCHEMA_MAX_NAME = 64,
    SCHEMA_MAX_KEY_COLUMNS = 8,
    SCHEMA_HIDDEN_KEY_ID = 0xfffe
};

struct enum_value {
    char *value; /* predefined value of an enum column */
    char *desc;
    int64_t row_id; /* rowID as written, kept only */
};

/* A setting under `configuration`, as written. */
struct schema_pair {
    char *key, *value;
};

/* What a strategy needs to convert values, made of the settings (mapping_rule.h). */
struct mapping_rule;

struct column {
    uint16_t id;  /* stable within the table; never reused */
    char *name;   /* fieldName */
    char *source; /* sourceName as written: "/a/b"; NULL = same as the name */
    enum column_type type;
    enum mapping mapping;
    enum column_layout layout;
    uint8_t scale;     /* DECIMAL digits, DATETIME tick exponent (0, 3, 6) */
    bool required;     /* NOT NULL */
    bool multi_valued; /* nonExclusive with a delimiter: LAYOUT_LIST */
    bool searchable;
    bool hidden;         /* the generated key of a table without a primary key; not in SELECT * */
    bool in_key;         /* part of the row key: immutable */
    char delim;          /* of multi-valued text, default ',' */
    uint32_t max_length; /* declared VARCHAR length, 0 = none; informational in results */
    char *
        default_value; /* literal text (converted as an input value) or an expression such as now(); NULL = none */
    char *
        initial_value; /* of rows written before the table had the column (initial.h); NULL = NULL */
    char *parent_table; /* ParentRelation: table whose key the column holds */
    char *
        parent_key; /* ParentRelation: key columns in the parent when given ("t.spec"), else NULL */
    char *comment;
    struct enum_value *values; /* predefined */
    uint32_t n_values;
    struct declared declared;     /* by CREATE TABLE */
    uint32_t *members;            /* of ENUM and SET: numbers of values, by their bytes; derived */
    int64_t min_value, max_value; /* declared in the schema; used for notices and alter checks */
    struct schema_pair *config;   /* settings of the strategy, the delimiter excepted */
    uint32_t n_config;
    struct mapping_rule *rule;                 /* derived; NULL for strategies without settings */
    bool column_id, call_transform, high_card; /* kept and printed, no effect */
    uint32_t source_ordinal;                   /* kept and printed, no effect */
};

/*
 * An attribute that is no column. ChildRelation: the elements of the list at `source` are rows of the
 * table `target`. Delegated: the value at `source` is for the column `target` in rows where that
 * column's own source has none.
 */
struct schema_input {
    enum mapping mapping;
    char *name; /* fieldName or NULL */
    char *source;
    char *target;
    char *comment;
};

/* Rows of a temporary table: freed with the definition, on the core that made both. */
struct schema_rows {
    void (*free)(struct schema_rows *rows);
};

struct schema {
    uint32_t refs;     /* atomic */
    uint32_t table_id; /* given by the catalog; 0 before */
    uint64_t version;  /* catalog version at which this definition was made */
    char *name;
    char *primary_key; /* as written: "a+b"; NULL = hidden key */
    char *secondary_keys;
    char *time_field; /* timeQuantumField or NULL */
    char *time_type;  /* "YMD", "YMDH" or NULL */
    char *retention;  /* "90d", "24h" or NULL: how long partitions are kept after their end */
    char *comment;
    char *shard_key; /* shardKey as written: columns of the primary key, "a+b"; NULL = all of it */
    char *selector, *view_of; /* schema_is_view() */
    char *default_predicate;  /* kept and printed, no effect */
    bool replicated;          /* a copy on every node; one node: no effect */
    struct schema_input *inputs;
    uint16_t n_inputs;
    struct column *columns;
    uint16_t n_columns; /* hidden key column included */
    uint16_t
        hidden_at; /* position of the hidden key when columns were added after it; 0 = it is last, or none */
    uint16_t
        key[SCHEMA_MAX_KEY_COLUMNS]; /* indices into columns: time field first if partitioned */
    uint8_t n_key;
    uint8_t
        place[SCHEMA_MAX_KEY_COLUMNS]; /* parts of the key that choose the slot: of shardKey, in */
    uint8_t n_place;                   /* its order, or all but the time field; numbers in key[] */
    int16_t time_column;               /* index of the time field or -1 */
    int64_t retention_s;               /* 0 = for ever */
    struct schema_rows *rows;          /* of a temporary table (rpc/temporary.h); else NULL */
};

/* view_of of a view: its query is the text of `selector`, and no rows are stored. Other values are kept for whoever
 * wrote the schema. */
#define SCHEMA_VIEW "SELECT"

static inline bool schema_is_view(const struct schema *s)
{
    return s->view_of && s->selector && strcmp(s->view_of, SCHEMA_VIEW) == 0;
}

/* Has the table no primary key, so that its rows get one that nobody sees? */
static inline bool schema_has_hidden_key(const struct schema *s)
{
    return !s->primary_key;
}

/* Parses one schema.yaml text. `file` is named in messages. Warnings (unknown and legacy keys) go to `warn`
 * (may be NULL), one call per line. 0, or -EINVAL with file, line, key, found, allowed in err. */
int schema_parse_yaml(const char *file, const char *text, size_t len,
                      void (*warn)(void *ctx, const char *line), void *ctx, struct schema **out,
                      struct error_info *err);

/* Canonical YAML of a schema incl. column ids (log records, wire, SHOW CREATE): malloc'ed text, caller frees;
 * NULL with errno ENOMEM, or ENOBUFS when it is too long. */
char *schema_print_yaml(const struct schema *s);

/* For CREATE TABLE: an empty schema, columns added in order, then schema_finish checks and derives the rest
 * (layouts, ids, key, hidden key column). Names are copied. */
struct schema *schema_new(const char *name);
struct column *schema_add_column(struct schema *s, const char *name, enum column_type type,
                                 enum mapping mapping);
int schema_finish(struct schema *s, struct error_info *err);

/* Sets a text member; `config` adds or replaces a setting of a column. 0 or -ENOMEM. */
int schema_set_text(char **to, const char *text);
int schema_set_config(struct column *c, const char *key, const char *value);
/* A setting's value, or NULL. Keys are compared as written. */
const char *schema_config(const struct column *c, const char *key);
/* Adds an attribute that is no column, target and source to be set: NULL on -ENOMEM or too many. */
struct schema_input *schema_add_input(struct schema *s, enum mapping mapping);

/*
 * May `next` take the place of `old`? 0; 1 when nothing differs; -EINVAL with key, found and allowed in err
 * when something differs that stored rows depend on. What differs and is allowed is told to `warn` (may be
 * NULL), one call per difference. The ids of `next` should come from schema_keep_ids. Original: node.md 1.8.
 */
int schema_check_alter(const struct schema *old, const struct schema *next,
                       void (*warn)(void *ctx, const char *line), void *ctx,
                       struct error_info *err);
/* Error of a definition that lacks a column of the table: -EINVAL. */
int schema_refuse_drop(const struct schema *s, const char *column, struct error_info *err);

/* A default that is the moment of writing, now() and its like; that only SQL evaluates, another call. */
bool schema_is_now(const char *default_value);
bool schema_is_call(const char *default_value);

/*
 * Checks as schema_check_alter, and makes of `next`, which nobody shares yet, the definition that follows `old`: the
 * columns that were there keep their places and ids, new ones stand behind them; rows that are there have the
 * default of a new column (a moment is now_us, since 1970) or NULL. 0 with next->version to be given; 1 when nothing
 * differs and next is not to be used; -EINVAL, -ENOSPC, -ENOMEM with a text.
 */
int schema_succeed(const struct schema *old, struct schema *next, int64_t now_us,
                   void (*warn)(void *ctx, const char *line), void *ctx, struct error_info *err);
/* Takes back what schema_finish derived, so that columns can be added to a definition nobody shares yet. */
void schema_reopen(struct schema *s);
/* A copy that nobody shares, without table id and version: 0, -ENOMEM. */
int schema_copy(const struct schema *s, struct schema **out, struct error_info *err);

/* Gives the columns of `next`, which nobody shares yet, the ids they have in `old`; new ones get new ids, above
 * all of `old`. 0 or -ENOSPC when there are no more. */
int schema_keep_ids(const struct schema *old, struct schema *next);

struct schema *schema_get(struct schema *s); /* takes a reference */
void schema_put(struct schema *s);           /* frees at the last */

/* Can the words of the column's texts be searched? */
static inline bool column_is_searchable(const struct column *c)
{
    return c->searchable && c->type == COLUMN_STRING &&
           (c->mapping == MAPPING_STRING_HASH_BSI || c->mapping == MAPPING_STRING_ENUM);
}

/* Index of a column by name (ASCII case-insensitive as MySQL's column names), or -1. */
int schema_find_column(const struct schema *s, const char *name, size_t len);
int schema_find_column_id(const struct schema *s, uint16_t id);
