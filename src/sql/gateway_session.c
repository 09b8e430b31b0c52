#include "sql/gateway_session.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/session_temporary.h"

void gateway_session_init(struct gateway_session *s, uint32_t id)
{
    memset(s, 0, sizeof *s);
    s->id = id;
    s->timeouts = s->timeouts_at_login = (struct session_timeouts){28800, 28800, 30, 60};
    s->autocommit = true;
    s->row_count = -1;
}

void gateway_session_drop_variables(struct gateway_session *s, struct session_variable **list)
{
    while (*list) {
        struct session_variable *v = *list;
        *list = v->next;
        s->n_variables--;
        if (v->value.kind == DATUM_STRING)
            free((char *)(uintptr_t)v->value.s);
        free(v->name);
        free(v);
    }
}

void gateway_session_fini(struct gateway_session *s)
{
    gateway_session_reset(s);
    session_temporary_fini(s);
    free(s->user);
    free(s->host);
    free(s->database);
    memset(s, 0, sizeof *s);
}

void gateway_session_reset(struct gateway_session *s)
{
    gateway_session_drop_variables(s, &s->user_vars);
    gateway_session_drop_variables(s, &s->sys_vars);
    gateway_session_drop_variables(s, &s->savepoints);
    gateway_session_drop_variables(s, &s->prepared);
    session_temporary_drop_all(s);
    gateway_session_clear_warnings(s);
    s->parse_flags = s->parse_flags_at_login;
    s->is_lenient = false;
    s->timeouts = s->timeouts_at_login;
    s->changes = 0;
    s->in_transaction = s->is_read_only = false;
    s->writes = 0;
    s->autocommit = true;
    s->last_insert_id = 0;
    s->row_count = -1;
    s->rows_found = 0;
}

const char *const session_tracked_names[SESSION_TRACKED_COUNT] = {"autocommit",
                                                                  "character_set_client",
                                                                  "character_set_connection",
                                                                  "character_set_results",
                                                                  "time_zone"};

void gateway_session_changed(struct gateway_session *s, const char *name)
{
    for (unsigned i = 0; i < SESSION_TRACKED_COUNT; i++)
        if (strcasecmp(session_tracked_names[i], name) == 0)
            s->changes |= 1u << i;
}

int gateway_session_set_text(char **where, const char *text, size_t len)
{
    char *copy = NULL;

    if (text) {
        copy = malloc(len + 1);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, text, len);
        copy[len] = 0;
    }
    free(*where);
    *where = copy;
    return 0;
}

const struct session_variable *gateway_session_find(const struct session_variable *list,
                                                    const char *name)
{
    for (; list; list = list->next)
        if (strcasecmp(list->name, name) == 0)
            return list;
    return NULL;
}

int gateway_session_set(struct gateway_session *s, struct session_variable **list, const char *name,
                        const struct datum *value, const struct value_type *type)
{
    struct session_variable *v =
        (struct session_variable *)(uintptr_t)gateway_session_find(*list, name);
    struct datum copy = *value;

    if (!v && s->n_variables >= SESSION_MAX_VARIABLES)
        return -ENOSPC;
    if (value->kind == DATUM_STRING) {
        char *bytes = malloc(value->len + 1u);
        if (!bytes)
            return -ENOMEM;
        if (value->len)
            memcpy(bytes, value->s, value->len);
        bytes[value->len] = 0;
        copy.s = bytes;
    }
    if (!v) {
        v = calloc(1, sizeof *v);
        if (!v || !(v->name = strdup(name))) {
            free(v);
            if (copy.kind == DATUM_STRING)
                free((char *)(uintptr_t)copy.s);
            return -ENOMEM;
        }
        for (char *p = v->name; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        v->next = *list;
        *list = v;
        s->n_variables++;
    } else if (v->value.kind == DATUM_STRING) {
        free((char *)(uintptr_t)v->value.s);
    }
    v->value = copy;
    v->type = *type;
    return 0;
}

bool gateway_session_unset(struct gateway_session *s, struct session_variable **list,
                           const char *name)
{
    for (struct session_variable **p = list; *p; p = &(*p)->next) {
        struct session_variable *one = *p, *rest = one->next;
        if (strcasecmp(one->name, name) != 0)
            continue;
        one->next = NULL;
        gateway_session_drop_variables(s, p); /* this one alone */
        *p = rest;
        return true;
    }
    return false;
}

void gateway_session_clear_warnings(struct gateway_session *s)
{
    for (uint32_t i = 0; i < s->n_warnings; i++)
        free(s->warnings[i].text);
    free(s->warnings);
    s->warnings = NULL;
    s->n_warnings = s->n_errors = s->warning_count = 0;
}

void gateway_session_warn(struct gateway_session *s, const char *level, unsigned code,
                          const char *text)
{
    s->warning_count++;
    if (*level == 'E')
        s->n_errors++;
    if (s->n_warnings >= SESSION_MAX_WARNINGS)
        return;
    struct session_warning *w = realloc(s->warnings, (s->n_warnings + 1) * sizeof *w);
    if (!w)
        return;
    s->warnings = w;
    w += s->n_warnings;
    w->text = strdup(text);
    if (!w->text)
        return;
    w->code = (uint16_t)code;
    w->level = level;
    s->n_warnings++;
}
