#include "sql/session_temporary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/temporary.h"
#include "sql/gateway_session.h"

static void forget_overlay(struct session_temporaries *t)
{
    catalog_put(t->overlay);
    catalog_put(t->base);
    t->overlay = t->base = NULL;
}

static uint32_t position(const struct session_temporaries *t, const char *name)
{
    uint32_t i = 0;

    while (i < t->n && strcmp(t->tables[i]->name, name) != 0)
        i++;
    return i;
}

struct schema *session_temporary_find(const struct gateway_session *s, const char *name)
{
    const struct session_temporaries *t = s->temporaries;
    uint32_t at = t ? position(t, name) : 0;

    return t && at < t->n ? t->tables[at] : NULL;
}

static struct session_temporaries *begin(struct gateway_session *s, uint64_t limit,
                                         struct budget *core)
{
    if (!s->temporaries) {
        s->temporaries = calloc(1, sizeof *s->temporaries);
        if (s->temporaries)
            budget_init(&s->temporaries->budget, "temporary tables", limit, core);
    }
    return s->temporaries;
}

int session_temporary_add(struct gateway_session *s, struct schema *schema, uint64_t limit,
                          struct budget *core, struct error_info *err)
{
    struct session_temporaries *t = begin(s, limit, core);
    int rc;

    if (!t)
        rc = error_set(err, -ENOMEM, 1041, "Out of memory");
    else if (t->n == SESSION_MAX_TEMPORARIES)
        rc = error_set(err, -ENOSPC, 1105,
                       "Table '%s' is one temporary table too many: a session may have %d",
                       schema->name, SESSION_MAX_TEMPORARIES);
    else
        rc = temporary_new(schema, s->next_temporary++, &t->budget, err);
    if (rc != 0) {
        schema_put(schema);
        return rc;
    }
    t->tables[t->n++] = schema;
    forget_overlay(t);
    return 0;
}

bool session_temporary_drop(struct gateway_session *s, const char *name)
{
    struct session_temporaries *t = s->temporaries;
    uint32_t at = t ? position(t, name) : 0;

    if (!t || at == t->n)
        return false;
    forget_overlay(t);
    schema_put(t->tables[at]);
    t->tables[at] = t->tables[--t->n];
    return true;
}

void session_temporary_drop_all(struct gateway_session *s)
{
    struct session_temporaries *t = s->temporaries;

    if (!t)
        return;
    forget_overlay(t);
    while (t->n)
        schema_put(t->tables[--t->n]);
}

void session_temporary_fini(struct gateway_session *s)
{
    session_temporary_drop_all(s);
    free(s->temporaries);
    s->temporaries = NULL;
}

struct catalog *session_catalog(struct gateway_session *s, struct catalog *base)
{
    struct session_temporaries *t = s->temporaries;

    if (!t || !t->n)
        return catalog_get(base);
    if (t->base != base) {
        forget_overlay(t);
        if (catalog_overlay(base, t->tables, t->n, &t->overlay) != 0)
            return NULL;
        t->base = catalog_get(base);
    }
    return catalog_get(t->overlay);
}
