/* Bodies of the page's requests against any bytes; each text found there, and the input itself, is written as JSON again
 * and read back. */
#include <string.h>

#include "page/page_body.h"
#include "page/page_json.h"
#include "reactor/arena.h"
#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "sql/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 4 << 20 };

/* Whatever the bytes: a JSON string comes out, the same one when it is written once more. */
static void write_and_read(struct arena *a, const char *s, size_t len)
{
    struct buffer b, again;
    size_t n;

    buffer_init(&b, SIZE_MAX);
    buffer_init(&again, SIZE_MAX);
    ASSERT(page_json_string(&b, s, len) == 0);
    const struct json *v = json_parse(a, (const char *)b.data, b.len);
    const char *text = v ? json_unescape(a, v, &n) : NULL;
    if (text) {
        ASSERT(v->kind == JSON_STRING && page_json_string(&again, text, n) == 0);
        ASSERT(again.len == b.len && memcmp(again.data, b.data, b.len) == 0);
    } else {
        ASSERT(a->used > MEMORY / 2);
    }
    buffer_fini(&again);
    buffer_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_text body = {(const char *)data, size}, sql;
    struct arena a;

    if (size > 100000)
        return 0;
    arena_init(&a, MEMORY, NULL);
    const struct json *v = page_body_parse(&a, body);
    if (v) {
        ASSERT(page_body_number(v, "id") < 1000000000000000);
        sql = page_body_text(&a, v, "sql");
        if (sql.data) {
            ASSERT(sql.data[sql.len] == 0);
            write_and_read(&a, sql.data, sql.len);
        }
    }
    arena_fini(&a);
    arena_init(&a, MEMORY, NULL);
    write_and_read(&a, body.data, size);
    ASSERT(page_json_cut(body.data, size, size / 2) <= size / 2);
    arena_fini(&a);
    return 0;
}
