#pragma once
/*
 * One column chunk being written: values gathered into pages, pages encoded, compressed and kept
 * until the row group is full.
 */
#include <stdbool.h>
#include <stdint.h>

#include "ingest/parquet_buffer.h"
#include "ingest/parquet_dict.h"
#include "ingest/parquet_schema.h"
#include "ingest/parquet_stats.h"
#include "ingest/parquet_vector.h"

/* How pages are made; the same for all columns of a file. */
struct parquet_page_options {
    enum parquet_codec codec;
    size_t page_rows;  /* rows of a page at most */
    size_t page_bytes; /* values of a page in PLAIN encoding, about */
    bool has_dictionary;
    bool has_statistics;
    bool has_checksums;
    bool is_v2; /* second version of data pages */
};

/* Any core, one at a time; owned by a file's writer; memory: the compressed chunk, one page, one
 * dictionary. */
struct parquet_chunk_writer {
    const struct parquet_column *column;
    const struct parquet_page_options *options;
    bool is_nullable;
    bool use_dict;         /* the page being filled has dictionary codes so far */
    bool is_dict_hopeless; /* the row groups before had no use for a dictionary */
    struct parquet_dict dict;
    struct parquet_buffer plain; /* values of the page being filled */
    size_t plain_coded;          /* bytes of plain that have codes */
    uint32_t *codes;
    size_t code_count;
    uint32_t *levels; /* definition levels of the page being filled */
    size_t entry_count;
    size_t value_count;           /* entries that are not NULL */
    struct parquet_buffer body;   /* scratch: page before compression */
    struct parquet_buffer packed; /* scratch: page after compression */
    struct parquet_buffer pages;  /* finished pages */
    uint64_t chunk_values;
    uint64_t raw_len;    /* of pages with headers, before compression */
    uint32_t dict_pages; /* data pages with dictionary codes */
    uint32_t plain_pages;
    struct parquet_stats stats;
};

/* What the footer says about a finished chunk. */
struct parquet_chunk_summary {
    uint64_t value_count;
    uint64_t raw_len;
    uint64_t len;      /* bytes of the dictionary page and the data pages */
    uint64_t dict_len; /* bytes of the dictionary page, 0 without */
    bool has_plain;
    struct parquet_stats stats;
};

/* Prepares for a column; *w must be zeroed; column and options outlive it. -ENOMEM. Any core. */
int parquet_chunk_writer_init(struct parquet_chunk_writer *w, const struct parquet_column *column,
                              bool is_nullable, const struct parquet_page_options *options,
                              struct parquet_error *err);

/* Adds the elements [from, from + n) of v. -ERANGE for values the type cannot hold and for NULLs in
 * a column without, -EIO, -ENOMEM. Any core. */
int parquet_chunk_writer_append(struct parquet_chunk_writer *w, const struct parquet_vector *v,
                                size_t from, size_t n, struct parquet_error *err);

/* Finishes the chunk: head gets the dictionary page, w->pages holds the data pages. Errors as
 * above. Any core. */
int parquet_chunk_writer_finish(struct parquet_chunk_writer *w, struct parquet_buffer *head,
                                struct parquet_chunk_summary *summary, struct parquet_error *err);

/* Starts the chunk of the next row group. Any core. */
void parquet_chunk_writer_reset(struct parquet_chunk_writer *w);

/* Frees everything. Any core. */
void parquet_chunk_writer_fini(struct parquet_chunk_writer *w);
