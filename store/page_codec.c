#include "store/page_codec.h"

#include "common/pb_wire.h"
#include "store/varint_code.h"

enum { MODE_PLAIN = 0, MODE_UUID = 1, MODE_HEX = 2 };

#define UUID_TEXT_SIZE 36u
/* Digits of a hex string that are worth packing; shorter ones are often numbers. */
#define HEX_DIGITS_MIN 8u
#define HEX_DIGITS_MAX 128u

/* Planning and writing. */

/* A column with few repeats would only make the dictionary long. */
static bool is_worth_dictionary(uint32_t value_count, uint32_t distinct_count)
{
    return distinct_count <= 16 || distinct_count <= value_count / 2;
}

enum bb_err bb_plan_columns(struct bb_shredder *shredder, struct bb_arena *arena,
                            struct bb_column_plan **out_plans)
{
    uint32_t string_count = shredder->strings.count;
    uint32_t column_count = shredder->columns.count;
    /* Code of the column by code of all strings; true for the column that `owner` names. */
    uint32_t *local = bb_arena_try_alloc(arena, string_count * sizeof *local);
    uint32_t *owner = bb_arena_try_calloc(arena, string_count, sizeof *owner);
    struct bb_column_plan *plans = bb_arena_try_calloc(arena, column_count, sizeof *plans);

    if (local == NULL || owner == NULL || plans == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t column = 0; column < column_count; column++) {
        struct bb_value_vector *vector = &shredder->vectors[column];
        struct bb_column_plan *plan = &plans[column];
        struct bb_slice entry = bb_intern_get(&shredder->columns, column);
        if (vector->is_direct || !bb_column_has_strings(bb_column_type_of(entry))) {
            continue;
        }
        plan->globals = bb_arena_try_alloc(arena, vector->count * sizeof *plan->globals);
        if (plan->globals == NULL) {
            return BB_ENOMEM;
        }
        for (uint32_t i = 0; i < vector->count; i++) {
            uint32_t global = vector->codes[i];
            if (owner[global] != column + 1) {
                owner[global] = column + 1;
                local[global] = plan->distinct_count;
                plan->globals[plan->distinct_count++] = global;
            }
            vector->codes[i] = local[global];
        }
        plan->is_in_dictionary = is_worth_dictionary(vector->count, plan->distinct_count);
    }
    *out_plans = plans;
    return BB_OK;
}

