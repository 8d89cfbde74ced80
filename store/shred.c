/*
 * shred.c - see shred.h. One strict pass: whatever is not exactly what putting the tokens together
 * again would write makes the row irregular, so that nothing has to be put together to find out.
 * Regular is:
 *   - a span's field numbers never fall, and stripped fields come once;
 *   - every varint (tags, lengths, values) takes the fewest bytes;
 *   - a KeyValue is its key and then its value, an AnyValue one field, or none;
 *   - no unknown fields.
 */
#include "store/shred.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/pb_wire.h"
#include "store/varint_code.h"

#define SHAPE_BYTES_MAX (64u << 10)
#define VECTOR_CAPACITY_MIN 256u
/* Values after which it is decided whether a column's strings repeat. */
#define DIRECT_DECISION_COUNT 2048u
/* Values of UINT tokens above this would make a shape each. */
#define SHAPE_UINT_MAX 4096u

enum bb_err bb_shredder_init(struct bb_shredder *shredder, struct bb_arena *arena)
{
    static const uint8_t whole[2] = {BB_PLACE_FIELD << 4 | BB_COLUMN_STRING, BB_FIELD_WHOLE};
    uint32_t code = 0;

    memset(shredder, 0, sizeof *shredder);
    shredder->arena = arena;
    bb_intern_init(&shredder->strings, arena);
    bb_intern_init(&shredder->columns, arena);
    bb_intern_init(&shredder->shapes, arena);
    bb_buf_init(&shredder->shape, SHAPE_BYTES_MAX);
    enum bb_err err = bb_intern_add(&shredder->columns, bb_slice_of(whole, 2), &code);
    if (err == BB_OK) {
        err = bb_intern_add(&shredder->shapes, bb_slice_of(NULL, 0), &code);
    }
    return err;
}

void bb_shredder_dispose(struct bb_shredder *shredder)
{
    if (shredder == NULL) {
        return;
    }
    for (uint32_t i = 0; i < BB_COLUMNS_MAX; i++) {
        free(shredder->vectors[i].codes);   /* tidy: allow malloc: vectors that grow by doubling */
        free(shredder->vectors[i].texts);   /* tidy: allow malloc: likewise */
        free(shredder->vectors[i].numbers); /* tidy: allow malloc: likewise */
    }
    bb_buf_dispose(&shredder->shape);
}

/* `values` with room for `capacity` of `size` bytes each; NULL, and `values` stays, without memory.
 */
static void *resize(void *values, uint32_t capacity, size_t size)
{
    return realloc(values, capacity * size); /* tidy: allow malloc: see dispose */
}

/* Room for one value more. */
static bool grow_vector(struct bb_value_vector *vector, bool has_strings)
{
    if (BB_LIKELY(vector->count < vector->capacity)) {
        return true;
    }
    uint32_t capacity = vector->capacity == 0 ? VECTOR_CAPACITY_MIN : vector->capacity * 2;
    void *larger = NULL;
    if (vector->is_direct) {
        larger = resize(vector->texts, capacity, sizeof *vector->texts);
        vector->texts = larger == NULL ? vector->texts : larger;
    } else if (has_strings) {
        larger = resize(vector->codes, capacity, sizeof *vector->codes);
        vector->codes = larger == NULL ? vector->codes : larger;
    } else {
        larger = resize(vector->numbers, capacity, sizeof *vector->numbers);
        vector->numbers = larger == NULL ? vector->numbers : larger;
    }
    if (larger != NULL) {
        vector->capacity = capacity;
    }
    return larger != NULL;
}

/* A column whose strings hardly repeat: looking each up would cost the most and bring nothing. */
static bool must_turn_direct(const struct bb_value_vector *vector)
{
    return vector->count == DIRECT_DECISION_COUNT &&
           vector->new_count > DIRECT_DECISION_COUNT / 4 * 3;
}

static bool turn_direct(struct bb_shredder *shredder, struct bb_value_vector *vector)
{
    vector->texts = resize(NULL, vector->capacity, sizeof *vector->texts);
    if (vector->texts == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < vector->count; i++) {
        vector->texts[i] = bb_intern_get(&shredder->strings, vector->codes[i]);
    }
    vector->is_direct = true;
    return true;
}

