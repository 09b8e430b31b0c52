/*
 * Storage kernels: ns per row of filter, sum, decode and append at 20 bits, per form of the
 * kernels, and rows per second of slot_apply on the events table. One JSON line per case; `--rows
 * N` sizes the table (default 1,000,000).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reactor/assert.h"
#include "storage/colblock_change.h"
#include "storage/dict.h"
#include "storage/kernel.h"
#include "storage/slot.h"

enum { BLOCKS = 24, REPEATS = 9, BATCH = 10000 };

static uint64_t mix(uint64_t z)
{
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* neighbours on the machine do not count */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_case(const char *name, const char *kernels, double *ns, unsigned n, double rows)
{
    qsort(ns, n, sizeof *ns, compare_doubles);
    printf("{\"bench\":\"colblock\",\"case\":\"%s\",\"kernels\":\"%s\",\"ns_per_row\":%.4f,\"rows_"
           "per_s\":%.0f}\n",
           name, kernels, ns[n / 2] / rows, rows / ns[n / 2] * 1e9);
    fflush(stdout);
}

/* ---- kernels ---- */

static struct colblock *blocks[BLOCKS];
static uint64_t half[BLOCK_WORDS], all[BLOCK_WORDS];

static double fill_blocks(bool seal)
{
    static int64_t values[BLOCK_ROWS];
    double ns = 0;

    for (uint64_t b = 0; b < BLOCKS; b++) {
        double start;

        for (uint64_t i = 0; i < BLOCK_ROWS; i++)
            values[i] = (int64_t)(mix(b << 32 | i) >> 44);
        colblock_free(blocks[b]);
        blocks[b] = colblock_new(LAYOUT_ORDERED, NULL, NULL);
        ASSERT(blocks[b]);
        start = now_ns();
        for (uint32_t at = 0; at < BLOCK_ROWS; at += LINE_ROWS) {
            ASSERT(colblock_reserve(blocks[b], values + at, NULL, LINE_ROWS) == 0);
            colblock_append(blocks[b], values + at, NULL, LINE_ROWS);
        }
        if (seal)
            ASSERT(colblock_seal(blocks[b], BLOCK_ROWS) == 0);
        ns += now_ns() - start;
    }
    return ns;
}

static uint64_t sink;

static void run_filter(const struct colblock *c)
{
    uint64_t sel[BLOCK_WORDS];

    memcpy(sel, all, sizeof sel);
    colblock_filter_range(c, 250000, 500000, false, sel);
    sink += sel[7];
}

static void run_equal(const struct colblock *c)
{
    uint64_t sel[BLOCK_WORDS];

    memcpy(sel, all, sizeof sel);
    colblock_filter_range(c, 250000, 250000, false, sel);
    sink += sel[7];
}

static void run_sum(const struct colblock *c)
{
    __int128 sum;

    sink += colblock_sum(c, half, &sum);
    sink += (uint64_t)sum;
}

static void run_sum_all(const struct colblock *c)
{
    __int128 sum;

    sink += colblock_sum(c, all, &sum);
    sink += (uint64_t)sum;
}

static void run_decode_all(const struct colblock *c)
{
    static int64_t values[BLOCK_ROWS];

    sink += colblock_decode(c, all, values, NULL);
    sink += (uint64_t)values[77];
}

static void run_decode_half(const struct colblock *c)
{
    static int64_t values[BLOCK_ROWS];

    sink += colblock_decode(c, half, values, NULL);
    sink += (uint64_t)values[77];
}

static void run_min_max(const struct colblock *c)
{
    int64_t min, max;

    sink += colblock_min_max(c, half, &min, &max);
    sink += (uint64_t)(min + max);
}

static void time_case(const char *name, const char *kernels, void (*run)(const struct colblock *c))
{
    double ns[REPEATS];

    for (unsigned r = 0; r < REPEATS; r++) {
        double start = now_ns();

        for (unsigned b = 0; b < BLOCKS; b++)
            run(blocks[b]);
        ns[r] = now_ns() - start;
    }
    print_case(name, kernels, ns, REPEATS, (double)BLOCKS * BLOCK_ROWS);
}

static void bench_blocks(const char *kind, const char *kernels, bool seal)
{
    static const struct {
        const char *name;
        void (*run)(const struct colblock *c);
    } cases[] = {
        {"filter_range", run_filter},   {"filter_equal", run_equal},
        {"sum_half", run_sum},          {"sum_all", run_sum_all},
        {"decode_all", run_decode_all}, {"decode_half", run_decode_half},
        {"min_max_half", run_min_max},
    };
    double ns[3];
    char name[64];

    for (unsigned r = 0; r < 3; r++)
        ns[r] = fill_blocks(seal);
    snprintf(name, sizeof name, "%s_append", kind);
    print_case(name, kernels, ns, 3, (double)BLOCKS * BLOCK_ROWS);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(name, sizeof name, "%s_%s", kind, cases[i].name);
        time_case(name, kernels, cases[i].run);
    }
}

/* ---- slot_apply on the events table ---- */

