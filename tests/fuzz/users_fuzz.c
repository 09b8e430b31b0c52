/* The users file against any bytes: what is accepted can be found by its names. */
#include <string.h>

#include "reactor/assert.h"
#include "sql/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_info err;
    struct users *u;
    struct user user;

    (void)user_secret_parse((const char *)data, size, &user);
    if (users_parse("f", (const char *)data, size, &u, &err) != 0) {
        ASSERT(!u && err.text[0]);
        return 0;
    }
    ASSERT(users_count(u) > 0);
    for (size_t i = 0; i < users_count(u); i++) {
        const struct user *x = users_at(u, i);
        ASSERT(users_find(u, x->name, x->name_len) == i);
    }
    users_put(u);
    return 0;
}
