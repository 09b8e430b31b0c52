#pragma once
/*
 * The users file: who may log in, and by what secret. Text in, table out; the table never changes, a changed file
 * becomes another table.
 *
 *     users:
 *       - name: ann
 *         password: $A$005$…      # caching_sha2_password, as mysql.user shows it; `quanta-admin hash-password`
 *       - name: bob
 *         password: "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"      # mysql_native_password
 *
 * Both may also be hexadecimal, 0x24412430…, as SHOW CREATE USER can print them. Neither is the password.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/mysql_auth.h"
#include "sql/sha256_crypt.h"
#include "storage/type.h"

enum {
    USERS_FILE_MAX = 4 << 20, /* bytes */
    USER_NAME_MAX = 128,      /* bytes */
    USER_ROUNDS_MIN = 1000,
    USER_ROUNDS_MAX = 200000,
    USER_ROUNDS_DEFAULT = 5000, /* MySQL's */
};

/* Owner: the table. */
struct user {
    char *name;
    size_t name_len;
    enum mysql_auth_plugin plugin; /* NATIVE or CACHING_SHA2 */
    uint32_t rounds;               /* CACHING_SHA2, as the next two */
    uint8_t salt[SHA256_CRYPT_SALT_MAX];
    uint8_t salt_len;
    uint8_t hash[SHA256_CRYPT_DIGEST_LEN]; /* NATIVE: the first MYSQL_NATIVE_HASH_LEN bytes */
};

/* Counts its references, from any thread; otherwise constant. */
struct users;

/* Parses the text of a file; `file` is named in errors. 0, -EINVAL with file and line, -ENOMEM. */
int users_parse(const char *file, const char *text, size_t len, struct users **out,
                struct error_info *err);
struct users *users_get(struct users *u);
void users_put(struct users *u); /* NULL is allowed */

size_t users_count(const struct users *u);
const struct user *users_at(const struct users *u, size_t i);
/* Number of the user of this name, or SIZE_MAX. Names are told apart byte by byte. */
size_t users_find(const struct users *u, const char *name, size_t len);

/* Reads what `password` of an entry says into user; false when it is neither form. */
bool user_secret_parse(const char *text, size_t len, struct user *user);
enum { USER_SECRET_TEXT = 80 };
/* The secret of a new password, as an entry has it (with NUL): 0 or -errno; -ERANGE: longer than
 * SHA256_CRYPT_PASSWORD_MAX or empty. Salt from the system's source of randomness. */
int user_secret_make(const char *password, size_t len, bool native, char text[USER_SECRET_TEXT]);
