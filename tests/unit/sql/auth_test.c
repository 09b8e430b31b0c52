/* Who may connect: what is asked of a client, and what is answered to it. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "mysql_test_util.h"
#include "sql/auth.h"
#include "sql/mysql_rsa.h"
#include "unit/reactor/cores.h"

/* A core of the simulator with an auth; the answers of one attempt. */
struct world {
    struct reactor_group *group;
    struct users *users;
    struct mysql_rsa *rsa;
    struct auth auth;
    struct auth_attempt attempt;
    enum auth_verdict verdict;
    struct gate gate;
};

static void on_core(struct reactor *r, void *ctx)
{
    struct world *w = ctx;

    (void)r;
    w->verdict = auth_check(&w->auth, &w->attempt);
    if (w->verdict != AUTH_PENDING)
        gate_add(&w->gate, 1);
}

static void decided(struct auth_attempt *a, enum auth_verdict verdict)
{
    struct world *w = container_of(a, struct world, attempt);

    w->verdict = verdict;
    gate_add(&w->gate, 1);
}

static struct users *two_users(const char *ann, const char *bob)
{
    char secret[USER_SECRET_TEXT], native[USER_SECRET_TEXT], text[400];
    struct error_info err;
    struct users *u;

    cr_assert_eq(user_secret_make(ann, strlen(ann), false, secret), 0);
    cr_assert_eq(user_secret_make(bob, strlen(bob), true, native), 0);
    snprintf(text, sizeof text, "users: [{name: ann, password: %s}, {name: bob, password: '%s'}]",
             secret, native);
    cr_assert_eq(users_parse("f", text, strlen(text), &u, &err), 0, "%s", err.text);
    return u;
}

static void world_init(struct world *w)
{
    *w = (struct world){.gate = GATE_INIT};
    w->group = cores_start(REACTOR_IO_SIM, 1, 2);
    w->users = two_users("secret", "hidden");
    w->rsa = mysql_rsa_new();
    cr_assert_eq(auth_init(&w->auth, reactor_group_get(w->group, 0), w->users, w->rsa), 0);
}

static void world_fini(struct world *w)
{
    auth_fini(&w->auth);
    users_put(w->users);
    mysql_rsa_free(w->rsa);
    cores_stop(w->group);
}

static enum auth_verdict check(struct world *w, const char *user, enum mysql_auth_plugin plugin,
                               enum auth_proof proof, const void *response, size_t len)
{
    w->attempt = (struct auth_attempt){.user = {user, strlen(user)},
                                       .response = {response, len},
                                       .plugin = plugin,
                                       .proof = proof,
                                       .salt = test_salt,
                                       .done = decided};
    gate_reset(&w->gate);
    cr_assert_eq(reactor_post(reactor_group_get(w->group, 0), on_core, w), 0);
    gate_wait(w->group, &w->gate, 1);
    return w->verdict;
}

static enum auth_verdict scramble(struct world *w, const char *user, const char *password,
                                  enum mysql_auth_plugin plugin)
{
    uint8_t reply[MYSQL_SHA2_HASH_LEN];
    size_t len = strlen(password);

    if (plugin == MYSQL_AUTH_NATIVE)
        cr_assert_eq(mysql_auth_native_scramble(password, len, test_salt, reply), 0);
    else
        cr_assert_eq(mysql_auth_sha2_scramble(password, len, test_salt, reply), 0);
    return check(w, user, plugin, AUTH_PROOF_SCRAMBLE, reply,
                 len == 0                      ? 0
                 : plugin == MYSQL_AUTH_NATIVE ? MYSQL_NATIVE_HASH_LEN
                                               : MYSQL_SHA2_HASH_LEN);
}

static enum auth_verdict tell(struct world *w, const char *user, const char *password)
{
    return check(w, user, MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_PASSWORD, password, strlen(password));
}

Test(auth, off_lets_anybody_in)
{
    struct world w = {.gate = GATE_INIT};

    w.group = cores_start(REACTOR_IO_SIM, 1, 2);
    cr_assert_eq(auth_init(&w.auth, reactor_group_get(w.group, 0), NULL, NULL), 0);
    cr_assert_eq(scramble(&w, "anybody", "", MYSQL_AUTH_NATIVE), AUTH_ALLOW);
    cr_assert_eq(auth_plugin(&w.auth), MYSQL_AUTH_NATIVE);
    auth_fini(&w.auth);
    cores_stop(w.group);
}

Test(auth, native)
{
    struct world w;

    world_init(&w);
    cr_assert_eq(scramble(&w, "bob", "hidden", MYSQL_AUTH_NATIVE), AUTH_ALLOW);
    cr_assert_eq(scramble(&w, "bob", "Hidden", MYSQL_AUTH_NATIVE), AUTH_DENY);
    cr_assert_eq(scramble(&w, "bob", "", MYSQL_AUTH_NATIVE), AUTH_DENY);
    cr_assert_eq(scramble(&w, "bob", "hidden", MYSQL_AUTH_CACHING_SHA2), AUTH_SWITCH);
    cr_assert_eq(w.attempt.switch_to, MYSQL_AUTH_NATIVE);
    cr_assert_eq(tell(&w, "bob", "hidden"), AUTH_ALLOW);
    cr_assert_eq(tell(&w, "bob", "hidde"), AUTH_DENY);
    world_fini(&w);
}

