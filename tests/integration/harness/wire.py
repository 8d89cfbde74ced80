"""Protobuf bytes by hand, for messages that no protobuf library would write."""

import struct

VARINT, FIXED64, BYTES, GROUP_START, GROUP_END, FIXED32 = range(6)


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, content):
    """A field by the type of its content: int is a varint, bytes and str have a length."""
    if isinstance(content, int):
        return tag(number, VARINT) + varint(content)
    if isinstance(content, str):
        content = content.encode()
    return tag(number, BYTES) + varint(len(content)) + content


def fixed64(number, content):
    return tag(number, FIXED64) + struct.pack("<Q", content)


def fixed32(number, content):
    return tag(number, FIXED32) + struct.pack("<I", content)


def too_long(number, claimed, content=b""):
    """A field that claims more bytes than follow."""
    return tag(number, BYTES) + varint(claimed) + content


def nested_array(depth):
    """An AnyValue of `depth` arrays in arrays, built from the inside in linear time."""
    return _nested(depth, 5)


def nested_kvlist(depth):
    return _nested(depth, 6)


def _nested(depth, member):
    # Sizes first, then the heads in order: joining from the inside would be quadratic.
    inner = field(1, "deep")
    sizes = [len(inner)]
    for _ in range(depth):
        size = sizes[-1]
        values = 1 + len(varint(size)) + size  # values = 1 of ArrayValue; value = 2 of KeyValue
        if member == 6:
            values = 1 + len(varint(values)) + values
        sizes.append(1 + len(varint(values)) + values)
    out = bytearray()
    for size in reversed(sizes[:-1]):
        element = 1 + len(varint(size)) + size
        if member == 6:
            pair = 1 + len(varint(element)) + element
            out += tag(6, BYTES) + varint(pair) + tag(1, BYTES) + varint(element)
            out += tag(2, BYTES) + varint(size)
        else:
            out += tag(5, BYTES) + varint(element) + tag(1, BYTES) + varint(size)
    return bytes(out + inner)


def key_value(key, any_value):
    return field(1, key) + field(2, any_value)


def span(trace_id, span_id, *more, name="bad"):
    """The bytes of a Span; `more` is appended as it is."""
    return (
        field(1, trace_id)
        + field(2, span_id)
        + field(5, name)
        + fixed64(7, 1_700_000_000_000_000_000)
        + fixed64(8, 1_700_000_001_000_000_000)
        + b"".join(more)
    )


def request(*spans, resource=None, scope=None, scope_more=b"", resource_more=b""):
    """An ExportTraceServiceRequest of one ResourceSpans of one ScopeSpans, from Span bytes."""
    if resource is None:
        resource = field(1, key_value("service.name", field(1, "bad input")))
    scope_field = b"" if scope is None else field(1, scope)
    scope_spans = scope_field + b"".join(field(2, each) for each in spans) + scope_more
    return field(1, field(1, resource) + field(2, scope_spans) + resource_more)
