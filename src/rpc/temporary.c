#include "rpc/temporary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/arena.h"
#include "rpc/refuse.h"
#include "rpc/split.h"

enum { WRITE_ARENA_BYTES = 256 << 20 };

/* Behind schema->rows. */
struct temporary {
    struct schema_rows rows; /* first */
    struct slot *slot;
    struct budget *budget;
    int64_t last_key; /* of tables without one */
};

static struct temporary *temporary_of(const struct schema *s)
{
    return (struct temporary *)s->rows;
}

static void temporary_free(struct schema_rows *rows)
{
    slot_free(((struct temporary *)rows)->slot);
    free(rows);
}

/* The slot has a definition of its own, or the two would keep each other. */
static int copy_schema(const struct schema *s, struct schema **out, struct error_info *err)
{
    char *yaml = schema_print_yaml(s);
    int rc = yaml ? schema_parse_yaml(s->name, yaml, strlen(yaml), NULL, NULL, out, err) : -ENOMEM;

    free(yaml);
    if (rc == 0) {
        (*out)->table_id = s->table_id;
        (*out)->version = s->version;
    }
    return rc;
}

int temporary_new(struct schema *s, uint32_t id, struct budget *budget, struct error_info *err)
{
    struct temporary *t = calloc(1, sizeof *t);
    struct schema *copy = NULL;
    int rc;

    s->table_id = TEMPORARY_FIRST_ID + id % TEMPORARY_FIRST_ID;
    s->version = 1;
    rc = t ? copy_schema(s, &copy, err) : -ENOMEM;
    if (rc == 0) {
        rc = slot_new(copy, 0, 0, budget, &t->slot);
        schema_put(copy);
    }
    if (rc != 0) {
        free(t);
        return rc == -ENOMEM ? error_set(err, rc, 1037, "out of memory for table '%s'", s->name)
                             : rc;
    }
    t->rows.free = temporary_free;
    t->budget = budget;
    s->rows = &t->rows;
    return 0;
}

void temporary_truncate(const struct schema *s)
{
    struct slot *slot = temporary_of(s)->slot;

    while (slot_segments(slot))
        slot_drop_partition(slot, segment_partition(slot_segment(slot, 0)));
}

uint64_t temporary_rows(const struct schema *s)
{
    return slot_live_rows(temporary_of(s)->slot);
}

size_t temporary_memory(const struct schema *s)
{
    return slot_memory(temporary_of(s)->slot);
}

struct slot *temporary_slot(const struct schema *s)
{
    return temporary_of(s)->slot;
}

/* ---- writes ---- */

static int64_t next_key(void *ctx)
{
    return ++((struct temporary *)ctx)->last_key;
}

static int out_of_memory(struct cluster_write *w, const struct temporary *t)
{
    return error_set(&w->error, -ENOMEM, 1114,
                     "The table '%s' is full: temporary tables of a session may take %llu MiB "
                     "together, as a statement may",
                     w->schema->name, (unsigned long long)(t->budget->limit >> 20));
}

/* Row numbers of the batch that was given. */
static void number_errors(struct write_result *r, const struct split_piece *p)
{
    for (uint32_t i = 0; i < r->n_errors && p->row_of; i++)
        r->errors[i].row = p->row_of[r->errors[i].row];
}

static int apply(struct cluster_write *w, struct temporary *t, const struct split_piece *p)
{
    struct write_result *r = &w->result;
    int rc = 0;

    if (w->check_first) {
        rc = slot_check(t->slot, &p->batch, r);
        if (rc == -ENOMEM)
            return out_of_memory(w, t);
        if (r->n_errors) {
            r->rejected = w->batch.rows;
            return 0;
        }
    }
    rc = slot_apply(t->slot, &p->batch, r);
    if (rc == -ENOMEM)
        return out_of_memory(w, t);
    if (rc == -EINVAL)
        w->error = r->errors[0].info;
    else if (rc)
        error_set(&w->error, rc, 1114, "The table '%s' is full: a segment has 2^32 rows",
                  w->schema->name);
    return rc;
}

static void write_done(struct task *task)
{
    struct cluster_write *w =
        (struct cluster_write *)((char *)task - offsetof(struct cluster_write, refused));

    w->done(w);
}

void temporary_write_start(struct cluster_write *w)
{
    struct temporary *t = temporary_of(w->schema);
    struct split split = {0};
    struct arena arena;

    arena_init(&arena, WRITE_ARENA_BYTES, NULL);
    write_result_clear(&w->result);
    w->error.text[0] = 0;
    w->rc = split_batch(w->schema, &w->batch, 0, 0, next_key, t, &arena, &split, &w->error);
    for (uint32_t i = 0; i < split.n && !w->rc; i++) {
        w->rc = apply(w, t, &split.pieces[i]);
        number_errors(&w->result, &split.pieces[i]);
    }
    split_fini(&split);
    arena_fini(&arena);
    w->refused.run = write_done;
    reactor_task(reactor_self(), &w->refused, TASK_IO);
}
