/*
 * thread_ring.h - a thread's own ring of finished spans: written by that thread alone, read by the
 * draining thread alone.
 *
 *   `head` and `tail` count bytes since the ring began, and only grow; the place of a byte is its
 *   count modulo the size. Records are at multiples of 8 and never wrap: where one doesn't fit
 *   before
 *   the end, a pad record fills the rest.
 *
 *   writer: reads tail (acquire), writes the record, stores head (release)
 *   reader: reads head (acquire), reads records, stores tail (release)
 *
 * Rings are never unmapped. A thread's end marks its ring as left; once it is drained, another
 * thread
 * may take it.
 *
 * A signal handler may interrupt a thread between bbc_thread_enter and _leave; it then finds `busy`
 * set, and records nothing (counted).
 */
#ifndef BBC_THREAD_RING_H
#define BBC_THREAD_RING_H

#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client_config.h"
#include "client/id_source.h"
#include "client/span_entry.h"

/* Bytes of the smallest ring, so that a span with its data fits several times. */
#define BBC_RING_SIZE_MIN 8192u

enum bbc_ring_state { BBC_RING_FREE = 0, BBC_RING_LIVE, BBC_RING_LEFT };

struct bbc_ring {
    /* Constant. */
    uint8_t *bytes;
    uint32_t size;
    struct bbc_ring *next; /* all rings there are */

    /* Written by the owning thread. */
    alignas(64) _Atomic uint64_t head;
    uint64_t cached_tail;
    uint64_t wake_at; /* when head gets here, the drainer is asked to come */
    _Atomic uint64_t started;
    _Atomic uint64_t pushed; /* spans */
    _Atomic uint64_t dropped_full;

    /* Written by the draining thread. */
    alignas(64) _Atomic uint64_t tail;
    _Atomic uint64_t drained; /* spans */

    /*
     * FREE to LIVE under the registry's mutex, LIVE to LEFT by the owner, LEFT to FREE by the
     * drainer.
     */
    alignas(64) atomic_int state;
};

struct bbc_thread {
    struct bbc_ring *ring; /* NULL: none yet, or a fork has taken it away */
    struct bobbin_scope *scopes;
    volatile sig_atomic_t busy;
    bool is_seeded;
    bool is_refused; /* no ring could be had; asked again after the next start */
    const struct bbc_config *refused_by;
    struct bbc_id_source ids;
};

/*
 * Initial-exec: a load from the thread's block instead of a call. GCC 12's null checks misread the
 * address in that model, so that builds with sanitizers have the default one.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BBC_TLS_MODEL
#else
#define BBC_TLS_MODEL __attribute__((tls_model("initial-exec")))
#endif

extern _Thread_local struct bbc_thread bbc_this_thread BBC_TLS_MODEL;

/* The head of the list of all rings; rings are only ever added. */
extern _Atomic(struct bbc_ring *) bbc_rings;

/* Gives this thread a ring, and starts the exporting threads if a fork has ended them. */
struct bbc_ring *bbc_thread_ring_take(struct bbc_thread *thread, const struct bbc_config *config);

/* Seeds the ids of this thread; false where the kernel gives none. */
bool bbc_thread_seed(struct bbc_thread *thread);

/* Wakes the draining thread. Safe in signal handlers. */
void bbc_drainer_wake(void);

/* Around fork: takes and returns the registry's mutex; the child empties all rings. */
void bbc_rings_fork_prepare(void);
void bbc_rings_fork_parent(void);
void bbc_rings_fork_child(void);

static inline struct bbc_ring *bbc_thread_ring(struct bbc_thread *thread,
                                               const struct bbc_config *config)
{
    if (BOBBIN_UNLIKELY(thread->ring == NULL)) {
        return bbc_thread_ring_take(thread, config);
    }
    return thread->ring;
}

/* Adds to a counter that only this thread writes. */
static inline void bbc_own_add(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* Room for a record of `size` bytes (a multiple of 8), or NULL where the ring is full. */
static inline uint8_t *bbc_ring_reserve(struct bbc_ring *ring, uint32_t size, uint64_t *out_head)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint32_t offset = (uint32_t)head & (ring->size - 1);
    uint32_t to_end = ring->size - offset;
    uint32_t skipped = to_end < size ? to_end : 0;

    if (BOBBIN_UNLIKELY(head + skipped + size - ring->cached_tail > ring->size)) {
        ring->cached_tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (head + skipped + size - ring->cached_tail > ring->size) {
            return NULL;
        }
    }
    if (BOBBIN_UNLIKELY(skipped != 0)) {
        const uint32_t pad[2] = {skipped, BBC_RECORD_PAD};

        memcpy(ring->bytes + offset, pad, sizeof pad);
        offset = 0;
    }
    *out_head = head + skipped + size;
    return ring->bytes + offset;
}

/* Asks the drainer to come, if the ring is half full; sets when to look again. */
void bbc_ring_look(struct bbc_ring *ring, uint64_t head);

/* Makes the record that was reserved visible to the drainer. */
static inline void bbc_ring_commit(struct bbc_ring *ring, uint64_t head)
{
    atomic_store_explicit(&ring->head, head, memory_order_release);
    if (BOBBIN_UNLIKELY(head >= ring->wake_at)) {
        bbc_ring_look(ring, head);
    }
}

#endif /* BBC_THREAD_RING_H */
