#pragma once
/*
 * Shard program: what a core computes over its slots of one table. Built by the planner, carried by legs or gRPC
 * (proto/program.proto), never changed afterwards. Memory: the arena of the operation that built or decoded it.
 */
#include "storage/batch.h"
#include "storage/schema.h"

struct budget;

/* NOT is pushed to the leaves by the planner, so a leaf selects the rows for which it is TRUE (never UNKNOWN). */
enum predicate_kind {
    PREDICATE_TRUE,
    PREDICATE_FALSE,
    PREDICATE_AND,     /* children */
    PREDICATE_OR,      /* children */
    PREDICATE_RANGE,   /* lo <= value <= hi, canonical int64 (BOOL, INT, DECIMAL, DATE, DATETIME) */
    PREDICATE_INTS,    /* value in ints[] (sorted, unique) */
    PREDICATE_STRINGS, /* bytes equal one of strings[] */
    PREDICATE_STRING_RANGE, /* strings[0] .. strings[1] bytewise; a bound with len UINT32_MAX is open */
    PREDICATE_LIKE, /* strings[0] = pattern with % and _, escape character in `escape`; case-sensitive */
    PREDICATE_NULL,  /* IS NULL */
    PREDICATE_WORDS, /* searchable: strings[0] = query of words (words_query.h), in boolean mode */
};

struct program_string {
    const char *bytes;
    uint32_t len;
};

struct predicate {
    enum predicate_kind kind;
    bool negate; /* leaves: the complement among non-NULL rows; PREDICATE_NULL: IS NOT NULL */
    bool lo_open, hi_open; /* STRING_RANGE: bound excluded */
    uint16_t column;       /* position in the schema */
    char escape;           /* LIKE; 0 = none */
    uint32_t n;            /* children / ints / strings */
    const struct predicate **children;
    int64_t lo, hi;
    const int64_t *ints;
    const struct program_string *strings;
};

/*
 * Joins along relations: `parents` is a BATCH_DATA with the parent key in column 0 and attributes after it. Column
 * references >= PROGRAM_PARENT name their attribute columns: PROGRAM_PARENT + join * PROGRAM_JOIN_STEP + position,
 * 1 = first attribute (program_parent_ref). Keys are unique: a child has one parent at most.
 */
enum {
    PROGRAM_PARENT = 0x4000,
    PROGRAM_JOIN_STEP = 0x400,
    PROGRAM_MAX_JOINS = 16,
    PROGRAM_MAX_GROUPS = 16,
    PROGRAM_MAX_AGGREGATES = 64,
    PROGRAM_MAX_ORDER = 16,
    PROGRAM_COUNTED = 65536 /* values of a counted row */
};

struct program_join {
    uint16_t column; /* the relation column, position in the schema */
    bool left;       /* children without a parent stay, with NULL attributes */
    const struct batch *parents;
};

static inline uint16_t program_parent_ref(unsigned join, unsigned attribute)
{
    return (uint16_t)(PROGRAM_PARENT + join * PROGRAM_JOIN_STEP + attribute);
}

static inline unsigned program_ref_join(uint16_t ref)
{
    return (ref - PROGRAM_PARENT) / PROGRAM_JOIN_STEP;
}

static inline unsigned program_ref_attribute(uint16_t ref)
{
    return (ref - PROGRAM_PARENT) % PROGRAM_JOIN_STEP;
}

/*
 * Inputs of aggregates that are computed row by row: column references PROGRAM_COMPUTED + position. NULL when one of
 * the operands is. Decimals are the integers that columns hold; factors bring both operands to one scale. Beyond 64
 * bits the program fails with PROGRAM_OUT_OF_RANGE: whoever planned it computes otherwise.
 */
enum {
    PROGRAM_COMPUTED = PROGRAM_PARENT + PROGRAM_MAX_JOINS * PROGRAM_JOIN_STEP,
    PROGRAM_CONSTANT = UINT16_MAX, /* as the column of an operand: only its factor */
    PROGRAM_MAX_COMPUTED = 32,
    PROGRAM_MAX_OPERATIONS = 64, /* of one computed value, those of its operands included */
    PROGRAM_OUT_OF_RANGE = 1690, /* error code */
};

