#pragma once
/*
 * YAML text as a tree that keeps line numbers. Bounded: size, depth, number of nodes and of
 * anchors. Owner: the caller, on one core; values live until yaml_tree_fini.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reactor/arena.h"
#include "storage/type.h"

enum {
    YAML_TREE_MAX_BYTES = 4 << 20,
    YAML_TREE_MAX_DEPTH = 16,
    YAML_TREE_MAX_NODES = 200000,
    YAML_TREE_MAX_ANCHORS = 64,
};

enum yaml_value_kind { YAML_VALUE_SCALAR, YAML_VALUE_SEQUENCE, YAML_VALUE_MAPPING };

/* One node. Owner and lifetime: the tree. */
struct yaml_value {
    enum yaml_value_kind kind;
    bool is_null;             /* plain scalar: empty, ~ or null */
    uint32_t line;            /* from 1 */
    uint32_t len;             /* SCALAR: bytes of text */
    const char *text;         /* SCALAR: UTF-8 without NUL inside, NUL after it */
    uint32_t count;           /* SEQUENCE: items; MAPPING: keys and values together */
    struct yaml_value *first; /* SEQUENCE: items; MAPPING: key, value, key, value ... */
    struct yaml_value *next;
};

struct yaml_tree {
    struct arena arena;
    struct yaml_value *root; /* NULL: empty document */
};

/*
 * Parses one document; `file` is named in errors. 0, -EINVAL with file, line and reason, -ENOMEM.
 * The tree must be given to yaml_tree_fini in every case.
 */
int yaml_tree_parse(struct yaml_tree *t, const char *file, const char *text, size_t len,
                    struct error_info *err);
void yaml_tree_fini(struct yaml_tree *t);

/* Value of a key of a mapping, or NULL; *line (may be NULL) is the key's line. */
const struct yaml_value *yaml_value_find(const struct yaml_value *mapping, const char *key,
                                         uint32_t *line);
