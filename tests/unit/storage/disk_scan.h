#pragma once
/* Scans of a world's slots, for tests of what happens while one is at work. */
#include "unit/storage/disk_world.h"

__attribute__((unused)) static struct scan *open_count(struct world *w, struct slot **slot,
                                                       struct program *p)
{
    static struct aggregate aggregates[] = {{.kind = AGGREGATE_COUNT_ROWS},
                                            {AGGREGATE_SUM, C_NUM},
                                            {AGGREGATE_MAX, C_ID}};
    struct error_info err = {0};
    struct scan *x;

    *p = (struct program){.table_id = 7,
                          .memory = 64 << 20,
                          .limit = UINT64_MAX,
                          .output = OUTPUT_GROUPS,
                          .n_aggregates = 3,
                          .aggregates = aggregates};
    cr_assert_eq(scan_new(p, w->schema, slot, 1, NULL, &w->wake, &x, &err), 0, "%s", err.text);
    return x;
}

/* To its end; the caller frees it. */
static void run_scan(struct world *w, struct scan *x, struct buffer *out)
{
    enum scan_state state;
    struct batch b;

    buffer_init(out, 1 << 20);
    while ((state = scan_step(x, 4096, &b)) != SCAN_END) {
        cr_assert_neq(state, SCAN_ERROR, "%s", scan_error(x)->text);
        if (state == SCAN_BATCH)
            cr_assert_eq(buffer_append(out, b.bytes, b.len), 0);
        if (state == SCAN_WAIT)
            world_wait(w);
    }
}
