#include "common/http_api.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/bytes.h"
#include "common/limits.h"

enum bb_err bb_url_decode(struct bb_slice text, bool plus_is_space, struct bb_arena *arena,
                          struct bb_slice *out_text)
{
    uint8_t *decoded = bb_arena_try_alloc(arena, text.size + 1);
    size_t size = 0;

    if (decoded == NULL) {
        return BB_ENOMEM;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (text.size - i < 3 ||
                !bb_hex_decode((const char *)text.data + i + 1, 2, &decoded[size])) {
                return BB_EINVAL;
            }
            size++;
            i += 2;
        } else {
            decoded[size++] = byte == '+' && plus_is_space ? ' ' : byte;
        }
    }
    decoded[size] = '\0';
    *out_text = bb_slice_of(decoded, size);
    return BB_OK;
}

void bb_url_encode(struct bb_slice text, struct bb_buf *out)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
            byte == '~') {
            bb_buf_append_byte(out, byte);
        } else {
            bb_buf_printf(out, "%%%02X", byte);
        }
    }
}

static uint32_t count_args(struct bb_slice query)
{
    uint32_t count = query.size > 0;

    for (size_t i = 0; i < query.size; i++) {
        count += query.data[i] == '&';
    }
    return count;
}

static enum bb_err parse_arg(struct bb_slice text, struct bb_arena *arena, struct bb_http_arg *arg)
{
    const uint8_t *equals = memchr(text.data, '=', text.size);
    size_t name_size = equals == NULL ? text.size : (size_t)(equals - text.data);
    struct bb_slice value = bb_slice_of(text.data + name_size, 0);

    if (equals != NULL) {
        value = bb_slice_of(equals + 1, text.size - name_size - 1);
    }
    enum bb_err err = bb_url_decode(bb_slice_of(text.data, name_size), true, arena, &arg->name);
    if (err != BB_OK) {
        return err;
    }
    return bb_url_decode(value, true, arena, &arg->value);
}

enum bb_err bb_http_parse_args(struct bb_http_request *request)
{
    struct bb_slice left = request->query;
    uint32_t count_max = count_args(left);
    uint32_t count = 0;

    if (count_max > BB_HTTP_ARGS_MAX) {
        return BB_ETOOBIG;
    }
    struct bb_http_arg *args =
        bb_arena_try_calloc(request->arena, count_max, sizeof(struct bb_http_arg));
    if (args == NULL) {
        return BB_ENOMEM;
    }
    while (left.size > 0) {
        const uint8_t *amp = memchr(left.data, '&', left.size);
        size_t size = amp == NULL ? left.size : (size_t)(amp - left.data);
        if (size > 0) {
            enum bb_err err = parse_arg(bb_slice_of(left.data, size), request->arena, &args[count]);
            if (err != BB_OK) {
                return err;
            }
            count++;
        }
        size_t skip = amp == NULL ? size : size + 1;
        left = bb_slice_of(left.data + skip, left.size - skip);
    }
    request->args = args;
    request->arg_count = count;
    return BB_OK;
}

bool bb_http_arg(const struct bb_http_request *request, const char *name,
                 struct bb_slice *out_value)
{
    for (uint32_t i = 0; i < request->arg_count; i++) {
        if (bb_slice_equals_cstr(request->args[i].name, name)) {
            *out_value = request->args[i].value;
            return true;
        }
    }
    return false;
}

void bb_http_add_header(struct bb_http_response *response, const char *name, const char *format,
                        ...)
{
    va_list args;

    BB_ASSERT(response->header_count < BB_HTTP_HEADERS_MAX);
    struct bb_http_header *header = &response->headers[response->header_count++];
    header->name = name;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
    /* What comes from outside may be quoted in a value: it must not start a header of its own. */
    for (char *at = header->value; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = ' ';
        }
    }
}
