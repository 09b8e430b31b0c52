#pragma once
/* What the files of time functions share. */
#include "sql/function.h"

/* Argument i as a point in time; false with *out NULL when it is none. */
bool function_arg_datetime(const struct expr *e, struct expr_ctx *x, unsigned i, int64_t *us,
                           struct datum *out);
/* Week by MySQL's mode 0..7, and the year it belongs to. */
unsigned function_week(int64_t days, unsigned mode, int *year);

/* DATE_FORMAT's text of a point in time, or of a duration. */
void function_format_time(struct expr_ctx *x, int64_t us, bool is_duration, const char *format,
                          size_t len, struct datum *out);

bool function_resolve_format(struct expr *e, struct function_bind *b);
bool function_resolve_str_to_date(struct expr *e, struct function_bind *b);
void function_eval_date_format(const struct expr *e, struct expr_ctx *x, struct datum *out);
void function_eval_time_format(const struct expr *e, struct expr_ctx *x, struct datum *out);
void function_eval_str_to_date(const struct expr *e, struct expr_ctx *x, struct datum *out);
void function_eval_dayname(const struct expr *e, struct expr_ctx *x, struct datum *out);
void function_eval_monthname(const struct expr *e, struct expr_ctx *x, struct datum *out);
/* timediff(a, b, unit). */
bool function_resolve_timediff_in(struct expr *e, struct function_bind *b);
void function_eval_timediff_in(const struct expr *e, struct expr_ctx *x, struct datum *out);
/* todate(x), and seconds since 1970 as text. */
void function_eval_todate(const struct expr *e, struct expr_ctx *x, struct datum *out);
bool function_resolve_todate(struct expr *e, struct function_bind *b);
