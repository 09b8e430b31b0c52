/* Roots of checkpoints: round trip from several parts, and every kind of damage refused before a visitor is called. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "reactor/buffer.h"
#include "storage/root.h"

static const char directory[33] = "0123456789abcdef0123456789ABCDEF";

enum { HEAD = 96, ENTRY = 8, SLOT = 16, BATCH = 56, FILE_ENTRY = 56 }; /* bytes on disk */

static const struct root_batch batches[2] = {{1, 2, 3, 4, 5, 6, 7, 0},
                                             {11, 12, 13, 14, 15, 16, 17, 0}};

static void put_files(struct buffer *part, uint32_t slot)
{
    struct root_file f = {.id = {DATAFILE_DICTS, 1, slot, 0, 4},
                          .bytes = 12288,
                          .directory = {8192, 100, 55}};

    cr_assert_eq(root_put_file(part, &f), 0);
    f.id = (struct datafile_id){DATAFILE_SEGMENT, 1, slot, 86400, 5, false};
    f.bytes = 8192;
    f.directory = (struct chunk_ref){4096, 4096, 56};
    cr_assert_eq(root_put_file(part, &f), 0);
    f.id.partition = -86400;
    cr_assert_eq(root_put_file(part, &f), 0);
    f.id = (struct datafile_id){DATAFILE_SEGMENT, 2, slot, 0, 1, false};
    cr_assert_eq(root_put_file(part, &f), 0);
}

/* Two parts: slots 0 and 65535; slot 1. Catalog of 5 bytes. */
static void make(struct buffer *out)
{
    const struct root_head head = {7, 3, 1000, 123456789, (const uint8_t *)"hello", 5, 0};
    struct buffer a, b, *parts[2] = {&a, &b};

    buffer_init(&a, 1 << 20);
    buffer_init(&b, 1 << 20);
    buffer_init(out, 1 << 20);
    cr_assert_eq(root_put_slot(&a, &(struct root_slot){0, 50, batches, 2}), 0);
    put_files(&a, 0);
    cr_assert_eq(root_put_slot(&a, &(struct root_slot){65535, 51, NULL, 0}), 0);
    cr_assert_eq(root_put_slot(&b, &(struct root_slot){1, 52, NULL, 0}), 0);
    put_files(&b, 1);
    cr_assert_eq(root_encode(&head, directory, parts, 2, out), 0);
    buffer_fini(&a);
    buffer_fini(&b);
}

struct seen {
    char text[1000];
    int fail_at, calls;
};

static int note(struct seen *s, const char *text)
{
    size_t len = strlen(s->text);

    snprintf(s->text + len, sizeof s->text - len, "%s\n", text);
    return ++s->calls == s->fail_at ? -EXDEV : 0;
}

static int see_head(void *ctx, const struct root_head *h)
{
    char text[100];

    snprintf(text, sizeof text, "head %d %d %d %d %.*s", (int)h->round, (int)h->log_generation,
             (int)h->definitions_lsn, (int)h->wall_us, (int)h->catalog_len, h->catalog);
    return note(ctx, text);
}

static int see_slot(void *ctx, const struct root_slot *s)
{
    char text[100];

    cr_assert(s->n_batches == 0 || memcmp(s->batches, batches, sizeof batches) == 0);
    snprintf(text, sizeof text, "slot %d %d %d", (int)s->slot, (int)s->lsn, (int)s->n_batches);
    return note(ctx, text);
}

static int see_file(void *ctx, const struct root_file *f)
{
    char path[DATAFILE_PATH_MAX], text[200];

    datafile_path(path, sizeof path, &f->id);
    snprintf(text, sizeof text, "%s %d %d %d %d", path, (int)f->bytes, (int)f->directory.offset,
             (int)f->directory.len, (int)f->directory.hash);
    return note(ctx, text);
}

static int decode(const struct buffer *b, struct seen *s, struct error_info *err)
{
    const struct root_visitor v = {see_head, see_slot, see_file, s};

    memset(err, 0, sizeof *err);
    return root_decode(b->data, b->len, directory, &v, err);
}

