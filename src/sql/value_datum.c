#include "sql/value_datum.h"

#include <string.h>

#include "reactor/arena.h"
#include "sql/decimal.h"

struct value_type value_type_int(unsigned digits)
{
    return (struct value_type){.kind = DATUM_INT, .precision = (uint16_t)digits};
}

struct value_type value_type_uint(unsigned digits)
{
    return (struct value_type){.kind = DATUM_UINT, .precision = (uint16_t)digits};
}

struct value_type value_type_decimal(unsigned precision, unsigned scale)
{
    if (scale > DECIMAL_MAX_SCALE)
        scale = DECIMAL_MAX_SCALE;
    if (precision > 65)
        precision = 65;
    return (struct value_type){.kind = DATUM_DECIMAL,
                               .precision = (uint16_t)precision,
                               .scale = (uint8_t)scale};
}

struct value_type value_type_double(void)
{
    return (struct value_type){.kind = DATUM_DOUBLE, .scale = VALUE_SCALE_FREE, .precision = 17};
}

struct value_type value_type_string(uint32_t length)
{
    return (struct value_type){.kind = DATUM_STRING, .length = length, .scale = VALUE_SCALE_FREE};
}

struct value_type value_type_temporal(enum datum_kind kind, unsigned fraction)
{
    return (struct value_type){.kind = (uint8_t)kind,
                               .scale = (uint8_t)(kind == DATUM_DATE ? 0 : fraction)};
}

bool datum_copy(struct datum *to, const struct datum *from, struct arena *a)
{
    if (from->kind == DATUM_STRING) {
        char *s = arena_strndup(a, from->s, from->len);
        if (!s)
            return false;
        datum_set_string(to, s, from->len);
        return true;
    }
    *to = *from;
    return true;
}

/* Fraction digits beyond the type's are cut, as MySQL does with times. */
static int64_t cut_micros(int64_t us, unsigned digits)
{
    static const int64_t unit[7] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t u = unit[digits > 6 ? 6 : digits];
    int64_t r = us % u;

    return us - (r < 0 ? r + u : r);
}

void datum_round_to_type(struct datum *d, const struct value_type *t)
{
    __int128 v;

    if (d->kind == DATUM_DECIMAL && t->kind == DATUM_DECIMAL && d->scale != t->scale) {
        if (decimal_rescale(d->dec, d->scale, t->scale, &v)) {
            d->dec = v;
            d->scale = t->scale;
        }
    } else if (d->kind == DATUM_DATETIME && t->kind == DATUM_DATETIME && t->scale < 6) {
        d->i = cut_micros(d->i, t->scale);
    }
}

const char *datum_kind_name(unsigned kind)
{
    static const char *const names[] = {"NULL",    "BIGINT", "BIGINT UNSIGNED", "DECIMAL", "DOUBLE",
                                        "VARCHAR", "DATE",   "DATETIME",        "TIME"};

    return kind < sizeof names / sizeof *names ? names[kind] : "?";
}
