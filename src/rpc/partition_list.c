#include "rpc/partition_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Position of the first partition >= the given one: they come in order as a rule, so from the end. */
static uint32_t find(const struct partition_list *l, int64_t start)
{
    uint32_t from = 0, n = l->n;

    if (n && l->list[n - 1].start < start)
        return n;
    while (n > 0) {
        uint32_t half = n / 2;

        if (l->list[from + half].start < start) {
            from += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return from;
}

int partition_list_add(struct partition_list *l, int64_t start, uint64_t rows, uint64_t bytes)
{
    uint32_t at = find(l, start);

    if (at == l->n || l->list[at].start != start) {
        if (l->n == l->cap) {
            uint32_t cap = l->cap ? l->cap * 2 : 16;
            struct cluster_partition *grown = realloc(l->list, cap * sizeof(*grown));

            if (!grown)
                return -ENOMEM;
            l->list = grown;
            l->cap = cap;
        }
        memmove(l->list + at + 1, l->list + at, (l->n - at) * sizeof(*l->list));
        l->list[at] = (struct cluster_partition){.start = start};
        l->n++;
    }
    l->list[at].rows += rows;
    l->list[at].bytes += bytes;
    return 0;
}

int partition_list_add_all(struct partition_list *to, const struct partition_list *from)
{
    int rc = 0;

    for (uint32_t i = 0; i < from->n && !rc; i++)
        rc = partition_list_add(to, from->list[i].start, from->list[i].rows, from->list[i].bytes);
    return rc;
}
