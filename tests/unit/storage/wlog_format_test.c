/* Frames and records of the log: round trip, every kind of damage. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/wlog_format.h"

enum { RECORDS = 5 };

static const uint32_t lengths[RECORDS] = {0, 1, 8, 700, 4001};
static uint64_t payload[1024];

static void make_frame(struct buffer *b, struct wlog_frame *f)
{
    for (size_t i = 0; i < sizeof(payload); i++)
        ((uint8_t *)payload)[i] = (uint8_t)(i * 7 + 1);
    buffer_init(b, 1 << 20);
    *f = (struct wlog_frame){.generation = 3, .first_lsn = 100, .durable_before = 98};
    cr_assert_eq(wlog_frame_begin(b), 0);
    for (uint32_t i = 0; i < RECORDS; i++, f->records++) {
        struct wlog_record rec = {.kind = (uint8_t)(1 + i % LOG_BARRIER),
                                  .doublings = (uint8_t)(i * 3),
                                  .slot = 10 + i,
                                  .slot_lsn = 1000 + i,
                                  .client = 77,
                                  .sequence = i,
                                  .payload = payload,
                                  .len = lengths[i]};
        cr_assert_eq(wlog_frame_add(b, &rec, f->first_lsn + i), 0);
    }
    cr_assert_eq(wlog_frame_end(b, f), 0);
}

static int check_record(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    uint32_t *n = ctx;

    cr_assert_lt(*n, RECORDS);
    cr_assert_eq(rec->kind, 1 + *n % LOG_BARRIER);
    cr_assert_eq(rec->doublings, *n * 3);
    cr_assert_eq(rec->slot, 10 + *n);
    cr_assert_eq(rec->slot_lsn, 1000 + *n);
    cr_assert_eq(rec->client, 77);
    cr_assert_eq(rec->sequence, *n);
    cr_assert_eq(node_lsn, 100 + *n);
    cr_assert_eq(rec->len, lengths[*n]);
    cr_assert_eq((uintptr_t)rec->payload % 8, 0);
    cr_assert_eq(memcmp(rec->payload, payload, rec->len), 0);
    ++*n;
    return 0;
}

static void check_frame(const uint8_t *bytes, size_t len, const struct wlog_frame *made)
{
    struct wlog_frame f;
    const char *text = "unset";
    uint32_t n = 0;

    cr_assert_eq(wlog_frame_read(bytes, len, &f, &text), WLOG_FRAME);
    cr_assert_null(text);
    cr_assert_eq(f.bytes, made->bytes);
    cr_assert_eq(f.payload, made->payload);
    cr_assert_eq(f.generation, made->generation);
    cr_assert_eq(f.first_lsn, made->first_lsn);
    cr_assert_eq(f.durable_before, made->durable_before);
    cr_assert_eq(f.records, RECORDS);
    cr_assert_eq(wlog_frame_records(bytes, &f, check_record, &n), 0);
    cr_assert_eq(n, RECORDS);
}

Test(wlog_format, a_frame_comes_back_as_it_was)
{
    struct buffer b;
    struct wlog_frame f;

    make_frame(&b, &f);
    cr_assert_eq(f.bytes % WLOG_UNIT, 0);
    cr_assert_eq(f.bytes, b.len);
    check_frame(b.data, b.len, &f);
    buffer_fini(&b);
}

Test(wlog_format, a_frame_without_records)
{
    struct buffer b;
    struct wlog_frame f = {.generation = 1, .first_lsn = 1}, found;
    uint32_t n = 0;

    buffer_init(&b, 1 << 20);
    cr_assert_eq(wlog_frame_begin(&b), 0);
    cr_assert_eq(wlog_frame_end(&b, &f), 0);
    cr_assert_eq(b.len, WLOG_UNIT);
    cr_assert_eq(wlog_frame_read(b.data, b.len, &found, NULL), WLOG_FRAME);
    cr_assert_eq(wlog_frame_records(b.data, &found, check_record, &n), 0);
    cr_assert_eq(n, 0);
    buffer_fini(&b);
}

/* The zeros after the payload carry nothing; a flip there is harmless and may go unseen. */
Test(wlog_format, every_flipped_bit_is_found)
{
    struct buffer b;
    struct wlog_frame f, found;
    const char *text;

    make_frame(&b, &f);
    for (size_t bit = 0; bit < 8 * (WLOG_FRAME_HEADER + (size_t)f.payload); bit++) {
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(wlog_frame_read(b.data, b.len, &found, &text), WLOG_TORN, "bit %zu", bit);
        cr_assert_not_null(text);
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    b.data[b.len - 1] ^= 1;
    check_frame(b.data, b.len, &f);
    buffer_fini(&b);
}

Test(wlog_format, every_replaced_byte_is_found)
{
    struct buffer b;
    struct wlog_frame f, found;

    make_frame(&b, &f);
    for (size_t i = 0; i < WLOG_FRAME_HEADER + (size_t)f.payload; i++) {
        uint8_t was = b.data[i];
        const uint8_t others[] = {0, 0xff, (uint8_t)(was + 1), (uint8_t)(was ^ 0x55)};
        for (unsigned k = 0; k < 4; k++) {
            b.data[i] = others[k];
            if (others[k] != was)
                cr_assert_eq(wlog_frame_read(b.data, b.len, &found, NULL), WLOG_TORN, "byte %zu",
                             i);
        }
        b.data[i] = was;
    }
    buffer_fini(&b);
}

Test(wlog_format, a_frame_cut_anywhere_is_torn)
{
    struct buffer b;
    struct wlog_frame f, found;
    size_t end;

    make_frame(&b, &f);
    end = WLOG_FRAME_HEADER + (size_t)f.payload;
    for (size_t len = 0; len < b.len; len += 61) {
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, b.data, len);
        cr_assert_eq(wlog_frame_read(exact, len, &found, NULL), WLOG_TORN, "length %zu", len);
        free(exact);
    }
    for (size_t from = 512; from < end; from += 512) {
        uint8_t *torn = malloc(b.len);
        memcpy(torn, b.data, b.len);
        memset(torn + from, 0, b.len - from);
        cr_assert_eq(wlog_frame_read(torn, b.len, &found, NULL), WLOG_TORN, "cut at %zu", from);
        free(torn);
    }
    buffer_fini(&b);
}

