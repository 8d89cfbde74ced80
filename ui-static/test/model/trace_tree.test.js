import test from 'node:test';
import assert from 'node:assert/strict';
import { buildTrace, groupByTrace, headNode } from '../../js/model/trace_tree.js';
import { EPOCH, makeSpans, spanId } from './make_spans.js';

/** The tree as indented text. @param {Trace} trace */
function outline(trace) {
  return trace.nodes.map(
    (node) =>
      '.'.repeat(node.depth) +
      (node.span === null ? '?' : '') +
      Number(node.id) +
      (node.isCut ? ' cut' : ''),
  );
}

/** @param {import('./make_spans.js').Short[]} shorts */
function outlineOf(shorts) {
  return outline(buildTrace(makeSpans(shorts)));
}

/** Puts a list in an order of its own, the same at each run. @template T @param {T[]} list */
function shuffled(list) {
  const out = [...list];
  let state = 12345;
  for (let i = out.length - 1; i > 0; i--) {
    state = (state * 1103515245 + 12345) % 2147483648;
    const j = state % (i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

test('children stand below their parent, earliest first', () => {
  assert.deepEqual(
    outlineOf([
      { id: 3, parent: 1, at: 5 },
      { id: 4, parent: 2, at: 3 },
      { id: 1, for: 10 },
      { id: 2, parent: 1, at: 2 },
    ]),
    ['1', '.2', '..4', '.3'],
  );
});

test('spans that start together are ordered by id', () => {
  assert.deepEqual(outlineOf([{ id: 1 }, { id: 9, parent: 1 }, { id: 2, parent: 1 }]), [
    '1',
    '.2',
    '.9',
  ]);
});

test('each subtree is the run of nodes up to its end', () => {
  const { nodes } = buildTrace(
    makeSpans([
      { id: 1 },
      { id: 2, parent: 1, at: 1 },
      { id: 3, parent: 2, at: 2 },
      { id: 4, parent: 1, at: 3 },
    ]),
  );
  assert.deepEqual(
    nodes.map((node) => node.end),
    [4, 3, 3, 4],
  );
  assert.deepEqual(
    nodes.map((node) => node.parent),
    [-1, 0, 1, 0],
  );
});

test('a trace without spans is empty and has no head', () => {
  const trace = buildTrace([]);
  assert.deepEqual(trace.nodes, []);
  assert.equal(trace.depth, 0);
  assert.equal(headNode(trace), null);
});

test('spans of one missing parent stand below one placeholder, as long as they are', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, at: 0, for: 100 },
      { id: 5, parent: 77, at: 20, for: 10 },
      { id: 6, parent: 77, at: 50, for: 5 },
    ]),
  );
  assert.deepEqual(outline(trace), ['1', '?77', '.5', '.6']);
  assert.equal(trace.orphanCount, 2);
  assert.equal(trace.spanCount, 3);
  assert.equal(trace.nodes[1].start, 20);
  assert.equal(trace.nodes[1].duration, 35);
});

test('a trace whose root is missing is named after its first span', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 2, parent: 1, at: 9 },
      { id: 3, parent: 1, at: 4 },
    ]),
  );
  assert.equal(trace.root, null);
  assert.equal(headNode(trace)?.span?.name, 'op-3');
});

test('several roots stand in the order of their start', () => {
  assert.deepEqual(
    outlineOf([
      { id: 1, at: 9 },
      { id: 2, at: 1 },
    ]),
    ['2', '1'],
  );
});

test('a span that is its own parent is a root, cut', () => {
  assert.deepEqual(outlineOf([{ id: 1, parent: 1 }]), ['1 cut']);
});

test('a cycle is cut above its earliest span', () => {
  assert.deepEqual(
    outlineOf([
      { id: 1, parent: 3, at: 30 },
      { id: 2, parent: 1, at: 10 },
      { id: 3, parent: 2, at: 20 },
      { id: 4, parent: 3, at: 40 },
    ]),
    ['2 cut', '.3', '..1', '..4'],
  );
});

test('two cycles are cut apart from each other and from a sound tree', () => {
  assert.deepEqual(
    outlineOf([
      { id: 1, at: 0 },
      { id: 2, parent: 3, at: 1 },
      { id: 3, parent: 2, at: 2 },
      { id: 4, parent: 5, at: 3 },
      { id: 5, parent: 4, at: 4 },
      { id: 6, parent: 1, at: 5 },
    ]),
    ['1', '.6', '2 cut', '.3', '4 cut', '.5'],
  );
});

test('copies of a span merge and are counted', () => {
  const trace = buildTrace(makeSpans([{ id: 1 }, { id: 1 }, { id: 2, parent: 1 }, { id: 1 }]));
  assert.deepEqual(outline(trace), ['1', '.2']);
  assert.equal(trace.copyCount, 2);
  assert.equal(trace.nodes[0].sharesId, false);
});

test('spans that share an id but differ are both kept, and marked', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, service: 'a', at: 0 },
      { id: 1, service: 'b', at: 1 },
      { id: 2, parent: 1, at: 2 },
    ]),
  );
  assert.deepEqual(outline(trace), ['1', '.2', '1']);
  assert.equal(trace.copyCount, 0);
  assert.deepEqual(
    trace.nodes.map((node) => node.sharesId),
    [true, false, true],
  );
});

