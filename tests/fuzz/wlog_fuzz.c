/*
 * Bytes of a log file from a disk: frames and their records. A second pass gives the bytes a checksum that
 * fits, so that what stands behind it is reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/assert.h"
#include "storage/wlog_format.h"

enum { CHECKSUM_AT = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    const uint8_t *start, *end;
    uint64_t sum, records;
};

static int take(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    struct seen *seen = ctx;
    const uint8_t *bytes = rec->payload;

    ASSERT((uintptr_t)bytes % 8 == 0);
    ASSERT(bytes >= seen->start && bytes + rec->len <= seen->end);
    for (uint32_t i = 0; i < rec->len; i++)
        seen->sum = seen->sum * 31 + bytes[i];
    seen->sum += node_lsn;
    seen->records++;
    return 0;
}

static void read_frame(const uint8_t *bytes, size_t size)
{
    struct wlog_frame f;
    struct seen seen = {bytes, bytes + size, 0, 0};
    const char *text = NULL;
    enum wlog_found found = wlog_frame_read(bytes, size, &f, &text);

    ASSERT(found != WLOG_TORN || text);
    if (found != WLOG_FRAME)
        return;
    ASSERT(f.bytes <= size && f.bytes % WLOG_UNIT == 0);
    ASSERT(f.payload <= f.bytes - WLOG_FRAME_HEADER);
    int rc = wlog_frame_records(bytes, &f, take, &seen);
    ASSERT(rc == -EBADMSG || (rc == 0 && seen.records == f.records));
}

/* Header fields as they are where they can be, made to fit where they cannot. */
static void repair(uint8_t *bytes, size_t size)
{
    static const uint8_t start[] = {'Q', 'L', 'G', '1', WLOG_VERSION, 0, WLOG_FRAME_HEADER, 0};
    static const uint8_t zeros[8];
    uint32_t whole = (uint32_t)size, payload;

    memcpy(bytes, start, sizeof(start));
    memcpy(bytes + 8, &whole, 4);
    memcpy(&payload, bytes + 12, 4);
    payload %= whole - WLOG_FRAME_HEADER + 1;
    memcpy(bytes + 12, &payload, 4);
    memcpy(bytes + CHECKSUM_AT, zeros, 8);
    uint64_t seed = XXH3_64bits(bytes, WLOG_FRAME_HEADER);
    uint64_t sum = XXH3_64bits_withSeed(bytes + WLOG_FRAME_HEADER, payload, seed);
    memcpy(bytes + CHECKSUM_AT, &sum, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t padded = (size + WLOG_UNIT - 1) & ~(size_t)(WLOG_UNIT - 1);
    uint8_t *bytes = malloc(size ? size : 1);
    struct wlog_frame f;

    memcpy(bytes, data, size);
    read_frame(bytes, size);
    free(bytes);
    if (!size)
        return 0;
    bytes = calloc(1, padded);
    memcpy(bytes, data, size);
    repair(bytes, padded);
    ASSERT(wlog_frame_read(bytes, padded, &f, NULL) == WLOG_FRAME);
    read_frame(bytes, padded);
    free(bytes);
    return 0;
}
