#include "rpc/remote_split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Tables by node, as each of them knows it. */
static int find_tables(struct remote *x, const struct schema *s, bool may_be_old,
                       struct remote_split *out, struct error_info *err)
{
    for (unsigned i = 0; i < x->n_nodes; i++) {
        int rc = remote_find_table(x, &x->nodes[i], s, may_be_old, &out->parts[i].table, err);
        if (rc) {
            remote_node_poll(&x->nodes[i]);
            return rc;
        }
        out->parts[i].node = i;
        buffer_init(&out->parts[i].bytes, BATCH_MAX_BYTES);
    }
    return 0;
}

static int count_rows(struct remote *x, const struct schema *s, const struct batch *b,
                      struct arena *arena, uint8_t **node_of, struct remote_split *out,
                      struct error_info *err)
{
    struct key_hash *hashes = arena_alloc(arena, b->rows * sizeof(*hashes) + 16);

    *node_of = arena_alloc(arena, b->rows + 1UL);
    if (!hashes || !*node_of)
        return -ENOMEM;
    int rc = key_hash_rows(s, b, x->nodes[0].hash_seed, 0, b->rows, hashes, err);
    for (uint32_t i = 0; i < b->rows && !rc; i++) {
        (*node_of)[i] = x->map.node_of[key_slot(hashes[i].place, x->map.slot_bits)];
        out->parts[(*node_of)[i]].rows++;
    }
    return rc;
}

static int add_columns(struct batch_builder *to, const struct batch *b)
{
    for (unsigned i = 0; i < b->columns; i++) {
        struct batch_column c;
        batch_column_at(b, i, &c);
        int rc = batch_builder_add_column(to, c.id, (enum batch_kind)c.kind, c.scale);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int fill_part(struct remote_split_part *p, const struct batch *b, const uint8_t *node_of,
                     struct batch_builder *to, struct arena *arena, struct error_info *err)
{
    uint32_t n = 0;
    int rc = 0;

    batch_builder_reset(to);
    p->row_of = arena_alloc(arena, p->rows * sizeof(*p->row_of) + 4);
    if (!p->row_of)
        return -ENOMEM;
    for (uint32_t i = 0; i < b->rows && !rc; i++)
        if (node_of[i] == p->node) {
            p->row_of[n++] = i;
            rc = batch_builder_copy_row(to, b, i);
        }
    if (!rc)
        rc = batch_builder_finish(to, (enum batch_op)b->op, p->table->table_id, BATCH_SLOT_ANY,
                                  &p->bytes);
    return rc ? rc : batch_open(p->bytes.data, p->bytes.len, &p->batch, err);
}

/* Parts without rows go; the others move together. */
static void drop_empty(struct remote *x, struct remote_split *out)
{
    for (unsigned i = 0; i < x->n_nodes; i++)
        if (out->parts[i].rows)
            out->parts[out->n++] = out->parts[i];
}

static int fill_parts(struct remote *x, const struct batch *b, const uint8_t *node_of,
                      struct arena *arena, struct remote_split *out, struct error_info *err)
{
    struct batch_builder *to = batch_builder_new(reactor_budget(x->r));
    int rc = to ? add_columns(to, b) : -ENOMEM;

    drop_empty(x, out);
    for (unsigned i = 0; i < out->n && !rc; i++)
        rc = fill_part(&out->parts[i], b, node_of, to, arena, err);
    if (to)
        batch_builder_free(to);
    return rc;
}

static int split_rows(struct remote *x, const struct schema *s, const struct batch *b,
                      struct arena *arena, struct remote_split *out, struct error_info *err)
{
    uint8_t *node_of;

    bool as_it_is = x->nodes[0].batch_version >= BATCH_VERSION || !batch_has_codes(b);

    if (x->n_nodes == 1 && b->table_id == out->parts[0].table->table_id && as_it_is) {
        out->parts[0].batch = *b;
        out->n = b->rows ? 1 : 0;
        return 0;
    }
    int rc = count_rows(x, s, b, arena, &node_of, out, err);
    return rc ? rc : fill_parts(x, b, node_of, arena, out, err);
}

int remote_split(struct remote *x, const struct schema *s, bool may_be_old, const struct batch *b,
                 split_key_fn *new_key, struct arena *arena, struct remote_split *out,
                 struct error_info *err)
{
    const struct batch *whole = b;

    *out = (struct remote_split){0};
    out->parts = arena_alloc(arena, x->n_nodes * sizeof(*out->parts));
    int rc = out->parts ? find_tables(x, s, may_be_old, out, err) : -ENOMEM;
    if (!rc && schema_has_hidden_key(s)) {
        /* With no slot bits there is one slot, and the piece is the batch with its keys. */
        rc = split_batch(s, b, x->nodes[0].hash_seed, 0, new_key, x, arena, &out->whole, err);
        if (!rc && out->whole.n)
            whole = &out->whole.pieces[0].batch;
    }
    if (!rc)
        rc = split_rows(x, s, whole, arena, out, err);
    if (rc && !err->text[0])
        error_set(err, rc, 1037, "the rows cannot be split by node: %s", strerror(-rc));
    return rc;
}

void remote_split_fini(struct remote_split *s)
{
    for (unsigned i = 0; i < s->n; i++)
        buffer_fini(&s->parts[i].bytes);
    split_fini(&s->whole);
}
