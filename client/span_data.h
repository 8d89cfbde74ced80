/*
 * span_data.h - appends entries (span_entry.h) to the data of a recording span.
 *
 * An append gives the size of the entry, which is then the last one; or 0, with nothing appended:
 * the caller counts what is lost.
 */
#ifndef BBC_SPAN_DATA_H
#define BBC_SPAN_DATA_H

#include "client/client_config.h"
#include "client/span_entry.h"

/* Appends one attribute; `kind` is ATTR or CHILD_ATTR. */
uint32_t bbc_span_data_attr(struct bobbin_span *span, const struct bbc_config *config,
                            enum bbc_entry_kind kind, const struct bobbin_attr *attr);

/* Appends an entry with `key` and `value_size` bytes of value (a multiple of 8). */
uint32_t bbc_span_data_entry(struct bobbin_span *span, enum bbc_entry_kind kind, uint16_t flags,
                             struct bobbin_str key, const void *value, uint32_t value_size);

/* Whether an attribute of the key is there; one that is may be set again at the limit. */
bool bbc_span_data_has_attr(const struct bobbin_span *span, struct bobbin_str key);

/* Makes room for `size` more bytes, by dropping overwritten attributes or moving to a block. */
bool bbc_span_data_grow(struct bobbin_span *span, uint32_t size);

/* Removes attributes that a later one of the same key replaces. */
void bbc_span_data_compact(struct bobbin_span *span);

static inline uint8_t *bbc_span_data_reserve(struct bobbin_span *span, uint32_t size)
{
    if (BOBBIN_UNLIKELY(span->data_capacity - span->record.data_size < size) &&
        !bbc_span_data_grow(span, size)) {
        return NULL;
    }
    return span->data + span->record.data_size;
}

/* The size of `text` in bytes when cut to `length_max` characters. */
uint32_t bbc_cut_length(struct bobbin_str text, uint32_t length_max);

#endif /* BBC_SPAN_DATA_H */
