/* Comments and options of column definitions. */
#include "sql/ddl_wish.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sql/value_convert.h"
#include "storage/schema_check.h"

static bool read_scale(struct statement *s, const char *text, struct wish *w)
{
    char *end;
    long v = strtol(text, &end, 10);

    if (*end || !*text || v < 0 || v > 18) {
        mysql_error_set_text(&s->error, 1105, "scale: found \"%.40s\"; allowed are 0 to 18", text);
        return false;
    }
    w->scale = (int)v;
    return true;
}

static bool word(const char **p, const char *key, char *value, size_t cap)
{
    size_t n = strlen(key), k = 0;

    if (strncasecmp(*p, key, n) != 0)
        return false;
    *p += n;
    while (**p && **p != ' ' && **p != ';' && k + 1 < cap)
        value[k++] = *(*p)++;
    value[k] = 0;
    return true;
}

static bool add_setting(struct statement *s, struct wish *w, const char *key, const char *value)
{
    if (w->n_settings == WISH_SETTINGS) {
        mysql_error_set_text(&s->error, 1105, "%s: found more; allowed are %d settings", key,
                             WISH_SETTINGS);
        return false;
    }
    w->settings[w->n_settings].key = key;
    w->settings[w->n_settings++].value = value;
    return key && value;
}

/* key="value" with \ before " and \, or key=value without blanks and semicolons. */
static bool read_setting(struct statement *s, const char **p, struct wish *w)
{
    size_t n = strcspn(*p, "= ;"), len = strlen(*p), k = 0;
    const char *key = statement_printf(s, "%.*s", (int)n, *p), *at = *p + n + 1;
    bool quoted = *at == '"', ended = !quoted;
    char *value = arena_alloc(&s->arena, len + 1);

    if (!value)
        return statement_alloc(s, SIZE_MAX / 4) != NULL;
    for (at += quoted; *at && (quoted || (*at != ' ' && *at != ';')); at++) {
        if (quoted && *at == '"') {
            ended = true;
            at++;
            break;
        }
        if (quoted && *at == '\\' && at[1])
            at++;
        value[k++] = *at;
    }
    value[k] = 0;
    if (!ended) {
        mysql_error_set_text(&s->error, 1105, "COMMENT: found no quote after %.40s; allowed is one",
                             *p);
        return false;
    }
    *p = at;
    return add_setting(s, w, key, value);
}

/* "strategy=X scale=2 multivalued delim=| key=value; text". A comment that does not begin so is only text. */
bool ddl_read_comment(struct statement *s, const char *comment, struct wish *w)
{
    const char *p = comment;
    char value[64];

    w->text = comment;
    if (strncasecmp(p, "strategy=", 9) != 0)
        return true;
    while (*p && *p != ';') {
        if (*p == ' ') {
            p++;
        } else if (word(&p, "strategy=", value, sizeof value)) {
            if (!(w->strategy = statement_printf(s, "%s", value)))
                return false;
        } else if (word(&p, "scale=", value, sizeof value)) {
            if (!read_scale(s, value, w))
                return false;
        } else if (word(&p, "delim=", value, sizeof value)) {
            w->delim = value[0];
        } else if (word(&p, "multivalued", value, sizeof value)) {
            w->multi_valued = true;
        } else if (word(&p, "searchable", value, sizeof value)) {
            w->searchable = true;
        } else if (p[strcspn(p, "= ;")] == '=') {
            if (!read_setting(s, &p, w))
                return false;
        } else {
            mysql_error_set_text(&s->error, 1105,
                                 "COMMENT: found \"%.40s\"; allowed after strategy= are scale=, "
                                 "multivalued, searchable, delim=, settings of the strategy and a "
                                 "semicolon before free text",
                                 p);
            return false;
        }
    }
    if (*p == ';')
        p++;
    while (*p == ' ')
        p++;
    w->text = p;
    return true;
}

const char *ddl_literal_text(struct statement *s, const struct sql_expr *e)
{
    struct expr *b = bind_expr(&s->bind, e);
    char buf[DATUM_TEXT];
    size_t len;

    if (!b)
        return NULL;
    if (!expr_is_const(b) || b->u.value.kind == DATUM_NULL) {
        mysql_error_set_text(&s->error, 1105, "This option takes a literal");
        return NULL;
    }
    const char *t = datum_to_text(&b->u.value, &b->type, buf, &len);
    return statement_printf(s, "%.*s", (int)len, t);
}

/* Options of other engines mean nothing here; a setting of any strategy does. */
static bool is_setting(const char *key)
{
    for (enum mapping m = 0; m < MAPPING_COUNT; m++)
        if (strategy_setting(m, key))
            return true;
    return strcasecmp(key, "plugin") == 0 || strcasecmp(key, "name") == 0;
}

bool ddl_read_options(struct statement *s, const struct sql_option *o, struct wish *w)
{
    for (; o; o = o->next) {
        const char *v = ddl_literal_text(s, o->value);
        if (!v)
            return false;
        if (strcasecmp(o->key, "strategy") == 0 || strcasecmp(o->key, "mapping") == 0)
            w->strategy = v;
        else if (strcasecmp(o->key, "scale") == 0 && !read_scale(s, v, w))
            return false;
        else if (strcasecmp(o->key, "delim") == 0)
            w->delim = *v;
        else if (strcasecmp(o->key, "multivalued") == 0)
            w->multi_valued = *v == '1' || *v == 't' || *v == 'T';
        else if (is_setting(o->key) && !add_setting(s, w, o->key, v))
            return false;
    }
    return true;
}
