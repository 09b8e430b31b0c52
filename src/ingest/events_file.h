#pragma once
/*
 * Files of the `events` work and of TPC-H: written under a temporary name and renamed when complete.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ingest/events_table.h"
#include "ingest/parquet_error.h"
#include "ingest/tpch_gen.h"

enum events_format {
    EVENTS_FORMAT_PARQUET,
    EVENTS_FORMAT_CSV,
};

/* What to write. The caller's memory, outlives the call. */
struct events_job {
    enum events_table table;
    struct events_spec spec;
    struct tpch_rows *tpch; /* the table to write instead; NULL = one of events */
    enum events_format format;
    enum parquet_codec codec; /* Parquet only */
    bool has_header;          /* CSV only: a first line with the names of the columns */
    const char *path;
    /* Called after every block with the rows so far; a negative errno ends the job with it. */
    int (*progress)(void *ctx, uint64_t rows);
    void *ctx;
};

/* Writes the file; an existing one is replaced in one step, or kept on failure. Errors of the file
 * system, -ENOMEM, what progress returned. Blocks on the disk: not for a reactor's thread. */
int events_file_write(const struct events_job *job, uint64_t *bytes, struct parquet_error *err);
