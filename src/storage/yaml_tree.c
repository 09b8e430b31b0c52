/*
 * YAML events of libyaml to a tree. Aliases share the children of what they name, so no text can
 * blow up.
 */
#include "storage/yaml_tree.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "reactor/assert.h"

enum { TREE_MEMORY = 64 << 20 };

struct anchor {
    const char *name;
    struct yaml_value *value;
};

/* State of one parse. Owner and lifetime: the call of yaml_tree_parse. */
struct reader {
    struct yaml_tree *tree;
    const char *file;
    struct error_info *err;
    yaml_parser_t parser;
    uint32_t nodes, depth, n_anchors;
    struct yaml_value *open[YAML_TREE_MAX_DEPTH]; /* collections not yet closed */
    struct yaml_value *last[YAML_TREE_MAX_DEPTH]; /* their last child */
    struct anchor anchors[YAML_TREE_MAX_ANCHORS];
};

static int refuse(struct reader *r, size_t line, const char *found, const char *allowed)
{
    return error_set(r->err, -EINVAL, 0, "%s:%zu: found %s; allowed: %s", r->file, line + 1, found,
                     allowed);
}

static int attach(struct reader *r, struct yaml_value *v)
{
    struct yaml_value *parent;

    if (r->depth == 0) {
        r->tree->root = v;
        return 0;
    }
    parent = r->open[r->depth - 1];
    if (parent->kind == YAML_VALUE_MAPPING && parent->count % 2 == 0 &&
        v->kind != YAML_VALUE_SCALAR)
        return refuse(r, v->line - 1, "a list or map as a key", "a name");
    if (r->last[r->depth - 1])
        r->last[r->depth - 1]->next = v;
    else
        parent->first = v;
    r->last[r->depth - 1] = v;
    parent->count++;
    return 0;
}

static int node_new(struct reader *r, enum yaml_value_kind kind, const yaml_event_t *e,
                    struct yaml_value **out)
{
    struct yaml_value *v;

    if (r->nodes == YAML_TREE_MAX_NODES)
        return error_set(r->err, -EINVAL, 0, "%s:%zu: more than %d values", r->file,
                         e->start_mark.line + 1, YAML_TREE_MAX_NODES);
    r->nodes++;
    v = arena_alloc(&r->tree->arena, sizeof *v);
    if (!v)
        return error_set(r->err, -ENOMEM, 1037, "%s: out of memory", r->file);
    v->kind = kind;
    v->line = (uint32_t)e->start_mark.line + 1;
    *out = v;
    return 0;
}

static int keep_anchor(struct reader *r, const yaml_char_t *name, struct yaml_value *v)
{
    const char *copy;

    if (!name)
        return 0;
    if (r->n_anchors == YAML_TREE_MAX_ANCHORS)
        return refuse(r, v->line - 1, "one anchor more", "64 anchors in a file");
    copy = arena_strndup(&r->tree->arena, (const char *)name, strlen((const char *)name));
    if (!copy)
        return -ENOMEM;
    r->anchors[r->n_anchors++] = (struct anchor){copy, v};
    return 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    struct yaml_value *v;
    int rc = node_new(r, YAML_VALUE_SCALAR, e, &v);

    if (rc != 0)
        return rc;
    if (memchr(text, 0, len))
        return refuse(r, e->start_mark.line, "a NUL character", "text");
    v->text = arena_strndup(&r->tree->arena, text, len);
    if (!v->text)
        return -ENOMEM;
    v->len = (uint32_t)len;
    v->is_null = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                 (len == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0 ||
                  strcmp(text, "Null") == 0 || strcmp(text, "NULL") == 0);
    rc = keep_anchor(r, e->data.scalar.anchor, v);
    return rc == 0 ? attach(r, v) : rc;
}

