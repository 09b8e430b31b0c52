/* Directories of data files: round trips, and every kind of damage refused with its place. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/buffer.h"
#include "storage/colblock.h"
#include "storage/directory.h"

enum { FILE_BYTES = 1 << 20, COLUMNS = 3, BLOCKS = 3, ROWS = 2 * BLOCK_ROWS + 1000 };
enum { HEAD = 56, COLUMN_HEAD = 8, BLOCK = 32, COLUMN = 40 }; /* bytes on disk */
enum { FIRST_BLOCK = HEAD + COLUMNS * COLUMN_HEAD };

struct sample {
    struct segment_directory dir;
    uint16_t ids[COLUMNS];
    uint8_t layouts[COLUMNS];
    struct directory_block blocks[BLOCKS];
    struct directory_column columns[BLOCKS * COLUMNS];
};

static void make(struct sample *s)
{
    *s = (struct sample){.ids = {9, 2, 65535},
                         .layouts = {LAYOUT_ORDERED, LAYOUT_ENUM, LAYOUT_LIST}};
    s->dir = (struct segment_directory){.id = {DATAFILE_SEGMENT, 4, 5, -86400, 6},
                                        .schema_version = 77,
                                        .rows = ROWS,
                                        .n_blocks = BLOCKS,
                                        .n_columns = COLUMNS,
                                        .column_ids = s->ids,
                                        .layouts = s->layouts,
                                        .blocks = s->blocks,
                                        .columns = s->columns};
    for (unsigned i = 0; i < BLOCKS; i++) {
        s->blocks[i].rows = s->blocks[i].live_count = i + 1 < BLOCKS ? BLOCK_ROWS : 1000;
        for (unsigned k = 0; k < COLUMNS; k++)
            s->columns[i * COLUMNS + k] =
                (struct directory_column){.ref = {4096 + (i * COLUMNS + k) * 6400, 6399, 1000 + i},
                                          .min = k ? 0 : INT64_MIN,
                                          .max = k ? UINT32_MAX : INT64_MAX,
                                          .any = true,
                                          .tight = k == 1,
                                          .has_nulls = i == 1};
    }
    s->blocks[1].live = (struct chunk_ref){FILE_BYTES - 8192, 8192, 5};
    s->blocks[1].live_count = 3;
    s->columns[4] = (struct directory_column){.has_nulls = true}; /* absent, no value */
}

static int decode(const struct buffer *b, uint64_t file_bytes, struct arena *arena,
                  struct segment_directory *out, struct error_info *err)
{
    arena_init(arena, 1 << 20, NULL);
    memset(err, 0, sizeof *err);
    return segment_directory_decode(b->data, b->len, file_bytes, arena, out, err);
}

Test(directory, segment_round_trip)
{
    struct segment_directory got;
    struct error_info err;
    struct arena arena;
    struct buffer b;
    struct sample s;

    make(&s);
    buffer_init(&b, 1 << 20);
    cr_assert_eq(segment_directory_encode(&s.dir, &b), 0);
    cr_assert_eq(decode(&b, FILE_BYTES, &arena, &got, &err), 0, "%s", err.text);
    cr_assert(got.id.kind == DATAFILE_SEGMENT && got.id.table_id == 4 && got.id.slot == 5 &&
              got.id.partition == -86400 && got.id.generation == 6);
    cr_assert(got.schema_version == 77 && got.rows == ROWS && got.n_blocks == BLOCKS &&
              got.n_columns == COLUMNS);
    cr_assert_arr_eq(got.column_ids, s.ids, sizeof s.ids);
    cr_assert_arr_eq(got.layouts, s.layouts, sizeof s.layouts);
    for (unsigned i = 0; i < BLOCKS; i++) {
        cr_assert_eq(got.blocks[i].rows, s.blocks[i].rows);
        cr_assert_eq(got.blocks[i].live_count, s.blocks[i].live_count);
        cr_assert_eq(got.blocks[i].live.offset, s.blocks[i].live.offset);
    }
    for (unsigned i = 0; i < BLOCKS * COLUMNS; i++) {
        const struct directory_column *x = &got.columns[i], *y = &s.columns[i];

        cr_assert(x->ref.offset == y->ref.offset && x->ref.len == y->ref.len &&
                  x->ref.hash == y->ref.hash && x->min == y->min && x->max == y->max &&
                  x->any == y->any && x->tight == y->tight && x->has_nulls == y->has_nulls);
    }
    arena_fini(&arena);
    buffer_fini(&b);
}

