/*
 * Root as bytes: header, catalog, entries; everything 8-byte aligned. An entry is a word with its kind and length in
 * bytes, then its body.
 */
#include "storage/root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/datadir.h"

enum { ROOT_MAGIC = 0x31545251 /* "QRT1" */, ENTRY_SLOT = 1, ENTRY_FILE = 2, ENTRY_ARCHIVED = 3 };
enum {
    SLOTS_MAX = 1 << DATADIR_MAX_SLOT_BITS,
    ROOT_UNSPLIT = 1 /* version without shared files */
};

/* On disk, little endian, as all below. Up to the directory's id the same in every version. */
struct disk_root {
    uint32_t magic, version;
    uint64_t bytes;    /* of the file */
    uint64_t checksum; /* of all of them, this field 0 */
    char directory_id[32];
    uint64_t round, log_generation, definitions_lsn, wall_us;
    uint32_t catalog_len, doublings;
};

struct disk_entry {
    uint32_t kind, len; /* bytes of the body, a multiple of 8 */
};

struct disk_slot { /* n_batches struct root_batch follow */
    uint32_t slot, n_batches;
    uint64_t lsn;
};

struct disk_file {
    uint32_t table_id, slot;
    int64_t partition;
    uint64_t generation, bytes, directory, hash;
    uint32_t directory_len;
    uint8_t kind, shared, reserved[2];
};

struct disk_archived { /* a segment that is archived */
    struct disk_file file;
    uint64_t rows;
};

_Static_assert(sizeof(struct disk_root) == 96, "root header");
_Static_assert(sizeof(struct disk_file) == 56, "file entry");
_Static_assert(sizeof(struct root_batch) == 56, "batches lie in the root as in memory");

/* ---- encoding ---- */

/* Reserved for by the caller. */
static void put(struct buffer *out, const void *bytes, size_t n)
{
    if (n)
        memcpy(out->data + out->len, bytes, n);
    out->len += n;
}

int root_put_slot(struct buffer *part, const struct root_slot *s)
{
    size_t batches = (size_t)s->n_batches * sizeof(struct root_batch),
           len = sizeof(struct disk_slot) + batches;
    struct disk_entry e = {ENTRY_SLOT, (uint32_t)len};
    struct disk_slot d = {s->slot, s->n_batches, s->lsn};

    if (len > ROOT_MAX_BYTES)
        return -ENOBUFS;
    int rc = buffer_reserve(part, sizeof(e) + len);
    if (rc)
        return rc;
    put(part, &e, sizeof(e));
    put(part, &d, sizeof(d));
    put(part, s->batches, batches);
    return 0;
}

int root_put_file(struct buffer *part, const struct root_file *f)
{
    struct disk_entry e = {f->id.archived ? ENTRY_ARCHIVED : ENTRY_FILE,
                           f->id.archived ? sizeof(struct disk_archived)
                                          : sizeof(struct disk_file)};
    struct disk_file d = {.table_id = f->id.table_id,
                          .slot = f->id.slot,
                          .partition = f->id.partition,
                          .generation = f->id.generation,
                          .bytes = f->bytes,
                          .directory = f->directory.offset,
                          .hash = f->directory.hash,
                          .directory_len = f->directory.len,
                          .kind = f->id.kind,
                          .shared = f->shared};
    int rc = buffer_reserve(part, sizeof(e) + sizeof(struct disk_archived));

    if (rc)
        return rc;
    put(part, &e, sizeof(e));
    put(part, &d, sizeof(d));
    if (f->id.archived)
        put(part, &f->rows, sizeof(f->rows));
    return 0;
}

