#include "sql/slow_log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reactor/log.h"
#include "sql/gateway_statement.h"
#include "sql/value_convert.h"

enum { TEXT_SHOWN = 1000, NAME_SHOWN = 64 /* bytes */, LONGEST_S = 31536000 };

static const uint64_t default_us = 10000000; /* as MySQL */

static _Atomic bool is_on;
static _Atomic uint64_t long_query_us = default_us;
static _Atomic bool without_index; /* kept and told; no statement is without one: every column is */

bool slow_log_is_on(void)
{
    return atomic_load_explicit(&is_on, memory_order_relaxed);
}

static uint64_t threshold_us(const struct gateway_session *s)
{
    const struct session_variable *own = gateway_session_find(s->sys_vars, "long_query_time");
    double seconds = own ? datum_to_double(&own->value) : 0;

    if (!own)
        return atomic_load_explicit(&long_query_us, memory_order_relaxed);
    return seconds <= 0 ? 0 : (uint64_t)((seconds > LONGEST_S ? LONGEST_S : seconds) * 1e6);
}

/* The beginning of a text on one line, up to the end of a character. */
static const char *one_line(char *out, size_t cap, const char *text, size_t len)
{
    size_t n = len < cap - 4 ? len : cap - 4;

    while (n < len && n && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
    memcpy(out + n, "...", 4);
    if (n == len)
        out[n] = 0;
    return out;
}

static uint64_t rows_examined(const struct statement *s)
{
    uint64_t n = 0;

    for (const struct exec_scan_stats *k = s->exec.stats; k; k = k->next)
        for (uint32_t i = 0; i < k->n_legs; i++)
            n += k->legs[i].scan.rows_total;
    return n;
}

bool slow_log_note(const struct statement *s, uint64_t ns)
{
    char text[TEXT_SHOWN + 4], user[NAME_SHOWN + 4];
    const struct gateway_session *c = s->session;

    if (!slow_log_is_on() || !s->text || s->describes || ns / 1000 < threshold_us(c))
        return false;
    log_info("slow query: time=%.6fs rows_sent=%" PRIu64 " rows_examined=%" PRIu64
             " rows_changed=%" PRId64 " error=%u connection=%u user=%s host=%s statement=%s",
             (double)ns / 1e9, s->memory.n_rows ? s->memory.next : s->rows_sent, rows_examined(s),
             c->row_count > 0 ? c->row_count : 0, (unsigned)s->error.code, c->id,
             one_line(user, sizeof user, c->user ? c->user : "", c->user ? strlen(c->user) : 0),
             c->host ? c->host : "", one_line(text, sizeof text, s->text, s->text_len));
    return true;
}

/* ---- variables ---- */

static const char *const names[] = {"slow_query_log", "log_queries_not_using_indexes",
                                    "long_query_time"};

bool slow_log_has(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

bool slow_log_is_global(const char *name)
{
    return slow_log_has(name) && strcasecmp(name, "long_query_time") != 0;
}

static _Atomic bool *switch_of(const char *name)
{
    return strcasecmp(name, "slow_query_log") == 0 ? &is_on : &without_index;
}

const char *slow_log_value(const char *name, char *buf, size_t cap)
{
    if (slow_log_is_global(name))
        return atomic_load(switch_of(name)) ? "1" : "0";
    snprintf(buf, cap, "%.6f", (double)atomic_load(&long_query_us) / 1e6);
    return buf;
}

static bool is_word(const struct datum *d, const char *word)
{
    return d->kind == DATUM_STRING && d->len == strlen(word) &&
           strncasecmp(d->s, word, d->len) == 0;
}

static bool set_switch(const char *name, const struct datum *value, struct mysql_error *error)
{
    int64_t n = 0;
    char text[NAME_SHOWN + 4];

    if (value && (is_word(value, "on") || is_word(value, "true")))
        n = 1;
    else if (value && !is_word(value, "off") && !is_word(value, "false") &&
             (value->kind == DATUM_STRING || !datum_to_int(value, &n) || n < 0 || n > 1)) {
        snprintf(text, sizeof text, "%lld", (long long)n);
        mysql_error_set(error, MYSQL_ER_WRONG_VALUE_FOR_VAR, name,
                        value->kind == DATUM_STRING
                            ? one_line(text, sizeof text, value->s, value->len)
                            : text);
        return false;
    }
    atomic_store(switch_of(name), n == 1);
    return true;
}

bool slow_log_set(const char *name, const struct datum *value, struct mysql_error *error)
{
    if (slow_log_is_global(name))
        return set_switch(name, value, error);
    if (value && (value->kind == DATUM_STRING || value->kind == DATUM_NULL)) {
        mysql_error_set(error, MYSQL_ER_WRONG_TYPE_FOR_VAR, name);
        return false;
    }
    double seconds = value ? datum_to_double(value) : (double)default_us / 1e6;
    atomic_store(&long_query_us, seconds <= 0          ? 0
                                 : seconds > LONGEST_S ? (uint64_t)LONGEST_S * 1000000
                                                       : (uint64_t)(seconds * 1e6));
    return true;
}
