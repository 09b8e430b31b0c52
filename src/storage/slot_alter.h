#pragma once
/*
 * A slot gets further columns, in two steps: what may fail, and what cannot. In between nothing is written to the slot;
 * statements that read it go on, with the definition they began with. Owner: the slot's core.
 */
#include "storage/slot.h"

struct slot_alter;

/* next: follows the slot's definition (schema_succeed); a reference is taken. Nobody sees anything yet. 0, -ENOMEM,
 * -ENOSPC (dictionary codes). */
int slot_alter_new(struct slot *t, struct schema *next, struct slot_alter **out);
/* The slot has the definition from now on; the alter is freed. */
void slot_alter_take(struct slot_alter *a);
void slot_alter_free(struct slot_alter *a); /* it is not to be; NULL is allowed */
