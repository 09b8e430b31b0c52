/* Texts of answers, whole and cut. */
#include <string.h>

#include <criterion/criterion.h>

#include "ingest/s3_answer.h"

Test(s3_answer, texts_and_errors)
{
    static const char body[] =
        "<?xml version=\"1.0\"?>\n<Error x=\"1\"><Codes>no</Codes><Code>NoSuch&lt;Bucket&gt;"
        "</Code><Message>it is &amp; stays\naway</Message></Error>";
    char out[100], small[5];

    s3_answer_error(404, body, strlen(body), out, sizeof out);
    cr_expect_str_eq(out, "NoSuch<Bucket>: it is & stays away");
    cr_expect(s3_answer_text(body, strlen(body), "Code", small, sizeof small));
    cr_expect_str_eq(small, "NoSu");
    cr_expect_not(s3_answer_text(body, strlen(body), "Cod", out, sizeof out));
    s3_answer_error(502, "<html>", 6, out, sizeof out);
    cr_expect_str_eq(out, "HTTP status 502");
    for (size_t n = 0; n < strlen(body); n++)
        (void)s3_answer_text(body, n, "Message", out, sizeof out);
}
