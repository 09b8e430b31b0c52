#include <criterion/criterion.h>
#include <errno.h>

#include "reactor/buffer.h"

Test(buffer, grows_to_its_limit_and_not_beyond)
{
    struct buffer b;
    char kilo[1000];

    memset(kilo, 'x', sizeof kilo);
    buffer_init(&b, 10500);
    for (int i = 0; i < 10; i++)
        cr_assert(buffer_append(&b, kilo, sizeof kilo) == 0);
    cr_assert(buffer_append(&b, kilo, sizeof kilo) == -ENOBUFS);
    cr_assert(b.len == 10000 && b.cap <= 10500);
    cr_assert(buffer_append(&b, kilo, 500) == 0);
    cr_assert(buffer_reserve(&b, 1) == -ENOBUFS);
    cr_assert(buffer_reserve(&b, SIZE_MAX) == -ENOBUFS);
    buffer_fini(&b);
}

Test(buffer, prints_consumes_and_resets)
{
    struct buffer b;

    buffer_init(&b, 1 << 20);
    cr_assert(buffer_printf(&b, "%d rows", 17) == 0);
    cr_assert(b.len == 7 && memcmp(b.data, "17 rows", 7) == 0);
    buffer_consume(&b, 3);
    cr_assert(b.len == 4 && memcmp(b.data, "rows", 4) == 0);
    buffer_consume(&b, 4);
    buffer_reset(&b, 4096);
    cr_assert(b.cap > 0 && b.len == 0);
    cr_assert(buffer_reserve(&b, 100000) == 0);
    buffer_reset(&b, 4096);
    cr_assert(b.cap == 0 && b.data == NULL);
}