test('spans without an id are all kept', () => {
  const spans = makeSpans([{ id: 1 }, { id: 2, at: 1 }]);
  spans.forEach((span) => {
    span.id = '';
  });
  assert.equal(buildTrace(spans).nodes.length, 2);
});

test('a chain of 10,000 spans is built without recursion', () => {
  const shorts = Array.from({ length: 10_000 }, (_, i) => ({
    id: i + 1,
    parent: i === 0 ? undefined : i,
    at: i,
    for: 20_000 - 2 * i,
  }));
  const trace = buildTrace(makeSpans(shuffled(shorts)));
  assert.equal(trace.depth, 10_000);
  assert.equal(trace.nodes[9_999].depth, 9_999);
  assert.equal(trace.nodes[0].end, 10_000);
});

test('a cycle of 10,000 spans is cut once', () => {
  const shorts = Array.from({ length: 10_000 }, (_, i) => ({
    id: i + 1,
    parent: i === 0 ? 10_000 : i,
    at: i,
  }));
  const trace = buildTrace(makeSpans(shuffled(shorts)));
  assert.equal(trace.nodes.filter((node) => node.isCut).length, 1);
  assert.equal(trace.depth, 10_000);
});

test('the order of arrival does not show', () => {
  const shorts = Array.from({ length: 300 }, (_, i) => ({
    // Sound spans, orphans of three parents, a cycle, and many equal starts.
    id: i + 1,
    parent:
      i === 0
        ? undefined
        : i < 200
          ? (i >> 1) + 1
          : i < 250
            ? 9000 + (i % 3)
            : 251 + ((i + 1) % 50),
    at: i % 7,
  }));
  const expected = outlineOf(shorts);
  assert.equal(expected.length, 300 + 3);
  assert.deepEqual(outlineOf(shuffled(shorts)), expected);
  assert.deepEqual(outlineOf([...shorts].reverse()), expected);
});

test('every distinct span comes out exactly once, however broken the parents', () => {
  let state = 7;
  for (let round = 0; round < 200; round++) {
    const count = 1 + (round % 40);
    const shorts = Array.from({ length: count }, (_, i) => {
      state = (state * 48271) % 2147483647;
      const parent = state % (count + 5);
      return { id: i + 1, parent: parent === 0 ? undefined : parent, at: state % 11 };
    });
    const { nodes } = buildTrace(makeSpans(shorts));
    const ids = nodes.filter((node) => node.span !== null).map((node) => Number(node.id));
    assert.deepEqual(
      ids.sort((a, b) => a - b),
      shorts.map((short) => short.id),
      `round ${round}`,
    );
    for (const node of nodes) {
      assert.equal(node.depth, node.parent < 0 ? 0 : nodes[node.parent].depth + 1);
    }
  }
});

test('neighbouring nanoseconds past 2^53 stay apart', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, at: 0, for: 3 },
      { id: 2, parent: 1, at: 1, for: 1 },
    ]),
  );
  assert.equal(trace.start, EPOCH);
  assert.equal(trace.nodes[1].start, 1);
  assert.equal(trace.nodes[1].duration, 1);
  assert.equal(trace.duration, 3);
});

test('a child that starts before its parent keeps its time and is marked', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, at: 100, for: 50 },
      { id: 2, parent: 1, at: 70, for: 10 },
    ]),
  );
  assert.equal(trace.nodes[0].start, 30);
  assert.equal(trace.nodes[1].start, 0);
  assert.equal(trace.nodes[1].skew, 30);
  assert.equal(trace.skewCount, 1);
});

test('a span without a start does not stretch the trace back to 1970', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, at: 0, for: 10 },
      { id: 2, parent: 1, raw: { startTimeUnixNano: '0' } },
    ]),
  );
  assert.equal(trace.start, EPOCH);
  assert.equal(trace.duration, 10);
  assert.deepEqual(
    trace.nodes.map((node) => node.hasNoTime),
    [true, false].map((_, i) => trace.nodes[i].id === spanId(2)),
  );
});

test('a span that ends before it starts has a negative duration', () => {
  const trace = buildTrace(makeSpans([{ id: 1, at: 50, for: -20 }]));
  assert.equal(trace.nodes[0].duration, -20);
  assert.equal(trace.duration, 0);
});

test('services are counted in order of appearance', () => {
  const trace = buildTrace(
    makeSpans([
      { id: 1, service: 'web' },
      { id: 2, parent: 1, at: 1, service: 'db' },
      { id: 3, parent: 1, at: 2, service: 'web', raw: { status: { code: 2 } } },
    ]),
  );
  assert.deepEqual(trace.services, [
    { name: 'web', spanCount: 2, errorCount: 1 },
    { name: 'db', spanCount: 1, errorCount: 0 },
  ]);
  assert.equal(trace.errorCount, 1);
});

test('the spans of a file are split by trace, in order of appearance', () => {
  const spans = makeSpans([{ id: 1 }, { id: 2 }, { id: 3 }]);
  spans[1].traceId = 'b';
  assert.deepEqual(
    [...groupByTrace(spans)].map(([id, group]) => [id, group.length]),
    [
      [spans[0].traceId, 2],
      ['b', 1],
    ],
  );
});
