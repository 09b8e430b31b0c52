#pragma once
/* What object stores answer: texts out of small XML documents, and error messages. No I/O, any thread. */
#include <stdbool.h>
#include <stddef.h>

/* The text of the first element of that name, references decoded, cut to cap - 1 bytes. False: there is none. */
bool s3_answer_text(const char *body, size_t len, const char *element, char *out, size_t cap);
/* The error in an answer, "NoSuchBucket: The specified bucket does not exist", or what the status tells. */
void s3_answer_error(long status, const char *body, size_t len, char *out, size_t cap);
