/* Prepared statements as the protocol sees them: see mysql_stmt.h. */
#include "sql/mysql_stmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"

enum { PARAMS_KEEP = 32 }; /* decoded parameters kept allocated between executions */

/* Long data of one parameter. Owner: its statement. */
struct long_data {
    char *bytes; /* NULL: none */
    size_t len, cap;
};

/* One prepared statement. Owner: the set. */
struct statement {
    uint32_t id;
    uint16_t n_params;
    bool is_bound;                  /* types are known from an execution */
    bool is_overlong;               /* long data went over the limit: the next execution fails */
    struct mysql_param_type *types; /* n_params */
    struct long_data *longs;        /* n_params, NULL until long data come */
};

/* A connection's statements in order of id. Owner: the session. */
struct mysql_statements {
    struct statement **list;
    size_t count, cap, max_count;
    size_t long_bytes, long_limit; /* long data allocated, allowed */
    size_t n_params;               /* of all statements */
    uint32_t last_id;
    struct statement *executing;
    struct mysql_param *params; /* of the execution */
    size_t params_cap;
};

struct mysql_statements *mysql_statements_new(size_t max_count, size_t long_limit)
{
    struct mysql_statements *set = calloc(1, sizeof(*set));

    if (set) {
        set->max_count = max_count;
        set->long_limit = long_limit;
    }
    return set;
}

static void drop_long_data(struct mysql_statements *set, struct statement *stmt)
{
    for (size_t i = 0; stmt->longs && i < stmt->n_params; i++) {
        set->long_bytes -= stmt->longs[i].cap;
        free(stmt->longs[i].bytes);
    }
    free(stmt->longs);
    stmt->longs = NULL;
}

static void free_statement(struct mysql_statements *set, struct statement *stmt)
{
    if (set->executing == stmt)
        set->executing = NULL;
    drop_long_data(set, stmt);
    set->n_params -= stmt->n_params;
    free(stmt->types);
    free(stmt);
}

void mysql_statements_free(struct mysql_statements *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        free_statement(set, set->list[i]);
    free(set->list);
    free(set->params);
    free(set);
}