/* A pass over one message, strict. `is_regular` falls once and stays so. */
struct strict {
    struct bb_shredder *shredder;
    enum bb_err err;
    bool is_regular;
    uint64_t span_start_unix_ns;
};

struct strict_reader {
    const uint8_t *next;
    const uint8_t *end;
};

static bool irregular(struct strict *strict)
{
    strict->is_regular = false;
    return false;
}

static bool out_of_memory(struct strict *strict)
{
    strict->err = BB_ENOMEM;
    return false;
}

/* A varint of several bytes, in the fewest. */
BB_COLD static bool read_long_varint(struct strict *strict, struct strict_reader *reader,
                                     uint64_t *out_value)
{
    uint64_t value = 0;
    unsigned shift = 0;

    while (reader->next < reader->end && shift < 70) {
        uint8_t byte = *reader->next++;
        value |= (uint64_t)(byte & 0x7f) << (shift & 63);
        if (byte < 0x80) {
            if ((byte == 0 && shift > 0) || (shift == 63 && byte > 1)) {
                break;
            }
            *out_value = value;
            return true;
        }
        shift += 7;
    }
    return irregular(strict);
}

/* A varint in the fewest bytes; nearly always one. */
static inline bool read_varint(struct strict *strict, struct strict_reader *reader,
                               uint64_t *out_value)
{
    if (BB_LIKELY(reader->next < reader->end && *reader->next < 0x80)) {
        *out_value = *reader->next++;
        return true;
    }
    return read_long_varint(strict, reader, out_value);
}

static bool read_bytes(struct strict *strict, struct strict_reader *reader,
                       struct bb_slice *out_bytes)
{
    uint64_t size;

    if (!read_varint(strict, reader, &size)) {
        return false;
    }
    if (size > (size_t)(reader->end - reader->next)) {
        return irregular(strict);
    }
    *out_bytes = bb_slice_of(reader->next, (size_t)size);
    reader->next += size;
    return true;
}

static bool read_fixed(struct strict *strict, struct strict_reader *reader, size_t size,
                       const uint8_t **out_bytes)
{
    if (size > (size_t)(reader->end - reader->next)) {
        return irregular(strict);
    }
    *out_bytes = reader->next;
    reader->next += size;
    return true;
}

static void put_op(struct strict *strict, enum bb_op op)
{
    bb_buf_append_byte(&strict->shredder->shape, (uint8_t)op);
}

/* The column of that place, type and key; its code. */
static bool find_column(struct strict *strict, enum bb_column_place place, enum bb_column_type type,
                        struct bb_slice key, uint32_t *out_column)
{
    struct bb_shredder *shredder = strict->shredder;
    uint8_t entry[256];

    if (key.size > sizeof entry - 1) {
        return irregular(strict);
    }
    entry[0] = (uint8_t)(place << 4 | type);
    memcpy(entry + 1, key.data, key.size);
    if (shredder->columns.count == BB_COLUMNS_MAX) {
        return irregular(strict); /* even if the key has a column: a segment like that is rare */
    }
    if (bb_intern_add(&shredder->columns, bb_slice_of(entry, key.size + 1), out_column) != BB_OK) {
        return out_of_memory(strict);
    }
    return true;
}

static bool find_field(struct strict *strict, enum bb_column_field field, enum bb_column_type type,
                       uint32_t *out_column)
{
    uint8_t key = (uint8_t)field;

    return find_column(strict, BB_PLACE_FIELD, type, bb_slice_of(&key, 1), out_column);
}

static void touch(struct bb_shredder *shredder, uint32_t column)
{
    shredder->touched[shredder->touched_count++] = column;
}

static bool put_value_op(struct strict *strict, uint32_t column)
{
    struct bb_shredder *shredder = strict->shredder;

    if (shredder->touched_count == BB_COLUMNS_MAX) {
        return irregular(strict); /* thousands of values in one span */
    }
    put_op(strict, BB_OP_VALUE);
    bb_pb_write_varint(&shredder->shape, column);
    return true;
}

/* The code of `value`, which the column's last value often has: spans of a trace stand together. */
static bool find_string(struct bb_shredder *shredder, struct bb_value_vector *vector,
                        struct bb_slice value, uint32_t *out_code)
{
    uint32_t known_count = shredder->strings.count;

