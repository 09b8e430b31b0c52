/*
 * What a data directory says about itself: roots, directories of segments and of dictionaries, pieces of
 * dictionaries, headers and names of data files. The first byte chooses; roots get a checksum that fits, so that what
 * stands behind it is reached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/colblock.h"
#include "storage/dict_image.h"
#include "storage/directory.h"
#include "storage/root.h"

enum { FILE_BYTES = 1 << 20, ROOT_HEAD = 96, ITEMS = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char directory_id[33] = "0123456789abcdef0123456789abcdef";

static void check_ref(const struct chunk_ref *ref, uint64_t file_bytes)
{
    ASSERT(ref->offset % DATAFILE_ALIGN == 0 && ref->len <= DATAFILE_MAX_CHUNK);
    ASSERT(ref->offset == 0 || ref->offset + ref->len <= file_bytes);
}

static void read_segment(const uint8_t *bytes, size_t len)
{
    struct segment_directory d;
    struct error_info err;
    struct arena arena;
    struct buffer again;

    arena_init(&arena, 16 << 20, NULL);
    int rc = segment_directory_decode(bytes, len, FILE_BYTES, &arena, &d, &err);
    if (rc == 0) {
        uint64_t rows = 0;

        for (uint32_t i = 0; i < d.n_blocks; i++) {
            rows += d.blocks[i].rows;
            check_ref(&d.blocks[i].live, FILE_BYTES);
            for (uint32_t k = 0; k < d.n_columns; k++)
                check_ref(&d.columns[i * d.n_columns + k].ref, FILE_BYTES);
        }
        ASSERT(rows == d.rows);
        buffer_init(&again, 64 << 20);
        ASSERT(segment_directory_encode(&d, &again) == 0);
        ASSERT(again.len == len && memcmp(again.data, bytes, len) == 0);
        buffer_fini(&again);
    }
    ASSERT(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
    arena_fini(&arena);
}

static void read_dicts(const uint8_t *bytes, size_t len)
{
    struct dict_directory d;
    struct error_info err;
    struct arena arena;
    struct buffer again;

    arena_init(&arena, 16 << 20, NULL);
    int rc = dict_directory_decode(bytes, len, FILE_BYTES, &arena, &d, &err);
    if (rc == 0) {
        for (uint32_t i = 0; i < d.n_pieces; i++)
            check_ref(&d.pieces[i].ref, FILE_BYTES);
        buffer_init(&again, 64 << 20);
        ASSERT(dict_directory_encode(&d, &again) == 0);
        ASSERT(again.len == len && memcmp(again.data, bytes, len) == 0);
        buffer_fini(&again);
    }
    ASSERT(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
    arena_fini(&arena);
}

static void read_piece(const uint8_t *bytes, size_t len, enum dict_kind kind)
{
    struct dict *d = dict_new(kind, 1, NULL);
    struct error_info err;
    struct buffer again;
    uint32_t end, entry;

    int rc = dict_image_decode(bytes, len, kind, ITEMS, d, &err);
    if (rc == 0)
        rc = dict_image_end(d, &entry, &err);
    if (rc == 0) {
        buffer_init(&again, 64 << 20);
        ASSERT(dict_image_encode(d, kind, 0, dict_count(d), 64 << 20, &again, &end) == 0);
        ASSERT(end == dict_count(d));
        buffer_fini(&again);
    }
    ASSERT(rc == 0 || rc == -EBADMSG);
    dict_free(d);
}

struct seen {
    uint64_t sum;
    bool slot;
};

static int see_head(void *ctx, const struct root_head *h)
{
    struct seen *s = ctx;

    for (uint32_t i = 0; i < h->catalog_len; i++)
        s->sum += h->catalog[i];
    return 0;
}

static int see_slot(void *ctx, const struct root_slot *slot)
{
    struct seen *s = ctx;

    s->slot = true;
    for (uint32_t i = 0; i < slot->n_batches; i++)
        s->sum += slot->batches[i].client + slot->batches[i].rejected;
    return 0;
}

static int see_file(void *ctx, const struct root_file *f)
{
    struct seen *s = ctx;

    ASSERT(s->slot && f->directory.offset && f->directory.len);
    check_ref(&f->directory, f->bytes);
    return 0;
}

static void read_root(uint8_t *bytes, size_t len)
{
    struct seen seen = {0};
    const struct root_visitor v = {see_head, see_slot, see_file, &seen};
    struct error_info err;
    uint64_t whole = len, sum = 0;

    int rc = root_decode(bytes, len, directory_id, &v, &err);
    ASSERT(rc == 0 || rc == -EBADMSG || rc == -ENOTSUP);
    if (len < ROOT_HEAD)
        return;
    memcpy(bytes, "QRT1", 4);
    memcpy(bytes + 8, &whole, sizeof(whole));
    memcpy(bytes + 16, &sum, sizeof(sum));
    memcpy(bytes + 24, directory_id, 32);
    sum = XXH3_64bits_withSeed(bytes + ROOT_HEAD, len - ROOT_HEAD, XXH3_64bits(bytes, ROOT_HEAD));
    memcpy(bytes + 16, &sum, sizeof(sum));
    rc = root_decode(bytes, len, directory_id, &v, &err);
    ASSERT(rc == 0 || rc == -EBADMSG || rc == -ENOTSUP);
}

static void read_name(const uint8_t *bytes, size_t len)
{
    char name[200], again[DATAFILE_PATH_MAX];
    uint8_t unit[DATAFILE_UNIT] = {0};
    struct datafile_id id = {DATAFILE_SEGMENT, 1, 2, 3, 4, false};
    struct error_info err;

    memcpy(unit, bytes, len < sizeof(unit) ? len : sizeof(unit));
    datafile_check_header(unit, &id, directory_id, &err);
    len = len < sizeof(name) ? len : sizeof(name) - 1;
    memcpy(name, bytes, len);
    name[len] = 0;
    if (datafile_parse_path(name, &id)) {
        datafile_path(again, sizeof(again), &id);
        ASSERT(strcmp(name, again) == 0);
        datafile_header(&id, directory_id, unit);
        ASSERT(datafile_check_header(unit, &id, directory_id, &err) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    size_t len = size - 1;
    uint8_t *bytes = malloc(len ? len : 1); /* aligned as what is read from a file */
    memcpy(bytes, data + 1, len);
    switch (data[0] % 7) {
    case 0:
        read_segment(bytes, len);
        break;
    case 1:
        read_dicts(bytes, len);
        break;
    case 2:
        read_root(bytes, len);
        break;
    case 3:
        read_name(bytes, len);
        break;
    default:
        read_piece(bytes, len, (enum dict_kind)(data[0] % 7 - 4));
        break;
    }
    free(bytes);
    return 0;
}
