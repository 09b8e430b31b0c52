#pragma once
/*
 * Plug-ins: mappers for the strategies Custom and CustomBSI and, since version 2 of the interface, functions of
 * SQL. The header needs nothing else; docs/plugins.md shows how to build one. Plug-ins of version 1 go on to be loaded.
 *
 * A plug-in is a shared object `<plugin>.so` in the directory of --plugin-dir. It exports one function,
 *
 *     const struct quanta_plugin *quanta_plugin(void);
 *
 * and is never unloaded. Functions are called from several threads at once, must not block and must not
 * throw or exit; what they write to a state after open they must guard themselves.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUANTA_PLUGIN_ABI 2

enum quanta_plugin_kind {
    QUANTA_PLUGIN_NULL,
    QUANTA_PLUGIN_BOOL,     /* number: 0 or 1 */
    QUANTA_PLUGIN_INT,      /* number */
    QUANTA_PLUGIN_DECIMAL,  /* number * 10^-scale; wider decimals come as text */
    QUANTA_PLUGIN_DOUBLE,   /* real */
    QUANTA_PLUGIN_TEXT,     /* text, length: UTF-8, not terminated */
    QUANTA_PLUGIN_DATE,     /* number: days since 1970-01-01 */
    QUANTA_PLUGIN_DATETIME, /* number: microseconds since 1970-01-01 00:00 UTC */
};

struct quanta_plugin_value {
    uint32_t kind; /* enum quanta_plugin_kind */
    uint32_t scale;
    int64_t number;
    double real;
    const char *text;
    size_t length;
};

struct quanta_plugin_setting { /* a line of `configuration`, `plugin` and `name` included */
    const char *key, *value;
};

struct quanta_plugin_column {
    const char *name;
    const char *type; /* "Boolean" "Integer" "Float" "Date" "DateTime" "String" */
    uint32_t scale;   /* digits after the point: Float, DateTime */
    uint32_t n_settings;
    const struct quanta_plugin_setting *settings;
};

struct quanta_plugin_mapper {
    const char *name; /* as in `configuration.name` */
    /*
     * Called when a table with the strategy becomes known; the column is valid during the call only. 0, or
     * not 0 with a text in error (at most cap bytes, terminated): the table is refused.
     */
    int (*open)(const struct quanta_plugin_column *column, void **state, char *error, size_t cap);
    void (*close)(void *state); /* may be NULL */
    /*
     * One value in, one out: what the column stores, converted to its type as any other input is. A text may
     * be a part of the input or stand in `room`. A value that came out must map to itself, since
     * UPDATE t SET c = c sends it back. Not called for NULL. 0, or not 0 with a text in error: the row is
     * refused.
     */
    int (*map)(void *state, const struct quanta_plugin_value *in, struct quanta_plugin_value *out,
               char *room, size_t room_size, char *error, size_t cap);
};

/* ---- functions of SQL, since version 2 ---- */

enum {
    QUANTA_FUNCTION_ARGS_MAX = 16,
    QUANTA_FUNCTION_STATE_MAX = 65536,
    QUANTA_FUNCTION_TEXT_MAX = 65536
};

enum quanta_function_flag {
    QUANTA_FUNCTION_TAKES_NULL =
        1, /* sees NULL arguments. Without it the result is NULL then; an aggregate
                                     * leaves such rows out */
    QUANTA_FUNCTION_VOLATILE =
        2, /* other values for the same arguments: never computed once for all rows */
};

/*
 * How it is called. Arguments are converted to the kinds of `args` as a column of that type would convert them; what
 * cannot be converted is NULL. A result is of the kind `result`, or NULL.
 */
struct quanta_function_signature {
    const char *name; /* letters, digits and _; no name that SQL has already */
    uint32_t flags;
    uint32_t min_args, max_args; /* up to QUANTA_FUNCTION_ARGS_MAX */
    const uint32_t *args;        /* max_args of enum quanta_plugin_kind */
    uint32_t result;             /* enum quanta_plugin_kind, not NULL */
    uint32_t scale;              /* digits after the point: DECIMAL, DATETIME */
    uint32_t length;             /* TEXT: most bytes, 1 to QUANTA_FUNCTION_TEXT_MAX */
};

/* A value for each row. */
struct quanta_plugin_function {
    struct quanta_function_signature signature;
    /*
     * A text of the result is a part of an argument, lasts as long as the process, or stands in `room`, of `length`
     * bytes. 0, or not 0 with a text in error (at most cap bytes, terminated): the statement ends with it.
     */
    int (*call)(const struct quanta_plugin_value *args, uint32_t n, struct quanta_plugin_value *out,
                char *room, size_t room_size, char *error, size_t cap);
};

/*
 * A value for each group. The state is state_size bytes aligned to 16, zeroed, and goes without notice: it holds nothing
 * that must be freed, and no pointers to arguments. Functions return as `call`.
 */
struct quanta_plugin_aggregate {
    struct quanta_function_signature signature;
    uint32_t state_size;                               /* 1 to QUANTA_FUNCTION_STATE_MAX */
    int (*init)(void *state, char *error, size_t cap); /* may be NULL: zeros will do */
    int (*step)(void *state, const struct quanta_plugin_value *args, uint32_t n, char *error,
                size_t cap);
    /* Adds what another state has seen, for groups whose rows were seen in parts. May be NULL: then they never are. */
    int (*merge)(void *state, const void *other, char *error, size_t cap);
    /* Once, also of a group without rows. The room lasts as that of `call`. */
    int (*final)(void *state, struct quanta_plugin_value *out, char *room, size_t room_size,
                 char *error, size_t cap);
};

struct quanta_plugin {
    uint32_t
        abi; /* QUANTA_PLUGIN_ABI, or 1 without the members since version 2; others are refused */
    uint32_t size; /* sizeof(struct quanta_plugin) */
    const char *version;
    uint32_t n_mappers;
    const struct quanta_plugin_mapper *mappers;
    /* Since version 2. */
    uint32_t n_functions, n_aggregates;
    const struct quanta_plugin_function *functions;
    const struct quanta_plugin_aggregate *aggregates;
};

const struct quanta_plugin *quanta_plugin(void);

#ifdef __cplusplus
}
#endif