Test(root, round_trip_in_order)
{
    static const char *const want = "head 7 3 1000 123456789 hello\n"
                                    "slot 0 50 2\n"
                                    "data/t1/s0/dict.4.qsd 12288 8192 100 55\n"
                                    "data/t1/s0/1970-01-02.5.qsg 8192 4096 4096 56\n"
                                    "data/t1/s0/1969-12-31.5.qsg 8192 4096 4096 56\n"
                                    "data/t2/s0/all.1.qsg 8192 4096 4096 56\n"
                                    "slot 65535 51 0\n"
                                    "slot 1 52 0\n"
                                    "data/t1/s1/dict.4.qsd 12288 8192 100 55\n"
                                    "data/t1/s1/1970-01-02.5.qsg 8192 4096 4096 56\n"
                                    "data/t1/s1/1969-12-31.5.qsg 8192 4096 4096 56\n"
                                    "data/t2/s1/all.1.qsg 8192 4096 4096 56\n";
    const struct root_visitor none = {0};
    struct error_info err;
    struct seen s = {0};
    struct buffer b;

    make(&b);
    cr_assert_eq(decode(&b, &s, &err), 0, "%s", err.text);
    cr_assert_str_eq(s.text, want);
    cr_assert_eq(root_decode(b.data, b.len, directory, &none, &err), 0);
    for (int at = 1; at <= 12; at++) {
        s = (struct seen){.fail_at = at};
        cr_assert_eq(decode(&b, &s, &err), -EXDEV);
        cr_assert_eq(s.calls, at);
    }
    buffer_fini(&b);
}

Test(root, without_slots)
{
    const struct root_head head = {.round = 1};
    struct error_info err;
    struct seen s = {0};
    struct buffer b;

    buffer_init(&b, 1 << 20);
    cr_assert_eq(root_encode(&head, directory, NULL, 0, &b), 0);
    cr_assert_eq(decode(&b, &s, &err), 0, "%s", err.text);
    cr_assert_str_eq(s.text, "head 1 0 0 0 \n");
    buffer_fini(&b);
}

Test(root, every_flipped_bit_is_found)
{
    struct error_info err;
    struct seen s = {0};
    struct buffer b;

    make(&b);
    for (size_t bit = 0; bit < b.len * 8; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(decode(&b, &s, &err), -EBADMSG, "bit %zu", bit);
        cr_assert(strstr(err.text, "checkpoint.qck, offset "), "%s", err.text);
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = b.len; len-- > 0;) {
        b.len = len;
        cr_assert_eq(decode(&b, &s, &err), -EBADMSG);
    }
    cr_assert_eq(s.calls, 0, "no visitor before all was checked");
    buffer_fini(&b);
}

Test(root, of_another_directory)
{
    const struct root_visitor none = {0};
    struct error_info err;
    struct buffer b;

    make(&b);
    cr_assert_eq(root_decode(b.data, b.len, "x123456789abcdef0123456789ABCDEF", &none, &err),
                 -EBADMSG);
    cr_assert(strstr(err.text, "belongs to data directory 0123456789abcdef0123456789ABCDEF"), "%s",
              err.text);
    buffer_fini(&b);
}

/* As root.c writes it. */
static void seal(struct buffer *b)
{
    uint64_t sum = 0, bytes = b->len;

    memcpy(b->data + 8, &bytes, 8);
    memcpy(b->data + 16, &sum, 8);
    sum = XXH3_64bits_withSeed(b->data + HEAD, b->len - HEAD, XXH3_64bits(b->data, HEAD));
    memcpy(b->data + 16, &sum, 8);
}

/* A field becomes another value under a checksum that fits. */
static void refuse(size_t at, size_t width, uint64_t value, int rc, const char *word)
{
    struct error_info err;
    struct seen s = {0};
    struct buffer b;

    make(&b);
    cr_assert_lt(at, b.len);
    memcpy(b.data + at, &value, width);
    seal(&b);
    cr_assert_eq(decode(&b, &s, &err), rc, "offset %zu", at);
    cr_assert(strstr(err.text, word), "offset %zu: %s", at, err.text);
    cr_assert_eq(s.calls, 0);
    buffer_fini(&b);
}

