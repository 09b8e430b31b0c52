/* Who may connect: see auth.h. */
#include "sql/auth.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "sql/mysql_rsa.h"

enum { ROUNDS_PER_STEP = 256 }; /* about 0.2 ms, then others have their turn */

/* What scrambles of a caching_sha2_password account are checked with. */
struct auth_fast {
    bool is_known;
    uint8_t hash[MYSQL_SHA2_HASH_LEN];
};

static void crypt_step(struct task *t);

static struct auth_fast *new_fast(const struct users *users)
{
    return calloc(users ? users_count(users) : 1, sizeof(struct auth_fast));
}

int auth_init(struct auth *auth, struct reactor *r, struct users *users,
              const struct mysql_rsa *rsa)
{
    *auth = (struct auth){.reactor = r, .rsa = rsa, .fast = new_fast(users)};
    if (!auth->fast)
        return -ENOMEM;
    auth->users = users ? users_get(users) : NULL;
    return 0;
}

static void drop_fast(struct auth *auth)
{
    if (auth->fast)
        OPENSSL_cleanse(auth->fast,
                        (auth->users ? users_count(auth->users) : 1) * sizeof *auth->fast);
    free(auth->fast);
    auth->fast = NULL;
}

void auth_fini(struct auth *auth)
{
    drop_fast(auth);
    users_put(auth->users);
    auth->users = NULL;
}

int auth_set_users(struct auth *auth, struct users *users)
{
    struct auth_fast *fast = new_fast(users);

    if (!fast)
        return -ENOMEM;
    drop_fast(auth);
    users_put(auth->users);
    auth->users = users ? users_get(users) : NULL;
    auth->fast = fast;
    return 0;
}

enum mysql_auth_plugin auth_plugin(const struct auth *auth)
{
    size_t sha2 = 0, n = auth->users ? users_count(auth->users) : 0;

    for (size_t i = 0; i < n && i < 1000; i++)
        sha2 += users_at(auth->users, i)->plugin == MYSQL_AUTH_CACHING_SHA2;
    return 2 * sha2 >= (n < 1000 ? n : 1000) && n ? MYSQL_AUTH_CACHING_SHA2 : MYSQL_AUTH_NATIVE;
}

/* The account, or for a name that nobody has the form of some account with a secret that nothing matches. */
static struct user find_account(const struct users *users, struct mysql_text name, size_t *number)
{
    uint32_t hash = 2166136261u;
    struct user decoy;

    *number = users_find(users, name.data, name.len);
    if (*number != SIZE_MAX)
        return *users_at(users, *number);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * 16777619u;
    decoy = *users_at(users, hash % users_count(users));
    (void)RAND_bytes(decoy.hash, sizeof decoy.hash);
    return decoy;
}

enum mysql_auth_plugin auth_account_plugin(const struct auth *auth, struct mysql_text user,
                                           enum mysql_auth_plugin wanted)
{
    size_t number;

    return auth->users ? find_account(auth->users, user, &number).plugin : wanted;
}

static enum auth_verdict check_native_password(const struct user *u, const char *password,
                                               size_t len)
{
    uint8_t hash[MYSQL_NATIVE_HASH_LEN];

    return mysql_auth_native_hash(password, len, hash) == 0 &&
                   CRYPTO_memcmp(hash, u->hash, sizeof hash) == 0
               ? AUTH_ALLOW
               : AUTH_DENY;
}

/* ---- the slow hash ---- */

static enum auth_verdict begin_crypt(struct auth *auth, struct auth_attempt *a,
                                     const struct user *u, const char *password, size_t len)
{
    if (mysql_auth_sha2_hash(password, len, a->fast) != 0 ||
        sha256_crypt_begin(&a->crypt, password, len, u->salt, u->salt_len) != 0)
        return AUTH_DENY;
    a->auth = auth;
    a->users = users_get(auth->users);
    a->rounds = u->rounds;
    memcpy(a->hash, u->hash, sizeof a->hash);
    a->task = (struct task){.run = crypt_step};
    reactor_task(auth->reactor, &a->task, TASK_BULK);
    return AUTH_PENDING;
}

