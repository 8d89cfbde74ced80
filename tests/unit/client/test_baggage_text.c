#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/baggage_text.h"

static struct bobbin_baggage baggage;

static int set_up(void **state)
{
    (void)state;
    baggage.size = 0;
    baggage.count = 0;
    return 0;
}

static void assert_text(const char *wanted)
{
    assert_int_equal(baggage.size, strlen(wanted));
    assert_memory_equal(baggage.text, wanted, baggage.size);
}

static void reads_well_formed_members(void **state)
{
    static const char text[] = "a=1, b = 2 ;p;q=r\t,,c=%20x,d=";

    (void)state;
    bbc_baggage_read(&baggage, text, sizeof text - 1);
    assert_text("a=1,b=2;p;q=r,c=%20x,d=");
    assert_int_equal(baggage.count, 4);
}

static void leaves_malformed_members_out(void **state)
{
    static const char text[] = "no equals,=1,a b=1,k=\"q\",k=a b,k=\x01,good=1,;p=1,x;y=z";

    (void)state;
    bbc_baggage_read(&baggage, text, sizeof text - 1);
    assert_text("good=1");
}

static void the_last_of_a_name_counts(void **state)
{
    (void)state;
    bbc_baggage_read(&baggage, "a=1,b=2,a=3", 11);
    assert_text("b=2,a=3");
}

static void encodes_and_decodes_values(void **state)
{
    char value[64];

    (void)state;
    assert_int_equal(
        bobbin_baggage_set(&baggage, "k", bobbin_cstr("a, b;\"%\\ \xc3\xa9="), bobbin_lit("ttl=3")),
        BOBBIN_OK);
    assert_text("k=a%2C%20b%3B%22%25%5C%20%C3%A9=;ttl=3");
    assert_int_equal(bobbin_baggage_get(&baggage, "k", value, sizeof value), BOBBIN_OK);
    assert_string_equal(value, "a, b;\"%\\ \xc3\xa9=");
    assert_int_equal(bobbin_baggage_get(&baggage, "k", value, 3), BOBBIN_ENOMEM);
    assert_int_equal(bobbin_baggage_get(&baggage, "x", value, sizeof value), BOBBIN_ENOTFOUND);
}

static void removes_members_wherever_they_stand(void **state)
{
    (void)state;
    bbc_baggage_read(&baggage, "a=1,b=2,c=3", 11);
    bobbin_baggage_remove(&baggage, "b");
    assert_text("a=1,c=3");
    bobbin_baggage_remove(&baggage, "c");
    assert_text("a=1");
    bobbin_baggage_remove(&baggage, "x");
    bobbin_baggage_remove(&baggage, "a");
    assert_text("");
    assert_int_equal(baggage.count, 0);
}

static void refuses_what_is_no_name_value_or_metadata(void **state)
{
    const struct bobbin_str one = bobbin_lit("1");

    (void)state;
    assert_int_equal(bobbin_baggage_set(&baggage, "", one, bobbin_lit("")), BOBBIN_EINVAL);
    assert_int_equal(bobbin_baggage_set(&baggage, "a b", one, bobbin_lit("")), BOBBIN_EINVAL);
    assert_int_equal(bobbin_baggage_set(&baggage, "a", bobbin_lit("\xff"), bobbin_lit("")),
                     BOBBIN_EINVAL);
    assert_int_equal(bobbin_baggage_set(&baggage, "a", one, bobbin_lit("p,q")), BOBBIN_EINVAL);
    assert_text("");
}

static void keeps_64_members_and_8192_bytes(void **state)
{
    static char large[BOBBIN_BAGGAGE_SIZE_MAX];
    char name[16];

    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        (void)snprintf(name, sizeof name, "k%u", i);
        assert_int_equal(bobbin_baggage_set(&baggage, name, bobbin_lit("v"), bobbin_lit("")),
                         BOBBIN_OK);
    }
    assert_int_equal(bobbin_baggage_set(&baggage, "more", bobbin_lit("v"), bobbin_lit("")),
                     BOBBIN_ENOMEM);
    assert_int_equal(bobbin_baggage_set(&baggage, "k0", bobbin_lit("w"), bobbin_lit("")),
                     BOBBIN_OK);
    assert_int_equal(baggage.count, 64);
    memset(large, 'x', sizeof large);
    assert_int_equal(
        bobbin_baggage_set(&baggage, "k0", bobbin_strn(large, sizeof large - 5), bobbin_lit("")),
        BOBBIN_ENOMEM);
    set_up(NULL);
    assert_int_equal(
        bobbin_baggage_set(&baggage, "k", bobbin_strn(large, sizeof large - 4), bobbin_lit("")),
        BOBBIN_OK);
}

static bool join(void *user, struct bobbin_str name, struct bobbin_str value,
                 struct bobbin_str metadata)
{
    char *text = user;
    size_t at = strlen(text);

    (void)snprintf(text + at, 64 - at, "[%.*s|%.*s|%.*s]", (int)name.size, name.data,
                   (int)value.size, value.data, (int)metadata.size, metadata.data);
    return at == 0;
}

static void visits_members_in_order_until_told_to_stop(void **state)
{
    char text[64] = "";

    (void)state;
    bbc_baggage_read(&baggage, "a=1;p,b=2,c=3", 13);
    bobbin_baggage_each(&baggage, join, text);
    assert_string_equal(text, "[a|1|p][b|2|]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_well_formed_members, set_up),
        cmocka_unit_test_setup(leaves_malformed_members_out, set_up),
        cmocka_unit_test_setup(the_last_of_a_name_counts, set_up),
        cmocka_unit_test_setup(encodes_and_decodes_values, set_up),
        cmocka_unit_test_setup(removes_members_wherever_they_stand, set_up),
        cmocka_unit_test_setup(refuses_what_is_no_name_value_or_metadata, set_up),
        cmocka_unit_test_setup(keeps_64_members_and_8192_bytes, set_up),
        cmocka_unit_test_setup(visits_members_in_order_until_told_to_stop, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
