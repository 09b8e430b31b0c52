#include "sql/dml_row.h"

#include <errno.h>
#include <string.h>

#include "sql/decimal.h"
#include "sql/dml_limit.h"
#include "sql/value_convert.h"
#include "sql/value_temporal.h"
#include "storage/mapping.h"

enum { BATCH_ROWS = 1 << 16, BATCH_BYTES_WANTED = 16 << 20 };

/* ---- conversion ---- */

static void to_input(const struct datum *d, struct value *v, char buf[static DATUM_TEXT])
{
    size_t len;

    memset(v, 0, sizeof *v);
    switch (d->kind) {
    case DATUM_NULL:
        v->kind = VALUE_NULL;
        return;
    case DATUM_INT:
        v->kind = VALUE_INT;
        v->i64 = d->i;
        return;
    case DATUM_UINT:
        v->kind = VALUE_DECIMAL;
        v->i128 = (__int128)d->u;
        return;
    case DATUM_DECIMAL:
        v->kind = VALUE_DECIMAL;
        v->scale = d->scale;
        v->i128 = d->dec;
        return;
    case DATUM_DOUBLE:
        v->kind = VALUE_DOUBLE;
        v->f64 = d->f;
        return;
    case DATUM_DATE:
        v->kind = VALUE_DATE;
        v->i64 = d->i;
        return;
    case DATUM_DATETIME:
        v->kind = VALUE_DATETIME;
        v->i64 = d->i;
        return;
    default:
        v->kind = VALUE_TEXT;
        v->bytes = datum_to_text(d, NULL, buf, &len);
        v->len = (uint32_t)len;
    }
}

/* Numbers are rounded to the column's digits before they are checked, texts that are numbers read
 * as such. */
static void round_number(const struct column *c, struct datum *d)
{
    __int128 v;
    unsigned scale, want = c->type == COLUMN_DECIMAL ? c->scale : 0;

    if (d->kind == DATUM_STRING && (!d->len || !datum_string_is_number(d->s, d->len)))
        return;
    if (d->kind == DATUM_INT || d->kind == DATUM_UINT || datum_kind_is_temporal(d->kind))
        return;
    if (!datum_to_decimal(d, &v, &scale))
        return;
    if (scale > want && !decimal_rescale(v, scale, want, &v))
        return;
    datum_set_decimal(d, v, scale > want ? want : scale);
}

/* Dates as MySQL reads them; what it does not read is left to the column's own forms. */
static void read_temporal(const struct column *c, struct datum *d)
{
    int64_t us, unit = c->scale == 0 ? 1000000 : c->scale == 3 ? 1000 : 1;

    if (d->kind == DATUM_TIME || d->kind == DATUM_DOUBLE || !datum_to_datetime(d, &us))
        return;
    if (c->type == COLUMN_DATE) {
        datum_set_temporal(d, DATUM_DATE, temporal_us_to_days(us));
        return;
    }
    int64_t r = us % unit;
    datum_set_temporal(d, DATUM_DATETIME, us - (r < 0 ? r + unit : r));
}

static void cell_to_datum(const struct column *c, const struct cell *cell, struct datum *out)
{
    if (!cell->present) {
        datum_set_null(out);
        return;
    }
    switch (c->type) {
    case COLUMN_STRING:
        datum_set_string(out, cell->bytes, cell->len);
        return;
    case COLUMN_DECIMAL:
        datum_set_decimal(out, cell->i64, c->scale);
        return;
    case COLUMN_DATE:
        datum_set_temporal(out, DATUM_DATE, cell->i64);
        return;
    case COLUMN_DATETIME:
        datum_set_temporal(out, DATUM_DATETIME,
                           c->scale == 0   ? cell->i64 * 1000000
                           : c->scale == 3 ? cell->i64 * 1000
                                           : cell->i64);
        return;
    default:
        datum_set_int(out, cell->i64);
    }
}

static bool refuse(struct statement *s, const struct error_info *err, uint64_t row)
{
    if (!s->error.code)
        mysql_error_set_text(&s->error, err->code ? (unsigned)err->code : 1105, "%s at row %llu",
                             err->text, (unsigned long long)row);
    return false;
}

static bool store_list(struct statement *s, const struct column *c, const struct value *in,
                       uint64_t row, struct datum *out)
{
    struct cell *items = s->list_items;
    struct error_info err = {0};
    uint32_t n;
    size_t total = 0, at = 0;

    if (!items && !(items = s->list_items = statement_alloc(s, DML_MAX_LIST * sizeof *items)))
        return false;
    if (mapping_convert_list(c, in, items, DML_MAX_LIST, &n, &err) != 0)
        return refuse(s, &err, row);
    if (!dml_limit_list(s, c, items, &n, row))
        return false;
    datum_set_null(out);
    if (!n)
        return true;
    for (uint32_t i = 0; i < n; i++)
        total += items[i].len + 1u;
    char *p = expr_alloc(&s->expr_ctx, total);
    if (!p)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            p[at++] = c->delim ? c->delim : ',';
        memcpy(p + at, items[i].bytes, items[i].len);
        at += items[i].len;
    }
    datum_set_string(out, p, at);
    return true;
}

