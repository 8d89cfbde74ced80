/*
 * shred_fixture.h - spans taken apart and put together again: shredder, plan, pages, dictionary, as
 * a sealing writes them and a query reads them. Also used by fuzz_page_codec.c.
 *
 *   shred_fixture_init(&fx);
 *   shape = shred_fixture_add(&fx, message);
 *   shred_fixture_end_page(&fx);
 *   shred_fixture_finish(&fx);
 *   shred_fixture_check(&fx);
 */
#ifndef BB_TESTS_SHRED_FIXTURE_H
#define BB_TESTS_SHRED_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/span_batch.h"
#include "store/dictionary.h"
#include "store/page_codec.h"
#include "store/shred.h"

#define SHRED_ROWS_MAX 20000u
#define SHRED_PAGES_MAX 512u

struct shred_page {
    struct bb_slice plain; /* in the arena */
    uint32_t *end_values;  /* by column */
    uint32_t column_count;
    uint32_t end_row;
};

struct shred_fixture {
    struct bb_arena arena;
    struct bb_shredder *shredder;
    struct bb_column_plan *plans;
    struct bb_dictionary *written; /* operations, resources and scopes */
    struct bb_dictionary *read;    /* after encoding and decoding */
    struct bb_span_ref *spans;
    uint32_t *shapes;
    struct shred_page pages[SHRED_PAGES_MAX];
    uint32_t row_count;
    uint32_t page_count;
};

void shred_fixture_init(struct shred_fixture *fx);
void shred_fixture_dispose(struct shred_fixture *fx);

/* Takes a copy of `message`, which must be a span that is accepted, apart. The code of its shape;
 * 0 when it is kept whole. */
uint32_t shred_fixture_add(struct shred_fixture *fx, struct bb_slice message);

/* The page of the rows added since the last one. */
void shred_fixture_end_page(struct shred_fixture *fx);

/* Ends the last page, plans, encodes the pages and the dictionary and decodes the latter. */
void shred_fixture_finish(struct shred_fixture *fx);

/* Reads page `index` from `plain`, which may be damaged; `out` gets the rows one behind the other,
 * or is NULL. The first error ends the reading. */
enum bb_err shred_fixture_read(const struct shred_fixture *fx, uint32_t index,
                               struct bb_slice plain, struct bb_buf *out);

/* Every row of every page comes back byte for byte, also when rows before it are stepped over. */
void shred_fixture_check(const struct shred_fixture *fx);

/* The values of all columns. */
uint64_t shred_fixture_value_count(const struct shred_fixture *fx);

/* The column of that place, type and key, or UINT32_MAX. */
uint32_t shred_fixture_column(const struct shred_fixture *fx, enum bb_column_place place,
                              enum bb_column_type type, const char *key);

#endif /* BB_TESTS_SHRED_FIXTURE_H */
