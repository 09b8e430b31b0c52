/*
 * Verification of the extents of a data file, from the last one backwards. Where a trailer is damaged the next one
 * before it is looked for unit by unit.
 */
#include <errno.h>
#include <stdlib.h>

#include "storage/verify_impl.h"

static void note_bad(struct verify *v, struct verify_extents *x, uint64_t at, uint64_t end)
{
    struct bad_extent *last = x->n_bad ? &x->bad[x->n_bad - 1] : NULL;

    /* Units without a trailer are one place. */
    if (last && last->at == end) {
        last->at = at;
        return;
    }
    struct bad_extent *grown = realloc(x->bad, (x->n_bad + 1) * sizeof(*grown));
    if (!grown) {
        v->rc = -ENOMEM;
        return;
    }
    x->bad = grown;
    x->bad[x->n_bad++] = (struct bad_extent){.at = at, .end = end};
}

/* Length of the extent that ends there; 0 when its trailer is damaged. */
static uint32_t length_of(struct verify *v, int fd, const char *file, uint64_t end)
{
    uint8_t trailer[DATAFILE_TRAILER];

    if (!verify_read(v, fd, file, trailer, sizeof(trailer), end - sizeof(trailer)))
        return 0;
    return datafile_trailer(trailer, end);
}

void verify_extents_begin(struct verify *v, struct verify_extents *x, int fd, const char *file,
                          uint64_t bytes)
{
    uint64_t end = bytes;
    uint8_t *extent = NULL;
    size_t cap = 0;

    *x = (struct verify_extents){0};
    while (end > DATAFILE_UNIT && !v->rc) {
        uint32_t len = length_of(v, fd, file, end);

        if (len > cap) {
            free(extent);
            extent = malloc(len);
            cap = extent ? len : 0;
            v->rc = extent ? 0 : -ENOMEM;
        }
        if (len == 0)
            note_bad(v, x, end - DATAFILE_UNIT, end);
        else if (extent && verify_read(v, fd, file, extent, len, end - len) &&
                 !datafile_check_extent(extent, len))
            note_bad(v, x, end - len, end);
        end -= len ? len : DATAFILE_UNIT;
    }
    free(extent);
    v->extents = x;
}

void verify_extents_found(struct verify_extents *x, uint64_t offset)
{
    for (uint32_t i = 0; i < x->n_bad; i++)
        x->bad[i].is_told |= offset >= x->bad[i].at && offset < x->bad[i].end;
}

void verify_extents_end(struct verify *v, struct verify_extents *x, const char *file)
{
    v->extents = NULL;
    for (uint32_t i = x->n_bad; i-- > 0;) {
        if (!x->bad[i].is_told)
            verify_found(v, file, x->bad[i].at,
                         "the checksum of the extent up to offset %llu does not match; no chunk "
                         "that counts is damaged",
                         (unsigned long long)x->bad[i].end);
    }
    free(x->bad);
}
