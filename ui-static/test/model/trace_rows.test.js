import test from 'node:test';
import assert from 'node:assert/strict';
import { buildTrace } from '../../js/model/trace_tree.js';
import { allParents, reveal, rowOf, visibleRows } from '../../js/model/trace_rows.js';
import { makeSpans } from './make_spans.js';

/*  0 root, 1 .a, 2 ..b, 3 ..c, 4 .d, 5 ..e  */
const TRACE = buildTrace(
  makeSpans([
    { id: 1 },
    { id: 2, parent: 1, at: 1 },
    { id: 3, parent: 2, at: 2 },
    { id: 4, parent: 2, at: 3 },
    { id: 5, parent: 1, at: 4 },
    { id: 6, parent: 5, at: 5 },
  ]),
);

test('with nothing collapsed every node is a row', () => {
  assert.deepEqual([...visibleRows(TRACE, new Set())], [0, 1, 2, 3, 4, 5]);
});

test('a collapsed node hides its subtree and nothing else', () => {
  assert.deepEqual([...visibleRows(TRACE, new Set([1]))], [0, 1, 4, 5]);
  assert.deepEqual([...visibleRows(TRACE, new Set([1, 4]))], [0, 1, 4]);
  assert.deepEqual([...visibleRows(TRACE, new Set([0, 1]))], [0]);
});

test('the row of a hidden node is that of the node that hides it', () => {
  const rows = visibleRows(TRACE, new Set([1]));
  assert.equal(rowOf(rows, 3), 1);
  assert.equal(rowOf(rows, 4), 2);
  assert.equal(rowOf(rows, 0), 0);
});

test('revealing a node opens those above it and leaves the others', () => {
  assert.deepEqual([...reveal(TRACE, new Set([0, 1, 4]), 3)], [4]);
  assert.deepEqual([...reveal(TRACE, new Set([1]), 1)], [1]);
});

test('all that has children can be collapsed', () => {
  assert.deepEqual([...allParents(TRACE)], [0, 1, 4]);
});
