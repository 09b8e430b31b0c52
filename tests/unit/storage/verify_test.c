/* Verification of a small data directory made by hand: whole, and with every kind of damage. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reactor/buffer.h"
#include "storage/catalog.h"
#include "storage/colblock_change.h"
#include "storage/column_image.h"
#include "storage/datadir.h"
#include "storage/dict_image.h"
#include "storage/directory.h"
#include "storage/presence.h"
#include "storage/root.h"
#include "storage/verify.h"
#include "storage/wlog_format.h"

enum { ROWS = 1500, LOG_BYTES = 5 * WLOG_UNIT, MAX_CHUNKS = 16 };

/* A data directory; the chunks of its files, whose bytes count. */
struct place {
    char dir[64], dicts[DATAFILE_PATH_MAX], segment[DATAFILE_PATH_MAX];
    struct datadir meta;
    struct schema *schema;
    struct catalog *catalog;
    struct dict *words;
    struct chunk_ref chunks[2][MAX_CHUNKS]; /* of the dictionaries' file, of the segment's */
    unsigned n_chunks[2];
    struct segment_directory segment_dir;
    uint32_t n_codes; /* as the dictionary piece has them */
};

static void full(const struct place *p, char *out, size_t cap, const char *file)
{
    cr_assert_lt(snprintf(out, cap, "%s/%s", p->dir, file), (int)cap);
}