Test(root, damage_is_refused)
{
    const size_t slot = HEAD + 8, file = slot + ENTRY + SLOT + 2 * BATCH,
                 segment = file + ENTRY + FILE_ENTRY, last = file + 4 * (ENTRY + FILE_ENTRY);

    refuse(4, 4, 3, -ENOTSUP, "format version 3; this program reads versions 1 to 2");
    refuse(4, 4, 0, -ENOTSUP, "format version 0");
    refuse(4, 4, 2, -EBADMSG, "0 doublings of the slots in format version 2");
    refuse(88, 4, 1 << 20, -EBADMSG, "a catalog of 1048576 bytes");
    refuse(88, 4, UINT32_MAX, -EBADMSG, "a catalog of 4294967295 bytes");
    refuse(92, 4, 1, -EBADMSG, "1 doublings of the slots in format version 1");
    refuse(92, 4, 17, -EBADMSG, "17 doublings");
    refuse(slot, 4, 4, -EBADMSG, "kind 4; allowed are 1 to 3");
    refuse(slot + 4, 4, UINT32_MAX - 7, -EBADMSG, "follow");
    refuse(slot + 4, 4, 17, -EBADMSG, "an entry of 17 bytes");
    refuse(slot + 4, 4, 8, -EBADMSG, "a slot entry of 8 bytes");
    refuse(slot + 8, 4, 65536, -EBADMSG, "slot 65536; allowed are up to 65535");
    refuse(slot + 12, 4, 3, -EBADMSG, "3 batches");
    refuse(slot + 8, 4, 65535, -EBADMSG, "outside of its slot");
    refuse(slot + ENTRY + SLOT + BATCH - 4, 4, 1, -EBADMSG, "a batch of 1 doublings");
    refuse(last + 8, 4, 0, -EBADMSG, "slot 0 is there twice");
    refuse(file + 4, 4, 48, -EBADMSG, "a file entry of 48 bytes");
    refuse(file + ENTRY + 4, 4, 1, -EBADMSG, "outside of its slot");
    refuse(file + ENTRY + 52, 1, 3, -EBADMSG, "kind 3; allowed are 1 and 2");
    refuse(file + ENTRY + 53, 1, 1, -EBADMSG, "shared: 1; allowed is 0");
    refuse(file + ENTRY + 54, 1, 1, -EBADMSG, "allowed is 0");
    refuse(file + ENTRY + 8, 8, 1, -EBADMSG, "allowed is 0");
    refuse(file + ENTRY + 24, 8, 4096, -EBADMSG, "a file of 4096 bytes");
    refuse(file + ENTRY + 24, 8, 12289, -EBADMSG, "a file of 12289 bytes");
    refuse(file + ENTRY + 24, 8, 1ull << 63, -EBADMSG, "bytes");
    refuse(file + ENTRY + 32, 8, 0, -EBADMSG, "a directory of 100 bytes at 0");
    refuse(file + ENTRY + 32, 8, 12288, -EBADMSG, "does not fit into 12288");
    refuse(file + ENTRY + 32, 8, 8193, -EBADMSG, "a directory of 100 bytes at 8193");
    refuse(file + ENTRY + 48, 4, 0, -EBADMSG, "a directory of 0 bytes");
    refuse(file + ENTRY + 48, 4, 4097, -EBADMSG, "does not fit");
    refuse(segment + ENTRY + 8, 8, (uint64_t)-86400, -EBADMSG, "a second file of table 1");
}

struct shared_seen {
    unsigned files, shared;
    uint32_t doublings;
};

static int see_doublings(void *ctx, const struct root_head *h)
{
    ((struct shared_seen *)ctx)->doublings = h->doublings;
    return 0;
}

static int see_shared(void *ctx, const struct root_file *f)
{
    struct shared_seen *x = ctx;

    cr_assert_eq(f->slot, f->shared ? 2 + x->shared : 0, "the slot that names it");
    cr_assert_eq(f->id.slot, f->shared ? 1 : 0);
    x->shared += f->shared;
    x->files++;
    return 0;
}

