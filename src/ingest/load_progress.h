#pragma once
/* Progress of a load on stderr: a bar on a terminal, JSON lines, or nothing. Main thread. */
#include <stdint.h>

#include "ingest/load_job.h"

enum load_progress_kind { LOAD_PROGRESS_NONE, LOAD_PROGRESS_BAR, LOAD_PROGRESS_JSON };

/* "auto" = a bar when stderr is a terminal. */
enum load_progress_kind load_progress_choose(const char *option);
/* Prints the state once; called about twice a second. */
void load_progress_show(enum load_progress_kind kind, struct load *l, double seconds);
void load_progress_end(enum load_progress_kind kind);