struct expr *dml_value_for(struct statement *s, const struct column *c, struct expr *e)
{
    if (c->type != COLUMN_INT && c->type != COLUMN_DECIMAL && c->type != COLUMN_BOOL)
        return e;
    e = expr_as_number(&s->arena, e);
    return e ? e : statement_alloc(s, SIZE_MAX / 4);
}

bool dml_store(struct statement *s, const struct schema *t, uint16_t column, const struct datum *in,
               uint64_t row, struct datum *out)
{
    const struct column *c = &t->columns[column];
    struct datum d = *in, r;
    struct error_info err = {0};
    struct value v;
    struct cell cell;
    char buf[DATUM_TEXT];

    datum_set_null(out);
    if (d.kind == DATUM_NULL) {
        if (c->required || c->in_key) {
            statement_fail(s, MYSQL_ER_BAD_NULL_ERROR, c->name);
            return false;
        }
        return true;
    }
    bool as_is = mapping_takes_input_as_is(c->mapping);
    if (!as_is && !dml_limit_input(s, c, &d, row))
        return false;
    if (as_is)
        ; /* the strategy is for values as they were given */
    else if (c->type == COLUMN_INT || c->type == COLUMN_DECIMAL || c->type == COLUMN_BOOL)
        round_number(c, &d);
    else if (c->type == COLUMN_DATE || c->type == COLUMN_DATETIME)
        read_temporal(c, &d);
    to_input(&d, &v, buf);
    if (c->layout == LAYOUT_LIST)
        return store_list(s, c, &v, row, out);
    if (c->type == COLUMN_STRING && v.kind != VALUE_TEXT &&
        !as_is) { /* numbers and dates are stored as MySQL prints them */
        size_t len;
        v.bytes = datum_to_text(&d, NULL, buf, &len);
        v.len = (uint32_t)len;
        v.kind = VALUE_TEXT;
    }
    if (c->type == COLUMN_STRING && !dml_limit_text(s, c, &v, row))
        return false;
    if (mapping_convert(c, &v, &cell, &err) != 0)
        return dml_limit_near(s, c, &err, &d, out, row) || refuse(s, &err, row);
    cell_to_datum(c, &cell, &r);
    if (!as_is && !dml_limit_stored(s, c, &r, row))
        return false;
    /* Texts made on the way stand in buffers that the next values use again. */
    if (r.kind == DATUM_STRING &&
        (v.kind != VALUE_TEXT || r.s < v.bytes || r.s >= v.bytes + v.len ||
         (r.s >= buf && r.s < buf + sizeof buf))) {
        if (!datum_copy(out, &r, &s->scratch))
            return statement_alloc(s, SIZE_MAX / 4) != NULL;
        return true;
    }
    *out = r;
    return true;
}

bool dml_default(struct statement *s, const struct schema *t, uint16_t column, struct datum *out,
                 bool *has)
{
    const char *text = t->columns[column].default_value;
    struct parse_error pe;
    struct sql_expr *ast;

    datum_set_null(out);
    *has = text != NULL;
    if (!text)
        return true;
    /* Calls are expressions; everything else stands for itself. */
    if (strchr(text, '(') && sql_parse_expr(&s->arena, text, strlen(text), 0, &ast, &pe) == 0 &&
        ast->kind == SQL_EXPR_CALL) {
        struct bind_scope *scope = s->bind.scope;
        const char *source = s->bind.text;
        s->bind.scope = NULL;
        s->bind.text = text;
        struct expr *e = bind_expr(&s->bind, ast);
        s->bind.scope = scope;
        s->bind.text = source;
        if (!e)
            return false;
        expr_eval(e, &s->expr_ctx, out);
        return s->error.code == 0;
    }
    datum_set_string(out, text, strlen(text));
    return true;
}

/* ---- writing ---- */

static enum batch_kind kind_of(const struct column *c)
{
    if (c->layout == LAYOUT_LIST)
        return BATCH_LIST;
    return c->type == COLUMN_STRING ? BATCH_BYTES : BATCH_I64;
}

bool dml_writer_init(struct dml_writer *w, struct statement *s, const struct schema *t,
                     enum batch_op op, const uint16_t *columns, uint16_t n)
{
    w->next = s->writers;
    s->writers = w;
    w->s = s;
    w->schema = t;
    w->op = op;
    buffer_init(&w->bytes, BATCH_MAX_BYTES);
    w->builder = batch_builder_new(&s->budget);
    w->columns = statement_alloc(s, (n + 1u) * sizeof *w->columns);
    w->write = statement_alloc_raw(s, sizeof *w->write);
    if (!w->builder || !w->columns || !w->write)
        return false;
    memcpy(w->columns, columns, n * sizeof *columns);
    w->n_columns = n;
    for (uint16_t i = 0; i < n; i++)
        if (batch_builder_add_column(w->builder, t->columns[columns[i]].id,
                                     kind_of(&t->columns[columns[i]]), 0) < 0) {
            mysql_error_set_text(&s->error, 1041, "Out of memory");
            return false;
        }
    return true;
}

