#pragma once
/* Byte budget of a core or an operation. Owner: one core; budgets form a chain to the parent. */
#include <stdbool.h>
#include <stdint.h>

struct budget {
    struct budget *parent;      /* charged too; NULL at the top */
    const char *name;           /* for error texts and metrics, not owned */
    uint64_t used, limit, peak; /* bytes; limit 0 = none of its own */
};

void budget_init(struct budget *b, const char *name, uint64_t limit, struct budget *parent);

/* 0, or -ENOMEM when it or a parent would go over its limit; then nothing is charged. */
int budget_charge(struct budget *b, uint64_t bytes);

/* Charges without a refusal: for memory that is already in use. */
void budget_charge_always(struct budget *b, uint64_t bytes);

void budget_release(struct budget *b, uint64_t bytes);

/* The smallest limit of the chain; 0 = none has one. */
uint64_t budget_least_limit(const struct budget *b);

/* Bytes that could still be charged, over the whole chain. */
uint64_t budget_room(const struct budget *b);