static bool is_lower_hex(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* The 32 digits of a UUID, or false. */
static bool uuid_digits(struct bb_slice text, char out[32])
{
    static const uint8_t group_starts[] = {0, 9, 14, 19, 24, 37};
    size_t at = 0;

    if (text.size != UUID_TEXT_SIZE || text.data[8] != '-' || text.data[13] != '-' ||
        text.data[18] != '-' || text.data[23] != '-') {
        return false;
    }
    for (int group = 0; group < 5; group++) {
        size_t size = (size_t)(group_starts[group + 1] - group_starts[group] - 1);
        memcpy(out + at, text.data + group_starts[group], size);
        at += size;
    }
    return is_lower_hex((const uint8_t *)out, 32);
}

/* A string column's values as they stand in one page. */
struct page_strings {
    const struct bb_shredder *shredder;
    const struct bb_slice *texts; /* NULL: by code */
    const uint32_t *globals;
    const uint32_t *codes;
    uint32_t count;
};

static struct bb_slice string_at(const struct page_strings *strings, uint32_t index)
{
    if (strings->texts != NULL) {
        return strings->texts[index];
    }
    return bb_intern_get(&strings->shredder->strings, strings->globals[strings->codes[index]]);
}

static int choose_mode(const struct page_strings *strings)
{
    size_t size = string_at(strings, 0).size;
    bool is_uuid = true;
    bool is_hex = size % 2 == 0 && size >= HEX_DIGITS_MIN && size <= HEX_DIGITS_MAX;
    char digits[32];

    for (uint32_t i = 0; i < strings->count && (is_uuid || is_hex); i++) {
        struct bb_slice text = string_at(strings, i);
        is_uuid = is_uuid && uuid_digits(text, digits);
        is_hex = is_hex && text.size == size && is_lower_hex(text.data, size);
    }
    return is_uuid ? MODE_UUID : is_hex ? MODE_HEX : MODE_PLAIN;
}

static void put_packed(const char *digits, size_t digit_count, struct bb_buf *out)
{
    uint8_t *packed = bb_buf_reserve(out, digit_count / 2);

    if (packed != NULL && bb_hex_decode(digits, digit_count, packed)) {
        bb_buf_advance(out, digit_count / 2);
    }
}

static void put_direct_strings(const struct page_strings *strings, struct bb_buf *out)
{
    int mode = choose_mode(strings);
    char digits[32];

    bb_buf_append_byte(out, (uint8_t)mode);
    if (mode == MODE_HEX) {
        bb_pb_write_varint(out, string_at(strings, 0).size);
    }
    for (uint32_t i = 0; i < strings->count; i++) {
        struct bb_slice text = string_at(strings, i);
        if (mode == MODE_UUID) {
            bool is_uuid = uuid_digits(text, digits);
            BB_ASSERT(is_uuid);
            put_packed(digits, sizeof digits, out);
        } else if (mode == MODE_HEX) {
            put_packed((const char *)text.data, text.size, out);
        } else {
            bb_pb_write_varint(out, text.size);
        }
    }
    for (uint32_t i = 0; i < strings->count && mode == MODE_PLAIN; i++) {
        bb_buf_append_slice(out, string_at(strings, i));
    }
}

static void put_codes(const uint32_t *codes, uint32_t count, uint32_t distinct_count,
                      struct bb_buf *out)
{
    for (uint32_t i = 0; i < count && distinct_count > 1; i++) {
        if (distinct_count <= 256) {
            bb_buf_append_byte(out, (uint8_t)codes[i]);
        } else {
            bb_pb_write_varint(out, codes[i]);
        }
    }
}

static void put_numbers(const uint64_t *numbers, uint32_t count, enum bb_column_type type,
                        struct bb_buf *out)
{
    bool is_fixed = type == BB_COLUMN_DOUBLE || type == BB_COLUMN_ID8 || type == BB_COLUMN_ID16;

    for (uint32_t i = 0; i < count; i++) {
        if (is_fixed) {
            uint8_t bytes[8];
            bb_put_le64(bytes, numbers[i]);
            bb_buf_append(out, bytes, sizeof bytes);
        } else {
            bb_pb_write_varint(out, numbers[i]);
        }
    }
}

void bb_page_encode(const struct bb_shredder *shredder, const struct bb_column_plan *plans,
                    const uint32_t *shapes, uint32_t row_count, const uint32_t *first_values,
                    const uint32_t *end_values, struct bb_buf *out)
{
    for (uint32_t i = 0; i < row_count; i++) {
        bb_pb_write_varint(out, shapes[i]);
    }
    for (uint32_t column = 0; column < shredder->columns.count; column++) {
        const struct bb_value_vector *vector = &shredder->vectors[column];
        const struct bb_column_plan *plan = &plans[column];
        enum bb_column_type type = bb_column_type_of(bb_intern_get(&shredder->columns, column));
        uint32_t first = first_values[column];
        uint32_t count = end_values[column] - first;
        if (count == 0) {
            continue;
        }
        bb_pb_write_varint(out, column);
        bb_pb_write_varint(out, count);
        if (!bb_column_has_strings(type)) {
            put_numbers(vector->numbers + first, count, type, out);
        } else if (plan->is_in_dictionary) {
            put_codes(vector->codes + first, count, plan->distinct_count, out);
        } else {
            struct page_strings strings = {
                .shredder = shredder,
                .texts = vector->is_direct ? vector->texts + first : NULL,
                .globals = plan->globals,
                .codes = vector->is_direct ? NULL : vector->codes + first,
                .count = count,
            };
            put_direct_strings(&strings, out);
        }
    }
}

/* Reading. Every read is checked against the end of what it reads from. */

struct bb_page_column {
    struct bb_slice entry; /* place, type and key */
    const struct bb_column_values *dictionary;
    const uint8_t *next; /* codes, numbers, packed digits, or sizes of plain strings */
    const uint8_t *end;
    const uint8_t *bytes; /* of plain strings */
    const uint8_t *bytes_end;
    uint32_t left_count;
    uint32_t hex_digits;
    uint8_t mode;
};

static bool next_varint(const uint8_t **next, const uint8_t *end, uint64_t *out_value)
{
    struct bb_pb_reader reader = {.next = *next, .end = end};

    if (!bb_pb_read_varint(&reader, out_value)) {
        return false;
    }
    *next = reader.next;
    return true;
}

static bool skip_varints(const uint8_t **next, const uint8_t *end, uint32_t count)
{
    const uint8_t *at = *next;

    while (count > 0 && at < end) {
        count -= *at++ < 0x80;
    }
    *next = at;
    return count == 0;
}

static bool skip_bytes(const uint8_t **next, const uint8_t *end, uint64_t size)
{
    if (size > (uint64_t)(end - *next)) {
        return false;
    }
    *next += size;
    return true;
}

/* Finds where a direct string column's payload ends. */
static bool open_direct(struct bb_page_column *column, const uint8_t **next, const uint8_t *end)
{
    uint64_t digits = UUID_TEXT_SIZE;
    uint64_t total = 0;

    if (*next == end) {
        return false;
    }
    column->mode = *(*next)++;
    if (column->mode == MODE_UUID) {
        column->next = *next;
        return skip_bytes(next, end, (uint64_t)column->left_count * 16);
    }
    if (column->mode == MODE_HEX) {
        if (!next_varint(next, end, &digits) || digits > HEX_DIGITS_MAX || digits % 2 != 0) {
            return false;
        }
        column->hex_digits = (uint32_t)digits;
        column->next = *next;
        return skip_bytes(next, end, (uint64_t)column->left_count * (digits / 2));
    }
    if (column->mode != MODE_PLAIN) {
        return false;
    }
    column->next = *next;
    for (uint32_t i = 0; i < column->left_count; i++) {
        uint64_t size;
        if (!next_varint(next, end, &size) || size > (uint64_t)(end - *next)) {
            return false;
        }
        total += size;
    }
    column->end = *next;
    column->bytes = *next;
    return skip_bytes(next, end, total);
}

static bool open_column(struct bb_page_column *column, const uint8_t **next, const uint8_t *end)
{
    enum bb_column_type type = bb_column_type_of(column->entry);

    column->next = *next;
    if (bb_column_has_strings(type)) {
        if (column->dictionary->count == 0) {
            return open_direct(column, next, end);
        }
        if (column->dictionary->count == 1) {
            return true;
        }
        if (column->dictionary->count <= 256) {
            return skip_bytes(next, end, column->left_count);
        }
        return skip_varints(next, end, column->left_count);
    }
    if (type == BB_COLUMN_INT || type == BB_COLUMN_TIME) {
        return skip_varints(next, end, column->left_count);
    }
    return skip_bytes(next, end, (uint64_t)column->left_count * 8);
}

enum bb_err bb_page_reader_init(struct bb_page_reader *reader, struct bb_slice plain,
                                uint32_t row_count, const struct bb_dictionary *dictionary,
                                struct bb_arena *arena)
{
    uint32_t column_count = dictionary->columns.count;
    const uint8_t *next = plain.data;
    const uint8_t *end = plain.data + plain.size;

    *reader = (struct bb_page_reader){.dictionary = dictionary, .next_shape = plain.data};
    reader->columns = bb_arena_try_calloc(arena, column_count, sizeof *reader->columns);
    if (reader->columns == NULL) {
        return BB_ENOMEM;
    }
    if (!skip_varints(&next, end, row_count)) {
        return BB_ECORRUPT;
    }
    reader->shapes_end = next;
    while (next < end) {
        uint64_t number;
        uint64_t count;
        if (!next_varint(&next, end, &number) || number >= column_count ||
            !next_varint(&next, end, &count) || count > plain.size + (uint64_t)row_count * 4096) {
            return BB_ECORRUPT;
        }
        struct bb_page_column *column = &reader->columns[number];
        column->entry = bb_intern_get(&dictionary->columns, (uint32_t)number);
        column->dictionary = &dictionary->column_values[number];
        column->left_count = (uint32_t)count;
        if (!open_column(column, &next, end)) {
            return BB_ECORRUPT;
        }
        if (column->bytes != NULL) {
            column->bytes_end = next;
        } else {
            column->end = next;
        }
    }
    return BB_OK;
}

static void format_uuid(const uint8_t *packed, char out[UUID_TEXT_SIZE + 1])
{
    char digits[33];

    bb_hex_encode(packed, 16, digits);
    memcpy(out, digits, 8);
    out[8] = '-';
    memcpy(out + 9, digits + 8, 4);
    out[13] = '-';
    memcpy(out + 14, digits + 12, 4);
    out[18] = '-';
    memcpy(out + 19, digits + 16, 4);
    out[23] = '-';
    memcpy(out + 24, digits + 20, 12);
}

/* The next string of a column; it may lie in `scratch`. */
static bool next_string(struct bb_page_column *column, char scratch[HEX_DIGITS_MAX + 1],
                        struct bb_slice *out_text)
{
    uint64_t value = 0;

    if (column->left_count == 0) {
        return false;
    }
    column->left_count--;
    if (column->dictionary->count > 0) {
        if (column->dictionary->count > 256) {
            if (!next_varint(&column->next, column->end, &value)) {
                return false;
            }
        } else if (column->dictionary->count > 1) {
            value = *column->next++;
        }
        if (value >= column->dictionary->count) {
            return false;
        }
        *out_text = column->dictionary->values[value];
        return true;
    }
    if (column->mode == MODE_UUID) {
        format_uuid(column->next, scratch);
        column->next += 16;
        *out_text = bb_slice_of(scratch, UUID_TEXT_SIZE);
        return true;
    }
    if (column->mode == MODE_HEX) {
        bb_hex_encode(column->next, column->hex_digits / 2, scratch);
        column->next += column->hex_digits / 2;
        *out_text = bb_slice_of(scratch, column->hex_digits);
        return true;
    }
    if (!next_varint(&column->next, column->end, &value) ||
        value > (uint64_t)(column->bytes_end - column->bytes)) {
        return false;
    }
    *out_text = bb_slice_of(column->bytes, (size_t)value);
    column->bytes += value;
    return true;
}

static bool next_number(struct bb_page_column *column, uint64_t *out_value)
{
    enum bb_column_type type = bb_column_type_of(column->entry);

    if (column->left_count == 0) {
        return false;
    }
    column->left_count--;
    if (type == BB_COLUMN_INT || type == BB_COLUMN_TIME) {
        return next_varint(&column->next, column->end, out_value);
    }
    *out_value = bb_get_le64(column->next);
    column->next += 8;
    return true;
}

/* Putting a row together. */
struct assembling {
    struct bb_page_reader *reader;
    const struct bb_span_ref *span;
    struct bb_buf *out; /* NULL: only step over it */
    uint8_t has;
    uint32_t next_stripped;
    uint32_t open_field; /* of the event, link or status that is open; 0: none */
    size_t mark;
};

static bool has_field(const struct assembling *assembling, uint32_t number)
{
    switch (number) {
    case BB_F_SPAN_TRACE_ID:
    case BB_F_SPAN_SPAN_ID:
        return true;
    case BB_F_SPAN_PARENT_SPAN_ID:
        return (assembling->has & BB_HAS_PARENT) != 0;
    case BB_F_SPAN_NAME:
        return (assembling->has & BB_HAS_NAME) != 0;
    case BB_F_SPAN_KIND:
        return (assembling->has & BB_HAS_KIND) != 0;
    case BB_F_SPAN_START_TIME_UNIX_NANO:
        return (assembling->has & BB_HAS_START) != 0;
    case BB_F_SPAN_END_TIME_UNIX_NANO:
        return (assembling->has & BB_HAS_END) != 0;
    default:
        return false;
    }
}

static void put_stripped_field(const struct bb_span_ref *span, uint32_t number, struct bb_buf *out)
{
    switch (number) {
    case BB_F_SPAN_TRACE_ID:
        bb_pb_write_bytes(out, number, bb_slice_of(span->trace_id.bytes, BB_TRACE_ID_SIZE));
        break;
    case BB_F_SPAN_SPAN_ID:
        bb_pb_write_bytes(out, number, bb_slice_of(span->span_id.bytes, BB_SPAN_ID_SIZE));
        break;
    case BB_F_SPAN_PARENT_SPAN_ID:
        bb_pb_write_bytes(out, number, bb_slice_of(span->parent_span_id.bytes, BB_SPAN_ID_SIZE));
        break;
    case BB_F_SPAN_NAME:
        bb_pb_write_bytes(out, number, span->name);
        break;
    case BB_F_SPAN_KIND:
        bb_pb_write_uint(out, number, span->kind);
        break;
    case BB_F_SPAN_START_TIME_UNIX_NANO:
        bb_pb_write_fixed64(out, number, span->start_unix_ns);
        break;
    default:
        bb_pb_write_fixed64(out, number, span->end_unix_ns);
        break;
    }
}

/* The stripped fields whose number is below `number`. */
static void put_stripped(struct assembling *assembling, uint32_t number)
{
    for (; assembling->next_stripped < number &&
           assembling->next_stripped <= BB_F_SPAN_END_TIME_UNIX_NANO;
         assembling->next_stripped++) {
        if (assembling->out != NULL && has_field(assembling, assembling->next_stripped)) {
            put_stripped_field(assembling->span, assembling->next_stripped, assembling->out);
        }
    }
}

/* An attribute whose AnyValue is a tag, perhaps a length, and `content`. */
static void put_attribute(struct assembling *assembling, uint32_t number, struct bb_slice key,
                          uint8_t any_tag, bool has_length, struct bb_slice content)
{
    struct bb_buf *out = assembling->out;
    size_t any_size = content.size;

    if (any_tag != 0) {
        any_size += 1 + (has_length ? bb_pb_varint_size(content.size) : 0);
    }
    bb_pb_write_tag(out, number, BB_PB_BYTES);
    bb_pb_write_varint(out, bb_pb_bytes_field_size(BB_F_KEY_VALUE_KEY, key.size) +
                                bb_pb_bytes_field_size(BB_F_KEY_VALUE_VALUE, any_size));
    bb_pb_write_bytes(out, BB_F_KEY_VALUE_KEY, key);
    bb_pb_write_tag(out, BB_F_KEY_VALUE_VALUE, BB_PB_BYTES);
    bb_pb_write_varint(out, any_size);
    if (any_tag != 0) {
        bb_buf_append_byte(out, any_tag);
    }
    if (has_length) {
        bb_pb_write_varint(out, content.size);
    }
    bb_buf_append_slice(out, content);
}

static void put_number_attribute(struct assembling *assembling, uint32_t number,
                                 struct bb_slice key, enum bb_column_type type, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;

    if (type == BB_COLUMN_DOUBLE) {
        bb_put_le64(bytes, value);
        put_attribute(assembling, number, key, BB_F_VALUE_DOUBLE << 3 | BB_PB_FIXED64, false,
                      bb_slice_of(bytes, 8));
        return;
    }
    for (value = bb_unzigzag(value); value >= 0x80; value >>= 7) {
        bytes[size++] = (uint8_t)(value | 0x80);
    }
    bytes[size++] = (uint8_t)value;
    put_attribute(assembling, number, key, BB_F_VALUE_INT << 3 | BB_PB_VARINT, false,
                  bb_slice_of(bytes, size));
}

/* The field that attributes of a place have in their message; 0 where the place isn't open. */
static uint32_t attribute_field(const struct assembling *assembling, enum bb_column_place place)
{
    switch (place) {
    case BB_PLACE_SPAN:
        return assembling->open_field == 0 ? BB_F_SPAN_ATTRIBUTES : 0;
    case BB_PLACE_EVENT:
        return assembling->open_field == BB_F_SPAN_EVENTS ? BB_F_EVENT_ATTRIBUTES : 0;
    case BB_PLACE_LINK:
        return assembling->open_field == BB_F_SPAN_LINKS ? BB_F_LINK_ATTRIBUTES : 0;
    default:
        return 0;
    }
}

static bool put_attribute_value(struct assembling *assembling, struct bb_page_column *column)
{
    enum bb_column_type type = bb_column_type_of(column->entry);
    uint32_t number = attribute_field(assembling, bb_column_place_of(column->entry));
    struct bb_slice key = bb_column_key_of(column->entry);
    char scratch[HEX_DIGITS_MAX + 1];
    struct bb_slice text;
    uint64_t value;

    if (number == 0) {
        return false;
    }
    if (number == BB_F_SPAN_ATTRIBUTES) {
        put_stripped(assembling, number);
    }
    if (bb_column_has_strings(type)) {
        if (!next_string(column, scratch, &text)) {
            return false;
        }
        if (assembling->out != NULL && type == BB_COLUMN_STRING) {
            put_attribute(assembling, number, key, BB_F_VALUE_STRING << 3 | BB_PB_BYTES, true,
                          text);
        } else if (assembling->out != NULL) {
            put_attribute(assembling, number, key, 0, false, text);
        }
        return true;
    }
    if (!next_number(column, &value)) {
        return false;
    }
    if (assembling->out != NULL) {
        put_number_attribute(assembling, number, key, type, value);
    }
    return true;
}

static bool put_text_field(struct assembling *assembling, struct bb_page_column *column,
                           uint32_t open_field, uint32_t number)
{
    char scratch[HEX_DIGITS_MAX + 1];
    struct bb_slice text;

    if (assembling->open_field != open_field || !next_string(column, scratch, &text)) {
        return false;
    }
    if (assembling->out != NULL) {
        bb_pb_write_bytes(assembling->out, number, text);
    }
    return true;
}

static bool put_link_id(struct assembling *assembling, struct bb_page_column *column,
                        uint32_t number, unsigned half_count)
{
    uint8_t id[16];

    if (assembling->open_field != BB_F_SPAN_LINKS) {
        return false;
    }
    for (unsigned i = 0; i < half_count; i++) {
        uint64_t half;
        if (!next_number(column, &half)) {
            return false;
        }
        bb_put_le64(id + 8 * (size_t)i, half);
    }
    if (assembling->out != NULL) {
        bb_pb_write_bytes(assembling->out, number, bb_slice_of(id, 8 * (size_t)half_count));
    }
    return true;
}

static bool put_event_time(struct assembling *assembling, struct bb_page_column *column)
{
    uint64_t coded;

    if (assembling->open_field != BB_F_SPAN_EVENTS || !next_number(column, &coded)) {
        return false;
    }
    if (assembling->out != NULL) {
        bb_pb_write_fixed64(assembling->out, BB_F_EVENT_TIME_UNIX_NANO,
                            assembling->span->start_unix_ns + bb_unzigzag(coded));
    }
    return true;
}

static bool put_field_value(struct assembling *assembling, struct bb_page_column *column)
{
    struct bb_slice key = bb_column_key_of(column->entry);
    enum bb_column_type type = bb_column_type_of(column->entry);

    switch (key.size == 1 ? key.data[0] : UINT8_MAX) {
    case BB_FIELD_TRACE_STATE:
        put_stripped(assembling, BB_F_SPAN_TRACE_STATE);
        return type == BB_COLUMN_STRING &&
               put_text_field(assembling, column, 0, BB_F_SPAN_TRACE_STATE);
    case BB_FIELD_STATUS_MESSAGE:
        return type == BB_COLUMN_STRING &&
               put_text_field(assembling, column, BB_F_SPAN_STATUS, BB_F_STATUS_MESSAGE);
    case BB_FIELD_EVENT_TIME:
        return type == BB_COLUMN_TIME && put_event_time(assembling, column);
    case BB_FIELD_EVENT_NAME:
        return type == BB_COLUMN_STRING &&
               put_text_field(assembling, column, BB_F_SPAN_EVENTS, BB_F_EVENT_NAME);
    case BB_FIELD_LINK_TRACE_ID:
        return type == BB_COLUMN_ID16 && put_link_id(assembling, column, BB_F_LINK_TRACE_ID, 2);
    case BB_FIELD_LINK_SPAN_ID:
        return type == BB_COLUMN_ID8 && put_link_id(assembling, column, BB_F_LINK_SPAN_ID, 1);
    case BB_FIELD_LINK_TRACE_STATE:
        return type == BB_COLUMN_STRING &&
               put_text_field(assembling, column, BB_F_SPAN_LINKS, BB_F_LINK_TRACE_STATE);
    default:
        return false;
    }
}

/* The column that a token names; NULL where the page has no value of it. */
static struct bb_page_column *token_column(struct assembling *assembling,
                                           struct bb_pb_reader *tokens)
{
    uint64_t number;

    if (!bb_pb_read_varint(tokens, &number) ||
        number >= assembling->reader->dictionary->columns.count) {
        return NULL;
    }
    return &assembling->reader->columns[number];
}

static bool put_boolean(struct assembling *assembling, struct bb_pb_reader *tokens, bool value)
{
    const struct bb_dictionary *dictionary = assembling->reader->dictionary;
    uint8_t content = value;
    uint64_t number;

    if (!bb_pb_read_varint(tokens, &number) || number >= dictionary->columns.count) {
        return false;
    }
    struct bb_slice entry = bb_intern_get(&dictionary->columns, (uint32_t)number);
    uint32_t field = attribute_field(assembling, bb_column_place_of(entry));
    if (field == 0) {
        return false;
    }
    if (field == BB_F_SPAN_ATTRIBUTES) {
        put_stripped(assembling, field);
    }
    if (assembling->out != NULL) {
        put_attribute(assembling, field, bb_column_key_of(entry),
                      BB_F_VALUE_BOOL << 3 | BB_PB_VARINT, false, bb_slice_of(&content, 1));
    }
    return true;
}

static bool open_message(struct assembling *assembling, uint32_t number)
{
    if (assembling->open_field != 0) {
        return false;
    }
    put_stripped(assembling, number);
    assembling->open_field = number;
    if (assembling->out != NULL) {
        assembling->mark = bb_pb_begin_message(assembling->out, number);
    }
    return true;
}

static bool close_message(struct assembling *assembling)
{
    if (assembling->open_field == 0) {
        return false;
    }
    assembling->open_field = 0;
    if (assembling->out != NULL) {
        bb_pb_end_message(assembling->out, assembling->mark);
    }
    return true;
}

static bool put_plain(struct assembling *assembling, struct bb_pb_reader *tokens, bool is_fixed)
{
    uint64_t number;
    uint64_t value = 0;

    if (!bb_pb_read_varint(tokens, &number) || number == 0 || number > UINT8_MAX) {
        return false;
    }
    if (assembling->open_field == 0) {
        put_stripped(assembling, (uint32_t)number);
    }
    if (is_fixed) {
        if (tokens->end - tokens->next < 4) {
            return false;
        }
        if (assembling->out != NULL) {
            bb_pb_write_fixed32(assembling->out, (uint32_t)number, bb_get_le32(tokens->next));
        }
        tokens->next += 4;
        return true;
    }
    if (!bb_pb_read_varint(tokens, &value)) {
        return false;
    }
    if (assembling->out != NULL) {
        bb_pb_write_uint(assembling->out, (uint32_t)number, value);
    }
    return true;
}

static bool put_token(struct assembling *assembling, struct bb_pb_reader *tokens)
{
    enum bb_op op = (enum bb_op) * tokens->next++;
    struct bb_page_column *column = NULL;

    switch (op) {
    case BB_OP_VALUE:
        column = token_column(assembling, tokens);
        if (column == NULL || column->entry.size == 0) {
            return false;
        }
        return bb_column_place_of(column->entry) == BB_PLACE_FIELD
                   ? put_field_value(assembling, column)
                   : put_attribute_value(assembling, column);
    case BB_OP_TRUE:
        return put_boolean(assembling, tokens, true);
    case BB_OP_FALSE:
        return put_boolean(assembling, tokens, false);
    case BB_OP_EVENT:
        return open_message(assembling, BB_F_SPAN_EVENTS);
    case BB_OP_LINK:
        return open_message(assembling, BB_F_SPAN_LINKS);
    case BB_OP_STATUS:
        return open_message(assembling, BB_F_SPAN_STATUS);
    case BB_OP_END:
        return close_message(assembling);
    case BB_OP_UINT:
        return put_plain(assembling, tokens, false);
    case BB_OP_FIXED32:
        return put_plain(assembling, tokens, true);
    }
    return false;
}

static enum bb_err put_whole(struct bb_page_reader *reader, struct bb_buf *out)
{
    char scratch[HEX_DIGITS_MAX + 1];
    struct bb_page_column *column = &reader->columns[0];
    struct bb_slice message;

    if (reader->dictionary->columns.count == 0 || column->entry.size == 0 ||
        !next_string(column, scratch, &message)) {
        return BB_ECORRUPT;
    }
    if (out == NULL) {
        return BB_OK;
    }
    bb_buf_append_slice(out, message);
    return bb_buf_err(out);
}

enum bb_err bb_page_next(struct bb_page_reader *reader, const struct bb_span_ref *span,
                         struct bb_buf *out)
{
    struct assembling assembling = {
        .reader = reader, .span = span, .out = out, .next_stripped = BB_F_SPAN_TRACE_ID};
    uint64_t shape;

    if (!next_varint(&reader->next_shape, reader->shapes_end, &shape) ||
        shape >= reader->dictionary->shapes.count) {
        return BB_ECORRUPT;
    }
    struct bb_pb_reader tokens =
        bb_pb_reader_of(bb_intern_get(&reader->dictionary->shapes, (uint32_t)shape));
    if (tokens.next == tokens.end) {
        return put_whole(reader, out);
    }
    assembling.has = *tokens.next++;
    while (tokens.next < tokens.end) {
        if (!put_token(&assembling, &tokens)) {
            return BB_ECORRUPT;
        }
    }
    if (assembling.open_field != 0) {
        return BB_ECORRUPT;
    }
    put_stripped(&assembling, BB_F_SPAN_END_TIME_UNIX_NANO + 1);
    return out == NULL ? BB_OK : bb_buf_err(out);
}
