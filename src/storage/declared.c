#include "storage/declared.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "storage/mapping_value.h"
#include "storage/schema_check.h"

/* Types of numbers have bounds, those of texts a length. */
static const struct kind {
    const char *name;
    uint8_t type; /* enum column_type it goes with */
    int64_t min, max, unsigned_max;
    uint64_t bytes;
} kinds[DECLARED_COUNT] = {
    [DECLARED_NONE] = {"", COLUMN_STRING, 0, 0, 0, 0},
    [DECLARED_TINYINT] = {"tinyint", COLUMN_INT, INT8_MIN, INT8_MAX, UINT8_MAX, 0},
    [DECLARED_SMALLINT] = {"smallint", COLUMN_INT, INT16_MIN, INT16_MAX, UINT16_MAX, 0},
    [DECLARED_MEDIUMINT] = {"mediumint", COLUMN_INT, -(1 << 23), (1 << 23) - 1, (1 << 24) - 1, 0},
    [DECLARED_INT] = {"int", COLUMN_INT, INT32_MIN, INT32_MAX, UINT32_MAX, 0},
    [DECLARED_BIGINT] = {"bigint", COLUMN_INT, INT64_MIN, INT64_MAX, INT64_MAX, 0},
    [DECLARED_YEAR] = {"year", COLUMN_INT, 0, 2155, 2155, 0},
    [DECLARED_DECIMAL] = {"decimal", COLUMN_DECIMAL, 0, 0, 0, 0},
    [DECLARED_CHAR] = {"char", COLUMN_STRING, 0, 0, 0, 0},
    [DECLARED_TINYTEXT] = {"tinytext", COLUMN_STRING, 0, 0, 0, UINT8_MAX},
    [DECLARED_TEXT] = {"text", COLUMN_STRING, 0, 0, 0, UINT16_MAX},
    [DECLARED_MEDIUMTEXT] = {"mediumtext", COLUMN_STRING, 0, 0, 0, (1 << 24) - 1},
    [DECLARED_LONGTEXT] = {"longtext", COLUMN_STRING, 0, 0, 0, UINT32_MAX},
    [DECLARED_JSON] = {"json", COLUMN_STRING, 0, 0, 0, UINT32_MAX},
    [DECLARED_ENUM] = {"enum", COLUMN_STRING, 0, 0, 0, 0},
    [DECLARED_SET] = {"set", COLUMN_STRING, 0, 0, 0, 0},
};

const char *declared_name(enum declared_kind kind)
{
    return kinds[kind].name;
}

uint64_t declared_text_bytes(enum declared_kind kind)
{
    return kinds[kind].bytes;
}

void declared_print(const struct declared *d, char out[static DECLARED_TEXT_BYTES])
{
    char digits[8] = "";

    if (d->precision)
        snprintf(digits, sizeof digits, "(%u)", d->precision);
    snprintf(out, DECLARED_TEXT_BYTES, "%s%s%s", kinds[d->kind].name, digits,
             d->is_unsigned ? " unsigned" : "");
}

bool declared_parse(const char *text, struct declared *out)
{
    size_t word = strcspn(text, "( ");
    const char *at = text + word;

    *out = (struct declared){0};
    for (uint8_t k = 1; k < DECLARED_COUNT; k++)
        if (strlen(kinds[k].name) == word && strncasecmp(kinds[k].name, text, word) == 0)
            out->kind = k;
    if (*at == '(') {
        char *end;
        unsigned long n = strtoul(at + 1, &end, 10);
        if (n < 1 || n > DECLARED_MAX_PRECISION || *end != ')')
            return false;
        out->precision = (uint8_t)n;
        at = end + 1;
    }
    out->is_unsigned = strcasecmp(at, " unsigned") == 0;
    return out->kind != DECLARED_NONE && (!*at || out->is_unsigned) &&
           (out->kind == DECLARED_DECIMAL) == (out->precision != 0);
}