void dml_writer_fini(struct dml_writer *w)
{
    if (w->builder)
        batch_builder_free(w->builder);
    buffer_fini(&w->bytes);
    w->builder = NULL;
}

static int64_t canonical(const struct column *c, const struct datum *d)
{
    switch (c->type) {
    case COLUMN_DECIMAL:
        return (int64_t)d->dec;
    case COLUMN_DATETIME:
        return c->scale == 0   ? d->i / 1000000 - (d->i % 1000000 < 0)
               : c->scale == 3 ? d->i / 1000 - (d->i % 1000 < 0)
                               : d->i;
    default:
        return d->i;
    }
}

static int put_list(struct batch_builder *b, unsigned i, const struct column *c,
                    const struct datum *d)
{
    const char *p = d->s, *end = d->s + d->len;
    int rc = 0;

    while (p <= end && rc == 0) {
        const char *q = memchr(p, c->delim ? c->delim : ',', (size_t)(end - p));
        if (!q)
            q = end;
        rc = batch_builder_put_list_item(b, i, p, (uint32_t)(q - p));
        p = q + 1;
    }
    return rc;
}

bool dml_writer_put(struct dml_writer *w, const struct datum *values)
{
    int rc = 0;

    for (uint16_t i = 0; i < w->n_columns && rc == 0; i++) {
        const struct column *c = &w->schema->columns[w->columns[i]];
        const struct datum *d = &values[i];
        if (d->kind == DATUM_NULL)
            continue;
        if (c->layout == LAYOUT_LIST)
            rc = put_list(w->builder, i, c, d);
        else if (c->type == COLUMN_STRING)
            rc = batch_builder_put_bytes(w->builder, i, d->s, d->len);
        else
            rc = batch_builder_put_i64(w->builder, i, canonical(c, d));
    }
    if (rc == 0)
        rc = batch_builder_end_row(w->builder);
    if (rc != 0 && !w->s->error.code)
        mysql_error_set_text(&w->s->error, 1038,
                             "The rows to write need more memory than the statement may use");
    return rc == 0;
}

bool dml_writer_is_full(const struct dml_writer *w)
{
    return batch_builder_rows(w->builder) >= BATCH_ROWS ||
           batch_builder_bytes(w->builder) >= BATCH_BYTES_WANTED;
}

static void write_done(struct cluster_write *cw)
{
    struct dml_writer *w = cw->ctx;

    w->in_flight = false;
    w->s->exec.open_queries--;
    exec_wake(&w->s->exec);
}

/* All but the places for errors, see write_result_clear. */
static void clear_write(struct cluster_write *w)
{
    memset(w, 0, offsetof(struct cluster_write, result));
    write_result_clear(&w->result);
    w->error.code = 0;
    w->error.text[0] = 0;
    memset(&w->impl, 0, sizeof *w - offsetof(struct cluster_write, impl));
}

enum step dml_writer_flush(struct dml_writer *w)
{
    struct error_info err = {0};

    if (!batch_builder_rows(w->builder))
        return STEP_READY;
    buffer_reset(&w->bytes, BATCH_BYTES_WANTED * 2);
    if (batch_builder_finish(w->builder, w->op, w->schema->table_id, BATCH_SLOT_ANY, &w->bytes) !=
        0) {
        mysql_error_set_text(&w->s->error, 1041, "Out of memory for %u rows to write",
                             batch_builder_rows(w->builder));
        return STEP_READY;
    }
    clear_write(w->write);
    if (batch_open(w->bytes.data, w->bytes.len, &w->write->batch, &err) != 0) {
        mysql_error_set_text(&w->s->error, 1105, "%s", err.text);
        return STEP_READY;
    }
    w->write->schema = w->schema;
    w->write->check_first = w->check_first;
    w->write->done = write_done;
    w->write->ctx = w;
    w->in_flight = true;
    w->s->exec.open_queries++; /* the statement outlives its writes */
    cluster_write_start(w->s->env->cluster, w->write);
    return STEP_PENDING;
}

bool dml_writer_take(struct dml_writer *w)
{
    const struct write_result *r = &w->write->result;
    const struct error_info *err = NULL;

    w->total.inserted += r->inserted;
    w->total.updated += r->updated;
    w->total.unchanged += r->unchanged;
    w->total.deleted += r->deleted;
    w->rows_before += batch_builder_rows(w->builder);
    batch_builder_reset(w->builder);
    if (w->write->rc != 0)
        err = &w->write->error;
    else if (r->n_errors)
        err = &r->errors[0].info;
    if (!err)
        return true;
    if (!w->s->error.code)
        mysql_error_set_text(&w->s->error, err->code ? (unsigned)err->code : 1105, "%s",
                             err->text[0] ? err->text : "The rows could not be written");
    return false;
}
