/*
 * A slot is split at a start: of its files each of the new ones opens those rows whose place it is, and together they are
 * what the old one was, also when they are written to, read from the disk, cut and rewritten. The twin is never split and
 * says what is right. Seeds are printed with a failure.
 */
#include "storage/slot_split.h"

#include "reactor/budget.h"
#include "storage/key.h"
#include "storage/slot_rewrite.h"
#include "unit/storage/disk_world.h"

enum { BITS_MAX = 3, CHILDREN_MAX = 1 << BITS_MAX, SEED = 42 };

struct split_world {
    struct world w;
    unsigned bits;
    struct slot *children[CHILDREN_MAX];
    struct store_file *files[CHILDREN_MAX * WORLD_FILES];
    uint32_t n_files;
    atomic_uint left;
};

static uint32_t children(const struct split_world *x)
{
    return 1u << x->bits;
}

/* A store_file of its own for every child, as at a start. */
static struct store_file *open_shared(struct split_world *x, const struct world_file *f,
                                      struct store_shared *shared)
{
    struct store_file *out;
    struct error_info err;

    cr_assert_eq(store_file_open(x->w.store, store_file_id(f->file), store_file_bytes(f->file),
                                 &out, &err),
                 0, "%s", err.text);
    store_file_share(out, shared);
    store_file_set_directory(out, &f->directory, store_file_bytes(f->file));
    x->files[x->n_files++] = out;
    return out;
}

static void open_child(struct split_world *x, uint32_t number, struct store_shared **shared)
{
    struct world_file root[WORLD_FILES], *own = x->w.root;
    struct world *w = &x->w;
    struct slot *t;
    struct error_info err = {0};
    uint8_t *bytes;

    cr_assert_eq(slot_new(w->schema, number, SEED, &w->budget, &t), 0);
    slot_set_store(t, w->store);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < w->n_root; i++) {
            struct segment_directory segment;
            struct dict_directory dicts;

            if (own[i].dicts != (pass == 0))
                continue;
            root[i] = own[i];
            root[i].file = open_shared(x, &own[i], shared[i]);
            cr_assert_eq(store_read_now(w->store, root[i].file, &root[i].directory, &bytes, &err),
                         0, "%s", err.text);
            uint64_t end = store_file_bytes(root[i].file);
            if (pass == 0) {
                cr_assert_eq(dict_directory_decode(bytes, root[i].directory.len, end, &w->arena,
                                                   &dicts, &err),
                             0);
                cr_assert_eq(slot_open_dicts(t, root[i].file, &dicts, &err), 0, "%s", err.text);
            } else {
                cr_assert_eq(segment_directory_decode(bytes, root[i].directory.len, end, &w->arena,
                                                      &segment, &err),
                             0);
                cr_assert_eq(slot_open_segment(t, w->store, root[i].file, &segment, &err), 0, "%s",
                             err.text);
                cr_assert_eq(slot_split_partition(t, segment.id.partition, x->bits, &err), 0, "%s",
                             err.text);
            }
            free(bytes);
        }
    arena_reset(&w->arena);
    x->children[number] = t;
}

/* The slot of the world, after its last checkpoint, becomes 2^bits. */
static void split(struct split_world *x, unsigned bits)
{
    struct store_shared *shared[WORLD_FILES];

    x->bits = bits;
    for (uint32_t i = 0; i < x->w.n_root; i++) {
        shared[i] = store_shared_new(children(x), &x->left);
        cr_assert(shared[i]);
    }
    for (uint32_t i = 0; i < children(x); i++)
        open_child(x, i, shared);
}

static void init(struct split_world *x, uint64_t seed, bool partitioned)
{
    memset(x, 0, sizeof *x);
    world_live_only = true;
    world_init(&x->w, seed, partitioned);
}

static void fini(struct split_world *x)
{
    for (uint32_t i = 0; i < children(x); i++)
        slot_free(x->children[i]);
    for (uint32_t i = 0; i < x->n_files; i++)
        store_file_put(x->files[i]);
    world_fini(&x->w);
}

