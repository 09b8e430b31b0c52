#pragma once
/*
 * Data files: the segments and dictionaries of a checkpoint. A file begins with a header of one 4 KiB unit that says
 * what it is; after it come extents, each begun at a unit boundary and written once: nothing that a root refers to is
 * ever overwritten. A chunk is a run of bytes in an extent, 64-byte aligned; whoever refers to it (a directory, and
 * the root to the directory) knows its place, length and checksum. An extent ends with a trailer that has its length
 * and a checksum of all its bytes, so that those which no directory names (any more) can be verified, too: from the
 * end of the file backwards. Little endian, XXH3. No I/O here; any core.
 *
 * Names below the data directory: data/t<table id>/s<slot>/<partition>.<generation>.qsg for a segment (the partition
 * as "all", "2026-03-01" or "2026-03-01T05"; beyond the calendar its seconds), dict.<generation>.qsd for the
 * dictionaries of a slot. Segments of archived partitions are in archive/ instead of data/.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/type.h"

enum {
    DATAFILE_UNIT = 4096,
    DATAFILE_ALIGN = 64,
    DATAFILE_VERSION = 2,
    DATAFILE_MAX_CHUNK = 64 << 20,
    DATAFILE_MAX_EXTENT = 2 * DATAFILE_MAX_CHUNK,
    DATAFILE_TRAILER = 64
};
enum { DATAFILE_PATH_MAX = 96 /* bytes of a path below the data directory, with its NUL */ };

struct buffer;

enum datafile_kind { DATAFILE_SEGMENT = 1, DATAFILE_DICTS = 2 };

struct datafile_id {
    uint8_t kind; /* enum datafile_kind */
    uint32_t table_id, slot;
    int64_t partition;   /* segments: s since 1970; 0 in tables without partitions */
    uint64_t generation; /* ascending per segment or slot */
    bool archived;       /* a segment in archive/; not in the header, for a file may be moved */
};

struct chunk_ref {
    uint64_t offset; /* in the file; 0 = there is no chunk */
    uint32_t len;    /* bytes; > 0 */
    uint64_t hash;   /* XXH3 of them */
};

/* Path of the file below the data directory, without a leading slash; its folder ends at the last slash. cap:
 * DATAFILE_PATH_MAX is enough. */
void datafile_path(char *out, size_t cap, const struct datafile_id *id);
/* Back again: false when datafile_path never gives this path. */
bool datafile_parse_path(const char *path, struct datafile_id *out);

/* Header unit for a new file; directory_id: id of the data directory (datadir.h). */
void datafile_header(const struct datafile_id *id, const char directory_id[33],
                     uint8_t out[DATAFILE_UNIT]);
/* 0; -EBADMSG with what was found and what is allowed: wrong magic, newer version, checksum, another file's header. */
int datafile_check_header(const uint8_t in[DATAFILE_UNIT], const struct datafile_id *id,
                          const char directory_id[33], struct error_info *err);

/*
 * Appends a chunk to an extent under construction: `extent` holds what will be written from file offset `at` (a
 * multiple of DATAFILE_UNIT) on. Pads to DATAFILE_ALIGN. 0 with *ref, -ENOMEM, -ENOBUFS (also over
 * DATAFILE_MAX_CHUNK).
 */
int datafile_put(struct buffer *extent, uint64_t at, const void *bytes, uint32_t len,
                 struct chunk_ref *ref);
/* In two steps, for a chunk that is built in place: bytes appended between them are the chunk. */
int datafile_begin(struct buffer *extent, size_t *start);
int datafile_end(struct buffer *extent, uint64_t at, size_t start, struct chunk_ref *ref);
/* Ends the extent, to be written at file offset `at`: pads it to whole units with the trailer in the last bytes. Its
 * buffer may go up to a unit beyond its limit for that. 0, -ENOMEM. */
int datafile_seal(struct buffer *extent, uint64_t at);

/* Are these the bytes? */
bool datafile_check_chunk(const struct chunk_ref *ref, const void *bytes);

/* Length of the extent that ends at file offset `end` by its trailer; 0 when this is none. */
uint32_t datafile_trailer(const uint8_t in[DATAFILE_TRAILER], uint64_t end);
/* Is the extent of `len` bytes, its trailer included, as it was sealed? */
bool datafile_check_extent(const uint8_t *extent, uint32_t len);
