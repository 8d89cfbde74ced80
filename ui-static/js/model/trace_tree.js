/*
 * trace_tree.js - from a heap of spans to one tree in reading order.
 *
 * What arrives may be broken, so these rules hold for any input:
 *
 *   1. Each distinct span comes out exactly once. Copies (same id, same content) merge; spans that
 *      share an id but differ are all kept and marked, and children go to the earliest of them.
 *   2. A parent that did not arrive becomes a placeholder, which holds the spans that name it.
 *   3. A cycle of parents is cut above its earliest span, which becomes a root and is marked.
 *   4. Times are as received. A span that starts before its parent is marked, not moved.
 *   5. The result doesn't depend on the order of arrival, and no step recurses: a chain may be
 *      thousands deep.
 *
 * The nodes stand depth first, so that a subtree is the run from a node's index up to its `end`.
 */

/**
 * @typedef {object} Draft a node while the tree is made
 * @property {Span | null} span
 * @property {string} id
 * @property {Draft[]} children
 * @property {boolean} isCut
 * @property {boolean} sharesId
 */

/** @param {Span | null} span @param {string} id @returns {Draft} */
function draft(span, id) {
  return { span, id, children: [], isCut: false, sharesId: false };
}

/** Earliest first; ties by id and name, so that the order of arrival does not show. */
/** @param {Span} a @param {Span} b */
function compareSpans(a, b) {
  return a.start < b.start ? -1 : a.start > b.start ? 1
    : a.id < b.id ? -1 : a.id > b.id ? 1
      : a.name < b.name ? -1 : a.name > b.name ? 1
        : a.service < b.service ? -1 : a.service > b.service ? 1 : 0;
}

/** A placeholder stands where the first of its children would. */
/** @param {Draft} item @returns {Span} */
function sortKey(item) {
  return item.span ?? /** @type {Span} */ (item.children[0].span);
}

/** @param {Draft} a @param {Draft} b */
function compareDrafts(a, b) {
  return compareSpans(sortKey(a), sortKey(b));
}

/** @param {Span} a @param {Span} b */
function isCopy(a, b) {
  const [left, right] = [a, b].map(({ raw, resource, scope }) =>
    JSON.stringify([raw, resource, scope]));
  return left === right;
}

/**
 * Rule 1. The drafts come out sorted by start.
 * @param {Span[]} spans
 * @returns {{drafts: Draft[], byId: Map<string, Draft>, copyCount: number}}
 */
function distinctDrafts(spans) {
  const drafts = [];
  /** @type {Map<string, Draft>} */
  const byId = new Map();
  /** @type {Map<string, Draft[]>} the spans of an id that is there more than once */
  const shared = new Map();
  let copyCount = 0;

  for (const span of [...spans].sort(compareSpans)) {
    const first = byId.get(span.id);
    const item = draft(span, span.id);
    if (first !== undefined && span.id !== '') {
      const others = shared.get(span.id) ?? [first];
      if (others.some((other) => isCopy(/** @type {Span} */ (other.span), span))) {
        copyCount++;
        continue;
      }
      shared.set(span.id, [...others, item]);
      first.sharesId = true;
      item.sharesId = true;
    } else if (span.id !== '') {
      byId.set(span.id, item);
    }
    drafts.push(item);
  }
  return { drafts, byId, copyCount };
}

/**
 * Rule 3: of each cycle of parents, the earliest span. `drafts` are sorted by start.
 * @param {Draft[]} drafts
 * @param {(item: Draft) => Draft | undefined} parentOf
 * @returns {Draft[]}
 */
function cycleHeads(drafts, parentOf) {
  /** @type {Map<Draft, Draft>} each visited draft, with the one its walk began at */
  const walks = new Map();
  const heads = [];
  for (const begin of drafts) {
    /** @type {Draft | undefined} */
    let item = begin;
    while (item !== undefined && !walks.has(item)) {
      walks.set(item, begin);
      item = parentOf(item);
    }
    if (item === undefined || walks.get(item) !== begin) {
      continue;
    }
    let head = item;
    for (let next = parentOf(item); next && next !== item; next = parentOf(next)) {
      head = compareDrafts(next, head) < 0 ? next : head;
    }
    heads.push(head);
  }
  return heads;
}

/**
 * Rules 2 and 3: hangs the drafts below each other.
 * @param {Draft[]} drafts sorted by start
 * @param {Map<string, Draft>} byId
 * @returns {{roots: Draft[], orphanCount: number}}
 */
function linkDrafts(drafts, byId) {
  /** @param {Draft} item */
  const parentOf = (item) => byId.get(/** @type {Span} */ (item.span).parentId);
  /** @type {Map<string, Draft>} */
  const placeholders = new Map();
  /** @type {Draft[]} */
  const roots = [];
  let orphanCount = 0;

  const heads = new Set(cycleHeads(drafts, parentOf));
  for (const item of drafts) {
    const { parentId } = /** @type {Span} */ (item.span);
    const parent = parentOf(item);
    if (parentId === '') {
      roots.push(item);
    } else if (heads.has(item)) {
      item.isCut = true;
      roots.push(item);
    } else if (parent !== undefined) {
      parent.children.push(item);
    } else {
      orphanCount++;
      let placeholder = placeholders.get(parentId);
      if (placeholder === undefined) {
        placeholder = draft(null, parentId);
        placeholders.set(parentId, placeholder);
        roots.push(placeholder);
      }
      placeholder.children.push(item);
    }
  }
  return { roots: roots.sort(compareDrafts), orphanCount };
}

