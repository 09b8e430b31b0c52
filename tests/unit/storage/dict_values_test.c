/* Values by code: short and long ones across lines, pages and chunks; what was not committed; memory that runs out. */
#include "storage/dict_values.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "reactor/budget.h"

enum { MANY = 150000 }; /* lines of several pages */

/* Per value: an assertion of the framework for each would take most of the time. */
#define CHECK(cond, ...)                   \
    do {                                   \
        if (!(cond))                       \
            cr_assert(false, __VA_ARGS__); \
    } while (0)

/* Length of value i: most are short, some at the border of what lies in place, few very long. */
static uint32_t length_of(uint32_t i)
{
    if (i % 5003 == 7)
        return 100000;
    return i % 97 == 3 ? 250 + i % 11 : i % 40;
}

static void bytes_of(uint32_t i, uint8_t *out)
{
    for (uint32_t k = 0; k < length_of(i); k++)
        out[k] = (uint8_t)(i * 31 + k);
}

Test(dict_values, bytes)
{
    static uint8_t bytes[100000];
    static const char *first[MANY];
    struct budget budget;
    struct dict_values v;
    uint32_t len;

    budget_init(&budget, "test", 0, NULL);
    dict_values_init(&v, &budget);
    for (uint32_t i = 0; i < MANY; i++) {
        if (i % 3 == 0) /* one that nothing comes of */
            CHECK(dict_values_write_bytes(&v, i, bytes, (i * 7) % 1000) == 0, "write");
        bytes_of(i, bytes);
        CHECK(dict_values_write_bytes(&v, i, bytes, length_of(i)) == 0, "write");
        dict_values_commit(&v);
        first[i] = dict_values_bytes(&v, i, &len);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        bytes_of(i, bytes);
        const char *at = dict_values_bytes(&v, i, &len);

        CHECK(len == length_of(i) && memcmp(at, bytes, len) == 0, "value %u", i);
        CHECK(memcmp(first[i], bytes, len) == 0, "value %u where it was first", i);
    }
    cr_assert_eq(v.memory, budget.used);
    dict_values_fini(&v);
    cr_assert_eq(budget.used, 0);
}

Test(dict_values, items)
{
    enum { LISTS = 20000, MOST = 300 };
    static uint32_t items[MOST];
    struct dict_values v;
    uint32_t n;

    dict_values_init(&v, NULL);
    for (uint32_t code = 0; code < LISTS; code++) {
        for (uint32_t k = 0; k < MOST; k++)
            items[k] = code + k;
        CHECK(dict_values_write_items(&v, code, items, code % MOST) == 0, "write");
        dict_values_commit(&v);
    }
    for (uint32_t code = 0; code < LISTS; code++) {
        const uint32_t *at = dict_values_items(&v, code, &n);

        CHECK(n == code % MOST && (uintptr_t)at % sizeof *at == 0, "items of %u", code);
        for (uint32_t k = 0; k < n; k++)
            CHECK(at[k] == code + k, "item %u of %u", k, code);
    }
    dict_values_fini(&v);
}

Test(dict_values, numbers)
{
    struct dict_values v;

    dict_values_init(&v, NULL);
    for (uint32_t code = 0; code < MANY; code++) {
        CHECK(dict_values_write_number(&v, code, (int64_t)code * -1000003) == 0, "write");
        dict_values_commit(&v);
    }
    for (uint32_t code = 0; code < MANY; code++)
        CHECK(*dict_values_number(&v, code) == (int64_t)code * -1000003, "number %u", code);
    dict_values_fini(&v);
}

/* Whatever is refused for want of memory leaves what was there, and can be written later. */
Test(dict_values, out_of_memory)
{
    static uint8_t bytes[100000];
    struct budget budget;
    struct dict_values v;
    uint32_t code = 0, refused = 0, len;

    budget_init(&budget, "test", 1, NULL);
    dict_values_init(&v, &budget);
    while (code < 30000) {
        bytes_of(code, bytes);
        int rc = dict_values_write_bytes(&v, code, bytes, length_of(code));

        if (rc == 0) {
            dict_values_commit(&v);
            code++;
            continue;
        }
        CHECK(rc == -ENOMEM, "refused");
        refused++;
        budget.limit += 4099;
    }
    cr_assert_gt(refused, 100);
    for (uint32_t i = 0; i < code; i++) {
        bytes_of(i, bytes);
        const char *at = dict_values_bytes(&v, i, &len);

        CHECK(len == length_of(i) && memcmp(at, bytes, len) == 0, "value %u", i);
    }
    dict_values_fini(&v);
    cr_assert_eq(budget.used, 0);
}
