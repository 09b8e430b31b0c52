#pragma once
/*
 * Plug-ins for the mapping strategies Custom and CustomBSI, version 1 of the interface. The header needs
 * nothing else; docs/plugins.md shows how to build one.
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

#define QUANTA_PLUGIN_ABI 1

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

struct quanta_plugin {
    uint32_t abi;  /* QUANTA_PLUGIN_ABI; another is refused */
    uint32_t size; /* sizeof(struct quanta_plugin) */
    const char *version;
    uint32_t n_mappers;
    const struct quanta_plugin_mapper *mappers;
};

const struct quanta_plugin *quanta_plugin(void);

#ifdef __cplusplus
}
#endif
