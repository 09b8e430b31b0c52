#include "bench_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_SECONDS 86400
#define FIRST_DAY_SECONDS 1767225600 /* 2026-01-01, the first of 90 days */
#define VARIANT_STEP 64              /* numbers of the generator between two variants */

const char *bench_query_name(enum bench_query query)
{
    static const char *const names[] = {"Q1", "Q2", "Q3",  "Q4",  "Q5",  "Q6",  "Q7",
                                        "Q8", "Q9", "Q10", "Q11", "Q12", "Q13", "J1",
                                        "G1", "G2", "G3",  "T1",  "P1"};
    _Static_assert(sizeof(names) / sizeof(names[0]) == BENCH_QUERIES, "a name each");
    return names[query];
}

bool bench_query_by_name(const char *name, size_t length, enum bench_query *query)
{
    for (unsigned q = 0; q < BENCH_QUERIES; q++) {
        const char *other = bench_query_name(q);
        if (strlen(other) == length && memcmp(name, other, length) == 0) {
            *query = q;
            return true;
        }
    }
    return false;
}

bool bench_query_is_ordered(enum bench_query query)
{
    return query == BENCH_Q6 || query == BENCH_Q7 || query == BENCH_Q8 || query == BENCH_Q12;
}

static void set_defined(const struct events_spec *spec, struct bench_constants *c)
{
    *c = (struct bench_constants){
        .device = 2,
        .country = 150,
        .event = 3,
        .other_event = 4,
        .low = 250000,
        .high = 500000,
        .top_event = 1,
        .top_country = 199,
        .first_second = FIRST_DAY_SECONDS + (int64_t)31 * DAY_SECONDS,
        .end_second = FIRST_DAY_SECONDS + (int64_t)34 * DAY_SECONDS,
        .range_device = 0,
        .id = spec->rows > 345678 ? 345678 : spec->rows / 2,
        .user = 117231,
        .year = 2015,
    };
}

/* Countries and years only from where about as many rows are: a query must cost the same in all variants. */
void bench_events_constants(const struct events_spec *spec, uint32_t variant,
                            struct bench_constants *c)
{
    uint64_t random = (uint64_t)variant * VARIANT_STEP;

    set_defined(spec, c);
    if (variant == 0)
        return;
    c->device = (uint32_t)(events_mix(random++) % 8);
    c->country = 145 + (uint32_t)(events_mix(random++) % 10);
    c->event = (uint32_t)(events_mix(random++) % 12);
    c->other_event = (c->event + 1) % 12;
    c->low = 200000 + (uint32_t)(events_mix(random++) % 100000);
    c->high = c->low + 250000;
    c->top_event = (uint32_t)(events_mix(random++) % 12);
    c->top_country = 190 + (uint32_t)(events_mix(random++) % 10);
    c->first_second = FIRST_DAY_SECONDS + (int64_t)(events_mix(random++) % 87) * DAY_SECONDS;
    c->end_second = c->first_second + (int64_t)3 * DAY_SECONDS;
    c->range_device = (uint32_t)(events_mix(random++) % 8);
    c->id = spec->rows ? events_mix(random++) % spec->rows : 0;
    c->user = (uint32_t)(events_mix(random++) % 5000000);
    c->year = 2013 + (uint32_t)(events_mix(random++) % 4);
}

void bench_events_time(int64_t seconds, char text[static BENCH_TIME_MAX])
{
    time_t t = (time_t)seconds;
    struct tm parts;

    gmtime_r(&t, &parts);
    strftime(text, BENCH_TIME_MAX, "%Y-%m-%d %H:%M:%S", &parts);
}

/* Those of the thirteen that have constants, and of the others. */
static void print_filtered(enum bench_query query, const struct bench_constants *c, char *text)
{
    const char *device = events_device_name(c->device);
    char from[BENCH_TIME_MAX], to[BENCH_TIME_MAX];

    bench_events_time(c->first_second, from);
    bench_events_time(c->end_second, to);
#define PRINT(...) snprintf(text, BENCH_STATEMENT_MAX, __VA_ARGS__)
    if (query == BENCH_Q1)
        PRINT("SELECT count(*) FROM events WHERE device='%s' AND country='C%03u' AND event='E%u'",
              device, c->country, c->event);
    else if (query == BENCH_Q2)
        PRINT("SELECT count(*) FROM events WHERE device='%s' AND event='E%u'", device, c->event);
    else if (query == BENCH_Q3)
        PRINT("SELECT sum(duration) FROM events WHERE device='%s' AND event IN ('E%u','E%u')",
              device, c->event, c->other_event);
    else if (query == BENCH_Q5)
        PRINT("SELECT count(*) FROM events WHERE duration BETWEEN %u AND %u AND live = true",
              c->low, c->high);
    else if (query == BENCH_Q7)
        PRINT("SELECT content_id, count(*) AS c FROM events WHERE event='E%u' "
              "GROUP BY content_id ORDER BY c DESC, content_id LIMIT 10",
              c->top_event);
    else if (query == BENCH_Q9)
        PRINT("SELECT count(DISTINCT user_id) FROM events WHERE device='%s'", device);
    else if (query == BENCH_Q10)
        PRINT("SELECT count(*) FROM events WHERE ts >= '%.10s' AND ts < '%.10s' AND device='%s'",
              from, to, events_device_name(c->range_device));
    else if (query == BENCH_Q11)
        PRINT("SELECT * FROM events WHERE id=%" PRIu64, c->id);
    else if (query == BENCH_Q12)
        PRINT("SELECT id, ts, user_id, duration FROM events WHERE device='%s' AND "
              "country='C%03u' AND event='E%u' AND live = true ORDER BY id LIMIT 100",
              device, c->top_country, c->event);
    else if (query == BENCH_Q13)
        PRINT("SELECT count(*) FROM events WHERE user_id='u%u'", c->user);
    else if (query == BENCH_J1)
        PRINT("SELECT c.category, count(*), sum(e.revenue) FROM events e JOIN content c "
              "ON e.content_id = c.content_id WHERE c.year >= %u GROUP BY c.category",
              c->year);
    else if (query == BENCH_P1)
        PRINT("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY duration) FROM events "
              "WHERE device='%s'",
              device);
#undef PRINT
}

void bench_events_statement(enum bench_query query, const struct bench_constants *constants,
                            char text[static BENCH_STATEMENT_MAX])
{
    static const char *const whole[BENCH_QUERIES] = {
        [BENCH_Q4] = "SELECT sum(duration), avg(duration), count(*) FROM events",
        [BENCH_Q6] = "SELECT country, count(*) AS c FROM events GROUP BY country "
                     "ORDER BY c DESC, country LIMIT 10",
        [BENCH_Q8] = "SELECT device, event, count(*), sum(revenue), avg(duration) FROM events "
                     "GROUP BY device, event ORDER BY device, event",
        [BENCH_G1] = "SELECT content_id, count(*), sum(duration) FROM events GROUP BY content_id",
        [BENCH_G2] = "SELECT user_id, count(*) FROM events GROUP BY user_id",
        [BENCH_G3] = "SELECT device, country, event, count(*) FROM events "
                     "GROUP BY device, country, event",
        [BENCH_T1] = "SELECT content_id, sum(duration) AS d FROM events WHERE live = true "
                     "GROUP BY content_id ORDER BY d DESC LIMIT 10",
    };

    if (whole[query])
        snprintf(text, BENCH_STATEMENT_MAX, "%s", whole[query]);
    else
        print_filtered(query, constants, text);
}
