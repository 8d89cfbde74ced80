#include "client/id_source.h"

#include <errno.h>
#include <sys/random.h>

bool bbc_id_source_seed(struct bbc_id_source *source)
{
    uint64_t state[4];
    ssize_t got;

    do {
        /* Up to 256 bytes come whole or not at all. */
        got = getrandom(state, sizeof state, 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof state || (state[0] | state[1] | state[2] | state[3]) == 0) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        source->state[i] = state[i];
    }
    return true;
}
