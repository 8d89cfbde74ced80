/*
 * trace_rows.js - which nodes of a trace are rows of the waterfall, given what is collapsed.
 */

/**
 * The indexes of the nodes to show, top to bottom.
 * @param {Trace} trace
 * @param {ReadonlySet<number>} collapsed indexes of nodes whose subtree is hidden
 * @returns {Int32Array}
 */
export function visibleRows(trace, collapsed) {
  const { nodes } = trace;
  const rows = new Int32Array(nodes.length);
  let count = 0;
  for (let index = 0; index < nodes.length; ) {
    rows[count++] = index;
    index = collapsed.has(index) ? nodes[index].end : index + 1;
  }
  return rows.subarray(0, count);
}

/**
 * The row that shows a node, or the collapsed one that hides it.
 * @param {Int32Array} rows
 * @param {number} index
 */
export function rowOf(rows, index) {
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows[middle] <= index) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/**
 * What is left of `collapsed` when a node has to be seen.
 * @param {Trace} trace
 * @param {ReadonlySet<number>} collapsed
 * @param {number} index
 * @returns {Set<number>}
 */
export function reveal(trace, collapsed, index) {
  const left = new Set(collapsed);
  for (let at = trace.nodes[index].parent; at >= 0; at = trace.nodes[at].parent) {
    left.delete(at);
  }
  return left;
}

/**
 * All that can be collapsed.
 * @param {Trace} trace
 * @returns {Set<number>}
 */
export function allParents(trace) {
  return new Set(trace.nodes.filter((node) => node.childCount > 0).map((node) => node.index));
}
