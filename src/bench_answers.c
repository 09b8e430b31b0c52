#include "bench_answers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEVICES = 8,
    EVENTS = 12,
    COUNTRIES = 200,
    USERS = 5000000,
    DURATIONS = 1000000,
    CATEGORIES = 25,
    TOP = 10,
    LISTED = 100,
    LINE_MAX = 256,
};

struct totals {
    uint64_t rows, duration, cents;
};

/* What one variant asks for. Main thread, with its bench_answers. */
struct variant {
    struct bench_constants c;
    uint64_t in_range, in_time, of_user; /* Q5, Q10, Q13 */
    uint32_t *contents;                  /* Q7: rows of a content */
    uint64_t *users;                     /* Q9: a bit each */
    uint32_t *durations;                 /* P1: rows of a duration */
    struct events_row listed[LISTED];    /* Q12 */
    uint32_t n_listed;
};

struct content {
    struct totals all;
    uint64_t live_duration;
    uint32_t category, year;
};

struct bench_answers { /* main thread */
    struct events_spec spec;
    uint64_t cells[DEVICES][COUNTRIES][EVENTS]; /* rows */
    struct totals groups[DEVICES][EVENTS];
    struct content *contents;
    uint32_t *users; /* rows of each */
    uint32_t n_variants;
    struct variant *variants;
};

void bench_answers_free(struct bench_answers *a)
{
    if (!a)
        return;
    for (uint32_t v = 0; a->variants && v < a->n_variants; v++) {
        free(a->variants[v].contents);
        free(a->variants[v].users);
        free(a->variants[v].durations);
    }
    free(a->variants);
    free(a->users);
    free(a->contents);
    free(a);
}

static void add_totals(struct totals *t, const struct events_row *row)
{
    t->rows++;
    t->duration += row->duration;
    t->cents += row->revenue_cents;
}

static void add_to_variant(struct variant *v, const struct events_row *row)
{
    const struct bench_constants *c = &v->c;

    v->in_range += row->live && row->duration >= c->low && row->duration <= c->high;
    v->contents[row->content_id] += row->event == c->top_event;
    v->in_time += row->ts_seconds >= c->first_second && row->ts_seconds < c->end_second &&
                  row->device == c->range_device;
    v->of_user += row->user == c->user;
    if (row->device != c->device)
        return;
    v->users[row->user / 64] |= (uint64_t)1 << row->user % 64;
    v->durations[row->duration]++;
    if (row->country == c->top_country && row->event == c->event && row->live &&
        v->n_listed < LISTED)
        v->listed[v->n_listed++] = *row;
}

static void add_row(struct bench_answers *a, const struct events_row *row)
{
    struct content *content = &a->contents[row->content_id];

    a->cells[row->device][row->country][row->event]++;
    add_totals(&a->groups[row->device][row->event], row);
    add_totals(&content->all, row);
    content->live_duration += row->live ? row->duration : 0;
    a->users[row->user]++;
    for (uint32_t v = 0; v < a->n_variants; v++)
        add_to_variant(&a->variants[v], row);
}

static int make_arrays(struct bench_answers *a, uint32_t n_variants)
{
    a->contents = calloc(EVENTS_CONTENT_ROWS, sizeof(*a->contents));
    a->users = calloc(USERS, sizeof(*a->users));
    a->variants = calloc(n_variants, sizeof(*a->variants));
    if (!a->contents || !a->users || !a->variants)
        return -ENOMEM;
    a->n_variants = n_variants;
    for (uint32_t i = 0; i < n_variants; i++) {
        struct variant *v = &a->variants[i];
        bench_events_constants(&a->spec, i, &v->c);
        v->contents = calloc(EVENTS_CONTENT_ROWS, sizeof(*v->contents));
        v->users = calloc(USERS / 64 + 1, sizeof(*v->users));
        v->durations = calloc(DURATIONS, sizeof(*v->durations));
        if (!v->contents || !v->users || !v->durations)
            return -ENOMEM;
    }
    return 0;
}

struct bench_answers *bench_answers_new(const struct events_spec *spec, uint32_t n_variants)
{
    struct bench_answers *a = calloc(1, sizeof(*a));
    struct content_row content;
    struct events_row row;

    if (!a)
        return NULL;
    a->spec = *spec;
    if (make_arrays(a, n_variants)) {
        bench_answers_free(a);
        return NULL;
    }
    for (uint32_t j = 0; j < EVENTS_CONTENT_ROWS; j++) {
        events_make_content(spec, j, &content);
        a->contents[j].category = content.category;
        a->contents[j].year = content.year;
    }
    for (uint64_t i = 0; i < spec->rows; i++) {
        events_make_row(spec, i, &row);
        add_row(a, &row);
    }
    return a;
}

/* ---- the lines of an answer, cells parted by tabs ---- */

__attribute__((format(printf, 2, 3))) static void emit(struct bench_sql_answer *out,
                                                       const char *format, ...)
{
    char line[LINE_MAX];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (!out->rows)
        for (int i = 0; i <= n && i < (int)sizeof(out->first) - 1; i++)
            out->first[i] = line[i] == '\t' ? ' ' : line[i];
    bench_sql_add_row(out, bench_sql_hash_row(line, (size_t)n));
}

