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

int partition_list_add(struct partition_list *l, const struct cluster_partition *p)
{
    uint32_t at = find(l, p->start);

    if (at == l->n || l->list[at].start != p->start) {
        if (l->n == l->cap) {
            uint32_t cap = l->cap ? l->cap * 2 : 16;
            struct cluster_partition *grown = realloc(l->list, cap * sizeof(*grown));

            if (!grown)
                return -ENOMEM;
            l->list = grown;
            l->cap = cap;
        }
        memmove(l->list + at + 1, l->list + at, (l->n - at) * sizeof(*l->list));
        l->list[at] = (struct cluster_partition){.start = p->start};
        l->n++;
    }
    l->list[at].rows += p->rows;
    l->list[at].bytes += p->bytes;
    l->list[at].archived |= p->archived;
    return 0;
}

int partition_list_add_all(struct partition_list *to, const struct partition_list *from)
{
    int rc = 0;

    for (uint32_t i = 0; i < from->n && !rc; i++)
        rc = partition_list_add(to, &from->list[i]);
    return rc;
}
