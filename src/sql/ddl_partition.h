#pragma once
/* ALTER TABLE ... DROP, ARCHIVE, RESTORE PARTITION. Owner: one statement on its core. */
#include "sql/gateway_statement.h"

/* True when that is what the statement asks for; then *ok tells whether it may run, or has failed. */
bool ddl_prepare_partitions(struct statement *s, bool *ok);