/* ---- comparing ---- */

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Hashes of the live rows, without what else world_dump has. */
static size_t add_rows(const struct slot *t, uint64_t *out, size_t n)
{
    for (uint32_t i = 0; i < slot_segments(t); i++) {
        struct segment *g = slot_segment(t, i);
        uint32_t live = 0;

        for (uint32_t row = 0; row < segment_rows(g); row++) {
            uint64_t h = (uint64_t)segment_partition(g);

            if (!segment_is_live(g, row))
                continue;
            for (unsigned c = 0; c < slot_schema(t)->n_columns; c++)
                h = hash_cell(t, g, row, c, h);
            out[n++] = h;
            live++;
        }
        cr_assert_eq(live, segment_live(g));
    }
    return n;
}

static void compare_all(struct split_world *x)
{
    uint64_t rows = slot_live_rows(x->w.twin), found = 0;
    uint64_t *a = malloc((rows + 1) * sizeof *a), *b = malloc((rows + 1) * sizeof *b);

    for (uint32_t i = 0; i < children(x); i++)
        found += slot_live_rows(x->children[i]);
    cr_assert_eq(found, rows, "%" PRIu64 " rows in all, the twin has %" PRIu64, found, rows);
    size_t n = 0;
    for (uint32_t i = 0; i < children(x); i++) {
        world_load(&x->w, x->children[i]);
        n = add_rows(x->children[i], a, n);
    }
    cr_assert_eq(add_rows(x->w.twin, b, 0), n);
    qsort(a, n, sizeof *a, compare_hashes);
    qsort(b, n, sizeof *b, compare_hashes);
    world_compare(a, n, b, n, "children and twin");
    free(a);
    free(b);
}

/* ---- writing ---- */

/* One row for the child whose place it is, and the twin: both do the same. */
static void write_one(struct split_world *x)
{
    static const enum batch_op ops[] = {BATCH_INSERT, BATCH_UPSERT, BATCH_REPLACE, BATCH_UPDATE,
                                        BATCH_DELETE};
    static const int all[] = {0, 1, 2, 3, 4, 5, 6};
    static const enum batch_kind kinds[] = {BATCH_I64,  BATCH_I64, BATCH_BYTES, BATCH_BYTES,
                                            BATCH_LIST, BATCH_I64, BATCH_I64};
    struct world *w = &x->w;
    struct batch_builder *b = batch_builder_new(NULL);
    struct error_info err = {0};
    struct write_result got, want;
    struct key_hash hash;
    struct buffer bytes;
    struct batch batch;

    for (int c = 0; c < 7; c++)
        cr_assert_eq(batch_builder_add_column(b, w->schema->columns[c].id, kinds[c], 0), c);
    world_row(w, b, below(w, w->ids), below(w, 3), all);
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, ops[below(w, 5)], 7, 0, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(key_hash_rows(w->schema, &batch, SEED, 0, 1, &hash, &err), 0);
    struct slot *t = x->children[key_slot(hash.place, x->bits)];
    cr_assert_eq(slot_prepare_now(t, &batch, &err), 0, "%s", err.text);
    cr_assert_eq(slot_apply(t, &batch, &got), 0);
    cr_assert_eq(slot_apply(w->twin, &batch, &want), 0);
    CHECK(got.inserted == want.inserted && got.updated == want.updated &&
              got.unchanged == want.unchanged && got.deleted == want.deleted &&
              got.rejected == want.rejected,
          "results differ");
    buffer_fini(&bytes);
    batch_builder_free(b);
}

/* Everything that still shares its file is copied, with writes in between. */
static void rewrite_all(struct split_world *x)
{
    for (uint32_t k = 0; k < children(x); k++)
        for (uint32_t i = 0; i < slot_segments(x->children[k]); i++) {
            struct slot_rewrite_part part;
            struct slot_rewrite *rewrite;
            enum slot_rewrite_state state;

            slot_rewrite_peek(x->children[k], i, &part);
            if (!part.shared)
                continue;
            cr_assert_eq(slot_rewrite_start(x->children[k], i, 300, &rewrite), 0);
            while ((state = slot_rewrite_step(rewrite, &x->w.wake)) != SLOT_REWRITE_DONE) {
                cr_assert(state == SLOT_REWRITE_AGAIN || state == SLOT_REWRITE_WAIT);
                if (state == SLOT_REWRITE_WAIT)
                    world_wait(&x->w);
                else if (below(&x->w, 4) == 0)
                    write_one(x);
            }
            slot_rewrite_free(rewrite);
        }
}

