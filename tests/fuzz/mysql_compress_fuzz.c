/*
 * The compressed protocol against any client bytes, and our own packets against our reader. Byte 0 chooses zlib or zstd,
 * and how the bytes are cut. Checked besides crashes: no more is taken or made than there is room for, and nothing
 * beyond what headers announce; what is packed is unpacked.
 */
#include <string.h>

#include "reactor/assert.h"
#include "sql/mysql_compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { USE_ZSTD = 1, ROUND_TRIP = 2, STEP_SHIFT = 2, OUT_MAX = 4 << 20 };

static void read_bytes(struct mysql_unpacker *u, const uint8_t *data, size_t size, size_t step,
                       const uint8_t *wanted)
{
    size_t taken, made, total = 0;
    uint8_t out[1000];

    do {
        size_t len = step && step < size ? step : size;
        if (mysql_unpack(u, data, len, &taken, out, sizeof out, &made) != 0) {
            ASSERT(!wanted);
            return;
        }
        ASSERT(taken <= len && made <= sizeof out);
        ASSERT(!wanted || made == 0 || memcmp(wanted + total, out, made) == 0);
        data += taken;
        size -= taken;
        total += made;
    } while ((taken || made) && total < OUT_MAX);
    ASSERT(size == 0 || total >= OUT_MAX);
}

static void round_trip(enum mysql_compress_kind kind, const uint8_t *data, size_t size, size_t step)
{
    struct mysql_packer p = {0};
    struct mysql_unpacker u;
    struct buffer out;
    uint8_t seq = 0;

    if (!size)
        return;
    buffer_init(&out, 2 * size + 1000);
    ASSERT(mysql_pack(&p, kind, 3, &seq, data, size, &out) == 0);
    mysql_unpacker_init(&u, kind);
    read_bytes(&u, out.data, out.len, step, data);
    ASSERT(!u.stream && !u.header_len);
    mysql_unpacker_fini(&u);
    buffer_fini(&out);
    mysql_packer_fini(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum mysql_compress_kind kind;
    struct mysql_unpacker u;

    if (size == 0)
        return 0;
    kind = data[0] & USE_ZSTD ? MYSQL_COMPRESS_ZSTD : MYSQL_COMPRESS_ZLIB;
    if (data[0] & ROUND_TRIP) {
        round_trip(kind, data + 1, size - 1, data[0] >> STEP_SHIFT);
        return 0;
    }
    mysql_unpacker_init(&u, kind);
    read_bytes(&u, data + 1, size - 1, data[0] >> STEP_SHIFT, NULL);
    mysql_unpacker_fini(&u);
    return 0;
}