    if (vector->count > 0) {
        *out_code = vector->codes[vector->count - 1];
        if (bb_slice_equals(bb_intern_get(&shredder->strings, *out_code), value)) {
            return true;
        }
    }
    if (bb_intern_add_borrowed(&shredder->strings, value, out_code) != BB_OK) {
        return false;
    }
    vector->new_count += *out_code >= known_count;
    return true;
}

static bool put_string(struct strict *strict, uint32_t column, struct bb_slice value)
{
    struct bb_shredder *shredder = strict->shredder;
    struct bb_value_vector *vector = &shredder->vectors[column];
    uint32_t code = 0;

    if (!put_value_op(strict, column)) {
        return false;
    }
    if (!grow_vector(vector, true) ||
        (must_turn_direct(vector) && !vector->is_direct && !turn_direct(shredder, vector))) {
        return out_of_memory(strict);
    }
    if (vector->is_direct) {
        vector->texts[vector->count++] = value;
    } else if (find_string(shredder, vector, value, &code)) {
        vector->codes[vector->count++] = code;
    } else {
        return out_of_memory(strict);
    }
    touch(shredder, column);
    return true;
}

static bool put_number(struct strict *strict, uint32_t column, uint64_t value)
{
    struct bb_value_vector *vector = &strict->shredder->vectors[column];

    if (!put_value_op(strict, column)) {
        return false;
    }
    if (!grow_vector(vector, false)) {
        return out_of_memory(strict);
    }
    vector->numbers[vector->count++] = value;
    touch(strict->shredder, column);
    return true;
}

static bool put_any_value(struct strict *strict, enum bb_column_place place, struct bb_slice key,
                          struct bb_slice any)
{
    struct strict_reader reader = {any.data, any.data + any.size};
    uint8_t tag = any.size == 0 ? 0 : *reader.next++;
    uint32_t column = 0;
    struct bb_slice text;
    uint64_t number = 0;
    const uint8_t *fixed = NULL;

    switch (tag) {
    case BB_F_VALUE_STRING << 3 | BB_PB_BYTES:
        return read_bytes(strict, &reader, &text) &&
               (reader.next == reader.end || irregular(strict)) &&
               find_column(strict, place, BB_COLUMN_STRING, key, &column) &&
               put_string(strict, column, text);
    case BB_F_VALUE_INT << 3 | BB_PB_VARINT:
        return read_varint(strict, &reader, &number) &&
               (reader.next == reader.end || irregular(strict)) &&
               find_column(strict, place, BB_COLUMN_INT, key, &column) &&
               put_number(strict, column, bb_zigzag(number));
    case BB_F_VALUE_DOUBLE << 3 | BB_PB_FIXED64:
        return read_fixed(strict, &reader, 8, &fixed) &&
               (reader.next == reader.end || irregular(strict)) &&
               find_column(strict, place, BB_COLUMN_DOUBLE, key, &column) &&
               put_number(strict, column, bb_get_le64(fixed));
    case BB_F_VALUE_BOOL << 3 | BB_PB_VARINT:
        if (!read_varint(strict, &reader, &number) || number > 1 || reader.next != reader.end) {
            return irregular(strict);
        }
        if (!find_column(strict, place, BB_COLUMN_BOOL, key, &column)) {
            return false;
        }
        put_op(strict, number == 1 ? BB_OP_TRUE : BB_OP_FALSE);
        bb_pb_write_varint(&strict->shredder->shape, column);
        return true;
    default: /* an array, a list, bytes, nothing: kept as the message it is */
        return find_column(strict, place, BB_COLUMN_RAW, key, &column) &&
               put_string(strict, column, any);
    }
}

static bool shred_attribute(struct strict *strict, enum bb_column_place place,
                            struct bb_slice bytes)
{
    struct strict_reader reader = {bytes.data, bytes.data + bytes.size};
    struct bb_slice key;
    struct bb_slice any;

    if (bytes.size < 4 || *reader.next++ != (BB_F_KEY_VALUE_KEY << 3 | BB_PB_BYTES) ||
        !read_bytes(strict, &reader, &key) || reader.next == reader.end ||
        *reader.next++ != (BB_F_KEY_VALUE_VALUE << 3 | BB_PB_BYTES) ||
        !read_bytes(strict, &reader, &any) || reader.next != reader.end) {
        return irregular(strict);
    }
    return put_any_value(strict, place, key, any);
}

