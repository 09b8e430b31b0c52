/*
 * Catalogs as bytes: magic "QCT1", version, next table id, number of tables, then each table's YAML
 * with its length.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/buffer.h"
#include "storage/catalog.h"

enum { CATALOG_MAGIC = 0x31544351, CATALOG_MAX_BYTES = 512 << 20 };

struct catalog_header {
    uint32_t magic, tables;
    uint64_t version;
    uint32_t next_table_id, reserved; /* 0 */
};

static int append_table(struct buffer *out, const struct schema *s)
{
    char *text = schema_print_yaml(s);
    uint32_t len;
    int rc;

    if (!text)
        return -ENOMEM;
    len = (uint32_t)strlen(text);
    rc = buffer_append(out, &len, sizeof len);
    if (rc == 0)
        rc = buffer_append(out, text, len);
    free(text);
    return rc;
}

int catalog_encode(const struct catalog *c, uint8_t **bytes, size_t *len)
{
    struct catalog_header h = {CATALOG_MAGIC, c->n_tables, c->version, c->next_table_id, 0};
    struct buffer out;
    int rc;

    buffer_init(&out, CATALOG_MAX_BYTES);
    rc = buffer_append(&out, &h, sizeof h);
    for (uint32_t i = 0; i < c->n_tables && rc == 0; i++)
        rc = append_table(&out, c->tables[i]);
    if (rc != 0) {
        buffer_fini(&out);
        return rc;
    }
    *bytes = out.data;
    *len = out.len;
    return 0;
}

static int damaged(struct error_info *err, const char *what)
{
    return error_set(err, -EBADMSG, 1105, "catalog: %s", what);
}

static int read_table(const uint8_t **at, const uint8_t *end, uint32_t number, struct schema **out,
                      struct error_info *err)
{
    char name[32];
    uint32_t len;

    if ((size_t)(end - *at) < sizeof len)
        return damaged(err, "cut before the length of a table");
    memcpy(&len, *at, sizeof len);
    *at += sizeof len;
    if ((size_t)(end - *at) < len)
        return damaged(err, "cut within a table");
    snprintf(name, sizeof name, "catalog, table %u", number);
    *at += len;
    return schema_parse_yaml(name, (const char *)*at - len, len, NULL, NULL, out, err);
}

/* Adds the table; what the bytes say about ids and versions must fit together. */
static int adopt(struct catalog **c, const struct catalog_header *h, struct schema *s,
                 struct error_info *err)
{
    struct catalog *next;
    int rc;

    if (s->table_id == 0 || s->table_id >= h->next_table_id || s->version == 0 ||
        s->version > h->version)
        return damaged(err, "a table id or version is out of range");
    rc = catalog_find(*c, s->name, strlen(s->name)) ? -EEXIST : catalog_with_table(*c, s, &next);
    if (rc == -EEXIST)
        return damaged(err, "two tables have the same name or id");
    if (rc != 0)
        return rc;
    catalog_put(*c);
    *c = next;
    return 0;
}

int catalog_decode(const uint8_t *bytes, size_t len, struct catalog **out, struct error_info *err)
{
    const uint8_t *at = bytes + sizeof(struct catalog_header), *end = bytes + len;
    struct catalog *c = NULL;
    struct catalog_header h;
    int rc = 0;

    if (len < sizeof h)
        return damaged(err, "shorter than its header");
    memcpy(&h, bytes, sizeof h);
    if (h.magic != CATALOG_MAGIC || h.reserved != 0 || h.tables > CATALOG_MAX_TABLES)
        return damaged(err, "header not known");
    error_set(err, -ENOMEM, 1037, "catalog: out of memory");
    c = catalog_new();
    if (!c)
        return -ENOMEM;
    for (uint32_t i = 0; i < h.tables && rc == 0; i++) {
        struct schema *s;

        rc = read_table(&at, end, i, &s, err);
        if (rc != 0)
            break;
        rc = adopt(&c, &h, s, err);
        schema_put(s);
    }
    if (rc == 0 && at != end)
        rc = damaged(err, "bytes after the last table");
    if (rc != 0) {
        catalog_put(c);
        return rc;
    }
    c->version = h.version;
    c->next_table_id = h.next_table_id;
    *out = c;
    return 0;
}
