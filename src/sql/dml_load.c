/*
 * LOAD DATA LOCAL INFILE: lines of a file that the client sends become rows of an INSERT IGNORE or REPLACE. One piece of
 * the file is held at a time. After an error the rest of the file is read and thrown away, as the client hears nothing
 * before it has sent all.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reactor/buffer.h"
#include "sql/dml_insert.h"
#include "sql/dml_row_default.h"
#include "sql/load_record.h"

enum { LINE_LIMIT = 64 << 20, PATIENCE = 1 << 20 };

/* Owner: the statement, in its arena. */
struct load {
    struct insert x;
    struct sql_insert ast; /* the columns that get values */
    struct load_format format;
    struct load_field *fields;
    int *targets;      /* by field: the target, or -1 - the variable */
    const char **vars; /* names */
    uint32_t n_wanted, n_vars;
    int *set_targets;
    uint64_t skip; /* lines */
    struct buffer text;
    size_t at;            /* bytes of text that are rows already */
    size_t enough;        /* bytes from there before the next try */
    bool is_told, is_end; /* bytes came since they were asked for; the last ones */
    struct mysql_error failed;
};

static void load_fini(struct statement *s)
{
    buffer_fini(&((struct insert *)s->state)->load->text);
}

/* ---- options ---- */

static bool set_mark(struct statement *s, struct load_mark *m, const struct sql_expr *e)
{
    if (e->count > LOAD_MARK_MAX) {
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS, "LOAD DATA: a separator has at most 32 bytes");
        return false;
    }
    memcpy(m->bytes, e->v.text, e->count);
    m->len = (uint8_t)e->count;
    return true;
}

static bool set_byte(struct statement *s, int *to, const struct sql_expr *e)
{
    if (e->count > 1)
        statement_fail(s, MYSQL_ER_WRONG_ARGUMENTS,
                       "LOAD DATA: ENCLOSED BY and ESCAPED BY are one byte");
    *to = e->count ? (unsigned char)*e->v.text : -1;
    return e->count <= 1;
}

static bool set_charset(struct statement *s, const struct sql_expr *e)
{
    static const char *const known[] = {"utf8mb4", "utf8", "utf8mb3", "binary", "ascii"};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (e->count == strlen(known[i]) && strncasecmp(known[i], e->v.text, e->count) == 0)
            return true;
    statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "LOAD DATA of a file that is not utf8mb4");
    return false;
}

static bool set_format(struct statement *s, struct load_format *f, const struct sql_option *o)
{
    bool ok = true;

    load_format_init(f);
    for (; o && ok; o = o->next) {
        if (strcmp(o->key, "fields_terminated") == 0)
            ok = set_mark(s, &f->field_end, o->value);
        else if (strcmp(o->key, "lines_terminated") == 0)
            ok = set_mark(s, &f->line_end, o->value);
        else if (strcmp(o->key, "lines_starting") == 0)
            ok = set_mark(s, &f->line_start, o->value);
        else if (strcmp(o->key, "fields_escaped") == 0)
            ok = set_byte(s, &f->escaped, o->value);
        else if (strcmp(o->key, "CHARSET") == 0)
            ok = set_charset(s, o->value);
        else
            ok = set_byte(s, &f->enclosed, o->value);
    }
    if (ok && !f->field_end.len) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, "LOAD DATA of fields of fixed width");
        ok = false;
    }
    return ok;
}

/* ---- columns ---- */

static bool has_name(const struct sql_name_list *n, const char *name)
{
    while (n && strcasecmp(n->name, name) != 0)
        n = n->next;
    return n != NULL;
}

static bool add_name(struct statement *s, struct sql_insert *ast, struct sql_name_list ***end,
                     const char *name)
{
    struct sql_name_list *n = statement_alloc(s, sizeof *n);

    if (!n)
        return false;
    n->name = name;
    **end = n;
    *end = &n->next;
    ast->column_count++;
    return true;
}

/* The columns that get values: those of the list, and those of SET beside it. */
static bool name_columns(struct statement *s, struct load *l, const struct sql_load *ast)
{
    struct sql_name_list **end = &l->ast.columns;

    l->ast = ast->insert;
    l->ast.columns = NULL;
    l->ast.column_count = 0;
    if (!ast->insert.has_columns)
        return true;
    for (const struct sql_name_list *n = ast->insert.columns; n; n = n->next) {
        l->n_wanted++;
        if (*n->name == '@')
            l->n_vars++;
        else if (!add_name(s, &l->ast, &end, n->name))
            return false;
    }
    for (const struct sql_assign *a = ast->assigns; a; a = a->next)
        if (!has_name(l->ast.columns, a->column->v.column->name) &&
            !add_name(s, &l->ast, &end, a->column->v.column->name))
            return false;
    return true;
}

