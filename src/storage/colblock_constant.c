#include "storage/colblock_constant.h"

#include <errno.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/colblock_change.h"
#include "storage/colblock_impl.h"
#include "storage/slot_memory.h"

static int fill(struct colblock *c, uint32_t rows, int64_t value, bool present)
{
    size_t bytes = rows * (sizeof(int64_t) + 1);
    int64_t *values = slot_memory_new(c->budget, bytes);
    uint8_t *presence;
    int rc;

    if (!values)
        return -ENOMEM;
    presence = (uint8_t *)(values + rows);
    memset(presence, present, rows);
    for (uint32_t i = 0; i < rows; i++)
        values[i] = value;
    rc = colblock_reserve(c, values, present ? NULL : presence, rows);
    if (rc == 0)
        colblock_append(c, values, present ? NULL : presence, rows);
    slot_memory_free(c->budget, values, bytes);
    return rc;
}

struct colblock *colblock_new_constant(enum column_layout layout, const struct dict *lists,
                                       struct budget *budget, uint32_t rows, int64_t value,
                                       bool present)
{
    struct colblock *c = colblock_new(layout, lists, budget);

    ASSERT(rows > 0 && rows <= BLOCK_ROWS);
    if (c && (fill(c, rows, value, present) != 0 || colblock_seal(c, rows) != 0)) {
        colblock_free(c);
        c = NULL;
    }
    return c;
}

struct colblock *colblock_copy_sealed(const struct colblock *of)
{
    struct colblock *c = colblock_new(of->layout, of->lists, of->budget);

    ASSERT(of->sealed && of->tail.rows == 0);
    if (!c)
        return NULL;
    c->any = of->any;
    c->tight = of->tight;
    c->min = of->min;
    c->max = of->max;
    if (sealed_copy(of->sealed, &c->sealed) == 0) {
        colblock_note_sealed(c);
        return c;
    }
    colblock_free(c);
    return NULL;
}
