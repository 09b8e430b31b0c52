/* Signatures against the examples of Amazon's documentation. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "ingest/s3_sign.h"

#define ACCESS "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void expect_signature(struct s3_to_sign q, const char *wanted)
{
    char out[1024], end[100];

    q.region = "us-east-1";
    q.service = "s3";
    q.date = "20130524T000000Z";
    cr_assert_eq(s3_sign(&q, ACCESS, SECRET, out, sizeof out), 0);
    snprintf(end, sizeof end, ",Signature=%s", wanted);
    cr_expect(strlen(out) > strlen(end) && strcmp(out + strlen(out) - strlen(end), end) == 0, "%s",
              out);
    cr_expect(strstr(out, "Credential=" ACCESS "/20130524/us-east-1/s3/aws4_request,"));
}

Test(s3_sign, documented_examples)
{
    const struct s3_header get[] = {{"host", "examplebucket.s3.amazonaws.com"},
                                    {"range", "bytes=0-9"},
                                    {"x-amz-content-sha256", EMPTY},
                                    {"x-amz-date", "20130524T000000Z"}};
    const struct s3_header list[] = {get[0], get[2], get[3]};

    expect_signature((struct s3_to_sign){.method = "GET",
                                         .path = "/test.txt",
                                         .query = "",
                                         .headers = get,
                                         .n_headers = 4,
                                         .payload_sha = EMPTY},
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    expect_signature((struct s3_to_sign){.method = "GET",
                                         .path = "/",
                                         .query = "lifecycle=",
                                         .headers = list,
                                         .n_headers = 3,
                                         .payload_sha = EMPTY},
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    expect_signature((struct s3_to_sign){.method = "GET",
                                         .path = "/",
                                         .query = "max-keys=2&prefix=J",
                                         .headers = list,
                                         .n_headers = 3,
                                         .payload_sha = EMPTY},
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

Test(s3_sign, hash_date_and_escapes)
{
    char hex[S3_HEX], date[S3_DATE], out[32];

    cr_assert_eq(s3_sha256("", 0, hex), 0);
    cr_expect_str_eq(hex, EMPTY);
    s3_date(1369353600, date);
    cr_expect_str_eq(date, "20130524T000000Z");
    cr_assert_eq(s3_encode("a b+/ü~", 1, out, sizeof out), 0);
    cr_expect_str_eq(out, "a%20b%2B/%C3%BC~");
    cr_assert_eq(s3_encode("a/b", 0, out, sizeof out), 0);
    cr_expect_str_eq(out, "a%2Fb");
    cr_expect_eq(s3_encode("0123456789", 1, out, 10), -ENOBUFS);
}
