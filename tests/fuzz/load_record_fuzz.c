/* LOAD DATA: a file with any separators never leads outside its bytes, and takes as many in pieces as at once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "sql/load_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct load_field fields[LOAD_FIELDS_MAX];

static void set_mark(struct load_mark *m, const uint8_t *data, unsigned len)
{
    m->len = (uint8_t)len;
    memcpy(m->bytes, data, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct load_format f;
    uint32_t n;
    size_t taken = 0;

    if (size < 12)
        return 0;
    load_format_init(&f);
    set_mark(&f.field_end, data, 1 + data[0] % 3);
    set_mark(&f.line_end, data + 3, data[1] % 3);
    set_mark(&f.line_start, data + 6, data[2] % 2 ? 2 : 0);
    f.enclosed = data[9] % 2 ? data[9] : -1;
    f.escaped = data[10] % 2 ? data[10] : -1;
    data += 12;
    size -= 12;
    char *text = malloc(size + 1);
    ASSERT(text);
    memcpy(text, data, size);
    for (size_t at = 0; at < size; at += taken) {
        enum load_result r = load_record(&f, text + at, size - at, true, fields, &n, &taken);
        if (r != LOAD_RECORD)
            break;
        ASSERT(taken > 0 && taken <= size - at);
        for (uint32_t i = 0; i < n; i++)
            ASSERT(fields[i].at >= text + at && fields[i].at + fields[i].len <= text + at + taken);
    }
    free(text);
    return 0;
}
