/* JSON functions that change values: nodes are replaced in the tree that was just read. */
#include <string.h>

#include "sql/function_json.h"

enum change { CHANGE_SET, CHANGE_INSERT, CHANGE_REPLACE };

/* The element or member that the step leads to, and *before, the one in front of it; NULL when there is none. */
static struct json *find_child(const struct json *parent, const struct json_step *s,
                               struct json **before)
{
    int64_t at = json_step_index(s, parent->n), i = 0;

    *before = NULL;
    for (struct json *v = parent->first; v; *before = v, v = v->next, i++)
        if (s->kind == JSON_STEP_KEY
                ? v->key_len == s->key_len && memcmp(v->key, s->key, s->key_len) == 0
                : i == at)
            return v;
    return NULL;
}

/* The node becomes another value at the same place. */
static void become(struct json *node, const struct json *v)
{
    struct json *next = node->next;
    const char *key = node->key;
    size_t key_len = node->key_len;

    *node = *v;
    node->next = next;
    node->key = key;
    node->key_len = key_len;
}

/* A scalar where an array is wanted is one of itself. False without memory. */
static bool make_array(struct expr_ctx *x, struct json *node)
{
    struct json *copy = json_copy(x->scratch, node), *list = json_new(x->scratch, JSON_ARRAY);

    if (!copy || !list)
        return false;
    json_append(list, copy);
    become(node, list);
    return true;
}

/* Where the last step of the path is to be done; the step itself in *step. A path of no steps: the document, NULL. */
static struct json *parent_of(struct json_path *p, struct json *doc, const struct json_step **step)
{
    struct json_path above = *p;

    *step = NULL;
    if (!p->n)
        return doc;
    *step = &p->steps[p->n - 1];
    above.n--;
    return json_path_first(&above, doc);
}

/* A path of a function that changes: one value. */
static bool arg_single_path(const struct expr *e, struct expr_ctx *x, unsigned i,
                            struct json_path *p, struct datum *out)
{
    if (!function_arg_path(e, x, i, p, out))
        return false;
    if (!p->is_many)
        return true;
    datum_set_null(out);
    if (!x->error->code)
        mysql_error_set_text(x->error, 3149,
                             "In this situation, path expressions may not contain the * and ** "
                             "tokens or an array range.");
    return false;
}

static bool add_child(struct expr_ctx *x, struct json *parent, const struct json_step *s,
                      struct json *v)
{
    if (s->kind == JSON_STEP_KEY) {
        if (parent->kind != JSON_OBJECT)
            return true;
        v->key = s->key;
        v->key_len = s->key_len;
        json_append(parent, v);
        return true;
    }
    if (parent->kind != JSON_ARRAY && !make_array(x, parent))
        return false;
    json_append(parent, v);
    return true;
}

static bool change_at(struct expr_ctx *x, struct json *doc, struct json_path *p, struct json *v,
                      enum change how)
{
    const struct json_step *step;
    struct json *parent = parent_of(p, doc, &step), *before;

    if (!parent)
        return true;
    struct json *node = !step ? parent
                        : parent->kind >= JSON_ARRAY &&
                                (parent->kind == JSON_OBJECT) == (step->kind == JSON_STEP_KEY)
                            ? find_child(parent, step, &before)
                        : step->kind == JSON_STEP_RANGE && json_step_index(step, 1) == 0 ? parent
                                                                                         : NULL;
    if (node && how != CHANGE_INSERT)
        become(node, v);
    else if (!node && how != CHANGE_REPLACE)
        return add_child(x, parent, step, v);
    return true;
}

static void change(const struct expr *e, struct expr_ctx *x, enum change how, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out), *v;
    struct json_path *p = doc ? expr_alloc(x, sizeof *p) : NULL;

    if (!doc)
        return;
    datum_set_null(out);
    for (uint32_t i = 1; p && i + 1 < e->n_args; i += 2)
        if (!arg_single_path(e, x, i, p, out) || !(v = function_json_of_arg(e, x, i + 1)) ||
            !change_at(x, doc, p, v, how))
            return;
    if (p)
        function_put_json(x, doc, out);
}

static void eval_set(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    change(e, x, CHANGE_SET, out);
}

static void eval_insert(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    change(e, x, CHANGE_INSERT, out);
}

static void eval_replace(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    change(e, x, CHANGE_REPLACE, out);
}

static void unlink_child(struct json *parent, struct json *v, struct json *before)
{
    if (before)
        before->next = v->next;
    else
        parent->first = v->next;
    if (parent->last == v)
        parent->last = before;
    parent->n--;
}

static void eval_remove(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out), *before;
    const struct json_step *step;
    struct json_path p;

    if (!doc)
        return;
    for (uint32_t i = 1; i < e->n_args; i++) {
        if (!arg_single_path(e, x, i, &p, out))
            return;
        struct json *parent = parent_of(&p, doc, &step);
        if (!step) {
            datum_set_null(out);
            if (!x->error->code)
                mysql_error_set_text(x->error, 3153,
                                     "The path expression '$' is not allowed in this context.");
            return;
        }
        if (!parent || parent->kind != (step->kind == JSON_STEP_KEY ? JSON_OBJECT : JSON_ARRAY))
            continue;
        struct json *v = find_child(parent, step, &before);
        if (v)
            unlink_child(parent, v, before);
    }
    function_put_json(x, doc, out);
}

