/*
 * search_flags.h - the flags that choose traces, shared by `bobbin search` and `bobbin export`, and
 * the request that they become.
 */
#ifndef BB_QUERY_CLI_SEARCH_FLAGS_H
#define BB_QUERY_CLI_SEARCH_FLAGS_H

#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "query/cli/api_client.h"
#include "query/cli/cli_flags.h"
#include "query/cli/json_read.h"

struct bb_search_flags {
    const char *service;
    const char *operation;
    struct bb_text_list tags; /* "key=value" */
    uint64_t duration_ns_min; /* 0: none */
    uint64_t duration_ns_max; /* 0: none */
    uint64_t since_unix_ns;   /* 0: from the oldest on */
    uint64_t until_unix_ns;   /* 0: without an end */
    int sort;                 /* 0: newest first, 1: slowest first */
    uint64_t limit;
};

/* Writes the entries of a command's flag table, whose targets lie in `flags`. Returns how many. */
#define BB_SEARCH_FLAGS_COUNT 9
uint32_t bb_search_flags_entries(struct bb_search_flags *flags,
                                 struct bb_flag out_entries[BB_SEARCH_FLAGS_COUNT]);

/*
 * Appends the target of the request ("/api/v3/trace-summaries?...", without a NUL) to `out`, which
 * keeps the error.
 *
 * BB_OK
 * BB_EINVAL  the flags contradict each other, or a tag has no "="; detail says which
 */
BB_MUST_CHECK enum bb_err bb_search_flags_target(const struct bb_search_flags *flags,
                                                 struct bb_buf *out, struct bb_err_detail *detail);

/* Asks the server. Errors are those of the above, of bb_api_client_get and bb_json_read_summaries.
 * */
BB_MUST_CHECK enum bb_err bb_search_flags_run(const struct bb_search_flags *flags,
                                              struct bb_api_client *client, struct bb_arena *arena,
                                              struct bb_err_detail *detail,
                                              struct bb_summaries *out_summaries);

/* Warns on stderr when the server says that it hasn't looked at everything. */
void bb_search_flags_warn(const struct bb_summaries *summaries);

#endif /* BB_QUERY_CLI_SEARCH_FLAGS_H */