enum computed_kind { COMPUTED_ADD, COMPUTED_SUBTRACT, COMPUTED_MULTIPLY };

struct program_operand {
    uint16_t
        column; /* ORDERED, of integers or decimals; of a parent; an earlier computed one; PROGRAM_CONSTANT */
    int64_t factor;
};

struct program_computed {
    enum computed_kind kind;
    struct program_operand operands[2];
};

enum aggregate_kind {
    AGGREGATE_COUNT_ROWS,
    AGGREGATE_COUNT,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX
};

struct aggregate {
    enum aggregate_kind kind;
    uint16_t column; /* not for COUNT_ROWS; may be computed */
};

enum program_output {
    OUTPUT_GROUPS, /* one row per group: group columns, then aggregates (no group columns: exactly one row) */
    OUTPUT_ROWS, /* projected rows, ordered and limited when asked */
};

/* An aggregate between lo and hi, which are open when they are the ends of int64_t; texts are not looked at. */
struct program_having {
    uint16_t aggregate;
    int64_t lo, hi;
};

struct program_order {
    uint16_t output; /* position among the output columns */
    bool descending; /* NULLs are smallest, as in MySQL */
};

/*
 * Output columns of a batch, ids 0, 1, 2 ... in output order. Kinds: STRING -> BYTES; LIST -> LIST (projection) or
 * BYTES (group column, one row per value); COUNT* -> I64; SUM -> I128 (NULL when no value); all others I64.
 * `counted` adds a column of BYTES: where it is NULL the row is one row, else it stands for many: PROGRAM_COUNTED uint32
 * (little-endian), how many rows have the value of the first column, that + 1, and so on. NULL rows may be missing.
 */
struct program {
    uint32_t table_id;
    uint64_t catalog_version; /* the planner's; an executor with another table version refuses */
    const struct predicate *where; /* NULL = all rows */
    uint16_t n_joins;
    const struct program_join *joins;
    enum program_output output;
    uint16_t n_columns;      /* GROUPS: group columns; ROWS: projected columns */
    const uint16_t *columns; /* positions in the schema, or program_parent_ref */
    uint16_t n_computed;
    const struct program_computed *computed;
    uint16_t n_aggregates; /* GROUPS */
    const struct aggregate *aggregates;
    /* ROWS: top-n when limit is set; never without a limit. GROUPS: with an order the merge of all gives the first
     * `limit` groups only; cores, which have parts of them, and nodes beside others all. */
    uint16_t n_order;
    const struct program_order *order;
    uint64_t limit; /* rows wanted in all; UINT64_MAX = all */
    /* GROUPS of which the merge of all may leave out those that do not meet all of these, NULL being in no range.
     * It stays in the process: who asks other nodes merges what they have. */
    uint16_t n_having;
    const struct program_having *having;
    bool
        count_groups; /* GROUPS by one column with COUNT(*) alone: the merge of all gives one row, of key NULL and the
                        * number of the groups whose key is not NULL; cores, and nodes beside others, the groups */
    uint64_t memory; /* bytes a core may use for its partial; over it: -ENOMEM and a clear error */
    uint32_t shares; /* GROUPS: results of so many nodes are merged by who asks; 0 = one */
    bool counted;    /* ROWS of one integer column: may come as numbers of equal ones */
    bool analyze;    /* collect figures for EXPLAIN ANALYZE */
};

/* Checks a program against the schema (ranges, kinds, limits): 0 or -EINVAL with a text. Run on every program
 * that comes from outside the process. */
int program_validate(const struct program *p, const struct schema *s, struct error_info *err);

/* Bytes for the partial on a core with this budget (may be NULL): of what statements keep free there. */
uint64_t program_room(const struct program *p, const struct budget *budget);

/* Output columns: ROWS the projected ones and that of `counted`, GROUPS group columns and aggregates. */
unsigned program_outputs(const struct program *p);

/* Kind of output column i. */
enum batch_kind program_output_kind(const struct program *p, const struct schema *s, unsigned i);
