/*
 * baggage_text.c - baggage (context.h). Kept as the header would have it, without blanks:
 *
 *   name=value;property,name=value
 *
 * Values are percent-encoded where RFC 7230's token rules of the W3C specification ask for it.
 */
#include "client/baggage_text.h"

#include "client/otlp_attr.h"

/* One member of the list, as offsets into the text. */
struct member {
    size_t begin;
    size_t name_size;
    size_t value_at;
    size_t value_size;
    size_t metadata_at; /* behind the ";"; equal to `end` if there is none */
    size_t end;
};

/* The next member from *at on, which moves behind it; false at the end. */
static bool next_member(const struct bobbin_baggage *baggage, size_t *at, struct member *out)
{
    const char *text = baggage->text;
    const char *found;

    if (*at >= baggage->size) {
        return false;
    }
    out->begin = *at;
    found = memchr(text + *at, ',', baggage->size - *at);
    out->end = found == NULL ? baggage->size : (size_t)(found - text);
    found = memchr(text + *at, '=', out->end - *at);
    if (found == NULL) {
        return false; /* never by our own writing */
    }
    out->name_size = (size_t)(found - text) - *at;
    out->value_at = *at + out->name_size + 1;
    found = memchr(text + out->value_at, ';', out->end - out->value_at);
    out->metadata_at = found == NULL ? out->end : (size_t)(found - text) + 1;
    out->value_size = (found == NULL ? out->end : (size_t)(found - text)) - out->value_at;
    *at = out->end + 1;
    return true;
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_token_char(text[i])) {
            return false;
        }
    }
    return size > 0;
}

/* baggage-octet: what may stand in a value as it is. */
static bool is_value_char(char c)
{
    return c > 0x20 && c < 0x7f && strchr("\",;\\", c) == NULL;
}

static bool find(const struct bobbin_baggage *baggage, const char *name, size_t name_size,
                 struct member *out)
{
    size_t at = 0;

    while (next_member(baggage, &at, out)) {
        if (out->name_size == name_size &&
            memcmp(baggage->text + out->begin, name, name_size) == 0) {
            return true;
        }
    }
    return false;
}

static void remove_member(struct bobbin_baggage *baggage, const struct member *member)
{
    size_t begin = member->begin;
    size_t end = member->end;

    if (end < baggage->size) {
        end++; /* with the comma behind it */
    } else if (begin > 0) {
        begin--;
    }
    memmove(baggage->text + begin, baggage->text + end, baggage->size - end);
    baggage->size = (uint16_t)(baggage->size - (end - begin));
    baggage->count--;
}

/* Appends name, encoded value and metadata; a member of that name is replaced if they fit. */
static enum bobbin_err put_member(struct bobbin_baggage *baggage, struct bobbin_str name,
                                  struct bobbin_str value, struct bobbin_str metadata)
{
    struct member old;
    bool is_old = find(baggage, name.data, name.size, &old);
    size_t freed = is_old ? old.end - old.begin + (baggage->count > 1) : 0;
    size_t added = (size_t)name.size + 1 + value.size + (metadata.size > 0) + metadata.size;
    size_t left = baggage->size - freed;
    char *to;

    if (left + (left > 0) + added > BOBBIN_BAGGAGE_SIZE_MAX ||
        baggage->count - is_old >= BOBBIN_BAGGAGE_MEMBERS_MAX) {
        return BOBBIN_ENOMEM;
    }
    if (is_old) {
        remove_member(baggage, &old);
    }
    to = baggage->text + baggage->size;
    if (baggage->size > 0) {
        *to++ = ',';
    }
    memcpy(to, name.data, name.size);
    to += name.size;
    *to++ = '=';
    if (value.size > 0) {
        memcpy(to, value.data, value.size);
    }
    to += value.size;
    if (metadata.size > 0) {
        *to++ = ';';
        memcpy(to, metadata.data, metadata.size);
        to += metadata.size;
    }
    baggage->size = (uint16_t)(to - baggage->text);
    baggage->count++;
    return BOBBIN_OK;
}

static bool is_metadata(struct bobbin_str metadata)
{
    for (uint32_t i = 0; i < metadata.size; i++) {
        char c = metadata.data[i];

        if (c < 0x20 || c > 0x7e || c == ',') {
            return false;
        }
    }
    return true;
}

