/*
 * An example of a plug-in with functions of SQL: dist_km(lat, lon, lat, lon), initials(text), price_with(amount, tax),
 * next_day(date), first_known(a, b) which sees NULL, ticket() which is another at each call; the aggregates
 * geo_mean(x) and span(x).
 *
 *     cc -shared -fPIC -O2 -Isrc/storage -o plugins/functions.so tests/e2e/lib/plugin_functions.c -lm
 */
#include <ctype.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "quanta_plugin.h"

#define VALUE struct quanta_plugin_value

static const uint32_t doubles[] = {QUANTA_PLUGIN_DOUBLE, QUANTA_PLUGIN_DOUBLE, QUANTA_PLUGIN_DOUBLE,
                                   QUANTA_PLUGIN_DOUBLE};
static const uint32_t texts[] = {QUANTA_PLUGIN_TEXT, QUANTA_PLUGIN_TEXT};
static const uint32_t decimals[] = {QUANTA_PLUGIN_DECIMAL, QUANTA_PLUGIN_INT};
static const uint32_t dates[] = {QUANTA_PLUGIN_DATE};
static const uint32_t ints[] = {QUANTA_PLUGIN_INT};

/* ---- a value for each row ---- */

static int dist_km(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                   char *error, size_t cap)
{
    const double radian = 3.14159265358979323846 / 180;
    double a = args[0].real * radian, b = args[2].real * radian,
           turn = (args[3].real - args[1].real) * radian, cosine;

    (void)n, (void)room, (void)room_size;
    if (fabs(args[0].real) > 90 || fabs(args[2].real) > 90) {
        snprintf(error, cap, "a latitude is within -90 and 90");
        return -1;
    }
    cosine = sin(a) * sin(b) + cos(a) * cos(b) * cos(turn);
    *out = (VALUE){.kind = QUANTA_PLUGIN_DOUBLE, .real = 6371 * acos(cosine > 1 ? 1 : cosine)};
    return 0;
}

static int initials(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                    char *error, size_t cap)
{
    size_t len = 0;

    (void)n, (void)error, (void)cap;
    for (size_t i = 0; i < args->length && len < room_size; i++)
        if (isalpha((unsigned char)args->text[i]) && (i == 0 || args->text[i - 1] == ' '))
            room[len++] = (char)toupper((unsigned char)args->text[i]);
    *out = (VALUE){.kind = QUANTA_PLUGIN_TEXT, .text = room, .length = len};
    return 0;
}

/* Percent of tax on an amount, 19 without a second argument; cents. */
static int price_with(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                      char *error, size_t cap)
{
    int64_t tax = n > 1 ? args[1].number : 19;

    (void)room, (void)room_size;
    if (args->kind != QUANTA_PLUGIN_DECIMAL || tax < 0 || tax > 100) {
        snprintf(error, cap, "tax is 0 to 100 percent, found %lld", (long long)tax);
        return -1;
    }
    *out = (VALUE){.kind = QUANTA_PLUGIN_DECIMAL,
                   .scale = args->scale + 2,
                   .number = args->number * (100 + tax)};
    return 0;
}

static int next_day(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                    char *error, size_t cap)
{
    (void)n, (void)room, (void)room_size, (void)error, (void)cap;
    *out = (VALUE){.kind = QUANTA_PLUGIN_DATE, .number = args->number + 1};
    return 0;
}

static int first_known(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                       char *error, size_t cap)
{
    (void)room, (void)room_size, (void)error, (void)cap;
    for (uint32_t i = 0; i < n; i++)
        if (args[i].kind != QUANTA_PLUGIN_NULL) {
            *out = args[i];
            return 0;
        }
    *out = (VALUE){.kind = QUANTA_PLUGIN_TEXT, .text = "nothing", .length = 7};
    return 0;
}

static int ticket(const VALUE *args, uint32_t n, VALUE *out, char *room, size_t room_size,
                  char *error, size_t cap)
{
    static _Atomic int64_t last; /* functions are called from several threads at once */

    (void)args, (void)n, (void)room, (void)room_size, (void)error, (void)cap;
    *out = (VALUE){.kind = QUANTA_PLUGIN_INT, .number = atomic_fetch_add(&last, 1) + 1};
    return 0;
}

/* ---- a value for each group ---- */

struct mean {
    double logs;
    int64_t n;
};