Test(directory, empty_segment)
{
    struct segment_directory d = {.id = {DATAFILE_SEGMENT, 1, 2, 0, 3}}, got;
    struct error_info err;
    struct arena arena;
    struct buffer b;

    buffer_init(&b, 1 << 20);
    cr_assert_eq(segment_directory_encode(&d, &b), 0);
    cr_assert_eq(decode(&b, FILE_BYTES, &arena, &got, &err), 0, "%s", err.text);
    cr_assert(got.rows == 0 && got.n_blocks == 0 && got.n_columns == 0);
    arena_fini(&arena);
    buffer_fini(&b);
}

/* The value of `width` bytes at `at` of a good directory becomes another one. */
static void refuse(size_t at, size_t width, uint64_t value, const char *word)
{
    struct segment_directory got;
    struct error_info err;
    struct arena arena;
    struct buffer b;
    struct sample s;

    make(&s);
    buffer_init(&b, 1 << 20);
    cr_assert_eq(segment_directory_encode(&s.dir, &b), 0);
    memcpy(b.data + at, &value, width);
    cr_assert_eq(decode(&b, FILE_BYTES, &arena, &got, &err), -EBADMSG, "offset %zu", at);
    cr_assert(strstr(err.text, word), "offset %zu: %s", at, err.text);
    arena_fini(&arena);
    buffer_fini(&b);
}

Test(directory, damage_is_refused)
{
    const size_t column = FIRST_BLOCK + BLOCK;

    refuse(0, 4, 0, "begins with");
    refuse(4, 4, 2, "version 2; this program reads version 1");
    refuse(40, 4, 1, "blocks");      /* rows */
    refuse(40, 4, ROWS + 1, "rows"); /* of the last block */
    refuse(44, 4, BLOCKS + 1, "blocks");
    refuse(44, 4, UINT32_MAX, "blocks");
    refuse(48, 4, 1026, "columns; allowed are up to 1025");
    refuse(48, 4, COLUMNS + 1, "bytes");
    refuse(52, 4, 1, "reserved");
    refuse(HEAD, 2, 2, "two columns have the id 2");
    refuse(HEAD + 2, 1, 4, "layout 4; allowed are 0 to 3");
    refuse(HEAD + 3, 1, 1, "reserved");
    refuse(FIRST_BLOCK + 20, 4, 100, "rows; expected were 65536");
    refuse(FIRST_BLOCK + 24, 4, BLOCK_ROWS + 1, "live");
    refuse(FIRST_BLOCK + 24, 4, 5, "no row mask");
    refuse(FIRST_BLOCK, 8, 8192, "a chunk of 0 bytes");
    refuse(FIRST_BLOCK + BLOCK + COLUMNS * COLUMN + 16, 4, 8184, "the row mask has 8184 bytes");
    refuse(column, 8, 64, "allowed are multiples of 64 from 4096 on");
    refuse(column, 8, 4097, "allowed are multiples of 64 from 4096 on");
    refuse(column, 8, FILE_BYTES, "beyond the file's 1048576 bytes");
    refuse(column, 8, UINT64_MAX - 63, "beyond the file's 1048576 bytes");
    refuse(column + 16, 4, FILE_BYTES, "beyond the file's 1048576 bytes");
    refuse(column + 16, 4, DATAFILE_MAX_CHUNK + 1, "allowed are 1 to 67108864");
    refuse(column + 20, 1, 8, "flags 08");
    refuse(column + 20, 1, 0, "of no values");
    refuse(column + 21, 1, 1, "flags");
    refuse(column + COLUMN + 32, 8, UINT64_MAX, "bounds 0 to -1");
    refuse(column + COLUMN + 24, 8, UINT64_MAX, "codes from -1");
    refuse(column + COLUMN + 32, 8, 1ull << 32, "codes from 0 to 4294967296");
}