#define CENTS "%" PRIu64 ".%02" PRIu64
#define CENTS_ARGS(c) (c) / 100, (c) % 100
#define AVERAGE "%" PRIu64 ".%04" PRIu64

/* Ten thousandths, rounded half up. */
static uint64_t average(const struct totals *t)
{
    return (uint64_t)(((unsigned __int128)t->duration * 20000 + t->rows) / (2 * t->rows));
}

static void emit_row(struct bench_sql_answer *out, const struct events_row *r)
{
    char time[BENCH_TIME_MAX];

    bench_events_time(r->ts_seconds, time);
    emit(out, "%" PRId64 "\t%s\t%s\tC%03u\tE%u\t%u\tu%u\t%u\t%u.%02u\t%d", r->id, time,
         events_device_name(r->device), r->country, r->event, r->content_id, r->user, r->duration,
         r->revenue_cents / 100, r->revenue_cents % 100, r->live);
}

static void emit_listed(const struct variant *v, struct bench_sql_answer *out)
{
    char time[BENCH_TIME_MAX];

    for (uint32_t i = 0; i < v->n_listed; i++) {
        bench_events_time(v->listed[i].ts_seconds, time);
        emit(out, "%" PRId64 "\t%s\tu%u\t%u", v->listed[i].id, time, v->listed[i].user,
             v->listed[i].duration);
    }
}

/* A key and what it is ranked by. */
struct ranked {
    uint64_t key, value;
};

static int by_rank(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? 1 : -1;
    return (a->key > b->key) - (a->key < b->key);
}

static uint64_t in_country(const struct bench_answers *a, uint32_t country)
{
    uint64_t rows = 0;

    for (unsigned d = 0; d < DEVICES; d++)
        for (unsigned e = 0; e < EVENTS; e++)
            rows += a->cells[d][country][e];
    return rows;
}

static uint64_t ranked_value(const struct bench_answers *a, const struct variant *v,
                             enum bench_query query, uint64_t key)
{
    if (query == BENCH_Q6)
        return in_country(a, (uint32_t)key);
    return query == BENCH_Q7 ? v->contents[key] : a->contents[key].live_duration;
}

/* The best ten of Q6, Q7 and T1; what has no row is in none of them. */
static int emit_top(const struct bench_answers *a, const struct variant *v, enum bench_query query,
                    struct bench_sql_answer *out)
{
    uint32_t n = 0, n_keys = query == BENCH_Q6 ? COUNTRIES : EVENTS_CONTENT_ROWS;
    struct ranked *all = calloc(n_keys, sizeof(*all));

    if (!all)
        return -ENOMEM;
    for (uint32_t key = 0; key < n_keys; key++) {
        all[n] = (struct ranked){.key = key, .value = ranked_value(a, v, query, key)};
        n += all[n].value > 0;
    }
    qsort(all, n, sizeof(*all), by_rank);
    for (uint32_t i = 0; i < n && i < TOP; i++)
        emit(out, query == BENCH_Q6 ? "C%03" PRIu64 "\t%" PRIu64 : "%" PRIu64 "\t%" PRIu64,
             all[i].key, all[i].value);
    free(all);
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Names of devices and events in the order of their bytes. */
static void emit_groups(const struct bench_answers *a, struct bench_sql_answer *out)
{
    static const char *const events[EVENTS] = {"E0", "E1", "E10", "E11", "E2", "E3",
                                               "E4", "E5", "E6",  "E7",  "E8", "E9"};
    static const uint8_t event_numbers[EVENTS] = {0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9};
    const char *devices[DEVICES];

    for (unsigned d = 0; d < DEVICES; d++)
        devices[d] = events_device_name(d);
    qsort(devices, DEVICES, sizeof(devices[0]), by_name);
    for (unsigned i = 0; i < DEVICES; i++) {
        unsigned d = 0;
        while (events_device_name(d) != devices[i])
            d++;
        for (unsigned e = 0; e < EVENTS; e++) {
            const struct totals *t = &a->groups[d][event_numbers[e]];
            if (t->rows)
                emit(out, "%s\t%s\t%" PRIu64 "\t" CENTS "\t" AVERAGE, devices[i], events[e],
                     t->rows, CENTS_ARGS(t->cents), average(t) / 10000, average(t) % 10000);
        }
    }
}

static void emit_all(const struct bench_answers *a, struct bench_sql_answer *out)
{
    struct totals sum = {0};

    for (unsigned g = 0; g < DEVICES * EVENTS; g++) {
        sum.rows += a->groups[g / EVENTS][g % EVENTS].rows;
        sum.duration += a->groups[g / EVENTS][g % EVENTS].duration;
    }
    if (sum.rows)
        emit(out, "%" PRIu64 "\t" AVERAGE "\t%" PRIu64, sum.duration, average(&sum) / 10000,
             average(&sum) % 10000, sum.rows);
    else
        emit(out, "\\N\t\\N\t0");
}

static void emit_sum(const struct bench_answers *a, const struct bench_constants *c,
                     struct bench_sql_answer *out)
{
    const struct totals *one = &a->groups[c->device][c->event];
    const struct totals *other = &a->groups[c->device][c->other_event];

