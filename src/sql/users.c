/* The users file: see users.h. */
#include "sql/users.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "storage/yaml_tree.h"

struct users {
    atomic_uint references;
    size_t n;
    struct user list[]; /* in order of name */
};

/* ---- secrets ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unhex(const char *text, size_t n_bytes, uint8_t *bytes)
{
    for (size_t i = 0; i < n_bytes; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool parse_native(const char *text, size_t len, struct user *user)
{
    user->plugin = MYSQL_AUTH_NATIVE;
    return len == 1 + 2 * MYSQL_NATIVE_HASH_LEN && *text == '*' &&
           unhex(text + 1, MYSQL_NATIVE_HASH_LEN, user->hash);
}

/* $A$005$, salt, digest. */
static bool parse_sha2(const char *text, size_t len, struct user *user)
{
    enum { HEAD = 7, WHOLE = HEAD + SHA256_CRYPT_SALT_MAX + SHA256_CRYPT_TEXT_LEN };
    int a, b, c;

    if (len != WHOLE || memcmp(text, "$A$", 3) != 0 || text[6] != '$')
        return false;
    a = hex_digit(text[3]);
    b = hex_digit(text[4]);
    c = hex_digit(text[5]);
    if (a < 0 || b < 0 || c < 0)
        return false;
    user->plugin = MYSQL_AUTH_CACHING_SHA2;
    user->rounds = (uint32_t)(a << 8 | b << 4 | c) * 1000;
    user->salt_len = SHA256_CRYPT_SALT_MAX;
    memcpy(user->salt, text + HEAD, SHA256_CRYPT_SALT_MAX);
    return user->rounds >= USER_ROUNDS_MIN && user->rounds <= USER_ROUNDS_MAX &&
           sha256_crypt_decode(text + HEAD + SHA256_CRYPT_SALT_MAX, user->hash) == 0;
}

bool user_secret_parse(const char *text, size_t len, struct user *user)
{
    uint8_t bytes[USER_SECRET_TEXT];

    if (len > 2 && memcmp(text, "0x", 2) == 0) {
        size_t n = (len - 2) / 2;
        if (len % 2 || n > sizeof bytes || !unhex(text + 2, n, bytes))
            return false;
        text = (const char *)bytes;
        len = n;
    }
    return parse_native(text, len, user) || parse_sha2(text, len, user);
}

static int make_native(const char *password, size_t len, char text[USER_SECRET_TEXT])
{
    uint8_t hash[MYSQL_NATIVE_HASH_LEN];
    int rc = mysql_auth_native_hash(password, len, hash);

    *text = '*';
    for (size_t i = 0; rc == 0 && i < sizeof hash; i++)
        snprintf(text + 1 + 2 * i, 3, "%02X", hash[i]);
    return rc;
}

static int make_sha2(const char *password, size_t len, char text[USER_SECRET_TEXT])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
    uint8_t random[SHA256_CRYPT_SALT_MAX];
    struct sha256_crypt c;
    int rc;

    if (RAND_bytes(random, sizeof random) != 1)
        return -EIO;
    snprintf(text, USER_SECRET_TEXT, "$A$%03X$", USER_ROUNDS_DEFAULT / 1000);
    for (size_t i = 0; i < sizeof random; i++)
        text[7 + i] = letters[random[i] & 63];
    rc = sha256_crypt_begin(&c, password, len, text + 7, SHA256_CRYPT_SALT_MAX);
    if (rc == 0)
        rc = sha256_crypt_run(&c, USER_ROUNDS_DEFAULT);
    sha256_crypt_encode(c.digest, text + 7 + SHA256_CRYPT_SALT_MAX);
    text[7 + SHA256_CRYPT_SALT_MAX + SHA256_CRYPT_TEXT_LEN] = 0;
    sha256_crypt_wipe(&c);
    return rc;
}

int user_secret_make(const char *password, size_t len, bool native, char text[USER_SECRET_TEXT])
{
    if (len == 0 || len > SHA256_CRYPT_PASSWORD_MAX)
        return -ERANGE;
    return native ? make_native(password, len, text) : make_sha2(password, len, text);
}

/* ---- the file ---- */