static void eval_array_append(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out), *v;
    struct json_path p;

    if (!doc)
        return;
    for (uint32_t i = 1; i + 1 < e->n_args; i += 2) {
        if (!arg_single_path(e, x, i, &p, out))
            return;
        struct json *node = json_path_first(&p, doc);
        datum_set_null(out);
        if (!(v = function_json_of_arg(e, x, i + 1)) ||
            (node && node->kind != JSON_ARRAY && !make_array(x, node)))
            return;
        if (node)
            json_append(node, v);
    }
    function_put_json(x, doc, out);
}

static void insert_at(struct json *list, int64_t at, struct json *v)
{
    struct json *before = list->first;

    if (at >= list->n) {
        json_append(list, v);
        return;
    }
    list->n++;
    if (at <= 0) {
        v->next = list->first;
        list->first = v;
        return;
    }
    while (--at)
        before = before->next;
    v->next = before->next;
    before->next = v;
}

static void eval_array_insert(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out), *v;
    const struct json_step *step;
    struct json_path p;

    if (!doc)
        return;
    for (uint32_t i = 1; i + 1 < e->n_args; i += 2) {
        if (!arg_single_path(e, x, i, &p, out))
            return;
        struct json *parent = parent_of(&p, doc, &step);
        datum_set_null(out);
        if (!step || step->kind != JSON_STEP_RANGE) {
            if (!x->error->code)
                mysql_error_set_text(x->error, 3165,
                                     "A path expression is not a path to a cell in an array.");
            return;
        }
        if (!(v = function_json_of_arg(e, x, i + 1)))
            return;
        if (parent && parent->kind == JSON_ARRAY)
            insert_at(parent, json_step_index(step, parent->n), v);
    }
    function_put_json(x, doc, out);
}

/* ---- merging ---- */

/* p with q behind or into it; NULL without memory. */
static struct json *merge_both(struct expr_ctx *x, struct json *p, struct json *q, uint64_t *left)
{
    if (p->kind == JSON_OBJECT && q->kind == JSON_OBJECT) {
        for (struct json *m = q->first, *next; m; m = next) {
            next = m->next;
            struct json *own = json_find(p, m->key, m->key_len, left);
            if (!*left)
                return p;
            if (!own) {
                json_append(p, m);
                continue;
            }
            struct json *copy = json_copy(x->scratch, own);
            struct json *both = copy ? merge_both(x, copy, m, left) : NULL;
            if (!both)
                return NULL;
            become(own, both);
        }
        return p;
    }
    struct json *list = json_new(x->scratch, JSON_ARRAY);
    for (int side = 0; list && side < 2; side++) {
        struct json *v = side ? q : p;
        if (v->kind != JSON_ARRAY) {
            if (!(v = json_copy(x->scratch, v)))
                return NULL;
            json_append(list, v);
            continue;
        }
        for (struct json *m = v->first, *next; m; m = next) {
            next = m->next;
            json_append(list, m);
        }
    }
    return list;
}

/* RFC 7396 */
static struct json *merge_patch(struct expr_ctx *x, struct json *p, struct json *q, uint64_t *left)
{
    struct json *before;

    if (q->kind != JSON_OBJECT)
        return q;
    if (p->kind != JSON_OBJECT && !(p = json_new(x->scratch, JSON_OBJECT)))
        return NULL;
    for (struct json *m = q->first, *next; m; m = next) {
        next = m->next;
        struct json_step step = {.kind = JSON_STEP_KEY, .key = m->key, .key_len = m->key_len};
        *left -= *left < p->n ? *left : p->n;
        if (!*left)
            return p;
        struct json *own = find_child(p, &step, &before);
        if (m->kind == JSON_NULL) {
            if (own)
                unlink_child(p, own, before);
            continue;
        }
        struct json *base = own ? json_copy(x->scratch, own) : json_new(x->scratch, JSON_OBJECT);
        struct json *made = base ? merge_patch(x, base, m, left) : NULL;
        if (!made)
            return NULL;
        if (own) {
            become(own, made);
        } else {
            made->key = m->key;
            made->key_len = m->key_len;
            json_append(p, made);
        }
    }
    return p;
}

static void merge_all(const struct expr *e, struct expr_ctx *x,
                      struct json *(*merge)(struct expr_ctx *, struct json *, struct json *,
                                            uint64_t *),
                      struct datum *out)
{
    struct json *doc = function_arg_json(e, x, 0, out);
    uint64_t left = JSON_MAX_WORK;

    if (!doc)
        return;
    for (uint32_t i = 1; doc && i < e->n_args; i++) {
        struct json *v = function_arg_json(e, x, i, out);
        if (!v)
            return;
        doc = merge(x, doc, v, &left);
        if (!function_json_has_left(x, left, e, out))
            return;
    }
    function_put_json(x, doc, out);
}

static void eval_merge(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    merge_all(e, x, merge_both, out);
}

static void eval_merge_patch(const struct expr *e, struct expr_ctx *x, struct datum *out)
{
    merge_all(e, x, merge_patch, out);
}

const struct function function_json_change[] = {
    {"json_set", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_set},
    {"json_insert", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_insert},
    {"json_replace", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_replace},
    {"json_remove", 2, 255, 0, function_is_json, eval_remove},
    {"json_array_append", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_array_append},
    {"json_array_insert", 3, 255, FUNCTION_NULL_IN, function_is_json, eval_array_insert},
    {"json_merge", 2, 255, 0, function_is_json, eval_merge},
    {"json_merge_preserve", 2, 255, 0, function_is_json, eval_merge},
    {"json_merge_patch", 2, 255, 0, function_is_json, eval_merge_patch},
    {0},
};