static size_t padded(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

static uint64_t root_checksum(const uint8_t *bytes, size_t len)
{
    struct disk_root h;

    memcpy(&h, bytes, sizeof(h));
    h.checksum = 0;
    uint64_t seed = XXH3_64bits(&h, sizeof(h));
    return XXH3_64bits_withSeed(bytes + sizeof(h), len - sizeof(h), seed);
}

int root_encode(const struct root_head *head, const char directory_id[33],
                struct buffer *const *parts, unsigned n_parts, struct buffer *out)
{
    static const uint8_t zeros[8];
    size_t bytes = sizeof(struct disk_root) + padded(head->catalog_len), start = out->len;
    struct disk_root h = {.magic = ROOT_MAGIC,
                          .version = head->doublings ? ROOT_VERSION : ROOT_UNSPLIT,
                          .round = head->round,
                          .log_generation = head->log_generation,
                          .definitions_lsn = head->definitions_lsn,
                          .wall_us = head->wall_us,
                          .catalog_len = head->catalog_len,
                          .doublings = head->doublings};

    for (unsigned i = 0; i < n_parts; i++)
        bytes += parts[i]->len;
    if (bytes > ROOT_MAX_BYTES)
        return -ENOBUFS;
    int rc = buffer_reserve(out, bytes);
    if (rc)
        return rc;
    h.bytes = bytes;
    memcpy(h.directory_id, directory_id, strnlen(directory_id, sizeof(h.directory_id)));
    put(out, &h, sizeof(h));
    put(out, head->catalog, head->catalog_len);
    put(out, zeros, padded(head->catalog_len) - head->catalog_len);
    for (unsigned i = 0; i < n_parts; i++)
        put(out, parts[i]->data, parts[i]->len);
    h.checksum = root_checksum(out->data + start, bytes);
    memcpy(out->data + start, &h, sizeof(h));
    return 0;
}

/* ---- decoding ---- */

#define BAD(err, at, fmt, ...) \
    error_set(err, -EBADMSG, 0, ROOT_FILE ", offset %zu: " fmt, (size_t)(at), __VA_ARGS__)

static int check_head(const uint8_t *bytes, size_t len, const char directory_id[33],
                      struct disk_root *h, struct error_info *err)
{
    char wanted[32] = {0};

    if (len < sizeof(*h))
        return BAD(err, len, "the file ends within its header of %zu bytes", sizeof(*h));
    memcpy(h, bytes, sizeof(*h));
    if (h->magic != ROOT_MAGIC)
        return BAD(err, 0, "begins with %08" PRIx32 "; a root begins with %08x", h->magic,
                   ROOT_MAGIC);
    if (h->bytes != len || len > ROOT_MAX_BYTES)
        return BAD(err, 8, "%" PRIu64 " bytes by its header, %zu in the file; allowed are up to %d",
                   h->bytes, len, ROOT_MAX_BYTES);
    uint64_t sum = root_checksum(bytes, len);
    if (sum != h->checksum)
        return BAD(err, 16, "the checksum is %016" PRIx64 ", the bytes have %016" PRIx64,
                   h->checksum, sum);
    if (h->version < ROOT_UNSPLIT || h->version > ROOT_VERSION)
        return error_set(err, -ENOTSUP, 0,
                         ROOT_FILE " has format version %" PRIu32
                                   "; this program reads versions %d to %d",
                         h->version, ROOT_UNSPLIT, ROOT_VERSION);
    memcpy(wanted, directory_id, strnlen(directory_id, sizeof(wanted)));
    if (memcmp(h->directory_id, wanted, sizeof(wanted)))
        return BAD(err, 24, "it belongs to data directory %.32s; this one is %.32s",
                   h->directory_id, wanted);
    if (h->doublings > DATADIR_MAX_SLOT_BITS || !h->doublings != (h->version == ROOT_UNSPLIT))
        return BAD(err, 92, "%" PRIu32 " doublings of the slots in format version %" PRIu32,
                   h->doublings, h->version);
    if (h->catalog_len > len - sizeof(*h) || padded(h->catalog_len) > len - sizeof(*h))
        return BAD(err, 88, "a catalog of %" PRIu32 " bytes does not fit into %zu", h->catalog_len,
                   len);
    return 0;
}

/* Identity of a file and where its entry stands, for finding those that are there twice. */
struct named {
    struct datafile_id id;
    uint32_t slot; /* that names it */
    size_t at;
};

/* Walk over the entries; with a visitor that tells, else checking. Lives during one decode. */
struct walk {
    const uint8_t *bytes;
    size_t at, len;
    const struct root_visitor *v; /* NULL while checking */
    struct error_info *err;
    bool in_slot;
    uint32_t doublings, slot;
    uint64_t *slots; /* seen: bits */
    struct named *files;
    size_t n_files;
};

static int check_batches(struct walk *w, uint32_t n)
{
    size_t at = w->at + sizeof(struct disk_slot);

    for (uint32_t i = 0; i < n; i++, at += sizeof(struct root_batch)) {
        struct root_batch b;

        memcpy(&b, w->bytes + at, sizeof(b));
        if (b.doublings > w->doublings)
            return BAD(w->err, at, "a batch of %" PRIu32 " doublings; the slots had %" PRIu32,
                       b.doublings, w->doublings);
    }
    return 0;
}

static int walk_slot(struct walk *w, size_t len)
{
    struct disk_slot d;

    if (len < sizeof(d))
        return BAD(w->err, w->at, "a slot entry of %zu bytes; allowed are %zu and more", len,
                   sizeof(d));
    memcpy(&d, w->bytes + w->at, sizeof(d));
    if (d.slot >= SLOTS_MAX)
        return BAD(w->err, w->at, "slot %" PRIu32 "; allowed are up to %d", d.slot, SLOTS_MAX - 1);
    if (len != sizeof(d) + (uint64_t)d.n_batches * sizeof(struct root_batch))
        return BAD(w->err, w->at, "a slot entry of %zu bytes with %" PRIu32 " batches", len,
                   d.n_batches);
    w->in_slot = true;
    w->slot = d.slot;
    if (w->v) {
        struct root_slot s = {d.slot, d.lsn,
                              (const struct root_batch *)(const void *)(w->bytes + w->at +
                                                                        sizeof(d)),
                              d.n_batches};

        return w->v->slot ? w->v->slot(w->v->ctx, &s) : 0;
    }
    if (w->slots[d.slot / 64] >> (d.slot % 64) & 1)
        return BAD(w->err, w->at, "slot %" PRIu32 " is there twice", d.slot);
    w->slots[d.slot / 64] |= 1ull << (d.slot % 64);
    return check_batches(w, d.n_batches);
}

static int check_file(struct walk *w, const struct disk_file *d)
{
    if (!w->in_slot || (d->slot != w->slot && !d->shared) || d->slot >= SLOTS_MAX)
        return BAD(w->err, w->at, "a file of slot %" PRIu32 " outside of its slot's entries",
                   d->slot);
    if (d->shared > (w->doublings ? 1 : 0))
        return BAD(w->err, w->at, "a file is shared: %d; allowed is %d", d->shared,
                   w->doublings > 0);
    if (d->kind != DATAFILE_SEGMENT && d->kind != DATAFILE_DICTS)
        return BAD(w->err, w->at, "a file of kind %d; allowed are %d and %d", d->kind,
                   DATAFILE_SEGMENT, DATAFILE_DICTS);
    if (d->reserved[0] || d->reserved[1] || (d->kind == DATAFILE_DICTS && d->partition))
        return BAD(w->err, w->at, "a field is %d %d, partition %" PRId64 "; allowed is 0",
                   d->reserved[0], d->reserved[1], d->partition);
    if (d->bytes % DATAFILE_UNIT || d->bytes < 2 * DATAFILE_UNIT || d->bytes > INT64_MAX)
        return BAD(w->err, w->at,
                   "a file of %" PRIu64 " bytes; allowed are multiples of %d from %d on", d->bytes,
                   DATAFILE_UNIT, 2 * DATAFILE_UNIT);
    if (d->directory < DATAFILE_UNIT || d->directory % DATAFILE_ALIGN || d->directory >= d->bytes ||
        d->directory_len == 0 || d->directory_len > DATAFILE_MAX_CHUNK ||
        d->directory_len > d->bytes - d->directory)
        return BAD(w->err, w->at,
                   "a directory of %" PRIu32 " bytes at %" PRIu64 " does not fit into %" PRIu64,
                   d->directory_len, d->directory, d->bytes);
    return 0;
}

/* An archived partition of which the slot has no rows, and so no file? */
static bool is_empty(const struct disk_archived *d)
{
    return !d->file.bytes && !d->file.generation && !d->file.directory && !d->file.directory_len &&
           !d->file.hash && !d->rows;
}

static int check_archived(struct walk *w, const struct disk_archived *d)
{
    struct disk_archived x = *d;

    if (d->file.kind != DATAFILE_SEGMENT)
        return BAD(w->err, w->at, "an archived file of kind %d; allowed is %d", d->file.kind,
                   DATAFILE_SEGMENT);
    if (d->file.shared)
        return BAD(w->err, w->at, "an archived file of slot %" PRIu32 " is shared", d->file.slot);
    if (is_empty(d)) { /* the rest as of any file */
        x.file.bytes = 2 * DATAFILE_UNIT;
        x.file.directory = DATAFILE_UNIT;
        x.file.directory_len = DATAFILE_ALIGN;
    }
    return check_file(w, &x.file);
}

static int walk_file(struct walk *w, size_t len, bool archived)
{
    struct disk_archived a = {.rows = 0};
    size_t wanted = archived ? sizeof(a) : sizeof(a.file);
    struct disk_file d;

    if (len != wanted)
        return BAD(w->err, w->at, "a file entry of %zu bytes; allowed are %zu", len, wanted);
    memcpy(&a, w->bytes + w->at, wanted);
    d = a.file;
    struct root_file f = {
        .id = {d.kind, d.table_id, d.slot, d.partition, d.generation, archived},
        .bytes = d.bytes,
        .directory = {d.directory, d.directory_len, d.hash},
        .rows = a.rows,
        .slot = w->slot,
        .shared = d.shared,
    };
    if (w->v)
        return w->v->file ? w->v->file(w->v->ctx, &f) : 0;
    int rc = archived ? check_archived(w, &a) : check_file(w, &d);
    if (!rc)
        w->files[w->n_files++] = (struct named){f.id, w->slot, w->at};
    return rc;
}

static int walk_entries(struct walk *w)
{
    int rc = 0;

    while (w->at < w->len && !rc) {
        struct disk_entry e;

        if (w->len - w->at < sizeof(e))
            return BAD(w->err, w->at, "the file ends within an entry of %zu bytes", sizeof(e));
        memcpy(&e, w->bytes + w->at, sizeof(e));
        if (e.len > w->len - w->at - sizeof(e) || e.len % 8)
            return BAD(w->err, w->at, "an entry of %" PRIu32 " bytes; %zu follow", e.len,
                       w->len - w->at - sizeof(e));
        w->at += sizeof(e);
        if (e.kind == ENTRY_SLOT)
            rc = walk_slot(w, e.len);
        else if (e.kind == ENTRY_FILE)
            rc = walk_file(w, e.len, false);
        else if (e.kind == ENTRY_ARCHIVED)
            rc = walk_file(w, e.len, true);
        else
            rc =
                BAD(w->err, w->at - sizeof(e), "an entry of kind %" PRIu32 "; allowed are %d to %d",
                    e.kind, ENTRY_SLOT, ENTRY_ARCHIVED);
        w->at += e.len;
    }
    return rc;
}

#define ORDER(a, b)                    \
    do {                               \
        if ((a) != (b))                \
            return (a) < (b) ? -1 : 1; \
    } while (0)

/* By slot and table, there the dictionaries before the segments. */
static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    ORDER(x->slot, y->slot);
    ORDER(x->id.table_id, y->id.table_id);
    ORDER(y->id.kind, x->id.kind);
    ORDER(x->id.partition, y->id.partition);
    ORDER(x->at, y->at);
    return 0;
}

