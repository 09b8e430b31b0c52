/* Answers of object stores: any bytes give a terminated text or none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/s3_answer.h"
#include "reactor/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = malloc(size + 1); /* its own place, so that reading behind it is seen */
    char small[4], text[64], error[200];

    ASSERT(body);
    memcpy(body, data, size);
    if (s3_answer_text(body, size, "UploadId", small, sizeof small))
        ASSERT(strlen(small) < sizeof small);
    if (s3_answer_text(body, size, "Code", text, sizeof text))
        ASSERT(strlen(text) < sizeof text);
    s3_answer_error(404, body, size, error, sizeof error);
    ASSERT(strlen(error) < sizeof error);
    free(body);
    return 0;
}
