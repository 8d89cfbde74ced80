/*
 * span_tree.c - sorted by start, the spans get their parent by a binary search over their ids. What
 * hangs together in a circle is cut where a walk up the parents meets itself; each span is walked
 * over once. Then a walk down, from sibling to sibling, gives the order.
 */
#include "query/cli/span_tree.h"

#include <stdlib.h>

struct item {
    const struct bb_span_ref *span;
    uint32_t parent;
    uint32_t first_child;
    uint32_t next_sibling;
    uint32_t walk; /* number of the walk that came by; 0: none yet */
    bool is_orphan;
};

struct id_entry {
    struct bb_span_id id;
    uint32_t item;
};

static int compare_items(const void *left, const void *right)
{
    const struct bb_span_ref *a = ((const struct item *)left)->span;
    const struct bb_span_ref *b = ((const struct item *)right)->span;

    if (a->start_unix_ns != b->start_unix_ns) {
        return a->start_unix_ns < b->start_unix_ns ? -1 : 1;
    }
    if (a->end_unix_ns != b->end_unix_ns) {
        return a->end_unix_ns > b->end_unix_ns ? -1 : 1; /* what encloses stands first */
    }
    return memcmp(a->span_id.bytes, b->span_id.bytes, BB_SPAN_ID_SIZE);
}

static int compare_ids(const void *left, const void *right)
{
    const struct id_entry *a = left;
    const struct id_entry *b = right;
    int order = memcmp(a->id.bytes, b->id.bytes, BB_SPAN_ID_SIZE);

    if (order != 0) {
        return order;
    }
    return a->item < b->item ? -1 : a->item > b->item;
}

/* The first item of that id; BB_TREE_NONE when there is none. */
static uint32_t find_item(const struct id_entry *ids, uint32_t count, const struct bb_span_id *id)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(ids[middle].id.bytes, id->bytes, BB_SPAN_ID_SIZE) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && bb_span_id_equals(&ids[low].id, id) ? ids[low].item : BB_TREE_NONE;
}

static void find_parents(struct item *items, struct id_entry *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = (struct id_entry){.id = items[i].span->span_id, .item = i};
    }
    if (count > 0) {
        qsort(ids, count, sizeof(*ids), compare_ids);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!bb_span_id_is_zero(&items[i].span->parent_span_id)) {
            items[i].parent = find_item(ids, count, &items[i].span->parent_span_id);
            items[i].is_orphan = items[i].parent == BB_TREE_NONE;
        }
    }
}

/* Makes a root of one item of each circle: the one at which the walk has begun, or met itself. */
static void cut_circles(struct item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t walk = i + 1;
        uint32_t at = i;
        while (items[at].walk == 0) {
            items[at].walk = walk;
            if (items[at].parent == BB_TREE_NONE) {
                break;
            }
            at = items[at].parent;
            if (items[at].walk == walk) {
                items[at].parent = BB_TREE_NONE;
                items[at].is_orphan = true;
            }
        }
    }
}

/* Hangs the items below their parents, the earliest first; returns the first root. */
static uint32_t link_children(struct item *items, uint32_t count)
{
    uint32_t first_root = BB_TREE_NONE;

    for (uint32_t i = count; i-- > 0;) {
        uint32_t *head =
            items[i].parent == BB_TREE_NONE ? &first_root : &items[items[i].parent].first_child;
        items[i].next_sibling = *head;
        *head = i;
    }
    return first_root;
}

/* Writes the items to `nodes` in the order in which they are shown. */
static void put_in_order(const struct item *items, uint32_t first_root, struct bb_tree_node *nodes)
{
    uint32_t count = 0;
    uint32_t parent_node = BB_TREE_NONE;
    uint32_t depth = 0;
    uint32_t at = first_root;

    while (at != BB_TREE_NONE) {
        nodes[count] = (struct bb_tree_node){
            .span = items[at].span,
            .parent = parent_node,
            .depth = depth,
            .is_last = items[at].next_sibling == BB_TREE_NONE,
            .has_children = items[at].first_child != BB_TREE_NONE,
            .is_orphan = items[at].is_orphan,
        };
        count++;
        if (items[at].first_child != BB_TREE_NONE) {
            parent_node = count - 1;
            depth++;
            at = items[at].first_child;
            continue;
        }
        while (items[at].next_sibling == BB_TREE_NONE && items[at].parent != BB_TREE_NONE) {
            at = items[at].parent;
            parent_node = nodes[parent_node].parent;
            depth--;
        }
        at = items[at].next_sibling;
    }
}

static void sum_up(const struct bb_span_batch *batch, struct bb_span_tree *tree)
{
    for (uint32_t i = 0; i < batch->span_count; i++) {
        const struct bb_span_ref *span = &batch->spans[i];
        if (i == 0 || span->start_unix_ns < tree->start_unix_ns) {
            tree->start_unix_ns = span->start_unix_ns;
        }
        if (span->end_unix_ns > tree->end_unix_ns) {
            tree->end_unix_ns = span->end_unix_ns;
        }
        tree->error_count += span->status_code == BB_STATUS_ERROR ? 1 : 0;
        tree->orphan_count += tree->nodes[i].is_orphan ? 1 : 0;
    }
    if (tree->end_unix_ns < tree->start_unix_ns) {
        tree->end_unix_ns = tree->start_unix_ns;
    }
}

enum bb_err bb_span_tree_build(const struct bb_span_batch *batch, struct bb_arena *arena,
                               struct bb_span_tree *out_tree)
{
    struct bb_span_tree tree = {.count = batch->span_count};
    struct item *items = bb_arena_try_calloc(arena, tree.count, sizeof(*items));
    struct id_entry *ids = bb_arena_try_calloc(arena, tree.count, sizeof(*ids));

    tree.nodes = bb_arena_try_calloc(arena, tree.count, sizeof(*tree.nodes));
    if (items == NULL || ids == NULL || tree.nodes == NULL) {
        return BB_ENOMEM;
    }
    for (uint32_t i = 0; i < tree.count; i++) {
        items[i] = (struct item){
            .span = &batch->spans[i],
            .parent = BB_TREE_NONE,
            .first_child = BB_TREE_NONE,
            .next_sibling = BB_TREE_NONE,
        };
    }
    if (tree.count > 0) {
        qsort(items, tree.count, sizeof(*items), compare_items);
    }
    find_parents(items, ids, tree.count);
    cut_circles(items, tree.count);
    put_in_order(items, link_children(items, tree.count), tree.nodes);
    sum_up(batch, &tree);
    *out_tree = tree;
    return BB_OK;
}
