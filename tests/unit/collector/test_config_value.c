/* Every kind of value: what it takes, what it refuses, and with which words. */
#include "collector/config_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/check.h"
#include "common/log.h"
#include "store/store.h"

static void reads_amounts_of_bytes_in_every_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {"268435456", 268435456},
        {"7B", 7},
        {"2kB", 2000},
        {"2KB", 2000},
        {"10GB", 10000000000},
        {"10 GB", 10000000000},
        {"3MB", 3000000},
        {"1TB", 1000000000000},
        {"1KiB", 1024},
        {"512MiB", 512u << 20},
        {"512mib", 512u << 20},
        {"10GiB", UINT64_C(10) << 30},
        {"2TiB", UINT64_C(2) << 40},
        {"1.5GiB", UINT64_C(3) << 29},
        {"0.25kB", 250},
        {"0.0001kB", 0},
        {"1.1234567TB", 1123456000000},
        {"18446744073709551615", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_err_detail detail = {0};
        uint64_t bytes = 99;

        if (bb_parse_bytes(cases[i].text, &bytes, &detail) != BB_OK || bytes != cases[i].bytes) {
            fail_msg("%s: %llu %s", cases[i].text, (unsigned long long)bytes, detail.text);
        }
    }
}

static void refuses_what_is_no_amount_of_bytes(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "GB",
        "-1",
        "+1",
        "1,5GB",
        "10G",
        "10M",
        "10 Gi",
        "1.GB",
        ".5GB",
        "1e9",
        "0x10",
        "1GB ",
        "1 GB x",
        "1..5GB",
        "∞",
        "1.5.2GB",
        " 1GB",
        "18446744073709551616",
        "18446744073709551615kB",
        "20000000TiB",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_err_detail detail = {0};
        uint64_t bytes = 99;

        if (bb_parse_bytes(cases[i], &bytes, &detail) != BB_EINVAL) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
        assert_int_equal(bytes, 99);
        assert_true(strlen(detail.text) > 0);
    }
}

static void takes_listen_addresses_with_host_port(void **state)
{
    static const char *const cases[] = {
        "127.0.0.1:4317", "localhost:0", "[::1]:4318", "[::]:65535", ":16686", "0.0.0.0:80",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        const char *value = NULL;

        if (bb_parse_listen(cases[i], &value, NULL) != BB_OK) {
            fail_msg("\"%s\" was refused", cases[i]);
        }
        assert_string_equal(value, cases[i]);
    }
}

static void an_empty_listen_address_means_off(void **state)
{
    const char *value = "something";

    (void)state;
    assert_int_equal(bb_parse_listen("", &value, NULL), BB_OK);
    assert_null(value);
}

static void refuses_listen_addresses_and_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"127.0.0.1", "has no port"},
        {"4317", "has no port"},
        {"localhost:", "has no port"},
        {"localhost:65536", "over 65535"},
        {"localhost:-1", "must be a number"},
        {"localhost: 4317", "must be a number"},
        {"::1:4317", "brackets"},
        {"http://localhost:4317", "brackets"},
        {"local/host:4317", "no host name has a '/'"},
        {"local host:4317", "no host name has a ' '"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(cases); i++) {
        struct bb_err_detail detail = {0};
        const char *value = "kept";

        if (bb_parse_listen(cases[i].text, &value, &detail) != BB_EINVAL ||
            strstr(detail.text, cases[i].words) == NULL) {
            fail_msg("\"%s\": \"%s\"", cases[i].text, detail.text);
        }
        assert_string_equal(value, "kept");
    }
}

static void retention_is_a_duration_of_at_least_a_second(void **state)
{
    struct bb_err_detail detail = {0};
    uint64_t ns = 7;

    (void)state;
    assert_int_equal(bb_parse_retention("168h", &ns, NULL), BB_OK);
    assert_int_equal(ns, UINT64_C(604800000000000));
    assert_int_equal(bb_parse_retention("7d", &ns, NULL), BB_OK);
    assert_int_equal(ns, UINT64_C(604800000000000));
    assert_int_equal(bb_parse_retention("1s", &ns, NULL), BB_OK);
    assert_int_equal(ns, 1000000000);

    assert_int_equal(bb_parse_retention("999ms", &ns, &detail), BB_EINVAL);
    assert_non_null(strstr(detail.text, "at least 1s"));
    assert_int_equal(bb_parse_retention("0", &ns, &detail), BB_EINVAL);
    assert_int_equal(bb_parse_retention("300y", &ns, &detail), BB_EINVAL);
    assert_non_null(strstr(detail.text, "no duration"));
    assert_int_equal(bb_parse_retention("999999999h", &ns, &detail), BB_EINVAL);
    assert_non_null(strstr(detail.text, "too long"));
    assert_int_equal(bb_parse_retention("", &ns, &detail), BB_EINVAL);
    assert_int_equal(ns, 1000000000);
}

