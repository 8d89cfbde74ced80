/*
 * memory_exporter.c - keeps requests in memory, for tests of instrumented programs.
 */
#include "client/include/bobbin/exporter.h"

#include <pthread.h>

#include "client/client_alloc.h"

struct kept {
    struct kept *next;
    struct bobbin_request request; /* its data is behind the struct */
};

struct bobbin_memory_exporter {
    /* Guards all of it. Nests in nothing of the library's; the visitor runs under it. */
    pthread_mutex_t mutex;
    struct kept *first;
    struct kept **end;
    uint64_t span_count;
};

enum bobbin_err bobbin_memory_exporter_new(struct bobbin_memory_exporter **out)
{
    struct bobbin_memory_exporter *memory = bbc_alloc(sizeof *memory);

    if (memory == NULL) {
        return BOBBIN_ENOMEM;
    }
    (void)pthread_mutex_init(&memory->mutex, NULL);
    memory->end = &memory->first;
    *out = memory;
    return BOBBIN_OK;
}

void bobbin_memory_exporter_clear(struct bobbin_memory_exporter *memory)
{
    struct kept *kept;

    (void)pthread_mutex_lock(&memory->mutex);
    kept = memory->first;
    memory->first = NULL;
    memory->end = &memory->first;
    memory->span_count = 0;
    (void)pthread_mutex_unlock(&memory->mutex);
    while (kept != NULL) {
        struct kept *next = kept->next;

        bbc_free(kept);
        kept = next;
    }
}

void bobbin_memory_exporter_free(struct bobbin_memory_exporter *memory)
{
    if (memory != NULL) {
        bobbin_memory_exporter_clear(memory);
        (void)pthread_mutex_destroy(&memory->mutex);
        bbc_free(memory);
    }
}

static enum bobbin_export_result keep_request(void *user, const struct bobbin_request *request,
                                              uint32_t timeout_ms,
                                              struct bobbin_export_report *report)
{
    struct bobbin_memory_exporter *memory = user;
    struct kept *kept = bbc_alloc(sizeof *kept + request->size);

    (void)timeout_ms;
    (void)report;
    if (kept == NULL) {
        return BOBBIN_EXPORT_FAILED;
    }
    memcpy(kept + 1, request->data, request->size);
    kept->request = *request;
    kept->request.data = (const uint8_t *)(kept + 1);
    (void)pthread_mutex_lock(&memory->mutex);
    *memory->end = kept;
    memory->end = &kept->next;
    memory->span_count += request->span_count;
    (void)pthread_mutex_unlock(&memory->mutex);
    return BOBBIN_EXPORT_OK;
}

struct bobbin_exporter bobbin_memory_exporter_of(struct bobbin_memory_exporter *memory)
{
    struct bobbin_exporter exporter = {.user = memory, .send = keep_request};

    return exporter;
}

uint64_t bobbin_memory_exporter_span_count(struct bobbin_memory_exporter *memory)
{
    uint64_t count;

    (void)pthread_mutex_lock(&memory->mutex);
    count = memory->span_count;
    (void)pthread_mutex_unlock(&memory->mutex);
    return count;
}

void bobbin_memory_exporter_each(struct bobbin_memory_exporter *memory,
                                 bool (*visit)(void *user, const struct bobbin_request *request),
                                 void *user)
{
    (void)pthread_mutex_lock(&memory->mutex);
    for (const struct kept *kept = memory->first; kept != NULL; kept = kept->next) {
        if (!visit(user, &kept->request)) {
            break;
        }
    }
    (void)pthread_mutex_unlock(&memory->mutex);
}
