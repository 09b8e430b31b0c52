#pragma once
/*
 * The settings of a column's strategy, checked and made ready: bounds of buckets, a compiled expression, a
 * plug-in's mapper. Immutable after mapping_rule_new; any core.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "storage/plugin.h"
#include "storage/schema_check.h"

enum {
    RULE_MAX_BOUNDS = 10000,
    RULE_MATCH_LIMIT = 200000, /* steps of an expression on one value, some milliseconds */
    RULE_HEAP_KIB = 1024,
};

/* Owner: the column; lives as long as its schema. */
struct mapping_rule {
    int64_t min, max, step; /* *Linear, scaled as the column is; TimeOfDay: step in seconds */
    int64_t *bounds;        /* *Buckets: ascending */
    uint32_t n_bounds;
    pcre2_code *regex; /* BoolRegex, Contains */
    pcre2_match_context *limits;
    const struct quanta_plugin_mapper *mapper; /* Custom*; NULL = not there, why is in missing */
    void *state;
    char missing[300];
};

/*
 * Makes c->rule of the column's settings; columns of strategies without settings get none. `position` is the
 * column's place in its table, for faults. A plug-in that is not there is a fault when `strict`; else the rule
 * is made and values are refused. 0, -EINVAL, -ENOMEM.
 */
int mapping_rule_new(struct column *c, int position, bool strict, struct schema_fault *f);
void mapping_rule_free(struct mapping_rule *r); /* NULL is allowed */
