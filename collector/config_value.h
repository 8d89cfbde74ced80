/*
 * config_value.h - the kinds of values that a setting can have, each with its parser.
 *
 * A parser is given the text as it stands (never NULL) and says what is wrong with it in words that
 * follow the setting's name: `--retention: "7 days" is no duration (like 90m, 168h, 7d)`.
 */
#ifndef BB_COLLECTOR_CONFIG_VALUE_H
#define BB_COLLECTOR_CONFIG_VALUE_H

#include <stdint.h>

#include "common/err.h"

/* A parser's result: `out_value` is the field's own type (in the list), set on BB_OK only.
 * BB_EINVAL: detail has the words. */
typedef enum bb_err (*bb_value_parser)(const char *text, void *out_value,
                                       struct bb_err_detail *detail);

/* const char *; the text itself, borrowed. Not empty. */
BB_MUST_CHECK enum bb_err bb_parse_path(const char *text, void *out_value,
                                        struct bb_err_detail *detail);
/* const char *; NULL for the empty text. */
BB_MUST_CHECK enum bb_err bb_parse_optional_path(const char *text, void *out_value,
                                                 struct bb_err_detail *detail);
/* const char *; NULL for the empty text. Else a bb_listen_address. */
BB_MUST_CHECK enum bb_err bb_parse_listen(const char *text, void *out_value,
                                          struct bb_err_detail *detail);
/* enum bb_durability */
BB_MUST_CHECK enum bb_err bb_parse_durability(const char *text, void *out_value,
                                              struct bb_err_detail *detail);
/* uint64_t, nanoseconds, at least BB_RETENTION_S_MIN */
BB_MUST_CHECK enum bb_err bb_parse_retention(const char *text, void *out_value,
                                             struct bb_err_detail *detail);
/* uint64_t; 0, or at least BB_DISK_BYTES_MIN */
BB_MUST_CHECK enum bb_err bb_parse_disk_bytes(const char *text, void *out_value,
                                              struct bb_err_detail *detail);
/* uint64_t; at least BB_MEMORY_BYTES_MIN */
BB_MUST_CHECK enum bb_err bb_parse_memory_bytes(const char *text, void *out_value,
                                                struct bb_err_detail *detail);
/* enum bb_log_level */
BB_MUST_CHECK enum bb_err bb_parse_log_level(const char *text, void *out_value,
                                             struct bb_err_detail *detail);

/*
 * Reads an amount of bytes: <digits>[.<digits>] and a unit: none or B, kB, MB, GB, TB (powers of
 * 1000), KiB, MiB, GiB, TiB (powers of 1024), any case. "10G" is refused: people differ on what it
 * means.
 *
 * BB_EINVAL  no such amount, or over UINT64_MAX; detail has the words
 */
BB_MUST_CHECK enum bb_err bb_parse_bytes(const char *text, uint64_t *out_bytes,
                                         struct bb_err_detail *detail);

#endif /* BB_COLLECTOR_CONFIG_VALUE_H */
