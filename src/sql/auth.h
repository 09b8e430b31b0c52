#pragma once
/*
 * Who may connect: the one interface between connections and whatever knows the users, which may take its time.
 * Today that is nothing (--auth off: anybody) or a users file.
 *
 * A password is proven by a scramble of the greeting's salt, or told as it is: over TLS, or under the server's RSA key.
 * For a caching_sha2_password account only its slow hash is kept; the fast one, which scrambles are checked with, is
 * learned when a password was told and right, and kept by each core until the users change, as in MySQL.
 *
 * Names nobody has are treated like those of some account, so that answers and their times do not tell them.
 */
#include <stdbool.h>

#include "reactor/reactor.h"
#include "sql/mysql_command.h"
#include "sql/sha256_crypt.h"
#include "sql/users.h"

struct mysql_rsa;

enum auth_verdict {
    AUTH_ALLOW,
    AUTH_DENY,
    AUTH_SWITCH,  /* ask for a scramble of switch_to, then check again */
    AUTH_FULL,    /* caching_sha2_password: ask for the password itself, then check again */
    AUTH_PENDING, /* done comes later */
};

/* The authentication of a core. Owner: its gateway. */
struct auth {
    struct reactor *reactor;
    struct users *users;         /* NULL = anybody */
    const struct mysql_rsa *rsa; /* NULL: passwords are told over TLS only */
    struct auth_fast *fast;      /* of each user; malloc'ed */
};

enum auth_proof { AUTH_PROOF_SCRAMBLE, AUTH_PROOF_PASSWORD, AUTH_PROOF_ENCRYPTED };

/* One question. Owner: the connection; while PENDING it must stay, even if its client leaves. */
struct auth_attempt {
    struct mysql_text user, response; /* as long as the attempt */
    enum mysql_auth_plugin plugin;    /* of the scramble */
    enum auth_proof proof;
    const uint8_t *salt;                                             /* MYSQL_SALT_LEN bytes */
    void (*done)(struct auth_attempt *a, enum auth_verdict verdict); /* not AUTH_PENDING */

    enum mysql_auth_plugin switch_to; /* with AUTH_SWITCH */

    /* While PENDING. */
    struct auth *auth;
    struct task task;
    struct users *users;
    size_t number; /* of the user; SIZE_MAX = nobody */
    uint32_t rounds;
    uint8_t hash[SHA256_CRYPT_DIGEST_LEN], fast[MYSQL_SHA2_HASH_LEN];
    struct sha256_crypt crypt;
};

/* users and rsa may be NULL; a reference to users is taken. 0 or -ENOMEM. */
int auth_init(struct auth *auth, struct reactor *r, struct users *users,
              const struct mysql_rsa *rsa);
void auth_fini(struct auth *auth);
/* Other users from now on; connections that are there stay. 0 or -ENOMEM: nothing changed. */
int auth_set_users(struct auth *auth, struct users *users);
/* Plugin that greetings offer: the one most accounts have. */
enum mysql_auth_plugin auth_plugin(const struct auth *auth);
/* What a user has to be asked with, if it is to be asked; `wanted` where that does not matter. */
enum mysql_auth_plugin auth_account_plugin(const struct auth *auth, struct mysql_text user,
                                           enum mysql_auth_plugin wanted);
enum auth_verdict auth_check(struct auth *auth, struct auth_attempt *a);
