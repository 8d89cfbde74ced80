/*
 * header_carriers.c - carriers that need no other library: arrays of headers, and the environment.
 */
#include "client/include/bobbin/propagation.h"

#include <stdlib.h>
#include <strings.h>

/* Bytes of the longest name of an environment variable that stands for a header. */
#define VARIABLE_SIZE_MAX 32

static bool get_from_array(void *user, const char *name, size_t nth, struct bobbin_str *out_value)
{
    const struct bobbin_headers *headers = user;

    for (size_t i = 0; i < headers->count; i++) {
        if (strcasecmp(headers->headers[i].name, name) == 0 && nth-- == 0) {
            *out_value = headers->headers[i].value;
            return true;
        }
    }
    return false;
}

struct bobbin_header_reader bobbin_headers_reader(const struct bobbin_headers *headers)
{
    struct bobbin_header_reader reader = {.user = (void *)headers, .get = get_from_array};

    return reader;
}

/* "x-b3-traceid" becomes "X_B3_TRACEID"; false if it is too long. */
static bool variable_of(const char *name, char out[VARIABLE_SIZE_MAX])
{
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        if (i + 1 >= VARIABLE_SIZE_MAX) {
            return false;
        }
        if (name[i] >= 'a' && name[i] <= 'z') {
            out[i] = (char)(name[i] - 'a' + 'A');
        } else {
            out[i] = name[i] >= '0' && name[i] <= '9' ? name[i] : '_';
        }
    }
    out[i] = '\0';
    return true;
}

static bool get_from_environment(void *user, const char *name, size_t nth,
                                 struct bobbin_str *out_value)
{
    char variable[VARIABLE_SIZE_MAX];
    const char *value = NULL;

    (void)user;
    if (nth == 0 && variable_of(name, variable)) {
        value = getenv(variable);
    }
    if (value == NULL) {
        return false;
    }
    *out_value = bobbin_cstr(value);
    return true;
}

static enum bobbin_err set_in_environment(void *user, const char *name, const char *value,
                                          size_t size)
{
    char variable[VARIABLE_SIZE_MAX];

    (void)user;
    (void)size;
    if (!variable_of(name, variable)) {
        return BOBBIN_EINVAL;
    }
    return setenv(variable, value, 1) == 0 ? BOBBIN_OK : BOBBIN_ENOMEM;
}

struct bobbin_header_reader bobbin_environment_reader(void)
{
    struct bobbin_header_reader reader = {.user = NULL, .get = get_from_environment};

    return reader;
}

struct bobbin_header_writer bobbin_environment_writer(void)
{
    struct bobbin_header_writer writer = {.user = NULL, .set = set_in_environment};

    return writer;
}
