#include "ingest/events_gen.h"

#include "reactor/assert.h"

/* 2026-01-01 00:00:00 UTC, and 90 days of events from there. */
#define FIRST_SECOND 1767225600
#define SPAN_SECONDS 7776000
#define SEED_SHIFT 40

uint64_t events_mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

const char *events_device_name(uint32_t device)
{
    static const char *const names[] = {"mobile",  "tablet", "tv",   "desktop",
                                        "console", "watch",  "auto", "other"};
    ASSERT(device < sizeof(names) / sizeof(names[0]));
    return names[device];
}

/* Largest integer whose square is at most x < 40,000: linear skew over 200 values. */
static uint32_t root(uint32_t x)
{
    uint32_t r = 0;
    for (uint32_t bit = 128; bit > 0; bit >>= 1)
        if ((r + bit) * (r + bit) <= x)
            r += bit;
    return r;
}

void events_make_row(const struct events_spec *spec, uint64_t i, struct events_row *row)
{
    uint64_t base = (spec->seed << SEED_SHIFT) + 16 * i;
    row->id = (int64_t)i;
    row->ts_seconds = FIRST_SECOND + (int64_t)((unsigned __int128)i * SPAN_SECONDS / spec->rows);
    row->device = (uint32_t)(events_mix(base) % 8);
    row->country = root((uint32_t)(events_mix(base + 1) % 40000));
    row->event = (uint32_t)(events_mix(base + 2) % 12);
    row->content_id = (uint32_t)(events_mix(base + 3) % EVENTS_CONTENT_ROWS);
    row->user = (uint32_t)(events_mix(base + 4) % 5000000);
    row->duration = (uint32_t)(events_mix(base + 5) % 1000000);
    row->revenue_cents = (uint32_t)(events_mix(base + 6) % 100000);
    row->live = events_mix(base + 7) % 10 == 0;
}

void events_make_content(const struct events_spec *spec, uint64_t j, struct content_row *row)
{
    uint64_t base = (spec->seed << SEED_SHIFT) + ((uint64_t)1 << (SEED_SHIFT - 1)) + 4 * j;
    row->content_id = (int64_t)j;
    row->category = (uint32_t)(events_mix(base) % 25);
    row->year = 1980 + (uint32_t)(events_mix(base + 1) % 45);
    row->rating_tenths = (uint32_t)(events_mix(base + 2) % 1000);
}
