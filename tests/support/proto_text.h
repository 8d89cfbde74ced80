/*
 * proto_text.h - a protobuf message as one line of text, for tests: what is expected is then a
 * literal that a person can read, and a difference shows where it is.
 *
 *   span{trace_id=0102 name="a" attributes{key="k" value{int_value=0}}}
 *
 * Fields in the order of their numbers; zero values of plain fields are left out, members of a
 * oneof never. Bytes are hex, enums numbers.
 */
#ifndef BB_TESTS_PROTO_TEXT_H
#define BB_TESTS_PROTO_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "common/buf.h"
#include "common/slice.h"

/* Appends the fields of `message`. */
void proto_text_append(struct bb_buf *out, const ProtobufCMessage *message);

/* Unpacks `wire` as `type` and gives its text; fails the test when it can't. Free it with free().
 */
char *proto_text_of(const ProtobufCMessageDescriptor *type, struct bb_slice wire);

#endif /* BB_TESTS_PROTO_TEXT_H */