static void save(const struct place *p, const char *file, const void *bytes, size_t n)
{
    char path[300];

    full(p, path, sizeof path, file);
    for (char *at = path + strlen(p->dir) + 1; (at = strchr(at, '/')); at++) {
        *at = 0;
        mkdir(path, 0700);
        *at = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static void note(struct place *p, unsigned file, const struct chunk_ref *ref)
{
    cr_assert_lt(p->n_chunks[file], MAX_CHUNKS);
    p->chunks[file][p->n_chunks[file]++] = *ref;
}

/* Header, extent, directory as last chunk: the file and its entry in the root. */
static void finish(struct place *p, unsigned file, const char *name, const struct datafile_id *id,
                   struct buffer *extent, const struct chunk_ref *directory, struct buffer *part)
{
    uint8_t *bytes;
    struct root_file f = {.id = *id, .directory = *directory};

    note(p, file, directory);
    cr_assert_eq(datafile_seal(extent, DATAFILE_UNIT), 0);
    f.bytes = DATAFILE_UNIT + extent->len;
    bytes = malloc(f.bytes);
    datafile_header(id, p->meta.id, bytes);
    memcpy(bytes + DATAFILE_UNIT, extent->data, extent->len);
    save(p, name, bytes, f.bytes);
    free(bytes);
    cr_assert_eq(root_put_file(part, &f), 0);
}

static void make_dicts(struct place *p, struct buffer *part)
{
    const struct datafile_id id = {DATAFILE_DICTS, p->schema->table_id, 0, 0, 1, false};
    struct dict_piece piece = {.column_id = p->schema->columns[1].id, .n = 5};
    struct dict_directory dir = {id, 1, &piece};
    struct buffer extent, image, bytes;
    struct chunk_ref ref;
    uint32_t end, code;

    p->words = dict_new(DICT_BYTES, 1, NULL);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(dict_put_bytes(p->words, "abcde" + i, 1, &code), 0);
    buffer_init(&extent, 1 << 20);
    buffer_init(&image, 1 << 20);
    buffer_init(&bytes, 1 << 20);
    cr_assert_eq(dict_image_encode(p->words, DICT_BYTES, 0, p->n_codes, 1000, &image, &end), 0);
    piece.n = p->n_codes;
    cr_assert_eq(datafile_put(&extent, DATAFILE_UNIT, image.data, (uint32_t)image.len, &piece.ref),
                 0);
    note(p, 0, &piece.ref);
    cr_assert_eq(dict_directory_encode(&dir, &bytes), 0);
    cr_assert_eq(datafile_put(&extent, DATAFILE_UNIT, bytes.data, (uint32_t)bytes.len, &ref), 0);
    datafile_path(p->dicts, sizeof p->dicts, &id);
    finish(p, 0, p->dicts, &id, &extent, &ref, part);
    buffer_fini(&extent);
    buffer_fini(&image);
    buffer_fini(&bytes);
}

static struct colblock *make_column(enum column_layout layout)
{
    struct colblock *c = colblock_new(layout, NULL, NULL);

    for (int64_t i = 0; i < ROWS; i++) {
        int64_t v = layout == LAYOUT_ORDERED ? i * 31 % 977 : i % 5;
        uint8_t present = layout == LAYOUT_ORDERED || i % 9;

        cr_assert_eq(colblock_reserve(c, &v, &present, 1), 0);
        colblock_append(c, &v, &present, 1);
    }
    cr_assert_eq(colblock_seal(c, 1024), 0);
    return c;
}

/* wrong: a field of the directory that is not as it should be. */
enum wrong { NOTHING_WRONG, WRONG_BOUNDS, WRONG_NULLS, WRONG_LIVE, WRONG_LAYOUT, WRONG_ID };

static void make_segment(struct place *p, enum wrong wrong, struct buffer *part)
{
    const struct datafile_id id = {DATAFILE_SEGMENT, p->schema->table_id, 0, 0, 2, false};
    uint16_t ids[2] = {p->schema->columns[0].id, p->schema->columns[1].id};
    uint8_t layouts[2] = {LAYOUT_ORDERED, LAYOUT_ENUM};
    struct directory_block block = {ROWS, ROWS - 3, {0}};
    struct directory_column columns[2] = {{.min = 0, .max = 976, .any = true, .tight = true},
                                          {.max = 4, .any = true, .has_nulls = true}};
    struct segment_directory dir = {
        .id = id, .schema_version = 1, .rows = ROWS, .n_blocks = 1, .n_columns = 2};
    uint64_t live[(ROWS + 63) / 64] = {0};
    struct buffer extent, bytes;
    struct chunk_ref ref;
    size_t start;

    buffer_init(&extent, 1 << 20);
    buffer_init(&bytes, 1 << 20);
    presence_fill(live, 0, ROWS - 3);
    cr_assert_eq(datafile_put(&extent, DATAFILE_UNIT, live, sizeof live, &block.live), 0);
    note(p, 1, &block.live);
    for (int k = 0; k < 2; k++) {
        struct colblock *c = make_column(layouts[k]);

        cr_assert_eq(datafile_begin(&extent, &start), 0);
        cr_assert_eq(column_image_encode(c, ROWS, &extent), 0);
        cr_assert_eq(datafile_end(&extent, DATAFILE_UNIT, start, &columns[k].ref), 0);
        note(p, 1, &columns[k].ref);
        colblock_free(c);
    }
    columns[0].max -= wrong == WRONG_BOUNDS;
    columns[1].has_nulls = wrong != WRONG_NULLS;
    block.live_count -= wrong == WRONG_LIVE;
    layouts[1] = wrong == WRONG_LAYOUT ? LAYOUT_CODED : LAYOUT_ENUM;
    dir.id.generation += wrong == WRONG_ID;
    dir.column_ids = ids;
    dir.layouts = layouts;
    dir.blocks = &block;
    dir.columns = columns;
    cr_assert_eq(segment_directory_encode(&dir, &bytes), 0);
    cr_assert_eq(datafile_put(&extent, DATAFILE_UNIT, bytes.data, (uint32_t)bytes.len, &ref), 0);
    datafile_path(p->segment, sizeof p->segment, &id);
    finish(p, 1, p->segment, &id, &extent, &ref, part);
    buffer_fini(&extent);
    buffer_fini(&bytes);
}

/* A file of the log: `groups` of one record from an LSN on, zeros after them. */
static void make_log(struct place *p, uint64_t generation, uint64_t first_lsn, unsigned groups)
{
    uint8_t *bytes = calloc(1, LOG_BYTES);
    char name[32];

    for (unsigned i = 0; i < groups; i++) {
        struct wlog_frame f = {.generation = generation, .first_lsn = first_lsn + i, .records = 1};
        struct wlog_record rec = {.kind = LOG_BARRIER, .payload = "1234567", .len = 8};
        struct buffer b;

        buffer_init(&b, 1 << 20);
        cr_assert_eq(wlog_frame_begin(&b), 0);
        cr_assert_eq(wlog_frame_add(&b, &rec, first_lsn + i), 0);
        cr_assert_eq(wlog_frame_end(&b, &f), 0);
        cr_assert_eq(b.len, WLOG_UNIT);
        memcpy(bytes + i * WLOG_UNIT, b.data, b.len);
        buffer_fini(&b);
    }
    snprintf(name, sizeof name, "log-%08" PRIu64 ".qlg", generation);
    save(p, name, bytes, LOG_BYTES);
    free(bytes);
}

static void make_root(struct place *p, enum wrong wrong)
{
    struct buffer part, out, *parts[1] = {&part};
    struct root_head head = {.round = 9, .log_generation = 2};
    uint8_t *catalog;
    size_t len;

    buffer_init(&part, 1 << 20);
    buffer_init(&out, 1 << 20);
    cr_assert_eq(root_put_slot(&part, &(struct root_slot){.slot = 0, .lsn = 3}), 0);
    p->n_chunks[0] = p->n_chunks[1] = 0;
    dict_free(p->words);
    make_dicts(p, &part);
    make_segment(p, wrong, &part);
    cr_assert_eq(catalog_encode(p->catalog, &catalog, &len), 0);
    head.catalog = catalog;
    head.catalog_len = (uint32_t)len;
    cr_assert_eq(root_encode(&head, p->meta.id, parts, 1, &out), 0);
    save(p, ROOT_FILE, out.data, out.len);
    free(catalog);
    buffer_fini(&part);
    buffer_fini(&out);
}

static void place_init(struct place *p)
{
    struct catalog *none = catalog_new();
    struct error_info err = {0};

    *p = (struct place){.dir = "/tmp/quanta-verify-XXXXXX", .n_codes = 5};
    cr_assert_not_null(mkdtemp(p->dir));
    cr_assert_eq(datadir_open(p->dir, 0, &p->meta, &err), 0, "%s", err.text);
    datadir_close(&p->meta);
    p->schema = schema_new("t");
    cr_assert_not_null(schema_add_column(p->schema, "a", COLUMN_INT, MAPPING_INT_BSI));
    cr_assert_not_null(schema_add_column(p->schema, "b", COLUMN_STRING, MAPPING_STRING_ENUM));
    p->schema->primary_key = strdup("a");
    cr_assert_eq(schema_finish(p->schema, &err), 0, "%s", err.text);
    cr_assert_eq(catalog_with_table(none, p->schema, &p->catalog), 0);
    catalog_put(none);
    make_root(p, NOTHING_WRONG);
    make_log(p, 2, 100, 3);
    make_log(p, 3, 103, 2);
}

static void place_fini(struct place *p)
{
    static const char *const folders[] = {"data/t%u/s0", "data/t%u", "data"};
    const char *const files[] = {p->dicts,      p->segment,         ROOT_FILE,
                                 "quanta.meta", "log-00000002.qlg", "log-00000003.qlg",
                                 "quanta.lock"};
    char path[300], name[100];

    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        full(p, path, sizeof path, files[i]);
        unlink(path);
    }
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, folders[i], p->schema->table_id);
        full(p, path, sizeof path, name);
        rmdir(path);
    }
    cr_assert_eq(rmdir(p->dir), 0);
    dict_free(p->words);
    catalog_put(p->catalog);
    schema_put(p->schema);
}

