/*
 * recover.h - after an open: the log's entries become unsealed segments again.
 *
 * Log entry, in "log": key = sequence (u64 BE); value = the accepted spans as an
 * ExportTraceServiceRequest, compressed (lz4_codec.h).
 */
#ifndef BB_STORE_RECOVER_H
#define BB_STORE_RECOVER_H

#include <stdint.h>

#include "common/err.h"
#include "store/partition.h"

#define BB_LOG_KEY_SIZE 8

/* What a segment may grow to before the next one is begun. */
bool bb_segment_is_full(const struct bb_active_segment *segment, size_t segment_bytes_max,
                        uint32_t more_rows, size_t more_bytes);

struct bb_recovered {
    uint64_t entry_count;
    uint64_t row_count;
    uint64_t damaged_entry_count; /* left in the log, and not served */
};

/*
 * Reads the whole log of an open partition into segments, the last of which stays active. The
 * partition has no unsealed segment yet. BB_ENOMEM, BB_EIO, BB_ECORRUPT.
 */
BB_MUST_CHECK enum bb_err bb_recover_log(struct bb_partition *partition, size_t segment_bytes_max,
                                         struct bb_err_detail *detail,
                                         struct bb_recovered *out_recovered);

#endif /* BB_STORE_RECOVER_H */
