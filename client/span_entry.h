/*
 * span_entry.h - how a span keeps its attributes, events, links and copied texts until it is
 * encoded.
 *
 * The data of a span is: its tracestate, padded to 8 bytes, then entries, each at a multiple of 8:
 *
 *   OFFSET  SIZE  FIELD
 *        0     1  kind         enum bbc_entry_kind
 *        1     1  type         enum bobbin_attr_type, for attributes
 *        2     2  flags        BBC_KEY_LITERAL, BBC_VALUE_LITERAL, BBC_TIME_UNIX
 *        4     4  size         bytes of the whole entry, a multiple of 8
 *        8     4  key_size     bytes of the key or text
 *       12     4  value_size   bytes of the value; of an array of strings, with its lengths
 *       16        key          a pointer (8 bytes) if literal, else the bytes, padded to 8
 *                 value        the same; numbers take 8 bytes
 *
 * Values: BOOL, INT, DOUBLE one 8-byte word; INTS, DOUBLES 8 bytes an element; BOOLS a byte an
 * element; STRINGS for each a 4-byte length and the bytes, unpadded.
 * EVENT: key is the name, value struct bbc_event_value; LINK: key is the tracestate, value struct
 * bbc_link_value. Their attributes follow as CHILD_ATTR entries. NAME and STATUS: key is the text.
 */
#ifndef BBC_SPAN_ENTRY_H
#define BBC_SPAN_ENTRY_H

#include <assert.h>
#include <stdint.h>

#include "client/include/bobbin/span.h"

enum bbc_entry_kind {
    BBC_ENTRY_ATTR = 1,
    BBC_ENTRY_CHILD_ATTR,
    BBC_ENTRY_EVENT,
    BBC_ENTRY_LINK,
    BBC_ENTRY_NAME,
    BBC_ENTRY_STATUS,
};

#define BBC_KEY_LITERAL 0x1u
#define BBC_VALUE_LITERAL 0x2u
#define BBC_TIME_UNIX 0x4u

struct bbc_entry {
    uint8_t kind;
    uint8_t type;
    uint16_t flags;
    uint32_t size;
    uint32_t key_size;
    uint32_t value_size;
};

struct bbc_event_value {
    uint64_t time; /* ticks, or Unix nanoseconds with BBC_TIME_UNIX */
    uint32_t attr_count;
    uint32_t dropped_attrs;
};

struct bbc_link_value {
    uint8_t trace_id[BOBBIN_TRACE_ID_SIZE];
    uint8_t span_id[BOBBIN_SPAN_ID_SIZE];
    uint32_t flags;
    uint32_t is_remote;
    uint32_t attr_count;
    uint32_t dropped_attrs;
};

static_assert(sizeof(struct bbc_entry) == 16, "the entry header is 16 bytes");
static_assert(sizeof(struct bbc_event_value) % 8 == 0, "values keep the entries aligned");
static_assert(sizeof(struct bbc_link_value) % 8 == 0, "values keep the entries aligned");
static_assert(sizeof(const char *) <= 8, "a literal is a pointer of at most 8 bytes");
static_assert(sizeof(struct bobbin_span) == 1024, "the size of a span is part of the ABI");

/* Bits of struct bobbin_span_record.state, beside BOBBIN_SPAN_RECORDING. */
#define BBC_STATE_EXPORT 0x02u     /* sampled: goes into the ring at its end */
#define BBC_STATE_START_UNIX 0x04u /* `start` is Unix nanoseconds, not ticks */
#define BBC_STATE_END_UNIX 0x08u   /* the same for `end` */

/* Kinds of records in a ring. */
enum bbc_record_kind { BBC_RECORD_PAD = 0, BBC_RECORD_SPAN = 1 };

static inline uint32_t bbc_pad8(uint32_t size)
{
    return (size + 7u) & ~7u;
}

static inline uint32_t bbc_entry_key_room(const struct bbc_entry *entry)
{
    return (entry->flags & BBC_KEY_LITERAL) != 0 ? 8 : bbc_pad8(entry->key_size);
}

static inline const char *bbc_entry_key(const struct bbc_entry *entry)
{
    const char *key = (const char *)(entry + 1);

    if ((entry->flags & BBC_KEY_LITERAL) != 0) {
        memcpy(&key, entry + 1, sizeof key);
    }
    return key;
}

static inline const uint8_t *bbc_entry_value(const struct bbc_entry *entry)
{
    const uint8_t *place = (const uint8_t *)(entry + 1) + bbc_entry_key_room(entry);
    const uint8_t *literal;

    if ((entry->flags & BBC_VALUE_LITERAL) == 0) {
        return place;
    }
    memcpy(&literal, place, sizeof literal);
    return literal;
}

#endif /* BBC_SPAN_ENTRY_H */