static int find_target(const struct insert *x, const char *name)
{
    for (uint16_t i = 0; i < x->n_targets; i++)
        if (strcasecmp(x->schema->columns[x->columns[i]].name, name) == 0)
            return i;
    return -1;
}

/* What each field of a line is for. */
static bool map_fields(struct statement *s, struct load *l, const struct sql_load *ast)
{
    const struct sql_name_list *n = ast->insert.columns;
    uint32_t n_sets = 0, var = 0;

    if (!ast->insert.has_columns)
        l->n_wanted = l->x.n_targets;
    for (const struct sql_assign *a = ast->assigns; a; a = a->next)
        n_sets++;
    l->fields = statement_alloc(s, LOAD_FIELDS_MAX * sizeof *l->fields);
    l->targets = statement_alloc(s, (l->n_wanted + 1) * sizeof *l->targets);
    l->vars = statement_alloc(s, (l->n_vars + 1) * sizeof *l->vars);
    l->set_targets = statement_alloc(s, (n_sets + 1) * sizeof *l->set_targets);
    if (!l->fields || !l->targets || !l->vars || !l->set_targets)
        return false;
    for (uint32_t i = 0; i < l->n_wanted; i++, n = n ? n->next : NULL) {
        if (!ast->insert.has_columns) {
            l->targets[i] = (int)i;
        } else if (*n->name == '@') {
            l->vars[var] = n->name + 1;
            l->targets[i] = -1 - (int)var++;
        } else {
            l->targets[i] = find_target(&l->x, n->name);
        }
    }
    n_sets = 0;
    for (const struct sql_assign *a = ast->assigns; a; a = a->next) {
        const char *name = a->column->v.column->name;
        l->set_targets[n_sets] = find_target(&l->x, name);
        if (l->set_targets[n_sets++] < 0) {
            statement_fail(s, MYSQL_ER_BAD_FIELD_ERROR, name, "field list");
            return false;
        }
    }
    return true;
}

/* ---- rows ---- */

static bool set_variable(struct statement *s, const char *name, const struct datum *d)
{
    struct value_type type = value_type_string(d->kind == DATUM_STRING ? d->len : 0);

    if (gateway_session_set(s->session, &s->session->user_vars, name, d, &type) == 0)
        return true;
    mysql_error_set_text(&s->error, 1041, "Out of memory: too many variables");
    return false;
}

static void warn_row(struct load *l, unsigned code, const char *format)
{
    char text[128];

    snprintf(text, sizeof text, format, (unsigned long long)l->x.row);
    gateway_session_warn(l->x.s->session, "Warning", code, text);
}

static bool store_field(struct load *l, uint32_t i, const struct load_field *f)
{
    struct sql_expr word = {.kind = SQL_EXPR_DEFAULT};
    int target = l->targets[i];
    struct datum d;

    datum_set_null(&d);
    if (f && !f->is_null)
        datum_set_string(&d, f->at, f->len);
    if (target < 0)
        return set_variable(l->x.s, l->vars[-1 - target], &d);
    return f ? insert_store(&l->x, (uint16_t)target, &d)
             : insert_evaluate(&l->x, (uint16_t)target, &word);
}

/* Expressions are bound for each row, as the values of variables are part of them; in memory of the row. */
static bool store_sets(struct load *l)
{
    struct statement *s = l->x.s;
    struct arena *arena = s->bind.arena;
    bool ok = true;
    uint32_t i = 0;

    s->bind.arena = &s->scratch;
    for (const struct sql_assign *a = s->ast->u.load->assigns; a && ok; a = a->next)
        ok = insert_evaluate(&l->x, (uint16_t)l->set_targets[i++], a->value);
    s->bind.arena = arena;
    return ok;
}

