#include "ingest/parquet_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/parquet_cursor.h"
#include "ingest/parquet_meta.h"
#include "reactor/assert.h"

/* Rows are read in batches of about this many bytes at most, judged by the sizes in the footer. */
#define BATCH_BYTES ((uint64_t)64 << 20)
#define BATCH_ROWS_MAX ((size_t)1 << 20)

/* Any core, one at a time; from parquet_reader_open to parquet_reader_free. */
struct parquet_reader {
    struct parquet_source src;
    struct parquet_meta meta;
    uint32_t selected;
    uint32_t *columns;
    struct parquet_cursor *cursors;
    struct parquet_vector *vectors;
    uint32_t group;       /* current row group */
    uint32_t first_group; /* range to read */
    uint32_t end_group;
    bool is_started; /* the cursors stand in the current row group */
    bool has_failed;
    uint64_t group_row; /* rows of the current row group already read */
    uint64_t next_row;  /* number of the next row within the file */
    size_t step_rows;   /* rows of a batch for BATCH_BYTES */
};

int parquet_reader_open(const struct parquet_source *src, struct parquet_error *err,
                        struct parquet_reader **out)
{
    struct parquet_reader *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return parquet_fail_memory(err, "a file");
    reader->src = *src;
    int rc = parquet_meta_read(&reader->meta, &reader->src, err);
    if (rc < 0) {
        parquet_reader_free(reader);
        return rc;
    }
    reader->end_group = reader->meta.group_count;
    *out = reader;
    return 0;
}

static void drop_selection(struct parquet_reader *reader)
{
    for (uint32_t i = 0; i < reader->selected; i++) {
        parquet_cursor_fini(&reader->cursors[i]);
        parquet_vector_fini(&reader->vectors[i]);
    }
    free(reader->cursors);
    free(reader->vectors);
    free(reader->columns);
    reader->cursors = NULL;
    reader->vectors = NULL;
    reader->columns = NULL;
    reader->selected = 0;
}

void parquet_reader_free(struct parquet_reader *reader)
{
    if (!reader)
        return;
    drop_selection(reader);
    parquet_meta_fini(&reader->meta);
    free(reader);
}

const struct parquet_schema *parquet_reader_schema(const struct parquet_reader *reader)
{
    return &reader->meta.schema;
}

uint64_t parquet_reader_row_count(const struct parquet_reader *reader)
{
    return reader->meta.row_count;
}

uint32_t parquet_reader_group_count(const struct parquet_reader *reader)
{
    return reader->meta.group_count;
}

uint64_t parquet_reader_group_rows(const struct parquet_reader *reader, uint32_t group)
{
    ASSERT(group < reader->meta.group_count);
    return reader->meta.groups[group].row_count;
}

const char *parquet_reader_created_by(const struct parquet_reader *reader)
{
    return reader->meta.created_by ? reader->meta.created_by : "";
}

int parquet_reader_find_column(const struct parquet_reader *reader, const char *path, bool caseless,
                               uint32_t *column)
{
    return parquet_schema_find(&reader->meta.schema, path, caseless, column);
}

static void rewind_groups(struct parquet_reader *reader)
{
    reader->group = reader->first_group;
    reader->group_row = 0;
    reader->next_row = 0;
    for (uint32_t g = 0; g < reader->first_group; g++)
        reader->next_row += reader->meta.groups[g].row_count;
    reader->is_started = false;
    reader->has_failed = false;
}

int parquet_reader_select(struct parquet_reader *reader, const uint32_t *columns, uint32_t count,
                          struct parquet_error *err)
{
    const struct parquet_schema *schema = &reader->meta.schema;
    for (uint32_t i = 0; i < count; i++)
        if (columns[i] >= schema->count)
            return parquet_fail(err, -EINVAL, "column number %u of %u", columns[i], schema->count);
    drop_selection(reader);
    rewind_groups(reader);
    if (count == 0)
        return 0;
    reader->cursors = calloc(count, sizeof(*reader->cursors));
    reader->vectors = calloc(count, sizeof(*reader->vectors));
    reader->columns = calloc(count, sizeof(*reader->columns));
    if (!reader->cursors || !reader->vectors || !reader->columns) {
        drop_selection(reader);
        return parquet_fail_memory(err, "the selected columns");
    }
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        const struct parquet_column *column = &schema->columns[columns[i]];
        reader->columns[i] = columns[i];
        parquet_vector_init(&reader->vectors[i], column->kind, column->max_rep > 0);
        rc = parquet_cursor_init(&reader->cursors[i], column, err);
        reader->selected++;
    }
    if (rc < 0)
        drop_selection(reader);
    return rc;
}