static bool put_uint(struct strict *strict, struct strict_reader *reader, uint32_t field)
{
    uint64_t value;

    if (!read_varint(strict, reader, &value)) {
        return false;
    }
    if (value > SHAPE_UINT_MAX) {
        return irregular(strict);
    }
    put_op(strict, BB_OP_UINT);
    bb_pb_write_varint(&strict->shredder->shape, field);
    bb_pb_write_varint(&strict->shredder->shape, value);
    return true;
}

static bool put_fixed32(struct strict *strict, struct strict_reader *reader, uint32_t field)
{
    const uint8_t *bytes = NULL;

    if (!read_fixed(strict, reader, 4, &bytes)) {
        return false;
    }
    put_op(strict, BB_OP_FIXED32);
    bb_pb_write_varint(&strict->shredder->shape, field);
    bb_buf_append(&strict->shredder->shape, bytes, 4);
    return true;
}

static bool put_text_field(struct strict *strict, struct strict_reader *reader,
                           enum bb_column_field field)
{
    struct bb_slice text;
    uint32_t column = 0;

    return read_bytes(strict, reader, &text) &&
           find_field(strict, field, BB_COLUMN_STRING, &column) && put_string(strict, column, text);
}

static bool shred_event(struct strict *strict, struct bb_slice bytes)
{
    struct strict_reader reader = {bytes.data, bytes.data + bytes.size};
    struct bb_slice attribute;
    const uint8_t *time = NULL;
    uint32_t column = 0;
    bool goes_on = true;

    put_op(strict, BB_OP_EVENT);
    while (goes_on && reader.next < reader.end) {
        switch (*reader.next++) {
        case BB_F_EVENT_TIME_UNIX_NANO << 3 | BB_PB_FIXED64:
            goes_on = read_fixed(strict, &reader, 8, &time) &&
                      find_field(strict, BB_FIELD_EVENT_TIME, BB_COLUMN_TIME, &column) &&
                      put_number(strict, column,
                                 bb_zigzag(bb_get_le64(time) - strict->span_start_unix_ns));
            break;
        case BB_F_EVENT_NAME << 3 | BB_PB_BYTES:
            goes_on = put_text_field(strict, &reader, BB_FIELD_EVENT_NAME);
            break;
        case BB_F_EVENT_ATTRIBUTES << 3 | BB_PB_BYTES:
            goes_on = read_bytes(strict, &reader, &attribute) &&
                      shred_attribute(strict, BB_PLACE_EVENT, attribute);
            break;
        case BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT << 3 | BB_PB_VARINT:
            goes_on = put_uint(strict, &reader, BB_F_EVENT_DROPPED_ATTRIBUTES_COUNT);
            break;
        default:
            goes_on = irregular(strict);
        }
    }
    put_op(strict, BB_OP_END);
    return goes_on;
}

static bool put_link_id(struct strict *strict, struct strict_reader *reader, bool is_trace_id)
{
    enum bb_column_field field = is_trace_id ? BB_FIELD_LINK_TRACE_ID : BB_FIELD_LINK_SPAN_ID;
    size_t size = is_trace_id ? BB_TRACE_ID_SIZE : BB_SPAN_ID_SIZE;
    struct bb_slice id;
    uint32_t column = 0;

    if (!read_bytes(strict, reader, &id) || id.size != size) {
        return irregular(strict);
    }
    if (!find_field(strict, field, is_trace_id ? BB_COLUMN_ID16 : BB_COLUMN_ID8, &column) ||
        !put_number(strict, column, bb_get_le64(id.data))) {
        return false;
    }
    struct bb_value_vector *vector = &strict->shredder->vectors[column];
    if (!is_trace_id) {
        return true;
    }
    if (!grow_vector(vector, false)) {
        return out_of_memory(strict);
    }
    vector->numbers[vector->count++] = bb_get_le64(id.data + 8);
    return true;
}

