#pragma once
/*
 * Codes of texts that repeat: a dictionary with, before it, the texts met last by their last bytes, as comparing is
 * cheaper than hashing. Owner: who made it, on one core.
 */
#include "storage/dict.h"

enum { TEXT_CODES_MET_LOG = 8 };

/* A text of the dictionary. */
struct text_codes_met {
    const char *s; /* NULL = none */
    uint32_t len, code;
};

struct text_codes {
    struct dict *dict; /* whose code they get; not owned */
    struct text_codes_met met[1 << TEXT_CODES_MET_LOG];
};

void text_codes_init(struct text_codes *t, struct dict *dict);
/* The code of a text, given a new one when unknown: as dict_put_bytes. */
int text_codes_put(struct text_codes *t, const char *s, uint32_t len, uint32_t *code);
