/* s3://bucket/key: hosts and paths, what is refused, what a list of prefixes allows. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "ingest/s3_target.h"

static void expect_target(const char *uri, const char *endpoint, const char *origin,
                          const char *path)
{
    struct s3_target t;
    struct error_info err;
    int rc = s3_target_set(&t, uri, endpoint, "eu-west-1", &err);

    cr_assert_eq(rc, origin ? 0 : -EINVAL, "%s", uri);
    if (origin)
        cr_expect(strcmp(t.origin, origin) == 0 && strcmp(t.path, path) == 0, "%s: %s %s", uri,
                  t.origin, t.path);
    else
        cr_expect_eq(err.code, 1210);
}

Test(s3_target, places)
{
    expect_target("s3://bucket/A/b c", NULL, "https://bucket.s3.eu-west-1.amazonaws.com",
                  "/A/b%20c");
    expect_target("s3://dotted.name/x", NULL, "https://s3.eu-west-1.amazonaws.com",
                  "/dotted.name/x");
    expect_target("s3://bucket/x", "http://127.0.0.1:4568", "http://127.0.0.1:4568", "/bucket/x");
    expect_target("s3://bucket", NULL, NULL, NULL);
    expect_target("s3://bucket/", NULL, NULL, NULL);
    expect_target("s3://bucket/x/", NULL, NULL, NULL);
    expect_target("s3://b/x", NULL, NULL, NULL);
    expect_target("s3://buck@et/x", NULL, NULL, NULL);
    expect_target("s3://bucket/a/../x", NULL, NULL, NULL);
    expect_target("s3://bucket/.", NULL, NULL, NULL);
    expect_target("https://bucket/x", NULL, NULL, NULL);
}

Test(s3_target, what_is_allowed)
{
    cr_expect(s3_target_is_allowed("s3://b/x", "s3://"));
    cr_expect(s3_target_is_allowed("s3://b/x", "s3://a,s3://b"));
    cr_expect(s3_target_is_allowed("s3://b/dir/x", "s3://b/dir"));
    cr_expect(s3_target_is_allowed("s3://b/dir/x", "s3://b/dir/"));
    cr_expect_not(s3_target_is_allowed("s3://b/dirx", "s3://b/dir"));
    cr_expect_not(s3_target_is_allowed("s3://bx/x", "s3://b"));
    cr_expect_not(s3_target_is_allowed("s3://b/x", ""));
    cr_expect_not(s3_target_is_allowed("s3://b/x", "s3,,b"));
    cr_expect(s3_endpoint_is_sound("https://store.example:9000"));
    cr_expect_not(s3_endpoint_is_sound("https://store/path"));
    cr_expect_not(s3_endpoint_is_sound("ftp://store"));
}
