#pragma once
/*
 * Bytes of the log: frames (one per group, 4 KiB units) and the records in them. Little endian, checksummed with
 * XXH3. No I/O here; every decode validates. Any core.
 */
#include "reactor/buffer.h"
#include "storage/type.h"
#include "storage/wlog.h"

enum { WLOG_UNIT = 4096, WLOG_VERSION = 1, WLOG_FRAME_HEADER = 64, WLOG_RECORD_HEADER = 48 };

struct wlog_frame {
    uint32_t bytes;          /* whole frame, a multiple of WLOG_UNIT */
    uint32_t payload;        /* bytes of records */
    uint64_t generation;     /* of the file */
    uint64_t first_lsn;      /* node LSN of its first record */
    uint64_t durable_before; /* node LSN that was durable when it was written */
    uint32_t records;
};

/* Starts a frame in an empty buffer (leaves room for the header). */
int wlog_frame_begin(struct buffer *b);
/* Adds one record. -ENOBUFS over the buffer's limit. */
int wlog_frame_add(struct buffer *b, const struct wlog_record *rec, uint64_t node_lsn);
/* Fills in header and checksum and pads with zeros to a whole number of units. */
int wlog_frame_end(struct buffer *b, struct wlog_frame *frame);

enum wlog_found {
    WLOG_FRAME,
    WLOG_NOTHING /* zeros: nothing was written here */,
    WLOG_TORN /* not a whole frame */
};

/* Looks at the bytes at a unit boundary; `text` (may be NULL) says what is wrong with a torn one. */
enum wlog_found wlog_frame_read(const uint8_t *bytes, size_t len, struct wlog_frame *out,
                                const char **text);

/* Calls apply for each record of a frame that wlog_frame_read accepted. -EBADMSG when the records do not fit. */
int wlog_frame_records(const uint8_t *bytes, const struct wlog_frame *frame,
                       int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                       void *ctx);
