/*
 * shape.h - how a span message is taken apart into a shape and columns of values.
 *
 * The *shape* of a span is its message with the values left out: which stripped fields it has,
 * which attributes with which keys and types in which order, which events, and so on. Spans of one
 * operation nearly always share one, so a row keeps a code for it. The values go to *columns*, one
 * for each key, level and type; a row's values are the next ones of the columns its shape names.
 *
 * A shape is bytes:
 *
 *   strip flags (1 byte), then tokens:
 *     BB_OP_VALUE   column v            the next value of that column
 *     BB_OP_TRUE    column v            a boolean attribute, with no value to keep
 *     BB_OP_FALSE   column v
 *     BB_OP_EVENT | BB_OP_LINK | BB_OP_STATUS    opens a message, up to its BB_OP_END
 *     BB_OP_UINT    field v, value v    a small varint field: dropped counts, status code
 *     BB_OP_FIXED32 field v, value 4    flags
 *
 * A span whose bytes are not what these tokens give back (fields out of order, over-long varints,
 * unknown fields) has the empty shape, and its whole message is a value of column 0.
 *
 * On-disk format: a change here raises BB_STORE_FORMAT and docs/store-format.md, in the same
 * commit.
 */
#ifndef BB_STORE_SHAPE_H
#define BB_STORE_SHAPE_H

#include <stdint.h>

enum bb_op {
    BB_OP_VALUE = 0,
    BB_OP_TRUE = 1,
    BB_OP_FALSE = 2,
    BB_OP_EVENT = 3,
    BB_OP_LINK = 4,
    BB_OP_STATUS = 5,
    BB_OP_END = 6,
    BB_OP_UINT = 7,
    BB_OP_FIXED32 = 8,
};

/* Stripped fields that were there; the two ids always are. */
#define BB_HAS_PARENT 1u
#define BB_HAS_NAME 2u
#define BB_HAS_KIND 4u
#define BB_HAS_START 8u
#define BB_HAS_END 16u
#define BB_HAS_MASK 31u

/* Where a column's values stand: attributes of the span, an event or a link; or a field. */
enum bb_column_place {
    BB_PLACE_SPAN = 0,
    BB_PLACE_EVENT = 1,
    BB_PLACE_LINK = 2,
    BB_PLACE_FIELD = 3, /* the key is one byte: enum bb_column_field */
};

enum bb_column_type {
    BB_COLUMN_STRING = 0,
    BB_COLUMN_INT = 1,    /* zigzag of an int64 */
    BB_COLUMN_DOUBLE = 2, /* the 64 bits */
    BB_COLUMN_BOOL = 3,   /* no values: the shape has them */
    BB_COLUMN_RAW = 4,    /* an AnyValue message: array, list, bytes, empty */
    BB_COLUMN_TIME = 5,   /* zigzag of the difference to the span's start */
    BB_COLUMN_ID16 = 6,
    BB_COLUMN_ID8 = 7,
};

enum bb_column_field {
    BB_FIELD_WHOLE = 0, /* the message of a span with the empty shape */
    BB_FIELD_TRACE_STATE = 1,
    BB_FIELD_STATUS_MESSAGE = 2,
    BB_FIELD_EVENT_TIME = 3,
    BB_FIELD_EVENT_NAME = 4,
    BB_FIELD_LINK_TRACE_ID = 5,
    BB_FIELD_LINK_SPAN_ID = 6,
    BB_FIELD_LINK_TRACE_STATE = 7,
};

#endif /* BB_STORE_SHAPE_H */