/* After a doubling slots 2 and 3 name a file of slot 1 that was. twice: one of them does it a second time. */
static int decode_shared(bool twice, bool archived, struct shared_seen *seen,
                         struct error_info *err)
{
    const struct root_head head = {.round = 1, .doublings = 1};
    const struct root_visitor v = {see_doublings, NULL, see_shared, seen};
    struct buffer part, out, *parts[1] = {&part};
    struct root_file f = {.id = {DATAFILE_SEGMENT, 1, 0, 0, 4, archived},
                          .bytes = 12288,
                          .directory = {8192, 100, 55}};

    *seen = (struct shared_seen){0};
    buffer_init(&part, 1 << 20);
    buffer_init(&out, 1 << 20);
    for (uint32_t slot = 0; slot < 4; slot++) {
        cr_assert_eq(root_put_slot(&part, &(struct root_slot){slot, 50, NULL, 0}), 0);
        f.id.slot = slot / 2;
        f.shared = slot >= 2;
        for (int i = 0; slot != 1 && i <= (twice && slot == 2); i++)
            cr_assert_eq(root_put_file(&part, &f), 0);
    }
    cr_assert_eq(root_encode(&head, directory, parts, 1, &out), 0);
    int rc = root_decode(out.data, out.len, directory, &v, err);
    buffer_fini(&part);
    buffer_fini(&out);
    return rc;
}

Test(root, slots_that_were_split_share_files)
{
    struct shared_seen seen;
    struct error_info err;

    cr_assert_eq(decode_shared(false, false, &seen, &err), 0, "%s", err.text);
    cr_assert(seen.files == 3 && seen.shared == 2 && seen.doublings == 1);
    cr_assert_eq(decode_shared(true, false, &seen, &err), -EBADMSG);
    cr_assert(strstr(err.text, "a second file of table 1, slot 2"), "%s", err.text);
    cr_assert_eq(decode_shared(false, true, &seen, &err), -EBADMSG);
    cr_assert(strstr(err.text, "an archived file of slot 1 is shared"), "%s", err.text);
    cr_assert_eq(seen.files, 0);
}

Test(root, segments_before_their_dictionaries)
{
    const struct root_head head = {.round = 1};
    struct buffer part, out, *parts[1] = {&part};
    struct root_file f = {.id = {DATAFILE_SEGMENT, 1, 0, 0, 4},
                          .bytes = 12288,
                          .directory = {8192, 100, 55}};
    struct error_info err;
    struct seen s = {0};

    buffer_init(&part, 1 << 20);
    buffer_init(&out, 1 << 20);
    cr_assert_eq(root_put_slot(&part, &(struct root_slot){0, 50, NULL, 0}), 0);
    cr_assert_eq(root_put_file(&part, &f), 0);
    f.id.kind = DATAFILE_DICTS;
    cr_assert_eq(root_put_file(&part, &f), 0);
    cr_assert_eq(root_encode(&head, directory, parts, 1, &out), 0);
    cr_assert_eq(decode(&out, &s, &err), -EBADMSG);
    cr_assert(strstr(err.text, "before the dictionaries"), "%s", err.text);
    buffer_fini(&part);
    buffer_fini(&out);
}

Test(root, is_bounded)
{
    const struct root_head head = {.round = 1};
    struct buffer part, out, *parts[1] = {&part};

    buffer_init(&part, ROOT_MAX_BYTES);
    buffer_init(&out, 200);
    cr_assert_eq(root_put_slot(&part, &(struct root_slot){0, 50, batches, 2}), 0);
    cr_assert_eq(root_encode(&head, directory, parts, 1, &out), -ENOBUFS);
    cr_assert_eq(root_put_slot(&part, &(struct root_slot){0, 1, batches, ROOT_MAX_BYTES / 56}),
                 -ENOBUFS);
    buffer_fini(&part);
    buffer_fini(&out);
}