/**
 * When the trace begins and ends. Times that were not set don't count.
 * @param {Draft[]} drafts
 */
function extentOf(drafts) {
  let start = 0n;
  let end = 0n;
  for (const { span } of drafts) {
    if (span === null || span.start === 0n) {
      continue;
    }
    start = start === 0n || span.start < start ? span.start : start;
    end = span.start > end ? span.start : end;
    end = span.end > end ? span.end : end;
  }
  return { start, end };
}

/**
 * @param {Draft} item
 * @param {number} index
 * @param {SpanNode | null} parent
 * @param {bigint} traceStart
 * @returns {SpanNode}
 */
function makeNode(item, index, parent, traceStart) {
  const { span } = item;
  const hasNoTime = span !== null && (span.start === 0n || span.end === 0n);
  const start = span === null || span.start === 0n ? 0 : Number(span.start - traceStart);
  const isTimedChild = span !== null && span.start !== 0n && parent !== null
    && parent.span !== null && parent.span.start !== 0n;
  return {
    index,
    span,
    id: item.id,
    depth: parent === null ? 0 : parent.depth + 1,
    parent: parent === null ? -1 : parent.index,
    end: index + 1,
    childCount: item.children.length,
    start,
    duration: span === null || hasNoTime ? 0 : Number(span.end - span.start),
    isError: span?.status === 'error',
    isCut: item.isCut,
    sharesId: item.sharesId,
    hasNoTime,
    skew: isTimedChild ? Math.max(0, parent.start - start) : 0,
  };
}

/**
 * Lays the tree out depth first.
 * @param {Draft[]} roots
 * @param {bigint} traceStart
 * @returns {SpanNode[]}
 */
function flattenTree(roots, traceStart) {
  /** @type {SpanNode[]} */
  const nodes = [];
  const stack = roots.map((item) => ({ item, parent: -1 })).reverse();
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const node = makeNode(top.item, nodes.length, nodes[top.parent] ?? null, traceStart);
    nodes.push(node);
    for (let i = top.item.children.length - 1; i >= 0; i--) {
      stack.push({ item: top.item.children[i], parent: node.index });
    }
  }
  for (let i = nodes.length - 1; i >= 0; i--) {
    const parent = nodes[nodes[i].parent];
    if (parent !== undefined) {
      parent.end = Math.max(parent.end, nodes[i].end);
    }
  }
  for (const node of nodes) {
    if (node.span === null) {
      spanOverChildren(node, nodes);
    }
  }
  return nodes;
}

/** A placeholder is as long as what is known below it. */
/** @param {SpanNode} node @param {SpanNode[]} nodes */
function spanOverChildren(node, nodes) {
  let start = Infinity;
  let end = 0;
  for (let i = node.index + 1; i < node.end; i++) {
    start = Math.min(start, nodes[i].start);
    end = Math.max(end, nodes[i].start + nodes[i].duration);
  }
  node.start = start;
  node.duration = Math.max(0, end - start);
}

/** @param {SpanNode[]} nodes @returns {ServiceCount[]} */
function countServices(nodes) {
  /** @type {Map<string, ServiceCount>} */
  const services = new Map();
  for (const { span, isError } of nodes) {
    if (span === null) {
      continue;
    }
    let service = services.get(span.service);
    if (service === undefined) {
      service = { name: span.service, spanCount: 0, errorCount: 0 };
      services.set(span.service, service);
    }
    service.spanCount++;
    service.errorCount += isError ? 1 : 0;
  }
  return [...services.values()];
}

/**
 * Builds the tree of one trace.
 * @param {Span[]} spans all of one trace, in any order
 * @returns {Trace}
 */
export function buildTrace(spans) {
  const { drafts, byId, copyCount } = distinctDrafts(spans);
  const { roots, orphanCount } = linkDrafts(drafts, byId);
  const { start, end } = extentOf(drafts);
  const nodes = flattenTree(roots, start);
  const services = countServices(nodes);
  return {
    id: spans[0]?.traceId ?? '',
    nodes,
    start,
    duration: Number(end - start),
    spanCount: drafts.length,
    errorCount: services.reduce((sum, service) => sum + service.errorCount, 0),
    orphanCount,
    copyCount,
    skewCount: nodes.reduce((sum, node) => sum + (node.skew > 0 ? 1 : 0), 0),
    depth: nodes.reduce((max, node) => Math.max(max, node.depth + 1), 0),
    services,
    root: nodes.find((node) => node.span !== null && node.span.parentId === '') ?? null,
  };
}

/**
 * The node to name a trace after: its root, or the first span there is.
 * @param {Trace} trace
 * @returns {SpanNode | null}
 */
export function headNode(trace) {
  return trace.root ?? trace.nodes.find((node) => node.span !== null) ?? null;
}

/**
 * Splits the spans of a file by trace, in order of appearance.
 * @param {Span[]} spans
 * @returns {Map<string, Span[]>}
 */
export function groupByTrace(spans) {
  /** @type {Map<string, Span[]>} */
  const traces = new Map();
  for (const span of spans) {
    const group = traces.get(span.traceId);
    if (group === undefined) {
      traces.set(span.traceId, [span]);
    } else {
      group.push(span);
    }
  }
  return traces;
}
