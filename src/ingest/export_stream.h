#pragma once
/*
 * Bytes on their way out of the process: a core fills blocks, a thread of its own gives them to a file or an
 * object store and may wait for these as long as they take. At most EXPORT_STREAMS_MAX at once in a process.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/type.h"

struct reactor;
struct export_stream;

enum { EXPORT_STREAMS_MAX = 32 };

/*
 * Where the bytes go. All but block_bytes and free run on the stream's thread, in this order; 0 or -errno with a text.
 * Once `cancelled` is true they return soon. After open, exactly one of a successful finish and abort is the last.
 */
struct export_backend {
    int (*open)(void *state, const atomic_bool *cancelled, struct error_info *err);
    int (*block)(void *state, const void *bytes, size_t len, struct error_info *err);
    int (*finish)(void *state, struct error_info *err);
    void (*abort)(void *state);             /* what was written goes away */
    size_t (*block_bytes)(uint64_t number); /* of the block with that number, from 0; any thread */
    void (*free)(void *state);              /* on the core */
};

enum export_stage {
    EXPORT_STREAM_OPENING,
    EXPORT_STREAM_OPEN,
    EXPORT_STREAM_DONE,
    EXPORT_STREAM_FAILED
};

/* Starts it, on the core that calls; takes the state in any case. wake runs on that core when the stage changes or
 * there is room again, until drop. 0 or -errno with the error. */
int export_stream_new(struct reactor *r, const struct export_backend *backend, void *state,
                      void (*wake)(void *ctx), void *ctx, struct export_stream **out,
                      struct error_info *err);
enum export_stage export_stream_stage(const struct export_stream *x, struct error_info *err);
/* Two blocks wait to be written: more should come after the next wake. */
bool export_stream_is_full(const struct export_stream *x);
/* Takes all bytes, charged to the core's budget until they are written; -ENOMEM. */
int export_stream_write(struct export_stream *x, const void *bytes, size_t len);
/* No more bytes come. */
void export_stream_finish(struct export_stream *x);
/* Nobody waits for it any more: unless it is DONE it is aborted. Frees itself later; no wake follows. */
void export_stream_drop(struct export_stream *x);

/* Main thread: waits until the streams that were dropped have ended. The cores still run. */
void export_streams_wait(void);
