/* Choice of the kernels' form. */
#include "storage/kernel.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

unsigned kernel_forms(const struct kernels *out[4])
{
    unsigned n = 0;

    out[n++] = &kernels_scalar;
    return n;
}

static const struct kernels *chosen; /* written once with the same value by whichever core asks first */

void kernel_use(const struct kernels *form)
{
    __atomic_store_n(&chosen, form, __ATOMIC_RELAXED);
}

const struct kernels *kernel_table(void)
{
    const struct kernels *table = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

    if (!table) {
        const struct kernels *forms[4];
        unsigned n = kernel_forms(forms);
        const char *wanted = getenv("QUANTA_KERNELS");

        table = forms[n - 1];
        for (unsigned i = 0; wanted && i < n; i++) {
            if (strcmp(forms[i]->name, wanted) == 0)
                table = forms[i];
        }
        __atomic_store_n(&chosen, table, __ATOMIC_RELAXED);
    }
    return table;
}
