#include "storage/datafile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/datetime.h"
#include "storage/mapping.h"

enum { DAY_S = 86400, HOUR_S = 3600 };

static const char magic[4] = {'Q', 'D', 'F', '1'};

/* On disk, little endian, zeros after it up to a unit. Up to the checksum the same in every version. */
struct file_header {
    char magic[4];
    uint32_t version;
    uint64_t checksum; /* of the unit with this field 0 */
    uint8_t kind, reserved[3];
    uint32_t table_id, slot, reserved2;
    int64_t partition;
    uint64_t generation;
    char directory_id[32];
};

_Static_assert(sizeof(struct file_header) == 80, "file header");

static const char trailer_magic[4] = {'Q', 'D', 'X', '1'};

/* On disk, little endian: the last bytes of an extent. */
struct extent_trailer {
    char magic[4];
    uint32_t bytes;    /* of the extent, whole units */
    uint64_t end;      /* file offset behind the extent */
    uint64_t checksum; /* of the extent with this field 0 */
    uint8_t reserved[40];
};

_Static_assert(sizeof(struct extent_trailer) == DATAFILE_TRAILER, "extent trailer");

/* ---- names ---- */

/* Start of the partition in words of the calendar where it has some: days, and hours below them. */
static void print_partition(char *out, size_t cap, int64_t partition)
{
    int64_t rest = partition % DAY_S, days = partition / DAY_S - (rest < 0);
    char date[11];

    rest += rest < 0 ? DAY_S : 0;
    if (partition == 0)
        snprintf(out, cap, "all");
    else if (rest % HOUR_S || !date_print(days, date))
        snprintf(out, cap, "%" PRId64, partition);
    else if (rest == 0)
        snprintf(out, cap, "%s", date);
    else
        snprintf(out, cap, "%sT%02d", date, (int)(rest / HOUR_S));
}

void datafile_path(char *out, size_t cap, const struct datafile_id *id)
{
    char partition[32];

    print_partition(partition, sizeof(partition), id->partition);
    if (id->kind == DATAFILE_DICTS)
        snprintf(out, cap, "data/t%" PRIu32 "/s%" PRIu32 "/dict.%" PRIu64 ".qsd", id->table_id,
                 id->slot, id->generation);
    else
        snprintf(out, cap, "%s/t%" PRIu32 "/s%" PRIu32 "/%s.%" PRIu64 ".qsg",
                 id->archived ? "archive" : "data", id->table_id, id->slot, partition,
                 id->generation);
}

static bool parse_partition(const char *s, int64_t *out)
{
    int year, used = 0;
    unsigned month, day, hour = 0;
    char *end;

    if (!strcmp(s, "all")) {
        *out = 0;
        return true;
    }
    if (sscanf(s, "%4d-%2u-%2u%n", &year, &month, &day, &used) == 3 && used == 10 && month >= 1 &&
        month <= 12 && day >= 1 && day <= 31 &&
        (!s[used] || sscanf(s + used, "T%2u", &hour) == 1)) {
        *out = date_to_days(year, month, day) * DAY_S + (int64_t)hour * HOUR_S;
        return true;
    }
    errno = 0;
    *out = strtoll(s, &end, 10);
    return !*end && end != s && !errno;
}

bool datafile_parse_path(const char *path, struct datafile_id *out)
{
    struct datafile_id id = {.archived = !strncmp(path, "archive/", 8)};
    char name[64], again[DATAFILE_PATH_MAX], *dot;

    if (sscanf(path, "%*[^/]/t%" SCNu32 "/s%" SCNu32 "/%63[^/]", &id.table_id, &id.slot, name) != 3)
        return false;
    dot = strchr(name, '.');
    if (!dot || sscanf(dot, ".%" SCNu64 ".", &id.generation) != 1)
        return false;
    *dot = 0;
    id.kind = strcmp(name, "dict") ? DATAFILE_SEGMENT : DATAFILE_DICTS;
    if (id.kind == DATAFILE_SEGMENT && !parse_partition(name, &id.partition))
        return false;
    /* Only the one spelling that datafile_path gives is a name of ours. */
    datafile_path(again, sizeof(again), &id);
    if (strcmp(path, again))
        return false;
    *out = id;
    return true;
}

/* ---- header ---- */

static uint64_t header_checksum(const uint8_t unit[DATAFILE_UNIT])
{
    struct file_header h;

    memcpy(&h, unit, sizeof(h));
    h.checksum = 0;
    uint64_t seed = XXH3_64bits(&h, sizeof(h));
    return XXH3_64bits_withSeed(unit + sizeof(h), DATAFILE_UNIT - sizeof(h), seed);
}

void datafile_header(const struct datafile_id *id, const char directory_id[33],
                     uint8_t out[DATAFILE_UNIT])
{
    struct file_header h = {.version = DATAFILE_VERSION,
                            .kind = id->kind,
                            .table_id = id->table_id,
                            .slot = id->slot,
                            .partition = id->partition,
                            .generation = id->generation};

    memcpy(h.magic, magic, sizeof(magic));
    memcpy(h.directory_id, directory_id, strnlen(directory_id, sizeof(h.directory_id)));
    memset(out, 0, DATAFILE_UNIT);
    memcpy(out, &h, sizeof(h));
    h.checksum = header_checksum(out);
    memcpy(out, &h, sizeof(h));
}

static int check_id(const struct file_header *h, const struct datafile_id *id,
                    struct error_info *err)
{
    struct datafile_id found = {h->kind,      h->table_id,   h->slot,
                                h->partition, h->generation, id->archived};
    char is[DATAFILE_PATH_MAX], wanted[DATAFILE_PATH_MAX];

