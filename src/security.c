/* Users, certificate and key of the MySQL port: see security.h. */
#include "security.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reactor/log.h"
#include "reactor/tls.h"
#include "sql/mysql_rsa.h"
#include "sql/users.h"

static bool is_set(const char *text)
{
    return text && *text;
}

static bool has_users(const struct security *s)
{
    return !strcmp(s->auth, "users");
}

static bool has_tls(const struct security *s)
{
    return strcmp(s->tls, "off") != 0;
}

static bool refuse(const char *program, const char *what)
{
    fprintf(stderr, "%s: %s\n", program, what);
    return false;
}

bool security_has_sound_options(const struct security *s, const char *program)
{
    if (has_users(s) && !is_set(s->users_file))
        return refuse(program, "--auth users needs --users-file FILE");
    if (!has_users(s) && is_set(s->users_file))
        return refuse(program,
                      "--users-file is given, but --auth is off; allowed with it is users");
    if (is_set(s->tls_cert) != is_set(s->tls_key))
        return refuse(program,
                      "--tls-cert and --tls-key: one is missing; allowed are both or none");
    if (!has_tls(s) && is_set(s->tls_cert))
        return refuse(program, "--tls-cert is given, but --tls is off; allowed with it are on and "
                               "required");
    return true;
}

bool security_is_on(const struct security *s)
{
    return has_users(s) && has_tls(s);
}

/* ---- files ---- */

static const char *file_of(const struct security *s, unsigned i)
{
    const char *const files[SECURITY_FILES] = {s->users_file, s->tls_cert, s->tls_key};

    return is_set(files[i]) ? files[i] : NULL;
}

bool security_has_files(const struct security *s)
{
    return file_of(s, 0) || file_of(s, 1);
}

static struct security_stamp stamp_of(const char *file)
{
    struct stat st;

    if (!file || stat(file, &st))
        return (struct security_stamp){0};
    return (struct security_stamp){.device = st.st_dev,
                                   .inode = st.st_ino,
                                   .bytes = (uint64_t)st.st_size,
                                   .changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
                                                 st.st_mtim.tv_nsec};
}

static bool is_same(const struct security_stamp *a, const struct security_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed_ns == b->changed_ns;
}

bool security_has_changed(const struct security *s)
{
    for (unsigned i = 0; i < SECURITY_FILES; i++) {
        struct security_stamp now = stamp_of(file_of(s, i));
        if (file_of(s, i) && now.inode && !is_same(&now, &s->stamps[i]))
            return true;
    }
    return false;
}

/* Before reading: what is written meanwhile is a change. */
static void take_stamps(struct security *s)
{
    for (unsigned i = 0; i < SECURITY_FILES; i++)
        s->stamps[i] = stamp_of(file_of(s, i));
}

static int read_text(const char *path, char **text, size_t *len, struct error_info *err)
{
    FILE *file = fopen(path, "re");
    struct stat st;
    int rc = file && !fstat(fileno(file), &st) ? 0 : -errno;

    *text = NULL;
    if (!rc && (st.st_size > USERS_FILE_MAX || !S_ISREG(st.st_mode)))
        rc = error_set(err, -EFBIG, 1105, "%s: allowed is a file of up to %d MiB", path,
                       USERS_FILE_MAX >> 20);
    else if (rc)
        error_set(err, rc, 1105, "%s cannot be read: %s", path, strerror(-rc));
    if (!rc && st.st_mode & S_IROTH)
        log_warn("%s: everybody on this machine may read the secrets in it (chmod 600)", path);
    if (!rc && !(*text = malloc((size_t)st.st_size + 1)))
        rc = error_set(err, -ENOMEM, 1041, "Out of memory");
    if (!rc)
        *len = fread(*text, 1, (size_t)st.st_size, file);
    if (file)
        fclose(file);
    return rc;
}

static int read_users(const struct security *s, struct users **out, struct error_info *err)
{
    char *text;
    size_t len;
    int rc = read_text(s->users_file, &text, &len, err);

    if (!rc)
        rc = users_parse(s->users_file, text, len, out, err);
    free(text);
    return rc;
}

static int read_tls(const struct security *s, struct tls_context **out, struct error_info *err)
{
    char text[400];
    int rc = is_set(s->tls_cert)
                 ? tls_context_load(s->tls_cert, s->tls_key, out, text, sizeof(text))
                 : tls_context_self_signed("Quanta", out, text, sizeof(text));

    return rc ? error_set(err, rc, 1105, "%s", text) : 0;
}

/* A certificate made here stays. */
static int read_all(const struct security *s, struct gateway_security *next, struct error_info *err)
{
    int rc = 0;

    *next = (struct gateway_security){.rsa = s->rsa, .tls_required = !strcmp(s->tls, "required")};
    if (has_users(s))
        rc = read_users(s, &next->users, err);
    if (!rc && has_tls(s) && s->now.tls && !is_set(s->tls_cert))
        next->tls = tls_context_get(s->now.tls);
    else if (!rc && has_tls(s))
        rc = read_tls(s, &next->tls, err);
    if (rc)
        security_drop(next);
    return rc;
}

int security_open(struct security *s, struct error_info *err)
{
    take_stamps(s);
    if (has_users(s) && !(s->rsa = mysql_rsa_new()))
        return error_set(err, -EIO, 1105, "cannot make a pair of RSA keys");
    return read_all(s, &s->now, err);
}

int security_reload(struct security *s, struct gateway_security *old, struct error_info *err)
{
    struct gateway_security next;
    int rc;

    take_stamps(s);
    rc = read_all(s, &next, err);
    if (rc)
        return rc;
    *old = s->now;
    s->now = next;
    return 0;
}

void security_drop(struct gateway_security *g)
{
    users_put(g->users);
    tls_context_put(g->tls);
    *g = (struct gateway_security){0};
}

void security_close(struct security *s)
{
    security_drop(&s->now);
    mysql_rsa_free(s->rsa);
    s->rsa = NULL;
}