static bool shred_link(struct strict *strict, struct bb_slice bytes)
{
    struct strict_reader reader = {bytes.data, bytes.data + bytes.size};
    struct bb_slice attribute;
    bool goes_on = true;

    put_op(strict, BB_OP_LINK);
    while (goes_on && reader.next < reader.end) {
        switch (*reader.next++) {
        case BB_F_LINK_TRACE_ID << 3 | BB_PB_BYTES:
            goes_on = put_link_id(strict, &reader, true);
            break;
        case BB_F_LINK_SPAN_ID << 3 | BB_PB_BYTES:
            goes_on = put_link_id(strict, &reader, false);
            break;
        case BB_F_LINK_TRACE_STATE << 3 | BB_PB_BYTES:
            goes_on = put_text_field(strict, &reader, BB_FIELD_LINK_TRACE_STATE);
            break;
        case BB_F_LINK_ATTRIBUTES << 3 | BB_PB_BYTES:
            goes_on = read_bytes(strict, &reader, &attribute) &&
                      shred_attribute(strict, BB_PLACE_LINK, attribute);
            break;
        case BB_F_LINK_DROPPED_ATTRIBUTES_COUNT << 3 | BB_PB_VARINT:
            goes_on = put_uint(strict, &reader, BB_F_LINK_DROPPED_ATTRIBUTES_COUNT);
            break;
        case BB_F_LINK_FLAGS << 3 | BB_PB_FIXED32:
            goes_on = put_fixed32(strict, &reader, BB_F_LINK_FLAGS);
            break;
        default:
            goes_on = irregular(strict);
        }
    }
    put_op(strict, BB_OP_END);
    return goes_on;
}

static bool shred_status(struct strict *strict, struct bb_slice bytes)
{
    struct strict_reader reader = {bytes.data, bytes.data + bytes.size};
    bool goes_on = true;

    put_op(strict, BB_OP_STATUS);
    while (goes_on && reader.next < reader.end) {
        switch (*reader.next++) {
        case BB_F_STATUS_MESSAGE << 3 | BB_PB_BYTES:
            goes_on = put_text_field(strict, &reader, BB_FIELD_STATUS_MESSAGE);
            break;
        case BB_F_STATUS_CODE << 3 | BB_PB_VARINT:
            goes_on = put_uint(strict, &reader, BB_F_STATUS_CODE);
            break;
        default:
            goes_on = irregular(strict);
        }
    }
    put_op(strict, BB_OP_END);
    return goes_on;
}

/* Fields that the row keeps; `has` gathers those that were there. */
static bool shred_stripped(struct strict *strict, struct strict_reader *reader, uint32_t number,
                           const struct bb_span_ref *span, uint8_t *has)
{
    struct bb_slice bytes;
    const uint8_t *fixed = NULL;
    uint64_t kind;

    switch (number) {
    case BB_F_SPAN_TRACE_ID:
    case BB_F_SPAN_SPAN_ID:
        return read_bytes(strict, reader, &bytes); /* the walk has checked its size */
    case BB_F_SPAN_PARENT_SPAN_ID:
        *has |= BB_HAS_PARENT;
        return (read_bytes(strict, reader, &bytes) && bytes.size == BB_SPAN_ID_SIZE) ||
               irregular(strict);
    case BB_F_SPAN_NAME:
        *has |= BB_HAS_NAME;
        return read_bytes(strict, reader, &bytes);
    case BB_F_SPAN_KIND:
        *has |= BB_HAS_KIND;
        return (read_varint(strict, reader, &kind) && kind == span->kind) || irregular(strict);
    case BB_F_SPAN_START_TIME_UNIX_NANO:
        *has |= BB_HAS_START;
        return read_fixed(strict, reader, 8, &fixed);
    default:
        *has |= BB_HAS_END;
        return read_fixed(strict, reader, 8, &fixed);
    }
}

