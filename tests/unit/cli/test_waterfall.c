#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "query/cli/waterfall.h"
#include "tests/support/span_build.h"

#define START_NS (UINT64_C(1795557600) * BB_NS_PER_S)
#define MS(count) (START_NS + (count) * BB_NS_PER_MS)

/* A root with two children, one of which has one; the last fails. */
static void build_trace(struct span_build *build)
{
    span_build_init(build);
    span_build_resource(build, "shop");
    span_build_string(build, "host.name", "h1");
    span_build_scope(build, "lib", "1");
    span_build_span(build, (struct span_spec){.trace = 1,
                                              .id = 1,
                                              .name = "GET /",
                                              .kind = BB_KIND_SERVER,
                                              .start_unix_ns = MS(0),
                                              .end_unix_ns = MS(100)});
    span_build_int(build, "http.response.status_code", 500);
    span_build_string(build, "evil", "a\x1b[2Jb\nc");
    span_build_span(build, (struct span_spec){.trace = 1,
                                              .id = 2,
                                              .parent = 1,
                                              .name = "load",
                                              .start_unix_ns = MS(10),
                                              .end_unix_ns = MS(60)});
    span_build_resource(build, "db");
    span_build_scope(build, "lib", "1");
    span_build_span(build, (struct span_spec){.trace = 1,
                                              .id = 3,
                                              .parent = 2,
                                              .name = "SELECT",
                                              .start_unix_ns = MS(20),
                                              .end_unix_ns = MS(20) + 1500});
    span_build_span(build, (struct span_spec){.trace = 1,
                                              .id = 4,
                                              .parent = 1,
                                              .name = "pay",
                                              .kind = BB_KIND_CLIENT,
                                              .start_unix_ns = MS(60),
                                              .end_unix_ns = MS(100),
                                              .status = BB_STATUS_ERROR,
                                              .status_message = "declined"});
    span_build_event(build, MS(90), "exception");
    span_build_string(build, "exception.message", "no money");
    span_build_link(build, 7, 8);
    span_build_string(build, "why", "retry");
}

/* The drawing, with a NUL behind it. */
static void draw(struct span_build *build, const struct bb_screen *screen, bool with_attributes,
                 struct bb_buf *out)
{
    struct bb_arena arena;

    bb_arena_init(&arena, 16u << 20);
    bb_buf_init(out, 16u << 20);
    struct bb_span_batch batch = span_build_batch(build, &arena);
    assert_int_equal(bb_waterfall_render(&batch, screen, with_attributes, &arena, out), BB_OK);
    bb_buf_append_byte(out, '\0');
    bb_arena_dispose(&arena);
}

