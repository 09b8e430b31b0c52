/* Choice of the kernels' form. */
#include "storage/kernel.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

unsigned kernel_forms(const struct kernels *out[4])
{
    unsigned n = 0;

    out[n++] = &kernels_scalar;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2"))
        out[n++] = &kernels_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("bmi2")) {
        out[n++] = &kernels_avx512;
        if (__builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx512vpopcntdq") &&
            __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
            out[n++] = &kernels_gfni;
    }
#endif
    return n;
}

static const struct kernels *chosen; /* main thread, before the cores start; tests and benches */

void kernel_use(const struct kernels *form)
{
    __atomic_store_n(&chosen, form, __ATOMIC_RELAXED);
}

int kernel_choose(const char *name)
{
    const struct kernels *forms[4];
    unsigned n = kernel_forms(forms);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(forms[i]->name, name) == 0 || (i + 1 == n && strcmp(name, "auto") == 0)) {
            kernel_use(forms[i]);
            return 0;
        }
    return -ENOTSUP;
}

const struct kernels *kernel_table(void)
{
    const struct kernels *table = __atomic_load_n(&chosen, __ATOMIC_RELAXED);

    if (table)
        return table;
    const char *wanted = getenv("QUANTA_KERNELS");
    if (!wanted || kernel_choose(wanted))
        kernel_choose("auto");
    return __atomic_load_n(&chosen, __ATOMIC_RELAXED);
}
