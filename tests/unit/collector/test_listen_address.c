/* Addresses as operators write them, and sockets that listen there. */
#include "collector/listen_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/raw_http.h"

static void reads_every_form(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        const char *formatted;
    } rows[] = {
        {"127.0.0.1:4317", "127.0.0.1", 4317, "127.0.0.1:4317"},
        {"localhost:0", "localhost", 0, "localhost:0"},
        {"[::1]:65535", "::1", 65535, "[::1]:65535"},
        {"[fe80::1%eth0]:1", "fe80::1%eth0", 1, "[fe80::1%eth0]:1"},
        {":4318", "", 4318, "[::]:4318"},
        {"host-1.example_2:80", "host-1.example_2", 80, "host-1.example_2:80"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_listen_address address;
        char formatted[BB_ENDPOINT_SIZE];

        assert_int_equal(bb_listen_address_parse(rows[i].text, NULL, &address), BB_OK);
        assert_string_equal(address.host, rows[i].host);
        assert_int_equal(address.port, rows[i].port);
        bb_listen_address_format(&address, formatted);
        assert_string_equal(formatted, rows[i].formatted);
    }
}

static void refuses_what_is_no_address_and_says_why(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "no port"},
        {"localhost", "no port"},
        {"localhost:", "no port"},
        {"localhost:http", "must be a number"},
        {"localhost:-1", "must be a number"},
        {"localhost: 1", "must be a number"},
        {"localhost:65536", "over 65535"},
        {"localhost:99999999999999999999", "over 65535"},
        {"::1:4317", "brackets"},
        {"[::1]", "[address]:port"},
        {"[::1:4317", "[address]:port"},
        {"[::1]4317", "[address]:port"},
        {"[]:4317", "no address in the brackets"},
        {"a b:1", "no host name has a ' '"},
        {"http://localhost:1", "brackets"},
        {"a/b:1", "no host name has a '/'"},
        {"a]:1", "no host name has a ']'"},
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(rows); i++) {
        struct bb_listen_address address = {.port = 7};
        struct bb_err_detail detail = {0};

        assert_int_equal(bb_listen_address_parse(rows[i].text, &detail, &address), BB_EINVAL);
        if (strstr(detail.text, rows[i].why) == NULL) {
            fail_msg("%s: %s", rows[i].text, detail.text);
        }
        assert_int_equal(address.port, 7);
    }
}

static void refuses_a_host_that_is_too_long(void **state)
{
    struct bb_listen_address address;
    char text[BB_HOST_SIZE + 3];

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text + BB_HOST_SIZE, ":1", 3);
    assert_int_equal(bb_listen_address_parse(text, NULL, &address), BB_EINVAL);
    assert_int_equal(bb_listen_address_parse(text + 1, NULL, &address), BB_OK);
    assert_int_equal(strlen(address.host), BB_HOST_SIZE - 1);
}

static void open_socket(const char *text, int *out_fd, uint16_t *out_port)
{
    struct bb_listen_address address;
    struct bb_err_detail detail = {0};

    assert_int_equal(bb_listen_address_parse(text, NULL, &address), BB_OK);
    if (bb_listen_socket_open(&address, &detail, out_fd, out_port) != BB_OK) {
        fail_msg("%s", detail.text);
    }
}

static void listens_on_a_free_port(void **state)
{
    int fd;
    uint16_t port;

    (void)state;
    open_socket("127.0.0.1:0", &fd, &port);
    assert_int_not_equal(port, 0);
    assert_false(raw_is_refused(port));
    close(fd);
    assert_true(raw_is_refused(port));
}

static void every_address_takes_in_ipv4_connections(void **state)
{
    int fd;
    uint16_t port;

    (void)state;
    open_socket(":0", &fd, &port);
    assert_false(raw_is_refused(port));
    close(fd);
}

static void a_port_is_not_shared(void **state)
{
    struct bb_listen_address address = {.host = "127.0.0.1"};
    struct bb_err_detail detail = {0};
    int fd;
    int second = -1;

    (void)state;
    open_socket("127.0.0.1:0", &fd, &address.port);
    assert_int_equal(bb_listen_socket_open(&address, &detail, &second, &address.port), BB_EIO);
    assert_int_equal(second, -1);
    assert_non_null(strstr(detail.text, "Address already in use"));
    close(fd);
}

static void tells_of_an_address_that_is_not_ours(void **state)
{
    struct bb_listen_address address = {.host = "192.0.2.1", .port = 4317};
    struct bb_err_detail detail = {0};
    uint16_t port;
    int fd;

    (void)state;
    assert_int_equal(bb_listen_socket_open(&address, &detail, &fd, &port), BB_EIO);
    assert_non_null(strstr(detail.text, "192.0.2.1:4317"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(refuses_what_is_no_address_and_says_why),
        cmocka_unit_test(refuses_a_host_that_is_too_long),
        cmocka_unit_test(listens_on_a_free_port),
        cmocka_unit_test(every_address_takes_in_ipv4_connections),
        cmocka_unit_test(a_port_is_not_shared),
        cmocka_unit_test(tells_of_an_address_that_is_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
