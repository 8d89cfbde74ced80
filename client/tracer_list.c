#include "client/tracer_list.h"

#include <pthread.h>
#include <stdatomic.h>

#include "client/client_config.h"
#include "client/otlp_attr.h"

/* Guards the list. Nests in nothing. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct bobbin_tracer tracers[BOBBIN_TRACERS_MAX];
static unsigned tracer_count;
static struct bobbin_tracer nameless;

static bool is_same(const struct bbc_sink *a, const struct bbc_sink *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

const struct bobbin_tracer *bobbin_tracer_get(const struct bobbin_tracer_opts *opts)
{
    struct bobbin_tracer made = {0};
    const struct bobbin_tracer *found = NULL;

    bbc_otlp_text(&made.scope, 1, opts->name);
    bbc_otlp_text(&made.scope, 2, opts->version);
    bbc_otlp_attrs(&made.scope, 3, opts->attrs, opts->attr_count);
    bbc_sink_put(&made.schema_url, opts->schema_url.data, opts->schema_url.size);

    (void)pthread_mutex_lock(&list_mutex);
    for (unsigned i = 0; i < tracer_count && found == NULL; i++) {
        if (is_same(&tracers[i].scope, &made.scope) &&
            is_same(&tracers[i].schema_url, &made.schema_url)) {
            found = &tracers[i];
        }
    }
    if (made.scope.failed || made.schema_url.failed) {
        found = &nameless;
    }
    if (found == NULL && tracer_count < BOBBIN_TRACERS_MAX) {
        tracers[tracer_count] = made;
        found = &tracers[tracer_count++];
        made = (struct bobbin_tracer){0};
    }
    (void)pthread_mutex_unlock(&list_mutex);
    bbc_sink_dispose(&made.scope);
    bbc_sink_dispose(&made.schema_url);
    if (found == NULL) {
        bbc_count(&bbc_loose.misuse, 1);
        found = &nameless;
    }
    return found;
}

const struct bobbin_tracer *bobbin_tracer_named(const char *name)
{
    struct bobbin_tracer_opts opts = {.name = bobbin_cstr(name)};

    return bobbin_tracer_get(&opts);
}

void bbc_tracers_fork_prepare(void)
{
    (void)pthread_mutex_lock(&list_mutex);
}

void bbc_tracers_fork_parent(void)
{
    (void)pthread_mutex_unlock(&list_mutex);
}

void bbc_tracers_fork_child(void)
{
    (void)pthread_mutex_init(&list_mutex, NULL);
}
