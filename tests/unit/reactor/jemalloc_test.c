/* What a thread frees is counted; without jemalloc nothing is known. */
#include "reactor/jemalloc.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(jemalloc, freed_bytes)
{
    enum { BYTES = 1 << 20 };
    uint64_t before = jemalloc_freed();
    volatile char *block = malloc(BYTES);

    cr_assert_not_null(block);
    block[0] = 1;
    free((void *)block);
    if (jemalloc_is_linked())
        cr_assert_geq(jemalloc_freed(), before + BYTES);
    else
        cr_assert_eq(jemalloc_freed(), 0);
}