Test(directory, cut_or_longer_is_refused)
{
    struct segment_directory got;
    struct error_info err;
    struct arena arena;
    struct buffer b;
    struct sample s;
    size_t whole;

    make(&s);
    buffer_init(&b, 1 << 20);
    cr_assert_eq(segment_directory_encode(&s.dir, &b), 0);
    whole = b.len;
    for (b.len = 0; b.len < whole; b.len++) {
        cr_assert_eq(decode(&b, FILE_BYTES, &arena, &got, &err), -EBADMSG);
        arena_fini(&arena);
    }
    cr_assert_eq(buffer_append(&b, "", 1), 0);
    cr_assert_eq(decode(&b, FILE_BYTES, &arena, &got, &err), -EBADMSG);
    arena_fini(&arena);
    b.len = whole;
    cr_assert_eq(decode(&b, FILE_BYTES - 64, &arena, &got, &err), -EBADMSG);
    arena_fini(&arena);
    arena_init(&arena, 100, NULL);
    cr_assert_eq(segment_directory_decode(b.data, b.len, FILE_BYTES, &arena, &got, &err), -ENOMEM);
    arena_fini(&arena);
    buffer_fini(&b);
}

static void make_dicts(struct dict_directory *d, struct dict_piece p[4])
{
    p[0] = (struct dict_piece){7, false, 0, 100, {4096, 500, 1}};
    p[1] = (struct dict_piece){65535, false, 0, 1, {4608, 500, 2}};
    p[2] = (struct dict_piece){7, true, 0, 9, {5120, 500, 3}};
    p[3] = (struct dict_piece){7, false, 100, 5, {5632, 500, 4}};
    *d = (struct dict_directory){{DATAFILE_DICTS, 3, 2, 0, 8, false}, 4, p};
}

Test(directory, dicts_round_trip)
{
    struct dict_directory d, got;
    struct dict_piece p[4];
    struct error_info err;
    struct arena arena;
    struct buffer b;

    make_dicts(&d, p);
    buffer_init(&b, 1 << 20);
    arena_init(&arena, 1 << 20, NULL);
    cr_assert_eq(dict_directory_encode(&d, &b), 0);
    cr_assert_eq(dict_directory_decode(b.data, b.len, 6132, &arena, &got, &err), 0, "%s", err.text);
    cr_assert(got.id.kind == DATAFILE_DICTS && got.id.table_id == 3 && got.id.slot == 2 &&
              got.id.partition == 0 && got.id.generation == 8 && got.n_pieces == 4);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert(got.pieces[i].column_id == p[i].column_id && got.pieces[i].lists == p[i].lists);
        cr_assert(got.pieces[i].first == p[i].first && got.pieces[i].n == p[i].n);
        cr_assert(got.pieces[i].ref.offset == p[i].ref.offset &&
                  got.pieces[i].ref.hash == p[i].ref.hash);
    }
    for (size_t len = 0; len < b.len; len++)
        cr_assert_eq(dict_directory_decode(b.data, len, 6132, &arena, &got, &err), -EBADMSG);
    cr_assert_eq(dict_directory_decode(b.data, b.len, 6131, &arena, &got, &err), -EBADMSG);
    arena_fini(&arena);
    buffer_fini(&b);
}

static void refuse_dicts(size_t at, size_t width, uint64_t value, const char *word)
{
    struct dict_directory d, got;
    struct dict_piece p[4];
    struct error_info err;
    struct arena arena;
    struct buffer b;

    make_dicts(&d, p);
    buffer_init(&b, 1 << 20);
    arena_init(&arena, 1 << 20, NULL);
    cr_assert_eq(dict_directory_encode(&d, &b), 0);
    memcpy(b.data + at, &value, width);
    cr_assert_eq(dict_directory_decode(b.data, b.len, FILE_BYTES, &arena, &got, &err), -EBADMSG,
                 "offset %zu", at);
    cr_assert(strstr(err.text, word), "offset %zu: %s", at, err.text);
    arena_fini(&arena);
    buffer_fini(&b);
}

Test(directory, damage_of_dicts_is_refused)
{
    refuse_dicts(0, 4, 1, "begins with");
    refuse_dicts(4, 4, 9, "version 9");
    refuse_dicts(24, 4, 5, "pieces have");
    refuse_dicts(24, 4, UINT32_MAX, "pieces have");
    refuse_dicts(28, 4, 1, "reserved");
    refuse_dicts(32, 8, 0, "allowed are multiples of 64 from 4096 on");
    refuse_dicts(32 + 20, 4, 1, "expected was 0");
    refuse_dicts(32 + 24, 4, 99, "expected was 99");
    refuse_dicts(32 + 24, 4, 0, "has 0 entries");
    refuse_dicts(32 + 24, 4, UINT32_MAX, "entries from code 0 on");
    refuse_dicts(32 + 28, 2, 8, "expected was 0");
    refuse_dicts(32 + 30, 1, 2, "flags 02");
    refuse_dicts(32 + 31, 1, 1, "flags 00 01");
}