void parquet_reader_keep_codes(struct parquet_reader *reader)
{
    for (uint32_t i = 0; i < reader->selected; i++)
        reader->vectors[i].keeps_codes =
            reader->vectors[i].kind == PARQUET_KIND_BYTES && !reader->vectors[i].is_list;
}

int parquet_reader_set_groups(struct parquet_reader *reader, uint32_t first, uint32_t end,
                              struct parquet_error *err)
{
    if (first > end || end > reader->meta.group_count)
        return parquet_fail(err, -EINVAL, "row groups %u to %u of %u", first, end,
                            reader->meta.group_count);
    reader->first_group = first;
    reader->end_group = end;
    rewind_groups(reader);
    return 0;
}

static int start_group(struct parquet_reader *reader, struct parquet_error *err)
{
    const struct parquet_row_group *group = &reader->meta.groups[reader->group];
    uint64_t bytes = 1;
    for (uint32_t i = 0; i < reader->selected; i++) {
        const struct parquet_chunk *chunk =
            &reader->meta.chunks[group->first_chunk + reader->columns[i]];
        int rc = parquet_cursor_start(&reader->cursors[i], &reader->src, chunk, reader->group, err);
        if (rc < 0)
            return rc;
        if (__builtin_add_overflow(bytes, chunk->raw_len, &bytes))
            bytes = UINT64_MAX;
    }
    uint64_t row_bytes = bytes / (group->row_count ? group->row_count : 1) + 1;
    reader->step_rows = (size_t)(BATCH_BYTES / row_bytes) + 1;
    if (reader->step_rows > BATCH_ROWS_MAX)
        reader->step_rows = BATCH_ROWS_MAX;
    reader->is_started = true;
    return 0;
}

static int finish_group(struct parquet_reader *reader, struct parquet_error *err)
{
    for (uint32_t i = 0; i < reader->selected; i++) {
        int rc = parquet_cursor_finish(&reader->cursors[i], err);
        if (rc < 0)
            return rc;
    }
    reader->group++;
    reader->group_row = 0;
    reader->is_started = false;
    return 0;
}

/* Goes on to the next row group with rows. Leaves group == end_group at the end. */
static int find_rows(struct parquet_reader *reader, struct parquet_error *err)
{
    while (reader->group < reader->end_group) {
        int rc = reader->is_started ? 0 : start_group(reader, err);
        if (rc < 0 || reader->group_row < reader->meta.groups[reader->group].row_count)
            return rc;
        rc = finish_group(reader, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int read_batch(struct parquet_reader *reader, size_t max_rows, struct parquet_batch *batch,
                      struct parquet_error *err)
{
    int rc = find_rows(reader, err);
    if (rc < 0 || reader->group == reader->end_group)
        return rc;
    uint64_t left = reader->meta.groups[reader->group].row_count - reader->group_row;
    size_t rows = max_rows < reader->step_rows ? max_rows : reader->step_rows;
    if (rows > left)
        rows = (size_t)left;
    for (uint32_t i = 0; i < reader->selected; i++) {
        parquet_vector_clear(&reader->vectors[i]);
        rc = parquet_cursor_read(&reader->cursors[i], rows, &reader->vectors[i], err);
        if (rc < 0)
            return rc;
    }
    *batch = (struct parquet_batch){
        .rows = rows,
        .first_row = reader->next_row,
        .row_group = reader->group,
        .vector_count = reader->selected,
        .vectors = reader->vectors,
    };
    reader->group_row += rows;
    reader->next_row += rows;
    return 0;
}

int parquet_reader_next(struct parquet_reader *reader, size_t max_rows, struct parquet_batch *batch,
                        struct parquet_error *err)
{
    ASSERT(max_rows > 0);
    *batch = (struct parquet_batch){0};
    if (reader->has_failed)
        return parquet_fail(err, -EINVAL, "reading goes on after an error");
    int rc = read_batch(reader, max_rows, batch, err);
    reader->has_failed = rc < 0;
    return rc;
}
