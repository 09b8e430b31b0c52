/* The users file and the slow hash of its secrets. */
#include <errno.h>

#include "mysql_test_util.h"
#include "sql/sha256_crypt.h"
#include "sql/users.h"

/* Longer than a digest, and a multiple of it. */
#define LONG_PASSWORD "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

#define NATIVE "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"
#define SHA2_DIGEST "bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/"

/* What crypt(3) of glibc 2.36 answers for "$5$"; the first is also in Drepper's specification. */
Test(users, slow_hash_is_that_of_crypt)
{
    static const struct {
        const char *password, *salt, *text;
        uint32_t rounds;
    } cases[] = {
        {"Hello world!", "saltstring", "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", 0},
        {"Hello world!", "saltstringsaltst", "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", 10000},
        {LONG_PASSWORD, "abc", "YLSI691OLrQVAnV/PfiNcylkMemw3DoQz.INWMv3AeC", 0},
        {"a", "z", "6E03BLNlEIpNBbHsZCF6wth.jQ9s/PjwUzYH9jkw5dA", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t rounds = cases[i].rounds ? cases[i].rounds : USER_ROUNDS_DEFAULT;
        uint8_t digest[SHA256_CRYPT_DIGEST_LEN];
        char text[SHA256_CRYPT_TEXT_LEN];
        struct sha256_crypt c;

        cr_assert_eq(sha256_crypt_begin(&c, cases[i].password, strlen(cases[i].password),
                                        cases[i].salt, strlen(cases[i].salt)),
                     0);
        for (uint32_t round = 0; round < rounds; round += 250)
            cr_assert_eq(sha256_crypt_run(&c, round + 250), 0);
        sha256_crypt_encode(c.digest, text);
        cr_assert(memcmp(text, cases[i].text, sizeof text) == 0, "%zu: %.43s", i, text);
        cr_assert_eq(sha256_crypt_decode(text, digest), 0);
        cr_assert_arr_eq(digest, c.digest, sizeof digest);
    }
}

/* An account of MySQL 8 with the password "hashcat", hexadecimal as SHOW CREATE USER prints it. */
Test(users, accounts_of_mysql_are_read)
{
    static const char text[] =
        "0x2441243030352"
        "4F9CC98CE08892924F50A213B6BC571A2C11778C5"
        "625479393559393965414D45316477456B484F41316E64484742577A2E3162785353"
        "526B7554584647562F";
    struct sha256_crypt c;
    struct user u = {0};

    cr_assert(user_secret_parse(text, sizeof text - 1, &u));
    cr_assert(u.plugin == MYSQL_AUTH_CACHING_SHA2 && u.rounds == 5000 && u.salt_len == 20);
    cr_assert_eq(sha256_crypt_begin(&c, "hashcat", 7, u.salt, u.salt_len), 0);
    cr_assert_eq(sha256_crypt_run(&c, u.rounds), 0);
    cr_assert_arr_eq(c.digest, u.hash, sizeof u.hash);
    cr_assert(user_secret_parse(NATIVE, strlen(NATIVE), &u));
    cr_assert_eq(u.plugin, MYSQL_AUTH_NATIVE);
    cr_assert(bytes_are(u.hash, 20, "2470c0c06dee42fd1618bb99005adca2ec9d1e19"));
}

Test(users, made_secrets_are_read_back)
{
    char text[USER_SECRET_TEXT], again[USER_SECRET_TEXT];
    struct sha256_crypt c;
    struct user u = {0};

    cr_assert_eq(user_secret_make("secret", 6, false, text), 0);
    cr_assert_eq(user_secret_make("secret", 6, false, again), 0);
    cr_assert_str_neq(text, again, "the salt is another each time");
    cr_assert(user_secret_parse(text, strlen(text), &u));
    cr_assert_eq(sha256_crypt_begin(&c, "secret", 6, u.salt, u.salt_len), 0);
    cr_assert_eq(sha256_crypt_run(&c, u.rounds), 0);
    cr_assert_arr_eq(c.digest, u.hash, sizeof u.hash);
    cr_assert_eq(user_secret_make("secret", 6, true, text), 0);
    cr_assert_str_eq(text, "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7");
    cr_assert_eq(user_secret_make("", 0, false, text), -ERANGE);
}

Test(users, what_is_no_secret)
{
    static const char *const texts[] = {
        "",
        "secret",
        "*",
        "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1",
        "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E1G",
        "$A$005$01234567890123456789",
        "$A$000$01234567890123456789" SHA2_DIGEST,
        "$A$FFF$01234567890123456789" SHA2_DIGEST,
        "$A$0x5$01234567890123456789" SHA2_DIGEST,
        "$A$005$0123456789012345678!!" SHA2_DIGEST,
        "$A$005$01234567890123456789!Ty95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/",
        "$A$005$01234567890123456789bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGVz",
        "0x",
        "0x24412430",
        "0x244",
        "0x2441243030352400000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    };
    struct user u;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_not(user_secret_parse(texts[i], strlen(texts[i]), &u), "%s", texts[i]);
}

static int parse(const char *text, struct users **u, struct error_info *err)
{
    return users_parse("f.yaml", text, strlen(text), u, err);
}

Test(users, file)
{
    struct error_info err;
    struct users *u;

    cr_assert_eq(parse("users:\n- {name: bob, password: '" NATIVE "'}\n- name: ann\n  password: "
                       "$A$005$01234567890123456789" SHA2_DIGEST "\n- {name: \"\\u00e9 x\", "
                       "password: '" NATIVE "'}\n",
                       &u, &err),
                 0, "%s", err.text);
    cr_assert_eq(users_count(u), 3);
    cr_assert_eq(users_find(u, "ann", 3), 0);
    cr_assert_eq(users_at(u, 0)->plugin, MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(users_find(u, "bob", 3), 1);
    cr_assert_eq(users_find(u, "\xc3\xa9 x", 4), 2);
    cr_assert_eq(users_find(u, "an", 2), SIZE_MAX);
    cr_assert_eq(users_find(u, "annn", 4), SIZE_MAX);
    cr_assert_eq(users_find(u, "", 0), SIZE_MAX);
    users_put(users_get(u));
    users_put(u);
}

Test(users, mistakes_in_the_file_are_named)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "f.yaml:1: allowed is one key, users"},
        {"users: []", "f.yaml:1: allowed is one key, users"},
        {"users: x", "f.yaml:1: allowed is one key, users"},
        {"people: [{name: a, password: '" NATIVE "'}]", "f.yaml:1: allowed is one key, users"},
        {"users:\n- a", "f.yaml:2: found no map"},
        {"users:\n- name: a\n  password: secret", "f.yaml:3: password: allowed is what"},
        {"users:\n- name: a", "f.yaml:2: password: allowed is what"},
        {"users:\n- password: '" NATIVE "'", "f.yaml:2: name: allowed is"},
        {"users:\n- name: ''\n  password: '" NATIVE "'", "f.yaml:2: name: allowed is"},
        {"users:\n- name: a\n  host: b\n  password: '" NATIVE "'", "f.yaml:3: unknown key"},
        {"users:\n- name: a\n  password: '" NATIVE "'\n- name: a\n  password: '" NATIVE "'",
         "f.yaml: user 'a' is there twice"},
        {"users: [", "f.yaml:"},
    };
    struct error_info err;
    struct users *u;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(parse(cases[i].text, &u, &err), -EINVAL, "%s", cases[i].text);
        cr_assert_null(u);
        cr_assert(strncmp(err.text, cases[i].error, strlen(cases[i].error)) == 0, "%s", err.text);
    }
}