    if (one->rows + other->rows)
        emit(out, "%" PRIu64, one->duration + other->duration);
    else
        emit(out, "\\N");
}

static void emit_categories(const struct bench_answers *a, const struct bench_constants *c,
                            struct bench_sql_answer *out)
{
    struct totals sums[CATEGORIES] = {0};

    for (uint32_t j = 0; j < EVENTS_CONTENT_ROWS; j++) {
        if (a->contents[j].year < c->year)
            continue;
        sums[a->contents[j].category].rows += a->contents[j].all.rows;
        sums[a->contents[j].category].cents += a->contents[j].all.cents;
    }
    for (unsigned g = 0; g < CATEGORIES; g++)
        if (sums[g].rows)
            emit(out, "G%u\t%" PRIu64 "\t" CENTS, g, sums[g].rows, CENTS_ARGS(sums[g].cents));
}

static void emit_contents(const struct bench_answers *a, struct bench_sql_answer *out)
{
    for (uint32_t j = 0; j < EVENTS_CONTENT_ROWS; j++)
        if (a->contents[j].all.rows)
            emit(out, "%u\t%" PRIu64 "\t%" PRIu64, j, a->contents[j].all.rows,
                 a->contents[j].all.duration);
}

static void emit_users(const struct bench_answers *a, struct bench_sql_answer *out)
{
    for (uint32_t u = 0; u < USERS; u++)
        if (a->users[u])
            emit(out, "u%u\t%u", u, a->users[u]);
}

static void emit_cells(const struct bench_answers *a, struct bench_sql_answer *out)
{
    for (unsigned d = 0; d < DEVICES; d++)
        for (unsigned c = 0; c < COUNTRIES; c++)
            for (unsigned e = 0; e < EVENTS; e++)
                if (a->cells[d][c][e])
                    emit(out, "%s\tC%03u\tE%u\t%" PRIu64, events_device_name(d), c, e,
                         a->cells[d][c][e]);
}

static uint64_t distinct_users(const struct variant *v)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < USERS / 64 + 1; i++)
        n += (uint64_t)__builtin_popcountll(v->users[i]);
    return n;
}

/* The nth smallest duration, from 0. */
static uint32_t nth_duration(const struct variant *v, uint64_t nth)
{
    uint32_t d = 0;

    for (uint64_t seen = v->durations[0]; seen <= nth; seen += v->durations[d])
        d++;
    return d;
}

/* Interpolated between the two in the middle */
static void emit_median(const struct variant *v, struct bench_sql_answer *out)
{
    uint64_t n = 0;

    for (uint32_t d = 0; d < DURATIONS; d++)
        n += v->durations[d];
    if (!n) {
        emit(out, "\\N");
        return;
    }
    double middle = (nth_duration(v, (n - 1) / 2) + nth_duration(v, n / 2)) / 2.0;
    emit(out, "%.4f", middle);
}

static void emit_count(const struct bench_answers *a, const struct variant *v,
                       enum bench_query query, struct bench_sql_answer *out)
{
    const struct bench_constants *c = &v->c;
    uint64_t n = query == BENCH_Q1    ? a->cells[c->device][c->country][c->event]
                 : query == BENCH_Q2  ? a->groups[c->device][c->event].rows
                 : query == BENCH_Q5  ? v->in_range
                 : query == BENCH_Q9  ? distinct_users(v)
                 : query == BENCH_Q10 ? v->in_time
                                      : v->of_user;

    emit(out, "%" PRIu64, n);
}

static void emit_point(const struct bench_answers *a, const struct variant *v,
                       struct bench_sql_answer *out)
{
    struct events_row row;

    if (v->c.id >= a->spec.rows)
        return;
    events_make_row(&a->spec, v->c.id, &row);
    emit_row(out, &row);
}

int bench_answers_get(const struct bench_answers *a, enum bench_query query, uint32_t variant,
                      struct bench_sql_answer *out)
{
    const struct variant *v = &a->variants[variant];

    *out = (struct bench_sql_answer){0};
    switch (query) {
    case BENCH_Q3:
        emit_sum(a, &v->c, out);
        break;
    case BENCH_Q4:
        emit_all(a, out);
        break;
    case BENCH_Q6:
    case BENCH_Q7:
    case BENCH_T1:
        return emit_top(a, v, query, out);
    case BENCH_Q8:
        emit_groups(a, out);
        break;
    case BENCH_Q11:
        emit_point(a, v, out);
        break;
    case BENCH_Q12:
        emit_listed(v, out);
        break;
    case BENCH_J1:
        emit_categories(a, &v->c, out);
        break;
    case BENCH_G1:
        emit_contents(a, out);
        break;
    case BENCH_G2:
        emit_users(a, out);
        break;
    case BENCH_G3:
        emit_cells(a, out);
        break;
    case BENCH_P1:
        emit_median(v, out);
        break;
    default:
        emit_count(a, v, query, out);
    }
    return 0;
}