bool declared_range(const struct column *c, int64_t *min, int64_t *max)
{
    const struct declared *d = &c->declared;
    const struct kind *k = &kinds[d->kind];

    if (d->kind == DECLARED_NONE || (c->type != COLUMN_INT && c->type != COLUMN_DECIMAL))
        return false;
    if (c->type == COLUMN_DECIMAL) {
        *max = mapping_power(d->precision) - 1;
        *min = d->is_unsigned ? 0 : -*max;
        return true;
    }
    *min = d->is_unsigned ? 0 : k->min;
    *max = d->is_unsigned ? k->unsigned_max : k->max;
    return true;
}

/* ---- members of ENUM and SET ---- */

static int compare_member(const void *a, const void *b, void *ctx)
{
    const struct column *c = ctx;

    return strcmp(c->values[*(const uint32_t *)a].value, c->values[*(const uint32_t *)b].value);
}

static int sort_members(struct column *c, int i, struct schema_fault *f)
{
    free(c->members);
    c->members = malloc((c->n_values + 1u) * sizeof *c->members);
    if (!c->members)
        return -ENOMEM;
    for (uint32_t k = 0; k < c->n_values; k++)
        c->members[k] = k;
    qsort_r(c->members, c->n_values, sizeof *c->members, compare_member, c);
    for (uint32_t k = 1; k < c->n_values; k++)
        if (compare_member(&c->members[k - 1], &c->members[k], c) == 0)
            return schema_fault_set(f, 1291, i, "values", c->values[c->members[k]].value,
                                    "each member once");
    return 0;
}

int64_t declared_find_member(const struct column *c, const char *text, size_t len)
{
    uint32_t low = 0, high = c->n_values;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const char *member = c->values[c->members[mid]].value;
        size_t n = strlen(member);
        int r = memcmp(member, text, n < len ? n : len);
        if (r == 0 && n == len)
            return c->members[mid];
        if (r < 0 || (r == 0 && n < len))
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}

int declared_check(struct column *c, int i, struct schema_fault *f)
{
    const struct declared *d = &c->declared;
    bool lists = d->kind == DECLARED_ENUM || d->kind == DECLARED_SET;
    char found[DECLARED_TEXT_BYTES];

    declared_print(d, found);
    if (d->kind != DECLARED_NONE && kinds[d->kind].type != c->type)
        return schema_fault_set(f, 1105, i, "sqlType", found, "an SQL type of type %s",
                                column_type_name(c->type));
    if (d->kind == DECLARED_DECIMAL && c->scale > d->precision)
        return schema_fault_set(f, 1427, i, "sqlType", found,
                                "DECIMAL(M,D) with M >= D (column '%.64s')", c->name);
    if (d->kind == DECLARED_SET && !c->multi_valued)
        return schema_fault_set(f, 1105, i, "sqlType", found, "with nonExclusive only");
    return lists ? sort_members(c, i, f) : 0;
}

/* ---- changes ---- */

static bool has_members(const struct column *old, const struct column *next)
{
    for (uint32_t i = 0; i < old->n_values; i++)
        if (declared_find_member(next, old->values[i].value, strlen(old->values[i].value)) < 0)
            return false;
    return true;
}

bool declared_holds(const struct column *old, const struct column *next)
{
    int64_t min, max, low = INT64_MIN, high = INT64_MAX;
    uint64_t bytes = declared_text_bytes(next->declared.kind),
             had = declared_text_bytes(old->declared.kind);

    if (next->declared.kind == DECLARED_ENUM || next->declared.kind == DECLARED_SET)
        return old->declared.kind == next->declared.kind && has_members(old, next);
    if (declared_range(next, &min, &max)) {
        declared_range(old, &low, &high);
        return min <= low && max >= high;
    }
    if (old->max_length)
        had = 4ull * old->max_length;
    return !bytes || bytes >= UINT32_MAX || (had && had <= bytes);
}