static int mean_step(void *state, const VALUE *args, uint32_t n, char *error, size_t cap)
{
    struct mean *m = state;

    (void)n;
    if (args->real <= 0) {
        snprintf(error, cap, "a geometric mean is of positive numbers, found %g", args->real);
        return -1;
    }
    m->logs += log(args->real);
    m->n++;
    return 0;
}

static int mean_merge(void *state, const void *other, char *error, size_t cap)
{
    struct mean *m = state;
    const struct mean *o = other;

    (void)error, (void)cap;
    m->logs += o->logs;
    m->n += o->n;
    return 0;
}

static int mean_final(void *state, VALUE *out, char *room, size_t room_size, char *error,
                      size_t cap)
{
    const struct mean *m = state;

    (void)room, (void)room_size, (void)error, (void)cap;
    *out = m->n ? (VALUE){.kind = QUANTA_PLUGIN_DOUBLE, .real = exp(m->logs / (double)m->n)}
                : (VALUE){.kind = QUANTA_PLUGIN_NULL};
    return 0;
}

/* The span of the numbers seen, which is 0 of none; begins with what is no number. */
struct span {
    int64_t least, most;
};

static int span_init(void *state, char *error, size_t cap)
{
    (void)error, (void)cap;
    *(struct span *)state = (struct span){INT64_MAX, INT64_MIN};
    return 0;
}

static int span_step(void *state, const VALUE *args, uint32_t n, char *error, size_t cap)
{
    struct span *s = state;

    (void)n, (void)error, (void)cap;
    if (args->number < s->least)
        s->least = args->number;
    if (args->number > s->most)
        s->most = args->number;
    return 0;
}

static int span_final(void *state, VALUE *out, char *room, size_t room_size, char *error,
                      size_t cap)
{
    const struct span *s = state;

    (void)error, (void)cap;
    int n = s->most < s->least
                ? snprintf(room, room_size, "empty")
                : snprintf(room, room_size, "%lld..%lld", (long long)s->least, (long long)s->most);
    *out = (VALUE){.kind = QUANTA_PLUGIN_TEXT, .text = room, .length = (size_t)n};
    return 0;
}

static const struct quanta_plugin_function functions[] = {
    {{"dist_km", 0, 4, 4, doubles, QUANTA_PLUGIN_DOUBLE, 0, 0}, dist_km},
    {{"initials", 0, 1, 1, texts, QUANTA_PLUGIN_TEXT, 0, 16}, initials},
    {{"price_with", 0, 1, 2, decimals, QUANTA_PLUGIN_DECIMAL, 2, 0}, price_with},
    {{"next_day", 0, 1, 1, dates, QUANTA_PLUGIN_DATE, 0, 0}, next_day},
    {{"first_known", QUANTA_FUNCTION_TAKES_NULL, 1, 2, texts, QUANTA_PLUGIN_TEXT, 0, 100},
     first_known},
    {{"ticket", QUANTA_FUNCTION_VOLATILE, 0, 0, NULL, QUANTA_PLUGIN_INT, 0, 0}, ticket},
};

static const struct quanta_plugin_aggregate aggregates[] = {
    {{"geo_mean", 0, 1, 1, doubles, QUANTA_PLUGIN_DOUBLE, 0, 0},
     sizeof(struct mean),
     NULL,
     mean_step,
     mean_merge,
     mean_final},
    {{"span", 0, 1, 1, ints, QUANTA_PLUGIN_TEXT, 0, 50},
     sizeof(struct span),
     span_init,
     span_step,
     NULL,
     span_final},
#ifdef TAKEN_NAME /* for the test of what is refused */
    {{TAKEN_NAME, 0, 1, 1, ints, QUANTA_PLUGIN_TEXT, 0, 50},
     sizeof(struct span),
     span_init,
     span_step,
     NULL,
     span_final},
#endif
};

const struct quanta_plugin *quanta_plugin(void)
{
    static const struct quanta_plugin self = {.abi = QUANTA_PLUGIN_ABI,
                                              .size = sizeof self,
                                              .version = "1",
                                              .n_functions = sizeof functions / sizeof *functions,
                                              .functions = functions,
                                              .n_aggregates =
                                                  sizeof aggregates / sizeof *aggregates,
                                              .aggregates = aggregates};

    return &self;
}
