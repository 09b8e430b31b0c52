#pragma once
/* SELECT ... INTO OUTFILE, DUMPFILE and 's3://...', for gateway_statement.c. */
#include <stdbool.h>

struct sql_into;
struct sql_option;
struct statement;

bool select_export_is(const struct sql_into *into);
/* Between select_prepare and select_open: the answer goes to the program's exports. False with the error. */
bool select_export(struct statement *s, const struct sql_into *into,
                   const struct sql_option *options);
/* The statement ends; any time, also when there is none. */
void select_export_drop(struct statement *s);
