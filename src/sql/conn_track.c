/*
 * Session tracking: OK packets tell clients that ask for it which database and which of a few variables they changed, so
 * that drivers and proxies need not guess. As MySQL's defaults; session_track_* of the session choose.
 */
#include <string.h>
#include <strings.h>

#include "reactor/arena.h"
#include "sql/conn.h"
#include "sql/sysvar.h"

enum {
    TRACK_VARIABLE = 0, /* kinds of entries in the packet */
    TRACK_SCHEMA = 1,
    TRACK_STATE = 2,
    TRACK_MEMORY = 64 << 10, /* bytes, while an answer is made */
};

/* An entry is its kind, its length and these bytes; all lengths of ours are below 251: one byte. */
static void put_entry(struct mysql_track *t, uint8_t kind, const char *name, const char *value)
{
    size_t name_len = strlen(name), value_len = value ? strlen(value) : 0;
    size_t len = 1 + name_len + (value ? 1 + value_len : 0);
    uint8_t *p = t->bytes + t->len;

    if (len > 250 || t->len + 2 + len > sizeof t->bytes)
        return;
    *p++ = kind;
    *p++ = (uint8_t)len;
    *p++ = (uint8_t)name_len;
    memcpy(p, name, name_len);
    if (value) {
        p[name_len] = (uint8_t)value_len;
        memcpy(p + name_len + 1, value, value_len);
    }
    t->len += 2 + len;
}

static bool is_on(struct gateway_session *s, const char *name, struct arena *a)
{
    const char *text = sysvar_text(s, name, a);

    return text && (strcmp(text, "1") == 0 || strcasecmp(text, "ON") == 0);
}

/* Whether the list names the variable, or all. */
static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = list; *p; p += strspn(p, ", ")) {
        size_t n = strcspn(p, ", ");
        if ((n == len && strncasecmp(p, name, n) == 0) || (n == 1 && *p == '*'))
            return true;
        p += n;
    }
    return false;
}

static void put_variables(struct mysql_track *t, struct gateway_session *s, struct arena *a)
{
    const char *list = sysvar_text(s, "session_track_system_variables", a);

    for (unsigned i = 0; list && i < SESSION_TRACKED_COUNT; i++) {
        const char *name = session_tracked_names[i];
        const char *value =
            s->changes >> i & 1 && is_listed(list, name) ? sysvar_text(s, name, a) : NULL;
        if (value)
            put_entry(t, TRACK_VARIABLE, name, value);
    }
}

void conn_ok(struct conn *c, uint64_t affected, uint64_t insert_id, uint16_t warnings,
             const char *info)
{
    struct gateway_session *s = &c->session;
    uint16_t status = conn_status(c);
    struct mysql_track track = {.len = 0};

    if (s->changes && c->mysql.wire.capabilities & MYSQL_CAP_SESSION_TRACK) {
        struct arena a;
        arena_init(&a, TRACK_MEMORY, NULL);
        put_variables(&track, s, &a);
        if (s->changes & SESSION_CHANGED_DATABASE && is_on(s, "session_track_schema", &a))
            put_entry(&track, TRACK_SCHEMA, s->database ? s->database : "", NULL);
        if (is_on(s, "session_track_state_change", &a))
            put_entry(&track, TRACK_STATE, "1", NULL);
        arena_fini(&a);
    }
    s->changes = 0;
    c->mysql.wire.track = track.len ? &track : NULL;
    mysql_ok(&c->mysql.wire, affected, insert_id, status, warnings, info);
    c->mysql.wire.track = NULL;
}
