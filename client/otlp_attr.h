/*
 * otlp_attr.h - texts and attributes in OTLP's encoding, for what is encoded once: the resource and
 * the scopes. Spans have their own way (otlp_encode.h).
 */
#ifndef BBC_OTLP_ATTR_H
#define BBC_OTLP_ATTR_H

#include "client/byte_sink.h"
#include "client/include/bobbin/types.h"

/* Bytes of `text` as valid UTF-8: each byte that isn't part of a character becomes U+FFFD. */
size_t bbc_utf8_size(const char *text, size_t size);

/* Writes it, `bbc_utf8_size` bytes, and returns what follows. */
uint8_t *bbc_utf8_put(uint8_t *to, const char *text, size_t size);

/* Appends a string field; nothing if it is empty. */
void bbc_otlp_text(struct bbc_sink *sink, uint32_t field, struct bobbin_str text);

/* Appends each attribute as a KeyValue in field `field`; one without a key is left out. */
void bbc_otlp_attrs(struct bbc_sink *sink, uint32_t field, const struct bobbin_attr *attrs,
                    size_t count);

#endif /* BBC_OTLP_ATTR_H */