static uint32_t count_shared(const struct split_world *x)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < children(x); k++)
        for (uint32_t i = 0; i < slot_segments(x->children[k]); i++)
            n += segment_is_shared(slot_segment(x->children[k], i));
    return n;
}

/* ---- tests ---- */

Test(slot_split, every_row_is_in_the_slot_of_its_place)
{
    for (unsigned bits = 1; bits <= BITS_MAX; bits++) {
        struct split_world x;

        init(&x, bits, false);
        world_fill(&x.w, 0, 140000);
        world_checkpoint(&x.w);
        split(&x, bits);
        for (uint32_t i = 0; i < children(&x); i++) {
            const struct segment *g = slot_segment(x.children[i], 0);

            cr_assert(!segment_is_changed(g), "nothing of it needs to be written");
            cr_assert_lt(abs((int)segment_live(g) - 140000 / (int)children(&x)), 2000);
        }
        compare_all(&x);
        fini(&x);
    }
}

/* Without rows of a partition there is none, and its file is not waited for. */
Test(slot_split, a_slot_without_rows_of_a_partition)
{
    struct split_world x;

    init(&x, 4, true);
    world_fill(&x.w, 0, 2);
    world_checkpoint(&x.w);
    split(&x, BITS_MAX);
    uint32_t segments = 0;
    for (uint32_t i = 0; i < children(&x); i++)
        segments += slot_segments(x.children[i]);
    cr_assert_leq(segments, 2);
    compare_all(&x);
    fini(&x);
}

Test(slot_split, random_work)
{
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct split_world x;

        init(&x, seed, seed % 2);
        for (int i = 0; i < 60; i++) {
            world_write(&x.w);
            if (i % 20 == 19)
                world_checkpoint(&x.w);
        }
        world_checkpoint(&x.w);
        split(&x, 1 + below(&x.w, BITS_MAX));
        compare_all(&x);
        for (int i = 0; i < 300; i++) {
            write_one(&x);
            if (i % 50 == 0)
                (void)slot_evict(x.children[below(&x.w, children(&x))], SIZE_MAX, 1000);
        }
        compare_all(&x);
        rewrite_all(&x);
        cr_assert_eq(count_shared(&x), 0, "seed %" PRIu64, seed);
        compare_all(&x);
        for (int i = 0; i < 100; i++)
            write_one(&x);
        compare_all(&x);
        fini(&x);
    }
}

/* A cut leaves a shared file as it is, until the segment or the dictionaries have something new: then all goes elsewhere. */
Test(slot_split, a_shared_file_is_never_written_to)
{
    struct split_world x;
    struct slot_cut cut;
    struct datafile_id id;

    init(&x, 7, false);
    world_fill(&x.w, 0, 3000);
    world_checkpoint(&x.w);
    split(&x, 1);
    cr_assert_eq(slot_cut_begin(x.children[0], &cut), 0);
    cr_assert(segment_cut_is_empty(cut.segments[0]) && !slot_cut_has_dicts(&cut));
    segment_cut_end(cut.segments[0], false);
    slot_cut_fini(&cut);
    for (int i = 0; i < 200; i++)
        write_one(&x);
    for (uint32_t k = 0; k < 2; k++) {
        slot_raise_generation(x.children[k], 100 + k);
        cr_assert_eq(slot_cut_begin(x.children[k], &cut), 0);
        cr_assert(!segment_cut_is_empty(cut.segments[0]) && slot_cut_has_dicts(&cut));
        cr_assert(slot_cut_dict_file(&cut, &id));
        cr_assert(id.slot == k && id.generation == 101 + k);
        cr_assert(slot_cut_file(&cut, 0, &id));
        cr_assert(id.slot == k && id.generation == 102 + k);
        slot_cut_dicts_failed(&cut);
        segment_cut_end(cut.segments[0], false);
        slot_cut_fini(&cut);
    }
    rewrite_all(&x);
    cr_assert_eq(slot_cut_begin(x.children[0], &cut), 0);
    cr_assert(slot_cut_has_dicts(&cut), "nothing else shares a file: neither shall they");
    slot_cut_dicts_failed(&cut);
    segment_cut_end(cut.segments[0], false);
    slot_cut_fini(&cut);
    compare_all(&x);
    fini(&x);
}
