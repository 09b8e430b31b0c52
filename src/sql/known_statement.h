#pragma once
/* The first words of a statement of MySQL, or of an action of its ALTER TABLE, that the grammar does not have; NULL when
 * the text begins otherwise. For a text that was not understood. Constant; any core. */
const char *known_statement(const char *text);