static int fail(struct error_info *err, const char *file, uint32_t line, const char *what)
{
    return error_set(err, -EINVAL, 1105, "%s:%u: %s", file, line, what);
}

static int read_entry(const char *file, const struct yaml_value *entry, struct user *user,
                      struct error_info *err)
{
    const struct yaml_value *name, *password;
    uint32_t line = entry->line;

    if (entry->kind != YAML_VALUE_MAPPING)
        return fail(err, file, entry->line, "found no map; a user has name and password");
    for (const struct yaml_value *k = entry->first; k; k = k->next->next)
        if (strcmp(k->text, "name") != 0 && strcmp(k->text, "password") != 0)
            return fail(err, file, k->line, "unknown key; allowed are name and password");
    if (entry->count > 4)
        return fail(err, file, entry->line, "a key is there twice; allowed: once");
    name = yaml_value_find(entry, "name", NULL);
    password = yaml_value_find(entry, "password", &line);
    if (!name || name->kind != YAML_VALUE_SCALAR || !name->len || name->len > USER_NAME_MAX)
        return fail(err, file, entry->line, "name: allowed is a text of 1 to 128 bytes");
    if (!password || password->kind != YAML_VALUE_SCALAR ||
        !user_secret_parse(password->text, password->len, user))
        return fail(err, file, line,
                    "password: allowed is what quanta-admin hash-password prints, or "
                    "authentication_string of mysql.user: $A$005$… or * and 40 hexadecimal digits");
    user->name = malloc(name->len + 1);
    if (!user->name)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    memcpy(user->name, name->text, name->len + 1);
    user->name_len = name->len;
    return 0;
}

static int compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int by_name(const void *a, const void *b)
{
    const struct user *x = a, *y = b;

    return compare_names(x->name, x->name_len, y->name, y->name_len);
}

static int read_entries(const char *file, const struct yaml_value *list, struct users *u,
                        struct error_info *err)
{
    for (const struct yaml_value *v = list->first; v; v = v->next) {
        int rc = read_entry(file, v, &u->list[u->n], err);
        if (rc != 0)
            return rc;
        u->n++;
    }
    qsort(u->list, u->n, sizeof *u->list, by_name);
    for (size_t i = 1; i < u->n; i++)
        if (by_name(&u->list[i - 1], &u->list[i]) == 0)
            return error_set(err, -EINVAL, 1105, "%s: user '%.64s' is there twice; allowed: once",
                             file, u->list[i].name);
    return 0;
}

static int build(const char *file, const struct yaml_value *root, struct users **out,
                 struct error_info *err)
{
    const struct yaml_value *list = NULL;
    int rc;

    if (root && root->kind == YAML_VALUE_MAPPING && root->count == 2)
        list = yaml_value_find(root, "users", NULL);
    if (!list || list->kind != YAML_VALUE_SEQUENCE || !list->count)
        return fail(err, file, root ? root->line : 1,
                    "allowed is one key, users, with a list of at least one user");
    *out = calloc(1, sizeof **out + list->count * sizeof(struct user));
    if (!*out)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    (*out)->references = 1;
    rc = read_entries(file, list, *out, err);
    if (rc != 0) {
        users_put(*out);
        *out = NULL;
    }
    return rc;
}

int users_parse(const char *file, const char *text, size_t len, struct users **out,
                struct error_info *err)
{
    struct yaml_tree tree;
    int rc = yaml_tree_parse(&tree, file, text, len, err);

    *out = NULL;
    if (rc == 0)
        rc = build(file, tree.root, out, err);
    yaml_tree_fini(&tree);
    return rc;
}

struct users *users_get(struct users *u)
{
    atomic_fetch_add_explicit(&u->references, 1, memory_order_relaxed);
    return u;
}

void users_put(struct users *u)
{
    if (!u || atomic_fetch_sub_explicit(&u->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < u->n; i++)
        free(u->list[i].name);
    free(u);
}

size_t users_count(const struct users *u)
{
    return u->n;
}

const struct user *users_at(const struct users *u, size_t i)
{
    return &u->list[i];
}

size_t users_find(const struct users *u, const char *name, size_t len)
{
    size_t low = 0, high = u->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare_names(name, len, u->list[mid].name, u->list[mid].name_len);
        if (order == 0)
            return mid;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return SIZE_MAX;
}
