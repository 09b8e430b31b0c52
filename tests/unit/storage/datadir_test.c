/* The data directory: made, opened again, locked, and refused when it is not one. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/datadir.h"

static char base[64];

static void setup(void)
{
    snprintf(base, sizeof(base), "/tmp/quanta-datadir-XXXXXX");
    cr_assert(mkdtemp(base));
}

static void teardown(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -rf %s", base);
    cr_assert_eq(system(command), 0);
}

TestSuite(datadir, .init = setup, .fini = teardown);

static const char *path(const char *name)
{
    static char text[2][128];
    static unsigned at;

    at = !at;
    snprintf(text[at], sizeof(text[at]), "%s/%s", base, name);
    return text[at];
}

static void write_meta(const char *text)
{
    FILE *f;

    mkdir(path("d"), 0700);
    f = fopen(path("d/quanta.meta"), "w");
    cr_assert(f);
    fputs(text, f);
    fclose(f);
}

Test(datadir, a_new_one_is_made_and_keeps_its_facts)
{
    struct error_info err;
    struct datadir a, b;
    struct stat st;

    cr_assert_eq(datadir_open(path("x/y/z"), 5, &a, &err), 0, "%s", err.text);
    cr_assert_eq(a.slot_bits, 5);
    cr_assert_eq(strlen(a.id), 32);
    cr_assert_eq(stat(path("x/y/z"), &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0700, "others see nothing of the data");
    datadir_close(&a);
    cr_assert_eq(datadir_open(path("x/y/z"), 9, &b, &err), 0, "%s", err.text);
    cr_assert_eq(b.slot_bits, 5, "fixed at creation");
    cr_assert_eq(b.hash_seed, a.hash_seed);
    cr_assert_str_eq(b.id, a.id);
    datadir_close(&b);
}

Test(datadir, two_directories_differ)
{
    struct error_info err;
    struct datadir a, b;

    cr_assert_eq(datadir_open(path("a"), 1, &a, &err), 0);
    cr_assert_eq(datadir_open(path("b"), 1, &b, &err), 0);
    cr_assert_neq(a.hash_seed, b.hash_seed);
    cr_assert_str_neq(a.id, b.id);
    datadir_close(&a);
    datadir_close(&b);
}

Test(datadir, only_one_process_may_use_it)
{
    struct error_info err;
    struct datadir a, b;

    cr_assert_eq(datadir_open(path("d"), 1, &a, &err), 0);
    cr_assert_eq(datadir_open(path("d"), 1, &b, &err), -EWOULDBLOCK);
    cr_assert_not_null(strstr(err.text, path("d")));
    cr_assert_eq(b.lock_fd, -1);
    datadir_close(&b);
    datadir_close(&a);
    cr_assert_eq(datadir_open(path("d"), 1, &b, &err), 0, "free again");
    datadir_close(&b);
}

static void check_refused(const char *meta, const char *said)
{
    struct error_info err = {0};
    struct datadir d;

    write_meta(meta);
    cr_assert_eq(datadir_open(path("d"), 1, &d, &err), -EBADMSG, "opened with: %s", meta);
    cr_assert_not_null(strstr(err.text, "quanta.meta"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, said), "%s", err.text);
    cr_assert_eq(d.lock_fd, -1, "the lock is given back");
}

Test(datadir, damaged_facts_are_refused)
{
    struct error_info err;
    struct datadir d = {.version = DATADIR_VERSION, .slot_bits = 17, .hash_seed = 0x1f};
    const char *id = "00112233445566778899aabbccddeeff";
    char text[300];

    check_refused("", "damaged");
    check_refused("something else\n", "damaged");
    check_refused("quanta data directory\nversion: 3\nslot_bits: 3\n", "damaged");
    snprintf(text, sizeof(text),
             "quanta data directory\nversion: 6\nslot_bits: 3\nhash_seed: 1f\nid: %s\n", id);
    check_refused(text, "version 6");
    snprintf(text, sizeof(text),
             "quanta data directory\nversion: 5\nslot_bits: 3\nhash_seed: 1f\nid: %s\n", id);
    check_refused(text, "doublings");
    snprintf(text, sizeof(text),
             "quanta data directory\nversion: 3\nslot_bits: 3\nhash_seed: 1f\nid: %s\n", id);
    check_refused(text, "checksum");
    strcpy(d.id, id);
    cr_assert_eq(datadir_write_meta(path("d"), &d), 0);
    cr_assert_eq(datadir_open(path("d"), 1, &d, &err), -EBADMSG);
    cr_assert_not_null(strstr(err.text, "slot_bits 17"), "%s", err.text);
    d.slot_bits = 3;
    d.doublings = 4;
    cr_assert_eq(datadir_write_meta(path("d"), &d), 0);
    cr_assert_eq(datadir_open(path("d"), 1, &d, &err), -EBADMSG);
    cr_assert_not_null(strstr(err.text, "doublings 4; allowed are 0 to 3"), "%s", err.text);
}

Test(datadir, one_whose_slots_were_split_says_so)
{
    struct error_info err;
    struct datadir a, b;

    cr_assert_eq(datadir_open(path("s"), 1, &a, &err), 0, "%s", err.text);
    cr_assert(a.version == DATADIR_UNSPLIT && a.doublings == 0, "programs before read it");
    a.version = DATADIR_VERSION;
    a.slot_bits = 4;
    a.doublings = 3;
    cr_assert_eq(datadir_write_meta(path("s"), &a), 0);
    datadir_close(&a);
    cr_assert_eq(datadir_open(path("s"), 1, &b, &err), 0, "%s", err.text);
    cr_assert(b.slot_bits == 4 && b.doublings == 3 && b.hash_seed == a.hash_seed);
    cr_assert_eq(datadir_upgrade(path("s"), &b), 0);
    cr_assert_eq(b.version, DATADIR_VERSION);
    datadir_close(&b);
}

Test(datadir, every_flipped_bit_is_refused)
{
    struct error_info err = {0};
    char text[300];
    struct datadir d;

    cr_assert_eq(datadir_open(path("d"), 3, &d, &err), 0, "%s", err.text);
    datadir_close(&d);
    FILE *f = fopen(path("d/quanta.meta"), "r");
    size_t n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    for (size_t bit = 0; bit < n * 8; bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        check_refused(text, "");
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    write_meta(text);
    cr_assert_eq(datadir_open(path("d"), 3, &d, &err), 0, "%s", err.text);
    datadir_close(&d);
}

Test(datadir, a_path_that_cannot_be_is_named)
{
    struct error_info err = {0};
    struct datadir d;
    FILE *f = fopen(path("file"), "w");

    fclose(f);
    cr_assert_neq(datadir_open(path("file/d"), 1, &d, &err), 0);
    cr_assert_not_null(strstr(err.text, "file/d"), "%s", err.text);
    cr_assert_neq(datadir_open(path("file"), 1, &d, &err), 0);
}