static enum auth_verdict end_crypt(struct auth_attempt *a, bool is_right)
{
    struct auth *auth = a->auth;

    if (is_right && a->number != SIZE_MAX && auth->users == a->users) {
        memcpy(auth->fast[a->number].hash, a->fast, sizeof a->fast);
        auth->fast[a->number].is_known = true;
    }
    sha256_crypt_wipe(&a->crypt);
    OPENSSL_cleanse(a->fast, sizeof a->fast);
    users_put(a->users);
    a->users = NULL;
    return is_right && a->number != SIZE_MAX ? AUTH_ALLOW : AUTH_DENY;
}

static void crypt_step(struct task *t)
{
    struct auth_attempt *a =
        (struct auth_attempt *)((char *)t - offsetof(struct auth_attempt, task));
    uint32_t left = a->rounds - a->crypt.round;
    int rc = sha256_crypt_run(&a->crypt,
                              a->crypt.round + (left < ROUNDS_PER_STEP ? left : ROUNDS_PER_STEP));

    if (rc == 0 && a->crypt.round < a->rounds) {
        reactor_task(a->auth->reactor, t, TASK_BULK);
        return;
    }
    a->done(a,
            end_crypt(a, rc == 0 && CRYPTO_memcmp(a->crypt.digest, a->hash, sizeof a->hash) == 0));
}

/* ---- dispatch ---- */

static enum auth_verdict check_password(struct auth *auth, struct auth_attempt *a,
                                        const struct user *u, const char *password, size_t len)
{
    if (len == 0 || len > SHA256_CRYPT_PASSWORD_MAX)
        return AUTH_DENY;
    if (u->plugin == MYSQL_AUTH_NATIVE)
        return check_native_password(u, password, len);
    return begin_crypt(auth, a, u, password, len);
}

static enum auth_verdict check_encrypted(struct auth *auth, struct auth_attempt *a,
                                         const struct user *u)
{
    char password[MYSQL_RSA_BYTES];
    enum auth_verdict v = AUTH_DENY;
    size_t len;

    if (auth->rsa && mysql_rsa_decrypt(auth->rsa, a->response.data, a->response.len, a->salt,
                                       password, &len) == 0)
        v = check_password(auth, a, u, password, len);
    OPENSSL_cleanse(password, sizeof password);
    return v;
}

static enum auth_verdict check_scramble(struct auth *auth, struct auth_attempt *a,
                                        const struct user *u)
{
    const struct auth_fast *fast = a->number != SIZE_MAX ? &auth->fast[a->number] : NULL;

    if (a->plugin != u->plugin) {
        a->switch_to = u->plugin;
        return AUTH_SWITCH;
    }
    if (u->plugin == MYSQL_AUTH_NATIVE)
        return mysql_auth_native_verify((const uint8_t *)a->response.data, a->response.len, a->salt,
                                        u->hash)
                   ? AUTH_ALLOW
                   : AUTH_DENY;
    if (a->response.len == 0)
        return AUTH_DENY; /* no account has an empty password */
    if (fast && fast->is_known &&
        mysql_auth_sha2_verify((const uint8_t *)a->response.data, a->response.len, a->salt,
                               fast->hash))
        return AUTH_ALLOW;
    return AUTH_FULL;
}

enum auth_verdict auth_check(struct auth *auth, struct auth_attempt *a)
{
    enum auth_verdict v;
    struct user u;

    if (!auth->users)
        return AUTH_ALLOW;
    u = find_account(auth->users, a->user, &a->number);
    if (a->proof == AUTH_PROOF_PASSWORD)
        v = check_password(auth, a, &u, a->response.data, a->response.len);
    else if (a->proof == AUTH_PROOF_ENCRYPTED)
        v = check_encrypted(auth, a, &u);
    else
        v = check_scramble(auth, a, &u);
    return v == AUTH_ALLOW && a->number == SIZE_MAX ? AUTH_DENY : v;
}
