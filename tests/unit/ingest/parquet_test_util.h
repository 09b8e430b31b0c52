#pragma once
/*
 * Help for the Parquet tests: files in memory, a random generator, comparing vectors.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_buffer.h"
#include "ingest/parquet_reader.h"
#include "ingest/parquet_writer.h"

/* Bytes read as a file; reads outside of it fail the test. */
struct memory_file {
    const uint8_t *bytes;
    size_t len;
};

static inline int memory_read(void *ctx, void *buf, size_t len, uint64_t off)
{
    const struct memory_file *file = ctx;
    cr_assert(off <= file->len && len <= file->len - off, "a read outside of the file");
    memcpy(buf, file->bytes + off, len);
    return 0;
}

static inline struct parquet_source memory_source(struct memory_file *file)
{
    return (struct parquet_source){.ctx = file, .read_at = memory_read, .size = file->len};
}

static inline int buffer_write(void *ctx, const void *bytes, size_t len)
{
    return parquet_buffer_append(ctx, bytes, len, NULL);
}

static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* SEED in the environment repeats a run. */
static inline uint64_t test_seed(void)
{
    const char *text = getenv("SEED");
    return text ? strtoull(text, NULL, 0) : 20260101;
}

/* A file of tests/data/parquet, or of the shared data when the name has a '$' before it. Skips the
 * test when it is not there. */
static inline struct memory_file load_file(const char *name)
{
    char path[512];
    const char *top = getenv("QUANTA_SRC_DIR"), *shared = getenv("SHARED_DATA");
    if (name[0] == '$')
        snprintf(path, sizeof(path), "%s/%s", shared ? shared : "../shared/data", name + 1);
    else
        snprintf(path, sizeof(path), "%s/tests/data/parquet/%s", top ? top : ".", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        cr_skip_test("%s is missing", path);
    fseek(f, 0, SEEK_END);
    size_t len = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(len + 1);
    cr_assert(bytes && fread(bytes, 1, len, f) == len);
    fclose(f);
    return (struct memory_file){.bytes = bytes, .len = len};
}

static inline bool is_same_element(const struct parquet_vector *a, size_t i,
                                   const struct parquet_vector *b, size_t j)
{
    if (a->kind != b->kind || a->valid[i] != b->valid[j])
        return false;
    if (!a->valid[i])
        return true;
    size_t width = parquet_vector_width(a->kind);
    if (a->kind != PARQUET_KIND_BYTES)
        return memcmp((uint8_t *)a->values + i * width, (uint8_t *)b->values + j * width, width) ==
               0;
    size_t len = a->offsets[i + 1] - a->offsets[i];
    return b->offsets[j + 1] - b->offsets[j] == len &&
           (len == 0 || memcmp(a->data + a->offsets[i], b->data + b->offsets[j], len) == 0);
}

/* Whether element i is that text. */
static inline bool is_text(const struct parquet_vector *v, size_t i, const char *text)
{
    size_t len = strlen(text);
    return v->kind == PARQUET_KIND_BYTES && v->valid[i] &&
           v->offsets[i + 1] - v->offsets[i] == len &&
           (len == 0 || memcmp(v->data + v->offsets[i], text, len) == 0);
}

/* Reads every column of a file to its end. Returns the rows, or the error. */
static inline int64_t read_all(struct memory_file *file, size_t batch_rows,
                               struct parquet_error *err)
{
    struct parquet_source src = memory_source(file);
    struct parquet_reader *reader = NULL;
    struct parquet_batch batch;
    int64_t rows = 0;
    int rc = parquet_reader_open(&src, err, &reader);
    if (rc < 0)
        return rc;
    uint32_t count = parquet_reader_schema(reader)->count;
    uint32_t *columns = calloc(count + 1u, sizeof(*columns));
    for (uint32_t i = 0; i < count; i++)
        columns[i] = i;
    rc = parquet_reader_select(reader, columns, count, err);
    while (rc == 0 && (rc = parquet_reader_next(reader, batch_rows, &batch, err)) == 0 &&
           batch.rows > 0)
        rows += (int64_t)batch.rows;
    parquet_reader_free(reader);
    free(columns);
    return rc < 0 ? rc : rows;
}
