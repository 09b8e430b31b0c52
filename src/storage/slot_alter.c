#include "storage/slot_alter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/segment_alter.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"
#include "storage/slot_rewrite.h"

struct slot_alter { /* owner: the slot's core, from the preparation to one of its ends */
    struct slot *slot;
    struct schema *next;
    struct dict **dicts, **lists; /* as the slot's, those of the new columns behind */
    struct segment_alter *segments;
    uint32_t n_segments;
};

static size_t dicts_bytes(const struct schema *s)
{
    return s->n_columns * sizeof(struct dict *);
}

static int new_dicts(struct slot_alter *a)
{
    const struct slot *t = a->slot;

    a->dicts = slot_memory_zeroed(t->budget, dicts_bytes(a->next));
    a->lists = slot_memory_zeroed(t->budget, dicts_bytes(a->next));
    if (!a->dicts || !a->lists)
        return -ENOMEM;
    memcpy(a->dicts, t->dicts, dicts_bytes(t->schema));
    memcpy(a->lists, t->lists, dicts_bytes(t->schema));
    for (unsigned c = t->schema->n_columns; c < a->next->n_columns; c++) {
        int rc = slot_dict_new(t, &a->next->columns[c], &a->dicts[c], &a->lists[c]);

        if (rc != 0)
            return rc;
    }
    return 0;
}

static int prepare_segment(struct slot_alter *a, struct segment *g,
                           const struct segment_dicts *dicts)
{
    int rc = segment_alter_init(&a->segments[a->n_segments], g, a->next, dicts);

    a->n_segments += rc == 0;
    return rc;
}

static int prepare_segments(struct slot_alter *a)
{
    const struct slot *t = a->slot;
    struct segment_dicts dicts = {a->dicts, a->lists};

    int rc = 0;

    a->segments = calloc(t->n_parts + t->n_archived + 1u, sizeof *a->segments);
    if (!a->segments)
        return -ENOMEM;
    for (uint32_t i = 0; i < t->n_parts && rc == 0; i++)
        rc = prepare_segment(a, t->parts[i]->segment, &dicts);
    for (const struct slot_archived *x = t->archived; x && rc == 0; x = x->next)
        rc = x->part ? prepare_segment(a, x->part->segment, &dicts) : 0;
    return rc;
}

int slot_alter_new(struct slot *t, struct schema *next, struct slot_alter **out)
{
    struct slot_alter *a = calloc(1, sizeof *a);
    int rc;

    if (!a)
        return -ENOMEM;
    a->slot = t;
    a->next = schema_get(next);
    t->altering = true; /* a rewrite would bring a segment that is not prepared */
    for (uint32_t i = 0; i < t->n_parts; i++)
        slot_rewrite_stop(t->parts[i]);
    rc = new_dicts(a);
    if (rc == 0)
        rc = prepare_segments(a);
    if (rc != 0) {
        slot_alter_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

static void free_segments(struct slot_alter *a)
{
    for (uint32_t i = 0; i < a->n_segments; i++)
        segment_alter_fini(&a->segments[i]);
    free(a->segments);
}

void slot_alter_free(struct slot_alter *a)
{
    if (!a)
        return;
    a->slot->altering = false;
    free_segments(a);
    for (unsigned c = a->slot->schema->n_columns; c < a->next->n_columns; c++) {
        dict_free(a->lists ? a->lists[c] : NULL);
        dict_free(a->dicts ? a->dicts[c] : NULL);
    }
    slot_memory_free(a->slot->budget, a->lists, dicts_bytes(a->next));
    slot_memory_free(a->slot->budget, a->dicts, dicts_bytes(a->next));
    schema_put(a->next);
    free(a);
}

void slot_alter_take(struct slot_alter *a)
{
    struct slot *t = a->slot;
    struct schema *old = t->schema;
    struct segment_dicts dicts = {a->dicts, a->lists};

    for (uint32_t i = 0; i < a->n_segments; i++)
        segment_alter_take(&a->segments[i], &dicts);
    for (struct slot_part *p = t->leaving; p; p = p->next)
        segment_set_dicts(p->segment, &dicts);
    slot_memory_free(t->budget, t->lists, dicts_bytes(old));
    slot_memory_free(t->budget, t->dicts, dicts_bytes(old));
    t->dicts = a->dicts;
    t->lists = a->lists;
    t->schema = a->next;
    t->altering = false;
    schema_put(old);
    free_segments(a);
    free(a);
}
