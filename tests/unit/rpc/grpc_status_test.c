/* Texts of gRPC's HTTP/2 fields, and metadata. */
#include "rpc/grpc_status.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rpc/grpc_metadata.h"

Test(grpc_status, codes)
{
    cr_assert_eq(grpc_code_parse("0"), GRPC_OK);
    cr_assert_eq(grpc_code_parse("14"), GRPC_UNAVAILABLE);
    cr_assert_eq(grpc_code_parse("17"), GRPC_UNKNOWN);
    cr_assert_eq(grpc_code_parse(""), GRPC_UNKNOWN);
    cr_assert_eq(grpc_code_parse("-1"), GRPC_UNKNOWN);
    cr_assert_eq(grpc_code_parse("99999999999"), GRPC_UNKNOWN);
    cr_assert_str_eq(grpc_code_name(GRPC_UNAUTHENTICATED), "UNAUTHENTICATED");
    cr_assert_str_eq(grpc_code_name((enum grpc_code)99), "UNKNOWN");
    cr_assert_eq(grpc_code_of_http(503), GRPC_UNAVAILABLE);
}

Test(grpc_status, messages_are_percent_encoded)
{
    char out[64], back[64];

    grpc_message_encode("100 % caf\xc3\xa9\n", out, sizeof(out));
    cr_assert_str_eq(out, "100 %25 caf%C3%A9%0A");
    grpc_message_decode(out, back, sizeof(back));
    cr_assert_str_eq(back, "100 % caf\xc3\xa9\n");
    grpc_message_decode("%", back, sizeof(back));
    cr_assert_str_eq(back, "%");
    grpc_message_decode("%4%zz%00%41", back, sizeof(back));
    cr_assert_str_eq(back, "%4%zz%00A");
    grpc_message_encode("\xff\xff\xff\xff", out, 8);
    cr_assert_str_eq(out, "%FF%FF");
    grpc_message_decode("abcdef", back, 4);
    cr_assert_str_eq(back, "abc");
}

Test(grpc_status, timeouts)
{
    const char *const bad[] = {"", "1", "S", "123456789S", "1x", "1SS", "-1S", " 1S"};
    char out[24];
    uint64_t ns;

    cr_assert(grpc_timeout_parse("5S", &ns) && ns == 5000000000);
    cr_assert(grpc_timeout_parse("12m", &ns) && ns == 12000000);
    cr_assert(grpc_timeout_parse("0n", &ns) && ns == 0);
    cr_assert(grpc_timeout_parse("99999999H", &ns) && ns == UINT64_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(grpc_timeout_parse(bad[i], &ns), "%s", bad[i]);
    for (uint64_t t = 1; t < UINT64_MAX / 8; t = t * 7 + 3) {
        grpc_timeout_print(t, out, sizeof(out));
        cr_assert(grpc_timeout_parse(out, &ns) && ns <= t, "%s", out);
        cr_assert(t - ns <= t / 90000 || t > 99999999ull * 1000000000, "%s of %lu", out,
                  (unsigned long)t);
    }
}

Test(grpc_status, metadata_is_bounded)
{
    struct grpc_metadata m;
    uint64_t v;
    char big[GRPC_METADATA_MAX_BYTES];

    grpc_metadata_init(&m);
    cr_assert_null(grpc_metadata_get(&m, "a"));
    cr_assert_eq(grpc_metadata_put(&m, "a", "1"), 0);
    cr_assert_eq(grpc_metadata_put(&m, "b", ""), 0);
    cr_assert_eq(grpc_metadata_put(&m, "a", "2"), 0);
    cr_assert_eq(grpc_metadata_put_u64(&m, "n", UINT64_MAX), 0);
    cr_assert_eq(grpc_metadata_put(&m, "o", "18446744073709551616"), 0);
    cr_assert_str_eq(grpc_metadata_get(&m, "a"), "1");
    cr_assert_str_eq(grpc_metadata_get(&m, "b"), "");
    cr_assert(grpc_metadata_get_u64(&m, "n", &v) && v == UINT64_MAX);
    cr_assert_not(grpc_metadata_get_u64(&m, "o", &v), "wraps");
    cr_assert_not(grpc_metadata_get_u64(&m, "b", &v));
    cr_assert_eq(grpc_metadata_add(&m, "x", 1, "a\0b", 3), -EINVAL);
    memset(big, 'x', sizeof(big));
    cr_assert_eq(grpc_metadata_add(&m, "x", 1, big, sizeof(big)), -ENOBUFS);
    for (unsigned i = m.n; i < GRPC_METADATA_MAX_FIELDS; i++)
        cr_assert_eq(grpc_metadata_put(&m, "f", "v"), 0);
    cr_assert_eq(grpc_metadata_put(&m, "f", "v"), -ENOBUFS);
    grpc_metadata_fini(&m);
}
