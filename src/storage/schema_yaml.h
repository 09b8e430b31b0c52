#pragma once
/*
 * Reading the maps of a schema.yaml by tables of keys, with every mistake told by file, line, key, found and
 * allowed. Private to the schema_parse files. Owner and lifetime: one call of schema_parse_yaml.
 */
#include "storage/schema_check.h"
#include "storage/yaml_tree.h"

enum key_kind {
    KEY_TEXT,
    KEY_BOOL,
    KEY_INT,
    KEY_NODE,   /* a list or map, read by its own function */
    KEY_UNUSED, /* a key of the original without any effect there; accepted in silence */
    KEY_LATER,  /* a key whose effect this version does not have; accepted with a notice */
    KEY_LEGACY, /* a key of older versions of the original; accepted with a notice */
};

/* One key that a map may have. */
struct key_rule {
    const char *key;
    enum key_kind kind;
    size_t offset;    /* of the member in the struct that takes it */
    int64_t min, max; /* INT */
    const char *note; /* LATER, LEGACY: why it has no effect */
};

/* State of one parse. Owner and lifetime: the call of schema_parse_yaml. */
struct schema_parse {
    const char *file;
    void (*warn)(void *ctx, const char *line);
    void *ctx;
    struct error_info *err;
    struct schema *schema;
    const struct yaml_value *root;
    const struct yaml_value *nodes[SCHEMA_MAX_COLUMNS + 1]; /* attribute of each column */
    const struct yaml_value *inputs[SCHEMA_MAX_COLUMNS];    /* and of each struct schema_input */
};

/* Tells a fault; `node` is the map it is in (NULL = the file), `column` the column's name or NULL. -EINVAL */
int schema_parse_fail(struct schema_parse *p, const struct yaml_value *node, const char *column,
                      const struct schema_fault *f);
/* One line for the user: "FILE:LINE: column 'C': WHAT 'KEY': NOTE". */
void schema_parse_warn(struct schema_parse *p, uint32_t line, const char *column, const char *key,
                       const char *what, const char *note);
/* Reads the known keys of a map into the struct at base; unknown ones are told. */
int schema_parse_map(struct schema_parse *p, const struct yaml_value *map, const char *column,
                     const struct key_rule *rules, const char *what, void *base);
/* "true", "yes", "on", "y", "1" and their opposites. */
bool schema_parse_bool(const char *text, bool *out);
/* One attribute: a column or a struct schema_input. */
int schema_parse_attribute(struct schema_parse *p, const struct yaml_value *node);