/* A segment that is there twice would show its rows twice; dictionaries must be known before their codes. */
static int check_files(struct walk *w)
{
    const struct named *dicts = NULL;

    if (w->n_files)
        qsort(w->files, w->n_files, sizeof(*w->files), compare_named);
    for (size_t i = 0; i < w->n_files; i++) {
        const struct named *f = &w->files[i], *last = i ? f - 1 : NULL;
        bool same = last && last->slot == f->slot && last->id.table_id == f->id.table_id;

        if (!same)
            dicts = NULL;
        if (f->id.kind == DATAFILE_DICTS)
            dicts = f;
        if (same && last->id.kind == f->id.kind && last->id.partition == f->id.partition)
            return BAD(w->err, f->at,
                       "a second file of table %" PRIu32 ", slot %" PRIu32 ", partition %" PRId64,
                       f->id.table_id, f->slot, f->id.partition);
        if (dicts && dicts->at > f->at)
            return BAD(w->err, f->at,
                       "a segment of table %" PRIu32 ", slot %" PRIu32
                       " before the dictionaries at offset %zu",
                       f->id.table_id, f->slot, dicts->at);
    }
    return 0;
}

static int check_entries(const uint8_t *bytes, size_t start, size_t len, uint32_t doublings,
                         struct error_info *err)
{
    size_t files = (len - start) / (sizeof(struct disk_entry) + sizeof(struct disk_file));
    struct walk w = {.bytes = bytes,
                     .at = start,
                     .len = len,
                     .err = err,
                     .doublings = doublings,
                     .slots = calloc(SLOTS_MAX / 64, sizeof(*w.slots)),
                     .files = malloc((files + 1) * sizeof(*w.files))};
    int rc = w.slots && w.files ? walk_entries(&w)
                                : error_set(err, -ENOMEM, 1037, ROOT_FILE ": out of memory");

    if (!rc)
        rc = check_files(&w);
    free(w.slots);
    free(w.files);
    return rc;
}

int root_decode(const uint8_t *bytes, size_t len, const char directory_id[33],
                const struct root_visitor *v, struct error_info *err)
{
    struct disk_root h;

    ASSERT((uintptr_t)bytes % 8 == 0);
    int rc = check_head(bytes, len, directory_id, &h, err);
    if (rc)
        return rc;
    size_t start = sizeof(h) + padded(h.catalog_len);
    rc = check_entries(bytes, start, len, h.doublings, err);
    if (rc)
        return rc;
    struct root_head head = {h.round,           h.log_generation, h.definitions_lsn, h.wall_us,
                             bytes + sizeof(h), h.catalog_len,    h.doublings};
    rc = v->head ? v->head(v->ctx, &head) : 0;
    struct walk w = {.bytes = bytes, .at = start, .len = len, .v = v, .err = err};
    return rc ? rc : walk_entries(&w);
}
