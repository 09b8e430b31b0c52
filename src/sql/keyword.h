#pragma once
/* Words with a meaning to the grammar. */
#include <stdbool.h>
#include <stddef.h>

/* Token of a keyword in any case; 0 when the word is not one. Any core. */
int sql_keyword_find(const char *word, size_t length);
/* All of them in order, upper case; NULL behind the last. */
const char *sql_keyword_at(size_t i);

/* Kind of a type's name that is not a keyword of its own (enum sql_type_kind), in any case; 0 when
 * there is none. Any core. */
int sql_type_find(const char *word, size_t length);
