/*
 * env_text.h - reads OTEL_ environment variables by the rules of the OpenTelemetry specification:
 * an empty one counts as unset; a malformed one too, and its name is kept (bobbin_opts_warnings).
 */
#ifndef BBC_ENV_TEXT_H
#define BBC_ENV_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value, or NULL if it is unset or empty. Borrowed from the environment. */
const char *bbc_env_text(const char *name);

/* Whether it is "true", in any case; everything else is false. */
bool bbc_env_is_true(const char *name);

/* Sets *out to a decimal number from `min` to `max`; leaves it where the variable is unset. */
void bbc_env_u32(const char *name, uint32_t min, uint32_t max, uint32_t *out);

/* Reads a decimal number of all of `text`; false if it is none. */
bool bbc_parse_u64(const char *text, uint64_t *out);

/* Decodes %XX in place; a bad one stays. Returns the new size. */
size_t bbc_percent_decode(char *text, size_t size);

/* Removes blanks and tabs at both ends. */
char *bbc_trim(char *text, char *end, size_t *out_size);

#endif /* BBC_ENV_TEXT_H */
