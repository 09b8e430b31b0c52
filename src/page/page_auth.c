/* The login of the page: the password is told, and checked as one that a MySQL client tells over TLS. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "page/page_impl.h"
#include "page/page_json.h"
#include "reactor/list.h"
#include "reactor/log.h"
#include "sql/gateway_query.h"

struct page_auth { /* owner: core 0, until the answer */
    struct page *page;
    struct http_answer *answer;
    struct auth_attempt attempt;
    uint64_t generation;
    size_t len;
    char text[]; /* user, password */
};

static void allow(struct page_auth *x)
{
    struct buffer *out = http_answer_body(x->answer);
    struct http_text user = {x->attempt.user.data, x->attempt.user.len};
    const struct page_login *login =
        page_login_add(&x->page->logins, user, x->generation, reactor_now_ns(x->page->reactor));

    if (!login) {
        page_end_error(x->answer, 503, MYSQL_ER_OUT_OF_RESOURCES, "No login can be made now");
        return;
    }
    buffer_printf(out, "{\"token\":\"%s\",\"user\":", login->token);
    page_json_string(out, login->user, strlen(login->user));
    buffer_append(out, "}\n", 2);
    page_end_json(x->answer, 200);
}

static void decided(struct auth_attempt *attempt, enum auth_verdict verdict)
{
    struct page_auth *x = container_of(attempt, struct page_auth, attempt);

    if (verdict == AUTH_ALLOW) {
        allow(x);
    } else {
        log_warn("page: a login from %s was refused", http_answer_peer(x->answer));
        page_end_error(x->answer, 403, MYSQL_ER_ACCESS_DENIED_ERROR,
                       "User or password is not right");
    }
    x->page->checks--;
    OPENSSL_cleanse(x->text, x->len);
    free(x);
}

void page_auth_start(struct page *p, struct http_answer *a, struct http_text user,
                     struct http_text password)
{
    size_t len = user.len + password.len;
    struct page_auth *x = p->checks < PAGE_CHECKS ? calloc(1, sizeof *x + len + 1) : NULL;

    if (!x) {
        page_end_error(a, 503, MYSQL_ER_CON_COUNT_ERROR, "Too many logins at once; try again");
        return;
    }
    p->checks++;
    x->page = p;
    x->answer = a;
    x->len = len;
    memcpy(x->text, user.data, user.len);
    memcpy(x->text + user.len, password.data, password.len);
    x->attempt = (struct auth_attempt){.user = {x->text, user.len},
                                       .response = {x->text + user.len, password.len},
                                       .proof = AUTH_PROOF_PASSWORD,
                                       .done = decided};
    (void)gateway_asks_users(p->reactor, &x->generation);
    enum auth_verdict verdict = gateway_authenticate(p->reactor, &x->attempt);
    if (verdict != AUTH_PENDING)
        decided(&x->attempt, verdict);
}
