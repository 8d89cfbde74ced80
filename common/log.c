#include "common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 4096

static _Atomic int level_min = BB_LOG_INFO;

void bb_log_set_level(enum bb_log_level level)
{
    atomic_store_explicit(&level_min, (int)level, memory_order_relaxed);
}

void bb_log(enum bb_log_level level, const char *module, const char *msg, const char *fields, ...)
{
    static const char *const level_names[] = {"debug", "info", "warn", "error"};
    char line[LINE_SIZE];
    struct timespec now;
    struct tm utc;
    int size;

    if ((int)level < atomic_load_explicit(&level_min, memory_order_relaxed) ||
        level >= BB_LOG_OFF) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size = snprintf(line, sizeof line,
                    "ts=%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ level=%s module=%s msg=\"%s\"",
                    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                    utc.tm_sec, now.tv_nsec / 1000000, level_names[level], module, msg);
    if (size > 0 && size < LINE_SIZE - 2 && fields[0] != '\0') {
        va_list args;
        line[size++] = ' ';
        va_start(args, fields);
        int more = vsnprintf(line + size, (size_t)(LINE_SIZE - 1 - size), fields, args);
        va_end(args);
        size = more < 0 ? size : size + more;
    }
    if (size > LINE_SIZE - 2) {
        size = LINE_SIZE - 2; /* cut */
    }
    line[size++] = '\n';
    /* Nobody is left to tell when stderr can't be written. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written;
}

const char *bb_log_quote(struct bb_slice text, char *out, size_t out_size)
{
    size_t at = 0;

    BB_ASSERT(out_size >= 3);
    out[at++] = '"';
    for (size_t i = 0; i < text.size && at + 6 < out_size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\') {
            out[at++] = '\\';
            out[at++] = (char)byte;
        } else if (byte < 0x20 || byte == 0x7f) {
            at += (size_t)snprintf(out + at, out_size - at, "\\x%02x", byte);
        } else {
            out[at++] = (char)byte;
        }
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