static bool shred_field(struct strict *strict, struct strict_reader *reader, uint64_t tag)
{
    struct bb_slice bytes;

    switch (tag) {
    case BB_F_SPAN_TRACE_STATE << 3 | BB_PB_BYTES:
        return put_text_field(strict, reader, BB_FIELD_TRACE_STATE);
    case BB_F_SPAN_ATTRIBUTES << 3 | BB_PB_BYTES:
        return read_bytes(strict, reader, &bytes) && shred_attribute(strict, BB_PLACE_SPAN, bytes);
    case BB_F_SPAN_EVENTS << 3 | BB_PB_BYTES:
        return read_bytes(strict, reader, &bytes) && shred_event(strict, bytes);
    case BB_F_SPAN_LINKS << 3 | BB_PB_BYTES:
        return read_bytes(strict, reader, &bytes) && shred_link(strict, bytes);
    case BB_F_SPAN_STATUS << 3 | BB_PB_BYTES:
        return read_bytes(strict, reader, &bytes) && shred_status(strict, bytes);
    case BB_F_SPAN_DROPPED_ATTRIBUTES_COUNT << 3 | BB_PB_VARINT:
    case BB_F_SPAN_DROPPED_EVENTS_COUNT << 3 | BB_PB_VARINT:
    case BB_F_SPAN_DROPPED_LINKS_COUNT << 3 | BB_PB_VARINT:
        return put_uint(strict, reader, (uint32_t)(tag >> 3));
    case BB_F_SPAN_FLAGS << 3 | BB_PB_FIXED32:
        return put_fixed32(strict, reader, BB_F_SPAN_FLAGS);
    default:
        return irregular(strict);
    }
}

static bool is_stripped_tag(uint64_t tag)
{
    return tag == (BB_F_SPAN_TRACE_ID << 3 | BB_PB_BYTES) ||
           tag == (BB_F_SPAN_SPAN_ID << 3 | BB_PB_BYTES) ||
           tag == (BB_F_SPAN_PARENT_SPAN_ID << 3 | BB_PB_BYTES) ||
           tag == (BB_F_SPAN_NAME << 3 | BB_PB_BYTES) ||
           tag == (BB_F_SPAN_KIND << 3 | BB_PB_VARINT) ||
           tag == (BB_F_SPAN_START_TIME_UNIX_NANO << 3 | BB_PB_FIXED64) ||
           tag == (BB_F_SPAN_END_TIME_UNIX_NANO << 3 | BB_PB_FIXED64);
}

static bool shred_regular(struct strict *strict, const struct bb_span_ref *span)
{
    struct strict_reader reader = {span->bytes.data, span->bytes.data + span->bytes.size};
    struct bb_buf *shape = &strict->shredder->shape;
    uint32_t number_before = 0;
    uint8_t has = 0;
    bool goes_on = true;

    bb_buf_append_byte(shape, 0);
    while (goes_on && reader.next < reader.end) {
        uint64_t tag = 0;
        goes_on = read_varint(strict, &reader, &tag);
        uint32_t number = (uint32_t)(tag >> 3);
        if (!goes_on || number < number_before) {
            return irregular(strict);
        }
        if (is_stripped_tag(tag)) {
            goes_on = number > number_before || irregular(strict);
            goes_on = goes_on && shred_stripped(strict, &reader, number, span, &has);
        } else {
            goes_on = shred_field(strict, &reader, tag);
        }
        number_before = number;
    }
    if (goes_on && bb_buf_err(shape) != BB_OK) {
        return irregular(strict);
    }
    if (goes_on) {
        shape->data[0] = has;
    }
    return goes_on;
}

/* Takes back what the row has put into the columns. */
static void take_back(struct bb_shredder *shredder)
{
    for (uint32_t i = 0; i < shredder->touched_count; i++) {
        uint32_t column = shredder->touched[i];
        struct bb_slice entry = bb_intern_get(&shredder->columns, column);
        shredder->vectors[column].count -= bb_column_type_of(entry) == BB_COLUMN_ID16 ? 2 : 1;
    }
}

enum bb_err bb_shred_span(struct bb_shredder *shredder, const struct bb_span_ref *span,
                          uint32_t *out_shape)
{
    struct strict strict = {
        .shredder = shredder, .is_regular = true, .span_start_unix_ns = span->start_unix_ns};

    bb_buf_clear(&shredder->shape);
    shredder->touched_count = 0;
    bool is_done = shred_regular(&strict, span);
    if (is_done && shredder->shapes.count < BB_SHAPES_MAX) {
        return bb_intern_add(&shredder->shapes, bb_buf_slice(&shredder->shape), out_shape);
    }
    if (strict.err != BB_OK) {
        return strict.err;
    }
    take_back(shredder);
    shredder->touched_count = 0;
    bb_buf_clear(&shredder->shape);
    if (!put_string(&strict, 0, span->bytes)) {
        return strict.err == BB_OK ? BB_ENOMEM : strict.err;
    }
    *out_shape = 0;
    return BB_OK;
}
