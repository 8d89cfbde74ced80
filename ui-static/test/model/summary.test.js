import test from 'node:test';
import assert from 'node:assert/strict';
import { readSummary, summarize } from '../../js/model/summary.js';
import { makeServiceColors, SERVICE_COLOR_COUNT } from '../../js/model/service_colors.js';
import { EPOCH, makeSpans } from './make_spans.js';

test('the server’s summary is read with exact times', () => {
  assert.deepEqual(
    readSummary({
      traceId: 'ab',
      rootServiceName: 'web',
      rootOperationName: 'GET /',
      minStartTimeUnixNano: '1700000000000000001',
      maxEndTimeUnixNano: '1700000000000000004',
      spanCount: 2,
      errorSpanCount: 1,
      services: [{ name: 'web', spanCount: 2, errorSpanCount: 1 }],
    }),
    {
      traceId: 'ab',
      service: 'web',
      operation: 'GET /',
      start: 1700000000000000001n,
      duration: 3,
      spanCount: 2,
      errorCount: 1,
      orphanCount: 0,
      services: [{ name: 'web', spanCount: 2, errorCount: 1 }],
    },
  );
});

test('a trace of a file is summed up in the same way', () => {
  const summary = summarize(
    makeSpans([
      { id: 1, for: 50, service: 'web' },
      { id: 2, parent: 9, at: 10, for: 5, service: 'db' },
    ]),
  );
  assert.equal(summary.service, 'web');
  assert.equal(summary.operation, 'op-1');
  assert.equal(summary.start, EPOCH);
  assert.equal(summary.duration, 50);
  assert.equal(summary.orphanCount, 1);
  assert.deepEqual(
    summary.services.map((service) => service.name),
    ['web', 'db'],
  );
});

test('the first twenty services all differ in colour, and each keeps its own', () => {
  const colorOf = makeServiceColors();
  const colors = Array.from({ length: SERVICE_COLOR_COUNT }, (_, i) => colorOf(`s${i}`));
  assert.equal(new Set(colors).size, SERVICE_COLOR_COUNT);
  assert.equal(colorOf('s3'), colors[3]);
  assert.equal(colorOf('one more'), colors[0]);
});