enum bobbin_err bobbin_baggage_set(struct bobbin_baggage *baggage, const char *name,
                                   struct bobbin_str value, struct bobbin_str metadata)
{
    static const char digits[] = "0123456789ABCDEF";
    char encoded[BOBBIN_BAGGAGE_SIZE_MAX];
    uint32_t size = 0;

    if (!is_token(name, strlen(name)) || !is_metadata(metadata) ||
        bbc_utf8_size(value.data, value.size) != value.size) {
        return BOBBIN_EINVAL;
    }
    for (uint32_t i = 0; i < value.size; i++) {
        uint8_t byte = (uint8_t)value.data[i];
        bool is_plain = is_value_char((char)byte) && byte != '%';

        if (size + 3 > sizeof encoded) {
            return BOBBIN_ENOMEM;
        }
        if (is_plain) {
            encoded[size++] = (char)byte;
        } else {
            encoded[size++] = '%';
            encoded[size++] = digits[byte >> 4];
            encoded[size++] = digits[byte & 15];
        }
    }
    return put_member(baggage, bobbin_cstr(name), bobbin_strn(encoded, size), metadata);
}

void bobbin_baggage_remove(struct bobbin_baggage *baggage, const char *name)
{
    struct member member;

    if (find(baggage, name, strlen(name), &member)) {
        remove_member(baggage, &member);
    }
}

enum bobbin_err bobbin_baggage_get(const struct bobbin_baggage *baggage, const char *name,
                                   char *value, size_t value_size)
{
    struct member member;
    size_t size = 0;
    size_t end;

    if (!find(baggage, name, strlen(name), &member)) {
        return BOBBIN_ENOTFOUND;
    }
    end = member.value_at + member.value_size;
    for (size_t at = member.value_at; at < end; size++) {
        uint8_t byte = (uint8_t)baggage->text[at];
        size_t used = 1;

        if (byte == '%' && at + 2 < end) {
            static const char digits[] = "0123456789abcdef0123456789ABCDEF";
            const char *high = memchr(digits, baggage->text[at + 1], sizeof digits - 1);
            const char *low = memchr(digits, baggage->text[at + 2], sizeof digits - 1);

            if (high != NULL && low != NULL) {
                byte = (uint8_t)(((high - digits) & 15) << 4 | ((low - digits) & 15));
                used = 3;
            }
        }
        if (size + 1 >= value_size) {
            return BOBBIN_ENOMEM;
        }
        value[size] = (char)byte;
        at += used;
    }
    if (value_size == 0) {
        return BOBBIN_ENOMEM;
    }
    value[size] = '\0';
    return BOBBIN_OK;
}

void bobbin_baggage_each(const struct bobbin_baggage *baggage,
                         bool (*visit)(void *user, struct bobbin_str name,
                                       struct bobbin_str encoded_value, struct bobbin_str metadata),
                         void *user)
{
    struct member member;
    size_t at = 0;

    while (next_member(baggage, &at, &member)) {
        if (!visit(
                user, bobbin_strn(baggage->text + member.begin, member.name_size),
                bobbin_strn(baggage->text + member.value_at, member.value_size),
                bobbin_strn(baggage->text + member.metadata_at, member.end - member.metadata_at))) {
            return;
        }
    }
}

static struct bobbin_str trimmed(const char *begin, const char *end)
{
    while (begin < end && (*begin == ' ' || *begin == '\t')) {
        begin++;
    }
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return bobbin_strn(begin, (size_t)(end - begin));
}

static void read_member(struct bobbin_baggage *baggage, const char *begin, const char *end)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    const char *semicolon = memchr(begin, ';', (size_t)(end - begin));
    struct bobbin_str metadata = {0};
    struct bobbin_str name;
    struct bobbin_str value;

    if (equals == NULL || (semicolon != NULL && semicolon < equals)) {
        return;
    }
    name = trimmed(begin, equals);
    value = trimmed(equals + 1, semicolon == NULL ? end : semicolon);
    if (semicolon != NULL) {
        metadata = trimmed(semicolon + 1, end);
    }
    if (!is_token(name.data, name.size) || !is_metadata(metadata)) {
        return;
    }
    for (uint32_t i = 0; i < value.size; i++) {
        if (!is_value_char(value.data[i])) {
            return;
        }
    }
    (void)put_member(baggage, name, value, metadata); /* one over the limits is left out */
}

void bbc_baggage_read(struct bobbin_baggage *baggage, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *member_end = comma == NULL ? end : comma;

        read_member(baggage, text, member_end);
        text = member_end + 1;
    }
}