    if (h->kind == id->kind && h->table_id == id->table_id && h->slot == id->slot &&
        h->partition == id->partition && h->generation == id->generation)
        return 0;
    datafile_path(is, sizeof(is), &found);
    datafile_path(wanted, sizeof(wanted), id);
    return error_set(err, -EBADMSG, 0, "the header is that of %s; expected was that of %s", is,
                     wanted);
}

int datafile_check_header(const uint8_t in[DATAFILE_UNIT], const struct datafile_id *id,
                          const char directory_id[33], struct error_info *err)
{
    struct file_header h;
    char wanted[32] = {0};

    memcpy(&h, in, sizeof(h));
    if (memcmp(h.magic, magic, sizeof(magic)))
        return error_set(err, -EBADMSG, 0,
                         "no data file: it begins with %02x %02x %02x %02x; expected was \"%.4s\"",
                         in[0], in[1], in[2], in[3], magic);
    uint64_t sum = header_checksum(in);
    if (sum != h.checksum)
        return error_set(err, -EBADMSG, 0,
                         "the header's checksum is %016" PRIx64 ", its bytes have %016" PRIx64,
                         h.checksum, sum);
    if (h.version != DATAFILE_VERSION)
        return error_set(err, -EBADMSG, 0,
                         "the file has format version %" PRIu32 "; this program reads version %d",
                         h.version, DATAFILE_VERSION);
    memcpy(wanted, directory_id, strnlen(directory_id, sizeof(wanted)));
    if (memcmp(h.directory_id, wanted, sizeof(wanted)))
        return error_set(err, -EBADMSG, 0,
                         "the file belongs to data directory %.32s; this one is %.32s",
                         h.directory_id, wanted);
    return check_id(&h, id, err);
}

/* ---- extents ---- */

static int pad_to(struct buffer *extent, size_t multiple)
{
    size_t n = -extent->len & (multiple - 1);
    int rc = buffer_reserve(extent, n);

    if (rc == 0 && n) {
        memset(extent->data + extent->len, 0, n);
        extent->len += n;
    }
    return rc;
}

int datafile_begin(struct buffer *extent, size_t *start)
{
    int rc = pad_to(extent, DATAFILE_ALIGN);

    *start = extent->len;
    return rc;
}

int datafile_end(struct buffer *extent, uint64_t at, size_t start, struct chunk_ref *ref)
{
    size_t len = extent->len - start;

    ASSERT(at % DATAFILE_UNIT == 0 && start % DATAFILE_ALIGN == 0 && extent->len > start);
    if (len > DATAFILE_MAX_CHUNK)
        return -ENOBUFS;
    *ref = (struct chunk_ref){.offset = at + start,
                              .len = (uint32_t)len,
                              .hash = XXH3_64bits(extent->data + start, len)};
    return 0;
}

int datafile_put(struct buffer *extent, uint64_t at, const void *bytes, uint32_t len,
                 struct chunk_ref *ref)
{
    size_t start;
    int rc = datafile_begin(extent, &start);

    if (rc == 0)
        rc = buffer_append(extent, bytes, len);
    return rc ? rc : datafile_end(extent, at, start, ref);
}

/* The bytes before the trailer, then the trailer without its checksum. */
static uint64_t extent_checksum(const uint8_t *extent, size_t len)
{
    struct extent_trailer t;

    memcpy(&t, extent + len - sizeof(t), sizeof(t));
    t.checksum = 0;
    return XXH3_64bits_withSeed(&t, sizeof(t), XXH3_64bits(extent, len - sizeof(t)));
}

int datafile_seal(struct buffer *extent, uint64_t at)
{
    size_t limit = extent->limit;
    struct extent_trailer t = {0};

    ASSERT(at % DATAFILE_UNIT == 0 && extent->len > 0);
    extent->limit += DATAFILE_UNIT;
    int rc = buffer_append(extent, &t, sizeof(t));
    if (rc == 0)
        rc = pad_to(extent, DATAFILE_UNIT);
    extent->limit = limit;
    if (rc)
        return rc;
    memcpy(t.magic, trailer_magic, sizeof(t.magic));
    t.bytes = (uint32_t)extent->len;
    t.end = at + extent->len;
    uint8_t *place = extent->data + extent->len - sizeof(t);
    memcpy(place, &t, sizeof(t));
    t.checksum = extent_checksum(extent->data, extent->len);
    memcpy(place, &t, sizeof(t));
    return 0;
}

uint32_t datafile_trailer(const uint8_t in[DATAFILE_TRAILER], uint64_t end)
{
    struct extent_trailer t;

    memcpy(&t, in, sizeof(t));
    if (memcmp(t.magic, trailer_magic, sizeof(t.magic)) || t.end != end || t.bytes == 0 ||
        t.bytes % DATAFILE_UNIT || t.bytes > DATAFILE_MAX_EXTENT || t.bytes > end - DATAFILE_UNIT)
        return 0;
    return t.bytes;
}

bool datafile_check_extent(const uint8_t *extent, uint32_t len)
{
    struct extent_trailer t;

    memcpy(&t, extent + len - sizeof(t), sizeof(t));
    return extent_checksum(extent, len) == t.checksum;
}

bool datafile_check_chunk(const struct chunk_ref *ref, const void *bytes)
{
    return XXH3_64bits(bytes, ref->len) == ref->hash;
}
