/*
 * w3c_headers.h - tracestate by the rules of W3C Trace Context (level 2).
 */
#ifndef BBC_W3C_HEADERS_H
#define BBC_W3C_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Members of a list that are kept. */
#define BBC_TRACESTATE_MEMBERS_MAX 32

/*
 * Appends the members of a tracestate header to the `*size` bytes at `out` (`out_size` at most),
 * without blanks and empty members; *count counts them. Members that would not fit are left out,
 * those of more than 128 bytes first.
 *
 * False: the header is malformed, or has a key twice, or too many members: then the whole
 * tracestate
 * has to be dropped.
 */
bool bbc_tracestate_append(const char *text, size_t text_size, char *out, size_t out_size,
                           size_t *size, unsigned *count);

/* Reads `count` bytes of hexadecimal digits in lower case, or in any if `is_any_case`. */
bool bbc_hex_read(const char *text, size_t count, bool is_any_case, uint8_t *out);

/* Writes 2 * `count` digits in lower case. */
void bbc_hex_write(const uint8_t *bytes, size_t count, char *out);

#endif /* BBC_W3C_HEADERS_H */