/* Position of an id, or where it would be. */
static size_t find_position(const struct mysql_statements *set, uint32_t id)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->list[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct statement *find(const struct mysql_statements *set, uint32_t id)
{
    size_t at = find_position(set, id);

    return at < set->count && set->list[at]->id == id ? set->list[at] : NULL;
}

static int reserve_one(struct mysql_statements *set)
{
    size_t cap = set->cap ? set->cap * 2 : 4;
    struct statement **list;

    if (set->count < set->cap)
        return 0;
    list = realloc(set->list, cap * sizeof(*list));
    if (!list)
        return -ENOMEM;
    set->list = list;
    set->cap = cap;
    return 0;
}

int mysql_statements_add(struct mysql_statements *set, uint16_t n_params, uint32_t *id)
{
    struct statement *stmt;

    /* The last id means "the statement prepared last" to MariaDB's clients. */
    if (set->count >= set->max_count || set->last_id >= UINT32_MAX - 1 ||
        n_params > MYSQL_STATEMENTS_PARAMS_MAX - set->n_params)
        return -EMFILE;
    if (reserve_one(set) != 0)
        return -ENOMEM;
    stmt = calloc(1, sizeof(*stmt));
    if (!stmt)
        return -ENOMEM;
    stmt->types = n_params ? calloc(n_params, sizeof(*stmt->types)) : NULL;
    if (n_params && !stmt->types) {
        free(stmt);
        return -ENOMEM;
    }
    stmt->n_params = n_params;
    set->n_params += n_params;
    stmt->id = ++set->last_id;
    set->list[set->count++] = stmt;
    *id = stmt->id;
    return 0;
}

void mysql_statements_remove(struct mysql_statements *set, uint32_t id)
{
    size_t at = find_position(set, id);

    if (at == set->count || set->list[at]->id != id)
        return;
    free_statement(set, set->list[at]);
    set->count--;
    memmove(set->list + at, set->list + at + 1, (set->count - at) * sizeof(*set->list));
}

bool mysql_statements_has(const struct mysql_statements *set, uint32_t id)
{
    return find(set, id) != NULL;
}

size_t mysql_statements_count(const struct mysql_statements *set)
{
    return set->count;
}

/* Appends to one parameter's data; capacity counts against the connection's limit. */
static int append_long(struct mysql_statements *set, struct long_data *data,
                       struct mysql_text piece)
{
    size_t left = set->long_limit - set->long_bytes;
    size_t need, cap;
    char *bytes;

    if (piece.len > data->cap - data->len) {
        if (piece.len > left + (data->cap - data->len))
            return -ENOBUFS;
        need = data->len + piece.len;
        cap = need + need / 2;
        if (cap - data->cap > left)
            cap = need;
        bytes = realloc(data->bytes, cap);
        if (!bytes)
            return -ENOMEM;
        set->long_bytes += cap - data->cap;
        data->bytes = bytes;
        data->cap = cap;
    }
    memcpy(data->bytes + data->len, piece.data, piece.len);
    data->len += piece.len;
    return 0;
}

int mysql_statements_long_data(struct mysql_statements *set, uint32_t id, uint16_t param,
                               struct mysql_text data)
{
    struct statement *stmt = find(set, id);
    struct long_data *slot;
    int rc = 0;

    if (!stmt || param >= stmt->n_params)
        return -ENOENT;
    if (stmt->is_overlong)
        return -ENOBUFS;
    if (!stmt->longs)
        stmt->longs = calloc(stmt->n_params, sizeof(*stmt->longs));
    slot = stmt->longs ? &stmt->longs[param] : NULL;
    if (slot && !slot->bytes) {
        /* An empty piece still replaces the parameter: one byte makes it present. */
        if (set->long_bytes >= set->long_limit)
            rc = -ENOBUFS;
        else if ((slot->bytes = malloc(1)))
            set->long_bytes += slot->cap = 1;
    }
    if (rc == 0)
        rc = slot && slot->bytes ? append_long(set, slot, data) : -ENOMEM;
    if (rc != 0) {
        drop_long_data(set, stmt);
        stmt->is_overlong = true;
    }
    return rc;
}

int mysql_statements_reset(struct mysql_statements *set, uint32_t id)
{
    struct statement *stmt = find(set, id);

    if (!stmt)
        return -ENOENT;
    drop_long_data(set, stmt);
    stmt->is_overlong = false;
    return 0;
}

static int reserve_params(struct mysql_statements *set, size_t n)
{
    struct mysql_param *params;

    if (n <= set->params_cap)
        return 0;
    params = realloc(set->params, n * sizeof(*params));
    if (!params)
        return -ENOMEM;
    set->params = params;
    set->params_cap = n;
    return 0;
}

/* Views of the long data as the decoder takes them; NULL when there are none. */
static int long_data_views(const struct statement *stmt, struct mysql_text **views)
{
    *views = NULL;
    if (!stmt->longs)
        return 0;
    *views = calloc(stmt->n_params, sizeof(**views));
    if (!*views)
        return -ENOMEM;
    for (size_t i = 0; i < stmt->n_params; i++)
        (*views)[i] = (struct mysql_text){stmt->longs[i].bytes, stmt->longs[i].len};
    return 0;
}

int mysql_statements_execute(struct mysql_statements *set, uint32_t id, struct mysql_text body,
                             const struct mysql_param **params, uint16_t *n_params)
{
    struct statement *stmt = find(set, id);
    struct mysql_text *views = NULL;
    int rc;

    ASSERT(!set->executing);
    if (!stmt)
        return -ENOENT;
    if (stmt->is_overlong) {
        stmt->is_overlong = false;
        return -ENOBUFS;
    }
    rc = reserve_params(set, stmt->n_params);
    if (rc == 0)
        rc = long_data_views(stmt, &views);
    if (rc == 0)
        rc = mysql_params_decode(body, stmt->n_params, stmt->types, &stmt->is_bound, views,
                                 set->params);
    free(views);
    set->executing = stmt;
    if (rc != 0) {
        mysql_statements_executed(set);
        return rc;
    }
    *params = set->params;
    *n_params = stmt->n_params;
    return 0;
}

void mysql_statements_executed(struct mysql_statements *set)
{
    if (set->executing)
        drop_long_data(set, set->executing);
    set->executing = NULL;
    if (set->params_cap > PARAMS_KEEP) {
        free(set->params);
        set->params = NULL;
        set->params_cap = 0;
    }
}
