/* Whole cuts of segments that are not, or only partly, in memory: what is absent is copied from the old file. */
#include "unit/storage/disk_world.h"

/* What happens while the cut is at work. */
enum { CALM = 0, WRITES = 1, LOADS = 2, GIVES_UP = 4 };

static void begin(struct world *w, struct segment *g)
{
    struct datafile_id id = *store_file_id(segment_file(g));
    struct error_info err;

    id.generation += 1000;
    segment_cut_begin(g, true);
    cr_assert(segment_cut_needs_file(g));
    segment_cut_set_file(g, &id);
    cr_assert_eq(store_file_create(w->store, &id, &w->target, &err), 0, "%s", err.text);
}

static void disturb(struct world *w, struct segment *g, unsigned what)
{
    struct error_info err = {0};

    if (what & WRITES && below(w, 2))
        world_write(w);
    if (what & LOADS && below(w, 2))
        cr_assert_eq(segment_block_now(g, below(w, segment_blocks(g)), NULL, &err), 0, "%s",
                     err.text);
}

struct copy_wake {
    struct task task;
    bool woken;
};

static void woken(struct task *t)
{
    container_of(t, struct copy_wake, task)->woken = true;
}

static bool is_woken(void *ctx)
{
    return ((struct copy_wake *)ctx)->woken;
}

/* 0, or what the cut was given up with. */
static int write_all(struct world *w, struct segment *g, unsigned what)
{
    struct chunk_ref ref;
    struct copy_wake wake = {.task.run = woken};
    int more;

    while ((more = segment_cut_next(g, &w->extent, store_file_bytes(w->target))) > 0) {
        if (more == SEGMENT_CUT_FETCH) {
            wake.woken = false;
            segment_cut_fetch(g, &wake.task);
            disturb(w, g, what);
            if (what & GIVES_UP)
                return -ECANCELED;
            reactor_set_self(NULL);
            cr_assert_eq(reactor_sim_run(w->group, is_woken, &wake, WORLD_STEPS), 0);
            reactor_set_self(w->r);
        }
        if (w->extent.len > 1 << 20)
            world_flush(w);
    }
    if (more == 0)
        more = segment_cut_directory(g, &w->extent, store_file_bytes(w->target), &ref);
    if (more == 0) {
        world_flush(w);
        segment_cut_written(g, w->target);
    }
    return more;
}

static void compare(struct world *w)
{
    uint64_t *a, *b;
    size_t n, m;

    world_load(w, w->slot);
    a = world_dump(w->slot, &n);
    b = world_dump(w->twin, &m);
    world_compare(a, n, b, m, "slot and twin");
    free(a);
    free(b);
}

static void evict_all(struct world *w)
{
    (void)slot_evict(w->slot, SIZE_MAX, slot_tick(w->slot) + 100);
}

/* The cut ended with rc: from disk the slot is as it was, and equal to its twin. */
static void finish(struct world *w, struct segment *g, int rc)
{
    struct store_file *old = segment_file(g);

    segment_cut_end(g, rc == 0);
    if (rc)
        world_settle(w); /* what was on its way comes, and nobody wants it */
    cr_assert_eq(segment_file(g) == w->target, rc == 0);
    cr_assert_eq(segment_file(g) == old, rc != 0);
    store_file_drop(rc ? w->target : old);
    store_file_put(w->target);
    w->extent.len = 0;
    evict_all(w);
    compare(w);
    world_fini(w);
}

static void run_copy(uint64_t seed, unsigned what)
{
    struct world w;

    fprintf(stderr, "seed %" PRIu64 ", %u\n", seed, what);
    world_init(&w, seed, false);
    world_fill(&w, 0, 150000);
    for (int i = 0; i < 20; i++)
        world_write(&w);
    world_checkpoint(&w);
    evict_all(&w);
    struct segment *g = slot_segment(w.slot, 0);
    if (seed % 2)
        world_write(&w); /* some of it is in memory and changed */
    begin(&w, g);
    int rc = write_all(&w, g, what);
    cr_assert_eq(rc, what & GIVES_UP ? -ECANCELED : 0);
    finish(&w, g, rc);
}

Test(segment_cut_copy, what_is_absent_is_copied)
{
    for (uint64_t seed = 1; seed < 5; seed++)
        for (unsigned what = CALM; what <= (WRITES | LOADS); what++)
            run_copy(seed, what);
}

Test(segment_cut_copy, a_cut_may_end_with_chunks_on_their_way)
{
    run_copy(2, GIVES_UP);
    run_copy(4, GIVES_UP | LOADS);
}

/* Damage is neither healed by a new checksum nor a reason to write nothing. */
Test(segment_cut_copy, damage_stays_damage)
{
    struct error_info err = {0};
    struct world w;

    world_init(&w, 7, false);
    world_fill(&w, 0, 70000);
    world_checkpoint(&w);
    evict_all(&w);
    struct segment *g = slot_segment(w.slot, 0);
    cr_assert_eq(sim_disk_flip(w.disk, store_file_name(segment_file(g)), DATAFILE_UNIT + 9, 4), 0);
    log_level = (enum log_level) - 1; /* it says so */
    begin(&w, g);
    cr_assert_eq(write_all(&w, g, CALM), 0);
    segment_cut_end(g, true);
    store_file_put(w.target);
    cr_assert_eq(segment_load_now(g, &err), -EBADMSG);
    cr_assert(strstr(err.text, "wrong checksum") && strstr(err.text, "1002"), "%s", err.text);
    world_fini(&w);
}

/* Bits that a read gets wrong are not copied: the chunk is read again, or the cut gives up. */
Test(segment_cut_copy, wrong_reads_are_not_copied)
{
    unsigned copied = 0;

    log_level = (enum log_level) - 1;
    for (uint64_t seed = 1; seed < 30; seed++) {
        struct world w;
        struct sim_faults f = {.rot = seed % 3 ? 100000 : 900000};

        world_init(&w, seed, false);
        world_fill(&w, 0, 20000);
        world_checkpoint(&w);
        evict_all(&w);
        struct segment *g = slot_segment(w.slot, 0);
        begin(&w, g);
        sim_set_faults(w.sim, &f);
        int rc = write_all(&w, g, CALM);
        sim_set_faults(w.sim, &(struct sim_faults){0});
        cr_assert(rc == 0 || rc == -EIO, "%d", rc);
        copied += rc == 0;
        finish(&w, g, rc);
    }
    cr_assert(copied > 10 && copied < 29, "%u", copied);
}
