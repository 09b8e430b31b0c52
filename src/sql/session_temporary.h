#pragma once
/*
 * The temporary tables of a session: their rows are its own (rpc/temporary.h), statements find them in a catalog of
 * which they are part, in front of tables of the same name. Owner: the session, on its core.
 */
#include "reactor/budget.h"
#include "storage/catalog.h"

struct gateway_session;

enum { SESSION_MAX_TEMPORARIES = 64 };

struct session_temporaries {
    struct schema *tables[SESSION_MAX_TEMPORARIES];
    uint32_t n;
    struct budget budget; /* of all their rows */
    /* The catalog with them, and that of the cluster which it was made of; NULL: to be made. */
    struct catalog *overlay, *base;
};

struct schema *session_temporary_find(const struct gateway_session *s,
                                      const char *name); /* borrowed */
/* Takes the reference to a finished definition in any case, gives it rows, which may take `limit` bytes with those of the
 * others. 0 or -errno with a text. */
int session_temporary_add(struct gateway_session *s, struct schema *t, uint64_t limit,
                          struct budget *core, struct error_info *err);
/* False: there is no such table. Statements at work keep it. */
bool session_temporary_drop(struct gateway_session *s, const char *name);
void session_temporary_drop_all(struct gateway_session *s);
void session_temporary_fini(struct gateway_session *s); /* after the last statement */

/* What statements of the session see: a new reference on this catalog, or on one with the temporary tables; NULL: no
 * memory. */
struct catalog *session_catalog(struct gateway_session *s, struct catalog *base);
