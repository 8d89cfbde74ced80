import test from 'node:test';
import assert from 'node:assert/strict';
import { buildTrace } from '../../js/model/trace_tree.js';
import { nodeWarnings, traceWarnings } from '../../js/model/warnings.js';
import { makeSpans } from './make_spans.js';

/** @param {import('./make_spans.js').Short[]} shorts */
function warningsOf(shorts) {
  const trace = buildTrace(makeSpans(shorts));
  return {
    trace: traceWarnings(trace),
    nodes: trace.nodes.map((node) => nodeWarnings(node, trace)),
  };
}

test('a sound trace has no warning', () => {
  assert.deepEqual(
    warningsOf([
      { id: 1, for: 9 },
      { id: 2, parent: 1, at: 1, for: 2 },
    ]),
    { trace: [], nodes: [[], []] },
  );
});

test('what was not received is said of the trace, of the placeholder and of its children', () => {
  const { trace, nodes } = warningsOf([
    { id: 2, parent: 1 },
    { id: 3, parent: 1, at: 1 },
  ]);
  assert.deepEqual(trace, [
    'The root span was not received.',
    '2 spans name a parent that was not received.',
  ]);
  assert.match(nodes[0][0], /^Not received: .* 2 spans name it as parent\.$/);
  assert.deepEqual(nodes[1], ['Its parent was not received.']);
});

test('a skew is told with its amount, and that nothing was moved', () => {
  const { trace, nodes } = warningsOf([
    { id: 1, at: 3000, for: 9 },
    { id: 2, parent: 1, at: 500, for: 1 },
  ]);
  assert.match(trace[0], /^1 span starts before the parent.*as received\.$/);
  assert.match(nodes[1][0], /^Starts 2\.5µs before its parent/);
});

test('cycles, shared ids, copies, absent and reversed times are each said', () => {
  assert.match(warningsOf([{ id: 1, parent: 1 }]).nodes[0].join(), /cycle/);
  assert.match(warningsOf([{ id: 1 }, { id: 1, at: 1 }]).nodes[0].join(), /same id/);
  assert.match(warningsOf([{ id: 1 }, { id: 1 }]).trace.join(), /1 span came more than once/);
  assert.match(warningsOf([{ id: 1, raw: { endTimeUnixNano: '0' } }]).nodes[0].join(), /not set/);
  assert.match(warningsOf([{ id: 1, at: 5, for: -2 }]).nodes[0].join(), /ends before/);
});
