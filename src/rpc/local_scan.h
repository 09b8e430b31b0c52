#pragma once
/* A scan leg: the cross-core call of a query. Lent by the home core to the core that owns the slots. */
#include <stdatomic.h>

#include "reactor/leg.h"
#include "storage/scan.h"

enum scan_command { SCAN_NEXT, SCAN_UNITE, SCAN_UNFOLD, SCAN_CLOSE };

enum scan_leg_state {
    SCAN_LEG_NEW, /* not yet lent */
    SCAN_LEG_LENT,
    SCAN_LEG_BATCH, /* home with a batch */
    SCAN_LEG_TAKEN, /* home, the batch was answered */
    SCAN_LEG_WHOLE, /* home, all groups lie where `whole` tells until SCAN_UNFOLD or SCAN_CLOSE */
    SCAN_LEG_END,
    SCAN_LEG_ERROR,
};

struct shard_scan;
struct query_op;

enum { SCAN_LEG_SMALL = 8192 }; /* bytes of a batch that comes home with its leg */

struct scan_leg {
    struct leg leg;      /* first */
    struct query_op *op; /* home core's */
    uint64_t passed;     /* home core's: `below` of the batches merged */
    bool out;            /* home core's: lent and not back; then all below is the target's */
    enum scan_leg_state state;
    enum scan_command command;
    const struct program *program;
    const struct schema *schema;
    const atomic_bool *cancelled;
    uint64_t deadline_ns; /* 0 = none */
    uint32_t batch_rows;
    uint32_t slot;                   /* the only one to look at; BATCH_SLOT_ANY = all of the core */
    struct shard_scan *scan;         /* the target core's, kept between calls; NULL = closed */
    uint32_t shares;                 /* scan_share */
    struct batch batch;              /* BATCH: valid until the leg is lent again */
    bool last;                       /* BATCH: no other follows */
    uint64_t below;                  /* BATCH: scan_below */
    const struct group_whole *whole; /* WHOLE: scan_whole; NULL = none */
    const struct scan_leg *all;  /* UNITE: those whose groups are merged, of which this one gives */
    unsigned n_all, part, parts; /* a part */
    struct error_info error;     /* ERROR */
    struct scan_stats stats;     /* so far */
    uint8_t *small; /* home core's: room for a small last batch, whose scan is closed then */
};

/* On the target core: does what `command` says, replies when there is an answer. */
void scan_leg_run(struct leg *leg);