static int on_start(struct reader *r, const yaml_event_t *e, enum yaml_value_kind kind)
{
    const yaml_char_t *anchor =
        kind == YAML_VALUE_SEQUENCE ? e->data.sequence_start.anchor : e->data.mapping_start.anchor;
    struct yaml_value *v;
    int rc = node_new(r, kind, e, &v);

    if (rc != 0)
        return rc;
    if (r->depth == YAML_TREE_MAX_DEPTH)
        return refuse(r, e->start_mark.line, "lists or maps nested more than 16 deep",
                      "a table definition");
    rc = keep_anchor(r, anchor, v);
    if (rc == 0)
        rc = attach(r, v);
    if (rc != 0)
        return rc;
    r->open[r->depth] = v;
    r->last[r->depth] = NULL;
    r->depth++;
    return 0;
}

/*
 * The newest anchor of that name counts. An alias to a collection that is still open would make a
 * circle.
 */
static int on_alias(struct reader *r, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct yaml_value *v, *target = NULL;

    for (uint32_t i = r->n_anchors; i-- > 0 && !target;)
        if (strcmp(r->anchors[i].name, name) == 0)
            target = r->anchors[i].value;
    for (uint32_t i = 0; i < r->depth; i++)
        if (r->open[i] == target)
            target = NULL;
    if (!target)
        return refuse(r, e->start_mark.line, "an alias without its anchor",
                      "an anchor defined before");
    int rc = node_new(r, target->kind, e, &v);
    if (rc != 0)
        return rc;
    *v = (struct yaml_value){.kind = target->kind,
                             .is_null = target->is_null,
                             .line = v->line,
                             .len = target->len,
                             .text = target->text,
                             .count = target->count,
                             .first = target->first};
    return attach(r, v);
}

static int on_event(struct reader *r, const yaml_event_t *e, bool *end)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(r, e, YAML_VALUE_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        return on_start(r, e, YAML_VALUE_MAPPING);
    case YAML_ALIAS_EVENT:
        return on_alias(r, e);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        ASSERT(r->depth > 0);
        r->depth--;
        return 0;
    case YAML_DOCUMENT_START_EVENT:
        return r->tree->root
                   ? refuse(r, e->start_mark.line, "a second document", "one table in a file")
                   : 0;
    case YAML_STREAM_END_EVENT:
        *end = true;
        return 0;
    default:
        return 0;
    }
}

static int read_events(struct reader *r)
{
    bool end = false;
    int rc = 0;

    while (!end && rc == 0) {
        yaml_event_t e;

        if (!yaml_parser_parse(&r->parser, &e)) {
            if (r->parser.error == YAML_MEMORY_ERROR)
                return error_set(r->err, -ENOMEM, 1037, "%s: out of memory", r->file);
            return error_set(r->err, -EINVAL, 0, "%s:%zu: not YAML: %s%s%s", r->file,
                             r->parser.problem_mark.line + 1,
                             r->parser.problem ? r->parser.problem : "unreadable",
                             r->parser.context ? ", " : "",
                             r->parser.context ? r->parser.context : "");
        }
        rc = on_event(r, &e, &end);
        yaml_event_delete(&e);
    }
    return rc;
}

int yaml_tree_parse(struct yaml_tree *t, const char *file, const char *text, size_t len,
                    struct error_info *err)
{
    struct reader r = {.tree = t, .file = file, .err = err};
    int rc;

    arena_init(&t->arena, TREE_MEMORY, NULL);
    t->root = NULL;
    if (len > YAML_TREE_MAX_BYTES)
        return error_set(err, -EINVAL, 0, "%s: found %zu bytes; allowed: up to %d", file, len,
                         YAML_TREE_MAX_BYTES);
    error_set(err, -ENOMEM, 1037, "%s: out of memory", file);
    if (!yaml_parser_initialize(&r.parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    rc = read_events(&r);
    yaml_parser_delete(&r.parser);
    return rc;
}

void yaml_tree_fini(struct yaml_tree *t)
{
    arena_fini(&t->arena);
    t->root = NULL;
}

const struct yaml_value *yaml_value_find(const struct yaml_value *mapping, const char *key,
                                         uint32_t *line)
{
    const struct yaml_value *k = mapping->kind == YAML_VALUE_MAPPING ? mapping->first : NULL;

    for (; k; k = k->next->next)
        if (strcmp(k->text, key) == 0) {
            if (line)
                *line = k->line;
            return k->next;
        }
    return NULL;
}