Test(wlog_format, zeros_are_nothing_when_a_unit_of_them_is_there)
{
    static const uint8_t zeros[WLOG_UNIT];
    struct wlog_frame found;

    cr_assert_eq(wlog_frame_read(zeros, sizeof(zeros), &found, NULL), WLOG_NOTHING);
    cr_assert_eq(wlog_frame_read(zeros, sizeof(zeros) - 1, &found, NULL), WLOG_TORN);
    cr_assert_eq(wlog_frame_read(zeros, 0, &found, NULL), WLOG_TORN);
}

/* A header that lies about its records, with a checksum that fits: made by a program, not by a disk. */
Test(wlog_format, records_that_do_not_fit_are_refused)
{
    struct buffer b;
    struct wlog_frame f;
    uint32_t n = 0;

    make_frame(&b, &f);
    f.records = RECORDS + 1;
    cr_assert_eq(wlog_frame_records(b.data, &f, check_record, &n), -EBADMSG);
    n = 0;
    f.records = RECORDS - 1;
    cr_assert_eq(wlog_frame_records(b.data, &f, check_record, &n), -EBADMSG);
    n = 0;
    f.records = RECORDS;
    f.payload -= 8;
    cr_assert_eq(wlog_frame_records(b.data, &f, check_record, &n), -EBADMSG);
    f.payload += 8;
    f.first_lsn++;
    n = 0;
    cr_assert_eq(wlog_frame_records(b.data, &f, check_record, &n), -EBADMSG);
    buffer_fini(&b);
}

static int refuse(void *ctx, const struct wlog_record *rec, uint64_t node_lsn)
{
    (void)ctx;
    (void)rec;
    (void)node_lsn;
    return -EPERM;
}

Test(wlog_format, what_apply_answers_is_returned)
{
    struct buffer b;
    struct wlog_frame f;

    make_frame(&b, &f);
    cr_assert_eq(wlog_frame_records(b.data, &f, refuse, NULL), -EPERM);
    buffer_fini(&b);
}

Test(wlog_format, a_buffer_without_room_is_reported)
{
    struct buffer b;
    struct wlog_record rec = {.kind = LOG_BATCH, .payload = payload, .len = 4096};

    buffer_init(&b, 4096);
    cr_assert_eq(wlog_frame_begin(&b), 0);
    cr_assert_eq(wlog_frame_add(&b, &rec, 1), -ENOBUFS);
    buffer_fini(&b);
}
