#include "storage/text_codes.h"

#include <string.h>

void text_codes_init(struct text_codes *t, struct dict *dict)
{
    memset(t, 0, sizeof(*t));
    t->dict = dict;
}

int text_codes_put(struct text_codes *t, const char *s, uint32_t len, uint32_t *code)
{
    uint32_t n = len < sizeof(uint32_t) ? len : sizeof(uint32_t), last = 0;

    memcpy(&last, s + (len - n), n);
    struct text_codes_met *m = &t->met[last * 2654435761u >> (32 - TEXT_CODES_MET_LOG)];
    if (!m->s || m->len != len || memcmp(m->s, s, len) != 0) {
        int rc = dict_put_bytes(t->dict, s, len, &m->code);
        if (rc) {
            m->s = NULL;
            return rc;
        }
        m->s = dict_bytes(t->dict, m->code, &m->len);
    }
    *code = m->code;
    return 0;
}
