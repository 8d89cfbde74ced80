#include "client/thread_ring.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/export_pipeline.h"
#include "client/overflow_pool.h"

_Thread_local struct bbc_thread bbc_this_thread BBC_TLS_MODEL;
_Atomic(struct bbc_ring *) bbc_rings;

/* Guards the bytes mapped, the key, and the move of a ring from FREE to LIVE. Nests in nothing. */
static pthread_mutex_t registry_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t mapped_bytes;
static pthread_key_t thread_end_key;
static bool has_key;

static void leave_ring(void *ring_of_thread)
{
    struct bbc_ring *ring = ring_of_thread;

    /* A fork may have given the ring to somebody else since. */
    if (bbc_this_thread.ring == ring) {
        bbc_this_thread.ring = NULL;
        atomic_store_explicit(&ring->state, BBC_RING_LEFT, memory_order_release);
    }
}

static struct bbc_ring *find_free(uint32_t size)
{
    struct bbc_ring *ring = atomic_load_explicit(&bbc_rings, memory_order_acquire);

    while (ring != NULL) {
        if (ring->size == size &&
            atomic_load_explicit(&ring->state, memory_order_acquire) == BBC_RING_FREE) {
            return ring;
        }
        ring = ring->next;
    }
    return NULL;
}

static struct bbc_ring *map_ring(const struct bbc_config *config)
{
    size_t header = (size_t)sysconf(_SC_PAGESIZE);
    struct bbc_ring *ring;
    void *mapped;

    if (mapped_bytes + config->ring_size > config->ring_memory_max) {
        return NULL;
    }
    mapped = mmap(NULL, header + config->ring_size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
        return NULL;
    }
    mapped_bytes += config->ring_size;
    ring = mapped;
    ring->bytes = (uint8_t *)mapped + header;
    ring->size = config->ring_size;
    ring->wake_at = config->ring_size / 2;
    ring->next = atomic_load_explicit(&bbc_rings, memory_order_relaxed);
    atomic_store_explicit(&bbc_rings, ring, memory_order_release);
    return ring;
}

bool bbc_thread_seed(struct bbc_thread *thread)
{
    thread->is_seeded = bbc_id_source_seed(&thread->ids);
    return thread->is_seeded;
}

struct bbc_ring *bbc_thread_ring_take(struct bbc_thread *thread, const struct bbc_config *config)
{
    struct bbc_ring *ring = NULL;

    if (thread->is_refused && thread->refused_by == config) {
        return NULL;
    }
    (void)pthread_mutex_lock(&registry_mutex);
    if (!has_key) {
        has_key = pthread_key_create(&thread_end_key, leave_ring) == 0;
    }
    if (has_key && bbc_overflow_map()) {
        ring = find_free(config->ring_size);
        if (ring == NULL) {
            ring = map_ring(config);
        }
        if (ring != NULL && pthread_setspecific(thread_end_key, ring) == 0) {
            atomic_store_explicit(&ring->state, BBC_RING_LIVE, memory_order_relaxed);
        } else {
            ring = NULL;
        }
    }
    (void)pthread_mutex_unlock(&registry_mutex);
    thread->ring = ring;
    thread->is_refused = ring == NULL;
    thread->refused_by = config;
    bbc_pipeline_ensure_threads();
    return ring;
}

void bbc_ring_look(struct bbc_ring *ring, uint64_t head)
{
    uint64_t half = ring->size / 2;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    ring->cached_tail = tail;
    if (head - tail < half) {
        ring->wake_at = tail + half;
        return;
    }
    /* Once more at each further eighth, in case the drainer is slow to come. */
    ring->wake_at = head + ring->size / 8;
    bbc_drainer_wake();
}

void bbc_rings_fork_prepare(void)
{
    bbc_this_thread.busy++; /* a signal handler must not record now: it would wait for the mutex */
    (void)pthread_mutex_lock(&registry_mutex);
}

void bbc_rings_fork_parent(void)
{
    (void)pthread_mutex_unlock(&registry_mutex);
    bbc_this_thread.busy--;
}

void bbc_rings_fork_child(void)
{
    struct bbc_ring *ring = atomic_load_explicit(&bbc_rings, memory_order_relaxed);

    (void)pthread_mutex_init(&registry_mutex, NULL);
    while (ring != NULL) {
        /* What is in the rings is the parent's to export, and its threads are not here. */
        atomic_store_explicit(&ring->head, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->tail, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->started, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->pushed, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->dropped_full, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->drained, 0, memory_order_relaxed);
        ring->cached_tail = 0;
        ring->wake_at = ring->size / 2;
        atomic_store_explicit(&ring->state, BBC_RING_FREE, memory_order_relaxed);
        ring = ring->next;
    }
    bbc_this_thread.ring = NULL;
    bbc_this_thread.is_seeded = false;
    bbc_this_thread.is_refused = false;
    bbc_this_thread.busy--;
}