/* First finding or notice. */
struct seen {
    char file[100], what[600];
    uint64_t offset;
    bool is_notice;
    unsigned n;
};

static void see(void *ctx, const struct verify_finding *f)
{
    struct seen *s = ctx;

    if (s->n++)
        return;
    snprintf(s->file, sizeof s->file, "%s", f->file);
    snprintf(s->what, sizeof s->what, "%s", f->what);
    s->offset = f->offset;
    s->is_notice = f->is_notice;
}

static struct verify_counts look(const struct place *p, struct seen *s)
{
    struct verify_config config = {.dir = p->dir, .found = see, .ctx = s};
    struct verify_counts counts;
    struct error_info err = {0};

    *s = (struct seen){0};
    cr_assert_eq(verify_directory(&config, &counts, &err), 0, "%s", err.text);
    return counts;
}

static void flip(const struct place *p, const char *file, uint64_t bit)
{
    char path[300];
    uint8_t byte;

    full(p, path, sizeof path, file);
    int fd = open(path, O_RDWR);
    cr_assert_eq(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte ^= (uint8_t)(1 << bit % 8);
    cr_assert_eq(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

Test(verify, a_whole_directory)
{
    struct verify_counts c;
    struct place p;
    struct seen s;

    place_init(&p);
    c = look(&p, &s);
    cr_assert(s.n == 0 && c.findings == 0 && c.notices == 0, "%s: %s", s.file, s.what);
    cr_assert(c.has_checkpoint && c.checkpoint_round == 9 && c.files == 2 && c.segments == 1);
    cr_assert(c.chunks == 6 && c.rows == ROWS - 3 && c.dict_entries == 5);
    cr_assert(c.log_files == 2 && c.log_groups == 5 && c.log_records == 5);
    place_fini(&p);
}

Test(verify, every_flipped_bit_of_the_checkpoint)
{
    const char *files[2];
    struct place p;
    struct seen s;

    place_init(&p);
    files[0] = p.dicts;
    files[1] = p.segment;
    for (unsigned f = 0; f < 2; f++) {
        for (uint64_t bit = 0; bit < DATAFILE_UNIT * 8; bit += 211) {
            flip(&p, files[f], bit);
            look(&p, &s);
            cr_assert_str_eq(s.file, files[f]);
            cr_assert_eq(s.offset, 0);
            flip(&p, files[f], bit);
        }
        for (unsigned i = 0; i < p.n_chunks[f]; i++) {
            const struct chunk_ref *ref = &p.chunks[f][i];

            for (uint64_t k = 0; k < 20; k++) {
                uint64_t bit = ref->offset * 8 + k * (ref->len * 8ull - 1) / 19;

                flip(&p, files[f], bit);
                look(&p, &s);
                cr_assert_str_eq(s.file, files[f]);
                cr_assert_eq(s.offset, ref->offset, "chunk %u: %s", i, s.what);
                cr_assert(strstr(s.what, "does not match"), "%s", s.what);
                flip(&p, files[f], bit);
            }
        }
    }
    for (uint64_t bit = 0; bit < 96 * 8; bit += 13) {
        flip(&p, ROOT_FILE, bit);
        cr_assert_eq(look(&p, &s).log_groups, 5, "the log is looked at all the same");
        cr_assert_str_eq(s.file, ROOT_FILE);
        flip(&p, ROOT_FILE, bit);
    }
    cr_assert_eq(look(&p, &s).findings, 0);
    place_fini(&p);
}

Test(verify, every_byte_of_a_data_file)
{
    struct place p;
    struct seen s;

    place_init(&p);
    for (unsigned f = 0; f < 2; f++) {
        const char *file = f ? p.segment : p.dicts;
        char path[300];
        struct stat st;

        full(&p, path, sizeof path, file);
        cr_assert_eq(stat(path, &st), 0);
        for (uint64_t byte = DATAFILE_UNIT; byte < (uint64_t)st.st_size; byte += 13) {
            flip(&p, file, byte * 8 + byte % 8);
            cr_assert_eq(look(&p, &s).findings, 1, "byte %" PRIu64 ": %s", byte, s.what);
            cr_assert_str_eq(s.file, file);
            cr_assert(s.offset >= DATAFILE_UNIT && s.offset <= byte, "%" PRIu64, byte);
            flip(&p, file, byte * 8 + byte % 8);
        }
    }
    place_fini(&p);
}

Test(verify, what_does_not_go_together)
{
    static const char *const words[] = {"",
                                        "the directory's bounds are 0 to 975",
                                        "its directory says that it has none",
                                        "a row mask with 1497 rows; its directory says 1496",
                                        "by the schema it is 1",
                                        "that of another file"};
    struct place p;
    struct seen s;

    place_init(&p);
    for (int wrong = WRONG_BOUNDS; wrong <= WRONG_ID; wrong++) {
        make_root(&p, wrong);
        cr_assert_geq(look(&p, &s).findings, 1);
        cr_assert_str_eq(s.file, p.segment);
        cr_assert(strstr(s.what, words[wrong]), "%d: %s", wrong, s.what);
    }
    p.n_codes = 4;
    make_root(&p, NOTHING_WRONG);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert(strstr(s.what, "the dictionary has 4"), "%s", s.what);
    p.n_codes = 5;
    make_root(&p, NOTHING_WRONG);
    cr_assert_eq(look(&p, &s).findings, 0);
    place_fini(&p);
}

Test(verify, missing_and_cut_files)
{
    char path[300], aside[310];
    struct place p;
    struct seen s;

    place_init(&p);
    full(&p, path, sizeof path, p.segment);
    snprintf(aside, sizeof aside, "%s.x", path);
    cr_assert_eq(rename(path, aside), 0);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_str_eq(s.file, p.segment);
    cr_assert_eq(rename(aside, path), 0);
    cr_assert_eq(truncate(path, DATAFILE_UNIT), 0);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_eq(s.offset, DATAFILE_UNIT);
    make_root(&p, NOTHING_WRONG);
    full(&p, path, sizeof path, "log-00000002.qlg");
    unlink(path);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_str_eq(s.file, "log-00000002.qlg");
    make_log(&p, 2, 100, 3);
    cr_assert_eq(look(&p, &s).findings, 0);
    full(&p, path, sizeof path, ROOT_FILE);
    unlink(path);
    /* Without a checkpoint the log must begin with its first file. */
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_str_eq(s.file, "log-00000001.qlg");
    place_fini(&p);
}

Test(verify, the_log)
{
    struct place p;
    struct seen s;

    place_init(&p);
    for (unsigned group = 0; group < 5; group++) {
        const char *file = group < 3 ? "log-00000002.qlg" : "log-00000003.qlg";
        uint64_t offset = (group < 3 ? group : group - 3) * (uint64_t)WLOG_UNIT;

        for (uint64_t bit = 0; bit < 1000; bit += bit < 512 ? 17 : 61) {
            flip(&p, file, offset * 8 + bit % 928);
            struct verify_counts c = look(&p, &s);
            cr_assert_eq(c.findings, group < 4, "group %u bit %d: %s", group, (int)bit, s.what);
            cr_assert_eq(c.notices, group == 4);
            cr_assert_str_eq(s.file, file);
            cr_assert_eq(s.offset, offset);
            flip(&p, file, offset * 8 + bit % 928);
        }
    }
    /* Behind the records of a group, and behind the last group. */
    flip(&p, "log-00000002.qlg", (WLOG_UNIT + 2000) * 8);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_eq(s.offset, WLOG_UNIT + WLOG_FRAME_HEADER + WLOG_RECORD_HEADER + 8);
    flip(&p, "log-00000002.qlg", (WLOG_UNIT + 2000) * 8);
    flip(&p, "log-00000003.qlg", (3 * WLOG_UNIT + 5) * 8);
    struct verify_counts c = look(&p, &s);
    cr_assert(c.findings == 0 && c.notices == 1 && s.offset == 2 * WLOG_UNIT, "%s", s.what);
    make_log(&p, 3, 104, 2);
    cr_assert_eq(look(&p, &s).findings, 1);
    make_log(&p, 3, 103, 0);
    cr_assert_eq(look(&p, &s).findings, 0, "the next file is made ahead");
    place_fini(&p);
}

Test(verify, where_there_is_nothing)
{
    struct verify_config config = {.dir = "/tmp/quanta-verify-none", .found = see};
    struct verify_counts counts;
    struct error_info err = {0};
    struct seen s = {0};
    struct place p;
    struct datadir lock;

    config.ctx = &s;
    cr_assert_eq(verify_directory(&config, &counts, &err), -ENOENT);
    cr_assert_neq(access(config.dir, F_OK), 0, "it was not made");
    place_init(&p);
    config.dir = p.dir;
    cr_assert_eq(datadir_open(p.dir, 0, &lock, &err), 0);
    cr_assert_eq(verify_directory(&config, &counts, &err), -EWOULDBLOCK);
    cr_assert(strstr(err.text, "in use by another process"), "%s", err.text);
    datadir_close(&lock);
    flip(&p, "quanta.meta", 3);
    cr_assert_eq(look(&p, &s).findings, 1);
    cr_assert_str_eq(s.file, "quanta.meta");
    place_fini(&p);
}
