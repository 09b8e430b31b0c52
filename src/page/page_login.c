#include "page/page_login.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

static void to_hex(const uint8_t *bytes, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

/* A free place, or that of the login unused longest. */
static struct page_login *place(struct page_logins *l)
{
    struct page_login *oldest = &l->list[0];

    for (unsigned i = 0; i < PAGE_LOGINS; i++) {
        if (!l->list[i].token[0])
            return &l->list[i];
        if (l->list[i].used_ns < oldest->used_ns)
            oldest = &l->list[i];
    }
    return oldest;
}

const struct page_login *page_login_add(struct page_logins *l, struct http_text user,
                                        uint64_t generation, uint64_t now_ns)
{
    uint8_t bytes[PAGE_TOKEN_BYTES];
    struct page_login *x = place(l);

    if (user.len > PAGE_USER_MAX || RAND_bytes(bytes, sizeof bytes) != 1)
        return NULL;
    *x = (struct page_login){.used_ns = now_ns, .generation = generation};
    memcpy(x->user, user.data, user.len);
    to_hex(bytes, sizeof bytes, x->token);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return x;
}

static struct page_login *look_up(struct page_logins *l, struct http_text token)
{
    struct page_login *found = NULL;

    if (token.len != PAGE_TOKEN_TEXT)
        return NULL;
    for (unsigned i = 0; i < PAGE_LOGINS; i++)
        if (l->list[i].token[0] &&
            CRYPTO_memcmp(l->list[i].token, token.data, PAGE_TOKEN_TEXT) == 0)
            found = &l->list[i];
    return found;
}

const struct page_login *page_login_find(struct page_logins *l, struct http_text token,
                                         uint64_t generation, uint64_t now_ns)
{
    struct page_login *x = look_up(l, token);

    if (!x)
        return NULL;
    if (x->generation != generation || now_ns - x->used_ns > PAGE_LOGIN_NS) {
        OPENSSL_cleanse(x, sizeof *x);
        return NULL;
    }
    x->used_ns = now_ns;
    return x;
}

void page_login_remove(struct page_logins *l, struct http_text token)
{
    struct page_login *x = look_up(l, token);

    if (x)
        OPENSSL_cleanse(x, sizeof *x);
}
