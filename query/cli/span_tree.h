/*
 * span_tree.h - the spans of a trace as a tree, in the order in which they are shown: a parent
 * before its children, children by their start. Made for whatever was sent: a span whose parent
 * isn't there is shown as a root, of a circle one span is, and two spans of one id are both shown.
 */
#ifndef BB_QUERY_CLI_SPAN_TREE_H
#define BB_QUERY_CLI_SPAN_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/span_batch.h"

struct bb_tree_node {
    const struct bb_span_ref *span; /* borrowed from the batch */
    uint32_t parent;                /* index of a node; BB_TREE_NONE for a root */
    uint32_t depth;                 /* 0 for a root */
    bool is_last;                   /* no sibling follows */
    bool has_children;
    bool is_orphan; /* a root that names a parent */
};

#define BB_TREE_NONE UINT32_MAX

struct bb_span_tree {
    struct bb_tree_node *nodes; /* in the arena, in the order in which they are shown */
    uint32_t count;
    uint64_t start_unix_ns; /* the earliest start */
    uint64_t end_unix_ns;   /* the latest end, not before start_unix_ns */
    uint32_t error_count;
    uint32_t orphan_count;
};

/*
 * Builds the tree of all spans of `batch`. Takes O(n log n) time and doesn't recurse.
 *
 * BB_OK      *out_tree is set
 * BB_ENOMEM  the arena is at its limit
 */
BB_MUST_CHECK enum bb_err bb_span_tree_build(const struct bb_span_batch *batch,
                                             struct bb_arena *arena, struct bb_span_tree *out_tree);

#endif /* BB_QUERY_CLI_SPAN_TREE_H */
