/* google.rpc.Status, byte for byte in protobuf and character for character in JSON. */
#include "collector/rpc_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"   /* 40 characters */
#define BAD_REQUEST "type.googleapis.com/google.rpc.BadRequest" /* 41 characters */

static void assert_protobuf(const struct bb_rpc_status *status, const void *bytes, size_t size)
{
    struct bb_buf out;

    bb_buf_init(&out, 1000);
    bb_rpc_status_to_protobuf(status, &out);
    assert_int_equal(bb_buf_err(&out), BB_OK);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, bytes, size);
    bb_buf_dispose(&out);
}

static void assert_json(const struct bb_rpc_status *status, const char *text)
{
    struct bb_buf out;

    bb_buf_init(&out, 1000);
    bb_rpc_status_to_json(status, &out);
    bb_buf_append_byte(&out, '\0');
    assert_int_equal(bb_buf_err(&out), BB_OK);
    assert_string_equal((const char *)out.data, text);
    bb_buf_dispose(&out);
}

static void a_plain_status_has_a_code_and_a_message(void **state)
{
    static const char bytes[] = "\x08\x05\x12\x07no such";
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_NOT_FOUND, "no such", 0);

    (void)state;
    assert_protobuf(&status, bytes, sizeof(bytes) - 1);
    assert_json(&status, "{\"code\":5,\"message\":\"no such\"}");
}

static void an_overload_tells_when_to_come_back(void **state)
{
    /* details: Any of 42 + 6 bytes: 1 type_url, 2 value = RetryInfo { 1 Duration { 1: 300 } } */
    static const char bytes[] = "\x08\x0e\x12\x04"
                                "busy"
                                "\x1a\x31\x0a\x28" RETRY_INFO "\x12\x05\x0a\x03\x08\xac\x02";
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_UNAVAILABLE, "busy", 300);

    (void)state;
    assert_protobuf(&status, bytes, sizeof(bytes) - 1);
    assert_json(&status, "{\"code\":14,\"message\":\"busy\",\"details\":[{\"@type\":\"" RETRY_INFO
                         "\",\"retryDelay\":\"300s\"}]}");
}

static void a_bad_request_names_the_field(void **state)
{
    static const char bytes[] =
        "\x08\x03\x12\x0f"
        "spans[3].x: bad"
        "\x1a\x3e\x0a\x29" BAD_REQUEST "\x12\x11\x0a\x0f\x0a\x08spans[3]\x12\x03"
        "bad";
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_INVALID_ARGUMENT, "spans[3].x: bad", 0);

    (void)state;
    assert_true(bb_slice_equals_cstr(status.field, "spans[3].x"));
    assert_true(bb_slice_equals_cstr(status.description, "bad"));
    status.field = bb_slice_from_cstr("spans[3]");
    assert_protobuf(&status, bytes, sizeof(bytes) - 1);
    assert_json(&status,
                "{\"code\":3,\"message\":\"spans[3].x: bad\",\"details\":[{\"@type\":\"" BAD_REQUEST
                "\",\"fieldViolations\":[{\"field\":\"spans[3]\","
                "\"description\":\"bad\"}]}]}");
}

static void a_message_without_a_path_names_no_field(void **state)
{
    static const char *const messages[] = {
        "the gzip body is damaged: incorrect header check",
        "no colon",
        ": nothing before it",
        "a:b",
        "",
    };

    (void)state;
    for (size_t i = 0; i < BB_ARRAY_COUNT(messages); i++) {
        struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_INVALID_ARGUMENT, messages[i], 0);
        assert_int_equal(status.field.size, 0);
    }
}

static void only_a_bad_request_has_a_field(void **state)
{
    struct bb_rpc_status status = bb_rpc_status_of(BB_RPC_INTERNAL, "spans[3]: bad", 0);

    (void)state;
    assert_int_equal(status.field.size, 0);
}

static void details_are_the_whole_status_and_only_when_there_are_any(void **state)
{
    struct bb_rpc_status plain = bb_rpc_status_of(BB_RPC_NOT_FOUND, "no such", 0);
    struct bb_rpc_status busy = bb_rpc_status_of(BB_RPC_UNAVAILABLE, "busy", 1);
    struct bb_arena arena;

    (void)state;
    bb_arena_init(&arena, 1u << 16);
    assert_int_equal(bb_rpc_status_details(&plain, &arena).size, 0);
    struct bb_slice details = bb_rpc_status_details(&busy, &arena);
    assert_protobuf(&busy, details.data, details.size);
    bb_arena_dispose(&arena);

    bb_arena_init(&arena, 0);
    assert_int_equal(bb_rpc_status_details(&busy, &arena).size, 0);
    bb_arena_dispose(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_status_has_a_code_and_a_message),
        cmocka_unit_test(an_overload_tells_when_to_come_back),
        cmocka_unit_test(a_bad_request_names_the_field),
        cmocka_unit_test(a_message_without_a_path_names_no_field),
        cmocka_unit_test(only_a_bad_request_has_a_field),
        cmocka_unit_test(details_are_the_whole_status_and_only_when_there_are_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