static bool store_row(struct load *l, uint32_t n_fields)
{
    struct insert *x = &l->x;

    x->row++;
    if (n_fields < l->n_wanted)
        warn_row(l, 1261, "Row %llu doesn't contain data for all columns");
    else if (n_fields > l->n_wanted)
        warn_row(l, 1262,
                 "Row %llu was truncated; it contained more data than there were input columns");
    for (uint32_t i = 0; i < l->n_wanted; i++)
        if (!store_field(l, i, i < n_fields ? &l->fields[i] : NULL))
            return false;
    if (!store_sets(l))
        return false;
    memcpy(x->values + x->n_targets, x->defaults + x->n_targets,
           (size_t)(x->n_columns - x->n_targets) * sizeof *x->values);
    return row_defaults_apply(x);
}

/* ---- the file ---- */

void load_take(struct statement *s, const void *bytes, size_t len)
{
    struct load *l = ((struct insert *)s->state)->load;

    l->is_told = true;
    l->is_end = !len;
    if (l->failed.code)
        return;
    if (l->at) {
        memmove(l->text.data, l->text.data + l->at, l->text.len - l->at);
        l->text.len -= l->at;
        l->at = 0;
    }
    if (len && buffer_append(&l->text, bytes, len) != 0)
        mysql_error_set_text(&l->failed, 1041,
                             "Out of memory: a line of the file is longer than 64 MiB");
}

bool load_keeps_error(struct insert *x)
{
    struct load *l = x->load;
    unsigned code = x->s->error.code;

    if (!l || l->is_end || code == 1317 || code == 3024) /* killed: nobody waits */
        return false;
    if (!l->failed.code)
        l->failed = x->s->error;
    x->s->error.code = 0;
    return true;
}

/* A line of the bytes at hand: true, or false when there is none yet. */
static bool take_line(struct load *l, bool *got)
{
    char *p = (char *)l->text.data + l->at;
    size_t left = l->text.len - l->at, taken = 0;
    uint32_t n = 0;
    enum load_result r = l->skip
                             ? load_skip_line(&l->format, p, left, l->is_end, &taken)
                             : load_record(&l->format, p, left, l->is_end, l->fields, &n, &taken);

    if (r == LOAD_MORE) {
        l->enough = left < PATIENCE ? 0 : 2 * left;
        return false;
    }
    if (r == LOAD_TOO_MANY) {
        mysql_error_set_text(&l->x.s->error, 1105, "Row %llu has more than %d fields",
                             (unsigned long long)l->x.row + 1, LOAD_FIELDS_MAX);
        return true;
    }
    l->at += taken;
    if (l->skip)
        l->skip--;
    else
        *got = store_row(l, n);
    return true;
}

enum step load_next_row(struct insert *x, bool *got)
{
    struct load *l = x->load;
    struct statement *s = x->s;

    for (;;) {
        if (l->failed.code) {
            if (l->is_end) {
                s->error = l->failed;
                return STEP_READY;
            }
        } else if (l->is_end || l->text.len - l->at >= l->enough) {
            while (take_line(l, got))
                if (*got || s->error.code)
                    return STEP_READY;
            if (l->is_end)
                return STEP_READY;
        }
        l->is_told = false;
        s->sink->ask_bytes(s->sink);
        if (!l->is_told)
            return STEP_PENDING;
    }
}

bool load_prepare(struct statement *s)
{
    const struct sql_load *ast = s->ast->u.load;
    struct load *l = statement_alloc(s, sizeof *l);

    if (!l)
        return false;
    if (!ast->is_local) {
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET,
                       "LOAD DATA of a file of the server; use LOAD DATA LOCAL");
        return false;
    }
    l->x = (struct insert){.s = s, .ast = &l->ast, .load = l};
    if (!set_format(s, &l->format, ast->format) || !name_columns(s, l, ast) ||
        !insert_targets(&l->x) || !map_fields(s, l, ast))
        return false;
    l->ast.is_ignore =
        !l->ast
             .is_replace; /* with LOCAL nothing stops the client, so rows of known keys are skipped */
    l->skip = ast->skip ? (uint64_t)ast->skip->v.integer : 0;
    if (!insert_writer(&l->x, l->ast.is_replace ? BATCH_REPLACE : BATCH_IGNORE))
        return false;
    buffer_init(&l->text, LINE_LIMIT);
    s->fini = load_fini;
    if (!s->sink->ask_file || s->sink->ask_file(s->sink, ast->file, ast->file_length) != 0) {
        mysql_error_set_text(&s->error, 3948,
                             "Loading local data is disabled; this must be enabled on both the "
                             "client and server sides");
        return false;
    }
    return true;
}