static const char events_yaml[] =
    "tableName: events\nprimaryKey: id\n%s"
    "attributes:\n"
    "  - { fieldName: id, type: Integer, mappingStrategy: IntBSI }\n"
    "  - { fieldName: ts, type: DateTime, mappingStrategy: SysSecBSI }\n"
    "  - { fieldName: device, type: String, mappingStrategy: StringEnum }\n"
    "  - { fieldName: country, type: String, mappingStrategy: StringEnum }\n"
    "  - { fieldName: event, type: String, mappingStrategy: StringEnum }\n"
    "  - { fieldName: content_id, type: Integer, mappingStrategy: IntBSI }\n"
    "  - { fieldName: user_id, type: String, mappingStrategy: StringHashBSI }\n"
    "  - { fieldName: duration, type: Integer, mappingStrategy: IntBSI }\n"
    "  - { fieldName: revenue, type: Float, mappingStrategy: FloatScaleBSI, scale: 2 }\n"
    "  - { fieldName: live, type: Boolean, mappingStrategy: BoolDirect }\n";

static void put_text(struct batch_builder *b, unsigned col, const char *fmt, uint64_t v)
{
    char text[32];
    int n = snprintf(text, sizeof text, fmt, v);

    ASSERT(batch_builder_put_bytes(b, col, text, (uint32_t)n) == 0);
}

/* Rows as spec of the events work says, with device and event names shortened to numbers. */
static void put_event(struct batch_builder *b, uint64_t i, uint64_t rows)
{
    uint64_t r[8];

    for (unsigned k = 0; k < 8; k++)
        r[k] = mix((1ull << 40) + 16 * i + k);
    batch_builder_put_i64(b, 0, (int64_t)i);
    batch_builder_put_i64(b, 1, 1767225600 + (int64_t)(i * 7776000 / rows));
    put_text(b, 2, "device%" PRIu64, r[0] % 8);
    put_text(b, 3, "C%03" PRIu64, r[1] % 200);
    put_text(b, 4, "E%" PRIu64, r[2] % 12);
    batch_builder_put_i64(b, 5, (int64_t)(r[3] % 100000));
    put_text(b, 6, "u%" PRIu64, r[4] % 5000000);
    batch_builder_put_i64(b, 7, (int64_t)(r[5] % 1000000));
    batch_builder_put_i64(b, 8, (int64_t)(r[6] % 100000));
    batch_builder_put_i64(b, 9, r[7] % 10 == 0);
    ASSERT(batch_builder_end_row(b) == 0);
}

static void make_batches(const struct schema *s, uint64_t rows, struct buffer *out, uint64_t n)
{
    struct batch_builder *b = batch_builder_new(NULL);
    uint64_t row = 0;

    for (int c = 0; c < s->n_columns; c++)
        batch_builder_add_column(b, s->columns[c].id,
                                 s->columns[c].type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64, 0);
    for (uint64_t k = 0; k < n; k++) {
        batch_builder_reset(b);
        for (unsigned i = 0; i < BATCH && row < rows; i++)
            put_event(b, row++, rows);
        buffer_init(&out[k], BATCH_MAX_BYTES);
        ASSERT(batch_builder_finish(b, BATCH_UPSERT, 1, 0, &out[k]) == 0);
    }
    batch_builder_free(b);
}

static void bench_apply(const char *name, const char *time_keys, uint64_t rows)
{
    static struct write_result result;
    uint64_t n = (rows + BATCH - 1) / BATCH;
    struct buffer *batches = calloc(n, sizeof *batches);
    struct schema *s;
    struct slot *t;
    struct error_info err;
    char yaml[2048];

    snprintf(yaml, sizeof yaml, events_yaml, time_keys);
    ASSERT(schema_parse_yaml("events.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err) == 0);
    ASSERT(slot_new(s, 0, 1, NULL, &t) == 0);
    make_batches(s, rows, batches, n);
    for (int pass = 0; pass < 2; pass++) {
        double start = now_ns(), ns;
        char text[64];

        for (uint64_t k = 0; k < n; k++) {
            struct batch view;

            ASSERT(batch_open(batches[k].data, batches[k].len, &view, &err) == 0);
            ASSERT(slot_apply(t, &view, &result) == 0);
            ASSERT((pass ? result.updated : result.inserted) == view.rows);
        }
        ns = now_ns() - start;
        snprintf(text, sizeof text, "%s_%s", name, pass ? "again" : "new");
        print_case(text, kernel_table()->name, &ns, 1, (double)rows);
    }
    printf("{\"bench\":\"colblock\",\"case\":\"%s_memory\",\"bytes_per_row\":%.1f}\n", name,
           (double)slot_memory(t) / (double)rows);
    slot_free(t);
    schema_put(s);
    for (uint64_t k = 0; k < n; k++)
        buffer_fini(&batches[k]);
    free(batches);
}

int main(int argc, char **argv)
{
    uint64_t rows =
        argc > 2 && strcmp(argv[1], "--rows") == 0 ? strtoull(argv[2], NULL, 10) : 1000000;
    const struct kernels *forms[4];
    unsigned n = kernel_forms(forms);

    for (unsigned i = 0; i < BLOCK_WORDS; i++) {
        all[i] = ~0ull;
        half[i] = mix(i);
    }
    bench_blocks("tail", "-", false);
    for (unsigned i = 0; i < n; i++) {
        kernel_use(forms[i]);
        bench_blocks("sealed", forms[i]->name, true);
    }
    kernel_use(forms[n - 1]);
    bench_apply("apply_events", "", rows);
    bench_apply("apply_events_p", "timeQuantumType: YMD\ntimeQuantumField: ts\n", rows);
    return sink == 42;
}
