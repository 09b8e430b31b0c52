#include "ingest/events_csv.h"

#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 160

static uint8_t *put_number(uint8_t *to, uint64_t number, unsigned digits)
{
    char buf[20];
    size_t at = sizeof(buf);
    for (unsigned i = 0; i < digits || number > 0 || i == 0; i++) {
        buf[--at] = (char)('0' + number % 10);
        number /= 10;
    }
    memcpy(to, buf + at, sizeof(buf) - at);
    return to + sizeof(buf) - at;
}

static uint8_t *put_text(uint8_t *to, const char *text)
{
    size_t len = strlen(text);
    memcpy(to, text, len);
    return to + len;
}

/* "YYYY-MM-DD HH:MM:SS" */
static uint8_t *put_time(uint8_t *to, int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    to = put_number(to, (uint64_t)tm.tm_year + 1900, 4);
    *to++ = '-';
    to = put_number(to, (uint64_t)tm.tm_mon + 1, 2);
    *to++ = '-';
    to = put_number(to, (uint64_t)tm.tm_mday, 2);
    *to++ = ' ';
    to = put_number(to, (uint64_t)tm.tm_hour, 2);
    *to++ = ':';
    to = put_number(to, (uint64_t)tm.tm_min, 2);
    *to++ = ':';
    return put_number(to, (uint64_t)tm.tm_sec, 2);
}

static uint8_t *put_event(uint8_t *to, const struct events_row *row)
{
    to = put_number(to, (uint64_t)row->id, 1);
    *to++ = ',';
    to = put_time(to, row->ts_seconds);
    *to++ = ',';
    to = put_text(to, events_device_name(row->device));
    to = put_text(to, ",C");
    to = put_number(to, row->country, 3);
    to = put_text(to, ",E");
    to = put_number(to, row->event, 1);
    *to++ = ',';
    to = put_number(to, row->content_id, 1);
    to = put_text(to, ",u");
    to = put_number(to, row->user, 1);
    *to++ = ',';
    to = put_number(to, row->duration, 1);
    *to++ = ',';
    to = put_number(to, row->revenue_cents / 100, 1);
    *to++ = '.';
    to = put_number(to, row->revenue_cents % 100, 2);
    return put_text(to, row->live ? ",true\n" : ",false\n");
}

static uint8_t *put_content(uint8_t *to, const struct content_row *row)
{
    to = put_number(to, (uint64_t)row->content_id, 1);
    to = put_text(to, ",Title ");
    to = put_number(to, (uint64_t)row->content_id, 1);
    to = put_text(to, ",G");
    to = put_number(to, row->category, 1);
    *to++ = ',';
    to = put_number(to, row->year, 1);
    *to++ = ',';
    to = put_number(to, row->rating_tenths / 10, 1);
    *to++ = '.';
    to = put_number(to, row->rating_tenths % 10, 1);
    *to++ = '\n';
    return to;
}

int events_csv_rows(enum events_table table, const struct events_spec *spec, uint64_t first,
                    size_t n, struct parquet_buffer *out, struct parquet_error *err)
{
    int rc = parquet_buffer_reserve(out, n * LINE_MAX_BYTES, err);
    if (rc < 0)
        return rc;
    uint8_t *to = out->bytes + out->len;
    for (uint64_t i = first; i < first + n; i++) {
        if (table == EVENTS_TABLE_EVENTS) {
            struct events_row row;
            events_make_row(spec, i, &row);
            to = put_event(to, &row);
        } else {
            struct content_row row;
            events_make_content(spec, i, &row);
            to = put_content(to, &row);
        }
    }
    out->len = (size_t)(to - out->bytes);
    return 0;
}