static void draws_the_tree_and_the_bars(void **state)
{
    const struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    build_trace(&build);
    draw(&build, &screen, false, &out);
    assert_string_equal(
        (const char *)out.data,
        "Trace a0a1a2a3a4a5a6a70000000000000001  shop: GET /\n"
        "2026-11-24T22:00:00.000Z  100ms  4 spans  2 services  1 error\n"
        "\n"
        "SPAN                                 DURATION    0                 100ms\n"
        "shop GET /                              100ms    #######################\n"
        "|- shop load                           50.0ms      ############\n"
        "|  `- db SELECT                        1.50us        |\n"
        "`- db pay                              40.0ms  !              ##########\n");
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

static void attributes_stand_below_their_span(void **state)
{
    const struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    build_trace(&build);
    draw(&build, &screen, true, &out);
    const char *text = (const char *)out.data;
    assert_non_null(strstr(text, "#######\n"
                                 "|  span 0000000000000001  +0ns  server\n"
                                 "|  http.response.status_code = 500\n"
                                 "|  evil = a\\x1b[2Jb\\nc\n"
                                 "|  resource service.name = shop\n"
                                 "|  resource host.name = h1\n"
                                 "|- shop load"));
    assert_non_null(strstr(text, "\n"
                                 "|  |  span 0000000000000002  +10.0ms  unspecified\n"
                                 "|  `- db SELECT"));
    assert_non_null(strstr(text, "\n"
                                 "      span 0000000000000004  +60.0ms  client  status error: "
                                 "declined\n"
                                 "      resource service.name = db\n"
                                 "      event +90.0ms exception\n"
                                 "        exception.message = no money\n"
                                 "      link to trace a0a1a2a3a4a5a6a70000000000000007 span "
                                 "0000000000000008\n"
                                 "        why = retry\n"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    struct span_build build;

    (void)state;
    for (size_t width = 40; width <= 200; width += 7) {
        const struct bb_screen screen = {.is_terminal = true, .width = width};
        struct bb_buf out;
        build_trace(&build);
        draw(&build, &screen, true, &out);
        /* The head's two lines hold an id and are left to wrap. */
        const char *line = strstr((const char *)out.data, "SPAN");
        while (*line != '\0') {
            size_t size = strcspn(line, "\n");
            size_t columns = 0;
            for (size_t i = 0; i < size; i++) {
                columns += ((uint8_t)line[i] & 0xc0) != 0x80 ? 1 : 0;
            }
            if (columns > width) {
                fail_msg("%zu columns of %zu: %.*s", columns, width, (int)size, line);
            }
            line += size + 1;
        }
        bb_buf_dispose(&out);
        span_build_dispose(&build);
    }
}

static void colours_and_unicode_only_where_the_screen_has_them(void **state)
{
    struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    build_trace(&build);
    draw(&build, &screen, false, &out);
    for (size_t i = 0; i + 1 < out.size; i++) {
        assert_true(out.data[i] == '\n' || (out.data[i] >= ' ' && out.data[i] < 0x7f));
    }
    bb_buf_dispose(&out);
    screen.has_unicode = true;
    screen.has_colours = true;
    draw(&build, &screen, false, &out);
    assert_non_null(strstr((const char *)out.data, "\xe2\x94\x94\xe2\x94\x80 db pay"));
    assert_non_null(strstr((const char *)out.data, "1.50\xc2\xb5s"));
    assert_non_null(strstr((const char *)out.data, "\x1b[31m!\x1b[0m"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

static void a_trace_of_one_instant_has_bars_too(void **state)
{
    const struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    span_build_init(&build);
    span_build_resource(&build, NULL);
    span_build_scope(&build, "lib", "1");
    span_build_span(&build, (struct span_spec){.trace = 1,
                                               .id = 2,
                                               .parent = 9,
                                               .name = "now",
                                               .start_unix_ns = MS(5),
                                               .end_unix_ns = MS(1)});
    draw(&build, &screen, false, &out);
    assert_non_null(strstr((const char *)out.data, "  1 span  1 service  1 without its parent\n"));
    assert_non_null(strstr((const char *)out.data, "OTLPResourceNoServiceName now"));
    assert_non_null(strstr((const char *)out.data, "     0ns    |\n"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

/* A chain of `count` spans, each below the one before. */
static void build_chain(struct span_build *build, uint64_t count)
{
    span_build_init(build);
    span_build_resource(build, "s");
    span_build_scope(build, "lib", "1");
    for (uint64_t id = 1; id <= count; id++) {
        span_build_span(build, (struct span_spec){.trace = 1,
                                                  .id = id,
                                                  .parent = id - 1,
                                                  .name = "down",
                                                  .start_unix_ns = MS(id),
                                                  .end_unix_ns = MS(100)});
    }
}

static void a_deep_tree_is_drawn_narrower(void **state)
{
    const struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    build_chain(&build, 6);
    draw(&build, &screen, false, &out);
    assert_non_null(strstr((const char *)out.data, "\n            `- s down"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
    build_chain(&build, 8);
    draw(&build, &screen, false, &out);
    assert_non_null(strstr((const char *)out.data, "\n            `-s down"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
    build_chain(&build, 16);
    draw(&build, &screen, false, &out);
    assert_non_null(strstr((const char *)out.data, "\n              `s down"));
    assert_null(strstr((const char *)out.data, "(depth"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

static void levels_that_do_not_fit_say_how_deep_they_are(void **state)
{
    const struct bb_screen screen = {.width = 72};
    struct span_build build;
    struct bb_buf out;

    (void)state;
    build_chain(&build, 90);
    draw(&build, &screen, true, &out);
    assert_non_null(strstr((const char *)out.data, "(depth 89) s down"));
    assert_null(strstr((const char *)out.data, "(depth 5)"));
    bb_buf_dispose(&out);
    span_build_dispose(&build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_the_tree_and_the_bars),
        cmocka_unit_test(attributes_stand_below_their_span),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(colours_and_unicode_only_where_the_screen_has_them),
        cmocka_unit_test(a_trace_of_one_instant_has_bars_too),
        cmocka_unit_test(a_deep_tree_is_drawn_narrower),
        cmocka_unit_test(levels_that_do_not_fit_say_how_deep_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
