#include "query/cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/buf.h"
#include "query/cli/screen_text.h"

#define MESSAGE_BYTES_MAX 4096

static void say(const char *prefix, const char *format, va_list args) BB_PRINTF(2, 0);

static void say(const char *prefix, const char *format, va_list args)
{
    char text[MESSAGE_BYTES_MAX];
    struct bb_buf line;
    int length = vsnprintf(text, sizeof(text), format, args);

    if (length < 0) {
        return;
    }
    size_t size = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
    bb_buf_init(&line, 8 * MESSAGE_BYTES_MAX);
    bb_buf_append_cstr(&line, prefix);
    bb_screen_text_append(&line, bb_slice_of(text, size), BB_WIDTH_ANY);
    bb_buf_append_byte(&line, '\n');
    /* Nobody is left to be told when stderr itself fails. */
    (void)fwrite(line.data, 1, line.size, stderr);
    bb_buf_dispose(&line);
}

enum bb_exit bb_say_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("bobbin: ", format, args);
    va_end(args);
    return BB_EXIT_ERROR;
}

void bb_say_warning(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("bobbin: warning: ", format, args);
    va_end(args);
}

void bb_say_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("bobbin: ", format, args);
    va_end(args);
}

void bb_print(struct bb_slice text)
{
    if (text.size > 0) {
        (void)fwrite(text.data, 1, text.size, stdout);
    }
}

const char *bb_plural(unsigned long long count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}
