/*
 * The catalog of the gateway: the tables that all nodes have with the same definition; while a table is altered, the last
 * one that all had. Ids and versions are those of the first node; requests to the others carry theirs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "rpc/remote_impl.h"

/* Lines that each node gives values of its own; rows have what their node says. */
static bool is_own(const char *line)
{
    line += strspn(line, " ");
    return !strncmp(line, "tableId:", 8) || !strncmp(line, "version:", 8) ||
           !strncmp(line, "initialValue:", 13);
}

static char *next_line(char **at)
{
    char *line;

    do
        line = strsep(at, "\n");
    while (line && is_own(line));
    return line;
}

static bool is_same_definition(const struct schema *a, const struct schema *b)
{
    char *text_a = schema_print_yaml(a), *text_b = schema_print_yaml(b), *at_a = text_a,
         *at_b = text_b;
    bool same = text_a && text_b;

    while (same) {
        const char *line_a = next_line(&at_a), *line_b = next_line(&at_b);
        if (!line_a && !line_b)
            break;
        same = line_a && line_b && !strcmp(line_a, line_b);
    }
    free(text_a);
    free(text_b);
    return same;
}

/* The node's table of this definition, or NULL. */
static struct schema *find_alike(const struct catalog *c, const struct schema *s)
{
    struct schema *now = catalog_find(c, s->name, strlen(s->name));

    if (!now || is_same_definition(s, now))
        return now;
    for (uint32_t i = 0; i < c->n_old; i++)
        if (c->old[i]->table_id == now->table_id && is_same_definition(s, c->old[i]))
            return c->old[i];
    return NULL;
}

static bool is_everywhere(struct remote *x, const struct schema *s)
{
    for (unsigned i = 1; i < x->n_nodes; i++) {
        const struct catalog *c = x->nodes[i].catalog;
        const struct schema *other = find_alike(c, s);
        if (!other)
            return false;
        x->mixed |= other != catalog_find_id(c, other->table_id);
    }
    return true;
}

static bool is_known_to_all(const struct remote *x, const struct schema *s)
{
    for (unsigned i = 1; i < x->n_nodes; i++)
        if (!catalog_find(x->nodes[i].catalog, s->name, strlen(s->name)))
            return false; /* as while it is being made or dropped */
    return true;
}

/* The newest definition that all nodes have, or had until they were altered a moment ago. */
static struct schema *find_common(struct remote *x, struct schema *s)
{
    const struct catalog *c = x->nodes[0].catalog;

    if (!is_known_to_all(x, s))
        return NULL;
    if (is_everywhere(x, s))
        return s;
    for (uint32_t i = 0; i < c->n_old; i++)
        if (c->old[i]->table_id == s->table_id && is_everywhere(x, c->old[i])) {
            x->mixed = true;
            return c->old[i];
        }
    log_warn("table %s is not defined alike on %s and the other nodes: it cannot be used", s->name,
             x->nodes[0].who);
    return NULL;
}

static int merge(struct remote *x, struct catalog **out)
{
    struct catalog *c = catalog_new();
    uint64_t version = 0;
    int rc = c ? 0 : -ENOMEM;

    x->mixed = false;

    for (unsigned i = 0; i < x->n_nodes; i++)
        version += x->nodes[i].catalog->version; /* grows with each change of any */
    for (uint32_t i = 0; i < x->nodes[0].catalog->n_tables && !rc; i++) {
        struct schema *s = find_common(x, x->nodes[0].catalog->tables[i]);
        struct catalog *next;
        if (!s)
            continue;
        rc = catalog_with_table(c, s, &next);
        if (!rc) {
            catalog_put(c);
            c = next;
        }
    }
    if (rc) {
        if (c)
            catalog_put(c);
        return rc;
    }
    c->version = version; /* not shared yet */
    *out = c;
    return 0;
}

int remote_merge_catalogs(struct remote *x)
{
    struct catalog *c;

    for (unsigned i = 0; i < x->n_nodes; i++)
        if (!x->nodes[i].catalog)
            return 0; /* a node came back with other data and has yet to tell: nothing new can be said */
    if (x->n_nodes == 1) {
        c = catalog_get(x->nodes[0].catalog);
    } else {
        int rc = merge(x, &c);
        if (rc)
            return rc;
    }
    catalog_put(x->catalog);
    x->catalog = c;
    return 0;
}

int remote_find_table(struct remote *x, const struct remote_node *n, const struct schema *s,
                      bool may_be_old, const struct schema **out, struct error_info *err)
{
    const struct schema *now = catalog_find_id(x->catalog, s->table_id);
    const struct schema *there = NULL;

    bool is_newest = now && now->version == s->version;

    if (n->catalog && is_newest && !x->mixed)
        there = catalog_find(n->catalog, s->name, strlen(s->name));
    else if (n->catalog && now && (is_newest || may_be_old))
        there = find_alike(n->catalog, s);
    if (!there)
        return error_set(err, -ESTALE, 1412, "Table definition of '%s' has changed, please retry",
                         s->name);
    *out = there;
    return 0;
}

/* One node refuses a batch before it writes, or tells of rows that were written. Of several, another one may have
 * written and be lost before it told. */
bool remote_is_refused_whole(struct cluster *c, const struct cluster_write *w)
{
    (void)w;
    return ((struct remote *)c)->n_nodes == 1;
}

bool remote_table_stats(struct cluster *c, uint32_t table_id, struct cluster_table_stats *out)
{
    struct remote *x = (struct remote *)c;
    const struct schema *s = catalog_find_id(x->catalog, table_id);

    if (!s)
        return false;
    *out = (struct cluster_table_stats){.table_id = table_id};
    for (unsigned i = 0; i < x->n_nodes; i++) {
        const struct remote_node *n = &x->nodes[i];
        for (uint32_t t = 0; n->stats && n->catalog && t < n->catalog->n_tables; t++)
            if (!strcmp(n->catalog->tables[t]->name, s->name)) {
                out->rows += n->stats[t].rows;
                out->bytes += n->stats[t].bytes;
                out->index_bytes += n->stats[t].index_bytes;
                out->free_bytes += n->stats[t].free_bytes;
            }
    }
    return true;
}