static void memory_and_disk_have_a_least_amount(void **state)
{
    struct bb_err_detail detail = {0};
    uint64_t bytes = 7;

    (void)state;
    assert_int_equal(bb_parse_memory_bytes("256MiB", &bytes, NULL), BB_OK);
    assert_int_equal(bytes, 256u << 20);
    assert_int_equal(bb_parse_memory_bytes("268435455", &bytes, &detail), BB_EINVAL);
    assert_string_equal(detail.text, "\"268435455\" must be at least 256MiB");
    assert_int_equal(bb_parse_memory_bytes("0", &bytes, &detail), BB_EINVAL);
    assert_int_equal(bb_parse_memory_bytes("lots", &bytes, &detail), BB_EINVAL);

    assert_int_equal(bb_parse_disk_bytes("0", &bytes, NULL), BB_OK);
    assert_int_equal(bytes, 0);
    assert_int_equal(bb_parse_disk_bytes("1GB", &bytes, NULL), BB_OK);
    assert_int_equal(bytes, 1000000000);
    assert_int_equal(bb_parse_disk_bytes("1kB", &bytes, &detail), BB_EINVAL);
    assert_string_equal(detail.text, "\"1kB\" must be 0 (no bound) or at least 256MiB");
    assert_int_equal(bytes, 1000000000);
}

static void a_choice_names_all_that_it_could_have_been(void **state)
{
    enum bb_durability durability = BB_DURABILITY_WAL;
    enum bb_log_level level = BB_LOG_INFO;
    struct bb_err_detail detail = {0};

    (void)state;
    assert_int_equal(bb_parse_durability("fsync", &durability, NULL), BB_OK);
    assert_int_equal(durability, BB_DURABILITY_FSYNC);
    assert_int_equal(bb_parse_durability("wal", &durability, NULL), BB_OK);
    assert_int_equal(durability, BB_DURABILITY_WAL);
    assert_int_equal(bb_parse_durability("none", &durability, &detail), BB_EINVAL);
    assert_string_equal(detail.text, "\"none\" can only be one of: wal, fsync");

    assert_int_equal(bb_parse_log_level("debug", &level, NULL), BB_OK);
    assert_int_equal(level, BB_LOG_DEBUG);
    assert_int_equal(bb_parse_log_level("INFO", &level, &detail), BB_EINVAL);
    assert_string_equal(detail.text, "\"INFO\" can only be one of: debug, info, warn, error, off");
    assert_int_equal(level, BB_LOG_DEBUG);
}

static void a_path_is_not_empty_and_an_optional_one_may_be(void **state)
{
    const char *path = "kept";

    (void)state;
    assert_int_equal(bb_parse_path("", &path, NULL), BB_EINVAL);
    assert_string_equal(path, "kept");
    assert_int_equal(bb_parse_path("/a b", &path, NULL), BB_OK);
    assert_string_equal(path, "/a b");
    assert_int_equal(bb_parse_optional_path("x", &path, NULL), BB_OK);
    assert_string_equal(path, "x");
    assert_int_equal(bb_parse_optional_path("", &path, NULL), BB_OK);
    assert_null(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_amounts_of_bytes_in_every_unit),
        cmocka_unit_test(refuses_what_is_no_amount_of_bytes),
        cmocka_unit_test(takes_listen_addresses_with_host_port),
        cmocka_unit_test(an_empty_listen_address_means_off),
        cmocka_unit_test(refuses_listen_addresses_and_says_why),
        cmocka_unit_test(retention_is_a_duration_of_at_least_a_second),
        cmocka_unit_test(memory_and_disk_have_a_least_amount),
        cmocka_unit_test(a_choice_names_all_that_it_could_have_been),
        cmocka_unit_test(a_path_is_not_empty_and_an_optional_one_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
