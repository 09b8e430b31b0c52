#include "storage/wlog_format.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

#define WLOG_MAGIC 0x31474c51U /* "QLG1" */

/* On disk; 64 bytes. */
struct frame_header {
    uint32_t magic;
    uint16_t version;
    uint16_t header_bytes;
    uint32_t bytes, payload;
    uint64_t generation, first_lsn, durable_before;
    uint32_t records, reserved;
    uint64_t checksum; /* of header (this field 0) and payload */
    uint64_t padding;
};

/* On disk; 48 bytes, then the payload padded to 8. */
struct record_header {
    uint32_t bytes; /* payload */
    uint8_t kind, doublings, reserved[2];
    uint32_t slot, reserved2;
    uint64_t slot_lsn, node_lsn, client, sequence;
};

_Static_assert(sizeof(struct frame_header) == WLOG_FRAME_HEADER, "frame header");
_Static_assert(sizeof(struct record_header) == WLOG_RECORD_HEADER, "record header");

static uint64_t frame_checksum(const uint8_t *frame, size_t payload)
{
    struct frame_header h;

    memcpy(&h, frame, sizeof(h));
    h.checksum = 0;
    uint64_t seed = XXH3_64bits(&h, sizeof(h));
    return XXH3_64bits_withSeed(frame + sizeof(h), payload, seed);
}

static int append_zeros(struct buffer *b, size_t n)
{
    int rc = buffer_reserve(b, n);

    if (rc)
        return rc;
    memset(b->data + b->len, 0, n);
    b->len += n;
    return 0;
}

int wlog_frame_begin(struct buffer *b)
{
    b->len = 0;
    return append_zeros(b, WLOG_FRAME_HEADER);
}

int wlog_frame_add(struct buffer *b, const struct wlog_record *rec, uint64_t node_lsn)
{
    struct record_header h = {.bytes = rec->len,
                              .kind = rec->kind,
                              .doublings = rec->doublings,
                              .slot = rec->slot,
                              .slot_lsn = rec->slot_lsn,
                              .node_lsn = node_lsn,
                              .client = rec->client,
                              .sequence = rec->sequence};
    int rc = buffer_append(b, &h, sizeof(h));

    if (!rc)
        rc = buffer_append(b, rec->payload, rec->len);
    return rc ? rc : append_zeros(b, -(size_t)rec->len & 7);
}

int wlog_frame_end(struct buffer *b, struct wlog_frame *frame)
{
    size_t payload = b->len - WLOG_FRAME_HEADER;
    int rc = append_zeros(b, -b->len & (WLOG_UNIT - 1));

    if (rc)
        return rc;
    frame->bytes = (uint32_t)b->len;
    frame->payload = (uint32_t)payload;
    struct frame_header h = {
        .magic = WLOG_MAGIC,
        .version = WLOG_VERSION,
        .header_bytes = WLOG_FRAME_HEADER,
        .bytes = frame->bytes,
        .payload = frame->payload,
        .generation = frame->generation,
        .first_lsn = frame->first_lsn,
        .durable_before = frame->durable_before,
        .records = frame->records,
    };
    memcpy(b->data, &h, sizeof(h));
    h.checksum = frame_checksum(b->data, payload);
    memcpy(b->data, &h, sizeof(h));
    return 0;
}

static bool is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

static const char *check_header(const struct frame_header *h, size_t len)
{
    if (h->magic != WLOG_MAGIC)
        return "no frame starts here";
    if (h->version != WLOG_VERSION)
        return "the frame has another version";
    if (h->header_bytes != WLOG_FRAME_HEADER || h->bytes % WLOG_UNIT || h->bytes < WLOG_UNIT)
        return "the frame header is damaged";
    if (h->bytes > len || h->payload > h->bytes - WLOG_FRAME_HEADER)
        return "the frame is longer than the file";
    return NULL;
}

enum wlog_found wlog_frame_read(const uint8_t *bytes, size_t len, struct wlog_frame *out,
                                const char **text)
{
    struct frame_header h;
    const char *wrong = "the file ends within a frame header";

    if (len >= WLOG_UNIT && is_zero(bytes, WLOG_UNIT))
        return WLOG_NOTHING;
    if (len >= sizeof(h)) {
        memcpy(&h, bytes, sizeof(h));
        wrong = check_header(&h, len);
        if (!wrong && frame_checksum(bytes, h.payload) != h.checksum)
            wrong = "the frame's checksum does not match";
    }
    if (text)
        *text = wrong;
    if (wrong)
        return WLOG_TORN;
    *out = (struct wlog_frame){h.bytes,     h.payload,        h.generation,
                               h.first_lsn, h.durable_before, h.records};
    return WLOG_FRAME;
}

int wlog_frame_records(const uint8_t *bytes, const struct wlog_frame *frame,
                       int (*apply)(void *ctx, const struct wlog_record *rec, uint64_t node_lsn),
                       void *ctx)
{
    size_t at = WLOG_FRAME_HEADER, end = WLOG_FRAME_HEADER + (size_t)frame->payload;

    for (uint32_t i = 0; i < frame->records; i++) {
        struct record_header h;
        if (end - at < sizeof(h))
            return -EBADMSG;
        memcpy(&h, bytes + at, sizeof(h));
        at += sizeof(h);
        size_t padded = ((size_t)h.bytes + 7) & ~(size_t)7;
        if (padded > end - at || h.node_lsn != frame->first_lsn + i)
            return -EBADMSG;
        struct wlog_record rec = {.kind = h.kind,
                                  .doublings = h.doublings,
                                  .slot = h.slot,
                                  .slot_lsn = h.slot_lsn,
                                  .client = h.client,
                                  .sequence = h.sequence,
                                  .payload = bytes + at,
                                  .len = h.bytes};
        int rc = apply(ctx, &rec, h.node_lsn);
        if (rc)
            return rc;
        at += padded;
    }
    return at == end ? 0 : -EBADMSG;
}