Test(auth, caching_sha2_is_fast_after_a_password_was_right)
{
    struct world w;

    world_init(&w);
    cr_assert_eq(auth_plugin(&w.auth), MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(scramble(&w, "ann", "secret", MYSQL_AUTH_NATIVE), AUTH_SWITCH);
    cr_assert_eq(w.attempt.switch_to, MYSQL_AUTH_CACHING_SHA2);
    cr_assert_eq(scramble(&w, "ann", "", MYSQL_AUTH_CACHING_SHA2), AUTH_DENY);
    cr_assert_eq(scramble(&w, "ann", "secret", MYSQL_AUTH_CACHING_SHA2), AUTH_FULL);
    cr_assert_eq(tell(&w, "ann", "Secret"), AUTH_DENY);
    cr_assert_eq(scramble(&w, "ann", "secret", MYSQL_AUTH_CACHING_SHA2), AUTH_FULL);
    cr_assert_eq(tell(&w, "ann", "secret"), AUTH_ALLOW);
    cr_assert_eq(scramble(&w, "ann", "secret", MYSQL_AUTH_CACHING_SHA2), AUTH_ALLOW);
    cr_assert_eq(scramble(&w, "ann", "Secret", MYSQL_AUTH_CACHING_SHA2), AUTH_FULL);
    cr_assert_eq(tell(&w, "ann", ""), AUTH_DENY);
    world_fini(&w);
}

Test(auth, changed_users_forget_passwords)
{
    struct world w;
    struct users *next;

    world_init(&w);
    cr_assert_eq(tell(&w, "ann", "secret"), AUTH_ALLOW);
    next = two_users("other", "hidden");
    cr_assert_eq(auth_set_users(&w.auth, next), 0);
    users_put(next);
    cr_assert_eq(scramble(&w, "ann", "secret", MYSQL_AUTH_CACHING_SHA2), AUTH_FULL);
    cr_assert_eq(tell(&w, "ann", "secret"), AUTH_DENY);
    cr_assert_eq(tell(&w, "ann", "other"), AUTH_ALLOW);
    world_fini(&w);
}

/* Nobody's name is asked the same as somebody's, and no password is right for it. */
Test(auth, unknown_users_are_asked_and_denied)
{
    unsigned switched = 0, asked = 0;
    struct world w;

    world_init(&w);
    for (unsigned i = 0; i < 20; i++) {
        enum auth_verdict v;
        char name[16];

        snprintf(name, sizeof name, "user%u", i);
        v = scramble(&w, name, "secret", MYSQL_AUTH_CACHING_SHA2);
        cr_assert(v == AUTH_SWITCH || v == AUTH_FULL);
        switched += v == AUTH_SWITCH;
        asked += v == AUTH_FULL;
        cr_assert_eq(tell(&w, name, "secret"), AUTH_DENY);
        cr_assert_eq(tell(&w, name, "hidden"), AUTH_DENY);
    }
    cr_assert(switched && asked);
    world_fini(&w);
}

static size_t encrypt(const char *pem, const void *bytes, size_t n, uint8_t *out)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = MYSQL_RSA_BYTES;

    cr_assert(EVP_PKEY_encrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_encrypt(ctx, out, &len, bytes, n) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return len;
}

Test(auth, password_under_the_public_key)
{
    uint8_t plain[7] = "secret", sealed[MYSQL_RSA_BYTES];
    struct world w;
    size_t n;

    world_init(&w);
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] ^= test_salt[i % MYSQL_SALT_LEN];
    n = encrypt(mysql_rsa_public(w.rsa), plain, sizeof plain, sealed);
    cr_assert_eq(check(&w, "ann", MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_ENCRYPTED, sealed, n),
                 AUTH_ALLOW);
    cr_assert_eq(check(&w, "ann", MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_ENCRYPTED, sealed, n - 1),
                 AUTH_DENY);
    n = encrypt(mysql_rsa_public(w.rsa), plain, sizeof plain - 1, sealed); /* no NUL at its end */
    cr_assert_eq(check(&w, "ann", MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_ENCRYPTED, sealed, n),
                 AUTH_DENY);
    sealed[5] ^= 1;
    cr_assert_eq(check(&w, "ann", MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_ENCRYPTED, sealed, n),
                 AUTH_DENY);
    cr_assert_eq(check(&w, "ann", MYSQL_AUTH_CACHING_SHA2, AUTH_PROOF_ENCRYPTED, "", 0), AUTH_DENY);
    world_fini(&w);
}
