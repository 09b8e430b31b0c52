#pragma once
/*
 * Load: files of rows into a table. One job per core takes the next file, reads, converts and keeps a few batches in
 * flight to the nodes. Totals are shared by the jobs.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "ingest/load_source.h"
#include "storage/schema.h"

struct reactor;

enum { LOAD_WINDOW = 4, LOAD_MAX_REPORTED = 10 };

/* A table whose rows are the elements of a list in the rows of another (ChildRelation). */
struct load_child {
    struct schema *schema;
    const char *source; /* of the list; the parent schema's text */
};

struct load_config {
    struct schema *schema;
    struct load_child *children; /* loaded from each file after its own rows */
    unsigned n_children;
    struct load_files files;
    uint32_t batch_rows;
    FILE *rejects; /* a line per rejected row, or NULL */
    bool dry_run, ignore_source_path, nerd_capitalization;
};

struct load { /* owner: main thread; the jobs use the atomics */
    struct load_config config;
    atomic_uint next_file, files_done;
    atomic_uint_fast64_t rows, inserted, updated, rejected;
    atomic_uint_fast64_t bytes_done; /* of files, by share of rows read: for the progress bar */
    atomic_bool failed;
    atomic_uint reported; /* rejected rows shown on stderr */
    pthread_mutex_t lock; /* guards error and the rejects file */
    char error[700];
};

void load_init(struct load *l, const struct load_config *config);

/* Runs a job on this core (its cluster must be ready); done(ctx) on this core when there is no file left or one job
 * failed. */
int load_job_start(struct reactor *r, struct load *l, void (*done)(void *ctx), void *ctx);
