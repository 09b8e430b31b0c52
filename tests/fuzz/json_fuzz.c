/*
 * JSON texts and paths from clients: what parses is printed, and the print parses to an equal value. Up to the first NUL
 * is a path, looked up in the rest; memory ends early now and then, as the first byte says.
 */
#include <stdint.h>
#include <string.h>

#include "reactor/arena.h"
#include "reactor/assert.h"
#include "sql/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count(struct json *v, void *ctx)
{
    (void)v;
    return ++*(unsigned *)ctx < 100000;
}

static void print_again(struct arena *a, const struct json *v, enum json_style style)
{
    size_t len;
    const char *s = json_print(a, v, style, &len);
    struct json *again = s ? json_parse(a, s, len) : NULL;

    if (a->limit == SIZE_MAX)
        ASSERT(again && json_depth(again) == json_depth(v) && again->kind == v->kind &&
               again->n == v->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *zero = size ? memchr(text, 0, size) : NULL;
    const char *doc = zero ? zero + 1 : text;
    struct json_path path;
    struct arena a;
    uint64_t left = 10000;
    unsigned n = 0;

    arena_init(&a, size && data[0] >= 0x80 ? (size_t)data[0] * 256 : SIZE_MAX, NULL);
    struct json *v = json_parse(&a, doc, (size_t)(text + size - doc));
    if (v) {
        print_again(&a, v, JSON_LOOSE);
        print_again(&a, v, JSON_COMPACT);
        print_again(&a, v, JSON_DETAILED);
        json_is_equal(&a, v, v, &left);
        json_contains(&a, v, v, &left);
    }
    if (v && zero && json_path_parse(&path, text, (size_t)(zero - text)) == 0)
        json_path_each(&path, v, count, &n);
    arena_fini(&a);
    return 0;
}
