/* schema.yaml from outside: what is accepted must print, parse again and print the same. */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "storage/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(void *ctx, const char *line)
{
    (void)ctx;
    ASSERT(strncmp(line, "fuzz:", 5) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct schema *s, *again;
    struct error_info err = {0};
    char *text, *text_again;

    if (schema_parse_yaml("fuzz", (const char *)data, size, told, NULL, &s, &err) != 0) {
        ASSERT(strncmp(err.text, "fuzz:", 5) == 0);
        return 0;
    }
    text = schema_print_yaml(s);
    ASSERT(text);
    ASSERT(schema_parse_yaml("fuzz", text, strlen(text), told, NULL, &again, &err) == 0);
    text_again = schema_print_yaml(again);
    ASSERT(text_again && strcmp(text, text_again) == 0);
    ASSERT(s->n_key == again->n_key && memcmp(s->key, again->key, s->n_key * sizeof *s->key) == 0);
    ASSERT(schema_check_alter(s, again, NULL, NULL, &err) == 1);
    free(text);
    free(text_again);
    schema_put(s);
    schema_put(again);
    return 0;
}
