#pragma once
/* Inside of the verification, for verify*.c only. */
#include "storage/datadir.h"
#include "storage/root.h"
#include "storage/verify.h"

struct catalog;

/* One verification. Owner: its thread. */
struct verify {
    const struct verify_config *config;
    struct verify_counts *counts;
    struct datadir dir;
    uint64_t total, done, told; /* bytes, for the progress */
    int rc;                     /* -ENOMEM: it cannot go on */
    /* of the root */
    struct root_head head;
    struct catalog *catalog;        /* NULL = damaged or none */
    struct verify_extents *extents; /* of the data file at hand; or NULL */
};

__attribute__((format(printf, 4, 5))) void verify_found(struct verify *v, const char *file,
                                                        uint64_t offset, const char *fmt, ...);
__attribute__((format(printf, 4, 5))) void verify_notice(struct verify *v, const char *file,
                                                         uint64_t offset, const char *fmt, ...);
void verify_progress(struct verify *v, uint64_t bytes);

/* Full path of a file of the directory. */
void verify_path(const struct verify *v, char *out, size_t cap, const char *file);

/* n bytes at the offset into bytes: false after a finding. */
bool verify_read(struct verify *v, int fd, const char *file, void *bytes, size_t n,
                 uint64_t offset);

/* Data files, in the order of the root. */
struct verify_data;
struct verify_data *verify_data_new(struct verify *v); /* NULL on -ENOMEM */
void verify_data_file(struct verify_data *d, const struct root_file *f);
void verify_data_free(struct verify_data *d);

/*
 * The extents of a data file, whose trailers cover also what no directory names: padding, and chunks that newer ones
 * replaced. Owner: verify_data.c, during one file. An extent whose checksum does not match is told at the end, unless
 * something in it was found otherwise.
 */
struct verify_extents {
    struct bad_extent {
        uint64_t at, end;
        bool is_told;
    } * bad;
    uint32_t n_bad;
};

void verify_extents_begin(struct verify *v, struct verify_extents *x, int fd, const char *file,
                          uint64_t bytes);
void verify_extents_found(struct verify_extents *x, uint64_t offset); /* a finding was told */
void verify_extents_end(struct verify *v, struct verify_extents *x, const char *file);

/* Log files from the generation on that the checkpoint needs. */
void verify_log(struct verify *v);
uint64_t verify_log_bytes(const struct verify *v); /* of all log files */
